"""``chainrule predict``: writes a model's predictions for the rows of a table as CSV."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from chainrule import files

from .common import about, check_writable, load, read_for, reading, unknown_option

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from chainrule.tabular import TabularModel


@click.command("predict", short_help="Predict for the rows of a CSV file.")
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Output file.  [default: standard output]")
@click.option("--probabilities", is_flag=True, help="Add the probability of each class.")
@unknown_option
@reading
def command(
    *,
    model: Path,
    data: Path,
    out: Path | None,
    probabilities: bool,
    unknown: str,
    sep: str | None,
    header: bool | None,
) -> None:
    """Predict with MODEL, which `chainrule train` wrote, for each row of the CSV file DATA (- is standard input).

    Writes CSV: a header, then a line for each row of DATA in the same order. DATA needs the columns that the model was
    trained on; the target and other columns are ignored.
    """
    if out is not None:
        check_writable(out, model, data)
    loaded = load(model)
    if probabilities and loaded.target.task != "classification":
        raise click.BadParameter("the model predicts numbers, not probabilities", param_hint="'--probabilities'")
    frame = read_for(loaded, data, sep, header)
    with about(data):
        x = loaded.encode(frame, unknown=unknown)
    text = as_csv(loaded, loaded.network.predict(x), probabilities)
    if out is None:
        sys.stdout.write(text)
    else:
        files.write(out, text)


def as_csv(model: TabularModel, outputs: NDArray[Any], probabilities: bool) -> str:
    """Return predictions as CSV. Numbers have nine digits, enough to tell any two float32 apart."""
    import pandas as pd

    from chainrule.tabular.targets import Classes

    table = pd.DataFrame({"prediction": model.target.decode(outputs)})
    if probabilities and isinstance(model.target, Classes):
        columns = [f"probability {label}" for label in model.target.labels]
        table = table.join(pd.DataFrame(model.target.probabilities(outputs), columns=columns))
    text: str = table.to_csv(index=False, float_format="%.9g", lineterminator="\n")
    return text
