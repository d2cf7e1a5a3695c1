"""Rows and matrices as plain lists, and the three things done with them.

A `Row` holds one number per unit, a `Matrix` one row per sample (or, for weights, one row per input). Sums run from
left to right; Python's own `sum` does so only before 3.12, which is why it is not used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Row: TypeAlias = list[float]
Matrix: TypeAlias = list[Row]


def dot(x: Sequence[float], y: Sequence[float]) -> float:
    """Return Σ x_i y_i.

    >>> dot([1.0, 2.0], [3.0, 4.0])
    11.0
    """
    result = 0.0
    for x_i, y_i in zip(x, y, strict=True):
        result += x_i * y_i
    return result


def total(x: Iterable[float]) -> float:
    """Return Σ x_i.

    >>> total([1.0, 2.0, 3.0])
    6.0
    """
    result = 0.0
    for x_i in x:
        result += x_i
    return result


def transpose(m: Sequence[Sequence[float]]) -> list[tuple[float, ...]]:
    """Return the columns of a matrix.

    >>> transpose([[1.0, 2.0], [3.0, 4.0]])
    [(1.0, 3.0), (2.0, 4.0)]
    """
    return list(zip(*m, strict=True))
