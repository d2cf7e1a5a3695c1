"""Training by L-BFGS-B on the native loss and gradient, in scikit-learn's order of the parameters."""

from __future__ import annotations

import time
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.fixes import _get_additional_lbfgs_options_dict
from sklearn.utils.optimize import _check_optimize_result

from chainrule.sklearn.engine import Engine
from chainrule.sklearn.loss import Loss
from chainrule.sklearn.warning import warn

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from chainrule.sklearn.callbacks import Hooks


def fit_lbfgs(estimator: Any, X: Any, y: Any, sample_weight: Any, *, hooks: Hooks | None) -> None:
    """Train `estimator` on validated data with SciPy's L-BFGS-B; y is 2-D."""
    est = estimator
    objective = Objective(est, X, y, sample_weight)
    ends_at = np.inf if est.max_seconds is None else time.monotonic() + est.max_seconds
    start = np.concatenate([part.ravel() for part in [*est.coefs_, *est.intercepts_]])
    if hooks:
        hooks.epoch_begins(lambda: objective.arrays(start))

    ended, n_iter = "", 0

    def iteration(packed: NDArray[Any]) -> None:
        nonlocal ended, n_iter
        n_iter += 1
        if hooks is not None and hooks.epoch_ends(lambda: objective.arrays(packed)):
            ended = "callback"
        elif time.monotonic() >= ends_at:
            ended = "max_seconds"
        if ended:
            raise StopIteration
        if hooks and n_iter < est.max_iter:
            hooks.epoch_begins(lambda: objective.arrays(packed))

    options = {"maxfun": est.max_fun, "maxiter": est.max_iter, "gtol": est.tol}
    printing = _get_additional_lbfgs_options_dict("iprint", 1 if est.verbose >= 1 else -1)  # before SciPy 1.15
    is_watched = est.max_seconds is not None or (hooks is not None and hooks.are_there)
    result = minimize(
        objective,
        start,
        method="L-BFGS-B",
        jac=True,
        options={**options, **printing},
        callback=iteration if is_watched else None,
    )
    est.n_iter_ = result.nit if ended else _checked(result, est.max_iter)
    est.loss_ = result.fun
    arrays = objective.arrays(result.x)
    est.coefs_, est.intercepts_ = arrays[: len(est.coefs_)], arrays[len(est.coefs_) :]
    if ended == "max_seconds":
        text = f"lbfgs: max_seconds={est.max_seconds:g} reached after {est.n_iter_} iterations and the optimization"
        warn(f"{text} hasn't converged yet.", ConvergenceWarning)


def _checked(result: Any, max_iter: int) -> int:
    """Return the number of iterations; pass on scikit-learn's warning as if it came from its own `_fit_lbfgs`."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        n_iter: int = _check_optimize_result("lbfgs", result, max_iter)
    for one in caught:
        warn(one.message)
    return n_iter


class Objective:
    """Loss and gradient of an estimator on some rows, in float64 for every dtype of X, as in SciPy."""

    def __init__(self, estimator: Any, X: Any, y: Any, sample_weight: Any) -> None:
        self.engine = Engine(estimator, dtype=np.dtype(np.float64))
        self.loss = Loss(self.engine, estimator, X, y, sample_weight)
        self.alpha = float(estimator.alpha)
        # SciPy's order: the weights of all layers, then the biases of all layers. The engine's order: layer by layer.
        parts = [*estimator.coefs_, *estimator.intercepts_]
        ends = np.cumsum([part.size for part in parts])
        indices = np.split(np.arange(ends[-1], dtype=np.float64), ends[:-1])
        self.order = self.engine.joined(indices).astype(np.intp)

    def __call__(self, packed: NDArray[Any]) -> tuple[float, Any]:
        """Return the loss at `packed` and its gradient."""
        if not np.isfinite(packed).all():
            # A line search went too far. From NaN, as scikit-learn's loss is there, L-BFGS goes back or ends.
            return np.nan, np.full(packed.shape, np.nan)
        # SciPy keeps x in float32 if it started in float32.
        self.engine.network.set_parameters(packed[self.order].astype(np.float64, copy=False))
        loss, flat = self.loss.with_gradient(self.alpha)
        gradient = np.empty_like(flat)
        gradient[self.order] = flat
        return loss, gradient

    def arrays(self, packed: NDArray[Any]) -> list[NDArray[Any]]:
        """Return `packed` as the weights of all layers, then the biases of all layers."""
        return self.engine.split(packed[self.order])
