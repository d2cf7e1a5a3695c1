"""``chainrule evaluate``: measures a model's predictions on a table that has the target."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .common import about, column, load, read_for, reading, unknown_option
from .writing import quiet_option, rows

if TYPE_CHECKING:
    from chainrule.names import MetricName, Unknown


@click.command("evaluate", short_help="Measure a model on a CSV file that has the target.")
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--weight", metavar="COLUMN", help="A column of numbers that weigh the rows.")
@click.option(
    "--metric", multiple=True, metavar="NAME", help="A further measure: the name of one of scikit-learn's scorers."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@quiet_option
@unknown_option
@reading
def command(
    *,
    model: Path,
    data: Path,
    weight: str | None,
    metric: tuple[MetricName, ...],
    as_json: bool,
    quiet: bool,  # noqa: ARG001 - `remark` looks for it
    unknown: Unknown,
    sep: str | None,
    header: bool | None,
) -> None:
    """Measure MODEL, which `chainrule train` wrote, on the CSV file DATA (- is standard input).

    Prints accuracy, balanced accuracy, F1, ROC AUC and log loss for classes, with the confusion; RMSE, MAE and R² in
    the target's unit for numbers. Beside each stands the same measure of the commonest class, or of the mean.
    """
    from . import scores

    loaded = load(model, data)
    frame = read_for(loaded, data, sep, header)
    of_rows = None if weight is None else column("--weight", weight, frame.columns.tolist())
    with about(data):
        score = loaded.score(frame, unknown=unknown, how="measured", weight=of_rows, metrics=metric)
    if as_json:
        click.echo(json.dumps(scores.as_json(score, loaded.target), ensure_ascii=False))
    else:
        rows(scores.told(score, loaded.target))
