"""Helpers that several commands share: reading tables, loading models, the progress bar, names."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, get_args

import click

from chainrule.names import Unknown

from .writing import head, is_model, remark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import pandas as pd

    from chainrule.network import Network
    from chainrule.tabular import TabularModel
    from chainrule.tabular.training import Watch

    Command = Callable[..., Any]


# ── Tables ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class Separator(click.ParamType[str]):
    """The character between cells; the word "tab" stands for the tab character."""

    name = "char"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the character."""
        value = {"tab": "\t", "\\t": "\t"}.get(value, value)
        if len(value) != 1 or value in '"\r\n':
            self.fail(
                f"{value!r} is not one character (such as , or ; or tab), or is a quote or a line break", param, ctx
            )
        return value


def reading(command: Command) -> Command:
    """Add the options for reading a table. Those beside --sep and --header are looked up by `read`, in `MARKS`."""
    for option in (
        click.option("--thousands", metavar="CHAR", help="Mark between thousands.  [default: as found]", **MARK),
        click.option("--decimal", metavar="CHAR", help="Decimal mark, . or ,  [default: as found]", **MARK),
        click.option("--encoding", metavar="NAME", help="Of CSV, such as cp1252.  [default: utf-8]", **MARK),
    ):
        command = option(command)
    command = click.option(
        "--header/--no-header",
        default=None,
        help="Whether the first row names the columns.  [default: as in the model's training data; when training, yes "
        "unless one of its cells is a number]",
    )(command)
    return click.option(
        "--sep", type=Separator(), help="Character between cells.  [default: the one of , ; tab | that gives a table]"
    )(command)


MARKS = ("encoding", "decimal", "thousands")  # kept in the context of the call


def keep_mark(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    """Keep the value of an option for `read`; refuse one that no table is written with."""
    from chainrule.tabular.notation import check_marks
    from chainrule.tabular.sources import check_encoding

    try:
        if value is not None and param.name == "encoding":
            value = check_encoding(value)
        elif value is not None:
            check_marks(**{str(param.name): value})
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from None
    ctx.meta[f"{__name__}.{param.name}"] = value


MARK: dict[str, Any] = {"expose_value": False, "callback": keep_mark}


def marks() -> dict[str, str | None]:
    """Return the values of the options that `reading` adds, beside --sep and --header."""
    ctx = click.get_current_context()
    return {name: ctx.meta.get(f"{__name__}.{name}") for name in MARKS}


def unknown_option(command: Command) -> Command:
    """Add the option for categories that the training data did not have."""
    return click.option(
        "--unknown",
        type=Choice(get_args(Unknown)),
        default="error",
        show_default=True,
        help="How to treat a category that the training data did not have: as an error, or as none of the known ones.",
    )(command)


def read(path: Path, sep: str | None, header: bool | None, *, text: bool = False) -> pd.DataFrame:
    """Return the table in a file; - is standard input. With `text`, numbers stay as they are written."""
    from chainrule.tabular import read_table

    given = marks()
    text = text or given["decimal"] is not None or given["thousands"] is not None
    with about(path):
        if is_model(path):
            raise ValueError("it is a model, not a table")
        source = sys.stdin.buffer if str(path) == "-" else path
        return read_table(source, sep=sep, header=header, encoding=given["encoding"], text=text)


def read_for(model: TabularModel, path: Path, sep: str | None, header: bool | None) -> pd.DataFrame:
    """Return the table in a file for a model; it is read as the model's training data, but for what the options say."""
    from chainrule.tabular.cells import listed

    given, ctx = marks(), click.get_current_context()
    model.set_marks(given["decimal"], given["thousands"])
    ctx.meta[f"{__name__}.encoding"] = given["encoding"] or model.reading.get("encoding")
    header = model.inputs.by_name if header is None else header
    frame = read(path, sep or model.reading.get("sep"), header, text=model.has_marks())
    with about(path):
        model.inputs.indices(frame)  # refuses a table that lacks a column
        extra = model.inputs.extra_names(frame)
    if extra:
        remark(f"ignored, as the training data did not have them: {listed(extra)}")
    return frame


@contextmanager
def about(path: Path) -> Iterator[None]:
    """Put the name of the file in front of errors."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{'standard input' if str(path) == '-' else path}: {error}") from None


def columns(argument: str, texts: Sequence[str], names: Sequence[str | int]) -> list[str | int]:
    """Return the columns of an option that is given several times, or once with commas: --drop a,b,3."""
    parts = [part for text in texts for part in ([text] if text in names else text.split(","))]
    return [column(argument, part.strip(), names) for part in parts]


def column(argument: str, text: str, names: Sequence[str | int]) -> str | int:
    """Return the column of that name or number; 1 is the first and -1 the last."""
    from chainrule.tabular.inputs import no_column

    if text in names:
        return text
    try:
        place = int(text)
    except ValueError:
        raise click.BadParameter(no_column(text, names), param_hint=f"'{argument}'") from None
    if not 1 <= abs(place) <= len(names):
        raise click.BadParameter(
            f"there is no column {place}: they are counted from 1 to {len(names)}, or from -1 backward",
            param_hint=f"'{argument}'",
        )
    return names[place - 1 if place > 0 else place]


# ── Models ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def load(path: Path, data: Path) -> TabularModel:
    """Return the model in a file that `chainrule train` wrote; `data` is the table beside it on the command line."""
    from chainrule.tabular import TabularModel

    refuse_swapped(path, data)
    with not_a_table(path):
        return TabularModel.load(path)


def load_any(path: Path, data: Path | None = None) -> TabularModel | Network:
    """Return the model in a file that `chainrule train` or `Network.save` wrote; `data` is the table beside it."""
    from chainrule.network import Network
    from chainrule.tabular import TabularModel

    if data is not None:
        refuse_swapped(path, data)
    with not_a_table(path):
        try:
            return TabularModel.load(path)
        except ValueError as error:
            if "chainrule.Network.load" not in str(error):
                raise
        return Network.load(path)


def refuse_swapped(model: Path, data: Path) -> None:
    """Refuse a table where the model should be and a model where the table should be."""
    if is_model(data) and model.exists() and not is_model(model):
        ctx = click.get_current_context()
        raise click.UsageError(f"MODEL comes first: {ctx.command_path} {data} {model}", ctx)


@contextmanager
def not_a_table(path: Path) -> Iterator[None]:
    """Say so where a file that should be a model is a text."""
    try:
        yield
    except ValueError as error:
        start = head(path)
        if start and not is_model(path) and b"\0" not in start:
            raise ValueError(f"{path} is not a chainrule model: it is a text, such as a table") from None
        raise error from None


# ── What is shown ────────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def watching(*, quiet: bool) -> Iterator[Watch | None]:
    """Show the progress of training in one line of a terminal; show nothing elsewhere."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    try:
        from tqdm import tqdm
    except ImportError:
        yield None
        return
    from chainrule.progress import text

    with tqdm(bar_format="{desc} [{elapsed}]", leave=False) as bar:

        def watch(stage: str, epoch: int, logs: dict[str, float]) -> None:
            bar.set_description_str(f"{stage}: epoch {epoch}, {text(logs)}", refresh=False)
            bar.update()

        yield watch


# ── Names ────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Choice(click.Choice[str]):
    """One of a few names; an error suggests the nearest."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:  # noqa: ARG002 - click's form
        """Return the message."""
        from chainrule.reference.spelling import unknown

        return unknown("choice", str(value), self.choices)
