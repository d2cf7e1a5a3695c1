"""Activation functions: the transfer a = f(z) of a unit, and its slope f'(z).

The article's "neuron transfer". A layer's weighted inputs z go through f one row (one sample) at a time. All but
softmax treat each unit by itself.

    base          what they have in common, and the identity
    sigmoids      S-shaped, between two bounds: sigmoid, tanh, softsign
    rectifiers    positive z goes through: relu, leaky_relu, elu, selu, softplus
    gated         z times a gate that z opens: silu, gelu, gelu_tanh, mish
    hard          straight lines in place of curves: hard_sigmoid, hard_tanh, hard_silu
    softmax       outputs that sum to one over the units of a layer
"""

from .base import Activation as Activation
from .base import Identity
from .gated import GELU, GELUTanh, Mish, SiLU
from .hard import HardSigmoid, HardSiLU, HardTanh
from .rectifiers import ELU, SELU, LeakyReLU, ReLU, Softplus
from .sigmoids import Sigmoid, Softsign, Tanh
from .softmax import Softmax

# The kinds, in the order of the core. Their names are written here alone: the packages above take them from here.
__all__ = (  # noqa: RUF022 - not by the alphabet
    "Identity",
    "Sigmoid",
    "Tanh",
    "ReLU",
    "LeakyReLU",
    "ELU",
    "SELU",
    "Softplus",
    "SiLU",
    "GELU",
    "GELUTanh",
    "Mish",
    "Softsign",
    "HardSigmoid",
    "HardTanh",
    "HardSiLU",
    "Softmax",
)
ACTIVATIONS: dict[str, type[Activation]] = {kind.name: kind for kind in map(globals().__getitem__, __all__)}
