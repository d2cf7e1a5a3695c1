"""Gradients in units of their own size: division by a root of their squares."""

# ruff: noqa: ARG002 - one signature for all of a kind; a formula takes from it what it needs

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from ..options import check_number, option
from .base import Optimizer

if TYPE_CHECKING:
    from ..vectors import Row
    from .base import State


@option
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
