"""What both estimators share: where scikit-learn's private hooks are handed to the native core."""

from __future__ import annotations

from numbers import Integral
from typing import Any, ClassVar, TypeVar

import numpy as np
from scipy import sparse
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import validate_data

from chainrule.sklearn.engine import Engine
from chainrule.sklearn.lbfgs import Objective
from chainrule.sklearn.optimizers import converted
from chainrule.sklearn.stochastic import fit_stochastic

Estimator = TypeVar("Estimator", bound=type)

CONSTRAINTS: dict[str, Any] = {"n_threads": [Interval(Integral, 1, None, closed="left"), None]}
"""What our own parameters may be, as scikit-learn says it of its own."""

ROWS = 1024
"""Rows of a sparse X that are made dense at once in a prediction."""


def described(estimator: Estimator) -> Estimator:
    """Put our parameters into scikit-learn's description of the class, less its example, which is of its own class."""
    summary, _, parameters = (estimator.__doc__ or "").partition("    Parameters\n    ----------\n")
    theirs = (estimator.__mro__[2].__doc__ or "").partition("    Examples\n")[0]
    _, rule, rest = theirs.partition("    Parameters\n")
    known, attributes, rest = rest.partition("    Attributes\n")
    # One section of each name, or what reads descriptions (HTML in notebooks) refuses them.
    estimator.__doc__ = f"{summary}{rule}{known.rstrip()}\n\n{parameters.rstrip()}\n\n{attributes}{rest}"
    return estimator


class NativeFit:
    """The hooks of scikit-learn's multilayer perceptron that compute."""

    n_threads: Any
    alpha: float
    coefs_: list[Any]
    intercepts_: list[Any]
    n_outputs_: int
    out_activation_: str
    _optimizer: Any
    _parameter_constraints: ClassVar[dict[str, Any]]

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Under `patch` it may be the state of scikit-learn's class. (mypy: the base that has it comes behind this one.)
        super().__setstate__({"n_threads": None, **state})  # type: ignore[misc]
        if hasattr(self, "_optimizer"):
            self._optimizer = converted(self._optimizer, to_ours=True)

    def _fit_stochastic(self, X: Any, y: Any, sample_weight: Any, *arguments: Any, **keywords: Any) -> None:
        incremental = keywords.get("incremental", arguments[-1] if arguments else False)
        fit_stochastic(self, X, y, sample_weight, incremental=incremental)

    def _fit_lbfgs(self, X: Any, y: Any, sample_weight: Any, *arguments: Any, **keywords: Any) -> None:
        self._objective = Objective(self, X, y, sample_weight)
        try:
            # mypy: the base that has it comes behind this one.
            super()._fit_lbfgs(X, y, sample_weight, *arguments, **keywords)  # type: ignore[misc]
        finally:
            del self._objective

    def _loss_grad_lbfgs(self, packed_coef_inter: Any, X: Any, y: Any, sample_weight: Any, *_: Any) -> Any:
        objective = getattr(self, "_objective", None) or Objective(self, X, y, sample_weight)
        return objective(packed_coef_inter)

    def _forward_pass_fast(self, X: Any, check_input: bool = True) -> Any:
        if check_input:
            X = validate_data(self, X, accept_sparse=["csr", "csc"], reset=False)
        if not all(np.isfinite(part).all() for part in [*self.coefs_, *self.intercepts_]):
            return np.full((X.shape[0], self.n_outputs_), np.nan)  # a fit that diverged is still scored on its way
        engine = Engine(self)
        Engine.steps += 1
        if not sparse.issparse(X):
            return engine.network.predict(np.ascontiguousarray(X, dtype=engine.dtype), None)
        rows = X.tocsr()
        parts = [rows[start : start + ROWS].toarray() for start in range(0, X.shape[0], ROWS)]
        return np.concatenate([engine.network.predict(part.astype(engine.dtype), None) for part in parts])
