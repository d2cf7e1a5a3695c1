"""Conversion of fitted models between scikit-learn's classes and those of this package.

Both classes store what they learned under the same names (``coefs_``, ``intercepts_``, ``_optimizer``, …). So
conversion copies the attributes, and the result predicts and continues training as before.
"""

from __future__ import annotations

import warnings
from copy import deepcopy
from importlib import import_module
from typing import TYPE_CHECKING, Any

from sklearn.utils.validation import check_is_fitted

from chainrule.reference.options import shown
from chainrule.sklearn import optimizers
from chainrule.sklearn.layers import activations_of, sizes_of
from chainrule.sklearn.parameters import THEIR_ACTIVATIONS
from chainrule.sklearn.patching import NAMES, ORIGINALS

if TYPE_CHECKING:
    from chainrule.sklearn.classifier import MLPClassifier
    from chainrule.sklearn.regressor import MLPRegressor


def from_sklearn(model: Any) -> Any:
    """Return a fitted model of scikit-learn as one of this package, with equal predictions.

    Parameters
    ----------
    model : sklearn.neural_network.MLPClassifier or MLPRegressor
        A fitted model. It is not changed, and the result shares nothing with it.

    Returns
    -------
    chainrule.sklearn.MLPClassifier or MLPRegressor
        It has the same parameters and fitted attributes. After solver 'sgd' or 'adam', `partial_fit` continues where
        the model stopped, with its moments and learning rate.

    Raises
    ------
    NotFittedError
        `model` is not fitted; ``MLPClassifier(**model.get_params())`` converts an unfitted model.
    TypeError
        `model` is not an instance of the two classes, or it is of a subclass, which may compute something else.

    See Also
    --------
    to_sklearn : the reverse conversion.

    Examples
    --------
    >>> from chainrule.sklearn import from_sklearn
    >>> from sklearn.neural_network import MLPRegressor
    >>> theirs = MLPRegressor(hidden_layer_sizes=(3,), solver="lbfgs", random_state=0).fit([[0], [1], [2]], [0, 2, 4])
    >>> ours = from_sklearn(theirs)
    >>> bool(abs(ours.predict([[1.5]]) - theirs.predict([[1.5]])) < 1e-12)
    True
    """
    ours = import_module(__package__)
    for name in NAMES:
        if type(model) is ORIGINALS[name]:
            return converted(model, getattr(ours, name))
        if type(model) is getattr(ours, name):
            raise TypeError(f"model is a chainrule.sklearn.{name} already; sklearn.base.clone or deepcopy copies it")
    raise TypeError(f"model must be an MLPClassifier or MLPRegressor of sklearn.neural_network, not {described(model)}")


def to_sklearn(model: MLPClassifier | MLPRegressor) -> Any:
    """Return a fitted model of this package as one of scikit-learn's, with equal predictions.

    Parameters
    ----------
    model : chainrule.sklearn.MLPClassifier or MLPRegressor
        A fitted model. It is not changed, and the result shares nothing with it.

    Returns
    -------
    sklearn.neural_network.MLPClassifier or MLPRegressor
        It has the same fitted attributes, and the parameters that scikit-learn's class knows.

    Raises
    ------
    NotFittedError
        `model` is not fitted.
    TypeError
        `model` is not an instance of the two classes, or it is of a subclass.
    ValueError
        scikit-learn does not have the model's activations, so it cannot give the same predictions.

    Warns
    -----
    UserWarning
        The model uses a parameter or loss that scikit-learn does not have. Predictions are equal, but fitting the
        result again trains without it.

    Examples
    --------
    >>> from chainrule.sklearn import MLPClassifier, to_sklearn
    >>> ours = MLPClassifier((3,), solver="lbfgs", random_state=0).fit([[0], [1], [2]], ["a", "b", "b"])
    >>> theirs = to_sklearn(ours)
    >>> theirs.predict([[0], [2]]).tolist()
    ['a', 'b']
    """
    ours = import_module(__package__)
    for name in NAMES:
        if type(model) is getattr(ours, name):
            return converted(model, ORIGINALS[name])
        if type(model) is ORIGINALS[name]:
            raise TypeError(
                f"model is a sklearn.neural_network.{name} already; sklearn.base.clone or deepcopy copies it"
            )
    raise TypeError(f"model must be an MLPClassifier or MLPRegressor of chainrule.sklearn, not {described(model)}")


def converted(model: Any, cls: Any) -> Any:
    """Return the state of a fitted `model` as a `cls`."""
    check_is_fitted(model)
    to_ours = cls not in ORIGINALS.values()
    parameters = model.get_params(deep=False)
    result = cls(**(parameters if to_ours else known_to_sklearn(model, cls)))
    vars(result).update(deepcopy({name: value for name, value in vars(model).items() if name not in parameters}))
    if hasattr(model, "_optimizer"):
        result._optimizer = optimizers.converted(model._optimizer, to_ours=to_ours)  # noqa: SLF001
    return result


def known_to_sklearn(model: Any, cls: Any) -> dict[str, Any]:
    """Return the parameters with which scikit-learn's `cls` predicts as `model` does; warn of those it lacks."""
    parameters, defaults = (m.get_params(deep=False) for m in (model, type(model)()))
    known = {name: parameters.pop(name) for name in cls().get_params(deep=False)}
    known["activation"] = one_activation(model)
    if known["hidden_layer_sizes"] != (sizes := sizes_of(model)):
        known["hidden_layer_sizes"] = sizes
    lost = {name: value for name, value in parameters.items() if name not in ("n_layers", "width", "n_threads")}
    lost = {name: value for name, value in lost.items() if value is not defaults[name] and value != defaults[name]}
    if known.get("loss", "poisson") not in ("squared_error", "poisson"):
        lost["loss"], known["loss"] = known["loss"], "squared_error"  # the output of both is the identity
    if lost:
        text = ", ".join(f"{name}={value!r}" for name, value in lost.items())
        warnings.warn(f"scikit-learn trains without {text}; predictions are equal", stacklevel=4)
    return deepcopy(known)


def one_activation(model: Any) -> str:
    """Return scikit-learn's name for the activation of all hidden layers."""
    of_layers = activations_of(model.activation, len(model.coefs_) - 1)
    names = {theirs for theirs, ours in THEIR_ACTIVATIONS.items() if any(ours == one.name for one in of_layers)}
    if len(names) > 1 or any(one.name not in THEIR_ACTIVATIONS.values() for one in of_layers):
        raise ValueError(f"scikit-learn has only {', '.join(THEIR_ACTIVATIONS)}, not activation={model.activation!r}")
    return names.pop() if names else "relu"  # without hidden layers it is never used


def described(model: object) -> str:
    """Return the words of a message for a model of the wrong kind."""
    for name in NAMES:
        if isinstance(model, ORIGINALS[name]):
            return f"an instance of {type(model).__name__}, a subclass, which may compute something else"
    return shown(model)
