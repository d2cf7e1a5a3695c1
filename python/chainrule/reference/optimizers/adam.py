"""Adam, AdamW and AMSGrad: a step size for each weight, from running means of its gradients and of their squares."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from ..options import check_number, option
from .base import Optimizer, running_mean, squared

if TYPE_CHECKING:
    from ..schedules import Schedule
    from ..vectors import Row
    from .base import State


@option
class Adam(Optimizer):
    """A step size for each weight, from the mean and the spread of its past gradients.

    m ← beta_1 m + (1 − beta_1) g;  v ← beta_2 v + (1 − beta_2) g²;
    w ← w − learning_rate · (m / (1 − beta_1^t)) / (sqrt(v / (1 − beta_2^t)) + eps).
    Kingma & Ba 2015, algorithm 1. torch.optim.Adam. scikit-learn adds eps before the correction of v.

    Parameters
    ----------
    learning_rate : float or schedule, default 0.001
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

    learning_rate: float | Schedule = 1e-3
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
        m, v = self.moments(g, state)
        return self.moved(w, m, v, t), {"m": m, "v": v}

    def moments(self, g: Row, state: State) -> tuple[Row, Row]:
        """Return m ← β₁ m + (1 − β₁) g and v ← β₂ v + (1 − β₂) g²."""
        return running_mean(state["m"], g, self.beta_1), running_mean(state["v"], squared(g), self.beta_2)

    def moved(self, w: Row, m: Row, v: Row, t: int) -> Row:
        """Return w − learning_rate · (m / (1 − β₁^t)) / (√(v / (1 − β₂^t)) + eps)."""
        # m and v start at 0 and are too small at first, by the factors 1 − β₁^t and 1 − β₂^t.
        step_size = self.rate(t) / (1.0 - self.beta_1**t)
        root = math.sqrt(1.0 - self.beta_2**t)
        return [
            w_i - step_size * m_i / (math.sqrt(v_i) / root + self.eps) for w_i, m_i, v_i in zip(w, m, v, strict=True)
        ]


@option
class AdamW(Adam):
    """Adam with weight decay: every parameter also shrinks by a small share of itself in each step.

    First w ← w − learning_rate · weight_decay · w, biases too, then Adam. Unlike a layer's l2 the decay does not go
    through m and v. Loshchilov & Hutter 2019, algorithm 2. torch.optim.AdamW; scikit-learn has none.

    Parameters
    ----------
    learning_rate : float or schedule
    beta_1, beta_2, eps : float
        As for Adam.
    weight_decay : float, default 0.01
        A step shrinks a parameter by learning_rate · weight_decay of itself, >= 0.

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
        keep = 1.0 - self.rate(t) * self.weight_decay
        return super().update([keep * w_i for w_i in w], g, state, t)


class AMSGrad(Adam):
    """Adam whose step sizes only fall: it divides by the largest v so far.

    m and v as Adam;  v_max ← max(v_max, v);
    w ← w − learning_rate · (m / (1 − beta_1^t)) / (sqrt(v_max / (1 − beta_2^t)) + eps).
    A rare large gradient is never forgotten; without this, Adam does not converge on some problems. Reddi, Kale & Kumar
    2018, algorithm 2, with the bias corrections of torch.optim.Adam(amsgrad=True), which the paper leaves out;
    scikit-learn has none.

    Parameters
    ----------
    learning_rate : float or schedule
    beta_1, beta_2, eps : float
        As for Adam.

    Examples
    --------
    >>> amsgrad = AMSGrad(learning_rate=0.1, beta_2=0.75)
    >>> w, state = amsgrad.update(w=[1.0], g=[0.0], state={"m": [0.5], "v": [4.0], "v_max": [4.0]}, t=100)
    >>> w
    [0.9775]
    >>> state
    {'m': [0.45], 'v': [3.0], 'v_max': [4.0]}
    """

    name: ClassVar[str] = "amsgrad"

    @property
    def state_names(self) -> tuple[str, ...]:
        """The running means of g (m) and of g² (v), and the largest v so far."""
        return ("m", "v", "v_max")

    def update(self, w: Row, g: Row, state: State, t: int) -> tuple[Row, State]:
        """Return the parameters after step t, and the memory after it."""
        m, v = self.moments(g, state)
        v_max = list(map(max, state["v_max"], v))
        return self.moved(w, m, v_max, t), {"m": m, "v": v, "v_max": v_max}
