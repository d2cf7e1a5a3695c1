"""Hard transfers: straight lines in place of a curve, for processors on which an exponential is expensive."""

# ruff: noqa: ARG002 - one signature for all of a kind; a formula takes from it what it needs

from __future__ import annotations

from typing import ClassVar

from .base import Activation


class HardSigmoid(Activation):
    """Sigmoid in three lines: a = min(max(z + 3, 0), 6) / 6 in [0, 1], da/dz = 1/6 where −3 < z < 3, else 0.

    At both kinks the slope is 0, as in torch. Courbariaux, Bengio & David 2015, with the constants of Howard et al.
    2019. The same as torch.nn.Hardsigmoid, whose slope of 1/6 is rounded to float32 even in float64; scikit-learn has
    none.

    Examples
    --------
    >>> HardSigmoid().value([-4.0, 0.0, 1.5, 4.0])
    [0.0, 0.5, 0.75, 1.0]
    >>> HardSigmoid().slope([-3.0, 0.0, 3.0], [0.0, 0.5, 1.0])
    [0.0, 0.16666666666666666, 0.0]
    """

    name: ClassVar[str] = "hard_sigmoid"
    kinks: ClassVar[tuple[float, ...]] = (-3.0, 3.0)

    def f(self, z: float) -> float:
        """Return min(max(z + 3, 0), 6) / 6."""
        return hard_sigmoid(z)

    def slope_of(self, z: float, a: float) -> float:
        """Return 1/6 where −3 < z < 3, else 0."""
        return 1.0 / 6.0 if -3.0 < z < 3.0 else 0.0


class HardTanh(Activation):
    """Tanh in three lines: a = min(max(z, −1), 1), da/dz = 1 where −1 < z < 1, else 0.

    At both kinks the slope is 0, as in torch. Collobert 2004. The same as torch.nn.Hardtanh with its default bounds;
    scikit-learn has none.

    Examples
    --------
    >>> HardTanh().value([-2.0, 0.25, 2.0])
    [-1.0, 0.25, 1.0]
    >>> HardTanh().slope([-1.0, 0.25, 1.0], [-1.0, 0.25, 1.0])
    [0.0, 1.0, 0.0]
    """

    name: ClassVar[str] = "hard_tanh"
    kinks: ClassVar[tuple[float, ...]] = (-1.0, 1.0)

    def f(self, z: float) -> float:
        """Return min(max(z, −1), 1)."""
        return min(max(z, -1.0), 1.0)  # in this order NaN stays NaN

    def slope_of(self, z: float, a: float) -> float:
        """Return 1 where −1 < z < 1, else 0."""
        return 1.0 if -1.0 < z < 1.0 else 0.0


class HardSiLU(Activation):
    """SiLU with a hard gate: a = z min(max(z + 3, 0), 6) / 6; da/dz = (2 z + 3) / 6 where −3 < z < 3, else 0 or 1.

    The slope at the kinks is 0 at −3 and 1 at 3, as in torch. As hard swish, Howard et al. 2019, "Searching for
    MobileNetV3", §5.2. The same as torch.nn.Hardswish; scikit-learn has none.

    Examples
    --------
    >>> HardSiLU().value([-4.0, -1.5, 0.0, 3.0, 4.0])
    [0.0, -0.375, 0.0, 3.0, 4.0]
    >>> HardSiLU().slope([-3.0, 0.0, 3.0], [0.0, 0.0, 3.0])
    [0.0, 0.5, 1.0]
    """

    name: ClassVar[str] = "hard_silu"
    kinks: ClassVar[tuple[float, ...]] = (-3.0, 3.0)

    def f(self, z: float) -> float:
        """Return z min(max(z + 3, 0), 6) / 6."""
        # Below −3 the gate is 0, and −∞ · 0 must be 0 as well.
        return max(z, -3.0) * hard_sigmoid(z)

    def slope_of(self, z: float, a: float) -> float:
        """Return (2 z + 3) / 6 where −3 < z < 3, else 0 or 1."""
        if -3.0 < z < 3.0:
            return (2.0 * z + 3.0) / 6.0
        return 1.0 if z > 0.0 else 0.0


def hard_sigmoid(z: float) -> float:
    """Return min(max(z + 3, 0), 6) / 6.

    >>> hard_sigmoid(-4.0), hard_sigmoid(0.0)
    (0.0, 0.5)
    """
    return min(max(z + 3.0, 0.0), 6.0) / 6.0  # in this order NaN stays NaN
