"""What callers bring as arrays, made into what the native core reads.

The core reads 2-D float32 or float64 tables whose rows are contiguous, in place and row by row; int64 labels (n,);
float64 weights (n,). Everything else that `numpy.asarray` understands is converted here, once, or refused with a
message that names the argument. Values (finite, in range) are the core's to check: it reads them anyway.
"""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .network import Network
    from .reference.losses import Loss

    Array: TypeAlias = NDArray[Any]
    Batch: TypeAlias = tuple[Array, Array, Array | None]

# How a message calls a dtype that holds no numbers the network can compute with.
REFUSED_KINDS = {
    "c": "complex numbers",
    "U": "text",
    "S": "bytes",
    "T": "text",
    "M": "dates",
    "m": "time spans",
    "V": "records",
}


def batch(network: Network, X: object, y: object, sample_weight: object = None) -> Batch:
    """Return features, targets and weights of the same n rows."""
    x = features(X, network.n_inputs, network.dtype)
    if not len(x):
        raise ValueError("X has no rows; at least one is needed")
    return x, targets(y, len(x), network), weights(sample_weight, len(x))


def features(X: object, n_columns: int, dtype: np.dtype[Any], argument: str = "X") -> Array:
    """Return X as a table (n, n_columns); not copied where it can be read in place.

    Raises
    ------
    TypeError
        What X holds is not numbers, or X is a sparse matrix.
    ValueError
        X is not 2-D, or has another number of columns.
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


def targets(y: object, n_rows: int, network: Network) -> Array:
    """Return y as labels int64 (n,) where the loss takes labels, else as a table (n, n_targets).

    n_targets is the number of outputs for most losses. Nothing is broadcast: (n,) is one target a row, and only that.

    Raises
    ------
    TypeError
        What y holds is not what the loss takes.
    ValueError
        The shape is not (n,) or (n, n_targets) as the loss and the outputs ask, or n is not that of X.
    """
    array = as_array(y, "y")
    loss, n = network.loss, network.loss.n_targets(network.n_outputs)
    if array.ndim == 0:
        given = "None" if y is None else f"a single {type(y).__name__}"
        raise TypeError(f"y must be an array of one entry a row, got {given}")
    if len(array) != n_rows:
        raise ValueError(f"y has {len(array)} rows but X has {n_rows}")
    if array.ndim == 1 and loss.takes_labels:
        return labels(array, loss.name)
    if array.ndim == 1 and n == 1:
        return readable(to_float(array, network.dtype, "y").reshape(-1, 1))
    if array.ndim != 2 or array.shape[1] != n:
        raise ValueError(wrong_target(array, network.n_outputs, loss))
    return readable(to_float(array, network.dtype, "y"))


def wrong_target(y: Array, n_outputs: int, loss: Loss) -> str:
    """Return the message for a y whose shape does not fit the outputs."""
    n = loss.n_targets(n_outputs)
    wanted = f"(n, {n})"
    hint = ""
    if loss.takes_labels:
        wanted = f"(n,) with integer labels 0 to {n - 1}, or (n, {n}) with probabilities"
        if y.ndim == 2 and y.shape[1] == 1:
            hint = "; labels in one column are y.ravel()"
    elif n == 1:
        wanted = "(n,) or (n, 1)"
    elif y.ndim == 1 and y.dtype.kind in "iu":
        hint = "; for class labels build the network with loss='cross_entropy'"
    outputs = "1 output" if n_outputs == 1 else f"{n_outputs} outputs"
    if n != n_outputs:
        outputs += f", {n_outputs // n} for each target of loss {loss.name!r}"
    return f"y has shape {y.shape} but the network has {outputs}: it must be {wanted}{hint}"


def labels(y: Array, loss: str) -> Array:
    """Return class labels as int64 (n,), from any integer dtype; False and True are 0 and 1."""
    if y.dtype.kind == "O" and all(isinstance(label, Integral | np.bool_) for label in y):
        if any(not -(2**63) <= int(label) < 2**63 for label in y):
            raise ValueError("y holds labels that are too large for a class number")
        y = y.astype(np.int64)
    if y.dtype.kind == "f" or (y.dtype.kind == "O" and all(isinstance(v, float) for v in y)):
        raise TypeError(
            f"y holds {y.dtype} but loss {loss!r} takes integer labels (n,) or probabilities "
            f"(n, k); whole numbers become labels by np.asarray(y).astype(int)"
        )
    if y.dtype.kind not in "iub":
        raise TypeError(
            f"y holds {kind_of(y)} but loss {loss!r} takes integer labels; "
            f"classes, y = np.unique(y, return_inverse=True) encodes names"
        )
    if y.dtype.kind == "u" and y.size and y.max() > np.iinfo(np.int64).max:
        raise ValueError(f"y has label {y.max()}, which is too large for a class number")
    return cast(y, np.dtype(np.int64))


def weights(sample_weight: object, n_rows: int, argument: str = "sample_weight") -> Array | None:
    """Return how much each row counts, as float64 (n,); None stays None. The core checks finite and >= 0."""
    if sample_weight is None:
        return None
    array = as_numbers(sample_weight, np.dtype(np.float64), argument)
    if array.ndim != 1:
        hint = f"; use {argument}.ravel()" if array.ndim == 2 and array.shape[1] == 1 else ""
        given = f"shape {array.shape}" if array.ndim else "a single number"
        raise ValueError(f"{argument} must be 1-D (n_rows,), one weight a row, got {given}{hint}")
    if len(array) != n_rows:
        raise ValueError(f"{argument} has {len(array)} rows but X has {n_rows}")
    return cast(array, np.dtype(np.float64))


def flat(values: object, n: int, dtype: np.dtype[Any], argument: str) -> Array:
    """Return one value a parameter, as a contiguous (n,) of the network's dtype."""
    array = as_numbers(values, dtype, argument)
    if array.shape != (n,):
        raise ValueError(f"{argument} must have shape ({n},), one value a parameter, got {array.shape}")
    return cast(array, dtype)


