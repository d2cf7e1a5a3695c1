"""The target of a table, classes or numbers: its encoding for the network, and the decoding of predictions.

Without a given task `task_of` decides: words are classes, and so are at most ten different whole numbers that occur
twice or more on average. All other numbers are numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, get_args

import numpy as np

from chainrule.names import Task

from . import measures
from .cells import column_name, indices, listed, text_of
from .columns import moments, numbers, ordered
from .decisions import Reading, quoted, refuse_names
from .notation import PLAIN, AmbiguousError, Notation, is_like_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from chainrule.reference.losses import Loss

    from .cells import Cells

    Array = NDArray[Any]

TASKS = get_args(Task)
MOST_NUMBERED_CLASSES = 10
MOST_CLASSES = 1_000
# The types of predicted labels: text, or the type that the table held.
LABEL_TYPES: dict[str, type[Any]] = {"text": str, "integer": int, "boolean": bool, "float": float}
FARTHEST = 1e15  # deviations of a target from the others: their squares are summed in float32


@dataclass(frozen=True)
class Classes:
    """A target of classes: y is a label's index in `labels`; for a binary loss, 1 for the second label, else 0."""

    task: ClassVar[str] = "classification"
    main_metric: ClassVar[str] = "accuracy"
    name: str | int
    labels: tuple[str, ...]
    label_type: str

    def read(self, cells: Cells) -> NDArray[np.int64]:
        """Return the index of each row's label, (n,)."""
        refuse_missing(cells)
        found = indices(self.labels, cells.texts, -1)
        if -1 in found:
            code = found.index(-1)
            raise ValueError(
                f"{cells.at(cells.first(code))}: {cells.texts[code]!r} is a class that the training data did not have "
                f"(known: {listed(self.labels)})"
            )
        return np.array(found, dtype=np.int64)[cells.codes]

    def learn(self, values: Array, loss: Loss) -> Classes:  # noqa: ARG002 - as Numbers.learn
        """Return the target unchanged, since the classes are those of all rows."""
        return self

    def n_outputs(self, loss: Loss) -> int:
        """Return the number of outputs that a network with this loss needs."""
        return len(self.labels) if loss.takes_labels else 1

    def encode(self, values: Array, loss: Loss) -> Array:
        """Return y as the loss takes it: labels (n,), or (n, 1) of 0 and 1."""
        return values if loss.takes_labels else values.astype(np.float32).reshape(-1, 1)

    def probabilities(self, outputs: Array) -> NDArray[np.float32]:
        """Return the probability of each class, (n, n_classes), from the result of `Network.predict`."""
        return np.hstack([1 - outputs, outputs]) if outputs.shape[1] == 1 else outputs

    def decode(self, outputs: Array) -> Array:
        """Return the label with the largest probability, (n,), in the table's own type."""
        labels: Array = self.values()[self.probabilities(outputs).argmax(axis=1)]
        return labels

    def values(self) -> Array:
        """Return the labels in the table's own type, (n_classes,)."""
        back = LABEL_TYPES[self.label_type]
        if back is str:
            return np.array(self.labels, dtype=object)  # an array of dtype str would lose a NUL at the end of a text
        return np.array([label == "True" if back is bool else back(label) for label in self.labels])

    def score(
        self, values: Array, outputs: Array, sample_weight: Array | None = None, more: Sequence[str] = ()
    ) -> dict[str, float]:
        """Return the measures of `measures.of_classes`."""
        return measures.of_classes(values, self.probabilities(outputs), sample_weight, more)

    def baseline(self, values: Array, sample_weight: Array | None = None, more: Sequence[str] = ()) -> dict[str, float]:
        """Return the measures of the shares of the classes, whose answer is always the commonest."""
        return measures.of_classes(
            values, measures.shares(values, len(self.labels), sample_weight), sample_weight, more
        )


