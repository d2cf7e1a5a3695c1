"""``chainrule info``: prints the versions that a bug report needs, or the contents of a model file."""

from __future__ import annotations

import os
import platform
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import click

from chainrule.reference.options import LARGEST

from .common import load_any
from .writing import printable, rows, say

if TYPE_CHECKING:
    from chainrule.tabular import TabularModel

MOST_COLUMNS = 40  # listed of a table
BATCH_SIZE = "batch size"  # the note of a model's training that `train` writes


@click.command("info", short_help="Show versions and options by name, or what a model file holds.")
@click.argument("model", type=click.Path(path_type=Path), required=False)
def command(*, model: Path | None) -> None:
    """Show versions, the kernels in use and the names of all options; or, with MODEL, the contents of that file."""
    if model is None:
        rows(installation())
        return
    from chainrule.tabular import TabularModel

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of how its training would go on
        loaded = load_any(model)
    if isinstance(loaded, TabularModel):
        show(loaded)
    else:
        say(loaded.summary(plan=True))
        say(f"updates made {loaded.step_count:,}, epochs {loaded.epoch_count:,}")


def installation() -> dict[str, str]:
    """Return versions, kernels and registries."""
    import numpy as np

    from chainrule import __version__, _native, registry
    from chainrule.engine import Engine
    from chainrule.reference.config import resolve

    found = {
        "chainrule": __version__,
        "python": f"{platform.python_version()} ({platform.python_implementation()})",
        "numpy": np.__version__,
        "system": f"{platform.system()} {platform.machine()}",
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "target": f"{Engine.of(resolve([1, 1], seed=0)).native.target} (usable here: {', '.join(_native.targets())})",
    }
    variables = ("CHAINRULE_TARGET", "CHAINRULE_NUM_THREADS", "OMP_NUM_THREADS")
    found |= {name: os.environ[name] for name in variables if name in os.environ}
    for kind, names in registry().items():
        if kind != "target":
            found[f"{kind}es" if kind.endswith("s") else f"{kind}s"] = ", ".join(names)
    return found


def show(model: TabularModel) -> None:
    """Print a tabular model: its target, score, training and columns."""
    from chainrule import describe
    from chainrule.network import engine_of
    from chainrule.tabular.cells import column_name, listed
    from chainrule.tabular.columns import Numeric
    from chainrule.tabular.dates import Dates
    from chainrule.tabular.targets import Classes

    inputs, target = model.inputs, model.target
    rows(
        {
            **model.notes,
            "target": f"{column_name(target.name)}, {target.task}",
            **({"classes": listed(target.labels, 20)} if isinstance(target, Classes) else {}),
            "columns": f"found by {'name' if inputs.by_name else 'place'}, {len(inputs.columns)} in use",
            **({"left out": ", ".join(f"{name!r} {why}" for name, why in inputs.left_out)} if inputs.left_out else {}),
        }
    )
    say()
    for column in inputs.columns[:MOST_COLUMNS]:
        if isinstance(column, Dates):
            what = f"dates: {', '.join(column.parts)}"
        elif isinstance(column, Numeric):
            gaps = f", gaps {column.fill:g}" if column.fill is not None else ""
            style = f" {column.notation}" if str(column.notation) else ""
            what = f"numeric{style}, mean {column.mean:g}, deviation {column.scale:g}{gaps}"
        else:
            gap = ", gaps their own" if column.gap else ""
            fill = f", gaps {column.categories[column.fill]!r}" if column.fill is not None else ""
            what = f"categorical: {listed(column.categories)}{gap}{fill}"
        say(f"  {printable(column_name(column.name))}: {printable(what)}")
    if len(inputs.columns) > MOST_COLUMNS:
        say(f"  and {len(inputs.columns) - MOST_COLUMNS} more columns")
    say()
    engine = engine_of(model.network)
    say(describe.summary(engine.spec))
    say(describe.plan(engine.native, engine.spec, batches(model)))


def batches(model: TabularModel) -> tuple[int, ...]:
    """Return the rows of the steps that the model was trained with, or some sizes where its file does not say."""
    from chainrule import describe

    kept = model.notes.get(BATCH_SIZE, "").replace(",", "")
    return (int(kept),) if kept.isdecimal() and 0 < int(kept) <= LARGEST else describe.BATCHES
