"""The choices for building and training a network on a table, with defaults that suit most tables."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainrule.network import Network
from chainrule.reference.activations import ACTIVATIONS, Activation
from chainrule.reference.config import new_seed
from chainrule.reference.inits import INITS, Init
from chainrule.reference.layers import Dense, Dropout
from chainrule.reference.losses import LOSSES, Loss
from chainrule.reference.optimizers import OPTIMIZERS, Optimizer
from chainrule.reference.options import LARGEST, choose, integer, number, shown

from .targets import MARGINS, Classes, losses

if TYPE_CHECKING:
    from chainrule.names import ActivationName, ClassWeight, InitName, LossName, MetricName, OptimizerName

    from .targets import Target


@dataclass(frozen=True)
class Settings:
    """The choices, checked.

    Attributes
    ----------
    hidden : tuple of int
        Units of each hidden layer; empty for a linear model.
    activation, init : str or option
        For the hidden layers. The default, tanh, is bounded, so a number far from the training data has limited effect.
    loss : str or option, optional
        None: "cross_entropy" for classes, "mse" for numbers (standardized).
    optimizer : str or option
        The update rule.
    learning_rate : float, optional
        > 0. None: the optimizer's own.
    epochs : int
        The most passes over the data.
    batch_size : int, optional
        Rows per update. None: about 1/25 of the rows, as a power of two from 8 to 256. So an epoch makes about 25
        updates on a small table, which would learn too little from fewer, and is fast on a large one.
    dropout : float
        In [0, 1): share of hidden units that each update drops.
    l2 : float
        >= 0: adds ½ · l2 · ‖w‖² of every layer to the loss.
    patience : int
        Training ends after this number of epochs without a smaller loss on rows held back, and the best epoch counts.
        0: all epochs are made, and no rows are held back.
    seed : int, optional
        The seed of every random choice: splits, initial weights, order of rows, dropout. None draws one.
    class_weight : {"balanced"}, optional
        "balanced": each row counts n / (k · n_c) in the loss, where its class c has n_c of the n rows and there are k
        classes, so that every class counts as much. The scores count each row alike.
    metrics : sequence of str
        Further metrics of the scores: names of `chainrule.metrics` or of scikit-learn's scorers. They decide nothing.

    Examples
    --------
    >>> Settings(hidden=[100, 50], optimizer="sgd", learning_rate=0.1).optimizer
    SGD(learning_rate=0.1, momentum=0.0, nesterov=False)
    """

    hidden: tuple[int, ...] = (64, 32)
    activation: ActivationName | Activation = "tanh"
    init: InitName | Init = "glorot_uniform"
    loss: LossName | Loss | None = None
    optimizer: OptimizerName | Optimizer = "adam"
    learning_rate: float | None = None
    epochs: int = 1000
    batch_size: int | None = None
    dropout: float = 0.1
    l2: float = 0.0
    patience: int = 30
    seed: int = None  # type: ignore[assignment] # None is replaced below
    class_weight: ClassWeight | None = None
    metrics: tuple[MetricName, ...] = ()

    def __post_init__(self) -> None:
        """Check each field and fill in the derived defaults."""
        hidden: object = self.hidden
        if isinstance(hidden, str) or not hasattr(hidden, "__iter__"):
            raise TypeError(f"hidden must be a sequence of integers such as (64, 32), not {shown(hidden)}")
        seed: int | None = self.seed
        optimizer = choose("optimizer", self.optimizer, OPTIMIZERS)
        if self.learning_rate is not None:
            optimizer = optimizer.with_learning_rate(number("learning_rate", self.learning_rate, "(0, inf)"))
        fields = {
            "hidden": tuple(integer("hidden, a number of units,", units, 1, LARGEST) for units in self.hidden),
            "activation": choose("activation", self.activation, ACTIVATIONS),
            "init": choose("init", self.init, INITS),
            "loss": None if self.loss is None else choose("loss", self.loss, LOSSES),
            "optimizer": optimizer,
            "learning_rate": optimizer.learning_rate,
            "epochs": integer("epochs", self.epochs, 1, LARGEST),
            "batch_size": None if self.batch_size is None else integer("batch_size", self.batch_size, 1, LARGEST),
            "dropout": number("dropout", self.dropout, "[0, 1)"),
            "l2": number("l2", self.l2, "[0, inf)"),
            "patience": integer("patience", self.patience, 0, LARGEST),
            "seed": new_seed() if seed is None else integer("seed", seed, 0, 2**63 - 1),
        }
        if self.class_weight not in (None, "balanced"):
            raise ValueError(f"class_weight must be None or 'balanced', not {shown(self.class_weight)}")
        metrics: object = self.metrics
        if isinstance(metrics, str) or not hasattr(metrics, "__iter__"):
            raise TypeError(f"metrics must be a sequence of names such as ('roc_auc',), not {shown(metrics)}")
        fields["metrics"] = tuple(self.metrics)
        for name, value in fields.items():
            object.__setattr__(self, name, value)  # the way to set a field of a frozen dataclass

    def loss_for(self, target: Target) -> Loss:
        """Return the loss; refuse one that does not fit the target."""
        if self.loss is None:
            return LOSSES["cross_entropy" if isinstance(target, Classes) else "mse"]()
        loss = choose("loss", self.loss, LOSSES)
        n_classes = len(target.labels) if isinstance(target, Classes) else 0
        fitting = losses(target.task, n_classes)
        if loss.name not in fitting:
            kind = f"{target.task} of {n_classes} classes" if n_classes else target.task
            margin = ": its outputs are margins, not probabilities" if loss.name in MARGINS else ""
            raise ValueError(f"loss {loss.name!r} does not fit {kind}{margin} (those that do: {', '.join(fitting)})")
        return loss

    def batch_size_for(self, n_rows: int) -> int:
        """Return the number of rows per update.

        >>> [Settings().batch_size_for(n) for n in (10, 200, 1000, 5000, 100_000)]
        [8, 8, 32, 128, 256]
        """
        if self.batch_size is not None:
            return self.batch_size
        return min(1 << int(math.log2(max(n_rows / 25, 8))), 256)

    def network(self, n_inputs: int, target: Target) -> Network:
        """Return the untrained network."""
        loss = self.loss_for(target)
        layers: list[int | Dense | Dropout] = [n_inputs]
        for units in self.hidden:
            layers.append(Dense(units, l2=self.l2))
            if self.dropout:
                layers.append(Dropout(self.dropout))
        layers.append(Dense(target.n_outputs(loss), l2=self.l2))
        return Network(
            layers, activation=self.activation, init=self.init, loss=loss, optimizer=self.optimizer, seed=self.seed
        )
