"""Activation functions: the transfer a = f(z) of a unit, and its slope f'(z).

The article's "neuron transfer". A layer's weighted inputs z go through f one row (one sample) at a time. All but
softmax treat each unit by itself.

    base          what all have in common, and the identity
    sigmoids      S-shaped, between two bounds: sigmoid, tanh
    rectifiers    positive z goes through: relu, leaky_relu
    softmax       weights that sum to one, over the units of a layer
"""

from .base import Activation, Identity
from .rectifiers import LeakyReLU, ReLU
from .sigmoids import Sigmoid, Tanh
from .softmax import Softmax

__all__ = ["ACTIVATIONS", "Activation", "Identity", "LeakyReLU", "ReLU", "Sigmoid", "Softmax", "Tanh"]

ACTIVATIONS: dict[str, type[Activation]] = {
    kind.name: kind
    for kind in (
        Identity,
        Sigmoid,
        Tanh,
        ReLU,
        LeakyReLU,
        Softmax,
    )
}