@dataclass(frozen=True)
class Numbers:
    """A target of numbers: y = (t − mean) / scale, and a prediction is mean + scale · a.

    The Poisson loss, whose link is exp, needs the numbers unchanged: mean 0 and scale 1.
    """

    task: ClassVar[str] = "regression"
    main_metric: ClassVar[str] = "r2"
    name: str | int
    mean: float
    scale: float
    notation: Notation = PLAIN

    def read(self, cells: Cells) -> NDArray[np.float64]:
        """Return the numbers, (n,)."""
        refuse_missing(cells)
        return numbers(cells, self.notation)

    def learn(self, values: Array, loss: Loss) -> Numbers:
        """Return the target with the mean and scale of these numbers."""
        if loss.link.name == "exp":
            if values.min() < 0.0:
                raise ValueError(f"loss {loss.name!r} takes targets >= 0, but the smallest is {values.min():g}")
            return replace(self, mean=0.0, scale=1.0)
        mean, scale = moments(values)
        return replace(self, mean=mean, scale=scale)

    def n_outputs(self, loss: Loss) -> int:
        """Return the number of outputs that a network with this loss needs: two if one is the variance."""
        k = loss.least_outputs
        while loss.n_targets(k) < 1:
            k += 1
        return k

    def encode(self, values: Array, loss: Loss) -> Array:  # noqa: ARG002 - as Classes.encode
        """Return y, (n, 1)."""
        with np.errstate(over="ignore"):
            y = ((values - self.mean) / self.scale).astype(np.float32).reshape(-1, 1)
        if not np.isfinite(y).all():
            far = values[int(np.argmin(np.isfinite(y[:, 0])))]
            raise ValueError(
                f"the target, {column_name(self.name)}: {far:g} is too far from the training data, whose mean is "
                f"{self.mean:g}"
            )
        return y

    def decode(self, outputs: Array) -> NDArray[np.float64]:
        """Return the numbers, (n,), in the target's own unit."""
        return self.mean + self.scale * outputs[:, 0].astype(np.float64)

    def score(
        self, values: Array, outputs: Array, sample_weight: Array | None = None, more: Sequence[str] = ()
    ) -> dict[str, float]:
        """Return the measures of `measures.of_numbers`, in the target's own unit."""
        return measures.of_numbers(values, self.decode(outputs), sample_weight, more)

    def baseline(self, values: Array, sample_weight: Array | None = None, more: Sequence[str] = ()) -> dict[str, float]:
        """Return the measures of the mean."""
        return measures.of_numbers(values, measures.mean(values, sample_weight), sample_weight, more)


Target = Classes | Numbers


def planned(cells: Cells, task: str | None, reading: Reading) -> tuple[Target, str]:
    """Return the target of the training data, and the reason for its task.

    Raises
    ------
    ValueError
        A cell is missing, all rows have the same target, some cells are numbers and others are not, it holds dates, or
        there are too many classes.
    """
    if task is not None and task not in TASKS:
        raise ValueError(f"task must be {' or '.join(map(repr, TASKS))}, not {task!r}")
    refuse_missing(cells)
    name = column_name(cells.name)
    style = None
    if task is None:
        style, task, why = task_of(cells, reading)
    else:
        why = "as asked"
    if task == "regression":
        style = style or notation_of(cells, reading) or PLAIN
        values = numbers(cells, style)
        if values.min() == values.max():
            raise ValueError(f"the target, {name}, is {values[0]:g} in all rows: nothing to learn")
        refuse_outlier(cells, values)
        return Numbers(cells.name, 0.0, 1.0, style), why
    if len(cells.texts) < 2:
        raise ValueError(f"the target, {name}, is {cells.texts[0]!r} in all rows: nothing to learn")
    if len(cells.texts) > MOST_CLASSES:
        raise ValueError(
            f"the target, {name}, has {len(cells.texts):,} different texts: at most {MOST_CLASSES:,} classes can be "
            "learned (--task regression is for numbers)"
        )
    return Classes(cells.name, ordered(cells.texts), label_type(cells)), why


