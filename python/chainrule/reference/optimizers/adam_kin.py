"""Adamax, NAdam and RAdam: Adam with another measure of size, with a look ahead, and with a careful start."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from ..options import check_number, option
from .adam import Adam
from .base import running_mean

if TYPE_CHECKING:
    from ..schedules import Schedule
    from ..vectors import Row
    from .base import State


@option
class Adamax(Adam):
    """Adam that divides by the largest recent gradient instead of a root mean square.

    m ← beta_1 m + (1 − beta_1) g;  u ← max(beta_2 u, abs(g) + eps);  w ← w − learning_rate · m / ((1 − beta_1^t) u).
    Kingma & Ba 2015, algorithm 2. The same as torch.optim.Adamax; the paper has no eps. scikit-learn has none.

    Parameters
    ----------
    learning_rate : float or schedule, default 0.002
        The step size, > 0; a weight moves by no more than about this much a step.
    beta_1 : float, default 0.9
        How slowly the mean of the gradients changes, in [0, 1).
    beta_2 : float, default 0.999
        How slowly a large gradient is forgotten, in [0, 1).
    eps : float, default 1e-8
        Keeps the division finite, > 0.

    Examples
    --------
    >>> w, state = Adamax(learning_rate=0.1).update(w=[1.0], g=[-0.2], state={"m": [0.0], "u": [0.5]}, t=1)
    >>> w
    [1.04004004]
    >>> state
    {'m': [-0.02], 'u': [0.4995]}
    """

    learning_rate: float | Schedule = 2e-3

    name: ClassVar[str] = "adamax"

    @property
    def state_names(self) -> tuple[str, ...]:
        """The running mean of g (m) and the largest recent |g| (u)."""
        return ("m", "u")

    def update(self, w: Row, g: Row, state: State, t: int) -> tuple[Row, State]:
        """Return the parameters after step t, and the memory after it."""
        m = running_mean(state["m"], g, self.beta_1)
        u = [max(self.beta_2 * u_i, abs(g_i) + self.eps) for u_i, g_i in zip(state["u"], g, strict=True)]
        # Only m is too small at first: u starts at the first gradient.
        step_size = self.rate(t) / (1.0 - self.beta_1**t)
        return [w_i - step_size * m_i / u_i for w_i, m_i, u_i in zip(w, m, u, strict=True)], {"m": m, "u": u}


@option
class NAdam(Adam):
    """Adam that looks ahead along its momentum, as Nesterov's method does.

    m and v as Adam;  mu_t = beta_1 (1 − 0.96^(t · momentum_decay) / 2);  P_t = mu_1 · mu_2 · … · mu_t;
    w ← w − learning_rate · (g (1 − mu_t) / (1 − P_t) + m mu_{t+1} / (1 − P_{t+1})) / (sqrt(v / (1 − beta_2^t)) + eps).
    Dozat 2016, algorithm 2, with m and v of Adam. torch.optim.NAdam; scikit-learn has none.

    Parameters
    ----------
    learning_rate : float or schedule, default 0.002
        The step size, > 0.
    beta_1, beta_2, eps : float
        As for Adam.
    momentum_decay : float, default 0.004
        How fast mu rises from half of beta_1 to beta_1, >= 0.

    Examples
    --------
    >>> w, state = NAdam(learning_rate=0.1).update(w=[1.0], g=[0.2], state={"m": [0.0], "v": [0.0]}, t=1)
    >>> w
    [0.894354827]
    >>> state
    {'m': [0.02], 'v': [0.00004]}
    """

    learning_rate: float | Schedule = 2e-3
    momentum_decay: float = 4e-3

    name: ClassVar[str] = "nadam"

    def __post_init__(self) -> None:
        """Check the fields."""
        super().__post_init__()
        check_number(self, "momentum_decay", "[0, inf)")

    def momentum(self, t: int) -> float:
        """Return mu_t, which rises from half of beta_1 to beta_1."""
        return self.beta_1 * (1.0 - 0.5 * math.pow(0.96, t * self.momentum_decay))

    def product(self, t: int) -> float:
        """Return P_t = mu_1 · mu_2 · … · mu_t.

        >>> nadam = NAdam(beta_1=0.5, momentum_decay=0.0)
        >>> nadam.momentum(1), nadam.product(3)
        (0.25, 0.015625)
        """
        # torch keeps the product from step to step; as a function of t it need not be saved. It is
        # beta_1^t · Π (1 − q^i / 2) with q = 0.96^momentum_decay. The loop ends early: either the product is too small
        # to change 1 − product, or q^i is so small that all further factors are 1.
        q = math.pow(0.96, self.momentum_decay)
        factors = power = 1.0
        for _ in range(t):
            power *= q
            factors *= 1.0 - 0.5 * power
            if factors < 2.0**-60 or power < 2.0**-54:
                break
        return self.beta_1**t * factors

    def update(self, w: Row, g: Row, state: State, t: int) -> tuple[Row, State]:
        """Return the parameters after step t, and the memory after it."""
        m, v = self.moments(g, state)
        now, following, product = self.momentum(t), self.momentum(t + 1), self.product(t)
        # How far along the gradient itself, and how far along the momentum as it will be in the next step.
        step_g = self.rate(t) * (1.0 - now) / (1.0 - product)
        step_m = self.rate(t) * following / (1.0 - product * following)
        root = math.sqrt(1.0 - self.beta_2**t)
        new_w = [
            w_i - (step_g * g_i + step_m * m_i) / (math.sqrt(v_i) / root + self.eps)
            for w_i, g_i, m_i, v_i in zip(w, g, m, v, strict=True)
        ]
        return new_w, {"m": m, "v": v}


class RAdam(Adam):
    """Adam with a careful start: until its mean of squares can be trusted, steps follow the mean gradient alone.

    m and v as Adam. rho_t = rho_inf − 2 t beta_2^t / (1 − beta_2^t), with rho_inf = 2 / (1 − beta_2) − 1, estimates how
    many squares v averages. Where rho_t > 5, with
    r² = (rho_t − 4) (rho_t − 2) rho_inf / ((rho_inf − 4) (rho_inf − 2) rho_t):
    w ← w − learning_rate · (m / (1 − beta_1^t)) · r sqrt(1 − beta_2^t) / (sqrt(v) + eps);
    else w ← w − learning_rate · m / (1 − beta_1^t).
    Liu et al. 2020, algorithm 2, where the bound is 4. The same as torch.optim.RAdam, which has the bound 5 and eps;
    scikit-learn has none.

    Parameters
    ----------
    learning_rate : float or schedule
    beta_1, beta_2, eps : float
        As for Adam. With beta_2 up to 2 / 3 rho_t never exceeds 5.

    Examples
    --------
    >>> radam = RAdam(learning_rate=0.1)
    >>> radam.update(w=[1.0], g=[0.2], state={"m": [0.0], "v": [0.0]}, t=1)
    ([0.98], {'m': [0.02], 'v': [0.00004]})
    >>> [round(radam.rectification(t) or 0.0, 4) for t in (1, 5, 6, 100, 10000)]
    [0.0, 0.0, 0.0258, 0.2153, 0.9998]
    """

    name: ClassVar[str] = "radam"

    def rectification(self, t: int) -> float | None:
        """Return r, the factor of a step that v scales, or None while v averages too few squares."""
        rho_inf = 2.0 / (1.0 - self.beta_2) - 1.0
        rho = rho_inf - 2.0 * t * self.beta_2**t / (1.0 - self.beta_2**t)
        if rho <= 5.0:
            return None
        return math.sqrt((rho - 4.0) * (rho - 2.0) * rho_inf / ((rho_inf - 4.0) * (rho_inf - 2.0) * rho))

    def update(self, w: Row, g: Row, state: State, t: int) -> tuple[Row, State]:
        """Return the parameters after step t, and the memory after it."""
        m, v = self.moments(g, state)
        step_size = self.rate(t) / (1.0 - self.beta_1**t)
        r = self.rectification(t)
        if r is None:
            return [w_i - step_size * m_i for w_i, m_i in zip(w, m, strict=True)], {"m": m, "v": v}
        step_size *= r * math.sqrt(1.0 - self.beta_2**t)
        new_w = [w_i - step_size * m_i / (math.sqrt(v_i) + self.eps) for w_i, m_i, v_i in zip(w, m, v, strict=True)]
        return new_w, {"m": m, "v": v}
