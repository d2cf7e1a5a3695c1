"""Conversion of the caller's arrays into arrays that the native core reads.

The core reads float32 and float64 arrays with contiguous rows in place. Anything else that `numpy.asarray` understands
is converted here, once. The rest is refused with a message that names the argument. The core itself checks the values
(finite, in range), since it reads each of them anyway.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[Any]

# Words for the dtypes that a network cannot compute with, by dtype.kind.
REFUSED_KINDS = {
    "c": "complex numbers",
    "U": "text",
    "S": "bytes",
    "T": "text",
    "M": "dates",
    "m": "time spans",
    "V": "records",
}


def features(X: object, n_columns: int, dtype: np.dtype[Any], argument: str = "X") -> Array:
    """Return X as a table (n, n_columns), copied only if the core cannot read it in place.

    Raises
    ------
    TypeError
        X does not hold numbers, or is a sparse matrix.
    ValueError
        X is not 2-D, or does not have `n_columns` columns.
    """
    array = as_numbers(X, dtype, argument)
    if array.ndim == 1:
        raise ValueError(
            f"{argument} must be 2-D (n_rows, n_features), got shape {array.shape}; "
            f"a single row is {argument}.reshape(1, -1)"
        )
    if array.ndim != 2:
        given = f"shape {array.shape}" if array.ndim else f"a single {type(X).__name__}"
        hint = f"; {argument}.reshape(len({argument}), -1) flattens each row" if array.ndim else ""
        raise ValueError(f"{argument} must be 2-D (n_rows, n_features), got {given}{hint}")
    if array.shape[1] != n_columns:
        raise ValueError(f"{argument} has {array.shape[1]} columns but the network was built for {n_columns}")
    return readable(array)


def flat(values: object, n: int, dtype: np.dtype[Any], argument: str) -> Array:
    """Return one value per parameter as a contiguous array (n,) of the network's dtype."""
    array = as_array(values, argument)
    if array.ndim and array.shape != (n,):  # before anything is converted, since a broadcast array may be huge
        raise ValueError(f"{argument} must have shape ({n},), one value per parameter, got {array.shape}")
    array = to_float(array, dtype, argument)
    if not array.ndim:
        raise ValueError(f"{argument} must have shape ({n},), one value per parameter, got a single number")
    return cast(array, dtype)


def table(values: object, n_columns: int, dtype: np.dtype[Any], argument: str) -> Array:
    """Return the d_output of `backward`: a row for each row of X, a column for each output."""
    array = as_numbers(values, dtype, argument)
    if array.ndim != 2 or array.shape[1] != n_columns:
        raise ValueError(f"{argument} must have shape (n_rows, {n_columns}), got {array.shape}")
    return readable(array)


def as_numbers(values: object, dtype: np.dtype[Any], argument: str) -> Array:
    """Return float32 or float64 of any shape."""
    return to_float(as_array(values, argument), dtype, argument)


def as_array(values: object, argument: str) -> Array:
    """Call `numpy.asarray`; refuse sparse, masked and ragged input with a message that helps."""
    if hasattr(values, "toarray") and hasattr(values, "nnz"):
        raise TypeError(f"{argument} is a sparse matrix, which is not supported; pass {argument}.toarray()")
    if hasattr(values, "mask") and hasattr(values, "filled") and np.any(values.mask):
        raise ValueError(f"{argument} has masked entries; fill them first, {argument}.filled(0.0)")
    try:
        return np.asarray(values)
    except ValueError as error:
        if "inhomogeneous" not in str(error):
            raise
        raise ValueError(f"{argument} is ragged: its rows have different lengths") from None


def to_float(array: Array, dtype: np.dtype[Any], argument: str) -> Array:
    """Return float32 or float64 in the machine's byte order; integers and booleans take the network's dtype."""
    kind = array.dtype.kind
    if kind == "f" and array.dtype.itemsize in (4, 8):
        return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))
    if kind == "f":  # float16 fits in float32; longdouble is rounded to float64
        wanted = np.float32 if array.dtype.itemsize < 4 else np.float64
        with np.errstate(over="ignore"):  # the core refuses infinite values and names their row and column
            return array.astype(wanted)
    if kind in "iub":
        return array.astype(dtype)
    if kind == "O":
        return objects_to_float(array, argument)
    raise TypeError(f"{argument} holds {kind_of(array)} (dtype {array.dtype}); it must hold numbers")


def objects_to_float(array: Array, argument: str) -> Array:
    """Return objects that are numbers (int, float, Decimal, …) as float64; text is not parsed."""
    result = np.empty(array.shape, np.float64)
    for index, value in np.ndenumerate(array):
        if isinstance(value, str | bytes):
            raise TypeError(f"{argument} holds the text {value!r}{where(index)}; it must hold numbers")
        try:
            result[index] = float(value)
        except (TypeError, ValueError):
            raise TypeError(f"{argument} holds {type(value).__name__}{where(index)}; it must hold numbers") from None
        except OverflowError:
            raise ValueError(f"{argument} holds a number too large{where(index)}") from None
    return result


def where(index: tuple[int, ...]) -> str:
    """Return " at row 3, column 5" for an index."""
    if not index:
        return ""
    return f" at row {index[0]}" + (f", column {index[1]}" if len(index) > 1 else "")


def kind_of(array: Array) -> str:
    """Return the array's kind of values in words."""
    return REFUSED_KINDS.get(array.dtype.kind, f"{array.dtype} values")


def check_finite(array: Array, argument: str) -> None:
    """Refuse NaN and infinity, and name the first place."""
    if not np.isfinite(array).all():
        index = np.argwhere(~np.isfinite(array))[0].tolist()
        raise ValueError(f"{argument}{index} is {array[tuple(index)]}; every value must be finite in {array.dtype}")


def readable(array: Array) -> Array:
    """Return the array itself if its rows are contiguous and aligned, so the core reads it in place; else a C copy."""
    row_is_contiguous = array.shape[1] <= 1 or array.strides[1] == array.itemsize
    if row_is_contiguous and array.flags.aligned:
        return array
    return array.copy(order="C")


def cast(array: Array, dtype: np.dtype[Any]) -> Array:
    """Return the array aligned, in C order and of `dtype`. Overflow gives inf, which the core refuses."""
    with np.errstate(over="ignore"):
        return np.require(array, dtype, ["C", "A"])
