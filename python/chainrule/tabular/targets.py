"""The target of a table: classes or numbers, how the network is given them, and the way back to the file's own words.

Which of the two it is, is decided by `task_of` where nobody says: words are classes; so are at most ten different whole
numbers, each twice or more often on average; other numbers are numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from chainrule import metrics

from .cells import column_name, listed
from .columns import moments, numbers, ordered

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from chainrule.reference.losses import Loss

    from .cells import Cells

    Array = NDArray[Any]

TASKS = ("classification", "regression")
MOST_NUMBERED_CLASSES = 10
MOST_CLASSES = 1_000
# What a label is given back as: as text, or as what the table held.
LABEL_TYPES: dict[str, type[Any]] = {"text": str, "integer": int, "boolean": bool}


@dataclass(frozen=True)
class Classes:
    """A target of classes: y is a label's index in `labels`, or for a loss of yes and no whether it is the second."""

    task: ClassVar[str] = "classification"
    main_metric: ClassVar[str] = "accuracy"
    name: str | int
    labels: tuple[str, ...]
    label_type: str

    def read(self, cells: Cells) -> NDArray[np.int64]:
        """Return the index of each row's label, (n,)."""
        refuse_missing(cells)
        index_of = {label: i for i, label in enumerate(self.labels)}
        indices = [index_of.get(text, -1) for text in cells.texts]
        if -1 in indices:
            code = indices.index(-1)
            raise ValueError(
                f"{cells.at(cells.first(code))}: {cells.texts[code]!r} is a class that the training data did not have "
                f"(known: {listed(self.labels)})"
            )
        return np.array(indices, dtype=np.int64)[cells.codes]

    def learn(self, values: Array, loss: Loss) -> Classes:  # noqa: ARG002 - as Numbers.learn
        """Return itself: the classes are those of all rows."""
        return self

    def n_outputs(self, loss: Loss) -> int:
        """Return how many outputs a network for this loss needs."""
        return len(self.labels) if loss.takes_labels else 1

    def encode(self, values: Array, loss: Loss) -> Array:
        """Return y as the loss takes it: labels (n,), or (n, 1) of 0 and 1."""
        return values if loss.takes_labels else values.astype(np.float32).reshape(-1, 1)

    def probabilities(self, outputs: Array) -> NDArray[np.float32]:
        """Return the probability of each class, (n, n_classes), of what `Network.predict` returns."""
        return np.hstack([1 - outputs, outputs]) if outputs.shape[1] == 1 else outputs

    def decode(self, outputs: Array) -> Array:
        """Return the label of the largest probability, (n,), as the table had it."""
        labels: Array = self.values()[self.probabilities(outputs).argmax(axis=1)]
        return labels

    def values(self) -> Array:
        """Return the labels as the table had them, (n_classes,)."""
        back = LABEL_TYPES[self.label_type]
        if back is str:
            return np.array(self.labels, dtype=object)  # an array of dtype str would lose a NUL at the end of a text
        return np.array([label == "True" if back is bool else back(label) for label in self.labels])

    def score(self, values: Array, outputs: Array) -> dict[str, float]:
        """Return the accuracy."""
        return {"accuracy": metrics.accuracy(values, self.probabilities(outputs))}


@dataclass(frozen=True)
class Numbers:
    """A target of numbers: y is (t − mean) / scale, and predictions are mean + scale · a.

    A loss of counts (poisson, whose link is exp) wants them as they are: mean 0 and scale 1.
    """

    task: ClassVar[str] = "regression"
    main_metric: ClassVar[str] = "r2"
    name: str | int
    mean: float
    scale: float

    def read(self, cells: Cells) -> NDArray[np.float64]:
        """Return the numbers, (n,)."""
        refuse_missing(cells)
        return numbers(cells)

    def learn(self, values: Array, loss: Loss) -> Numbers:
        """Return the target with mean and scale of these numbers."""
        if loss.link.name == "exp":
            if values.min() < 0.0:
                raise ValueError(f"loss {loss.name!r} takes targets >= 0, but the smallest is {values.min():g}")
            return Numbers(self.name, 0.0, 1.0)
        return Numbers(self.name, *moments(values))

    def n_outputs(self, loss: Loss) -> int:
        """Return how many outputs a network for this loss needs: two where one is the variance."""
        k = loss.least_outputs
        while loss.n_targets(k) < 1:
            k += 1
        return k

    def encode(self, values: Array, loss: Loss) -> Array:  # noqa: ARG002 - as Classes.encode
        """Return y, (n, 1)."""
        return ((values - self.mean) / self.scale).astype(np.float32).reshape(-1, 1)

    def decode(self, outputs: Array) -> NDArray[np.float64]:
        """Return the numbers, (n,), in the target's own unit."""
        return self.mean + self.scale * outputs[:, 0].astype(np.float64)

    def score(self, values: Array, outputs: Array) -> dict[str, float]:
        """Return R², and RMSE and MAE in the target's own unit."""
        pair = values.reshape(-1, 1), self.decode(outputs).reshape(-1, 1)
        return {"r2": metrics.r2(*pair), "rmse": metrics.rmse(*pair), "mae": metrics.mae(*pair)}


