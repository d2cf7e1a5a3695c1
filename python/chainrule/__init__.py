"""Trains multilayer perceptrons by backpropagation in Rust, and shows its work.

>>> from chainrule import Adam, Network
>>> net = Network([64, 100, 10], activation="relu", loss="cross_entropy", optimizer=Adam(1e-3), seed=0)

`Network` is what computes; `chainrule.reference` is the same in plain Python, to be read. Options (`Dense`, `Adam`,
`ReLU`, …) may be given by name or as objects.
"""

# Importing this package loads the compiled core and nothing else of it: every name below is fetched from its module
# when it is first asked for (PEP 562), so that a script that only looks at the version does not wait for the rest.

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

from ._native import DivergenceError, InternalError, __version__

if TYPE_CHECKING:
    from . import examples, metrics, plots, reference
    from .explain import Explanation
    from .history import History
    from .network import Network
    from .records import Gradient, LayerTrace
    from .reference import (
        ELU,
        GELU,
        MSE,
        SELU,
        SGD,
        AbsoluteError,
        Adadelta,
        Adagrad,
        Adam,
        Adamax,
        AdamW,
        AMSGrad,
        BinaryCrossEntropy,
        BinaryFocal,
        Constant,
        CrossEntropy,
        Dense,
        Dropout,
        Focal,
        GaussianNLL,
        GELUTanh,
        GlorotNormal,
        GlorotUniform,
        HalfSquaredError,
        HardSigmoid,
        HardSiLU,
        HardTanh,
        HeNormal,
        HeUniform,
        Hinge,
        Huber,
        Identity,
        KLDivergence,
        LeakyReLU,
        LeCunNormal,
        LeCunUniform,
        Lion,
        LogCosh,
        Mish,
        NAdam,
        Orthogonal,
        Poisson,
        Quantile,
        RAdam,
        ReLU,
        RMSprop,
        Rprop,
        Sigmoid,
        SiLU,
        Softmax,
        Softplus,
        Softsign,
        SquaredHinge,
        Tanh,
        TruncatedNormal,
        Zeros,
    )
    from .verification.gradient_check import gradcheck
    from .verification.report import Report
    from .verification.verify import verify

__all__ = [
    "ELU",
    "GELU",
    "MSE",
    "SELU",
    "SGD",
    "AMSGrad",
    "AbsoluteError",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "BinaryCrossEntropy",
    "BinaryFocal",
    "Constant",
    "CrossEntropy",
    "Dense",
    "DivergenceError",
    "Dropout",
    "Explanation",
    "Focal",
    "GELUTanh",
    "GaussianNLL",
    "GlorotNormal",
    "GlorotUniform",
    "Gradient",
    "HalfSquaredError",
    "HardSiLU",
    "HardSigmoid",
    "HardTanh",
    "HeNormal",
    "HeUniform",
    "Hinge",
    "History",
    "Huber",
    "Identity",
    "InternalError",
    "KLDivergence",
    "LayerTrace",
    "LeCunNormal",
    "LeCunUniform",
    "LeakyReLU",
    "Lion",
    "LogCosh",
    "Mish",
    "NAdam",
    "Network",
    "Orthogonal",
    "Poisson",
    "Quantile",
    "RAdam",
    "RMSprop",
    "ReLU",
    "Report",
    "Rprop",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Softsign",
    "SquaredHinge",
    "Tanh",
    "TruncatedNormal",
    "Zeros",
    "__version__",
    "examples",
    "gradcheck",
    "metrics",
    "plots",
    "reference",
    "registry",
    "verify",
]

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
_SUBMODULES = frozenset({"examples", "metrics", "plots", "reference"})


def registry() -> dict[str, list[str]]:
    """Return the names that may be given, by kind: activation, loss, optimizer, init, layer, metric, target.

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
    if name not in __all__:
        # With name and obj Python's traceback adds the nearest name there is.
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name, obj=sys.modules[__name__])
    value = getattr(import_module(_MODULES.get(name, ".reference"), __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
