"""``chainrule predict``: writes a model's predictions for the rows of a table, as CSV or as lines of JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from chainrule import files

from .common import about, column, load, read_for, reading, unknown_option
from .writing import check_writable, force_option, printable, quiet_option

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from chainrule.names import Unknown
    from chainrule.tabular import TabularModel

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet computes a text that begins so


@click.command("predict", short_help="Predict for the rows of a CSV file.")
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default="-", metavar="FILE", help="Output file.  [default: -]")
@click.option("--probabilities", is_flag=True, help="Add the probability of each class.")
@click.option("--keep", multiple=True, metavar="COLUMN", help="Put a column of DATA, such as an id, before them.")
@click.option("--append", is_flag=True, help="Put all columns of DATA before them.")
@click.option("--json", "as_json", is_flag=True, help="Write a JSON object a line, in place of CSV.")
@click.option(
    "--escape-formulas", is_flag=True, help="Put ' before texts that a spreadsheet would compute: =, +, - or @ first."
)
@quiet_option
@force_option
@unknown_option
@reading
def command(
    *,
    model: Path,
    data: Path,
    out: Path,
    probabilities: bool,
    keep: tuple[str, ...],
    append: bool,
    as_json: bool,
    escape_formulas: bool,
    quiet: bool,  # noqa: ARG001 - `remark` looks for it
    force: bool,
    unknown: Unknown,
    sep: str | None,
    header: bool | None,
) -> None:
    """Predict with MODEL, which `chainrule train` wrote, for each row of the CSV file DATA (- is standard input).

    Writes CSV in UTF-8: a header, then a line for each row of DATA in the same order. DATA needs the columns that the
    model was trained on; the target and other columns are ignored.
    """
    to_file = str(out) != "-"
    if to_file:
        check_writable(out, model, data, force=force)
    loaded = load(model, data)
    if probabilities and loaded.target.task != "classification":
        raise click.BadParameter("the model predicts numbers, not probabilities", param_hint="'--probabilities'")
    frame = read_for(loaded, data, sep, header)
    names = frame.columns.tolist()
    kept = names if append else list(dict.fromkeys(column("--keep", text, names) for text in keep))
    with about(data):
        x = loaded.encode(frame, unknown=unknown)
    table = predicted(loaded, loaded.network.predict(x), probabilities)
    clash = {str(name) for name in kept} & set(table.columns)
    if clash:
        raise click.BadParameter(
            f"{data} has a column named {min(clash)!r} already", param_hint=f"'{'--append' if append else '--keep'}'"
        )
    table = frame[kept].rename(columns=str).reset_index(drop=True).join(table)
    text = as_lines(table) if as_json else as_csv(escaped(table) if escape_formulas else table)
    if to_file:
        files.write(out, text)
    elif sys.stdout.isatty():
        click.echo(printable(text, keep="\n\t"), nl=False)
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))


def predicted(model: TabularModel, outputs: NDArray[Any], probabilities: bool) -> pd.DataFrame:
    """Return the predictions as a table, with the probability of each class if asked for."""
    import pandas as pd

    from chainrule.tabular.targets import Classes

    table = pd.DataFrame({"prediction": model.target.decode(outputs)})
    if probabilities and isinstance(model.target, Classes):
        columns = [f"probability {label}" for label in model.target.labels]
        table = table.join(pd.DataFrame(model.target.probabilities(outputs), columns=columns))
    return table


def as_csv(table: pd.DataFrame) -> str:
    """Return a table as CSV. Each number has as many digits as tell it from every other of its type."""
    text: str = table.to_csv(index=False, lineterminator="\n")
    return text


def as_lines(table: pd.DataFrame) -> str:
    """Return a table as JSON, an object a line; a missing cell is null."""
    columns = {name: [for_json(cell) for cell in table[name].to_numpy()] for name in table}
    lines = zip(*columns.values(), strict=True)
    return "".join(json.dumps(dict(zip(columns, line, strict=True)), ensure_ascii=False) + "\n" for line in lines)


def for_json(cell: Any) -> Any:
    """Return a cell as JSON has it, with the digits that CSV would have."""
    import pandas as pd

    if isinstance(cell, np.float32):
        return float(str(cell))
    cell = cell.item() if isinstance(cell, np.generic) else cell
    return None if pd.isna(cell) else cell


def escaped(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with ' before each text, and each name, that a spreadsheet would take for a formula."""

    def escape(cell: Any) -> Any:
        return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell

    found = table.apply(lambda column: column if column.dtype.kind in "biuf" else column.map(escape))
    return found.set_axis([escape(name) for name in table.columns], axis=1)
