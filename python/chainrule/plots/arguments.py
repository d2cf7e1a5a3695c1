"""Checks of the caller's arguments: names, and arrays of numbers or classes. Messages name the argument."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np

from chainrule import _arrays
from chainrule.reference.options import shown
from chainrule.reference.spelling import unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[Any]

Name = TypeVar("Name", bound=str)


def one_of(argument: str, value: object, known: Iterable[Name]) -> Name:
    """Return the name; refuse an unknown one and list the known ones."""
    if not isinstance(value, str):
        raise TypeError(f"{argument} must be one of {', '.join(known)}, not {shown(value)}")
    for name in known:
        if value == name:
            return name
    raise ValueError(unknown(argument, value, known))


def numbers(values: object, argument: str) -> Array:
    """Return finite numbers as float64 (n,), n >= 1, from (n,) or (n, 1)."""
    array = column(_arrays.as_numbers(values, np.dtype(np.float64), argument), argument)
    wrong = np.flatnonzero(~np.isfinite(array))
    if wrong.size:
        raise ValueError(f"{argument} is {array[wrong[0]]} at row {wrong[0]}; it must be finite")
    return array.astype(np.float64)


def classes(values: object, argument: str) -> tuple[list[Any], Array]:
    """Return the sorted classes, and the index of each row's class among them, (n,), n >= 1."""
    array = column(_arrays.as_array(values, argument), argument)
    if array.dtype.kind == "f":
        whole = (array == np.floor(array)) & (np.abs(array) < 2.0**63)  # NaN is not equal to itself
        if not whole.all():
            raise ValueError(f"{argument} must hold classes, not numbers such as {array[~whole][0]:g}")
        array = array.astype(np.int64)
    if array.dtype.kind not in "biuUSTO":
        raise TypeError(f"{argument} must hold classes (whole numbers, booleans or text), not {_arrays.kind_of(array)}")
    try:
        missing = array.dtype.kind == "O" and bool((array != array).any())  # noqa: PLR0124 - NaN in any of its forms
        found, index = np.unique(array, return_inverse=True)
    except TypeError:  # objects such as None, or text beside numbers
        raise TypeError(f"{argument} holds classes of several types, which have no order") from None
    if missing:
        raise ValueError(f"{argument} holds NaN, which is no class")
    return found.tolist(), index


def column(array: Array, argument: str) -> Array:
    """Return an array (n,) from (n,) or (n, 1), n >= 1."""
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        hint = (
            f"; take one column, {argument}[:, j], or the class, {argument}.argmax(axis=1)" if array.ndim == 2 else ""
        )
        given = f"shape {array.shape}" if array.ndim else "a single entry"
        raise ValueError(f"{argument} must be 1-D (n_rows,), got {given}{hint}")
    if not len(array):
        raise ValueError(f"{argument} has no rows; at least one is needed")
    return array


def same_length(y_true: Array, y_pred: Array) -> None:
    """Refuse arrays of different lengths."""
    if len(y_true) != len(y_pred):
        raise ValueError(f"y_true has {len(y_true)} rows but y_pred has {len(y_pred)}")


def names_of_classes(display_labels: Sequence[object] | None, n_classes: int) -> list[str]:
    """Return one name per class: the caller's names, or the numbers from 0."""
    names = range(n_classes) if display_labels is None else display_labels
    if isinstance(names, str) or not hasattr(names, "__len__"):
        raise TypeError(f"display_labels must be a list of names, not {shown(display_labels)}")
    if len(names) != n_classes:
        raise ValueError(f"display_labels has {len(names)} names but there are {n_classes} classes")
    return [str(name) for name in names]
