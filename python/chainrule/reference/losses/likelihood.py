"""Losses that are −ln of the probability of y, where the outputs are the parameters of the distribution of y.

Terms that no weight changes (ln y!, ½ ln 2π) are left out.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from ..activations import Activation
from ..options import check_number, option
from ..vectors import total
from .base import Loss, LossOfEach, weighted

if TYPE_CHECKING:
    from ..vectors import Row


class Exp(Activation):
    """The link of rates: λ = exp(a)."""

    name: ClassVar[str] = "exp"

    def f(self, z: float) -> float:
        """Return exp(z)."""
        return exp(z)


class Poisson(LossOfEach):
    """Counts of rate λ = exp(a): l = (1/k) Σ_j (λ_j − y_j a_j), dl/da_j = (λ_j − y_j) / k.

    −ln of Poisson's probability, without ln y!. The outputs are the logarithms of the rates, y are counts (or other
    numbers >= 0); `predict` returns the rates. McCullagh & Nelder 1989, "Generalized Linear Models", ch. 6.
    torch.nn.PoissonNLLLoss with its defaults (log_input=True, full=False). The loss "poisson" of scikit-learn's
    MLPRegressor is larger by y ln y − y, so that it is half the deviance; its slopes are the same.

    Examples
    --------
    >>> Poisson().value(a=[0.0], y=[3.0])
    1.0
    >>> Poisson().slope(a=[0.0], y=[3.0])
    [-2.0]
    """

    name: ClassVar[str] = "poisson"
    link: ClassVar[Activation] = Exp()
    takes: ClassVar[str] = "counts of at least 0"

    def allows(self, y: float) -> bool:
        """Return whether y may be a count, or a mean of counts."""
        return y >= 0.0

    def value_of(self, a: float, y: float) -> float:
        """Return exp(a) − y a."""
        return exp(a) - weighted(y, a)

    def slope_of(self, a: float, y: float) -> float:
        """Return exp(a) − y."""
        return exp(a) - y


@option
class MeanVariance(Activation):
    """The link of gaussian_nll: m means stay, m logarithms s become variances v = exp(s) + eps."""

    eps: float

    name: ClassVar[str] = "mean_variance"

    def value(self, z: Row) -> Row:
        """Return μ_1 … μ_m, v_1 … v_m."""
        m = len(z) // 2
        return z[:m] + [exp(s) + self.eps for s in z[m:]]


@option
class GaussianNLL(Loss):
    """Numbers with their uncertainty: 2m outputs are m means μ, then m logarithms s of variances v = exp(s) + eps.

    l = (1/m) Σ_j ½ (ln v_j + (y_j − μ_j)² / v_j); dl/dμ_j = (μ_j − y_j) / v_j / m,
    dl/ds_j = ½ (1 − (y_j − μ_j)² / v_j) exp(s_j) / v_j / m.

    −ln of the normal density, without ½ ln 2π. Where the means are far off, the network learns a large variance. y has
    m columns; (n,) will do where m is 1. `predict` returns the means and then the variances, (n, 2m). Nix & Weigend
    1994, "Estimating the mean and variance of the target probability distribution". torch.nn.GaussianNLLLoss takes v
    itself and replaces it by eps where it is smaller; here eps is added. scikit-learn's networks have no such loss.

    Parameters
    ----------
    eps : float, default 1e-6
        The least variance, > 0, in the unit of y²: without it a perfect mean would have an infinite loss.

    Examples
    --------
    >>> loss = GaussianNLL(eps=1.0)
    >>> loss.value(a=[3.0, 0.0], y=[1.0])
    1.3465735902799727
    >>> loss.slope(a=[3.0, 0.0], y=[1.0])
    [1.0, -0.25]
    >>> loss.link.value([3.0, 0.0])
    [3.0, 2.0]
    """

    eps: float = 1e-6

    name: ClassVar[str] = "gaussian_nll"
    least_outputs: ClassVar[int] = 2

    def __post_init__(self) -> None:
        """Check the fields."""
        check_number(self, "eps", "(0, inf)")

    @property
    def link(self) -> Activation:
        """The means stay, the logarithms become variances."""
        return MeanVariance(self.eps)

    def n_targets(self, n_outputs: int) -> int:
        """Return m."""
        return n_outputs // 2

    def check_outputs(self, n_outputs: int) -> None:
        """Refuse an odd number of outputs, which cannot be m means and m logarithms."""
        if n_outputs % 2:
            raise ValueError(
                f"{self.name} needs an even number of outputs, the means and then the logarithms of the variances, but "
                f"the last of layers has {n_outputs}: for {n_outputs} targets it must have {2 * n_outputs}"
            )

    def value(self, a: Row, y: Row) -> float:
        """Return the mean of ½ (ln v + (y − μ)² / v)."""
        return total(0.5 * (self._log_v(s) + d * (d / v)) for d, s, v in self._parts(a, y)) / len(y)

    def slope(self, a: Row, y: Row) -> Row:
        """Return (μ − y) / v for each mean, ½ (1 − (y − μ)² / v) exp(s) / v for each logarithm, as shares of m."""
        parts = self._parts(a, y)
        d_means = [d / v / len(y) for d, _, v in parts]
        return d_means + [0.5 * (1.0 - d * (d / v)) * self._share(s) / len(y) for d, s, v in parts]

    def _parts(self, a: Row, y: Row) -> list[tuple[float, float, float]]:
        """Return (μ − y, s, v) of each target."""
        means, logs = a[: len(y)], a[len(y) :]
        # d² / v is computed as d · (d / v): the square may overflow where the quotient does not.
        return [(mean - y_j, s, exp(s) + self.eps) for mean, s, y_j in zip(means, logs, y, strict=True)]

    def _log_v(self, s: float) -> float:
        """Return ln(exp(s) + eps)."""
        # ln(exp(s) + exp(e)) = max(s, e) + ln(1 + exp(−|s − e|)) with e = ln eps: no exponent is positive.
        e = math.log(self.eps)
        return max(s, e) + math.log1p(math.exp(-abs(s - e)))

    def _share(self, s: float) -> float:
        """Return exp(s) / (exp(s) + eps)."""
        # = 1 / (1 + exp(−(s − ln eps))), a sigmoid, in the form that does not overflow.
        r = math.exp(-abs(s - math.log(self.eps)))
        return 1.0 / (1.0 + r) if s > math.log(self.eps) else r / (1.0 + r)


def exp(x: float) -> float:
    """Return eˣ, or infinity where math.exp raises OverflowError.

    >>> exp(1000.0)
    inf
    """
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf
