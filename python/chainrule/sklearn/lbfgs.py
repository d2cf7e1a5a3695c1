"""What L-BFGS-B minimises: the native loss and its gradient, in scikit-learn's order of the parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from scipy.special import xlogy

from chainrule.sklearn.engine import Engine, targets

ROWS = 4096
"""Rows of a sparse X that are made dense at once."""


class Objective:
    """Loss and gradient of an estimator on some rows; SciPy works in float64 whatever X is, and so does this."""

    def __init__(self, estimator: Any, X: Any, y: Any, sample_weight: Any) -> None:
        self.engine, self.alpha = Engine(estimator, dtype=np.dtype(np.float64)), float(estimator.alpha)
        self.weights = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        if self.weights is not None and self.weights.sum() == 0.0:
            raise ZeroDivisionError("Weights sum to zero, can't be normalized")
        self.X: Any = X.tocsr() if sparse.issparse(X) else np.ascontiguousarray(X)
        self.y = targets(y, estimator.out_activation_, self.engine.dtype)
        # What scikit-learn's Poisson loss holds beside ours.
        is_poisson = estimator.out_activation_ == "exp"
        self.constant = float(np.average(xlogy(y, y) - y, weights=sample_weight, axis=0).sum()) if is_poisson else 0.0
        # Weights of all layers and then biases of all layers here, layer by layer there.
        size = sum(part.size for part in [*estimator.coefs_, *estimator.intercepts_])
        ends = np.cumsum([part.size for part in [*estimator.coefs_, *estimator.intercepts_]])
        places = np.split(np.arange(size, dtype=np.float64), ends[:-1])
        self.order = self.engine.joined(places).astype(np.intp)

    def __call__(self, packed: Any) -> tuple[float, Any]:
        """Return the loss at `packed` and its gradient."""
        # SciPy keeps x in float32 where it began so.
        self.engine.network.set_parameters(packed[self.order].astype(np.float64, copy=False))
        loss, flat = self._sparse(packed) if sparse.issparse(self.X) else self._native(slice(None), self.alpha)
        gradient = np.empty_like(flat)
        gradient[self.order] = flat
        return loss + self.constant, gradient

    def _native(self, rows: slice, alpha: float) -> tuple[float, Any]:
        """Loss and gradient of some rows; the penalty counts as for these rows alone."""
        Engine.steps += 1
        X: Any = self.X[rows]
        X = X.toarray() if sparse.issparse(X) else X
        weights = None if self.weights is None else self.weights[rows]
        return self.engine.network.sklearn_gradient(X, self.y[rows], weights, alpha)

    def _sparse(self, packed: Any) -> tuple[float, Any]:
        """Do the same a part of the rows at a time."""
        n = self.X.shape[0]
        whole = float(n if self.weights is None else self.weights.sum())
        loss, flat = 0.0, np.zeros(len(packed))
        for start in range(0, n, ROWS):
            rows = slice(start, min(start + ROWS, n))
            weight = rows.stop - start if self.weights is None else self.weights[rows].sum()
            if weight > 0:
                # alpha / weight · weight / whole: each part brings its share of the penalty.
                part, d_part = self._native(rows, self.alpha * weight / whole)
                loss += part * (weight / whole)
                flat += d_part * (weight / whole)
        return loss, flat
