"""Losses of one class among several, from logits: p = softmax(a), y the probability of each class or a label."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from ..activations import Activation, Softmax
from ..inputs import is_row, iterable
from ..options import check_number, integer, option
from ..vectors import total
from .base import Loss, weighted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..vectors import Matrix, Row


class LossOfClasses(Loss):
    """Base of the losses that are computed from the log-probabilities of a softmax."""

    link: ClassVar[Activation] = Softmax()
    least_outputs: ClassVar[int] = 2
    takes_labels: ClassVar[bool] = True
    takes: ClassVar[str] = "probabilities of at least 0"

    def check_outputs(self, n_outputs: int) -> None:
        """Refuse a single output."""
        if n_outputs < self.least_outputs:
            raise ValueError(
                f"{self.name} needs at least {self.least_outputs} outputs, one a class, but the last layer has "
                f"{n_outputs}; for two classes from one output use binary_cross_entropy"
            )

    def allows(self, y: float) -> bool:
        """Return whether y may be a probability."""
        return y >= 0.0

    def slope(self, a: Row, y: Row) -> Row:
        """Return softmax(a) Σ y − y, the slope of −Σ y ln softmax(a)."""
        y_total = total(y)
        return [p_j * y_total - y_j for p_j, y_j in zip(self.link.value(a), y, strict=True)]

    def targets(self, y: Iterable[Any], n_rows: int, n_outputs: int) -> Matrix:
        """Return a row of probabilities for each row of X; label j becomes 1 at place j and 0 elsewhere."""
        y = list(iterable("y", y))
        if y and not is_row(y[0]):
            rows = []
            for i, label in enumerate(y):
                j = integer(f"y[{i}], a label of {n_outputs} classes,", label, 0, n_outputs - 1)
                rows.append([1.0 if j == k else 0.0 for k in range(n_outputs)])
            y = rows
        rows = super().targets(y, n_rows, n_outputs)
        for i, row in enumerate(rows):
            if abs(total(row) - 1.0) > 1e-4:
                raise ValueError(
                    f"y sums to {total(row):g} at row {i}; {self.name} takes probabilities that sum to 1 or integer "
                    "labels"
                )
        return rows


def log_softmax(a: Row) -> Row:
    """Return the logarithms of the probabilities, ln p.

    >>> log_softmax([0.0, 0.0])
    [-0.6931471805599453, -0.6931471805599453]
    """
    # ln p_j = a_j − ln Σ exp(a), and ln Σ exp(a) = c + ln Σ exp(a − c) with c = max a: the largest term is exp(0),
    # nothing overflows.
    c = max(a)
    log_sum_exp = c + math.log(total(math.exp(a_j - c) for a_j in a))
    return [a_j - log_sum_exp for a_j in a]


@option
class CrossEntropy(LossOfClasses):
    """How surprised a softmax is by the right class: l = −Σ_j y_j ln p_j with p = softmax(a), dl/da_j = p_j Σ y − y_j.

    Takes logits, at least two outputs. y is one integer label a sample, or a row of probabilities that sum to 1.
    Bishop 2006, §4.3.4. The same as torch.nn.CrossEntropyLoss, and as scikit-learn's classifier with three or more
    classes.

    Parameters
    ----------
    label_smoothing : float, default 0.0
        The share ε of y, in [0, 1), that is spread evenly over the k classes: y becomes (1 − ε) y + ε / k, so that no
        logit has to grow without bound. Szegedy et al. 2016, §7; the same as torch's.

    Examples
    --------
    >>> CrossEntropy().value(a=[0.0, 0.0], y=[0.0, 1.0])
    0.6931471805599453
    >>> CrossEntropy().slope(a=[0.0, 0.0], y=[0.0, 1.0])
    [0.5, -0.5]
    >>> CrossEntropy(label_smoothing=0.5).slope(a=[0.0, 0.0], y=[0.0, 1.0])
    [0.25, -0.25]
    """

    label_smoothing: float = 0.0

    name: ClassVar[str] = "cross_entropy"

    def __post_init__(self) -> None:
        """Check the fields."""
        check_number(self, "label_smoothing", "[0, 1)")

    def value(self, a: Row, y: Row) -> float:
        """Return −Σ y ln softmax(a)."""
        return total(weighted(y_j, -log_p_j) for y_j, log_p_j in zip(self.smooth(y), log_softmax(a), strict=True))

    def slope(self, a: Row, y: Row) -> Row:
        """Return softmax(a) Σ y − y."""
        return super().slope(a, self.smooth(y))

    def smooth(self, y: Row) -> Row:
        """Return (1 − ε) y + ε / k."""
        return [(1.0 - self.label_smoothing) * y_j + self.label_smoothing / len(y) for y_j in y]


class KLDivergence(LossOfClasses):
    """How far p = softmax(a) is from y: l = Σ_j y_j (ln y_j − ln p_j), dl/da_j = p_j Σ y − y_j.

    Takes logits; y as for cross_entropy, with 0 ln 0 = 0. It is cross_entropy minus the entropy of y, so p = y costs 0.
    The slopes are those of cross_entropy, and so are the values where y are labels. Kullback & Leibler
    1951. torch.nn.KLDivLoss with reduction="batchmean", which takes the log-softmax; scipy's rel_entr; scikit-learn has
    none.

    Examples
    --------
    >>> KLDivergence().value(a=[0.0, 0.0], y=[0.5, 0.5])
    0.0
    >>> KLDivergence().slope(a=[0.0, 0.0], y=[0.0, 1.0])
    [0.5, -0.5]
    """

    name: ClassVar[str] = "kl_divergence"

    def value(self, a: Row, y: Row) -> float:
        """Return Σ y (ln y − ln softmax(a))."""
        return total(y_j * (math.log(y_j) - log_p_j) for y_j, log_p_j in zip(y, log_softmax(a), strict=True) if y_j)


@option
class Focal(LossOfClasses):
    """Cross-entropy weighted towards what is still wrong: l = Σ_j y_j (1 − p_j)^gamma (−ln p_j) with p = softmax(a).

    dl/da_k = y_k g_k − p_k Σ_j y_j g_j, where g_j = −(1 − p_j)^gamma [1 + gamma p_j (−ln p_j) / (1 − p_j)].

    A class that is almost certain hardly counts, so rare and hard samples dominate. Takes logits; y as for
    cross_entropy, which is the case gamma = 0. Lin, Goyal, Girshick, He & Dollár 2017, "Focal Loss for Dense
    Object Detection", §3.2. Keras's CategoricalFocalCrossentropy with alpha=1; torch and scikit-learn have none.

    Parameters
    ----------
    gamma : float, default 2.0
        How strongly the weight of a class falls as it becomes certain, >= 0.

    Examples
    --------
    >>> Focal(gamma=1.0).value(a=[0.0, 0.0], y=[0.0, 1.0])
    0.34657359027997264
    >>> Focal(gamma=0.0).slope(a=[0.0, 0.0], y=[0.0, 1.0])
    [0.5, -0.5]
    """

    gamma: float = 2.0

    name: ClassVar[str] = "focal"

    def __post_init__(self) -> None:
        """Check the fields."""
        check_number(self, "gamma", "[0, inf)")

    def value(self, a: Row, y: Row) -> float:
        """Return Σ y (1 − p)^gamma (−ln p)."""
        log_p = log_softmax(a)
        return total(weighted(y_j, focused(self.gamma, log_p_j)) for y_j, log_p_j in zip(y, log_p, strict=True))

    def slope(self, a: Row, y: Row) -> Row:
        """Return y g − p Σ y g."""
        # d ln p_j / da_k = [j = k] − p_k, as for the softmax itself.
        y_g = [y_j * focused_slope(self.gamma, log_p_j) for y_j, log_p_j in zip(y, log_softmax(a), strict=True)]
        return [y_g_k - p_k * total(y_g) for y_g_k, p_k in zip(y_g, self.link.value(a), strict=True)]


def focused(gamma: float, log_p: float) -> float:
    """Return (1 − p)^gamma (−ln p) from ln p.

    >>> focused(2.0, math.log(0.5))
    0.17328679513998632
    """
    # 1 − p = −expm1(ln p) keeps its digits where p is near 1.
    return weighted(math.pow(-math.expm1(log_p), gamma), -log_p)


def focused_slope(gamma: float, log_p: float) -> float:
    """Return g, the derivative of `focused` by ln p.

    >>> focused_slope(0.0, math.log(0.5))
    -1.0
    """
    p, rest = math.exp(log_p), -math.expm1(log_p)
    # p (−ln p) / (1 − p) goes to 1 where p goes to 1, to 0 where p goes to 0.
    bend = weighted(p, -log_p / rest) if rest else 1.0
    return -math.pow(rest, gamma) * (1.0 + gamma * bend)
