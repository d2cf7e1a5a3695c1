"""Losses of numbers: how far an output a lies from its target y, with d = a − y."""

from __future__ import annotations

import math
from typing import ClassVar

from ..options import check_number, option
from .base import LossOfEach


class MSE(LossOfEach):
    """Mean squared error: l = (1/k) Σ_j (a_j − y_j)², dl/da_j = (2/k) (a_j − y_j), for k outputs.

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


class AbsoluteError(LossOfEach):
    """Mean absolute error: l = (1/k) Σ_j |a_j − y_j|, dl/da_j = ±1/k, with the sign of a_j − y_j.

    Its minimum is the median of y, which outliers do not move. At a = y no slope exists; 0 is used, as in torch.
    Bloomfield & Steiger 1983, "Least Absolute Deviations". torch.nn.L1Loss; scikit-learn has it as a metric,
    mean_absolute_error, but not for its networks.

    Examples
    --------
    >>> AbsoluteError().value(a=[1.0, -2.0], y=[0.0, 0.0])
    1.5
    >>> AbsoluteError().slope(a=[1.0, -2.0, 3.0, 0.0], y=[0.0, 0.0, 0.0, 0.0])
    [0.25, -0.25, 0.25, 0.0]
    """

    name: ClassVar[str] = "absolute_error"
    kinked: ClassVar[bool] = True

    def value_of(self, a: float, y: float) -> float:
        """Return |a − y|."""
        return abs(a - y)

    def slope_of(self, a: float, y: float) -> float:
        """Return the sign of a − y, 0 where they are equal."""
        return sign(a - y)


@option
class Huber(LossOfEach):
    """Squares near the target, absolute differences far from it: l = (1/k) Σ_j h(d_j).

    h(d) = ½ d² where |d| <= delta, else delta (|d| − ½ delta); dl/da_j = d_j / k, limited to ±delta/k.
    Huber 1964, "Robust Estimation of a Location Parameter". torch.nn.HuberLoss. scikit-learn's HuberRegressor divides
    d by an estimated scale, and its epsilon is delta in units of that scale; its networks have no such loss.

    Parameters
    ----------
    delta : float, default 1.0
        The |d| at which the square ends and the absolute difference begins, > 0, in the unit of y.

    Examples
    --------
    >>> Huber().value(a=[0.5, 3.0], y=[0.0, 0.0])
    1.3125
    >>> Huber().slope(a=[0.5, 3.0], y=[0.0, 0.0])
    [0.25, 0.5]
    """

    delta: float = 1.0

    name: ClassVar[str] = "huber"

    def __post_init__(self) -> None:
        """Check the fields."""
        check_number(self, "delta", "(0, inf)")

    def value_of(self, a: float, y: float) -> float:
        """Return ½ d², or delta (|d| − ½ delta)."""
        d = abs(a - y)
        return 0.5 * d * d if d <= self.delta else self.delta * (d - 0.5 * self.delta)

    def slope_of(self, a: float, y: float) -> float:
        """Return a − y, limited to ±delta."""
        return max(min(a - y, self.delta), -self.delta)


class LogCosh(LossOfEach):
    """Mean logarithm of the hyperbolic cosine: l = (1/k) Σ_j ln cosh(a_j − y_j), dl/da_j = (1/k) tanh(a_j − y_j).

    About ½ d² for small d and |d| − ln 2 for large ones: a Huber loss without a seam. Keras's LogCosh; torch and
    scikit-learn have none.

    Examples
    --------
    >>> LogCosh().value(a=[1.0], y=[0.0])
    0.4337808304830271
    >>> LogCosh().slope(a=[1.0], y=[0.0])
    [0.7615941559557649]
    """

    name: ClassVar[str] = "log_cosh"

    def value_of(self, a: float, y: float) -> float:
        """Return ln cosh(a − y)."""
        d = abs(a - y)
        # cosh overflows, but ln cosh d = |d| + ln(1 + exp(−2|d|)) − ln 2 does not. For small d that loses all its
        # digits; there cosh² = 1 + sinh² gives ln cosh d = ½ ln(1 + sinh² d).
        if d < 1.0:
            return 0.5 * math.log1p(math.sinh(d) * math.sinh(d))
        return d + math.log1p(math.exp(-2.0 * d)) - math.log(2.0)

    def slope_of(self, a: float, y: float) -> float:
        """Return tanh(a − y)."""
        return math.tanh(a - y)


@option
class Quantile(LossOfEach):
    """The loss whose minimum is a quantile of y: l = (1/k) Σ_j max(q (y_j − a_j), (q − 1) (y_j − a_j)).

    dl/da_j = −q/k where a_j < y_j, (1 − q)/k where a_j > y_j. An output that is too low costs q per unit, one that
    is too high 1 − q, so a share q of the targets ends up below the output. With q = ½ it is half of absolute_error. At
    a = y no slope exists; 0 is used. Koenker & Bassett 1978, "Regression Quantiles". Also called pinball loss:
    scikit-learn's mean_pinball_loss with alpha = q, and the loss of its QuantileRegressor; torch has none.

    Parameters
    ----------
    quantile : float, default 0.5
        Which quantile, q in (0, 1).

    Examples
    --------
    >>> Quantile(0.9).value(a=[0.0, 0.0], y=[1.0, -1.0])
    0.5
    >>> Quantile(0.75).slope(a=[0.0, 0.0], y=[1.0, -1.0])
    [-0.375, 0.125]
    """

    quantile: float = 0.5

    name: ClassVar[str] = "quantile"
    kinked: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the fields."""
        check_number(self, "quantile", "(0, 1)")

    def value_of(self, a: float, y: float) -> float:
        """Return the larger of q (y − a) and (q − 1) (y − a)."""
        return max(self.quantile * (y - a), (self.quantile - 1.0) * (y - a))

    def slope_of(self, a: float, y: float) -> float:
        """Return −q below y, 1 − q above it, 0 at y."""
        if a == y:
            return 0.0
        return -self.quantile if a < y else 1.0 - self.quantile


def sign(x: float) -> float:
    """Return 1 or −1 with the sign of x, 0 for 0."""
    return 0.0 if x == 0.0 else math.copysign(1.0, x)
