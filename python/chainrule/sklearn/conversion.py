"""Fitted models between scikit-learn's classes and those of this package: the same state under the other class.

Both keep what they learned under the same names (``coefs_``, ``intercepts_``, ``_optimizer``, …), so that a model
converts by copying, and predicts and goes on training as before.
"""

from __future__ import annotations

from copy import deepcopy
from importlib import import_module
from typing import TYPE_CHECKING, Any

from sklearn.utils.validation import check_is_fitted

from chainrule.reference.options import shown
from chainrule.sklearn import optimizers
from chainrule.sklearn.patching import NAMES, ORIGINALS

if TYPE_CHECKING:
    from chainrule.sklearn.classifier import MLPClassifier
    from chainrule.sklearn.regressor import MLPRegressor


def from_sklearn(model: Any) -> Any:
    """Return a fitted model of scikit-learn as one of this package, with equal predictions.

    Parameters
    ----------
    model : sklearn.neural_network.MLPClassifier or MLPRegressor
        A fitted model; it stays as it is, and nothing is shared with it.

    Returns
    -------
    chainrule.sklearn.MLPClassifier or MLPRegressor
        With the same parameters and fitted attributes. After solver 'sgd' or 'adam', `partial_fit` goes on where the
        model stood, moments and learning rate included.

    Raises
    ------
    NotFittedError
        `model` is not fitted; of an unfitted one ``MLPClassifier(**model.get_params())`` is all there is.
    TypeError
        `model` is no instance of the two classes, or of a subclass, which may compute something else.

    See Also
    --------
    to_sklearn : the way back.

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
        A fitted model; it stays as it is, and nothing is shared with it.

    Returns
    -------
    sklearn.neural_network.MLPClassifier or MLPRegressor
        With the same fitted attributes, and the parameters that scikit-learn's class has.

    Raises
    ------
    NotFittedError
        `model` is not fitted.
    TypeError
        `model` is no instance of the two classes, or of a subclass.

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
    parameters = model.get_params(deep=False)
    known = cls().get_params(deep=False)
    result = cls(**{name: deepcopy(value) for name, value in parameters.items() if name in known})
    vars(result).update(deepcopy({name: value for name, value in vars(model).items() if name not in parameters}))
    if hasattr(model, "_optimizer"):
        to_ours = cls not in ORIGINALS.values()
        result._optimizer = optimizers.converted(model._optimizer, to_ours=to_ours)  # noqa: SLF001
    return result


def described(model: object) -> str:
    """Return what stands in a message for a model of the wrong kind."""
    for name in NAMES:
        if isinstance(model, ORIGINALS[name]):
            return f"an instance of {type(model).__name__}, a subclass, which may compute something else"
    return shown(model)
