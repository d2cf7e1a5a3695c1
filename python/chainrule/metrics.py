"""Metrics: familiar measures of how good predictions are.

Each is a function ``metric(y_true, y_pred, sample_weight=None)``: y_true is the target as the loss takes it (labels
(n,), or numbers (n, n_targets)), y_pred is the result of `Network.predict`, (n, n_outputs), and sample_weight is None
or (n,). All compute in float64. `evaluate` and `fit` take the names, or any function of this form. A name adapts to the
loss: the accuracy uses the threshold of the loss's outputs, and if a target has several outputs, the first one, its
mean, is compared.

Where scikit-learn is installed, the names of its scorers are metrics too ("roc_auc", "f1_macro", "neg_log_loss", …). It
computes them, so that sign and direction are as there: greater is better. Rows for which one is undefined, such as a
ROC AUC of rows that lack a class, give NaN and a warning.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ._arrays import as_numbers
from .batch import weights
from .extras import install
from .outputs import Outputs
from .reference.options import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from .reference.config import Spec

    Array: TypeAlias = NDArray[Any]
    Metric: TypeAlias = Callable[..., float]


def accuracy(y_true: Array, y_pred: Array, sample_weight: Array | None = None) -> float:
    """Share of the rows whose predicted class is correct, in [0, 1].

    With two or more outputs, a row's class is its largest output (the first of equals), and y_true holds labels or rows
    of probabilities. With one output, the class is 1 if the output is at least 0.5. It is scikit-learn's accuracy_score
    computed from probabilities. If each output decides on its own (losses with a `boundary`, such as
    binary_cross_entropy), the name "accuracy" means `subset_accuracy`.

    Examples
    --------
    >>> import numpy as np
    >>> accuracy(np.array([0, 1, 1]), np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]]))
    0.6666666666666666
    """
    y_true, y_pred, w = as_arrays(y_true, y_pred, sample_weight, "accuracy")
    if y_pred.shape[1] == 1:
        return subset_accuracy(y_true, y_pred, w)
    if y_true.ndim == 2 and y_true.shape != y_pred.shape:
        raise ValueError(differ(y_true, y_pred, "accuracy"))
    label = y_true if y_true.ndim == 1 else y_true.argmax(axis=1)
    return mean(y_pred.argmax(axis=1) == label, w)


def subset_accuracy(
    y_true: Array, y_pred: Array, sample_weight: Array | None = None, *, boundary: float = 0.5
) -> float:
    """Share of the rows whose outputs are all on the correct side of `boundary`, in [0, 1].

    The targets are compared with `boundary` too. It is scikit-learn's accuracy_score for multilabel targets. The name
    uses the boundary of the loss, if it has one.

    Examples
    --------
    >>> import numpy as np
    >>> subset_accuracy(np.array([[0, 1], [1, 1]]), np.array([[0.2, 0.9], [0.3, 0.8]]))
    0.5
    """
    y_true, y_pred, w = as_tables(y_true, y_pred, sample_weight, "subset_accuracy")
    return mean(((y_pred >= boundary) == (y_true >= boundary)).all(axis=1), w)


def r2(y_true: Array, y_pred: Array, sample_weight: Array | None = None) -> float:
    """Share of the variance explained, R² = 1 − Σ wᵢ (y − a)² / Σ wᵢ (y − ȳ)², averaged over outputs; <= 1.

    ȳ is the weighted mean. An output whose targets are all equal counts 1 if it is predicted exactly, else 0. It is
    scikit-learn's r2_score.

    Examples
    --------
    >>> import numpy as np
    >>> r2(np.array([[1.0], [2.0], [3.0]]), np.array([[1.0], [2.0], [2.0]]))
    0.5
    """
    y_true, y_pred, w = as_tables(y_true, y_pred, sample_weight, "r2")
    w = np.ones(len(y_true)) if w is None else w
    if not w.sum() > 0.0:
        return float("nan")
    residual = w @ (y_true - y_pred) ** 2
    spread = w @ (y_true - w @ y_true / w.sum()) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        explained = 1.0 - residual / spread
    return float(np.where(spread > 0.0, explained, residual == 0.0).mean())


def mae(y_true: Array, y_pred: Array, sample_weight: Array | None = None) -> float:
    """Mean absolute error, Σ wᵢ |y − a| / Σ wᵢ, averaged over outputs; >= 0. scikit-learn's mean_absolute_error.

    Examples
    --------
    >>> import numpy as np
    >>> mae(np.array([[1.0], [2.0]]), np.array([[1.5], [2.0]]))
    0.25
    """
    y_true, y_pred, w = as_tables(y_true, y_pred, sample_weight, "mae")
    return mean(np.abs(y_true - y_pred).mean(axis=1), w)


def rmse(y_true: Array, y_pred: Array, sample_weight: Array | None = None) -> float:
    """Root of the mean squared error, sqrt(Σ wᵢ (y − a)² / Σ wᵢ), averaged over outputs; >= 0.

    The root is taken for each output before the average, as in scikit-learn's root_mean_squared_error.

    Examples
    --------
    >>> import numpy as np
    >>> rmse(np.array([[1.0], [2.0]]), np.array([[1.0], [0.0]]))
    1.4142135623730951
    """
    y_true, y_pred, w = as_tables(y_true, y_pred, sample_weight, "rmse")
    squares = (y_true - y_pred) ** 2
    w = np.ones(len(squares)) if w is None else w
    return float(np.sqrt(w @ squares / w.sum()).mean()) if w.sum() > 0.0 else float("nan")


METRICS: dict[str, Metric] = {
    "accuracy": accuracy,
    "subset_accuracy": subset_accuracy,
    "r2": r2,
    "mae": mae,
    "rmse": rmse,
}
# Lower is better for these; higher is better for all others.
LOWER_IS_BETTER = frozenset({"mae", "rmse"})


def choose(metrics: Iterable[object], spec: Spec) -> dict[str, Metric]:
    """Return the requested metrics by name, adapted to the network.

    Raises
    ------
    TypeError
        A metric is neither a name nor a function.
    ValueError
        A name is unknown or appears twice, or does not fit what the network predicts.
    """
    if isinstance(metrics, str) or callable(metrics):
        metrics = (metrics,)
    if not hasattr(metrics, "__iter__") or isinstance(metrics, memoryview):
        raise TypeError(f"metrics must be names or functions, such as ['accuracy'], not {shown(metrics)}")
    chosen: dict[str, Metric] = {}
    for metric in metrics:
        if isinstance(metric, str):
            name, function = metric, named(metric, spec)
        elif callable(metric):
            name, function = getattr(metric, "__name__", type(metric).__name__), metric
        else:
            known = ", ".join(METRICS)
            raise TypeError(
                f"a metric is a name ({known}) or a function of (y_true, y_pred, sample_weight), not {shown(metric)}"
            )
        if name in chosen or name == "loss":
            raise ValueError(f"metric {name!r} is named twice" if name in chosen else "'loss' is always measured")
        chosen[name] = function
    return chosen


def scorer(name: str, outputs: Outputs, n_targets: int) -> Metric:
    """Return scikit-learn's scorer of that name; see `chainrule.scorers`."""
    from .reference.spelling import hint, unknown

    try:
        from . import scorers
    except ImportError:
        raise ValueError(
            f"{unknown('metric', name, METRICS)}; the scorers of scikit-learn need it: {install('sklearn')}"
        ) from None
    if name not in scorers.names():
        near = hint(name, [*METRICS, *scorers.names()])
        raise ValueError(
            f"metric {name[:60]!r} is unknown{near} (known: {', '.join(METRICS)}, and scikit-learn's scorers)"
        )
    return scorers.scorer(name, outputs, n_targets)


