"""Optimizers: how a gradient changes the weights.

The article's "updating the weights". Each `update` takes all parameters of the network as one row w, their gradient g,
and what the optimizer remembers from earlier steps (as many rows as it has `state_names`), and returns the new w and
the new memory. t counts the steps, from 1.

    base       what every optimizer has
    descent    w goes against the gradient: SGD
    adam       by the mean of the gradients, in units of their size: Adam, AdamW
    squares    by the gradient, in units of its size: RMSprop
"""

from .adam import Adam, AdamW
from .base import Optimizer, State
from .descent import SGD
from .squares import RMSprop

__all__ = ["OPTIMIZERS", "SGD", "Adam", "AdamW", "Optimizer", "RMSprop", "State"]

OPTIMIZERS: dict[str, type[Optimizer]] = {
    kind.name: kind
    for kind in (
        SGD,
        Adam,
        AdamW,
        RMSprop,
    )
}
