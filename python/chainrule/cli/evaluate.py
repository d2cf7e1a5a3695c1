"""``chainrule evaluate``: measures a model's predictions on a table that has the target."""

from __future__ import annotations

from pathlib import Path

import click

from .common import about, load, read_for, reading, rows, unknown_option


@click.command("evaluate", short_help="Measure a model on a CSV file that has the target.")
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("data", type=click.Path(path_type=Path))
@unknown_option
@reading
def command(*, model: Path, data: Path, unknown: str, sep: str | None, header: bool | None) -> None:
    """Measure MODEL, which `chainrule train` wrote, on the CSV file DATA (- is standard input).

    Prints accuracy for classes, or R², RMSE and MAE in the target's unit for numbers, and the loss of the network.
    """
    from chainrule.tabular.scores import TITLES, number

    loaded = load(model)
    frame = read_for(loaded, data, sep, header)
    with about(data):
        values = loaded.evaluate(frame, unknown=unknown)
    rows({"rows": f"{len(frame):,}"} | {TITLES[name]: number(value) for name, value in values.items()})
