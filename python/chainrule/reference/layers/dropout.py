"""Dropout: inputs are silenced at random, so that no unit can rely on a single other one."""

# ruff: noqa: ARG002 - one signature for all of a kind; a formula takes from it what it needs

from __future__ import annotations

import math
from operator import mul
from typing import TYPE_CHECKING, ClassVar

from ..options import check_number, option
from .base import Layer, Pass

if TYPE_CHECKING:
    from ..losses import Loss
    from ..rng import Draws
    from ..vectors import Matrix, Tensors


@option
class Dropout(Layer):
    """Each input is silenced with probability `rate` in training: a = x ⊙ mask.

    The mask is 1 / (1 − rate) where an input is kept, so that the mean stays, and 0 where it is not; it is drawn anew
    for every step. Outside training a = x. Srivastava et al. 2014, in the inverted form of torch.nn.Dropout.
    scikit-learn has none.

    Parameters
    ----------
    rate : float
        The probability of being silenced, in [0, 1).

    Raises
    ------
    TypeError, ValueError
        `rate` is not a number in [0, 1).

    Examples
    --------
    >>> from chainrule.reference.rng import Draws
    >>> Dropout(0.5).forward([[1.0, 2.0, 3.0, 4.0]], {}, training=Draws(7, layer=1, update=3)).a
    [[2.0, 0.0, 6.0, 0.0]]
    >>> Dropout(0.5).forward([[1.0, 2.0, 3.0, 4.0]], {}).a
    [[1.0, 2.0, 3.0, 4.0]]
    """

    rate: float

    name: ClassVar[str] = "dropout"

    def __post_init__(self) -> None:
        """Check the field."""
        check_number(self, "rate", "[0, 1)")

    def n_outputs(self, n_in: int) -> int:
        """Return the number of inputs."""
        return n_in

    @property
    def draws(self) -> bool:
        """Whether anything is silenced."""
        return self.rate > 0.0

    def check_last(self, loss: Loss) -> None:
        """Refuse, since a silenced output follows no target."""
        raise ValueError(
            f"the last of layers is {self}, but the last layer makes the network's outputs: silenced outputs "
            "could not follow any target; put it before the last Dense layer"
        )

    def mask(self, draws: Draws, n_rows: int, n_units: int) -> Matrix:
        """Return the mask of a batch: a unit is kept if its 32 random bits are at least ⌊rate · 2³²⌋."""
        threshold = math.floor(self.rate * 2.0**32)
        scale = 1.0 / (1.0 - self.rate)
        return [[scale if bits >= threshold else 0.0 for bits in draws.bits(row, n_units)] for row in range(n_rows)]

    def forward(self, x: Matrix, tensors: Tensors, training: Draws | None = None) -> Pass:
        """Return a = x ⊙ mask, or x outside training."""
        if training is None or self.rate == 0.0 or not x:
            return Pass(x, z=x, a=x)
        mask = self.mask(training, len(x), len(x[0]))
        return Pass(x, z=x, a=_times(x, mask), saved=mask)

    def slope(self, seen: Pass) -> Matrix:
        """Return da/dx: the mask."""
        mask: Matrix | None = seen.saved
        return mask if mask is not None else [[1.0] * len(row) for row in seen.x]

    def delta(self, d_a: Matrix, seen: Pass) -> Matrix:
        """Return d_a ⊙ mask: no error where nothing went through."""
        return d_a if seen.saved is None else _times(d_a, seen.saved)

    def d_inputs(self, delta: Matrix, seen: Pass, tensors: Tensors) -> Matrix:
        """Return delta: z is x."""
        return delta


def _times(p: Matrix, q: Matrix) -> Matrix:
    return [list(map(mul, p_row, q_row)) for p_row, q_row in zip(p, q, strict=True)]
