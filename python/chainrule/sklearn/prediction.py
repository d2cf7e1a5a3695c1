"""Predictions with an estimator's own arrays: none is copied or kept, so a change of `coefs_` counts at once.

Rows that scikit-learn's `validate_data` would return unchanged are recognized at a fraction of its cost, which is most
of the time that it takes to predict one row.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils.validation import validate_data

from chainrule import _native
from chainrule.engine import text_of
from chainrule.reference.activations import Activation, Identity
from chainrule.sklearn.engine import OPTIMIZERS, OUTPUT_LOSSES, Engine, dense
from chainrule.sklearn.inputs import refuse_times
from chainrule.sklearn.layers import activations_of

DTYPES = (np.dtype(np.float64), np.dtype(np.float32))
SPARSE = (sparse.csr_matrix, sparse.csr_array, sparse.csc_matrix, sparse.csc_array)


def validated(estimator: Any, X: Any) -> Any:
    """Return the rows of X, checked and converted as scikit-learn does."""
    if is_plain(X) and X.shape[1] == estimator.n_features_in_ and "feature_names_in_" not in vars(estimator):
        return X
    refuse_times("X", X)
    return validate_data(estimator, X, accept_sparse=["csr", "csc"], reset=False)


def is_plain(X: Any) -> bool:
    """Tell whether X is a finite array or compressed matrix of rows, whose sum is finite too."""
    values = X.data if type(X) in SPARSE else X
    if type(values) is not np.ndarray or values.dtype not in DTYPES or X.ndim != 2 or not X.shape[0]:
        return False
    with np.errstate(over="ignore"):
        return bool(np.isfinite(values.sum()))


def outputs(estimator: Any, X: Any, n_layers: int) -> Any:
    """Return the outputs of the first `n_layers` layers for checked rows, in the wider dtype of X and the weights."""
    if n_layers == 0:
        return X.toarray() if sparse.issparse(X) else X
    coefs, intercepts = estimator.coefs_[:n_layers], estimator.intercepts_[:n_layers]
    dtype = np.dtype(np.float32 if np.result_type(X.dtype, coefs[0].dtype) == np.float32 else np.float64)
    activation = estimator.activation
    predictor = predictor_of(
        tuple(w.shape for w in coefs),
        activation if isinstance(activation, (str, Activation)) else tuple(activation),
        len(estimator.coefs_) - 1,
        estimator.out_activation_ if n_layers == len(estimator.coefs_) else "identity",
        dtype,
        estimator.n_threads,
    )
    rows: Any
    if sparse.issparse(X):
        X = X.tocsr()
        rows = (X.indptr.astype(np.int64), X.indices.astype(np.int64), X.data.astype(dtype, copy=False))
    else:
        rows = np.ascontiguousarray(X, dtype=dtype)
    Engine.steps += 1
    return predictor.predict(
        rows,
        [np.ascontiguousarray(w, dtype=dtype) for w in coefs],
        [np.ascontiguousarray(b, dtype=dtype) for b in intercepts],
    )


@lru_cache(maxsize=64)
def predictor_of(
    shapes: tuple[tuple[int, int], ...],
    activation: Any,
    n_hidden: int,
    out_activation: str,
    dtype: np.dtype[Any],
    n_threads: int | None,
) -> _native.Predictor:
    """Return the native network of these layers, which holds no parameters."""
    activations = [*activations_of(activation, n_hidden), Identity()]
    config = {
        "n_inputs": int(shapes[0][0]),
        "layers": [dense(n_out, f.to_dict()) for (_, n_out), f in zip(shapes, activations, strict=False)],
        "loss": OUTPUT_LOSSES.get(out_activation, {"name": "half_squared_error"}),
        "optimizer": OPTIMIZERS["sgd"],
        "dtype": dtype.name,
        "seed": 0,
        "n_threads": None if n_threads is None else int(n_threads),
    }
    return _native.Predictor(text_of(config))
