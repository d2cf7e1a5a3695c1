"""What users bring: rows of numbers become lists of floats, or an error says which number is wrong."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .options import number, shown
from .vectors import total

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .vectors import Matrix, Row


def is_row(x: object) -> bool:
    """Return whether x is several numbers rather than one."""
    return hasattr(x, "__iter__") and not isinstance(x, (str, bytes))


def as_matrix(name: str, x: Iterable[Iterable[Any]], n_columns: int, expected: str) -> Matrix:
    """Return x as a list of rows of finite floats, `n_columns` each.

    >>> as_matrix("X", [(1, 2), (3, 4)], 2, "the network has 2 inputs")
    [[1.0, 2.0], [3.0, 4.0]]
    """
    rows: Matrix = []
    for i, source in enumerate(iterable(name, x)):
        if not is_row(source):
            raise ValueError(f"{name} must be rows of numbers, but row {i} is {shown(source)}")
        values = [_float(name, value) for value in source]
        if len(values) != n_columns:
            raise ValueError(f"{name} has {len(values)} columns in row {i} but {expected}")
        for j, value in enumerate(values):
            if not math.isfinite(value):
                raise ValueError(f"{name} has {value} at row {i}, column {j}; only finite numbers can be used")
        rows.append(values)
    return rows


def as_row(name: str, x: Iterable[Any], length: int, what: str) -> Row:
    """Return x as a row of `length` finite floats.

    >>> as_row("parameters", (1, 2), 2, "the network's parameters")
    [1.0, 2.0]
    """
    values = [_float(name, value) for value in iterable(name, x)]
    if len(values) != length:
        raise ValueError(f"{name} has {len(values)} numbers, but {what} are {length}")
    for i, value in enumerate(values):
        if not math.isfinite(value):
            raise ValueError(f"{name} has {value} at place {i}; only finite numbers can be used")
    return values


def weights_of_rows(sample_weight: Iterable[Any] | None, n_rows: int) -> Row:
    """Return the weight of each row; 1 where none are given.

    >>> weights_of_rows(None, 2)
    [1.0, 1.0]
    """
    if sample_weight is None:
        return [1.0] * n_rows
    weights = as_row("sample_weight", sample_weight, n_rows, "the rows of X")
    for i, value in enumerate(weights):
        number(f"sample_weight[{i}]", value, "[0, inf)")
    if not math.isfinite(total(weights)):  # the share of each row would be zero
        raise ValueError("sample_weight has a sum that is not finite")
    return weights


def iterable(name: str, x: object) -> Iterable[Any]:
    """Return x, which must be a sequence."""
    if not is_row(x):
        raise TypeError(f"{name} must be a sequence, not {shown(x)}")
    return x.tolist() if isinstance(x, memoryview) else x  # type: ignore[return-value] # is_row has looked for __iter__


def _float(name: str, value: Any) -> float:
    if isinstance(value, (str, bytes)):
        raise TypeError(f"{name} must hold numbers, not {shown(value)}")
    try:
        return float(value)
    except OverflowError:  # an int beyond the range of a double
        return math.inf
    except (TypeError, ValueError):
        raise TypeError(f"{name} must hold numbers, not {shown(value)}") from None
