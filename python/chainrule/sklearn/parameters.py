"""The parameters that scikit-learn's classes do not have: their valid values and their descriptions.

At the defaults, results are the same numbers as scikit-learn's. scikit-learn validates them, with its own messages.
"""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, TypeVar

from sklearn.utils._param_validation import Interval, StrOptions

from chainrule.reference.activations import ACTIVATIONS, Activation

Estimator = TypeVar("Estimator", bound=type)

THEIR_ACTIVATIONS = {"identity": "identity", "logistic": "sigmoid", "tanh": "tanh", "relu": "relu"}
"""scikit-learn's names and ours."""

BOTH: dict[str, list[Any]] = {
    "activation": [StrOptions({*THEIR_ACTIVATIONS, *ACTIVATIONS} - {"softmax"}), Activation, "array-like"],
    "dropout": [Interval(Real, 0, 1, closed="left"), "array-like"],
    "n_layers": [Interval(Integral, 0, 1000, closed="both"), None],  # more would be a typing error, and exhaust memory
    "width": [Interval(Integral, 1, None, closed="left"), None],
    "scoring": [str, callable, None],
    "max_seconds": [Interval(Real, 0, 1e9, closed="right"), None],
    "n_threads": [Interval(Integral, 1, None, closed="left"), None],
    "strict": ["boolean"],
}
CLASSIFIER: dict[str, list[Any]] = {**BOTH, "class_weight": [dict, list, StrOptions({"balanced"}), None]}
REGRESSOR: dict[str, list[Any]] = {
    **BOTH,
    "loss": [StrOptions({"squared_error", "poisson", "absolute_error", "huber", "quantile"})],
    "huber_delta": [Interval(Real, 0, None, closed="neither")],
    "quantile": [Interval(Real, 0, 1, closed="neither")],
}

DESCRIPTION = """
    dropout : float or array-like of float, default=0.0
        Share of a hidden layer's units that a training step drops, in [0, 1): one number for all hidden layers, or
        one each. The kept units are scaled by 1 / (1 - dropout), so prediction needs no change. Not with 'lbfgs'.

    n_layers, width : int or None, default=None
        Shorthand for `width` units in each of `n_layers` hidden layers, at most 1000; whichever is None is taken from
        `hidden_layer_sizes`. Handy in hyper-parameter searches. The attribute `n_layers_` also counts the inputs and
        the outputs, so it is larger by two.

    scoring : {"loss"}, str, callable or None, default=None
        The score that decides about `early_stopping`, greater is better. None: accuracy or R². "loss": the negative
        loss of the validation rows. Else a scorer's name or ``scoring(estimator, X, y, sample_weight=None)``.

    max_seconds : float or None, default=None
        Time limit: `fit` ends with a ConvergenceWarning after the epoch or iteration in which it passes; at most 1e9.

    n_threads : int or None, default=None
        Most threads that share a step; None takes CHAINRULE_NUM_THREADS, OMP_NUM_THREADS or all processors. Results
        do not depend on it.

    strict : bool, default=True
        Whether oddities of scikit-learn's numbers are kept. False: the value of a squared error is a sum over the
        outputs, as its gradient is; early stopping stratifies more than two classes too; batches whose weights are all
        zero are skipped; `partial_fit` with an integer seed continues its random numbers, so the order of rows changes
        from call to call; training ends at a loss that is not finite.
"""
"""Describes the parameters of both classes; the docstring of each class describes its own."""


def described(estimator: Estimator) -> Estimator:
    """Insert our parameters into the docstring of scikit-learn's class, and drop its example, which is not ours."""
    summary, _, parameters = (estimator.__doc__ or "").partition("    Parameters\n    ----------\n")
    theirs = (estimator.__bases__[-1].__doc__ or "").partition("    Examples\n")[0]
    _, rule, rest = theirs.partition("    Parameters\n")
    known, attributes, rest = rest.partition("    Attributes\n")
    # One section of each name, or what reads descriptions (HTML in notebooks) refuses them.
    ours = f"{parameters.rstrip()}\n{DESCRIPTION}"
    estimator.__doc__ = f"{summary}{rule}{known.rstrip()}\n\n{ours}\n{attributes}{rest}"
    return estimator
