"""Optimizers: how a gradient changes the weights.

The article's "updating the weights". Each `update` takes all parameters of the network as one row w, their gradient g,
and what the optimizer remembers from earlier steps (as many rows as it has `state_names`), and returns the new w and
the new memory. t counts the steps, from 1.

    base        what every optimizer has
    descent     w goes against the gradient: SGD
    adam        by the mean of the gradients, in units of their size: Adam, AdamW, AMSGrad
    adam_kin    the same with a difference: Adamax, NAdam, RAdam
    squares     by the gradient, in units of its size: RMSprop, Adagrad, Adadelta
    signs       by the sign of the gradient alone: Rprop, Lion
"""

from .adam import Adam, AdamW, AMSGrad
from .adam_kin import Adamax, NAdam, RAdam
from .base import Optimizer, State
from .descent import SGD
from .signs import Lion, Rprop
from .squares import Adadelta, Adagrad, RMSprop

__all__ = [
    "OPTIMIZERS",
    "SGD",
    "AMSGrad",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Lion",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "State",
]

OPTIMIZERS: dict[str, type[Optimizer]] = {
    kind.name: kind
    for kind in (
        SGD,
        Adam,
        AdamW,
        AMSGrad,
        Adamax,
        NAdam,
        RAdam,
        RMSprop,
        Adagrad,
        Adadelta,
        Rprop,
        Lion,
    )
}
