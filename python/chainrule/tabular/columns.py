"""The inputs of a network, made of columns: numbers standardized, categories one-hot.

A numeric column is one input, (x − mean) / scale. A categorical one is as many inputs as it has categories, 1 for the
row's own and 0 for the others. A gap is an error, or with `impute` the median of a numeric column; in a categorical one
it is a category of its own where the training data had gaps, and else the most frequent category.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from .cells import column_name, listed, number_in

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from .cells import Cells

MOST_CATEGORIES = 1_000  # of a column that nobody has called categorical
LARGEST = 1e150  # of numbers: their squares are summed
UNKNOWN = ("error", "ignore")
GAP, NONE = -1, -2  # where the index of a category would be: the cell is missing, or holds no known category


@dataclass(frozen=True)
class Numeric:
    """A column of numbers: one input, (x − mean) / scale.

    `mean` and `scale` (the standard deviation, > 0) are those of the training rows, gaps filled; `fill` is their median
    where gaps are filled, else None.
    """

    kind: ClassVar[str] = "numeric"
    name: str | int
    mean: float
    scale: float
    fill: float | None
    width: ClassVar[int] = 1
    meanings: ClassVar[tuple[str, ...]] = ("",)

    def read(self, cells: Cells, unknown: str) -> NDArray[np.float64]:  # noqa: ARG002 - a number is never unknown
        """Return the numbers of a column, (n,), NaN for gaps."""
        if self.fill is None:
            refuse_gaps(cells)
        return numbers(cells)

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
        """Return the column with mean, scale and median of `values`, which may hold NaN for gaps."""
        column = self if self.fill is None else dataclasses.replace(self, fill=median(values[~np.isnan(values)]))
        mean, scale = moments(column.filled(values))
        return dataclasses.replace(column, mean=mean, scale=scale)


@dataclass(frozen=True)
class Categorical:
    """A column of categories: an input for each, and one more for gaps where `gap` says so.

    `fill` is the category that a gap counts as: the most frequent of the training rows. It is None where gaps are
    refused, and where they are a category of their own.
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
        """What each input says of the column."""
        return (*(f" = {category!r}" for category in self.categories), *([" is missing"] if self.gap else []))

    def read(self, cells: Cells, unknown: str) -> NDArray[np.intp]:
        """Return the index of each row's category, (n,), GAP where it is missing, NONE where it is unknown."""
        index_of = {category: i for i, category in enumerate(self.categories)}
        indices = [index_of.get(text, NONE) for text in cells.texts]
        if NONE in indices and unknown == "error":
            code = indices.index(NONE)
            raise ValueError(
                f"{cells.at(cells.first(code))}: {cells.texts[code]!r} is a category that the training data did not "
                f"have (known: {listed(self.categories)}); --unknown ignore (unknown='ignore' in Python) lets it count "
                "as none of them"
            )
        if not self.gap and self.fill is None:
            refuse_gaps(cells)
        return np.array([*indices, GAP], dtype=np.intp)[cells.codes]

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
        """Return the column with the most frequent of `values` as its fill, where it has one."""
        if self.fill is None:
            return self
        return dataclasses.replace(self, fill=int(np.bincount(values[values >= 0], minlength=1).argmax()))


Column = Numeric | Categorical


def planned(cells: Cells, *, categorical: bool, impute: bool) -> Column | None:
    """Return what a column of the training data is, before anything is learned of it; None where it is constant.

    Numeric where every cell that is not missing is a number, categorical where none is or where the caller says so.

    Raises
    ------
    ValueError
        A cell is missing and may not be; some cells are numbers and some not; a number is not finite; a text column
        has so many categories that it is no category.
    """
    gap = bool(cells.missing.any())
    if gap and not impute:
        refuse_gaps(cells)
    if len(cells.texts) + gap < 2:
        return None
    found = cells.numbers()
    if not categorical and found and all(number is not None for number in found):
        values = numbers(cells)
        # "1" and "1.0" are two texts and one number.
        constant = not gap and float(np.min(values)) == float(np.max(values))
        return None if constant else Numeric(cells.name, 0.0, 1.0, 0.0 if impute else None)
    if not categorical:
        refuse_mixed(cells, found)
        refuse_names(cells)
    return Categorical(cells.name, ordered(cells.texts), gap, 0 if impute and not gap else None)


def ordered(texts: Collection[str]) -> tuple[str, ...]:
    """Return categories in their order: numbers by value, then words by letters.

    >>> ordered(["b", "10", "9", "a"])
    ('9', '10', 'a', 'b')
    """

    def key(text: str) -> tuple[float, str]:
        number = number_in(text)
        return math.inf if number is None else number, text

    return tuple(sorted(texts, key=key))


def numbers(cells: Cells) -> NDArray[np.float64]:
    """Return the numbers of a column, (n,), NaN where a cell is missing; refuse what is none or too large."""
    found = cells.numbers()
    for code, number in enumerate(found):
        if number is None or abs(number) > LARGEST:
            what = "not a number" if number is None else f"too large a number (the largest is {LARGEST:g})"
            raise ValueError(f"{cells.at(cells.first(code))}: {cells.texts[code]!r} is {what}")
    return np.array([*found, np.nan], dtype=np.float64)[cells.codes]


def refuse_gaps(cells: Cells) -> None:
    """Refuse a column with a missing cell."""
    n = int(cells.missing.sum())
    if n:
        more = f", one of {n:,} in this column" if n > 1 else ""
        raise ValueError(
            f"{cells.at(cells.first(-1))} is missing{more}; train with --impute (impute=True in Python) to fill gaps"
        )


def refuse_mixed(cells: Cells, found: list[float | None]) -> None:
    """Refuse a column in which some cells are numbers and some not: the rarer kind may be a mistake."""
    count = np.bincount(cells.codes[~cells.missing], minlength=len(found))
    is_text = np.array([number is None for number in found])
    n_text, n_numbers = int(count[is_text].sum()), int(count[~is_text].sum())
    if not n_text or not n_numbers:
        return
    odd = int(np.argmax(is_text if n_text <= n_numbers else ~is_text))
    usual, what = ("numbers", "not a number") if n_text <= n_numbers else ("no numbers", "a number")
    raise ValueError(
        f"{cells.at(cells.first(odd))}: {cells.texts[odd]!r} is {what}, but {max(n_text, n_numbers):,} other cells of "
        f"this column are {usual}; --categorical {cells.name} takes all of them for categories, --drop {cells.name} "
        "leaves the column out"
    )


def refuse_names(cells: Cells) -> None:
    """Refuse a column of texts that hardly repeat: names and numbers of documents teach nothing that is true again."""
    n = int((~cells.missing).sum())
    many = len(cells.texts)
    if many > MOST_CATEGORIES or (many > 20 and many > n / 2):
        raise ValueError(
            f"{column_name(cells.name)} has {many:,} different texts in {n:,} rows, such as {cells.texts[0]!r}; "
            f"--drop {cells.name} leaves it out, --categorical {cells.name} takes each for a category"
        )


def moments(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return mean and standard deviation; 1 in place of a deviation of 0.

    >>> moments(np.array([1.0, 3.0])), moments(np.array([7.0, 7.0]))
    ((2.0, 1.0), (7.0, 1.0))
    """
    return float(values.mean()), float(values.std()) or 1.0


def median(values: NDArray[np.float64]) -> float:
    """Return the median; 0 of nothing."""
    return float(np.median(values)) if len(values) else 0.0
