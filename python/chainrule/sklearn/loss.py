"""scikit-learn's loss of some rows and its gradient. Sparse rows go through the engine in chunks."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from chainrule.sklearn.engine import SPARSE_ROWS, Engine, beside_poisson, targets


class Loss:
    """The loss of some rows, computed with the engine's current parameters."""

    def __init__(self, engine: Engine, estimator: Any, X: Any, y: Any, sample_weight: Any) -> None:
        self.engine, self.strict = engine, bool(estimator.strict)
        self.weights = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        if self.weights is not None and self.weights.sum() == 0.0:
            raise ZeroDivisionError("Weights sum to zero, can't be normalized")
        self.X: Any = X.tocsr() if sparse.issparse(X) else np.ascontiguousarray(X, dtype=engine.dtype)
        self.y = targets(y, estimator.out_activation_, engine.dtype)
        is_poisson = estimator.out_activation_ == "exp"
        self.constant = float(np.average(beside_poisson(y), weights=sample_weight, axis=0).sum()) if is_poisson else 0.0

    def with_gradient(self, alpha: float) -> tuple[float, Any]:
        """Return the loss with the penalty, and the gradient in the engine's order."""
        loss, flat = self._sparse(alpha) if sparse.issparse(self.X) else self._native(slice(None), alpha)
        return loss + self.constant, flat

    def _native(self, rows: slice, alpha: float) -> tuple[float, Any]:
        """Return loss and gradient of some rows, with the penalty as if these were all rows."""
        Engine.steps += 1
        X: Any = self.X[rows]
        X = X.toarray().astype(self.engine.dtype, copy=False) if sparse.issparse(X) else X
        weights = None if self.weights is None else self.weights[rows]
        return self.engine.network.sklearn_gradient(X, self.y[rows], weights, alpha, self.strict)

    def _sparse(self, alpha: float) -> tuple[float, Any]:
        """Do the same for sparse rows, one chunk at a time."""
        n = self.X.shape[0]
        whole = float(n if self.weights is None else self.weights.sum())
        loss, flat = 0.0, np.zeros(self.engine.network.n_parameters, dtype=self.engine.dtype)
        for start in range(0, n, SPARSE_ROWS):
            rows = slice(start, min(start + SPARSE_ROWS, n))
            weight = rows.stop - start if self.weights is None else self.weights[rows].sum()
            if weight > 0:
                # alpha / weight · weight / whole: each chunk adds its share of the penalty.
                part, d_part = self._native(rows, alpha * weight / whole)
                loss += part * (weight / whole)
                flat += d_part * (weight / whole)
        return loss, flat