def task_of(cells: Cells, reading: Reading) -> tuple[Notation | None, str, str]:
    """Return the notation of a target's numbers, the task that it suggests, and the reason.

    A target of numbers and words is refused, and so are dates and texts that hardly repeat.
    """
    name = column_name(cells.name)
    classes = "--task classification takes each as a class"
    if cells.declared == "category":
        return None, "classification", "its type says so"
    style = notation_of(cells, reading)
    if style is None:
        if reading.form_of(cells) is not None:
            raise ValueError(
                f"the target, {name}, holds dates, such as {cells.texts[0]!r}, neither numbers nor classes; give "
                f"a column with the days or seconds since one of them ({classes})"
            )
        like = [is_like_number(text) for text in cells.texts]
        if any(like):
            code = like.index(False) if False in like else 0
            what = "is not a number, but others of the target are"
            if False not in like:
                what = "and others of the target are numbers that are not all written alike"
            raise ValueError(
                f"{cells.at(cells.first(code))}: {cells.texts[code]!r} {what}; --task classification takes all of them "
                f"as classes, --missing {quoted(cells.texts[code])} and --drop-missing-target leave such rows out"
            )
        refuse_names(cells, f"a target has numbers, or classes that repeat ({classes})")
        return None, "classification", "it holds words"
    if style != PLAIN:
        return style, "regression", f"it holds numbers {style}"
    values = cells.plain
    assert values is not None  # noqa: S101 - its cells are plain numbers
    n, distinct = len(values), np.unique(values)
    whole = np.isfinite(distinct).all() and not (distinct % 1).any()
    if whole and len(distinct) <= MOST_NUMBERED_CLASSES and n >= 2 * len(distinct):
        return style, "classification", f"it holds {len(distinct)} different whole numbers"
    return style, "regression", f"it holds {len(distinct):,} different numbers"


def notation_of(cells: Cells, reading: Reading) -> Notation | None:
    """Return how the numbers of a target are written; None if it does not hold numbers."""
    try:
        return reading.notation_of(cells)
    except AmbiguousError as error:
        raise AmbiguousError(f"the target, {column_name(cells.name)}: {error}") from None


def label_type(cells: Cells) -> str:
    """Return the one of LABEL_TYPES that all cells of a column have."""
    values = cells.column.dropna().unique().tolist()
    for name, kind in LABEL_TYPES.items():
        if all(type(value) is kind for value in values):
            return name
    return "text"


def refuse_missing(cells: Cells) -> None:
    """Refuse a target with gaps, since a row without a target teaches nothing."""
    n = int(cells.missing.sum())
    if n == len(cells):
        raise ValueError(f"the target, {column_name(cells.name)}, is missing in all rows")
    if n:
        gap = cells.gap()
        more = f", and in {n - 1:,} more rows" if n > 1 else ""
        word = ", --missing TEXT says what does if this is a word" if gap else ""
        raise ValueError(
            f"{cells.at(cells.first(-1))}: the target is missing{gap}{more}; --drop-missing-target "
            f"(drop_missing_target=True in Python) leaves such rows out{word}"
        )


def refuse_outlier(cells: Cells, values: NDArray[np.float64]) -> None:
    """Refuse a target with one value so far from the others that the loss of a network without it would overflow."""
    row = int(np.abs(values - np.median(values)).argmax())
    mean, scale = moments(np.delete(values, row))
    if abs(values[row] - mean) / scale > FARTHEST:
        raise ValueError(
            f"{cells.at(row)}: {text_of(cells.column.iloc[row])!r} is too far from the other targets, whose mean is "
            f"{mean:g} and deviation {scale:g}; correct it, or leave the row out"
        )


# ── Losses ───────────────────────────────────────────────────────────────────────────────────────────────────────────

# Only the sign of a margin has a meaning: it is neither a probability nor a number in the target's unit.
MARGINS = frozenset({"hinge", "squared_hinge"})


def losses(task: str, n_classes: int = 2) -> list[str]:
    """Return the names of the losses that fit a task; binary losses fit two classes only.

    >>> losses("regression")[:2], losses("classification")[0], losses("classification", n_classes=3)[0]
    (['mse', 'half_squared_error'], 'cross_entropy', 'cross_entropy')
    """
    from chainrule.reference.losses import LOSSES

    links = {name: kind().link.name for name, kind in LOSSES.items() if name not in MARGINS}
    if task == "regression":
        return [name for name, link in links.items() if link not in ("softmax", "sigmoid")]
    return [name for name, link in links.items() if link == "softmax" or (link == "sigmoid" and n_classes == 2)]
