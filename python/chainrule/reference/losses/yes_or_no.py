"""Losses of a yes (y = 1) or no (y = 0) for each output, from logits: p = sigmoid(a)."""

from __future__ import annotations

import math
from typing import ClassVar

from ..activations import Activation, Sigmoid
from ..options import check_number, option
from .base import LossOfEach, weighted
from .classes import focused, focused_slope


class LossOfAnswers(LossOfEach):
    """Base of the losses of the probability of a yes, summed over the outputs: each output is an answer of its own."""

    link: ClassVar[Activation] = Sigmoid()
    takes: ClassVar[str] = "values from 0 to 1"
    boundary: ClassVar[float | None] = 0.5
    summed: ClassVar[bool] = True

    def allows(self, y: float) -> bool:
        """Return whether y may be a probability."""
        return 0.0 <= y <= 1.0


class BinaryCrossEntropy(LossOfAnswers):
    """Each output is a yes or no: l = −Σ_j [y_j ln p_j + (1 − y_j) ln(1 − p_j)] with p = sigmoid(a), dl/da = p − y.

    Takes logits; y in [0, 1]. Summed over the outputs, so several outputs are several labels of one sample.
    Bishop 2006, §4.3.2. torch.nn.BCEWithLogitsLoss, which takes the mean over the outputs; the same as scikit-learn's
    classifier with two classes or several labels.

    Examples
    --------
    >>> BinaryCrossEntropy().value(a=[0.0], y=[1.0])
    0.6931471805599453
    >>> BinaryCrossEntropy().slope(a=[0.0], y=[1.0])
    [-0.5]
    """

    name: ClassVar[str] = "binary_cross_entropy"

    def value_of(self, a: float, y: float) -> float:
        """Return −[y ln sigmoid(a) + (1 − y) ln(1 − sigmoid(a))]."""
        # −ln sigmoid(a) = ln(1 + exp(−a)) and −ln(1 − sigmoid(a)) = a + ln(1 + exp(−a)), together
        # max(a, 0) − a y + ln(1 + exp(−|a|)): the exponent is never positive. The part before the logarithm is |a|
        # times the distance of y from the answer, 0 or 1, that a leans to.
        lack = 1.0 - y if a > 0.0 else y
        return weighted(lack, abs(a)) + math.log1p(math.exp(-abs(a)))

    def slope_of(self, a: float, y: float) -> float:
        """Return sigmoid(a) − y."""
        return self.link.f(a) - y


@option
class BinaryFocal(LossOfAnswers):
    """Binary cross-entropy weighted towards what is still wrong.

    l = −Σ_j [alpha y_j (1 − p_j)^gamma ln p_j + (1 − alpha) (1 − y_j) p_j^gamma ln(1 − p_j)] with p = sigmoid(a);
    dl/da = alpha y g(ln p) (1 − p) − (1 − alpha) (1 − y) g(ln(1 − p)) p with the g of `Focal`.

    An answer that is almost certain hardly counts, so a few yes among many no are learned. Takes logits; y in [0, 1].
    Lin, Goyal, Girshick, He & Dollár 2017, "Focal Loss for Dense Object Detection", §3. Summed over the outputs, as
    binary_cross_entropy; with gamma = 0 and alpha = ½ it is half of that. torchvision.ops.sigmoid_focal_loss where y
    is 0 or 1; Keras's BinaryFocalCrossentropy with apply_class_balancing=True; scikit-learn has none.

    Parameters
    ----------
    gamma : float, default 2.0
        How strongly the weight of an answer falls as it becomes certain, >= 0.
    alpha : float, default 0.25
        The weight of a yes, in [0, 1]; that of a no is 1 − alpha.

    Examples
    --------
    >>> BinaryFocal(gamma=0.0, alpha=0.5).value(a=[0.0], y=[1.0])
    0.34657359027997264
    >>> BinaryFocal(gamma=0.0, alpha=0.5).slope(a=[0.0], y=[1.0])
    [-0.25]
    """

    gamma: float = 2.0
    alpha: float = 0.25

    name: ClassVar[str] = "binary_focal"

    def __post_init__(self) -> None:
        """Check the fields."""
        check_number(self, "gamma", "[0, inf)")
        check_number(self, "alpha", "[0, 1]")

    def value_of(self, a: float, y: float) -> float:
        """Return alpha y (1 − p)^gamma (−ln p) + (1 − alpha) (1 − y) p^gamma (−ln(1 − p))."""
        yes = weighted(self.alpha * y, focused(self.gamma, log_sigmoid(a)))
        return yes + weighted((1.0 - self.alpha) * (1.0 - y), focused(self.gamma, log_sigmoid(-a)))

    def slope_of(self, a: float, y: float) -> float:
        """Return alpha y g(ln p) (1 − p) − (1 − alpha) (1 − y) g(ln(1 − p)) p."""
        # d ln p / da = 1 − p = sigmoid(−a), d ln(1 − p) / da = −p.
        yes = self.alpha * y * focused_slope(self.gamma, log_sigmoid(a)) * self.link.f(-a)
        return yes - (1.0 - self.alpha) * (1.0 - y) * focused_slope(self.gamma, log_sigmoid(-a)) * self.link.f(a)


def log_sigmoid(a: float) -> float:
    """Return ln sigmoid(a).

    >>> log_sigmoid(0.0)
    -0.6931471805599453
    """
    # −ln(1 + exp(−a)) = min(a, 0) − ln(1 + exp(−|a|)): the exponent is never positive.
    return min(a, 0.0) - math.log1p(math.exp(-abs(a)))
