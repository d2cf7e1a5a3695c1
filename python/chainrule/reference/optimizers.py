"""Optimizers: how a gradient changes the weights.

The article's "updating the weights". Each `update` takes all parameters of the network as one row w, their gradient g,
and what the optimizer remembers from earlier steps (as many rows as it has `state_names`), and returns the new w and
the new memory. t counts the steps, from 1.
"""

# ruff: noqa: ARG002 - one signature for all of a kind; a formula takes from it what it needs

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from .options import Option, check_flag, check_number
from .vectors import Row

if TYPE_CHECKING:
    from typing import Self

State: TypeAlias = dict[str, Row]


@dataclass(frozen=True)
class Optimizer(Option):
    """Base of the optimizers."""

    learning_rate: float

    def __post_init__(self) -> None:
        """Check the fields."""
        check_number(self, "learning_rate", "(0, inf)")

    @property
    def state_names(self) -> tuple[str, ...]:
        """The names of the rows that are remembered from step to step; all start at zero."""
        raise NotImplementedError

    def update(self, w: Row, g: Row, state: State, t: int) -> tuple[Row, State]:
        """Return the parameters after step t, and the memory after it."""
        raise NotImplementedError

    def with_learning_rate(self, learning_rate: float) -> Self:
        """Return the same optimizer with another learning rate."""
        from dataclasses import replace

        return replace(self, learning_rate=learning_rate)


@dataclass(frozen=True)
class SGD(Optimizer):
    """Gradient descent, with or without momentum.

    Without momentum w ← w − learning_rate · g. With it the weights move on with a velocity that the gradient changes:
    v ← momentum · v + g, w ← w − learning_rate · v, and with nesterov w ← w − learning_rate · (g + momentum · v).
    Rumelhart, Hinton & Williams 1986; Nesterov 1983 in the form of Sutskever et al. 2013. torch.optim.SGD with
    dampening 0; scikit-learn puts the learning rate inside the velocity.

    Parameters
    ----------
    learning_rate : float, default 0.01
        The step size, > 0.
    momentum : float, default 0.0
        The share of the velocity that stays, in [0, 1).
    nesterov : bool, default False
        Look ahead along the velocity; needs momentum > 0.

    Examples
    --------
    >>> SGD(learning_rate=0.5).update(w=[1.0], g=[0.2], state={}, t=1)
    ([0.9], {})
    >>> SGD(learning_rate=0.5, momentum=0.9).update(w=[1.0], g=[0.2], state={"velocity": [1.0]}, t=2)
    ([0.45], {'velocity': [1.1]})
    """

    learning_rate: float = 0.01
    momentum: float = 0.0
    nesterov: bool = False

    name: ClassVar[str] = "sgd"

    def __post_init__(self) -> None:
        """Check the fields."""
        super().__post_init__()
        check_number(self, "momentum", "[0, 1)")
        check_flag(self, "nesterov")
        if self.nesterov and self.momentum == 0.0:
            raise ValueError("nesterov=True needs momentum > 0, such as momentum=0.9; it is 0.0")

    @property
    def state_names(self) -> tuple[str, ...]:
        """The velocity, where there is momentum."""
        return ("velocity",) if self.momentum > 0.0 else ()

    def update(self, w: Row, g: Row, state: State, t: int) -> tuple[Row, State]:
        """Return the parameters after step t, and the memory after it."""
        direction, new_state = g, {}
        if self.momentum > 0.0:
            # v ← momentum · v + g
            v = [self.momentum * v_i + g_i for v_i, g_i in zip(state["velocity"], g, strict=True)]
            direction, new_state = v, {"velocity": v}
            if self.nesterov:
                direction = [g_i + self.momentum * v_i for g_i, v_i in zip(g, v, strict=True)]
        # w ← w − learning_rate · direction
        return [w_i - self.learning_rate * d_i for w_i, d_i in zip(w, direction, strict=True)], new_state


