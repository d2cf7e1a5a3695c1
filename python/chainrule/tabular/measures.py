"""The measures of a table's predictions, each beside that of a constant prediction, which knows nothing of the inputs.

For classes the constant is the share of each class, so its answer is always the commonest one; for numbers it is their
mean. Both are of the rows that are measured. scikit-learn computes all but the four that `chainrule.metrics` has.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule import metrics
from chainrule.extras import install
from chainrule.outputs import Outputs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[Any]

# The names of measures in printed output; others are printed as they are called.
TITLES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "f1_macro": "F1 (macro)",
    "roc_auc": "ROC AUC",
    "log_loss": "log loss",
    "r2": "R²",
    "rmse": "RMSE",
    "mae": "MAE",
}


def of_classes(y: Array, p: Array, sample_weight: Array | None = None, more: Sequence[str] = ()) -> dict[str, float]:
    """Return the measures of class indices y, (n,), and their predicted probabilities p, (n, n_classes).

    "f1_macro" is the plain mean of each class's F1, and "roc_auc" of more than two classes the mean of one against the
    rest; it is NaN if the rows lack a class.

    >>> found = of_classes(np.array([0, 1, 1, 1]), np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]]))
    >>> {name: round(value, 4) for name, value in found.items()}  # doctest: +NORMALIZE_WHITESPACE
    {'accuracy': 0.75, 'balanced_accuracy': 0.8333, 'f1_macro': 0.7333, 'roc_auc': 1.0, 'log_loss': 0.4004}
    """
    sk = sklearn_metrics()
    k, predicted = p.shape[1], p.argmax(axis=1)
    extra = {"sample_weight": sample_weight}
    shares = p.astype(np.float64)
    shares /= shares.sum(axis=1, keepdims=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a class may be predicted of which there is no row
        found = {
            "accuracy": metrics.accuracy(y, p, sample_weight),
            "balanced_accuracy": sk.balanced_accuracy_score(y, predicted, **extra),
            "f1_macro": sk.f1_score(y, predicted, labels=range(k), average="macro", zero_division=0, **extra),
            "roc_auc": float("nan"),
            "log_loss": sk.log_loss(y, shares, labels=range(k), **extra),
        }
        if len(np.unique(y)) == k:
            found["roc_auc"] = (
                sk.roc_auc_score(y, shares[:, 1], **extra)
                if k == 2
                else sk.roc_auc_score(y, shares, multi_class="ovr", labels=range(k), **extra)
            )
    found |= {name: measure(y, p, sample_weight) for name, measure in chosen(more, "one of several", k).items()}
    return {name: float(value) for name, value in found.items()}


def of_numbers(y: Array, a: Array, sample_weight: Array | None = None, more: Sequence[str] = ()) -> dict[str, float]:
    """Return the measures of numbers y and their predictions a, (n,), in their own unit.

    >>> of_numbers(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 6.0]), more=["neg_max_error"])["mae"]
    1.0
    """
    pair = y.reshape(-1, 1), a.reshape(-1, 1), sample_weight
    found = {name: metrics.METRICS[name](*pair) for name in ("rmse", "mae", "r2")}
    return found | {name: measure(*pair) for name, measure in chosen(more, "numbers", 1).items()}


def shares(y: Array, n_classes: int, sample_weight: Array | None = None) -> Array:
    """Return the constant prediction for class indices y: the share of each class, (n, n_classes)."""
    count = np.bincount(y, weights=sample_weight, minlength=n_classes).astype(np.float64)
    return np.tile(count / count.sum(), (len(y), 1))


def mean(y: Array, sample_weight: Array | None = None) -> Array:
    """Return the constant prediction for numbers y: their mean, (n,)."""
    return np.full(len(y), np.average(y, weights=sample_weight))


def chosen(names: Sequence[str], kind: str, n_outputs: int) -> dict[str, metrics.Metric]:
    """Return metrics by name, those of `chainrule.metrics` or scikit-learn's scorers.

    Raises
    ------
    ValueError
        A name is unknown, or its metric does not fit.
    """
    outputs = Outputs(kind)
    return {name: metrics.METRICS.get(name) or metrics.scorer(name, outputs, n_outputs) for name in names}


def sklearn_metrics() -> Any:
    """Import and return sklearn.metrics."""
    try:
        from sklearn import metrics as of_sklearn
    except ImportError as missing:
        raise ImportError(f"scoring classes needs scikit-learn: {install('cli')}") from missing
    return of_sklearn
