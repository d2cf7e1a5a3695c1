"""The state of scikit-learn's optimizers (learning rate, schedule, moments). The native core makes the updates."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.neural_network import _stochastic_optimizers as theirs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from chainrule.sklearn.engine import Engine


class Sgd:
    """Gradient descent with momentum and a schedule of learning rates."""

    solver = "sgd"
    moments = ("velocities",)

    @property
    def changes_every_epoch(self) -> bool:
        """Whether the learning rate changes after each epoch."""
        return bool(self.lr_schedule == "invscaling")

    def __init__(self, estimator: Any, params: list[NDArray[Any]]) -> None:
        self.learning_rate_init = estimator.learning_rate_init
        self.learning_rate = float(estimator.learning_rate_init)
        self.lr_schedule = estimator.learning_rate
        self.momentum = estimator.momentum
        self.nesterov = estimator.nesterovs_momentum
        self.power_t = estimator.power_t
        self.velocities = [np.zeros_like(param) for param in params]

    def load(self, engine: Engine) -> None:
        """Hand the moments to the engine."""
        engine.network.set_state(0, engine.joined(self.velocities))

    def store(self, engine: Engine) -> None:
        """Take the moments back."""
        self.velocities = engine.split(engine.network.state(0))

    def rule(self) -> tuple[float, tuple[float, bool]]:
        """Return the step size and the numbers of the native rule."""
        return float(self.learning_rate), (float(self.momentum), bool(self.nesterov))

    def iteration_ends(self, time_step: int) -> None:
        """Lower the learning rate after an epoch if the schedule requires it."""
        if self.lr_schedule == "invscaling":
            self.learning_rate = float(self.learning_rate_init) / (time_step + 1) ** self.power_t

    def trigger_stopping(self, msg: str, verbose: float) -> bool:
        """Tell whether to stop when the loss no longer falls; an adaptive rate is cut first."""
        if self.lr_schedule == "adaptive" and self.learning_rate > 1e-6:
            self.learning_rate /= 5.0
            if verbose:
                print(msg + f" Setting learning rate to {self.learning_rate:f}")
            return False
        if verbose:
            print(msg + (" Learning rate too small. Stopping." if self.lr_schedule == "adaptive" else " Stopping."))
        return True


class Adam:
    """Adam, with epsilon outside the bias correction."""

    solver = "adam"
    moments = ("ms", "vs")
    changes_every_epoch = False

    def __init__(self, estimator: Any, params: list[NDArray[Any]]) -> None:
        self.learning_rate_init = estimator.learning_rate_init
        self.learning_rate = float(estimator.learning_rate_init)
        self.beta_1, self.beta_2 = estimator.beta_1, estimator.beta_2
        self.epsilon = estimator.epsilon
        self.t = 0
        self.ms = [np.zeros_like(param) for param in params]
        self.vs = [np.zeros_like(param) for param in params]

    def load(self, engine: Engine) -> None:
        """Hand the moments to the engine."""
        engine.network.set_state(0, engine.joined(self.ms))
        engine.network.set_state(1, engine.joined(self.vs))
        engine.network.step_count = self.t

    def store(self, engine: Engine) -> None:
        """Take the moments back."""
        self.ms = engine.split(engine.network.state(0))
        self.vs = engine.split(engine.network.state(1))
        self.t = engine.network.step_count
        if self.t:
            corrected = np.sqrt(1 - self.beta_2**self.t) / (1 - self.beta_1**self.t)
            self.learning_rate = self.learning_rate_init * corrected

    def rule(self) -> tuple[float, tuple[float, float, float]]:
        """Return the step size and the numbers of the native rule."""
        return float(self.learning_rate_init), (float(self.beta_1), float(self.beta_2), float(self.epsilon))

    def iteration_ends(self, time_step: int) -> None:
        """Do nothing, since the step size is a function of t."""

    def trigger_stopping(self, msg: str, verbose: float) -> bool:
        """Stop when the loss no longer falls."""
        if verbose:
            print(msg + " Stopping.")
        return True


KINDS = ((Sgd, theirs.SGDOptimizer), (Adam, theirs.AdamOptimizer))
"""Our optimizers and scikit-learn's; their attributes have the same names."""


def converted(optimizer: Any, *, to_ours: bool) -> Any:
    """Return a copy of the optimizer as ours or scikit-learn's; an optimizer of another class is copied unchanged."""
    for ours, their in KINDS:
        if isinstance(optimizer, (ours, their)):
            kind = ours if to_ours else their
            result = kind.__new__(kind)
            vars(result).update(deepcopy(vars(optimizer)))
            return result
    return deepcopy(optimizer)
