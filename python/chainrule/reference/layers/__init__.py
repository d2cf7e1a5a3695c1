"""Layers: what one link of the chain does to a batch, and to the error on the way back.

base       what every layer has
dense      every unit sees every input: Dense
dropout    inputs silenced at random in training: Dropout
"""

from .base import Layer, Pass
from .dense import Dense
from .dropout import Dropout

__all__ = [
    "LAYERS",
    "Dense",
    "Dropout",
    "Layer",
    "Pass",
]

LAYERS: dict[str, type[Layer]] = {
    kind.name: kind
    for kind in (
        Dense,
        Dropout,
    )
}
