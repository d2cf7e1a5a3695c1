"""Rprop and Lion: steps by the sign of the gradient alone, whatever its size."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..options import check_number, option
from .base import Optimizer, running_mean

if TYPE_CHECKING:
    from ..schedules import Schedule
    from ..vectors import Row
    from .base import State


def sign(x: float) -> float:
    """Return −1, 0 or 1.

    >>> sign(-0.3), sign(0.0), sign(5.0)
    (-1.0, 0.0, 1.0)
    """
    return float(x > 0.0) - float(x < 0.0)


@option
class Rprop(Optimizer):
    """A step size for each weight, which grows while the gradient keeps its sign and shrinks when the sign changes.

    s ← s · eta_plus where g has the sign of the step before, s · eta_minus where it has the other, kept within
    [step_min, step_max]; where the sign has changed g ← 0, and the next step compares with that;
    w ← w − s · sign(g). s starts at learning_rate; to change that after the first step has no effect.

    For full batches: from one mini-batch to the next signs also change because the samples do, and the steps shrink
    without reason.

    Riedmiller & Braun 1993, in the form without weight backtracking (iRprop−, Igel & Hüsken 2000). The same as
    torch.optim.Rprop, except that torch compares signs by the product of the gradients, which underflows to 0 where
    both are tiny. scikit-learn has none.

    Parameters
    ----------
    learning_rate : float or schedule, default 0.01
        The first step size, > 0.
    eta_minus : float, default 0.5
        The factor of a step size where the sign has changed, in (0, 1).
    eta_plus : float, default 1.2
        The factor of a step size where the sign is the same, > 1.
    step_min, step_max : float, default 1e-6 and 50.0
        The smallest and the largest step size, 0 < step_min <= step_max.

    Examples
    --------
    >>> rprop = Rprop(learning_rate=0.1)
    >>> start = {"previous_gradient": [0.0, 0.0], "step_size": [0.0, 0.0]}
    >>> w, state = rprop.update(w=[1.0, 1.0], g=[3.0, 0.01], state=start, t=1)
    >>> w
    [0.9, 0.9]
    >>> rprop.update(w, g=[2.0, -0.01], state=state, t=2)
    ([0.78, 0.9], {'previous_gradient': [2.0, 0.0], 'step_size': [0.12, 0.05]})
    """

    learning_rate: float | Schedule = 0.01
    eta_minus: float = 0.5
    eta_plus: float = 1.2
    step_min: float = 1e-6
    step_max: float = 50.0

    name: ClassVar[str] = "rprop"

    def __post_init__(self) -> None:
        """Check the fields."""
        super().__post_init__()
        check_number(self, "eta_minus", "(0, 1)")
        check_number(self, "eta_plus", "(1, inf)")
        check_number(self, "step_min", "(0, inf)")
        check_number(self, "step_max", "(0, inf)")
        if self.step_min > self.step_max:
            raise ValueError(f"step_min must be at most step_max, {self.step_max}, not {self.step_min}")

    @property
    def state_names(self) -> tuple[str, ...]:
        """The gradient of the step before, and the step sizes."""
        return ("previous_gradient", "step_size")

    def update(self, w: Row, g: Row, state: State, t: int) -> tuple[Row, State]:
        """Return the parameters after step t, and the memory after it."""
        sizes = state["step_size"] if t > 1 else [self.rate(t)] * len(w)
        turns = [sign(g_i) * sign(p_i) for g_i, p_i in zip(g, state["previous_gradient"], strict=True)]
        factor = {1.0: self.eta_plus, 0.0: 1.0, -1.0: self.eta_minus}
        sizes = [
            min(max(s_i * factor[turn], self.step_min), self.step_max) for s_i, turn in zip(sizes, turns, strict=True)
        ]
        # After a turn the weight stays for one step, and the next gradient is compared with 0: the size stays as well.
        g = [0.0 if turn < 0.0 else g_i for g_i, turn in zip(g, turns, strict=True)]
        new_w = [w_i - sign(g_i) * s_i for w_i, g_i, s_i in zip(w, g, sizes, strict=True)]
        return new_w, {"previous_gradient": g, "step_size": sizes}


@option
class Lion(Optimizer):
    """Every weight moves by the learning rate, in the direction of its momentum and gradient.

    c = beta_1 m + (1 − beta_1) g;  w ← w − learning_rate · (sign(c) + weight_decay · w);
    m ← beta_2 m + (1 − beta_2) g.
    Chen et al. 2023, "Symbolic Discovery of Optimization Algorithms", algorithm 2. Neither torch nor scikit-learn has
    it.

    Parameters
    ----------
    learning_rate : float or schedule, default 0.0001
        How far a weight moves in each step, > 0; three to ten times less than for Adam.
    beta_1 : float, default 0.9
        The share of the momentum in the direction of a step, in [0, 1).
    beta_2 : float, default 0.99
        How slowly the momentum changes, in [0, 1).
    weight_decay : float, default 0.0
        A step shrinks a parameter, biases too, by learning_rate · weight_decay of itself, >= 0; three to ten times more
        than for AdamW.

    Examples
    --------
    >>> Lion(learning_rate=0.1, weight_decay=0.5).update(w=[1.0, 2.0], g=[0.3, 0.0], state={"m": [-0.01, 0.0]}, t=2)
    ([0.85, 1.9], {'m': [-0.0069, 0.0]})
    """

    learning_rate: float | Schedule = 1e-4
    beta_1: float = 0.9
    beta_2: float = 0.99
    weight_decay: float = 0.0

    name: ClassVar[str] = "lion"

    def __post_init__(self) -> None:
        """Check the fields."""
        super().__post_init__()
        check_number(self, "beta_1", "[0, 1)")
        check_number(self, "beta_2", "[0, 1)")
        check_number(self, "weight_decay", "[0, inf)")

    @property
    def state_names(self) -> tuple[str, ...]:
        """The running mean of g."""
        return ("m",)

    def update(self, w: Row, g: Row, state: State, t: int) -> tuple[Row, State]:
        """Return the parameters after step t, and the memory after it."""
        c = running_mean(state["m"], g, self.beta_1)
        keep = 1.0 - self.rate(t) * self.weight_decay
        new_w = [keep * w_i - self.rate(t) * sign(c_i) for w_i, c_i in zip(w, c, strict=True)]
        return new_w, {"m": running_mean(state["m"], g, self.beta_2)}
