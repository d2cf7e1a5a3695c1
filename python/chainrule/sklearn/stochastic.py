"""Training by sgd and adam: native epochs with scikit-learn's splits, permutations and stopping."""

from __future__ import annotations

import time
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import gen_batches, shuffle

from chainrule._native import DivergenceError, Progress
from chainrule.batch import WEIGHTS_CANCEL, weights_cancel
from chainrule.sklearn.engine import Engine, beside_poisson, targets
from chainrule.sklearn.loss import Loss
from chainrule.sklearn.optimizers import Adam, Sgd
from chainrule.sklearn.validation import Given, Validation, split, validated
from chainrule.sklearn.warning import warn

if TYPE_CHECKING:
    from chainrule.sklearn.callbacks import Hooks


def fit_stochastic(
    estimator: Any,
    X: Any,
    y: Any,
    sample_weight: Any,
    *,
    incremental: bool,
    given: Given | None = None,
    hooks: Hooks | None = None,
) -> None:
    """Train `estimator` on validated data; y is 2-D. `given` are the caller's validation data."""
    est = estimator
    if not incremental or not hasattr(est, "_optimizer"):
        est._optimizer = (Sgd if est.solver == "sgd" else Adam)(est, est.coefs_ + est.intercepts_)  # noqa: SLF001
    if est.early_stopping and incremental:
        raise ValueError("partial_fit does not support early_stopping=True")
    if not est.strict:
        _go_on_with_random_numbers(est, incremental=incremental)
    validation = None
    if given:
        validation = validated(est, given)
    elif est.early_stopping:
        X, y, sample_weight, validation = split(est, X, y, sample_weight)
    fit = Fit(est, X, y, sample_weight, validation, hooks, incremental=incremental)
    if validation and (given or est.scoring is not None):
        fit.watch_loss(validation)
    fit.run()


