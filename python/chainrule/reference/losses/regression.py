"""Losses of numbers: how far an output a lies from its target y, with d = a − y."""

from __future__ import annotations

from typing import ClassVar

from .base import LossOfEach


class MSE(LossOfEach):
    """Mean squared error: l = (1/k) Σ_j (a_j − y_j)², dl/da_j = (2/k) (a_j − y_j), k outputs.

    torch.nn.MSELoss. scikit-learn's regressor takes half of it.

    Examples
    --------
    >>> MSE().value(a=[1.0, 2.0], y=[0.0, 0.0])
    2.5
    >>> MSE().slope(a=[1.0, 2.0], y=[0.0, 0.0])
    [1.0, 2.0]
    """

    name: ClassVar[str] = "mse"

    def value_of(self, a: float, y: float) -> float:
        """Return (a − y)²."""
        return (a - y) * (a - y)

    def slope_of(self, a: float, y: float) -> float:
        """Return 2 (a − y)."""
        return 2.0 * (a - y)


class HalfSquaredError(LossOfEach):
    """The textbook's squared error: l = ½ Σ_j (a_j − y_j)², dl/da_j = a_j − y_j.

    Rumelhart, Hinton & Williams 1986, eq. 2. The half is there so that the slope has no factor.

    Examples
    --------
    >>> HalfSquaredError().value(a=[1.0, 2.0], y=[0.0, 0.0])
    2.5
    >>> HalfSquaredError().slope(a=[1.0, 2.0], y=[0.0, 0.0])
    [1.0, 2.0]
    """

    name: ClassVar[str] = "half_squared_error"
    summed: ClassVar[bool] = True

    def value_of(self, a: float, y: float) -> float:
        """Return ½ (a − y)²."""
        return 0.5 * (a - y) * (a - y)

    def slope_of(self, a: float, y: float) -> float:
        """Return a − y."""
        return a - y
