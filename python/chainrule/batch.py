"""A batch: rows of features with their targets and weights, as the native core reads them.

    x  (n, n_inputs)  float32 or float64
    y  (n,) int64 labels if the loss takes labels, else (n, n_targets) float32 or float64
    w  (n,) float64 sample weights, or None for weights of 1

The caller's arrays are converted once (`_arrays`) or refused. Nothing is broadcast.
"""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from . import _arrays

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .reference.config import Spec
    from .reference.losses import Loss

    Array: TypeAlias = NDArray[Any]
    Batch: TypeAlias = tuple[Array, Array, Array | None]


def read_batch(spec: Spec, X: object, y: object, sample_weight: object = None) -> Batch:
    """Return features, targets and weights of the same n rows."""
    x = _arrays.features(X, spec.n_inputs, np.dtype(spec.dtype))
    if not len(x):
        raise ValueError("X has no rows; at least one is needed")
    return x, targets(y, len(x), spec), weights(sample_weight, len(x))


def targets(y: object, n_rows: int, spec: Spec) -> Array:
    """Return y as int64 labels (n,) if the loss takes labels, else as a table (n, n_targets).

    For most losses n_targets is the number of outputs. Nothing is broadcast: a y of shape (n,) is one target per row.

    Raises
    ------
    TypeError
        The loss does not take values of y's kind.
    ValueError
        The shape does not fit the loss and the number of outputs, or y and X differ in rows.
    """
    array = _arrays.as_array(y, "y")
    loss, n_outputs, dtype = spec.loss, spec.n_outputs, np.dtype(spec.dtype)
    n = loss.n_targets(n_outputs)
    if array.ndim == 0:
        given = "None" if y is None else f"a single {type(y).__name__}"
        raise TypeError(f"y must be an array with one entry per row, got {given}")
    if len(array) != n_rows:
        raise ValueError(f"y has {len(array)} rows but X has {n_rows}")
    if array.ndim == 1 and loss.takes_labels:
        return labels(array, loss.name)
    if array.ndim == 1 and n == 1:
        return _arrays.readable(_arrays.to_float(array, dtype, "y").reshape(-1, 1))
    if array.ndim != 2 or array.shape[1] != n:
        raise ValueError(wrong_target(array, n_outputs, loss))
    return _arrays.readable(_arrays.to_float(array, dtype, "y"))


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
            f"y holds {_arrays.kind_of(y)} but loss {loss!r} takes integer labels; "
            f"classes, y = np.unique(y, return_inverse=True) encodes names"
        )
    if y.dtype.kind == "u" and y.size and y.max() > np.iinfo(np.int64).max:
        raise ValueError(f"y has label {y.max()}, which is too large for a class number")
    return _arrays.cast(y, np.dtype(np.int64))


WEIGHTS_CANCEL = (
    "weights have no effect with batch_size=1: the loss of a batch is Σ wᵢ lᵢ / Σ wᵢ, which is l for a single row. "
    "Use larger batches"
)


def weights_cancel(batch_size: int, sample_weight: Array | None) -> bool:
    """Tell whether weights that differ have no effect, since each batch is one row."""
    if batch_size > 1 or sample_weight is None:
        return False
    positive = sample_weight[sample_weight > 0]  # a weight of 0 leaves its row out
    return bool(positive.size and (positive != positive[0]).any())


def weights(sample_weight: object, n_rows: int, argument: str = "sample_weight") -> Array | None:
    """Return the sample weights as float64 (n,); None stays None. The core checks that they are finite and >= 0."""
    if sample_weight is None:
        return None
    array = _arrays.as_numbers(sample_weight, np.dtype(np.float64), argument)
    if array.ndim != 1:
        hint = f"; use {argument}.ravel()" if array.ndim == 2 and array.shape[1] == 1 else ""
        given = f"shape {array.shape}" if array.ndim else "a single number"
        raise ValueError(f"{argument} must be 1-D (n_rows,), one weight per row, got {given}{hint}")
    if len(array) != n_rows:
        raise ValueError(f"{argument} has {len(array)} rows but X has {n_rows}")
    return _arrays.cast(array, np.dtype(np.float64))
