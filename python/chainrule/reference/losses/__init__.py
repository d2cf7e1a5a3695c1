"""Losses: how wrong one row of outputs is, and how that changes with each output.

The article's "error": l is the loss of one sample, a the raw output of the last layer, y what was expected. `slope` is
dl/da, with which backpropagation begins. For half_squared_error it is a − y: the article's (expected − actual) with the
opposite sign, since dl/da points to where the loss grows.

A loss with a *link* works on logits: it applies the link inside, in a form that cannot overflow, and `predict` applies
it for the user.

    base          what every loss has
    regression    numbers
    likelihood    counts, and numbers with their uncertainty
    classes       one class among several
    yes_or_no     a yes or no for each output
    margins       a side of zero for each output
"""

from .base import Loss as Loss
from .classes import CrossEntropy, Focal, KLDivergence
from .likelihood import GaussianNLL, Poisson
from .margins import Hinge, SquaredHinge
from .regression import MSE, AbsoluteError, HalfSquaredError, Huber, LogCosh, Quantile
from .yes_or_no import BinaryCrossEntropy, BinaryFocal

# The kinds, in the order of the core. Their names are written here alone: the packages above take them from here.
__all__ = (  # noqa: RUF022 - not by the alphabet
    "MSE",
    "HalfSquaredError",
    "AbsoluteError",
    "Huber",
    "LogCosh",
    "Quantile",
    "Poisson",
    "GaussianNLL",
    "CrossEntropy",
    "KLDivergence",
    "Focal",
    "BinaryCrossEntropy",
    "BinaryFocal",
    "Hinge",
    "SquaredHinge",
)
LOSSES: dict[str, type[Loss]] = {kind.name: kind for kind in map(globals().__getitem__, __all__)}
