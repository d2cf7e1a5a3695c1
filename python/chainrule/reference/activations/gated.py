"""Gated transfers: a = z g(z), where the gate g goes smoothly from 0 (closed) to 1 (open).

They are rectifiers without a kink that dip below zero for negative z. There two z can have the same a, so the slope is
computed from z.
"""

# ruff: noqa: ARG002 - one signature for all of a kind; a formula takes from it what it needs

from __future__ import annotations

import math
from typing import ClassVar

from .base import Activation
from .rectifiers import softplus
from .sigmoids import logistic

# From here on every gate is 0 or 1 to the last digit. z is limited to this before it is multiplied by a gate: where the
# gate is 0 the product tends to 0, but ∞ · 0 would be NaN.
FAR = 1e4


def limited(z: float) -> float:
    """Return z, limited to ±FAR.

    >>> limited(-2.0), limited(float("inf"))
    (-2.0, 10000.0)
    """
    return min(max(z, -FAR), FAR)  # in this order NaN stays NaN


class SiLU(Activation):
    """z through a sigmoid gate: a = z σ(z) with σ(z) = 1 / (1 + exp(−z)), da/dz = σ(z) (1 + z (1 − σ(z))).

    Its minimum is −0.278 at z = −1.278. Elfwing, Uchibe & Doya 2018; as swish, Ramachandran, Zoph & Le 2017. The
    same as torch.nn.SiLU; scikit-learn has none.

    Examples
    --------
    >>> SiLU().value([-1.0, 0.0, 1.0])
    [-0.268941421369995, 0.0, 0.731058578630005]
    >>> SiLU().slope([0.0], [0.0])
    [0.5]
    """

    name: ClassVar[str] = "silu"

    def f(self, z: float) -> float:
        """Return z σ(z)."""
        return max(z, -FAR) * logistic(z)

    def slope_of(self, z: float, a: float) -> float:
        """Return σ(z) (1 + z (1 − σ(z)))."""
        # 1 − σ(z) = σ(−z), which keeps its digits.
        return logistic(z) * (1.0 + limited(z) * logistic(-z))


class GELU(Activation):
    """z through a gate of the normal distribution: a = z Φ(z), da/dz = Φ(z) + z φ(z).

    Φ(z) is the probability that a standard normal number is below z, φ(z) = exp(−z² / 2) / √(2π) its density. Hendrycks
    & Gimpel 2016. The same as torch.nn.GELU(), except that Φ keeps its digits for very negative z: torch's
    ½ (1 + erf(z / √2)) is 0 below about −9. scikit-learn has none.

    Examples
    --------
    >>> GELU().value([-1.0, 0.0, 1.0])
    [-0.158655253931457, 0.0, 0.841344746068543]
    >>> GELU().value([-10.0])
    [-7.619853024160e-23]
    >>> GELU().slope([0.0], [0.0])
    [0.5]
    """

    name: ClassVar[str] = "gelu"

    def f(self, z: float) -> float:
        """Return z Φ(z)."""
        return max(z, -FAR) * self.probability(z)

    def slope_of(self, z: float, a: float) -> float:
        """Return Φ(z) + z φ(z)."""
        z = limited(z)
        density = math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
        return self.probability(z) + z * density

    def probability(self, z: float) -> float:
        """Return Φ(z) = ½ (1 + erf(z / √2))."""
        # 1 + erf(x) = erfc(−x), which keeps its digits where erf is near −1.
        return 0.5 * math.erfc(-z * math.sqrt(0.5))


class GELUTanh(Activation):
    """GELU by a formula without erf: a = ½ z (1 + tanh(u)), u = √(2/π) (z + 0.044715 z³).

    da/dz = ½ (1 + tanh(u)) + ½ z (1 − tanh²(u)) u', u' = √(2/π) (1 + 3 · 0.044715 z²). Within 5e-4 of GELU. Hendrycks &
    Gimpel 2016, §2. The same as torch.nn.GELU(approximate="tanh"), except that 1 + tanh(u) keeps its digits for
    very negative z; scikit-learn has none.

    Examples
    --------
    >>> GELUTanh().value([-1.0, 0.0, 1.0])
    [-0.158808009391723, 0.0, 0.841191990608277]
    >>> GELUTanh().slope([0.0], [0.0])
    [0.5]
    """

    name: ClassVar[str] = "gelu_tanh"

    def f(self, z: float) -> float:
        """Return ½ z (1 + tanh(u))."""
        # ½ (1 + tanh(u)) = 1 / (1 + exp(−2 u)) = σ(2 u)
        return max(z, -FAR) * logistic(2.0 * self.u(z))

    def slope_of(self, z: float, a: float) -> float:
        """Return ½ (1 + tanh(u)) + ½ z (1 − tanh²(u)) u'."""
        # ¼ (1 − tanh²(u)) = σ(2 u) σ(−2 u)
        z = limited(z)
        u, d_u = self.u(z), math.sqrt(2.0 / math.pi) * (1.0 + 3.0 * 0.044715 * z * z)
        return logistic(2.0 * u) * (1.0 + 2.0 * z * d_u * logistic(-2.0 * u))

    def u(self, z: float) -> float:
        """Return √(2/π) (z + 0.044715 z³)."""
        return math.sqrt(2.0 / math.pi) * (z + 0.044715 * z * z * z)


class Mish(Activation):
    """z through a gate that opens with softplus: a = z tanh(softplus(z)), softplus(z) = log(1 + exp(z)).

    da/dz = t + z (1 − t²) σ(z) with t = tanh(softplus(z)) and σ(z) = 1 / (1 + exp(−z)). Its minimum is −0.309 at
    z = −1.192. Misra 2020. The same as torch.nn.Mish; scikit-learn has none.

    Examples
    --------
    >>> Mish().value([-1.0, 0.0, 1.0])
    [-0.303401461374109, 0.0, 0.865098388267310]
    >>> Mish().slope([0.0], [0.0])
    [0.6]
    """

    name: ClassVar[str] = "mish"

    def f(self, z: float) -> float:
        """Return z tanh(softplus(z))."""
        return max(z, -FAR) * math.tanh(softplus(z))

    def slope_of(self, z: float, a: float) -> float:
        """Return t + z (1 − t²) σ(z)."""
        t = math.tanh(softplus(z))
        return t + limited(z) * (1.0 - t * t) * logistic(z)
