"""Initial weights: how far from zero a connection starts.

base          what every rule has
variance      random, with a width that follows from the sizes of the layer: Glorot, He, LeCun
plain         the same for every layer: TruncatedNormal, Constant, Zeros
orthogonal    rows or columns at right angles: Orthogonal
"""

from .base import Init as Init
from .orthogonal import Orthogonal
from .plain import Constant, TruncatedNormal, Zeros
from .variance import GlorotNormal, GlorotUniform, HeNormal, HeUniform, LeCunNormal, LeCunUniform

# The kinds, in the order of the core. Their names are written here alone: the packages above take them from here.
__all__ = (  # noqa: RUF022 - not by the alphabet
    "GlorotUniform",
    "GlorotNormal",
    "HeUniform",
    "HeNormal",
    "LeCunUniform",
    "LeCunNormal",
    "TruncatedNormal",
    "Orthogonal",
    "Constant",
    "Zeros",
)
INITS: dict[str, type[Init]] = {kind.name: kind for kind in map(globals().__getitem__, __all__)}
