"""The structure of an explanation (sections of parts, parts of steps and tables) and the format of its numbers.

Text and HTML are made from the same structure, so they say the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[Any]


class Step(NamedTuple):
    """One line of a calculation: ``label  left working = value``, such as ``unit 0  z = 0.5·2 + 1 = 2``."""

    label: str  # the unit or parameter; "" if it is that of the line above
    left: str  # "z =", "w ←"
    working: str  # "" if there is only the value to show
    value: str  # "" if there is only a formula to show


class Table(NamedTuple):
    """Numbers in columns. The first column names the row."""

    header: tuple[str, ...]
    rows: list[tuple[str, ...]]


class Part(NamedTuple):
    """Notes, steps and tables about one layer or the loss."""

    title: str
    blocks: Sequence[list[Step] | Table]


class Section(NamedTuple):
    """One stage of a training step."""

    title: str
    notes: list[str]
    parts: list[Part]


class Numbers:
    """Writes numbers with `digits` significant digits.

    >>> number = Numbers(3)
    >>> number(0.123456), number(-0.0), number.product(0.5, -2.0)
    ('0.123', '0', '0.5·(-2)')
    """

    def __init__(self, digits: int) -> None:
        self.digits = digits

    def __call__(self, value: float) -> str:
        """Return one number."""
        return f"{float(value) + 0.0:.{self.digits}g}"  # −0 + 0 is 0

    def factor(self, value: float) -> str:
        """Return a number that follows an operator, negative ones in parentheses."""
        text = self(value)
        return f"({text})" if text.startswith("-") else text

    def product(self, *factors: float) -> str:
        """Return a product with dots between the factors."""
        return "·".join(map(self.factor, factors))

    def products(self, p: Iterable[float], q: Iterable[float]) -> list[str]:
        """Return the terms of Σ p_i q_i."""
        return [self.product(p_i, q_i) for p_i, q_i in zip(p, q, strict=True)]


def entry(name: str, *index: int) -> str:
    """Return an entry of an array as Python writes it.

    >>> entry("w", 0, 12)
    'w[0, 12]'
    """
    return f"{name}[{', '.join(map(str, index))}]"


def count(n: int, what: str) -> str:
    """Return a count with its noun.

    >>> count(1, "row"), count(1200, "unit")
    ('1 row', '1,200 units')
    """
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def largest(array: Array, n: int) -> list[tuple[int, ...]]:
    """Return the indices of the n largest numbers by absolute value, the largest first. NaN counts as largest.

    >>> largest(np.array([[1.0, -3.0], [2.0, 0.0]]), 2)
    [(0, 1), (1, 0)]
    """
    size = np.nan_to_num(np.abs(array.ravel()), nan=np.inf)
    n = min(n, size.size)
    found = np.argpartition(-size, n - 1)[:n] if n else np.empty(0, int)
    found = found[np.lexsort((found, -size[found]))]
    return [tuple(int(i) for i in np.unravel_index(at, array.shape)) for at in found]