Target = Classes | Numbers


def planned(cells: Cells, task: str | None, column: pd.Series | None = None) -> tuple[Target, str]:
    """Return what the target of the training data is, and why; `column` tells how labels are given back.

    Raises
    ------
    ValueError
        A cell is missing, the target is the same in all rows, some cells are numbers and some not, or there are so many
        classes that they are none.
    """
    if task is not None and task not in TASKS:
        raise ValueError(f"task must be {' or '.join(map(repr, TASKS))}, not {task!r}")
    refuse_missing(cells)
    if len(cells.texts) < 2:
        raise ValueError(f"the target, {column_name(cells.name)}, is {cells.texts[0]!r} in all rows: nothing to learn")
    task, why = (task, "as asked") if task is not None else task_of(cells)
    if task == "regression":
        values = numbers(cells)
        if values.min() == values.max():
            raise ValueError(f"the target, {column_name(cells.name)}, is {values[0]:g} in all rows: nothing to learn")
        return Numbers(cells.name, 0.0, 1.0), why
    if len(cells.texts) > MOST_CLASSES:
        raise ValueError(
            f"the target, {column_name(cells.name)}, has {len(cells.texts):,} different texts: at most "
            f"{MOST_CLASSES:,} classes can be learned (--task regression is for numbers)"
        )
    return Classes(cells.name, ordered(cells.texts), label_type(column)), why


def task_of(cells: Cells) -> tuple[str, str]:
    """Return the task that a target suggests, and why; refuse one that holds numbers and words."""
    found = cells.numbers()
    n, many = len(cells.codes), len(found)
    if all(number is None for number in found):
        return "classification", "it holds words"
    if None in found:
        code = found.index(None)
        raise ValueError(
            f"{cells.at(cells.first(code))}: {cells.texts[code]!r} is not a number, but others of the target are; "
            "--task classification takes all of them for classes"
        )
    whole = all(number is not None and number.is_integer() for number in found)
    if whole and many <= MOST_NUMBERED_CLASSES and n >= 2 * many:
        return "classification", f"it holds {many} different whole numbers"
    return "regression", f"it holds {many:,} different numbers"


def label_type(column: pd.Series | None) -> str:
    """Return which of LABEL_TYPES gives labels back as they were."""
    kind = getattr(column, "dtype", np.dtype(object)).kind
    return {"i": "integer", "u": "integer", "b": "boolean"}.get(kind, "text")


def refuse_missing(cells: Cells) -> None:
    """Refuse a target with gaps: there is nothing to learn from such a row."""
    n = int(cells.missing.sum())
    if n == len(cells.codes):
        raise ValueError(f"the target, {column_name(cells.name)}, is missing in all rows")
    if n:
        more = f", and in {n - 1:,} more rows" if n > 1 else ""
        raise ValueError(f"{cells.at(cells.first(-1))}: the target is missing{more}; leave such rows out")


# ── Losses ───────────────────────────────────────────────────────────────────────────────────────────────────────────

# A margin has a sign and no size that means something: neither a probability nor a number of the target's.
MARGINS = frozenset({"hinge", "squared_hinge"})


def losses(task: str, n_classes: int = 2) -> list[str]:
    """Return the names of the losses that fit a task; those of yes and no fit two classes only.

    >>> losses("regression")[:2], losses("classification")[0], losses("classification", n_classes=3)[0]
    (['mse', 'half_squared_error'], 'cross_entropy', 'cross_entropy')
    """
    from chainrule.reference.losses import LOSSES

    links = {name: kind().link.name for name, kind in LOSSES.items() if name not in MARGINS}
    if task == "regression":
        return [name for name, link in links.items() if link not in ("softmax", "sigmoid")]
    return [name for name, link in links.items() if link == "softmax" or (link == "sigmoid" and n_classes == 2)]