class Fit:
    """A fit: epochs until loss or score stop improving, time is up, a callback ends it, or `max_iter` is reached."""

    def __init__(
        self,
        estimator: Any,
        X: Any,
        y: Any,
        sample_weight: Any,
        validation: Validation | None,
        hooks: Hooks | None,
        *,
        incremental: bool,
    ) -> None:
        est = self.estimator = estimator
        self.n, self.validation, self.hooks, self.incremental = X.shape[0], validation, hooks, incremental
        self.optimizer = est._optimizer  # noqa: SLF001
        seed = None
        if np.any(est.dropout):
            # Each call gets its own masks, also a `partial_fit` with an integer seed.
            seed = (int(est._random_state.randint(2**31 - 1)) + est.t_) % 2**32  # noqa: SLF001
        # As in scikit-learn, deltas have the widest dtype, and a `partial_fit` goes on with the optimizer it has.
        dtype = np.result_type(X.dtype, y.dtype, est.coefs_[0].dtype)
        self.engine = Engine(est, self.optimizer.solver, dtype, dropout_seed=seed)
        self.optimizer.load(self.engine)
        self.validation_loss: Loss | None = None
        one_by_one = (
            (hooks is not None and hooks.are_there)
            or incremental
            or validation is not None
            or bool(est.verbose)
            or est.max_seconds is not None
            or self.optimizer.changes_every_epoch
        )
        self.epochs = Epochs(self.engine, est, X, y, sample_weight, one_by_one=one_by_one)

    def watch_loss(self, validation: Validation) -> None:
        """Record the loss of these rows in `validation_loss_curve_` after each epoch."""
        X, y, _, weights = validation
        self.validation_loss = Loss(self.engine, self.estimator, X, y, weights)

    def run(self) -> None:
        """Train, and store the result in the estimator, also after Ctrl-C."""
        est = self.estimator
        ends_at = np.inf if est.max_seconds is None else time.monotonic() + est.max_seconds
        try:
            est.n_iter_ = 0
            while est.n_iter_ < est.max_iter:
                self.train()
                if self.is_over() or self.incremental:
                    break
                if est.n_iter_ == est.max_iter:
                    _warn(f"Maximum iterations ({est.max_iter}) reached")
                elif time.monotonic() >= ends_at:
                    _warn(f"max_seconds={est.max_seconds:g} reached after {est.n_iter_} iterations")
                    break
        except KeyboardInterrupt:
            warn("Training interrupted by user.")
        finally:
            self.epochs.end()
            self.engine.store(est)
            self.optimizer.store(self.engine)
            if est.early_stopping:
                self.keep_best()
        if self.has_diverged():
            raise DivergenceError(
                f"the loss of epoch {est.n_iter_} is {est.loss_}: try a lower learning_rate_init, or scale X"
            )

    def keep_best(self) -> None:
        """Return to the weights of the best validation score.

        A score that is NaN is never best. Where no score was best, the last weights stay if they are finite;
        scikit-learn would return the initial ones.
        """
        est = self.estimator
        was_best = est.best_validation_score_ > -np.inf
        is_finite = all(np.isfinite(part).all() for part in [*est.coefs_, *est.intercepts_])
        if was_best or not is_finite:
            est.coefs_, est.intercepts_ = est._best_coefs, est._best_intercepts  # noqa: SLF001
        if not was_best and est.validation_scores_:
            kept = "of the last epoch; check scoring and the validation rows" if is_finite else "before training"
            text = f"The validation score was never a number, so none was best: the weights are those {kept}."
            warn(text, ConvergenceWarning)

    def has_diverged(self) -> bool:
        """Tell whether training ends because the last loss is not finite."""
        curve = self.estimator.loss_curve_
        return not self.estimator.strict and len(curve) > 0 and not np.isfinite(curve[-1])

    def train(self) -> None:
        """Train one epoch, or several if Python has nothing to do between them, and record their losses."""
        est, epochs = self.estimator, self.epochs
        if self.hooks:
            self.hooks.epoch_begins(self.engine.arrays)
        try:
            epochs.run(est.max_iter - est.n_iter_, self.optimizer)
        finally:  # Ctrl-C discards the current epoch; earlier ones count
            if epochs.losses:
                est.loss_curve_ += epochs.losses
                est.loss_ = epochs.losses[-1]
                est.n_iter_ += len(epochs.losses)
                est.t_ += self.n * len(epochs.losses)
        if est.verbose:
            print(f"Iteration {est.n_iter_}, loss = {est.loss_:.8f}")

    def is_over(self) -> bool:
        """Evaluate the stopping rules after an epoch; tell whether it was the last."""
        est, optimizer = self.estimator, self.optimizer
        if self.validation_loss:
            curve = getattr(est, "validation_loss_curve_", [])
            missed = [np.nan] * (len(est.loss_curve_) - 1 - len(curve))  # epochs of a warm start without validation
            est.validation_loss_curve_ = [*curve, *missed, self.validation_loss.with_gradient(0.0)[0]]
        if est.early_stopping:
            self.engine.store(est)  # the validation score predicts with the estimator's arrays
        if self.epochs.one_by_one:
            v = self.validation
            seen = (v.X, v.labels, v.sample_weight) if v else (None, None, None)
            est._update_no_improvement_count(est.early_stopping, *seen)  # noqa: SLF001
        else:
            progress = self.epochs.progress
            est.best_loss_, est._no_improvement_count = progress.best_loss, progress.misses  # noqa: SLF001
        optimizer.iteration_ends(est.t_)
        if self.hooks and self.hooks.epoch_ends(self.engine.arrays):
            return True
        if self.has_diverged():
            return True
        if est._no_improvement_count > est.n_iter_no_change:  # noqa: SLF001
            what = "Validation score" if est.early_stopping else "Training loss"
            msg = f"{what} did not improve more than tol={est.tol:f} for {est.n_iter_no_change} consecutive epochs."
            if optimizer.trigger_stopping(msg, est.verbose):
                return True
            est._no_improvement_count = self.epochs.progress.misses = 0  # noqa: SLF001
        return False