def table(values: object, n_columns: int, dtype: np.dtype[Any], argument: str) -> Array:
    """Return one row a row of X, one column an output: what `backward` takes as d_output."""
    array = as_numbers(values, dtype, argument)
    if array.ndim != 2 or array.shape[1] != n_columns:
        raise ValueError(f"{argument} must have shape (n_rows, {n_columns}), got {array.shape}")
    return readable(array)


def as_numbers(values: object, dtype: np.dtype[Any], argument: str) -> Array:
    """Return an array of float32 or float64, of any shape."""
    return to_float(as_array(values, argument), dtype, argument)


def as_array(values: object, argument: str) -> Array:
    """Call `numpy.asarray`, with messages for what it would hide or cannot do."""
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
        with np.errstate(over="ignore"):  # the core refuses what becomes infinite, with its place
            return array.astype(wanted)
    if kind in "iub":
        return array.astype(dtype)
    if kind == "O":
        return objects_to_float(array, argument)
    raise TypeError(f"{argument} holds {kind_of(array)} (dtype {array.dtype}); it must hold numbers")


def objects_to_float(array: Array, argument: str) -> Array:
    """Return objects that are numbers (int, float, Decimal, …) as float64; text is not parsed."""
    result = np.empty(array.shape, np.float64)
    for place, value in np.ndenumerate(array):
        if isinstance(value, str | bytes):
            raise TypeError(f"{argument} holds the text {value!r}{where(place)}; it must hold numbers")
        try:
            result[place] = float(value)
        except (TypeError, ValueError):
            raise TypeError(f"{argument} holds {type(value).__name__}{where(place)}; it must hold numbers") from None
        except OverflowError:
            raise ValueError(f"{argument} holds a number too large{where(place)}") from None
    return result


def where(place: tuple[int, ...]) -> str:
    """Return " at row 3, column 5" for an index."""
    if not place:
        return ""
    return f" at row {place[0]}" + (f", column {place[1]}" if len(place) > 1 else "")


def kind_of(array: Array) -> str:
    """Return what an array holds, in words."""
    return REFUSED_KINDS.get(array.dtype.kind, f"{array.dtype} values")


def readable(array: Array) -> Array:
    """Return the same where rows are contiguous and aligned (then it is read in place), else a copy in C order."""
    row_is_contiguous = array.shape[1] <= 1 or array.strides[1] == array.itemsize
    if row_is_contiguous and array.flags.aligned:
        return array
    return array.copy(order="C")


def cast(array: Array, dtype: np.dtype[Any]) -> Array:
    """Return it aligned, in C order and of `dtype`; what overflows becomes infinite, for the core to refuse."""
    with np.errstate(over="ignore"):
        return np.require(array, dtype, ["C", "A"])
