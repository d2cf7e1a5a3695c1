"""The grid of fixed trainings: layers, activations, losses, optimizers, dtypes, batch sizes, weights, ways."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Any

import chainrule
from chainrule import Dense, Dropout, LeakyReLU

if TYPE_CHECKING:
    from collections.abc import Iterator

DTYPES = ("float32", "float64")

# Each takes another way through the network: small ones in one kernel, others layer by layer; few outputs with the rows
# in columns, many with the rows as rows; weights copied for the way back, or read as they lie.
STRUCTURES: dict[str, list[Any]] = {
    "small": [6, 17, 9, 4],
    "one layer": [5, 3],
    "many outputs": [7, 20, 130],
    "many inputs": [150, 33, 5],
    "mixed activations": [6, Dense(19, activation="tanh"), Dense(12, activation="gelu"), 4],
    "leaky": [6, Dense(16, activation=LeakyReLU(0.1)), Dense(16, activation=LeakyReLU(0.1)), 4],
    "penalty": [6, Dense(17, l2=0.01), Dense(9), Dense(4, l2=0.1)],
    "one penalty": [6, Dense(17, l2=0.1), Dense(9, l2=0.1), Dense(4, l2=0.1)],
    "no bias": [6, Dense(17, bias=False), Dense(4, bias=False)],
    "softmax inside": [6, Dense(17, activation="softmax"), 4],
    "activated output": [6, 17, Dense(4, activation="tanh")],
    "large": [40, 400, 340, 10],
    "medium outputs": [6, 17, 40],
    "medium outputs and penalty": [6, Dense(17, l2=0.01), Dense(40, l2=0.01)],
    "medium outputs and dropout": [6, 17, Dropout(0.3), 40],
    "dropout": [6, 17, Dropout(0.3), 9, Dropout(0.1), 4],
    "dropout first": [6, Dropout(0.5), 9, 40],
    "dropout and penalty": [6, Dense(17, l2=0.01), Dropout(0.3), 4],
}

OPTIMIZERS: dict[str, Any] = {
    "sgd": chainrule.SGD(learning_rate=0.01),
    "momentum": chainrule.SGD(learning_rate=0.005, momentum=0.9),
    "nesterov": chainrule.SGD(learning_rate=0.005, momentum=0.8, nesterov=True),
    "adam": chainrule.Adam(learning_rate=0.01),
    "adamw": chainrule.AdamW(learning_rate=0.01, weight_decay=0.1),
    "amsgrad": chainrule.AMSGrad(learning_rate=0.01, beta_2=0.9),
    "adamax": chainrule.Adamax(learning_rate=0.01),
    "nadam": chainrule.NAdam(learning_rate=0.01),
    "radam": chainrule.RAdam(learning_rate=0.01),
    "rmsprop": chainrule.RMSprop(learning_rate=0.01, rho=0.9),
    "adagrad": chainrule.Adagrad(learning_rate=0.01, eps=1e-8),
    "adadelta": chainrule.Adadelta(learning_rate=0.5),
    "rprop": chainrule.Rprop(learning_rate=0.001),
    "lion": chainrule.Lion(learning_rate=0.001, weight_decay=0.1),
}


@dataclass(frozen=True)
class Case:
    """A training: what network, on batches of what size, with weights of the rows or without, with labels or values."""

    name: str
    layers: list[Any]
    batch_size: int = 23
    weighted: bool = False
    labels: bool = True
    options: dict[str, Any] = field(default_factory=dict)


def all_cases() -> Iterator[Case]:
    """Yield every case; names are unique."""
    yield from structures()
    yield from activations()
    yield from losses()
    yield from optimizers()


def structures() -> Iterator[Case]:
    """Every structure with batches of one row, of a part of a tile, of two tiles and of three."""
    for structure, dtype, weighted in product(STRUCTURES, DTYPES, (False, True)):
        for batch_size, optimizer in product((1, 23, 300, 700), ("sgd", "momentum", "adam", "radam")):
            if structure == "large" and (batch_size > 300 or optimizer == "radam"):
                continue
            name = f"{structure}, {optimizer}, {dtype}, {batch_size} rows{', weighted' * weighted}"
            options = {"loss": "cross_entropy", "optimizer": OPTIMIZERS[optimizer], "dtype": dtype}
            yield Case(name, STRUCTURES[structure], batch_size, weighted, options=options)


def activations() -> Iterator[Case]:
    """Every activation in a small network and in one that is not."""
    for activation, dtype, structure in product(chainrule.registry()["activation"], DTYPES, ("small", "many inputs")):
        options = {"activation": activation, "loss": "mse", "optimizer": OPTIMIZERS["adam"], "dtype": dtype}
        yield Case(f"{activation}, {structure}, {dtype}", STRUCTURES[structure], labels=False, options=options)


def losses() -> Iterator[Case]:
    """Every loss with the rows of the last layer as columns and as rows, with labels and with values."""
    for loss, dtype, structure in product(
        chainrule.registry()["loss"], DTYPES, ("small", "many inputs", "many outputs")
    ):
        for batch_size, weighted, labels in product((23, 300), (False, True), (False, True)):
            layers = list(STRUCTURES[structure])
            if loss == "gaussian_nll" and layers[-1] % 2:
                layers[-1] += 1
            name = f"{loss}, {structure}, {dtype}, {batch_size} rows{', weighted' * weighted}{', labels' * labels}"
            yield Case(name, layers, batch_size, weighted, labels, {"loss": loss, "optimizer": "sgd", "dtype": dtype})


def optimizers() -> Iterator[Case]:
    """Every optimizer in a small network, in one that is not, and in one with a penalty."""
    for optimizer, dtype, weighted in product(OPTIMIZERS, DTYPES, (False, True)):
        for structure in ("small", "mixed activations", "penalty", "many outputs"):
            name = f"{optimizer} of all optimizers, {structure}, {dtype}{', weighted' * weighted}"
            options = {"loss": "cross_entropy", "optimizer": OPTIMIZERS[optimizer], "dtype": dtype}
            yield Case(name, STRUCTURES[structure], 40, weighted, options=options)
