"""Optimizers: how a gradient changes the weights.

The article's "updating the weights". Each `update` takes all parameters of the network as one row w, their gradient g,
and what the optimizer remembers from earlier steps (one row for each of its `state_names`), and returns the new w and
the new memory. t counts the steps, from 1.

    base        what every optimizer has
    descent     steps against the gradient: SGD
    adam        steps by the mean gradient, divided by its typical size: Adam, AdamW, AMSGrad
    adam_kin    variants of Adam: Adamax, NAdam, RAdam
    squares     steps by the gradient, divided by its typical size: RMSprop, Adagrad, Adadelta
    signs       steps by the sign of the gradient alone: Rprop, Lion
"""

from .adam import Adam, AdamW, AMSGrad
from .adam_kin import Adamax, NAdam, RAdam
from .base import Optimizer as Optimizer
from .base import State as State
from .descent import SGD
from .signs import Lion, Rprop
from .squares import Adadelta, Adagrad, RMSprop

# The kinds, in the order of the core. Their names are written here alone: the packages above take them from here.
__all__ = (  # noqa: RUF022 - not by the alphabet
    "SGD",
    "Adam",
    "AdamW",
    "AMSGrad",
    "Adamax",
    "NAdam",
    "RAdam",
    "RMSprop",
    "Adagrad",
    "Adadelta",
    "Rprop",
    "Lion",
)
OPTIMIZERS: dict[str, type[Optimizer]] = {kind.name: kind for kind in map(globals().__getitem__, __all__)}
