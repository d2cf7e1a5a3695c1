"""RMSprop, Adagrad and Adadelta: each gradient divided by its own typical size, the root of its past squares."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, ClassVar

from ..options import check_number, option
from .base import Optimizer, running_mean, squared

if TYPE_CHECKING:
    from ..schedules import Schedule
    from ..vectors import Row
    from .base import State


@option
class RMSprop(Optimizer):
    """Each gradient divided by the root mean square of its recent values.

    v ← rho v + (1 − rho) g²;  w ← w − learning_rate · g / (sqrt(v) + eps).
    Tieleman & Hinton 2012, lecture 6.5. torch.optim.RMSprop (whose rho is called alpha); scikit-learn has none.

    Parameters
    ----------
    learning_rate : float or schedule, default 0.01
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

    learning_rate: float | Schedule = 0.01
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
        v = running_mean(state["v"], squared(g), self.rho)
        new_w = [w_i - self.rate(t) * g_i / (math.sqrt(v_i) + self.eps) for w_i, g_i, v_i in zip(w, g, v, strict=True)]
        return new_w, {"v": v}


@option
class Adagrad(Optimizer):
    """Each gradient divided by the root of the sum of its squares: weights that are rarely used keep large steps.

    v ← v + g²;  w ← w − learning_rate · g / (sqrt(v) + eps). The sum v stops at the largest number.
    Duchi, Hazan & Singer 2011, figure 1, with a diagonal matrix. torch.optim.Adagrad with its defaults; scikit-learn
    has none.

    Parameters
    ----------
    learning_rate : float or schedule, default 0.01
        The first step of every weight, > 0; all later ones are smaller.
    eps : float, default 1e-10
        Keeps the division finite, > 0.

    Examples
    --------
    >>> Adagrad(learning_rate=0.5).update(w=[1.0], g=[3.0], state={"v": [16.0]}, t=2)
    ([0.7], {'v': [25.0]})
    """

    learning_rate: float | Schedule = 0.01
    eps: float = 1e-10

    name: ClassVar[str] = "adagrad"

    def __post_init__(self) -> None:
        """Check the fields."""
        super().__post_init__()
        check_number(self, "eps", "(0, inf)")

    @property
    def state_names(self) -> tuple[str, ...]:
        """The sum of all g²."""
        return ("v",)

    def update(self, w: Row, g: Row, state: State, t: int) -> tuple[Row, State]:
        """Return the parameters after step t, and the memory after it."""
        # v ← v + g²,  w ← w − learning_rate · g / (√v + eps)
        v = [min(v_i + g_i * g_i, sys.float_info.max) for v_i, g_i in zip(state["v"], g, strict=True)]
        new_w = [w_i - self.rate(t) * g_i / (math.sqrt(v_i) + self.eps) for w_i, g_i, v_i in zip(w, g, v, strict=True)]
        return new_w, {"v": v}


@option
class Adadelta(Optimizer):
    """Steps in proportion to past steps, so that they have the unit of the weight and need no learning rate.

    v ← rho v + (1 − rho) g²;  d = g · sqrt(u + eps) / sqrt(v + eps);  u ← rho u + (1 − rho) d²;
    w ← w − learning_rate · d.
    Zeiler 2012, algorithm 1, whose learning rate is 1. torch.optim.Adadelta with its defaults; scikit-learn has none.

    Parameters
    ----------
    learning_rate : float or schedule, default 1.0
        A factor of every step, > 0.
    rho : float, default 0.9
        How slowly both means change, in [0, 1).
    eps : float, default 1e-6
        Makes the first steps larger than zero, > 0; they are about sqrt(eps / (1 − rho)).

    Examples
    --------
    >>> w, state = Adadelta(rho=0.75, eps=0.01).update(w=[1.0], g=[0.2], state={"v": [0.0], "u": [0.0]}, t=1)
    >>> w
    [0.858578644]
    >>> state
    {'v': [0.01], 'u': [0.005]}
    """

    learning_rate: float | Schedule = 1.0
    rho: float = 0.9
    eps: float = 1e-6

    name: ClassVar[str] = "adadelta"

    def __post_init__(self) -> None:
        """Check the fields."""
        super().__post_init__()
        check_number(self, "rho", "[0, 1)")
        check_number(self, "eps", "(0, inf)")

    @property
    def state_names(self) -> tuple[str, ...]:
        """The running means of g² (v) and of the squares of the steps (u)."""
        return ("v", "u")

    def update(self, w: Row, g: Row, state: State, t: int) -> tuple[Row, State]:
        """Return the parameters after step t, and the memory after it."""
        v = running_mean(state["v"], squared(g), self.rho)
        # d = g · √(u + eps) / √(v + eps), from the steps before this one
        d = [
            math.sqrt(u_i + self.eps) / math.sqrt(v_i + self.eps) * g_i
            for u_i, v_i, g_i in zip(state["u"], v, g, strict=True)
        ]
        u = running_mean(state["u"], squared(d), self.rho)
        return [w_i - self.rate(t) * d_i for w_i, d_i in zip(w, d, strict=True)], {"v": v, "u": u}
