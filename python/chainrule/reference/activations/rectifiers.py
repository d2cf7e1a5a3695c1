"""Rectifiers: what is positive goes through, of what is negative little or nothing."""

# ruff: noqa: ARG002 - one signature for all of a kind; a formula takes from it what it needs

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from chainrule.reference.options import check_number

from .base import Activation


class ReLU(Activation):
    """The rectifier: a = max(z, 0), da/dz = 1 where z > 0, else 0.

    Nair & Hinton 2010. At z = 0, where no slope exists, it is 0, as in torch and scikit-learn.

    Examples
    --------
    >>> relu = ReLU()
    >>> relu.value([-2.0, 0.0, 3.0])
    [0.0, 0.0, 3.0]
    >>> relu.slope([-2.0, 0.0, 3.0], [0.0, 0.0, 3.0])
    [0.0, 0.0, 1.0]
    """

    name: ClassVar[str] = "relu"

    def f(self, z: float) -> float:
        """Return max(z, 0)."""
        return max(0.0, z)

    def slope_of(self, z: float, a: float) -> float:
        """Return 1 where z > 0, else 0."""
        return 1.0 if z > 0.0 else 0.0


@dataclass(frozen=True)
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

    def __post_init__(self) -> None:
        """Check the fields."""
        check_number(self, "negative_slope", "[0, 1)")

    def f(self, z: float) -> float:
        """Return z where z > 0, else negative_slope · z."""
        return z if z > 0.0 else self.negative_slope * z

    def slope_of(self, z: float, a: float) -> float:
        """Return 1 where z > 0, else negative_slope."""
        return 1.0 if z > 0.0 else self.negative_slope
