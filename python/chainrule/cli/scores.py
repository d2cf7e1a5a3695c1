"""A score as text: each measure beside that of a constant prediction, the confusion of classes, and a warning."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.tabular.measures import TITLES
from chainrule.tabular.scores import number
from chainrule.tabular.targets import Classes

from .writing import columns_of, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from chainrule.tabular import Score
    from chainrule.tabular.targets import Target

MOST_CLASSES = 10  # in a confusion that is printed
WIDEST = 20  # letters of a label there


def told(score: Score, target: Target, main: str | None = None) -> dict[str, str]:
    """Return the rows to print about a score; `main` is the measure that a warning looks at."""
    facts = {score.how: measures(score, target)}
    if isinstance(target, Classes) and len(target.labels) <= MOST_CLASSES:
        facts["confusion"] = confusion_text(score, target)
    warning = no_better(score, target, main)
    return facts | ({"warning": warning} if warning else {})


def constant(target: Target) -> str:
    """Return the name of the constant prediction."""
    return "commonest class" if isinstance(target, Classes) else "the mean"


def measures(score: Score, target: Target) -> str:
    """Return the measures, one a line, beside those of the constant prediction."""
    head = (f"{len(score.y_true):,} rows", "model", constant(target))
    lines = [(TITLES.get(name, name), score.value(name), number(score.baseline[name])) for name in score.mean]
    return aligned([head, *lines])


def confusion(score: Score, target: Classes) -> NDArray[np.int64]:
    """Return how many rows of class i are predicted as class j, (n_classes, n_classes)."""
    index = {label: i for i, label in enumerate(target.values().tolist())}
    labels = zip(score.y_true.tolist(), score.y_pred.tolist(), strict=True)
    pairs = [(index[true], index[predicted]) for true, predicted in labels]
    table = np.zeros((len(index), len(index)), np.int64)
    np.add.at(table, tuple(np.array(pairs).T), 1)
    return table


def confusion_text(score: Score, target: Classes) -> str:
    """Return the confusion as text."""
    labels = [clipped(printable(label)) for label in target.labels]
    rows = [(label, *(f"{n:,}" for n in row)) for label, row in zip(labels, confusion(score, target), strict=True)]
    return aligned([("true, predicted:", *labels), *rows], right=True)


def no_better(score: Score, target: Target, main: str | None = None) -> str:
    """Return the warning about a model that does no better than the constant prediction, or nothing."""
    name = main or target.main_metric
    mine, constants = score.mean[name], score.baseline[name]
    if mine > constants:
        return ""
    return (
        f"no better than {'always answering the commonest class' if isinstance(target, Classes) else 'the mean'}: "
        f"{TITLES[name]} {number(mine)} against {number(constants)}"
    )


def as_json(score: Score, target: Target) -> dict[str, Any]:
    """Return a score for JSON, which has no NaN."""
    found: dict[str, Any] = {
        "rows": len(score.y_true),
        "model": {name: finite(value) for name, value in score.mean.items()},
        "baseline": {name: finite(value) for name, value in score.baseline.items()},
    }
    if len(score.parts) > 1:
        found["spread"] = {name: finite(score.spread(name)) for name in score.mean}
    if isinstance(target, Classes):
        found |= {"labels": list(target.labels), "confusion": confusion(score, target).tolist()}
    return found


def finite(value: float) -> float | None:
    """Return a number, or None for one that JSON lacks."""
    return value if math.isfinite(value) else None


def aligned(lines: Sequence[Sequence[str]], *, right: bool = False) -> str:
    """Return lines of cells in columns; the first column is on the left, the others too or on the right."""
    widths = [max(map(columns_of, column)) for column in zip(*lines, strict=True)]

    def padded(cell: str, i: int) -> str:
        room = " " * (widths[i] - columns_of(cell))
        return room + cell if right and i else cell + room

    return "\n".join("  ".join(padded(cell, i) for i, cell in enumerate(line)) for line in lines)


def clipped(text: str) -> str:
    """Return a text without its end if it is long."""
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"
