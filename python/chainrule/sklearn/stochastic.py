"""Training by sgd and adam: scikit-learn's splits, permutations and stopping around native epochs."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from scipy import sparse
from scipy.special import xlogy
from sklearn.base import is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import gen_batches, shuffle

from chainrule.sklearn.engine import Engine, targets
from chainrule.sklearn.optimizers import Adam, Sgd


def fit_stochastic(estimator: Any, X: Any, y: Any, sample_weight: Any, *, incremental: bool) -> None:
    """Train `estimator` on validated data; y is 2-D."""
    est = estimator
    params = est.coefs_ + est.intercepts_
    if not incremental or not hasattr(est, "_optimizer"):
        est._optimizer = (Sgd if est.solver == "sgd" else Adam)(est, params)  # noqa: SLF001
    optimizer = est._optimizer  # noqa: SLF001
    early_stopping = est.early_stopping
    if early_stopping and incremental:
        raise ValueError("partial_fit does not support early_stopping=True")
    X_val = y_val = weights_val = None
    if early_stopping:
        X, X_val, y, y_val, sample_weight, weights_val = _split(est, X, y, sample_weight)
    n = X.shape[0]
    batch_size = _batch_size(est, n)
    engine = Engine(est, est.solver)
    optimizer.load(engine)
    epoch = Epochs(engine, X, y, sample_weight, est.out_activation_, batch_size, float(est.alpha))
    order = np.arange(n, dtype=np.int64)
    try:
        est.n_iter_ = 0
        for _ in range(est.max_iter):
            if est.shuffle:
                order = shuffle(order, random_state=est._random_state)  # noqa: SLF001
            est.loss_ = epoch.run(order if est.shuffle else None, optimizer)
            est.n_iter_ += 1
            est.t_ += n
            est.loss_curve_.append(est.loss_)
            if est.verbose:
                print(f"Iteration {est.n_iter_}, loss = {est.loss_:.8f}")
            if early_stopping:
                engine.store(est)  # the validation score predicts with them
            est._update_no_improvement_count(early_stopping, X_val, y_val, weights_val)  # noqa: SLF001
            optimizer.iteration_ends(est.t_)
            if est._no_improvement_count > est.n_iter_no_change:  # noqa: SLF001
                what = "Validation score" if early_stopping else "Training loss"
                msg = f"{what} did not improve more than tol={est.tol:f} for {est.n_iter_no_change} consecutive epochs."
                if optimizer.trigger_stopping(msg, est.verbose):
                    break
                est._no_improvement_count = 0  # noqa: SLF001
            if incremental:
                break
            if est.n_iter_ == est.max_iter:
                text = f"Stochastic Optimizer: Maximum iterations ({est.max_iter}) reached and the optimization hasn't"
                warnings.warn(f"{text} converged yet.", ConvergenceWarning, stacklevel=2)
    except KeyboardInterrupt:
        warnings.warn("Training interrupted by user.", stacklevel=2)
    finally:
        engine.store(est)
        optimizer.store(engine)
    if early_stopping:
        est.coefs_ = est._best_coefs  # noqa: SLF001
        est.intercepts_ = est._best_intercepts  # noqa: SLF001


class Epochs:
    """Native epochs over one set of rows."""

    def __init__(
        self, engine: Engine, X: Any, y: Any, weights: Any, out_activation: str, batch_size: int, alpha: float
    ) -> None:
        self.engine, self.batch_size, self.alpha = engine, batch_size, alpha
        self.X = X.tocsr() if sparse.issparse(X) else np.ascontiguousarray(X)
        self.y = targets(y, out_activation, engine.dtype)
        self.weights = None if weights is None else np.asarray(weights, dtype=np.float64)
        # What scikit-learn's Poisson loss holds beside ours: it depends on the targets alone.
        self.constant = (xlogy(y, y) - y).sum(axis=1) if out_activation == "exp" else None

    def run(self, order: Any, optimizer: Sgd | Adam) -> float:
        """Train one epoch and return its loss."""
        if self.weights is None and self.constant is None and not sparse.issparse(self.X):
            return self.train(self.X, self.y, None, order, optimizer)
        n = self.X.shape[0]
        rows = np.arange(n) if order is None else order
        if not sparse.issparse(self.X):
            rest = sum(
                self.of_targets(rows[part]) * (part.stop - part.start) for part in gen_batches(n, self.batch_size)
            )
            return float(self.train(self.X, self.y, self.weights, order, optimizer) + rest / n)
        loss: float = 0.0
        for part in gen_batches(n, self.batch_size):
            picked = rows[part]
            rest = self.of_targets(picked)
            weights = None if self.weights is None else self.weights[picked]
            batch_loss = self.train(self.X[picked].toarray(), self.y[picked], weights, None, optimizer)
            loss += (batch_loss + rest) * (part.stop - part.start)
        return float(loss / n)

    def of_targets(self, rows: Any) -> float:
        """Return the part of a batch's loss that its targets alone decide; refuse weights that sum to zero."""
        weights = None if self.weights is None else self.weights[rows]
        if weights is not None and weights.sum() == 0.0:
            raise ZeroDivisionError("Weights sum to zero, can't be normalized")
        return 0.0 if self.constant is None else float(np.average(self.constant[rows], weights=weights))

    def train(self, X: Any, y: Any, weights: Any, order: Any, optimizer: Sgd | Adam) -> float:
        """Hand an epoch, or one batch of it, to the core."""
        rate, rule = optimizer.rule()
        Engine.steps += 1
        return self.engine.network.sklearn_epoch(X, y, weights, order, self.batch_size, self.alpha, rate, rule)


def _split(est: Any, X: Any, y: Any, sample_weight: Any) -> tuple[Any, ...]:
    """Split off the validation set with scikit-learn's draws."""
    stratify = y if is_classifier(est) and est.n_outputs_ == 1 else None
    arrays = [X, y] if sample_weight is None else [X, y, sample_weight]
    parts = train_test_split(
        *arrays,
        random_state=est._random_state,  # noqa: SLF001
        test_size=est.validation_fraction,
        stratify=stratify,
    )
    if sample_weight is None:
        parts = [*parts, None, None]
    if parts[1].shape[0] < 2:
        raise ValueError("The validation set is too small. Increase 'validation_fraction' or the size of your dataset.")
    if is_classifier(est):
        parts[3] = est._label_binarizer.inverse_transform(parts[3])  # noqa: SLF001
    return tuple(parts)


def _batch_size(est: Any, n: int) -> int:
    if est.batch_size == "auto":
        return min(200, n)
    if est.batch_size > n:
        text = "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped"
        warnings.warn(text, stacklevel=2)
    return int(np.clip(est.batch_size, 1, n))
