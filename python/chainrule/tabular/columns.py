"""From columns to the inputs of a network: numbers are standardized, categories are one-hot.

A numeric column gives one input, (x − mean) / scale. A categorical column gives one input per category, 1 for the row's
own category and 0 for the others. A gap is an error unless `impute` is set. Then it counts as the median of a numeric
column. In a categorical column it is a category of its own if the training data had gaps, else the most frequent one.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, get_args

import numpy as np

from chainrule.names import Unknown

from .cells import indices, listed, number_in, text_of
from .notation import PLAIN, Notation

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from .cells import Cells

MOST_CATEGORIES = 1_000  # in a column not declared categorical
LARGEST = 1e150  # the largest number, since squares are summed
UNKNOWN = get_args(Unknown)
GAP, NONE = -1, -2  # in place of a category's index: the cell is missing, or its category is unknown


@dataclass(frozen=True)
class Numeric:
    """A column of numbers: one input, (x − mean) / scale.

    `mean` and `scale` (the standard deviation, > 0) are those of the training rows with gaps filled. `fill` is the
    median of the training rows, or None if gaps are refused. `notation` is how the numbers are written.
    """

    kind: ClassVar[str] = "numeric"
    name: str | int
    mean: float
    scale: float
    fill: float | None
    notation: Notation = PLAIN
    width: ClassVar[int] = 1
    meanings: ClassVar[tuple[str, ...]] = ("",)

    def read(self, cells: Cells, unknown: Unknown) -> NDArray[np.float64]:  # noqa: ARG002 - a number is never unknown
        """Return the numbers of a column, (n,), with NaN for gaps."""
        if self.fill is None:
            refuse_gaps(cells)
        return numbers(cells, self.notation)

    def filled(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the numbers with the gaps filled."""
        return values if self.fill is None else np.where(np.isnan(values), self.fill, values)

    def encode(self, values: NDArray[Any], out: NDArray[np.float32], cells: Cells) -> None:
        """Write the input to `out`, (n, 1)."""
        with np.errstate(over="ignore"):
            out[:, 0] = (values - self.mean) / self.scale
        far = ~np.isfinite(out[:, 0])
        if far.any():
            row = int(far.argmax())
            raise ValueError(
                f"{cells.at(row)}: {values[row]:g} is too far from the training data, whose mean is {self.mean:g}"
            )

    def learn(self, values: NDArray[Any]) -> Numeric:
        """Return the column with the mean, scale and median of `values`, in which NaN marks gaps."""
        column = self if self.fill is None else dataclasses.replace(self, fill=median(values[~np.isnan(values)]))
        mean, scale = moments(column.filled(values))
        return dataclasses.replace(column, mean=mean, scale=scale)


@dataclass(frozen=True)
class Categorical:
    """A column of categories: one input for each, and one more for gaps if `gap` is true.

    `fill` is the category that a gap counts as, the most frequent one of the training rows. It is None if gaps are
    refused or are a category of their own.
    """

    kind: ClassVar[str] = "categorical"
    name: str | int
    categories: tuple[str, ...]
    gap: bool
    fill: int | None

    @property
    def width(self) -> int:
        """Number of inputs."""
        return len(self.categories) + self.gap

    @property
    def meanings(self) -> tuple[str, ...]:
        """The condition that each input of the column stands for."""
        return (*(f" = {category!r}" for category in self.categories), *([" is missing"] if self.gap else []))

    def read(self, cells: Cells, unknown: Unknown) -> NDArray[np.intp]:
        """Return the index of each row's category, (n,): GAP for a missing cell, NONE for an unknown category."""
        found = indices(self.categories, cells.texts, NONE)
        if NONE in found and unknown == "error":
            code = found.index(NONE)
            raise ValueError(
                f"{cells.at(cells.first(code))}: {cells.texts[code]!r} is a category that the training data did not "
                f"have (known: {listed(self.categories)}); --unknown ignore (unknown='ignore' in Python) counts it as "
                "none of them"
            )
        if not self.gap and self.fill is None:
            refuse_gaps(cells)
        return np.array([*found, GAP], dtype=np.intp)[cells.codes]

    def filled(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the indices with the gaps filled."""
        of_gap = len(self.categories) if self.gap else self.fill
        return values if of_gap is None else np.where(values == GAP, of_gap, values)

    def encode(self, values: NDArray[Any], out: NDArray[np.float32], cells: Cells) -> None:  # noqa: ARG002 - as above
        """Write the inputs to `out`, (n, width)."""
        rows = np.flatnonzero(values >= 0)
        out[...] = 0.0
        out[rows, values[rows]] = 1.0

    def learn(self, values: NDArray[Any]) -> Categorical:
        """Return the column with the most frequent of `values` as its fill, if it has a fill."""
        if self.fill is None:
            return self
        return dataclasses.replace(self, fill=int(np.bincount(values[values >= 0], minlength=1).argmax()))


def ordered(texts: Collection[str]) -> tuple[str, ...]:
    """Return categories sorted: numbers by value, then words alphabetically.

    >>> ordered(["b", "10", "9", "a"])
    ('9', '10', 'a', 'b')
    """

    def key(text: str) -> tuple[float, str]:
        number = number_in(text)
        return math.inf if number is None else number, text

    return tuple(sorted(texts, key=key))


def numbers(cells: Cells, notation: Notation = PLAIN) -> NDArray[np.float64]:
    """Return the numbers of a column, (n,), NaN for missing cells; refuse text and numbers that are too large."""
    values = cells.plain if notation == PLAIN or cells.declared == "number" else None
    if values is None:
        found = [notation.number(text) for text in cells.texts]
        if None in found:
            code = found.index(None)
            said = f" {notation}" if notation != PLAIN else ""
            raise ValueError(f"{cells.at(cells.first(code))}: {cells.texts[code]!r} is not a number{said}")
        values = np.array([*found, np.nan], dtype=np.float64)[cells.codes]
    far = np.abs(values) > LARGEST
    if far.any():
        row = int(far.argmax())
        text = text_of(cells.column.iloc[row])
        raise ValueError(f"{cells.at(row)}: {text!r} is too large a number (the largest is {LARGEST:g})")
    return values


def refuse_gaps(cells: Cells) -> None:
    """Refuse a column with a missing cell."""
    n = int(cells.missing.sum())
    if n:
        more = f", one of {n:,} in this column" if n > 1 else ""
        raise ValueError(
            f"{cells.at(cells.first(-1))} is missing{cells.gap()}{more}; train with --impute (impute=True in Python) "
            "to fill gaps"
        )


def moments(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return mean and standard deviation; a deviation of 0 is replaced by 1.

    >>> moments(np.array([1.0, 3.0])), moments(np.array([7.0, 7.0]))
    ((2.0, 1.0), (7.0, 1.0))
    """
    return float(values.mean()), float(values.std()) or 1.0


def median(values: NDArray[np.float64]) -> float:
    """Return the median, or 0 if there are no values."""
    return float(np.median(values)) if len(values) else 0.0
