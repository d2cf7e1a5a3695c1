"""Losses of one class among several, from logits: p = softmax(a), y the probability of each class or a label."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from ..activations import Activation, Softmax
from ..inputs import is_row
from ..options import integer
from ..vectors import total
from .base import Loss, weighted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..vectors import Matrix, Row


class LossOfClasses(Loss):
    """Base of the losses that look at the logarithms of the probabilities of a softmax."""

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

    def targets(self, y: Iterable[Any], n_rows: int, n_outputs: int) -> Matrix:
        """Return a row of probabilities for each row of X; label j becomes 1 at place j and 0 elsewhere."""
        y = list(y)
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


class CrossEntropy(LossOfClasses):
    """How surprised a softmax is by the right class: l = −Σ_j y_j ln p_j with p = softmax(a), dl/da_j = p_j Σ y − y_j.

    Takes logits, at least two outputs. y is one integer label a sample, or a row of probabilities that sum to 1.
    Bishop 2006, §4.3.4. torch.nn.CrossEntropyLoss; scikit-learn's classifier where there are three classes or more.

    Examples
    --------
    >>> CrossEntropy().value(a=[0.0, 0.0], y=[0.0, 1.0])
    0.6931471805599453
    >>> CrossEntropy().slope(a=[0.0, 0.0], y=[0.0, 1.0])
    [0.5, -0.5]
    """

    name: ClassVar[str] = "cross_entropy"

    def value(self, a: Row, y: Row) -> float:
        """Return −Σ y ln softmax(a)."""
        return total(weighted(y_j, -log_p_j) for y_j, log_p_j in zip(y, log_softmax(a), strict=True))

    def slope(self, a: Row, y: Row) -> Row:
        """Return softmax(a) Σ y − y."""
        y_total = total(y)
        return [p_j * y_total - y_j for p_j, y_j in zip(self.link.value(a), y, strict=True)]
