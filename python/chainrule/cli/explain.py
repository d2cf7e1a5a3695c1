"""``chainrule explain``: shows every number of a training step, for a row of a table or for a published example."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .common import Choice, about, load, read_for, reading, unknown_option
from .writing import check_writable, force_option, say

if TYPE_CHECKING:
    import pandas as pd

    from chainrule.examples.comparison import Example
    from chainrule.explain import Explanation
    from chainrule.names import Unknown
    from chainrule.tabular import TabularModel

EXAMPLES = ("mazur", "brownlee")  # names in chainrule.examples, which is imported on first use
MOST_ROWS = 1000  # among which one is looked for that shows something


@click.command("explain", short_help="Show every number of a training step.")
@click.argument("model", type=click.Path(path_type=Path), required=False)
@click.argument("data", type=click.Path(path_type=Path), required=False)
@click.option(
    "--row",
    type=click.IntRange(1),
    metavar="N",
    help="Which row of DATA, counted from 1.  [default: that of the first 1,000 with the fewest zeros]",
)
@click.option("--example", type=Choice(EXAMPLES), help="A published worked example, in place of MODEL and DATA.")
@click.option("--html", type=click.Path(path_type=Path), metavar="FILE", help="Write a page with a drawing instead.")
@force_option
@unknown_option
@reading
def command(
    *,
    model: Path | None,
    data: Path | None,
    row: int | None,
    example: str | None,
    html: Path | None,
    force: bool,
    unknown: Unknown,
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
        check_writable(html, *(path for path in (model, data) if path is not None), force=force)
    if example is not None:
        from chainrule.examples import EXAMPLES as WALKS

        shown: Explanation | Example = WALKS[example]()
    else:
        assert model is not None  # noqa: S101 - refused above
        assert data is not None  # noqa: S101 - likewise
        loaded = load(model, data)
        frame = read_for(loaded, data, sep, header)
        told = "standard input" if str(data) == "-" else data.name
        with about(data):
            one = most_telling(loaded, frame, unknown) if row is None else chosen(frame, row, data)
            shown = explained(loaded, one, unknown, f"One training step on line {one.index[0]} of {told}")
    if html is None:
        say(str(shown))
    else:
        shown.save(html)


def explained(model: TabularModel, one: pd.DataFrame, unknown: Unknown, title: str) -> Explanation:
    """Return the step on one row of a table, with the names of its columns and classes."""
    from chainrule.explain import Names, explain

    network = model.network
    x, y = model.encode(one, unknown=unknown), model.encode_target(one)
    inputs = [name.removeprefix("column ") for name in model.inputs.input_names]
    names = Names(inputs if model.inputs.by_name else model.inputs.input_names, outputs(model))
    engine = network._engine  # noqa: SLF001 - Network.explain knows no names
    return explain(engine, x, y, call=repr(network), names=names, title=title)


def outputs(model: TabularModel) -> list[str]:
    """Return what the network's outputs are called: classes, or the target."""
    from chainrule.tabular.targets import Classes

    if not isinstance(model.target, Classes):
        return [str(model.target.name)]
    labels = list(model.target.labels)
    return labels if model.network.n_outputs > 1 else labels[1:]


def most_telling(model: TabularModel, frame: pd.DataFrame, unknown: Unknown) -> pd.DataFrame:
    """Return the row that `Network.explain` would write out of the first rows of a table."""
    from chainrule.explain.facts import telling

    first = frame.iloc[:MOST_ROWS]
    x, y = model.encode(first, unknown=unknown), model.encode_target(first)
    return frame.iloc[[telling(x, model.network.trace(x, y))]]


def chosen(frame: pd.DataFrame, row: int, data: Path) -> pd.DataFrame:
    """Return one row of a table."""
    if row > len(frame):
        raise click.BadParameter(f"{data} has only {len(frame):,} rows", param_hint="'--row'")
    return frame.iloc[[row - 1]]
