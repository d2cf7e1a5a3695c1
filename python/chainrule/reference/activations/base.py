"""What an activation function is: the transfer a = f(z) of a unit, and its slope f'(z)."""

# ruff: noqa: ARG002 - one signature for all of a kind; a formula takes from it what it needs

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..options import Option

if TYPE_CHECKING:
    from ..vectors import Row


class Activation(Option):
    """Base of the activation functions; `f` and `slope_of` are the formulas of one unit."""

    # Where the slope jumps. No derivative exists there, so one is chosen by convention.
    kinks: ClassVar[tuple[float, ...]] = ()

    def f(self, z: float) -> float:
        """Return a = f(z) of one unit."""
        raise NotImplementedError

    def slope_of(self, z: float, a: float) -> float:
        """Return da/dz of one unit, from z or from a, whichever is simpler."""
        raise NotImplementedError

    def value(self, z: Row) -> Row:
        """Return a = f(z) of one row."""
        return [self.f(z_j) for z_j in z]

    def slope(self, z: Row, a: Row) -> Row:
        """Return da_j/dz_j of one row."""
        return [self.slope_of(z_j, a_j) for z_j, a_j in zip(z, a, strict=True)]

    def delta(self, d_a: Row, z: Row, a: Row) -> Row:
        """Return dL/dz = dL/da ⊙ f'(z) of one row: the article's error * slope."""
        return [d * s for d, s in zip(d_a, self.slope(z, a), strict=True)]


class Identity(Activation):
    """The output is the weighted input: a = z, da/dz = 1.

    For the output layer of a regression, and wherever the loss has a link of its own (cross_entropy).
    The same as torch.nn.Identity and as "identity" in scikit-learn.

    Examples
    --------
    >>> Identity().value([-2.0, 0.0, 3.0])
    [-2.0, 0.0, 3.0]
    """

    name: ClassVar[str] = "identity"

    def f(self, z: float) -> float:
        """Return z."""
        return z

    def slope_of(self, z: float, a: float) -> float:
        """Return 1."""
        return 1.0
