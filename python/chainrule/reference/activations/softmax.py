"""Softmax: the one transfer that treats the units of a layer together."""

# ruff: noqa: ARG002 - one signature for all of a kind; a formula takes from it what it needs

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from ..vectors import dot, total
from .base import Activation

if TYPE_CHECKING:
    from ..vectors import Row


class Softmax(Activation):
    """Outputs that sum to one: a_j = exp(z_j) / Σ_k exp(z_k), over the units of the layer.

    Bridle 1990. Every output depends on every z of its row: da_j/dz_k = a_j ([j = k] − a_k). `slope` shows the
    diagonal a_j (1 − a_j); `delta` uses all of it. The same as torch.nn.Softmax(dim=1). Not for outputs with
    cross_entropy, which takes logits and applies the softmax itself.

    Examples
    --------
    >>> Softmax().value([0.0, 0.0])
    [0.5, 0.5]
    >>> Softmax().value([1000.0, 0.0])
    [1.0, 0.0]
    >>> Softmax().delta(d_a=[1.0, 0.0], z=[0.0, 0.0], a=[0.5, 0.5])
    [0.25, -0.25]
    """

    name: ClassVar[str] = "softmax"

    def value(self, z: Row) -> Row:
        """Return exp(z_j) / Σ_k exp(z_k)."""
        # exp(z_j) / Σ exp(z_k) = exp(z_j − c) / Σ exp(z_k − c); with c = max z nothing overflows.
        c = max(z)
        e = [math.exp(z_j - c) for z_j in z]
        e_total = total(e)
        return [e_j / e_total for e_j in e]

    def slope(self, z: Row, a: Row) -> Row:
        """Return the diagonal a_j (1 − a_j) of the Jacobian."""
        return [a_j * (1.0 - a_j) for a_j in a]

    def delta(self, d_a: Row, z: Row, a: Row) -> Row:
        """Return dL/dz_j = Σ_k dL/da_k da_k/dz_j."""
        # Σ_k d_a_k a_k ([j = k] − a_j) = a_j (d_a_j − Σ_k d_a_k a_k): the Jacobian is never formed.
        common = dot(d_a, a)
        return [a_j * (d_j - common) for d_j, a_j in zip(d_a, a, strict=True)]
