"""Activation functions: the transfer a = f(z) of a unit, and its slope f'(z).

The article's "neuron transfer". A layer's weighted inputs z go through f one row (one sample) at a time. All but
softmax treat each unit by itself.
"""

# ruff: noqa: ARG002 - one signature for all of a kind; a formula takes from it what it needs

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from .options import Option, check_number
from .vectors import dot, total

if TYPE_CHECKING:
    from .vectors import Row


class Activation(Option):
    """Base of the activation functions; `f` and `slope_of` are the formulas of one unit."""

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


class Sigmoid(Activation):
    """The logistic function: a = 1 / (1 + exp(−z)) in [0, 1], da/dz = a (1 − a).

    Rumelhart, Hinton & Williams 1986. The same as torch.nn.Sigmoid and as "logistic" in scikit-learn.

    Examples
    --------
    >>> sigmoid = Sigmoid()
    >>> sigmoid.value([0.0, 0.3775])
    [0.5, 0.593269992]
    >>> sigmoid.slope([0.0], [0.5])
    [0.25]
    """

    name: ClassVar[str] = "sigmoid"

    def f(self, z: float) -> float:
        """Return 1 / (1 + exp(−z))."""
        # 1 / (1 + exp(−z)) = exp(z) / (exp(z) + 1): of the two forms the one whose exponent is
        # never positive, so that nothing overflows.
        if z >= 0.0:
            return 1.0 / (1.0 + math.exp(-z))
        e = math.exp(z)
        return e / (1.0 + e)

    def slope_of(self, z: float, a: float) -> float:
        """Return a (1 − a)."""
        return a * (1.0 - a)


class Tanh(Activation):
    """The hyperbolic tangent: a = tanh(z) in [−1, 1], da/dz = 1 − a².

    LeCun, Bottou, Orr & Müller 1998, "Efficient BackProp", §4.4. The same in torch and scikit-learn.

    Examples
    --------
    >>> tanh = Tanh()
    >>> tanh.value([0.0, 1.0])
    [0.0, 0.7615941559557649]
    >>> tanh.slope([1.0], [0.7615941559557649])
    [0.41997434161402614]
    """

    name: ClassVar[str] = "tanh"

    def f(self, z: float) -> float:
        """Return tanh(z)."""
        return math.tanh(z)

    def slope_of(self, z: float, a: float) -> float:
        """Return 1 − a²."""
        return 1.0 - a * a


class ReLU(Activation):
    """The rectifier: a = max(z, 0), da/dz = 1 where z > 0, else 0.

    Nair & Hinton 2010. At z = 0, where no slope exists, it is 0, as in torch and scikit-learn.

    Examples
    --------
    >>> relu = ReLU()
    >>> relu.value([-2.0, 0.0, 3.0])
    [0.0, 0.0, 3.0]
    >>> relu.slope([-2.0, 0.0, 3.0], [0.0, 0.0, 3.0])
    [0.0, 0.0, 1.0]
    """

    name: ClassVar[str] = "relu"

    def f(self, z: float) -> float:
        """Return max(z, 0)."""
        return max(0.0, z)

    def slope_of(self, z: float, a: float) -> float:
        """Return 1 where z > 0, else 0."""
        return 1.0 if z > 0.0 else 0.0


@dataclass(frozen=True)
class LeakyReLU(Activation):
    """A rectifier that lets a little through: a = z where z > 0, else negative_slope · z.

    da/dz is 1 where z > 0, else negative_slope (at z = 0 too, as in torch). Maas, Hannun & Ng 2013.
    The same as torch.nn.LeakyReLU; scikit-learn has none.

    Parameters
    ----------
    negative_slope : float, default 0.01
        The slope for z <= 0, in [0, 1).

    Examples
    --------
    >>> leaky = LeakyReLU(negative_slope=0.5)
    >>> leaky.value([-2.0, 0.0, 3.0])
    [-1.0, 0.0, 3.0]
    >>> leaky.slope([-2.0, 0.0, 3.0], [-1.0, 0.0, 3.0])
    [0.5, 0.5, 1.0]
    """

    negative_slope: float = 0.01

    name: ClassVar[str] = "leaky_relu"

    def __post_init__(self) -> None:
        """Check the fields."""
        check_number(self, "negative_slope", "[0, 1)")

    def f(self, z: float) -> float:
        """Return z where z > 0, else negative_slope · z."""
        return z if z > 0.0 else self.negative_slope * z

    def slope_of(self, z: float, a: float) -> float:
        """Return 1 where z > 0, else negative_slope."""
        return 1.0 if z > 0.0 else self.negative_slope


class Softmax(Activation):
    """Weights that sum to one: a_j = exp(z_j) / Σ_k exp(z_k), over the units of the layer.

    Bridle 1990. Every output depends on every z of its row: da_j/dz_k = a_j ([j = k] − a_k). `slope` shows the
    diagonal a_j (1 − a_j); `delta` uses all of it. The same as torch.nn.Softmax(dim=1). Not before cross_entropy, which
    takes logits and applies the softmax itself.

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


ACTIVATIONS: dict[str, type[Activation]] = {
    kind.name: kind
    for kind in (
        Identity,
        Sigmoid,
        Tanh,
        ReLU,
        LeakyReLU,
        Softmax,
    )
}
