"""Validation rows, given by the caller or split off: the curve of their loss, and the score for early stopping.

    validation loss = Σ wᵢ l(outputᵢ, yᵢ) / Σ wᵢ  with the weights after the epoch, without the penalty alpha

Arguments and meaning follow scikit-learn's HistGradientBoostingClassifier.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from sklearn.base import is_classifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import train_test_split
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.multiclass import type_of_target, unique_labels
from sklearn.utils.validation import _check_sample_weight, check_array, validate_data

from chainrule.sklearn.inputs import refuse_texts, refuse_times

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


class Given(NamedTuple):
    """The validation arguments of `fit`."""

    X: Any
    y: Any
    sample_weight: Any


class Validation(NamedTuple):
    """Validation rows: targets for the loss, (n, n_outputs), and labels for the scores."""

    X: Any
    y: NDArray[Any]
    labels: Any
    sample_weight: NDArray[Any] | None


def given(X_val: Any, y_val: Any, sample_weight_val: Any, solver: str) -> Given | None:
    """Return the validation arguments, or None if there are none.

    Raises
    ------
    ValueError
        One of `X_val` and `y_val` is missing; the solver has no epochs.
    """
    if X_val is None and y_val is None and sample_weight_val is None:
        return None
    if X_val is None:
        name = "y_val" if y_val is not None else "sample_weight_val"
        raise ValueError(f"{name} is provided, but X_val was not provided.")
    if y_val is None:
        raise ValueError("X_val is provided, but y_val was not provided.")
    if solver == "lbfgs":
        raise ValueError("X_val and y_val are used epoch by epoch, by solver='sgd' and 'adam'; 'lbfgs' has no epochs")
    return Given(X_val, y_val, sample_weight_val)


def validated(estimator: Any, own: Given) -> Validation:
    """Return the caller's validation rows, checked against the training data that the estimator has seen.

    Raises
    ------
    ValueError
        Features, labels, lengths or numbers do not fit the training data; the message names the argument.
    """
    takes: dict[str, Any] = {"accept_sparse": ["csr", "csc"], "dtype": (np.float64, np.float32), "reset": False}
    refuse_times("X_val", own.X)
    refuse_times("sample_weight_val", own.sample_weight)
    if not is_classifier(estimator):
        refuse_times("y_val", own.y)
        refuse_texts("y_val", own.y)
    X = _named("X_val", lambda: validate_data(estimator, own.X, **takes))
    check_consistent_length(X, own.y)
    targets = _of_classes if is_classifier(estimator) else _of_numbers
    y, labels = _named("y_val", lambda: targets(estimator, own.y))
    weight = None
    if own.sample_weight is not None:
        check = partial(_check_sample_weight, own.sample_weight, X, ensure_non_negative=True)
        weight = _named("sample_weight_val", check)
    return Validation(X.astype(estimator.coefs_[0].dtype, copy=False), y, labels, weight)


def split(estimator: Any, X: Any, y: Any, sample_weight: Any) -> tuple[Any, Any, Any, Validation]:
    """Return X, y and weights for training, and the validation rows split off, drawn as in scikit-learn."""
    arrays = [X, y] if sample_weight is None else [X, y, sample_weight]
    # Unlike its documentation, scikit-learn stratifies two classes only.
    is_stratified = estimator.n_outputs_ == 1 or (not estimator.strict and estimator.out_activation_ == "softmax")
    parts = train_test_split(
        *arrays,
        random_state=estimator._random_state,  # noqa: SLF001
        test_size=estimator.validation_fraction,
        stratify=y if is_classifier(estimator) and is_stratified else None,
    )
    X, X_val, y, y_val, weight, weight_val = [*parts, None, None][:6]
    if X_val.shape[0] < 2:
        raise ValueError("The validation set is too small. Increase 'validation_fraction' or the size of your dataset.")
    labels = y_val
    if is_classifier(estimator):
        labels = estimator._label_binarizer.inverse_transform(y_val)  # noqa: SLF001
    return X, y, weight, Validation(X_val, y_val, labels, weight_val)


def score_of(estimator: Any, X: Any, labels: Any, sample_weight: Any) -> float:
    """Return the score by the estimator's `scoring`, greater is better; "loss" means the negative loss.

    It is NaN if the outputs are not finite, as in scikit-learn.
    """
    if estimator.scoring == "loss":
        return -float(estimator.validation_loss_curve_[-1])
    if not np.isfinite(estimator._forward_pass_fast(X, check_input=False)).all():  # noqa: SLF001
        return np.nan
    scorer = check_scoring(estimator, estimator.scoring)
    weights = {} if sample_weight is None else {"sample_weight": sample_weight}
    # The feature names were checked before; these rows are arrays and have none.
    names = vars(estimator).pop("feature_names_in_", None)
    try:
        return float(scorer(estimator, X, labels, **weights))
    finally:
        if names is not None:
            estimator.feature_names_in_ = names


def _named(argument: str, check: Callable[[], Any]) -> Any:
    """Return the result of a check, and name the argument in its errors."""
    try:
        return check()
    except (TypeError, ValueError) as error:
        raise ValueError(f"{argument} does not go with X and y: {error}") from error


def _of_classes(estimator: Any, y_val: Any) -> tuple[NDArray[Any], Any]:
    """Return the targets of a classifier, one column per output, and its labels."""
    binarizer = estimator._label_binarizer  # noqa: SLF001 - the binarizer of the training targets
    is_multilabel = binarizer.y_type_.startswith("multilabel")
    if type_of_target(y_val, input_name="y_val").startswith("multilabel") != is_multilabel:
        raise ValueError(f"it must be {'indicators, (n, n_labels)' if is_multilabel else 'labels, (n,)'}, as y is")
    if is_multilabel:
        labels = check_array(y_val, accept_sparse="csr", dtype=None)
        if labels.shape[1] != estimator.n_outputs_:
            raise ValueError(f"it has {labels.shape[1]} labels, y has {estimator.n_outputs_}")
    else:
        labels = column_or_1d(y_val)
        unknown = np.setdiff1d(unique_labels(labels), estimator.classes_)
        if unknown.size:
            raise ValueError(f"it has classes that y lacks: {unknown.tolist()}; y has {estimator.classes_.tolist()}")
    return binarizer.transform(labels).astype(bool), labels


def _of_numbers(estimator: Any, y_val: Any) -> tuple[NDArray[Any], Any]:
    """Return the targets of a regressor, one column per output, and the targets as given."""
    labels = check_array(y_val, ensure_2d=False, dtype=estimator.coefs_[0].dtype, input_name="y_val")
    y = labels.reshape(len(labels), -1)
    if y.shape[1] != estimator.n_outputs_:
        raise ValueError(f"it has {y.shape[1]} outputs, y has {estimator.n_outputs_}")
    if estimator.loss == "poisson" and (y < 0).any():
        raise ValueError("the Poisson loss takes numbers of at least 0")
    return y, y.ravel() if y.shape[1] == 1 else y