def lower_is_better(name: str) -> bool | None:
    """Tell whether lower is better for a metric of that name; None if unknown.

    >>> lower_is_better("rmse"), lower_is_better("accuracy"), lower_is_better("neg_log_loss"), lower_is_better("mine")
    (True, False, False, None)
    """
    if name == "loss" or name in LOWER_IS_BETTER:
        return True
    if name in METRICS:
        return False
    try:
        from .scorers import names
    except ImportError:
        return None
    return False if name in names() else None


def named(name: str, spec: Spec) -> Metric:
    """Return the metric of that name for a network."""
    loss = spec.loss
    if name not in METRICS:
        return scorer(name, Outputs.of(spec), loss.n_targets(spec.n_outputs))
    function = METRICS[name]
    if function in (accuracy, subset_accuracy) and Outputs.of(spec).kind == "numbers":
        raise ValueError(
            f"metric {name!r} needs classes, but a network with the loss {loss.name!r} predicts numbers: use 'r2', "
            f"'mae' or 'rmse', or for targets of 0 and 1 the function chainrule.metrics.{name}"
        )
    if loss.boundary is not None and function in (accuracy, subset_accuracy):
        function = partial(subset_accuracy, boundary=loss.boundary)

    def measured(y_true: Array, y_pred: Array, sample_weight: Array | None = None) -> float:
        return function(y_true, y_pred[:, : loss.n_targets(y_pred.shape[1])], sample_weight)

    return measured


