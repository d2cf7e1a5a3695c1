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

from chainrule._native import Course
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
    engine = Engine(est, est.solver)
    optimizer.load(engine)
    watched = early_stopping or bool(est.verbose) or incremental or optimizer.changes_every_epoch
    epochs = Epochs(engine, est, X, y, sample_weight, one_by_one=watched)
    try:
        est.n_iter_ = 0
        while est.n_iter_ < est.max_iter:
            try:
                epochs.run(est.max_iter - est.n_iter_, optimizer)
            finally:  # Ctrl-C ends the epoch under way; those before it count
                if epochs.losses:
                    est.loss_curve_ += epochs.losses
                    est.loss_ = epochs.losses[-1]
                    est.n_iter_ += len(epochs.losses)
                    est.t_ += n * len(epochs.losses)
            if est.verbose:
                print(f"Iteration {est.n_iter_}, loss = {est.loss_:.8f}")
            if early_stopping:
                engine.store(est)  # the validation score predicts with them
            if epochs.one_by_one:
                est._update_no_improvement_count(early_stopping, X_val, y_val, weights_val)  # noqa: SLF001
            else:
                est.best_loss_, est._no_improvement_count = epochs.course.best_loss, epochs.course.misses  # noqa: SLF001
            optimizer.iteration_ends(est.t_)
            if est._no_improvement_count > est.n_iter_no_change:  # noqa: SLF001
                what = "Validation score" if early_stopping else "Training loss"
                msg = f"{what} did not improve more than tol={est.tol:f} for {est.n_iter_no_change} consecutive epochs."
                if optimizer.trigger_stopping(msg, est.verbose):
                    break
                est._no_improvement_count = epochs.course.misses = 0  # noqa: SLF001
            if incremental:
                break
            if est.n_iter_ == est.max_iter:
                text = f"Stochastic Optimizer: Maximum iterations ({est.max_iter}) reached and the optimization hasn't"
                warnings.warn(f"{text} converged yet.", ConvergenceWarning, stacklevel=2)
    except KeyboardInterrupt:
        warnings.warn("Training interrupted by user.", stacklevel=2)
    finally:
        epochs.end()
        engine.store(est)
        optimizer.store(engine)
    if early_stopping:
        est.coefs_ = est._best_coefs  # noqa: SLF001
        est.intercepts_ = est._best_intercepts  # noqa: SLF001


class Epochs:
    """Native epochs over one set of rows: one at a time where each is looked at, else as many as patience allows."""

    def __init__(self, engine: Engine, est: Any, X: Any, y: Any, weights: Any, *, one_by_one: bool) -> None:
        self.engine, self.alpha = engine, float(est.alpha)
        self.X = X.tocsr() if sparse.issparse(X) else np.ascontiguousarray(X)
        self.y = targets(y, est.out_activation_, engine.dtype)
        self.weights = None if weights is None else np.asarray(weights, dtype=np.float64)
        # What scikit-learn's Poisson loss holds beside ours: it depends on the targets alone.
        self.constant = (xlogy(y, y) - y).sum(axis=1) if est.out_activation_ == "exp" else None
        n = X.shape[0]
        self.batch_size = _batch_size(est, n)
        self.order = np.arange(n, dtype=np.int64)
        self.random = est._random_state if est.shuffle else None  # noqa: SLF001
        state = None if self.random is None else self.random.get_state(legacy=False)
        # Batches that are looked into, and another generator than the usual one, are for Python to go through.
        self.by_batch = self.weights is not None or self.constant is not None or sparse.issparse(X)
        self.in_python = self.by_batch or (state is not None and state["bit_generator"] != "MT19937")
        self.one_by_one = one_by_one or self.in_python
        self.state = None if self.in_python else state
        twister = None
        if self.state is not None:
            words = self.state["state"]
            twister = (words["key"].astype(np.int64), int(words["pos"]))
        patience = (0.0, np.inf, np.inf, 0)
        if not self.one_by_one:
            patience = (est.tol, est.n_iter_no_change, est.best_loss_, est._no_improvement_count)  # noqa: SLF001
        self.course = Course(n, self.batch_size, twister, *patience)
        self.losses: list[float] = []

    def run(self, most: int, optimizer: Sgd | Adam) -> None:
        """Train up to `most` epochs, whose losses are then in `losses`, also of those before one that failed."""
        self.losses = []
        if self.in_python:
            if self.random is not None:
                self.order = shuffle(self.order, random_state=self.random)
            self.losses = [self._in_batches(optimizer) if self.by_batch else self._in_order(optimizer)]
            return
        try:
            self._train(self.X, self.y, None, self.course, optimizer, 1 if self.one_by_one else most)
        finally:
            self.losses = self.course.losses

    def end(self) -> None:
        """Leave the generator where scikit-learn would have left it."""
        if self.random is not None and self.state is not None and self.course.random_state is not None:
            key, position = self.course.random_state
            self.state["state"] = {"key": np.array(key, dtype=np.uint32), "pos": position}
            self.random.set_state(self.state)

    def _in_order(self, optimizer: Sgd | Adam) -> float:
        """Train one epoch in the order of this object; return its loss."""
        self.course.set_order(self.order)
        self._train(self.X, self.y, self.weights, self.course, optimizer, 1)
        return float(self.course.losses[0])

    def _in_batches(self, optimizer: Sgd | Adam) -> float:
        """Do the same with a look at the rows of each batch: their weights, what only targets add, sparse rows."""
        n, loss = len(self.order), 0.0
        for part in gen_batches(n, self.batch_size):
            rows = self.order[part]
            loss += self._of_targets(rows) * len(rows)
            if sparse.issparse(self.X):
                course = Course(len(rows), len(rows), None, 0.0, np.inf, np.inf, 0)
                weights = None if self.weights is None else self.weights[rows]
                self._train(self.X[rows].toarray(), self.y[rows], weights, course, optimizer, 1)
                loss += course.losses[0] * len(rows)
        return loss / n if sparse.issparse(self.X) else self._in_order(optimizer) + loss / n

    def _of_targets(self, rows: Any) -> float:
        """Return the part of a batch's loss that its targets alone decide; refuse weights that sum to zero."""
        weights = None if self.weights is None else self.weights[rows]
        if weights is not None and weights.sum() == 0.0:
            raise ZeroDivisionError("Weights sum to zero, can't be normalized")
        return 0.0 if self.constant is None else float(np.average(self.constant[rows], weights=weights))

    def _train(self, X: Any, y: Any, weights: Any, course: Course, optimizer: Sgd | Adam, most: int) -> None:
        rate, rule = optimizer.rule()
        Engine.steps += 1
        self.engine.network.sklearn_epochs(X, y, weights, course, most, self.alpha, rate, rule)


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
