"""Losses of answers yes (y = 1) or no (y = 0), one an output, from logits: p = sigmoid(a)."""

from __future__ import annotations

import math
from typing import ClassVar

from ..activations import Activation, Sigmoid
from .base import LossOfEach, weighted


class LossOfAnswers(LossOfEach):
    """Base of the losses of the probability of a yes; their sum, so that several outputs are several answers."""

    link: ClassVar[Activation] = Sigmoid()
    takes: ClassVar[str] = "values from 0 to 1"
    boundary: ClassVar[float | None] = 0.5
    summed: ClassVar[bool] = True

    def allows(self, y: float) -> bool:
        """Return whether y may be a probability."""
        return 0.0 <= y <= 1.0


class BinaryCrossEntropy(LossOfAnswers):
    """Each output is a yes or no: l = −Σ_j [y_j ln p_j + (1 − y_j) ln(1 − p_j)] with p = sigmoid(a), dl/da = p − y.

    Takes logits; y in [0, 1]. The sum over outputs, so that several outputs are several labels of one sample.
    Bishop 2006, §4.3.2. torch.nn.BCEWithLogitsLoss, which takes the mean over outputs; as scikit-learn's classifier.

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
        # max(a, 0) − a y + ln(1 + exp(−|a|)): the exponent is never positive. What stands before the logarithm is |a|
        # times what y lacks of the side that a is on.
        lack = 1.0 - y if a > 0.0 else y
        return weighted(lack, abs(a)) + math.log1p(math.exp(-abs(a)))

    def slope_of(self, a: float, y: float) -> float:
        """Return sigmoid(a) − y."""
        return self.link.f(a) - y
