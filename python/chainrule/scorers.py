"""scikit-learn's scorers as metrics: "roc_auc", "f1_macro", "neg_log_loss" and every other name that it has.

A scorer asks an estimator for predictions of X. Here X is the result of `Network.predict` already, and the estimator
only says what it means: classes with probabilities, classes with margins, or numbers. So each value, its sign and its
direction (greater is better) are scikit-learn's own.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.metrics import get_scorer, get_scorer_names

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .metrics import Metric
    from .outputs import Outputs

    Array: TypeAlias = NDArray[Any]


def names() -> list[str]:
    """Return the names of the scorers of the installed scikit-learn."""
    found: list[str] = get_scorer_names()
    return found


def scorer(name: str, outputs: Outputs, n_targets: int) -> Metric:
    """Return the scorer of that name as a metric for predictions of that meaning, in the first `n_targets` columns.

    Raises
    ------
    ValueError
        The scorer cannot be computed from what the network predicts.
    """
    score, predicted = get_scorer(name), estimator(outputs, n_targets)

    def measured(y_true: Array, y_pred: Array, sample_weight: Array | None = None) -> float:
        y, a = outputs.truth(y_true), y_pred[:, :n_targets]
        extra = {} if sample_weight is None else {"sample_weight": sample_weight}
        try:
            return float(score(predicted, a, y, **extra))
        except ValueError as error:  # such as a class that these rows lack
            warnings.warn(f"metric {name!r} is undefined for these rows: {one_line(error)}", stacklevel=2)
            return float("nan")
        except TypeError as error:
            raise ValueError(f"metric {name!r}: {one_line(error)}") from None

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            score(predicted, *examples(outputs, n_targets))
    except (ValueError, TypeError, AttributeError) as error:
        why = "it needs probabilities" if isinstance(error, AttributeError) else one_line(error)
        alike = [other for other in names() if other.startswith(f"{name}_") and outputs.kind != "numbers"]
        hint = f" (others are {', '.join(alike)})" if alike else ""
        raise ValueError(
            f"metric {name!r} does not fit a network that predicts {in_words(outputs, n_targets)}: {why}{hint}"
        ) from None
    return measured


def in_words(outputs: Outputs, n_targets: int) -> str:
    """Return what a network predicts."""
    if outputs.kind == "numbers":
        return "numbers"
    return f"{max(2, n_targets)} classes" if outputs.exclusive else "a yes or no at each output"


def examples(outputs: Outputs, n_targets: int) -> tuple[Array, Array]:
    """Return predictions and targets of a few rows, to find out whether a scorer can be computed at all."""
    n = max(2, n_targets)
    if outputs.kind == "numbers":
        y = np.linspace(0.5, 2.5, 3).reshape(-1, 1).repeat(n_targets, axis=1)
        return y + 0.25, y[:, 0] if n_targets == 1 else y
    if outputs.exclusive:
        a = (np.eye(n) + 1.0) / (n + 1)
        return (a if n_targets > 1 else a[:, 1:]), np.arange(n)
    y = np.eye(n, n_targets, dtype=np.int64)
    return np.where(y, 0.75, 0.25), y


def estimator(outputs: Outputs, n_targets: int) -> BaseEstimator:
    """Return what stands in the place of an estimator."""
    if outputs.kind == "numbers":
        return Numbers()
    return (Margins if outputs.margin else Probabilities)(outputs, n_targets)


class Numbers(RegressorMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """Its rows X are the predicted numbers."""

    def predict(self, X: Array) -> Array:
        """Return the numbers, (n,) or (n, n_targets)."""
        return X[:, 0] if X.shape[1] == 1 else X


class Classes(ClassifierMixin, BaseEstimator):  # type: ignore[misc] # likewise
    """Its rows X are the network's outputs, each of which belongs to a class."""

    def __init__(self, outputs: Outputs, n_targets: int) -> None:
        self.outputs = outputs
        self.n_targets = n_targets
        self.classes_ = np.arange(max(2, n_targets)) if outputs.exclusive else [np.arange(2)] * n_targets

    def predict(self, X: Array) -> Array:
        """Return the class of each row, (n,), or a yes or no of each output, (n, n_targets)."""
        return self.outputs.truth(X)


class Probabilities(Classes):
    """Its outputs are probabilities."""

    def predict_proba(self, X: Array) -> Array:
        """Return the probability of each class."""
        return np.hstack([1 - X, X]) if self.n_targets == 1 else X


class Margins(Classes):
    """Its outputs are margins, a yes from 0 on."""

    def decision_function(self, X: Array) -> Array:
        """Return the margins."""
        return X[:, 0] if self.n_targets == 1 else X


def one_line(error: Exception) -> str:
    """Return an error's text without line breaks and the full stop at its end."""
    return " ".join(str(error).split()).removesuffix(".")
