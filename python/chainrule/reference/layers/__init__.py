"""Layers: what one link of the chain does to a batch, and to the error on the way back.

base        what every layer has
dense       every unit sees every input: Dense
dropout     inputs silenced at random in training: Dropout
layer_norm  each row brought to mean 0 and variance 1: LayerNorm
"""

from .base import Layer as Layer
from .base import Pass as Pass
from .dense import Dense
from .dropout import Dropout
from .layer_norm import LayerNorm

# The kinds, in the order of the core. Their names are written here alone: the packages above take them from here.
__all__ = ("Dense", "Dropout", "LayerNorm")
LAYERS: dict[str, type[Layer]] = {kind.name: kind for kind in map(globals().__getitem__, __all__)}
