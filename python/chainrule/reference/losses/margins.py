"""Losses of margins: y = ±1 says on which side of 0 an output belongs, at a distance of 1 or more."""

from __future__ import annotations

from typing import ClassVar

from .base import LossOfEach


class LossOfMargins(LossOfEach):
    """Base of the losses of what a margin lacks, max(0, 1 − y a)."""

    takes: ClassVar[str] = "-1 or 1 (2*y - 1 makes them of 0 and 1)"
    boundary: ClassVar[float | None] = 0.0

    def allows(self, y: float) -> bool:
        """Return whether y names a side."""
        return y in (-1.0, 1.0)

    def lack(self, a: float, y: float) -> float:
        """Return max(0, 1 − y a)."""
        return max(1.0 - y * a, 0.0)  # in this order NaN stays


class Hinge(LossOfMargins):
    """Margins that are too small: l = (1/k) Σ_j max(0, 1 − y_j a_j), dl/da_j = −y_j / k where y_j a_j < 1, else 0.

    y is −1 or 1; the class is the sign of the output. An output that is right by 1 or more adds nothing. With an l2 on
    its layer, this is what a support vector machine minimizes. At y a = 1 no slope exists; 0 is used.
    Cortes & Vapnik 1995, "Support-Vector Networks". Keras's Hinge; scikit-learn's hinge_loss; torch has none.

    Examples
    --------
    >>> Hinge().value(a=[0.5, 2.0], y=[1.0, -1.0])
    1.75
    >>> Hinge().slope(a=[0.5, 2.0], y=[1.0, 1.0])
    [-0.5, 0.0]
    """

    name: ClassVar[str] = "hinge"
    kinked: ClassVar[bool] = True

    def value_of(self, a: float, y: float) -> float:
        """Return max(0, 1 − y a)."""
        return self.lack(a, y)

    def slope_of(self, a: float, y: float) -> float:
        """Return −y where y a < 1, else 0."""
        return 0.0 if self.lack(a, y) == 0.0 else -y


class SquaredHinge(LossOfMargins):
    """Squares of margins that are too small: l = (1/k) Σ_j m_j² with m = max(0, 1 − y a), dl/da_j = −(2/k) y_j m_j.

    As hinge, without its kink; y is −1 or 1. Keras's SquaredHinge; the default loss of scikit-learn's LinearSVC.

    Examples
    --------
    >>> SquaredHinge().value(a=[0.5, 2.0], y=[1.0, -1.0])
    4.625
    >>> SquaredHinge().slope(a=[0.5, 2.0], y=[1.0, 1.0])
    [-0.5, 0.0]
    """

    name: ClassVar[str] = "squared_hinge"

    def value_of(self, a: float, y: float) -> float:
        """Return max(0, 1 − y a)²."""
        return self.lack(a, y) * self.lack(a, y)

    def slope_of(self, a: float, y: float) -> float:
        """Return −2 y max(0, 1 − y a)."""
        return -2.0 * y * self.lack(a, y)