class Epochs:
    """Native epochs over one set of rows: singly if Python acts between them, else as many as patience allows."""

    def __init__(self, engine: Engine, est: Any, X: Any, y: Any, weights: Any, *, one_by_one: bool) -> None:
        self.engine, self.alpha, self.strict = engine, float(est.alpha), bool(est.strict)
        self.X = X.tocsr() if sparse.issparse(X) else np.ascontiguousarray(X)
        self.y = targets(y, est.out_activation_, engine.dtype)
        self.weights = None if weights is None else np.asarray(weights, dtype=np.float64)
        self.constant = beside_poisson(y).sum(axis=1) if est.out_activation_ == "exp" else None
        n = X.shape[0]
        self.batch_size = _batch_size(est, n)
        if weights_cancel(self.batch_size, self.weights):
            warn(WEIGHTS_CANCEL)
        self.order = np.arange(n, dtype=np.int64)
        self.random = est._random_state if est.shuffle else None  # noqa: SLF001
        state = None if self.random is None else self.random.get_state(legacy=False)
        # Python must make the batches if it inspects their rows, or if the generator is not NumPy's Mersenne Twister.
        may_be_zero = self.strict and self.weights is not None and not self.weights.all()
        self.by_batch = may_be_zero or self.constant is not None or sparse.issparse(X)
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
        self.progress = Progress(n, self.batch_size, twister, *patience, self.strict)
        self.losses: list[float] = []

    def run(self, most: int, optimizer: Sgd | Adam) -> None:
        """Train up to `most` epochs and put their losses into `losses`, also those before a failed epoch."""
        self.losses = []
        if self.in_python:
            if self.random is not None:
                self.order = shuffle(self.order, random_state=self.random)
            self.losses = [self._in_batches(optimizer) if self.by_batch else self._in_order(optimizer)]
            return
        try:
            self._train(self.X, self.y, self.weights, self.progress, optimizer, 1 if self.one_by_one else most)
        finally:
            self.losses = self.progress.losses

    def end(self) -> None:
        """Leave the generator in the state in which scikit-learn would leave it."""
        if self.random is not None and self.state is not None and self.progress.random_state is not None:
            key, position = self.progress.random_state
            self.state["state"] = {"key": np.array(key, dtype=np.uint32), "pos": position}
            self.random.set_state(self.state)

    def _in_order(self, optimizer: Sgd | Adam) -> float:
        """Train one epoch in this object's order of rows; return its loss."""
        self.progress.set_order(self.order)
        self._train(self.X, self.y, self.weights, self.progress, optimizer, 1)
        return float(self.progress.losses[0])

    def _in_batches(self, optimizer: Sgd | Adam) -> float:
        """Do the same batch by batch in Python, for zero weights, loss terms of the targets, and sparse rows."""
        n, loss = len(self.order), 0.0
        for part in gen_batches(n, self.batch_size):
            rows = self.order[part]
            loss += self._of_targets(rows) * len(rows)
            if sparse.issparse(self.X):
                progress = Progress(len(rows), len(rows), None, 0.0, np.inf, np.inf, 0, self.strict)
                weights = None if self.weights is None else self.weights[rows]
                self._train(self.X[rows].toarray(), self.y[rows], weights, progress, optimizer, 1)
                loss += progress.losses[0] * len(rows)
        return loss / n if sparse.issparse(self.X) else self._in_order(optimizer) + loss / n

    def _of_targets(self, rows: Any) -> float:
        """Return the part of a batch's loss that depends on its targets alone; refuse weights that sum to zero."""
        weights = None if self.weights is None else self.weights[rows]
        if weights is not None and weights.sum() == 0.0:
            if self.strict:
                raise ZeroDivisionError("Weights sum to zero, can't be normalized")
            return 0.0
        return 0.0 if self.constant is None else float(np.average(self.constant[rows], weights=weights))

    def _train(self, X: Any, y: Any, weights: Any, progress: Progress, optimizer: Sgd | Adam, most: int) -> None:
        rate, rule = optimizer.rule()
        Engine.steps += 1
        self.engine.network.sklearn_epochs(X, y, weights, progress, most, self.alpha, rate, rule, self.strict)


def _go_on_with_random_numbers(est: Any, *, incremental: bool) -> None:
    """Make each `partial_fit` with an integer seed continue the random numbers of the one before."""
    if not incremental:
        vars(est).pop("_partial_random_state", None)
    elif isinstance(est.random_state, Integral):
        est._random_state = vars(est).setdefault("_partial_random_state", est._random_state)  # noqa: SLF001


def _warn(what: str) -> None:
    text = f"Stochastic Optimizer: {what} and the optimization hasn't converged yet."
    warn(text, ConvergenceWarning)


def _batch_size(est: Any, n: int) -> int:
    if est.batch_size == "auto":
        return min(200, n)
    if est.batch_size > n:
        text = "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped"
        warn(text)
    return int(np.clip(est.batch_size, 1, n))
