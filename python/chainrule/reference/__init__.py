"""The same networks in plain Python, to be read by someone who learns backpropagation.

No NumPy and no compiled code: the formulas of the textbook, in the order in which they are run.

    vectors       rows and matrices as lists
    activations   the transfer of a unit and its slope
    losses        how wrong an output is, and which way to turn it
    layers        one layer, forward and backward
    network       the chain of layers: forward propagation, backpropagation, update, training
    optimizers    how a gradient changes the weights
    inits         where the weights begin
    rng           the random numbers
    config        what may be asked for

Begin with `network`. The classes of options (Dense, Adam, ...) are the very ones that the fast network takes, and
`chainrule.Network.verify` holds it to this package.
"""

# ruff: noqa: F403 - the packages of options say in `__all__` what they have

from typing import TYPE_CHECKING

from .activations import *
from .config import OPTIONS, REGISTRIES
from .inits import *
from .layers import *
from .losses import *
from .network import Network as Network
from .optimizers import *
from .records import Gradient as Gradient
from .records import History as History
from .records import LayerTrace as LayerTrace

if not TYPE_CHECKING:  # which knows the names from the imports, and would take this list for an empty one
    __all__ = ["Gradient", "History", "LayerTrace", "Network", "registry"]
    __all__ += list(OPTIONS)


def registry() -> dict[str, list[str]]:
    """Return the names of all options, by kind.

    Examples
    --------
    >>> registry()["optimizer"]
    ['sgd', 'adam', 'adamw', 'amsgrad', 'adamax', 'nadam', 'radam', 'rmsprop', 'adagrad', 'adadelta', 'rprop', 'lion']
    """
    return {kind: list(names) for kind, names in REGISTRIES.items()}
