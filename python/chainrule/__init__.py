"""Trains multilayer perceptrons by backpropagation in Rust, and shows its work.

>>> from chainrule import Adam, Network
>>> net = Network([64, 100, 10], activation="relu", loss="cross_entropy", optimizer=Adam(1e-3), seed=0)

`Network` computes in Rust. `chainrule.reference` computes the same in plain Python and is written to be read. Options
(`Dense`, `Adam`, `ReLU`, …) are given by name or as objects.
"""

# ruff: noqa: F403 - the packages of options list their names in `__all__`

# Importing this package loads the compiled core alone. Every other name is loaded from its module on first use
# (PEP 562), so a script that only reads the version starts at once. Type checkers read the names from these imports.

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

from ._native import DivergenceError as DivergenceError
from ._native import InternalError as InternalError
from ._native import __version__ as __version__

if TYPE_CHECKING:
    from . import examples as examples
    from . import metrics as metrics
    from . import plots as plots
    from . import reference as reference
    from . import schedules as schedules
    from .explain import Explanation as Explanation
    from .history import History as History
    from .network import Network as Network
    from .records import Gradient as Gradient
    from .records import LayerTrace as LayerTrace
    from .reference.activations import *
    from .reference.inits import *
    from .reference.layers import *
    from .reference.losses import *
    from .reference.optimizers import *
    from .verification.gradient_check import gradcheck as gradcheck
    from .verification.report import Report as Report
    from .verification.verify import verify as verify

_MODULES = {
    "Explanation": ".explain",
    "Gradient": ".records",
    "History": ".history",
    "LayerTrace": ".records",
    "Network": ".network",
    "Report": ".verification.report",
    "gradcheck": ".verification.gradient_check",
    "verify": ".verification.verify",
}
_SUBMODULES = ("examples", "metrics", "plots", "reference", "schedules")


def registry() -> dict[str, list[str]]:
    """Return the valid names of each kind: activation, loss, optimizer, init, layer, metric, target.

    Examples
    --------
    >>> import chainrule
    >>> chainrule.registry()["loss"]
    ['mse', 'half_squared_error', 'absolute_error', 'huber', ...]
    """
    from . import _native
    from .metrics import METRICS

    return {**_native.registry(), "metric": list(METRICS)}


def __getattr__(name: str) -> object:
    if name in _SUBMODULES:
        return import_module(f".{name}", __name__)
    value: object
    if name in _MODULES:
        value = getattr(import_module(_MODULES[name], __name__), name)
    elif name == "__all__":
        value = _public()
    elif name[:1].isupper() and name in _options():
        value = _options()[name]
    else:
        # From name and obj Python's traceback suggests the nearest name.
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name, obj=sys.modules[__name__])
    globals()[name] = value
    return value


def _options() -> dict[str, type]:
    """Return the options (`Dense`, `Adam`, `ReLU`, …) by name."""
    options: dict[str, type] = import_module(".reference.config", __name__).OPTIONS
    return options


def _public() -> list[str]:
    """Return all public names."""
    own = ("DivergenceError", "InternalError", "__version__", "registry")
    return sorted([*own, *_MODULES, *_SUBMODULES, *_options()])


def __dir__() -> list[str]:
    return sorted({*globals(), *_public()})
