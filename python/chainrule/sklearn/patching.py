"""Puts the two estimators in the place of scikit-learn's, so that an unchanged script trains natively.

Only names change, and only in the modules of PLACES: what has imported scikit-learn's classes before keeps them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from sklearn.neural_network import _multilayer_perceptron as theirs

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

NAMES = ("MLPClassifier", "MLPRegressor")
# Where the names are looked up: by users, and by pickles, which name the private module.
PLACES = ("sklearn.neural_network", "sklearn.neural_network._multilayer_perceptron")
# Taken when this module is loaded, which is before it can have replaced anything.
ORIGINALS = {name: getattr(theirs, name) for name in NAMES}


class Patch:
    """What `patch` returns: as a context manager it goes back to how things were before the call."""

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

    It acts at once, and on imports after it: call it before the modules are imported that use the two classes. A name
    that was imported earlier stays what it was. Calling it twice does nothing more.

    Models that are made under it are pickled by the name of their own class, and load without it. Pickles of
    scikit-learn's models load as instances of the classes of this package while it is on.

    Returns
    -------
    Patch
        A context manager, for a patch that ends: ``with patch(): ...``.

    See Also
    --------
    unpatch : go back.

    Notes
    -----
    ``python -m chainrule.sklearn script.py`` runs a script under it. Processes that a script starts afresh are not
    patched; what is sent to them (by joblib, say) is pickled, and trains natively there too.

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
    """Give scikit-learn's names back to scikit-learn's classes; without `patch` before it, it does nothing.

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
    """Tell whether scikit-learn's names are those of this package now."""
    return any(getattr(theirs, name) is not ORIGINALS[name] for name in NAMES)


def replace(classes: dict[str, type]) -> None:
    """Let the names mean these classes, wherever they are looked up."""
    for place in PLACES:
        for name, cls in classes.items():
            setattr(import_module(place), name, cls)
