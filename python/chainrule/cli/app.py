"""The list of commands, and the one-line messages for a wrong command line, with the nearest valid name.

click parses the arguments. Its own `main` is not used: it prints errors on several lines and ends the process.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from .writing import printable, say, utf8_or_escaped

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Each name is a module of this package whose `command` is the click command.
COMMANDS = ("train", "predict", "evaluate", "verify", "explain", "demo", "info")
COMPLETE = "_CHAINRULE_COMPLETE"  # the variable by which a shell asks for completions, as click documents it


class Group(click.Group):
    """The commands by name, each imported on first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's form
        """Return the names in the order of the list."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002 - click's form
        """Return a command."""
        if name not in COMMANDS:
            return None
        command: click.Command = import_module(f".{name}", __package__).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command; suggest the nearest name if there is none."""
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            from chainrule.reference.spelling import unknown

            raise click.UsageError(unknown("command", args[0], COMMANDS), ctx)
        return super().resolve_command(ctx, args)


@click.command(cls=Group, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, help="Print the version.")
@click.pass_context
def group(ctx: click.Context, *, version: bool) -> None:
    """Multilayer perceptrons, trained fast and verified."""
    if version:
        from chainrule import __version__

        click.echo(f"chainrule {__version__}")
        ctx.exit(0)
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def run(arguments: Sequence[str]) -> int:
    """Run the command that the arguments name and return the exit code."""
    if COMPLETE in os.environ:
        from click.shell_completion import shell_complete

        return shell_complete(group, {}, "chainrule", COMPLETE, os.environ[COMPLETE])
    utf8_or_escaped()
    command = next((word for word in arguments if word in COMMANDS), None)
    path = f"chainrule {command}" if command else "chainrule"
    try:
        with group.make_context("chainrule", list(arguments), obj=list(arguments)) as ctx:
            result: Any = group.invoke(ctx)
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.UsageError as error:
        path = path if error.ctx is None else error.ctx.command_path
        say(f"{path}: {printable(said(error))} (see {path} --help)", error=True)
        return 2
    except BrokenPipeError:
        raise
    except (ImportError, OSError, ValueError, MemoryError) as error:
        say(f"{path}: {printable(one_line(error))}", error=True)
        return 1
    return int(result or 0)


def said(error: click.UsageError) -> str:
    """Return the error of a wrong command line as one line without a full stop."""
    if isinstance(error, click.NoSuchOption) and error.ctx is not None:
        options = error.ctx.command.get_params(error.ctx)
        known = [name for option in options for name in (*option.opts, *option.secondary_opts)]
        return unknown_option(error.option_name, [name for name in known if name.startswith("--")])
    return " ".join(error.format_message().split()).removesuffix(".")


def unknown_option(name: str, known: Iterable[str]) -> str:
    """Return the message for an unknown option with the nearest known one; --lr suggests --learning-rate."""
    from chainrule.reference.spelling import nearest

    options = {option.lstrip("-").replace("-", "_"): option for option in known}
    near = nearest(name.lstrip("-"), options)
    hint = f"did you mean {options[near]!r}?" if near is not None else f"known are {', '.join(options.values())}"
    return f"option {name!r} is unknown; {hint}"


def one_line(error: Exception) -> str:
    """Return an error's text without line breaks; errors of the operating system name their file."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename!r}" if error.filename is not None else error.strerror
    return " ".join(str(error).split()) or type(error).__name__
