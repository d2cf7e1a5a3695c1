"""The command ``chainrule``: parse, call the function that does the work, turn mistakes into one line.

Exit codes: 0 done, 1 it could not be done (a missing package, a folder that cannot be written, an environment
variable that makes no sense), 2 the command line is wrong, 130 interrupted. Results go to standard output, progress
to a terminal only, errors to standard error.
"""

from __future__ import annotations

import argparse
import difflib
import os
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Parser(argparse.ArgumentParser):
    """An argparse parser whose errors are one line, with the nearest known name where one is unknown."""

    def error(self, message: str) -> NoReturn:
        """Print the error and how to get help, and leave with exit code 2."""
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line `arguments` (by default this process's) and return the exit code.

    Examples
    --------
    >>> main(["info"])  # doctest: +ELLIPSIS
    chainrule ...
    0
    """
    try:
        options = parse(sys.argv[1:] if arguments is None else arguments)
        code = int(options.run(options) or 0)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("chainrule: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whoever read the output has enough; Python's own flush at exit must not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ImportError, OSError, ValueError, MemoryError) as error:
        print(f"chainrule: {one_line(error)}", file=sys.stderr)
        return 1
    return code


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options with the function to run, or leave with exit code 2."""
    parser = Parser(
        prog="chainrule", description="Multilayer perceptrons, trained fast and verified.", allow_abbrev=False
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")

    demo = commands.add_parser(
        "demo",
        help="learn handwritten digits, verify the gradients, compare with scikit-learn",
        description="Learns scikit-learn's handwritten digits with several seeds, prints the accuracy on held-out "
        "digits, verifies the gradients, compares with scikit-learn and plots the loss.",
        allow_abbrev=False,
    )
    demo.add_argument("--seed", type=whole(0, 2**62), default=0, metavar="N", help="first seed (default 0)")
    demo.add_argument("--seeds", type=whole(1, 1000), default=5, metavar="N", help="how many networks (default 5)")
    demo.add_argument(
        "--epochs", type=whole(1, 10**6), default=60, metavar="N", help="passes over the data (default 60)"
    )
    demo.add_argument(
        "--out",
        type=Path,
        default=Path("chainrule-demo"),
        metavar="DIR",
        help="folder of the plots (default %(default)s)",
    )
    demo.add_argument("--no-plot", action="store_true", help="write no plots")
    demo.add_argument("--no-compare", action="store_true", help="leave scikit-learn's network out")
    demo.set_defaults(run=run_demo)

    info = commands.add_parser(
        "info",
        help="show the version, the processor's kernels and all options by name",
        description="Shows what a bug report needs: versions, the kernels in use, and all options by name.",
        allow_abbrev=False,
    )
    info.set_defaults(run=run_info)

    first = next((a for a in arguments if not a.startswith("-")), None)
    if first is not None and first not in commands.choices:
        parser.error(unknown("command", first, commands.choices))
    options, rest = parser.parse_known_args(arguments)
    if rest:
        used = commands.choices.get(options.command, parser)
        if not rest[0].startswith("-"):
            used.error(f"unexpected argument {rest[0]!r}")
        known = [name for action in used._actions for name in action.option_strings if name.startswith("--")]  # noqa: SLF001 - argparse has no public list
        used.error(unknown("option", rest[0].partition("=")[0], known))
    if options.version:
        options.run = run_version
    elif options.command is None:
        options.run = lambda _: parser.print_help()
    return options


def run_version(_: argparse.Namespace) -> None:
    """Print the version."""
    from . import __version__

    print(f"chainrule {__version__}")


def run_demo(options: argparse.Namespace) -> int:
    """Run the demonstration; gradients that are not right are a failure."""
    from . import demo

    right = demo.run(
        seed=options.seed,
        seeds=options.seeds,
        epochs=options.epochs,
        compare=not options.no_compare,
        out=None if options.no_plot else options.out,
    )
    return 0 if right else 1


def run_info(_: argparse.Namespace) -> None:
    """Print versions, kernels and registries, one a line."""
    import numpy as np

    from . import Network, __version__, _native, registry

    rows = {
        "chainrule": __version__,
        "python": f"{platform.python_version()} ({platform.python_implementation()})",
        "numpy": np.__version__,
        "system": f"{platform.system()} {platform.machine()}",
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "target": f"{Network([1, 1], seed=0).native.target} (usable here: {', '.join(_native.targets())})",
    }
    rows |= {name: os.environ[name] for name in ("CHAINRULE_TARGET", "CHAINRULE_NUM_THREADS") if name in os.environ}
    for kind, names in registry().items():
        if kind != "target":
            rows[f"{kind}es" if kind.endswith("s") else f"{kind}s"] = ", ".join(names)
    width = max(map(len, rows))
    for name, value in rows.items():
        print(f"{name:<{width}}  {value}")


class whole:  # noqa: N801 - argparse shows the name of a type in its errors
    """A whole number from `low` to `high`, as an argparse type."""

    def __init__(self, low: int, high: int) -> None:
        self.low, self.high = low, high

    def __call__(self, text: str) -> int:
        """Return the number, or tell argparse what was expected."""
        if not text.isascii() or not text.isdigit() or not self.low <= int(text) <= self.high:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {self.low} to {self.high}")
        return int(text)


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """Return the message that names what is unknown, the nearest known name, and all of them."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=1)
    return f"unknown {kind} {name!r}{f'; did you mean {near[0]!r}?' if near else ''} (known: {', '.join(known)})"


def one_line(error: Exception) -> str:
    """Return the text of an error without line breaks; errors of the system name their file."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename!r}" if error.filename is not None else error.strerror
    return " ".join(str(error).split()) or type(error).__name__


if __name__ == "__main__":
    raise SystemExit(main())
