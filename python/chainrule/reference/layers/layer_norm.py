"""Layer normalization: the units of each row are brought to mean 0 and variance 1."""

# ruff: noqa: ARG002 - one signature for all of a kind; a formula takes from it what it needs

from __future__ import annotations

import math
from dataclasses import KW_ONLY  # noqa: TC003 - `option` looks it up when the class is made
from operator import mul
from typing import TYPE_CHECKING, ClassVar, cast

from ..options import check_number, option
from ..vectors import dot, total, transpose
from .base import Layer, Pass

if TYPE_CHECKING:
    from typing import Self

    from ..rng import Draws, Stream
    from ..vectors import Matrix, Row, Shape, Tensors


@option
class LayerNorm(Layer):
    """Each row is normalized by its own mean and variance: x̂ = (x − mean(x)) / √(var(x) + eps), a = gain ⊙ x̂ + shift.

    mean(x) = (1/n) Σ_j x_j and var(x) = (1/n) Σ_j (x_j − mean(x))², over the n units of the row. Rows do not mix, so
    training and prediction are the same. gain and shift are trained, one of each for every unit; they start at 1 and 0.
    Ba, Kiros & Hinton 2016, "Layer Normalization". torch.nn.LayerNorm, which calls them weight and bias. scikit-learn
    has none.

    A row whose variance is beyond the range of the network's dtype becomes NaN, which a step refuses as a divergence.
    In float32 that is a row with some |x_j − mean(x)| of 1.8e19 or more.

    Parameters
    ----------
    eps : float, default 1e-5
        Keeps the division finite where the units of a row are equal, in the unit of x². From 1e-45 to 3e38, the range
        of float32. Given by name.

    Raises
    ------
    TypeError, ValueError
        `eps` is not a number in that range, or a number of units is given.

    Examples
    --------
    >>> seen = LayerNorm(eps=3.0).forward([[1.0, 3.0]], {"gain": [2.0, 4.0], "shift": [10.0, 20.0]})
    >>> seen.z, seen.a
    ([[-0.5, 0.5]], [[9.0, 22.0]])
    """

    _: KW_ONLY
    eps: float = 1e-5

    name: ClassVar[str] = "layer_norm"

    def __new__(cls, *values: object, **fields: object) -> Self:
        """Refuse a number of units, which torch's class takes and this one finds in the layer before."""
        if values or "normalized_shape" in fields:
            raise TypeError(
                "LayerNorm() takes no number of units, it has as many as the layer before; eps is given by name, such "
                "as LayerNorm(eps=1e-5)"
            )
        return super().__new__(cls, **fields)

    def __post_init__(self) -> None:
        """Check the field."""
        check_number(self, "eps", "[1e-45, 3e38]")

    def n_outputs(self, n_in: int) -> int:
        """Return the number of inputs."""
        return n_in

    def shapes(self, n_in: int) -> dict[str, Shape]:
        """Return the shapes of gain and shift."""
        return {"gain": (n_in,), "shift": (n_in,)}

    def start(self, stream: Stream, n_in: int) -> Tensors:
        """Return a gain of 1 and a shift of 0: at first a = x̂."""
        return {"gain": [1.0] * n_in, "shift": [0.0] * n_in}

    def forward(self, x: Matrix, tensors: Tensors, training: Draws | None = None) -> Pass:
        """Return z = x̂ and a = gain ⊙ x̂ + shift."""
        gain, shift = cast("Row", tensors["gain"]), cast("Row", tensors["shift"])
        z, scales = [], []
        for x_row in x:
            mean = total(x_row) / len(x_row)
            centered = [x_j - mean for x_j in x_row]
            variance = dot(centered, centered) / len(x_row)
            # 1 / ∞ would make x̂ = 0, as if the units were equal.
            scales.append(1.0 / math.sqrt(variance + self.eps) if variance < math.inf else math.nan)
            z.append([c_j * scales[-1] for c_j in centered])
        a = [[g_j * z_j + s_j for g_j, z_j, s_j in zip(gain, z_row, shift, strict=True)] for z_row in z]
        return Pass(x, z, a, saved=(gain, scales))

    def slope(self, seen: Pass) -> Matrix:
        """Return da/dx̂: the gain."""
        gain, _ = seen.saved
        return [gain for _ in seen.z]

    def delta(self, d_a: Matrix, seen: Pass) -> Matrix:
        """Return dL/da, and not dL/dz: the gradient of the gain needs it, and dL/dz = gain ⊙ dL/da would lose it."""
        return d_a

    def gradient(self, delta: Matrix, seen: Pass, tensors: Tensors) -> Tensors:
        """Return d_gain = Σ_rows d_a ⊙ x̂ and d_shift = Σ_rows d_a."""
        of_unit = transpose(delta)
        d_gain = [dot(d_j, z_j) for d_j, z_j in zip(of_unit, transpose(seen.z), strict=True)]
        return {"gain": d_gain, "shift": [total(d_j) for d_j in of_unit]}

    def d_inputs(self, delta: Matrix, seen: Pass, tensors: Tensors) -> Matrix:
        """Return d_x = (g − mean(g) − x̂ mean(g ⊙ x̂)) / √(var(x) + eps) with g = d_a ⊙ gain."""
        # g is the error of x̂. x_j also moves the mean of the row, which takes mean(g) from every error, and its
        # deviation, which takes the part of g along x̂.
        gain, scales = seen.saved
        d_x = []
        for d_row, z_row, scale in zip(delta, seen.z, scales, strict=True):
            g = list(map(mul, d_row, gain))
            mean, along = total(g) / len(g), dot(g, z_row) / len(g)
            d_x.append([(g_j - mean - z_j * along) * scale for g_j, z_j in zip(g, z_row, strict=True)])
        return d_x
