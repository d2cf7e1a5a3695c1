"""What every loss has: its value and slope for one row, the targets it takes, and the link it applies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ..activations import Identity
from ..inputs import as_matrix, is_row, iterable
from ..options import Option
from ..vectors import total

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..activations import Activation
    from ..vectors import Matrix, Row


class Loss(Option):
    """Base of the losses."""

    #: The least number of outputs that makes sense.
    least_outputs: ClassVar[int] = 1
    #: Whether y are class probabilities, for which integer labels (n,) will do too.
    takes_labels: ClassVar[bool] = False
    #: Which targets are allowed, in words; `allows` checks one.
    takes: ClassVar[str] = "finite numbers"
    #: The value at which a prediction, or a target, turns from no to yes. None: several outputs are classes, and the
    #: largest wins.
    boundary: ClassVar[float | None] = None
    #: Whether the slope jumps where an output meets its target.
    kinked: ClassVar[bool] = False

    @property
    def link(self) -> Activation:
        """The function that turns a row of outputs into a prediction; the loss applies it itself."""
        return Identity()

    def n_targets(self, n_outputs: int) -> int:
        """Return the number of columns of y; they are compared with the first columns of a prediction."""
        return n_outputs

    def check_outputs(self, n_outputs: int) -> None:
        """Refuse a number of outputs that the loss cannot work with."""
        if n_outputs < self.least_outputs:
            raise ValueError(
                f"{self.name} needs at least {self.least_outputs} outputs, but the last of layers has {n_outputs}"
            )

    def allows(self, y: float) -> bool:  # noqa: ARG002 - most losses take any number
        """Return whether a finite number may be a target."""
        return True

    def value(self, a: Row, y: Row) -> float:
        """Return the loss l of one row."""
        raise NotImplementedError

    def slope(self, a: Row, y: Row) -> Row:
        """Return dl/da of one row."""
        raise NotImplementedError

    def targets(self, y: Iterable[Any], n_rows: int, n_outputs: int) -> Matrix:
        """Return y as one row of targets for each row of X, or say what is wrong with it."""
        y = list(iterable("y", y))
        n = self.n_targets(n_outputs)
        expected = f"the network has {n_outputs} outputs"
        if n != n_outputs:
            expected += f", {n_outputs // n} for each target of {self.name}"
        if y and not is_row(y[0]):
            if n != 1:
                raise ValueError(f"y has one number a row, but {expected}: give rows of them")
            y = [[y_i] for y_i in y]
        rows = as_matrix("y", y, n, expected)
        if len(rows) != n_rows:
            raise ValueError(f"y has {len(rows)} rows but X has {n_rows}")
        for i, row in enumerate(rows):
            for j, y_j in enumerate(row):
                if not self.allows(y_j):
                    raise ValueError(f"y has {y_j:g} at row {i}, column {j}; {self.name} takes {self.takes}")
        return rows


class LossOfEach(Loss):
    """Base of the losses that compare each output with its own target: l is their mean, or their sum."""

    summed: ClassVar[bool] = False

    def value_of(self, a: float, y: float) -> float:
        """Return the loss of one output."""
        raise NotImplementedError

    def slope_of(self, a: float, y: float) -> float:
        """Return the slope of `value_of` along a."""
        raise NotImplementedError

    def value(self, a: Row, y: Row) -> float:
        """Return the loss l of one row."""
        return self._share(a) * total(self.value_of(a_j, y_j) for a_j, y_j in zip(a, y, strict=True))

    def slope(self, a: Row, y: Row) -> Row:
        """Return dl/da of one row."""
        return [self._share(a) * self.slope_of(a_j, y_j) for a_j, y_j in zip(a, y, strict=True)]

    def _share(self, a: Row) -> float:
        return 1.0 if self.summed else 1.0 / len(a)


def weighted(y: float, x: float) -> float:
    """Return y x, or 0 where y is 0, however large x is.

    >>> weighted(0.0, float("inf"))
    0.0
    """
    return y * x if y else 0.0
