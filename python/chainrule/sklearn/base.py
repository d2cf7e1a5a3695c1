"""What both estimators share: where scikit-learn's private hooks are handed to the native core."""

from typing import Any, TypeVar

Estimator = TypeVar("Estimator", bound=type)


def described(estimator: Estimator) -> Estimator:
    """Put scikit-learn's description of the class behind ours."""
    theirs = estimator.__mro__[2].__doc__
    estimator.__doc__ = f"{estimator.__doc__}\n{theirs or ''}"
    return estimator


class NativeFit:
    """The hooks of scikit-learn's multilayer perceptron that compute."""

    strict: bool
    n_threads: Any
