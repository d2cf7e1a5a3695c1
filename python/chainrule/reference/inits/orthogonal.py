"""Orthogonal: weights that turn the signal without stretching it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from ..options import check_number, option
from ..vectors import dot, transpose
from .base import Init

if TYPE_CHECKING:
    from ..rng import Stream
    from ..vectors import Matrix, Row


def orthonormal(vectors: Matrix) -> Matrix:
    """Return vectors of length 1 at right angles to each other, by the modified Gram-Schmidt process.

    >>> orthonormal([[3.0, 4.0], [5.0, 5.0]])
    [[0.6, 0.8], [0.8, -0.6]]
    """
    found: list[Row] = []
    for b in vectors:
        # Take away from b what lies along each vector before it,
        for q in found:
            along = dot(q, b)
            b = [b_i - along * q_i for b_i, q_i in zip(b, q, strict=True)]
        # and make the rest as long as 1.
        length = math.sqrt(dot(b, b))
        found.append([b_i / length for b_i in b])
    return found


@option
class Orthogonal(Init):
    """The rows or the columns of w, whichever are fewer, at right angles to each other and as long as the gain.

    w wᵀ = gain² I where n_in <= n_out, else wᵀ w = gain² I: with a gain of 1 a signal, or the error on its way back,
    keeps its length. Saxe, McClelland & Ganguli 2014, §3. torch.nn.init.orthogonal_, which draws other numbers.

    Normal random vectors are made orthogonal by the Gram-Schmidt process, so all such w are equally likely (Stewart
    1980).

    Parameters
    ----------
    gain : float, default 1.0
        The length of each row or column, > 0; sqrt(2) makes up for what relu takes away.

    Examples
    --------
    >>> from chainrule.reference.rng import WEIGHTS, Stream
    >>> w = Orthogonal().weights(Stream(0, WEIGHTS, 0), n_in=2, n_out=3)
    >>> w
    [[0.209150152, -0.684224478, 0.698636585], [0.929333522, 0.361393175, 0.075724361]]
    >>> dot(w[0], w[0]), abs(dot(w[0], w[1])) < 1e-15
    (1.0, True)
    """

    gain: float = 1.0

    name: ClassVar[str] = "orthogonal"

    def __post_init__(self) -> None:
        """Check the field."""
        check_number(self, "gain", "(0, inf)")

    def weights(self, stream: Stream, n_in: int, n_out: int) -> Matrix:
        """Return w of shape (n_in, n_out), whose rows or columns were drawn one after the other."""
        vectors = [[stream.normal() for _ in range(max(n_in, n_out))] for _ in range(min(n_in, n_out))]
        # Vectors that point nearly the same way lose digits in the first round; after the second only rounding is left.
        vectors = orthonormal(orthonormal(vectors))
        w = vectors if n_in <= n_out else transpose(vectors)
        return [[x * self.gain for x in row] for row in w]
