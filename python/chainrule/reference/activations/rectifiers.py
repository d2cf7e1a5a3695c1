"""Rectifiers: positive inputs go through, negative ones are made small or zero."""

# ruff: noqa: ARG002 - one signature for all of a kind; a formula takes from it what it needs

from __future__ import annotations

import math
from typing import ClassVar

from ..options import check_number, option
from .base import Activation

SELU_ALPHA = 1.6732632423543772
SELU_LAMBDA = 1.0507009873554805


def softplus(z: float) -> float:
    """Return log(1 + exp(z)).

    >>> softplus(0.0), softplus(-1000.0), softplus(1000.0)
    (0.6931471805599453, 0.0, 1000.0)
    """
    # log(1 + exp(z)) = z + log(1 + exp(−z)). The form whose exponent is not positive cannot overflow.
    return max(z, 0.0) + math.log1p(math.exp(-abs(z)))


class ReLU(Activation):
    """The rectifier: a = max(z, 0), da/dz = 1 where z > 0, else 0.

    Nair & Hinton 2010. At z = 0 no slope exists; 0 is used, as in torch and scikit-learn.

    Examples
    --------
    >>> relu = ReLU()
    >>> relu.value([-2.0, 0.0, 3.0])
    [0.0, 0.0, 3.0]
    >>> relu.slope([-2.0, 0.0, 3.0], [0.0, 0.0, 3.0])
    [0.0, 0.0, 1.0]
    """

    name: ClassVar[str] = "relu"
    kinks: ClassVar[tuple[float, ...]] = (0.0,)

    def f(self, z: float) -> float:
        """Return max(z, 0)."""
        return max(z, 0.0)  # in this order NaN stays NaN

    def slope_of(self, z: float, a: float) -> float:
        """Return 1 where z > 0, else 0."""
        return 1.0 if z > 0.0 else 0.0


@option
class LeakyReLU(Activation):
    """A rectifier that lets a little through: a = z where z > 0, else negative_slope · z.

    da/dz is 1 where z > 0, else negative_slope (at z = 0 too, as in torch). Maas, Hannun & Ng 2013.
    The same as torch.nn.LeakyReLU; scikit-learn has none.

    Parameters
    ----------
    negative_slope : float, default 0.01
        The slope for z <= 0, in [0, 1).

    Examples
    --------
    >>> leaky = LeakyReLU(negative_slope=0.5)
    >>> leaky.value([-2.0, 0.0, 3.0])
    [-1.0, 0.0, 3.0]
    >>> leaky.slope([-2.0, 0.0, 3.0], [-1.0, 0.0, 3.0])
    [0.5, 0.5, 1.0]
    """

    negative_slope: float = 0.01

    name: ClassVar[str] = "leaky_relu"
    kinks: ClassVar[tuple[float, ...]] = (0.0,)

    def __post_init__(self) -> None:
        """Check the fields."""
        check_number(self, "negative_slope", "[0, 1)")

    def f(self, z: float) -> float:
        """Return z where z > 0, else negative_slope · z."""
        return z if z > 0.0 else self.negative_slope * z

    def slope_of(self, z: float, a: float) -> float:
        """Return 1 where z > 0, else negative_slope."""
        return 1.0 if z > 0.0 else self.negative_slope


@option
class ELU(Activation):
    """A rectifier that bends towards −alpha: a = z where z > 0, else alpha (exp(z) − 1).

    da/dz is 1 where z > 0, else alpha exp(z) = a + alpha (alpha at z = 0, as in torch). Clevert, Unterthiner &
    Hochreiter 2016. The same as torch.nn.ELU, which allows a negative alpha too; scikit-learn has none.

    Parameters
    ----------
    alpha : float, default 1.0
        −alpha is the limit for z → −∞; in [0, inf). With 1 the slope has no jump at 0.

    Examples
    --------
    >>> elu = ELU(alpha=0.5)
    >>> elu.value([-1.0, 0.0, 3.0])
    [-0.31606027941427883, 0.0, 3.0]
    >>> elu.slope([-1.0, 0.0, 3.0], [-0.31606027941427883, 0.0, 3.0])
    [0.18393972058572117, 0.5, 1.0]
    """

    alpha: float = 1.0

    name: ClassVar[str] = "elu"
    kinks: ClassVar[tuple[float, ...]] = (0.0,)

    def __post_init__(self) -> None:
        """Check the fields."""
        check_number(self, "alpha", "[0, inf)")

    def f(self, z: float) -> float:
        """Return z where z > 0, else alpha (exp(z) − 1)."""
        # expm1 keeps the digits that exp(z) − 1 loses for small z.
        return z if z > 0.0 else self.alpha * math.expm1(z)

    def slope_of(self, z: float, a: float) -> float:
        """Return 1 where z > 0, else a + alpha."""
        return 1.0 if z > 0.0 else a + self.alpha


class SELU(Activation):
    """The self-normalizing ELU: a = λ z where z > 0, else λ α (exp(z) − 1), with α = 1.67326… and λ = 1.05070….

    da/dz is λ where z > 0, else λ α exp(z) = a + λ α (the latter at z = 0, as in torch). With these constants the
    outputs keep mean 0 and variance 1 from layer to layer, if the weights have mean 0 and variance 1 / n_in
    (init="lecun_normal"). Klambauer, Unterthiner, Mayr & Hochreiter 2017. The same as torch.nn.SELU; scikit-learn has
    none.

    Examples
    --------
    >>> selu = SELU()
    >>> selu.value([-1.0, 0.0, 2.0])
    [-1.1113307378125625, 0.0, 2.101401974710961]
    >>> selu.slope([-1.0, 0.0, 2.0], [-1.1113307378125625, 0.0, 2.101401974710961])
    [0.646768603034814, 1.7580993408473766, 1.0507009873554805]
    """

    name: ClassVar[str] = "selu"
    kinks: ClassVar[tuple[float, ...]] = (0.0,)

    def f(self, z: float) -> float:
        """Return λ z where z > 0, else λ α (exp(z) − 1)."""
        return SELU_LAMBDA * z if z > 0.0 else SELU_LAMBDA * SELU_ALPHA * math.expm1(z)

    def slope_of(self, z: float, a: float) -> float:
        """Return λ where z > 0, else a + λ α."""
        return SELU_LAMBDA if z > 0.0 else a + SELU_LAMBDA * SELU_ALPHA


class Softplus(Activation):
    """A rectifier without a kink: a = log(1 + exp(z)) > 0, da/dz = 1 / (1 + exp(−z)) = 1 − exp(−a).

    For outputs that must be positive, such as a rate or a standard deviation. Dugas, Bengio, Bélisle, Nadeau & Garcia
    2001. The same as torch.nn.Softplus up to torch's threshold of 20. Above it torch returns z itself, which differs by
    less than 2.1e-9 (and so do the slopes). scikit-learn has none.

    Examples
    --------
    >>> Softplus().value([-2.0, 0.0, 2.0])
    [0.126928011042973, 0.693147180559945, 2.126928011042973]
    >>> Softplus().slope([0.0], [0.6931471805599453])
    [0.5]
    """

    name: ClassVar[str] = "softplus"

    def f(self, z: float) -> float:
        """Return log(1 + exp(z))."""
        return softplus(z)

    def slope_of(self, z: float, a: float) -> float:
        """Return 1 − exp(−a)."""
        # exp(−a) = 1 / (1 + exp(z)). expm1 keeps its digits where a is as small as exp(z).
        return -math.expm1(-a)