@dataclass(frozen=True)
class Adam(Optimizer):
    """A step size for each weight, from the mean and the spread of its past gradients.

    m ← beta_1 m + (1 − beta_1) g;  v ← beta_2 v + (1 − beta_2) g²;
    w ← w − learning_rate · (m / (1 − beta_1^t)) / (sqrt(v / (1 − beta_2^t)) + eps).
    Kingma & Ba 2015, algorithm 1. torch.optim.Adam. scikit-learn adds eps before the correction of v.

    Parameters
    ----------
    learning_rate : float, default 0.001
        The step size, > 0; a weight moves by about this much a step at first.
    beta_1 : float, default 0.9
        How slowly the mean of the gradients changes, in [0, 1).
    beta_2 : float, default 0.999
        How slowly the mean of their squares changes, in [0, 1).
    eps : float, default 1e-8
        Keeps the division finite, > 0.

    Examples
    --------
    >>> w, state = Adam(learning_rate=0.1).update(w=[1.0], g=[0.2], state={"m": [0.0], "v": [0.0]}, t=1)
    >>> w
    [0.900000005]
    >>> state
    {'m': [0.02], 'v': [0.00004]}
    """

    learning_rate: float = 1e-3
    beta_1: float = 0.9
    beta_2: float = 0.999
    eps: float = 1e-8

    name: ClassVar[str] = "adam"

    def __post_init__(self) -> None:
        """Check the fields."""
        super().__post_init__()
        check_number(self, "beta_1", "[0, 1)")
        check_number(self, "beta_2", "[0, 1)")
        check_number(self, "eps", "(0, inf)")

    @property
    def state_names(self) -> tuple[str, ...]:
        """The running means of g (m) and of g² (v)."""
        return ("m", "v")

    def update(self, w: Row, g: Row, state: State, t: int) -> tuple[Row, State]:
        """Return the parameters after step t, and the memory after it."""
        # m ← β₁ m + (1 − β₁) g,  v ← β₂ v + (1 − β₂) g²
        m = [self.beta_1 * m_i + (1.0 - self.beta_1) * g_i for m_i, g_i in zip(state["m"], g, strict=True)]
        v = [self.beta_2 * v_i + (1.0 - self.beta_2) * g_i * g_i for v_i, g_i in zip(state["v"], g, strict=True)]
        # Both start at 0 and are too small at first, by the factors 1 − β₁^t and 1 − β₂^t.
        step_size = self.learning_rate / (1.0 - self.beta_1**t)
        root = math.sqrt(1.0 - self.beta_2**t)
        # w ← w − learning_rate/(1 − β₁^t) · m / (√v / √(1 − β₂^t) + eps)
        new_w = [
            w_i - step_size * m_i / (math.sqrt(v_i) / root + self.eps) for w_i, m_i, v_i in zip(w, m, v, strict=True)
        ]
        return new_w, {"m": m, "v": v}


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam, and every parameter shrinks by its own small share a step.

    First w ← w − learning_rate · weight_decay · w, biases too, then Adam. Unlike a layer's l2 the decay does not go
    through m and v. Loshchilov & Hutter 2019, algorithm 2. torch.optim.AdamW; scikit-learn has none.

    Parameters
    ----------
    learning_rate, beta_1, beta_2, eps : float
        As for Adam.
    weight_decay : float, default 0.01
        The share by which a parameter shrinks, in units of the learning rate, >= 0.

    Examples
    --------
    >>> adamw = AdamW(learning_rate=0.1, weight_decay=0.5)
    >>> w, state = adamw.update(w=[1.0], g=[0.2], state={"m": [0.0], "v": [0.0]}, t=1)
    >>> w
    [0.850000005]
    """

    weight_decay: float = 0.01

    name: ClassVar[str] = "adamw"

    def __post_init__(self) -> None:
        """Check the fields."""
        super().__post_init__()
        check_number(self, "weight_decay", "[0, inf)")

    def update(self, w: Row, g: Row, state: State, t: int) -> tuple[Row, State]:
        """Return the parameters after step t, and the memory after it."""
        # w ← w − learning_rate · weight_decay · w, then as Adam
        keep = 1.0 - self.learning_rate * self.weight_decay
        return super().update([keep * w_i for w_i in w], g, state, t)


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """Each gradient in units of its own recent size.

    v ← rho v + (1 − rho) g²;  w ← w − learning_rate · g / (sqrt(v) + eps).
    Tieleman & Hinton 2012, lecture 6.5. torch.optim.RMSprop (whose rho is called alpha); scikit-learn has none.

    Parameters
    ----------
    learning_rate : float, default 0.01
        The step size, > 0.
    rho : float, default 0.99
        How slowly the mean of the squares changes, in [0, 1).
    eps : float, default 1e-8
        Keeps the division finite, > 0.

    Examples
    --------
    >>> w, state = RMSprop(learning_rate=0.1, rho=0.75).update(w=[1.0], g=[0.2], state={"v": [0.0]}, t=1)
    >>> w
    [0.80000002]
    >>> state
    {'v': [0.01]}
    """

    learning_rate: float = 0.01
    rho: float = 0.99
    eps: float = 1e-8

    name: ClassVar[str] = "rmsprop"

    def __post_init__(self) -> None:
        """Check the fields."""
        super().__post_init__()
        check_number(self, "rho", "[0, 1)")
        check_number(self, "eps", "(0, inf)")

    @property
    def state_names(self) -> tuple[str, ...]:
        """The running mean of g²."""
        return ("v",)

    def update(self, w: Row, g: Row, state: State, t: int) -> tuple[Row, State]:
        """Return the parameters after step t, and the memory after it."""
        # v ← ρ v + (1 − ρ) g²,  w ← w − learning_rate · g / (√v + eps)
        v = [self.rho * v_i + (1.0 - self.rho) * g_i * g_i for v_i, g_i in zip(state["v"], g, strict=True)]
        new_w = [
            w_i - self.learning_rate * g_i / (math.sqrt(v_i) + self.eps) for w_i, g_i, v_i in zip(w, g, v, strict=True)
        ]
        return new_w, {"v": v}


OPTIMIZERS: dict[str, type[Optimizer]] = {
    kind.name: kind
    for kind in (
        SGD,
        Adam,
        AdamW,
        RMSprop,
    )
}
