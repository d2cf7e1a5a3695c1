"""Rows and matrices as plain lists, and what is done with them.

A `Row` holds one number per unit, a `Matrix` one row per sample (or, for weights, one row per input). `Tensors` are the
rows and matrices of a layer by name. Sums run from left to right; Python's own `sum` does so only before 3.12, which is
why it is not used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Row: TypeAlias = list[float]
Matrix: TypeAlias = list[Row]
Tensors: TypeAlias = dict[str, Matrix | Row]
Shape: TypeAlias = tuple[int, ...]  # (length,) of a row, (rows, columns) of a matrix


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


def flatten(tensor: Matrix | Row) -> Row:
    """Return the numbers of a matrix, row by row, or of a row.

    >>> flatten([[1.0, 2.0], [3.0, 4.0]])
    [1.0, 2.0, 3.0, 4.0]
    """
    return [number for item in tensor for number in (item if isinstance(item, list) else [item])]


def unflatten(numbers: Iterator[float], shape: Shape) -> Matrix | Row:
    """Return the matrix or row that the next numbers make.

    >>> unflatten(iter([1.0, 2.0, 3.0, 4.0]), (2, 2))
    [[1.0, 2.0], [3.0, 4.0]]
    """
    if len(shape) == 1:
        return [next(numbers) for _ in range(shape[0])]
    n_rows, n_columns = shape
    return [[next(numbers) for _ in range(n_columns)] for _ in range(n_rows)]
