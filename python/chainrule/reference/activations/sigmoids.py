"""S-shaped transfers: near zero the output follows z, far from zero it approaches a bound."""

# ruff: noqa: ARG002 - one signature for all of a kind; a formula takes from it what it needs

from __future__ import annotations

import math
from typing import ClassVar

from .base import Activation


def logistic(z: float) -> float:
    """Return 1 / (1 + exp(−z)).

    >>> logistic(0.0), logistic(-1000.0), logistic(1000.0)
    (0.5, 0.0, 1.0)
    """
    # 1 / (1 + exp(−z)) = exp(z) / (exp(z) + 1). The form whose exponent is not positive cannot overflow.
    if z >= 0.0:
        return 1.0 / (1.0 + math.exp(-z))
    e = math.exp(z)
    return e / (1.0 + e)


class Sigmoid(Activation):
    """The logistic function: a = 1 / (1 + exp(−z)) in [0, 1], da/dz = a (1 − a).

    Rumelhart, Hinton & Williams 1986. The same as torch.nn.Sigmoid and as "logistic" in scikit-learn.

    Examples
    --------
    >>> sigmoid = Sigmoid()
    >>> sigmoid.value([0.0, 0.3775])
    [0.5, 0.593269992]
    >>> sigmoid.slope([0.0], [0.5])
    [0.25]
    """

    name: ClassVar[str] = "sigmoid"

    def f(self, z: float) -> float:
        """Return 1 / (1 + exp(−z))."""
        return logistic(z)

    def slope_of(self, z: float, a: float) -> float:
        """Return a (1 − a)."""
        return a * (1.0 - a)


class Tanh(Activation):
    """The hyperbolic tangent: a = tanh(z) in [−1, 1], da/dz = 1 − a².

    LeCun, Bottou, Orr & Müller 1998, "Efficient BackProp", §4.4. The same in torch and scikit-learn.

    Examples
    --------
    >>> tanh = Tanh()
    >>> tanh.value([0.0, 1.0])
    [0.0, 0.7615941559557649]
    >>> tanh.slope([1.0], [0.7615941559557649])
    [0.41997434161402614]
    """

    name: ClassVar[str] = "tanh"

    def f(self, z: float) -> float:
        """Return tanh(z)."""
        return math.tanh(z)

    def slope_of(self, z: float, a: float) -> float:
        """Return 1 − a²."""
        return 1.0 - a * a


class Softsign(Activation):
    """An S with long tails: a = z / (1 + |z|) in [−1, 1], da/dz = 1 / (1 + |z|)².

    Like tanh, but it approaches its bounds only as 1 / |z|, so that units far from zero keep learning. Bergstra,
    Desjardins, Lamblin & Bengio 2009. The same as torch.nn.Softsign; scikit-learn has none.

    Examples
    --------
    >>> softsign = Softsign()
    >>> softsign.value([-3.0, 0.0, 1.0])
    [-0.75, 0.0, 0.5]
    >>> softsign.slope([-3.0, 0.0, 1.0], [-0.75, 0.0, 0.5])
    [0.0625, 1.0, 0.25]
    """

    name: ClassVar[str] = "softsign"

    def f(self, z: float) -> float:
        """Return z / (1 + |z|)."""
        # ∞ / ∞ would be NaN; the limit is ±1.
        return math.copysign(1.0, z) if math.isinf(z) else z / (1.0 + abs(z))

    def slope_of(self, z: float, a: float) -> float:
        """Return 1 / (1 + |z|)²."""
        # (1 − |a|)² is the same, but loses all digits where a rounds to ±1.
        r = 1.0 / (1.0 + abs(z))
        return r * r
