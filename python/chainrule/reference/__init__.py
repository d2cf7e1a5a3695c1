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

from .activations import (
    ELU,
    GELU,
    SELU,
    GELUTanh,
    HardSigmoid,
    HardSiLU,
    HardTanh,
    Identity,
    LeakyReLU,
    Mish,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Softsign,
    Tanh,
)
from .config import REGISTRIES
from .inits import (
    Constant,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LeCunNormal,
    LeCunUniform,
    Orthogonal,
    TruncatedNormal,
    Zeros,
)
from .layers import Dense, Dropout
from .losses import (
    MSE,
    AbsoluteError,
    BinaryCrossEntropy,
    BinaryFocal,
    CrossEntropy,
    Focal,
    GaussianNLL,
    HalfSquaredError,
    Hinge,
    Huber,
    KLDivergence,
    LogCosh,
    Poisson,
    Quantile,
    SquaredHinge,
)
from .network import Network
from .optimizers import SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, AMSGrad, Lion, NAdam, RAdam, RMSprop, Rprop
from .records import Gradient, History, LayerTrace

__all__ = [
    "ELU",
    "GELU",
    "MSE",
    "SELU",
    "SGD",
    "AMSGrad",
    "AbsoluteError",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "BinaryCrossEntropy",
    "BinaryFocal",
    "Constant",
    "CrossEntropy",
    "Dense",
    "Dropout",
    "Focal",
    "GELUTanh",
    "GaussianNLL",
    "GlorotNormal",
    "GlorotUniform",
    "Gradient",
    "HalfSquaredError",
    "HardSiLU",
    "HardSigmoid",
    "HardTanh",
    "HeNormal",
    "HeUniform",
    "Hinge",
    "History",
    "Huber",
    "Identity",
    "KLDivergence",
    "LayerTrace",
    "LeCunNormal",
    "LeCunUniform",
    "LeakyReLU",
    "Lion",
    "LogCosh",
    "Mish",
    "NAdam",
    "Network",
    "Orthogonal",
    "Poisson",
    "Quantile",
    "RAdam",
    "RMSprop",
    "ReLU",
    "Rprop",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Softsign",
    "SquaredHinge",
    "Tanh",
    "TruncatedNormal",
    "Zeros",
    "registry",
]


def registry() -> dict[str, list[str]]:
    """Return the names of all options, by kind.

    Examples
    --------
    >>> registry()["optimizer"]
    ['sgd', 'adam', 'adamw', 'amsgrad', 'adamax', 'nadam', 'radam', 'rmsprop', 'adagrad', 'adadelta', 'rprop', 'lion']
    """
    return {kind: list(names) for kind, names in REGISTRIES.items()}
