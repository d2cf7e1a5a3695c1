"""Replaces scikit-learn's two estimators by ours, so that an unchanged script trains natively.

Only the names in the MODULES change. Code that has imported scikit-learn's classes before keeps them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from sklearn.neural_network import _multilayer_perceptron as theirs

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

NAMES = ("MLPClassifier", "MLPRegressor")
# The modules in which the names are looked up: by users, and by pickles, which name the private module.
MODULES = ("sklearn.neural_network", "sklearn.neural_network._multilayer_perceptron")
# Stored when this module is loaded, before it can have replaced anything.
ORIGINALS = {name: getattr(theirs, name) for name in NAMES}


class Patch:
    """The result of `patch`: a context manager that restores the state before the call."""

    def __init__(self, was_patched: bool) -> None:
        self.was_patched = was_patched

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if not self.was_patched:
            unpatch()


def patch() -> Patch:
    """Make ``from sklearn.neural_network import MLPClassifier, MLPRegressor`` yield the classes of this package.

    It affects later imports only, so call it before importing the modules that use the two classes. A name that was
    imported earlier keeps its class. A second call changes nothing.

    Models made under the patch are pickled by the name of their own class, and load without it. Under the patch,
    pickles of scikit-learn's models load as instances of this package's classes.

    Returns
    -------
    Patch
        A context manager, for a temporary patch: ``with patch(): ...``.

    See Also
    --------
    unpatch : undo it.

    Notes
    -----
    ``python -m chainrule.sklearn script.py`` runs a script under the patch. New processes that a script starts are not
    patched. But models sent to them in pickles (by joblib, for example) train natively there too.

    Examples
    --------
    >>> from chainrule.sklearn import patch
    >>> with patch():
    ...     from sklearn.neural_network import MLPClassifier
    >>> MLPClassifier.__module__.partition(".")[0]
    'chainrule'
    >>> from sklearn.neural_network import MLPClassifier
    >>> MLPClassifier.__module__.partition(".")[0]
    'sklearn'
    """
    was_patched = is_patched()
    ours = import_module(__package__)
    replace({name: getattr(ours, name) for name in NAMES})
    return Patch(was_patched)


def unpatch() -> None:
    """Restore scikit-learn's classes under their names; without an earlier `patch` it does nothing.

    Examples
    --------
    >>> from chainrule.sklearn import patch, unpatch
    >>> _ = patch()
    >>> unpatch()
    >>> import sklearn.neural_network
    >>> sklearn.neural_network.MLPRegressor.__module__
    'sklearn.neural_network._multilayer_perceptron'
    """
    replace(ORIGINALS)


def is_patched() -> bool:
    """Tell whether scikit-learn's names now mean the classes of this package."""
    return any(getattr(theirs, name) is not ORIGINALS[name] for name in NAMES)


def replace(classes: dict[str, type]) -> None:
    """Bind the names to these classes in all MODULES."""
    for module in MODULES:
        for name, cls in classes.items():
            setattr(import_module(module), name, cls)