def compute(metrics: dict[str, Metric], y_true: Array, y_pred: Array, sample_weight: Array | None) -> dict[str, float]:
    """Return the value of each metric. Without weights, a function of two arguments is enough."""
    values = {}
    for name, function in metrics.items():
        extra = {} if sample_weight is None else {"sample_weight": sample_weight}
        value: Any = function(y_true, y_pred, **extra)
        try:
            values[name] = float(value)
        except (TypeError, ValueError):
            raise TypeError(f"metric {name!r} must return a number, got {type(value).__name__}") from None
    return values


def as_arrays(y_true: object, y_pred: object, sample_weight: object, name: str) -> tuple[Array, Array, Array | None]:
    """Return the arguments of a metric as arrays: y_true of n rows, y_pred (n, n_outputs), and weights (n,) or None."""
    true = as_numbers(y_true, np.dtype(np.float64), f"y_true of metric {name!r}")
    pred = as_numbers(y_pred, np.dtype(np.float64), f"y_pred of metric {name!r}")
    if true.ndim not in (1, 2) or pred.ndim != 2 or not pred.shape[1] or len(true) != len(pred):
        raise ValueError(differ(true, pred, name))
    return true, pred, weights(sample_weight, len(true))


def as_tables(y_true: object, y_pred: object, sample_weight: object, name: str) -> tuple[Array, Array, Array | None]:
    """Return the same with both tables in float64, (n, n_outputs)."""
    true, pred, w = as_arrays(y_true, y_pred, sample_weight, name)
    if true.ndim == 1 and pred.shape[1] == 1:
        true = true.reshape(-1, 1)
    if true.shape != pred.shape:
        raise ValueError(differ(true, pred, name))
    return true.astype(np.float64), pred.astype(np.float64), w


def differ(y_true: Array, y_pred: Array, name: str) -> str:
    """Return the text of the error for shapes that do not go together."""
    return (
        f"metric {name!r} compares numbers one by one, or labels with a prediction (n, n_outputs): y has shape "
        f"{y_true.shape}, the prediction {y_pred.shape}"
    )


def mean(values: Array, w: Array | None) -> float:
    """Return Σ wᵢ vᵢ / Σ wᵢ, or NaN if there are no rows or the weights sum to zero."""
    if w is None:
        return float(values.mean()) if len(values) else float("nan")
    total = w.sum()
    return float(w @ values / total) if total > 0.0 else float("nan")
