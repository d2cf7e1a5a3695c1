"""``chainrule explain``: shows every number of a training step, for a row of a table or for a published example."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import click

from chainrule import files

from .common import Choice, about, check_writable, load, read_for, reading, unknown_option

if TYPE_CHECKING:
    import pandas as pd

MOST_INPUTS = 40  # with more inputs, only those that are not 0 are listed
EXAMPLES = ("mazur", "brownlee")  # names in chainrule.examples, which is imported on first use


@click.command("explain", short_help="Show every number of a training step.")
@click.argument("model", type=click.Path(path_type=Path), required=False)
@click.argument("data", type=click.Path(path_type=Path), required=False)
@click.option("--row", type=click.IntRange(1), metavar="N", help="Which row of DATA, counted from 1.  [default: 1]")
@click.option("--example", type=Choice(EXAMPLES), help="A published worked example, in place of MODEL and DATA.")
@click.option("--html", type=click.Path(path_type=Path), metavar="FILE", help="Write a page with a drawing instead.")
@unknown_option
@reading
def command(
    *,
    model: Path | None,
    data: Path | None,
    row: int | None,
    example: str | None,
    html: Path | None,
    unknown: str,
    sep: str | None,
    header: bool | None,
) -> None:
    """Explain the training step that MODEL would make for one row of the CSV file DATA, which needs the target.

    Shows weighted inputs, activations, the loss, deltas, gradients and the update of each layer. With --example, and
    without MODEL and DATA, it computes a published example and shows each computed number beside the printed one.
    """
    ctx = click.get_current_context()
    if example is not None:
        if model is not None or row is not None:
            raise click.UsageError("--example cannot be combined with MODEL, DATA or --row", ctx)
    elif model is None or data is None:
        raise click.UsageError("give MODEL and DATA, or --example", ctx)
    if html is not None:
        check_writable(html, *(path for path in (model, data) if path is not None))
    if example is not None:
        from chainrule.examples import EXAMPLES as WALKS

        text = WALKS[example]()
        if html is None:
            click.echo(text)
        else:
            page = f"<!doctype html>\n<meta charset='utf-8'>\n<title>{example}</title>\n<pre>{escape(text)}</pre>\n"
            files.write(html, page)
        return
    assert model is not None  # noqa: S101 - refused above
    assert data is not None  # noqa: S101 - likewise
    loaded = load(model)
    one = chosen(read_for(loaded, data, sep, header), 1 if row is None else row, data)
    with about(data):
        x, y = loaded.encode(one, unknown=unknown), loaded.encode_target(one)
    explanation = loaded.network.explain(x, y)
    if html is not None:
        explanation.save(html)
        return
    click.echo(f"{data}, line {one.index[0]}:")
    for i, (name, value) in enumerate(zip(loaded.inputs.input_names, x[0], strict=True)):
        if value or x.shape[1] <= MOST_INPUTS:
            click.echo(f"  input {i:<3} {value:9.6g}  {name}")
    click.echo(f"\n{explanation}")


def chosen(frame: pd.DataFrame, row: int, data: Path) -> pd.DataFrame:
    """Return one row of a table."""
    if row > len(frame):
        raise click.BadParameter(f"{data} has only {len(frame):,} rows", param_hint="'--row'")
    return frame.iloc[[row - 1]]
