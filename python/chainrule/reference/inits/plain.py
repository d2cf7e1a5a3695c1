"""TruncatedNormal, Constant and Zeros: weights that do not depend on the sizes of the layer."""

# ruff: noqa: ARG002 - one signature for all of a kind; a formula takes from it what it needs

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..options import check_number, option
from .base import Init

if TYPE_CHECKING:
    from ..rng import Stream


@option
class TruncatedNormal(Init):
    """Normal with a given deviation, without the tails: a number beyond two deviations is drawn again.

    The weights have the deviation 0.8796 std. The same as Keras's TruncatedNormal, default included; torch's
    nn.init.trunc_normal_ cuts at -2 and 2 whatever its std, 1 by default.

    Parameters
    ----------
    std : float, default 0.05
        The standard deviation before the tails are cut, > 0.

    Examples
    --------
    >>> from chainrule.reference.rng import WEIGHTS, Stream
    >>> TruncatedNormal(std=0.1).weights(Stream(0, WEIGHTS, 0), n_in=1, n_out=2)
    [[0.020785050, -0.067997275]]
    """

    std: float = 0.05

    name: ClassVar[str] = "truncated_normal"

    def __post_init__(self) -> None:
        """Check the field."""
        check_number(self, "std", "(0, inf)")

    def draw(self, stream: Stream, n_in: int, n_out: int) -> float:
        """Return a weight of at most 2 std."""
        z = stream.normal()
        while abs(z) > 2.0:
            z = stream.normal()
        return z * self.std


@option
class Constant(Init):
    """All weights the same.

    Only for a network of one layer: hidden units that start equal get equal errors and stay equal forever.
    torch.nn.init.constant_.

    Parameters
    ----------
    value : float, default 0.0
        The weight, finite.

    Examples
    --------
    >>> from chainrule.reference.rng import WEIGHTS, Stream
    >>> Constant(0.5).weights(Stream(0, WEIGHTS, 0), n_in=1, n_out=2)
    [[0.5, 0.5]]
    """

    value: float = 0.0

    name: ClassVar[str] = "constant"

    def __post_init__(self) -> None:
        """Check the field."""
        check_number(self, "value", "(-inf, inf)")

    def draw(self, stream: Stream, n_in: int, n_out: int) -> float:
        """Return the value."""
        return self.value


class Zeros(Init):
    """All weights zero.

    Only for a network of one layer: hidden units that start equal get equal errors and stay equal forever.

    Examples
    --------
    >>> from chainrule.reference.rng import WEIGHTS, Stream
    >>> Zeros().weights(Stream(0, WEIGHTS, 0), n_in=1, n_out=2)
    [[0.0, 0.0]]
    """

    name: ClassVar[str] = "zeros"

    def draw(self, stream: Stream, n_in: int, n_out: int) -> float:
        """Return 0."""
        return 0.0
