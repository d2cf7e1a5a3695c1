"""Losses: how wrong one row of outputs is, and which way to turn each output.

The article's "error": l is the loss of one sample, a the raw output of the last layer, y what was expected. `slope` is
dl/da, where the way back begins; for half_squared_error it is a − y, the article's (expected − actual) with the
opposite sign, since a loss goes down where an error is corrected.

A loss with a *link* works on logits: it applies the link inside, in a form that cannot overflow, and `predict` applies
it for the user.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from .activations import Identity, Sigmoid, Softmax
from .inputs import as_matrix, is_row
from .options import Option, integer, shown
from .vectors import dot, total

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .activations import Activation
    from .vectors import Matrix, Row


class Loss(Option):
    """Base of the losses."""

    link: ClassVar[Activation] = Identity()
    least_outputs: ClassVar[int] = 1

    def value(self, a: Row, y: Row) -> float:
        """Return the loss l of one row."""
        raise NotImplementedError

    def slope(self, a: Row, y: Row) -> Row:
        """Return dl/da of one row."""
        raise NotImplementedError

    def targets(self, y: Iterable[Any], n_rows: int, n_outputs: int) -> Matrix:
        """Return y as one row of targets for each row of X, or say what is wrong with it."""
        y = list(y)
        if y and not is_row(y[0]):
            if n_outputs != 1:
                raise ValueError(f"y has one number a row, but the network has {n_outputs} outputs: give rows of them")
            y = [[y_i] for y_i in y]
        rows = as_matrix("y", y, n_outputs, f"the network has {n_outputs} outputs")
        if len(rows) != n_rows:
            raise ValueError(f"y has {len(rows)} rows but X has {n_rows}")
        return rows


class MSE(Loss):
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

    def value(self, a: Row, y: Row) -> float:
        """Return (1/k) Σ (a − y)²."""
        return total((a_j - y_j) * (a_j - y_j) for a_j, y_j in zip(a, y, strict=True)) / len(a)

    def slope(self, a: Row, y: Row) -> Row:
        """Return (2/k) (a − y)."""
        return [2.0 / len(a) * (a_j - y_j) for a_j, y_j in zip(a, y, strict=True)]


class HalfSquaredError(Loss):
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

    def value(self, a: Row, y: Row) -> float:
        """Return ½ Σ (a − y)²."""
        return 0.5 * total((a_j - y_j) * (a_j - y_j) for a_j, y_j in zip(a, y, strict=True))

    def slope(self, a: Row, y: Row) -> Row:
        """Return a − y."""
        return [a_j - y_j for a_j, y_j in zip(a, y, strict=True)]


class CrossEntropy(Loss):
    """How surprised a softmax is by the right class: l = −Σ_j y_j log p_j with p = softmax(a), dl/da_j = p_j Σ y − y_j.

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
    link: ClassVar[Activation] = Softmax()
    least_outputs: ClassVar[int] = 2

    def value(self, a: Row, y: Row) -> float:
        """Return −Σ y log softmax(a)."""
        # log softmax(a)_j = a_j − log Σ exp(a), hence  l = Σ y · log Σ exp(a) − Σ y a.
        # log Σ exp(a) = c + log Σ exp(a − c) with c = max a: the largest term is exp(0), nothing overflows.
        c = max(a)
        log_sum_exp = c + math.log(total(math.exp(a_j - c) for a_j in a))
        return log_sum_exp * total(y) - dot(y, a)

    def slope(self, a: Row, y: Row) -> Row:
        """Return softmax(a) Σ y − y."""
        y_total = total(y)
        return [p_j * y_total - y_j for p_j, y_j in zip(self.link.value(a), y, strict=True)]

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
            if min(row) < 0.0 or abs(total(row) - 1.0) > 1e-4:
                raise ValueError(f"row {i} of y must be probabilities that sum to 1, not {shown(row)}")
        return rows


class BinaryCrossEntropy(Loss):
    """Each output is a yes or no: l = −Σ_j [y_j log p_j + (1 − y_j) log(1 − p_j)] with p = sigmoid(a), dl/da = p − y.

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
    link: ClassVar[Activation] = Sigmoid()

    def value(self, a: Row, y: Row) -> float:
        """Return −Σ [y log sigmoid(a) + (1 − y) log(1 − sigmoid(a))]."""
        # −log sigmoid(a) = log(1 + exp(−a)) and −log(1 − sigmoid(a)) = a + log(1 + exp(−a)), together
        # max(a, 0) − a y + log(1 + exp(−|a|)): the exponent is never positive.
        return total(max(a_j, 0.0) - a_j * y_j + math.log1p(math.exp(-abs(a_j))) for a_j, y_j in zip(a, y, strict=True))

    def slope(self, a: Row, y: Row) -> Row:
        """Return sigmoid(a) − y."""
        return [p_j - y_j for p_j, y_j in zip(self.link.value(a), y, strict=True)]

    def targets(self, y: Iterable[Any], n_rows: int, n_outputs: int) -> Matrix:
        """Return a row of numbers in [0, 1] for each row of X."""
        rows = super().targets(y, n_rows, n_outputs)
        for i, row in enumerate(rows):
            if min(row) < 0.0 or max(row) > 1.0:
                raise ValueError(f"row {i} of y must lie in [0, 1], not {shown(row)}")
        return rows


LOSSES: dict[str, type[Loss]] = {
    kind.name: kind
    for kind in (
        MSE,
        HalfSquaredError,
        CrossEntropy,
        BinaryCrossEntropy,
    )
}
