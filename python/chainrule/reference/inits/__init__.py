"""Initial weights: how far from zero a connection starts.

base          what every rule has
variance      random, with a width that follows from the sizes of the layer: Glorot, He, LeCun
plain         the same for every layer: TruncatedNormal, Constant, Zeros
orthogonal    rows or columns at right angles: Orthogonal
"""

from .base import Init
from .orthogonal import Orthogonal
from .plain import Constant, TruncatedNormal, Zeros
from .variance import GlorotNormal, GlorotUniform, HeNormal, HeUniform, LeCunNormal, LeCunUniform

__all__ = [
    "INITS",
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Init",
    "LeCunNormal",
    "LeCunUniform",
    "Orthogonal",
    "TruncatedNormal",
    "Zeros",
]

INITS: dict[str, type[Init]] = {
    kind.name: kind
    for kind in (
        GlorotUniform,
        GlorotNormal,
        HeUniform,
        HeNormal,
        LeCunUniform,
        LeCunNormal,
        TruncatedNormal,
        Orthogonal,
        Constant,
        Zeros,
    )
}
