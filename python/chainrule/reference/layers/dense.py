"""The dense layer: z = x w + b, a = f(z)."""

# ruff: noqa: ARG002 - one signature for all of a kind; a formula takes from it what it needs

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, ClassVar, cast

from ..activations import ACTIVATIONS, Activation
from ..inits import INITS, Init
from ..options import check_count, check_flag, check_number, choose, option
from ..vectors import dot, total, transpose
from .base import Layer, Pass

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from chainrule.names import ActivationName, InitName

    from ..losses import Loss
    from ..options import Option
    from ..rng import Draws, Stream
    from ..vectors import Matrix, Row, Shape, Tensors


@option
class Dense(Layer):
    """A layer whose every unit sees every input: z = x w + b, a = f(z).

    torch.nn.Linear with the activation after it, but w is (n_in, n_out), as in scikit-learn's coefs_; torch keeps its
    transpose.

    Parameters
    ----------
    units : int
        How many outputs, >= 1.
    activation : str or option, optional
        The activation function f, such as "tanh" or LeakyReLU(0.1). None: that of the Network, which is
        `output_activation` for the last layer and `activation` for the others.
    bias : bool, default True
        Whether there is a b. It starts at zero and is trained as the weight of an input that is always 1.
    init : str or option, optional
        The rule for the initial weights, such as "he_normal". None: that of the Network.
    l2 : float, default 0.0
        Adds ½ · l2 · Σ w² to the loss (not the biases), >= 0.

    Raises
    ------
    TypeError
        A field has the wrong type.
    ValueError
        A number is out of its range, or a name is unknown.

    Examples
    --------
    >>> layer = Dense(2, activation="sigmoid")
    >>> tensors = {"weight": [[0.15, 0.25], [0.20, 0.30]], "bias": [0.35, 0.35]}
    >>> seen = layer.forward([[0.05, 0.10]], tensors)
    >>> seen.z
    [[0.3775, 0.3925]]
    >>> seen.a
    [[0.593269992, 0.596884378]]
    """

    units: int
    activation: ActivationName | Activation | None = None
    bias: bool = True
    init: InitName | Init | None = None
    l2: float = 0.0

    name: ClassVar[str] = "dense"

    def __post_init__(self) -> None:
        """Check the fields; names become the options that they mean."""
        check_count(self, "units")
        if self.activation is not None:
            object.__setattr__(self, "activation", choose("activation", self.activation, ACTIVATIONS))
        check_flag(self, "bias")
        if self.init is not None:
            object.__setattr__(self, "init", choose("init", self.init, INITS))
        check_number(self, "l2", "[0, inf)")

    @classmethod
    def registries(cls) -> Mapping[str, Mapping[str, type[Option]]]:
        """Return the registries of activation and init."""
        return {"activation": ACTIVATIONS, "init": INITS}

    @property
    def transfer(self) -> Activation:
        """The activation function; only a layer of a network is sure to have one."""
        return cast("Activation", self.activation)

    def n_outputs(self, n_in: int) -> int:
        """Return the number of units."""
        return self.units

    def with_defaults(self, activation: Activation, init: Init) -> Self:
        """Return the layer with an activation and an init: its own, or else these."""
        return dataclasses.replace(
            self,
            activation=activation if self.activation is None else self.activation,
            init=init if self.init is None else self.init,
        )

    def check_last(self, loss: Loss) -> None:
        """Refuse an activation that the loss applies itself, as its link."""
        link = loss.link
        if self.activation == link and link.name != "identity":  # to repeat the identity changes nothing
            raise ValueError(
                f"{loss.name} takes the output before the {link.name} and applies it itself; with {link.name} as the "
                'output activation it would be applied twice. Use output_activation="identity"'
            )

    def shapes(self, n_in: int) -> dict[str, Shape]:
        """Return the shapes of w and b."""
        shapes: dict[str, Shape] = {"weight": (n_in, self.units)}
        if self.bias:
            shapes["bias"] = (self.units,)
        return shapes

    def start(self, stream: Stream, n_in: int) -> Tensors:
        """Return weights by the rule of `init`, and biases of zero."""
        tensors: Tensors = {"weight": cast("Init", self.init).weights(stream, n_in, self.units)}
        if self.bias:
            tensors["bias"] = [0.0] * self.units
        return tensors

    def forward(self, x: Matrix, tensors: Tensors, training: Draws | None = None) -> Pass:
        """Return z = x w + b and a = f(z)."""
        # Activation: z_j = Σ_i x_i w_ij + b_j, the article's sum(weight * input) + bias.
        into_unit = transpose(_weight(tensors))  # into_unit[j]: the weights that lead into unit j
        b = cast("Row", tensors["bias"]) if self.bias else [0.0] * self.units
        z = [[dot(x_row, w_j) + b_j for w_j, b_j in zip(into_unit, b, strict=True)] for x_row in x]
        # Transfer: a_j = f(z_j).
        a = [self.transfer.value(z_row) for z_row in z]
        return Pass(x, z, a)

    def slope(self, seen: Pass) -> Matrix:
        """Return f'(z)."""
        return [self.transfer.slope(z_row, a_row) for z_row, a_row in zip(seen.z, seen.a, strict=True)]

    def delta(self, d_a: Matrix, seen: Pass) -> Matrix:
        """Return delta = d_a ⊙ f'(z)."""
        # The article's error * slope of the neuron's output value.
        rows = zip(d_a, seen.z, seen.a, strict=True)
        return [self.transfer.delta(d_row, z_row, a_row) for d_row, z_row, a_row in rows]

    def gradient(self, delta: Matrix, seen: Pass, tensors: Tensors) -> Tensors:
        """Return d_w = xᵀ delta + l2 w and d_b = Σ delta."""
        # z_j = Σ_i x_i w_ij + b_j, so dz_j/dw_ij = x_i and dz_j/db_j = 1. A weight is used by every row of the batch,
        # so the rows add up:  d_w_ij = Σ_rows x_i delta_j,  d_b_j = Σ_rows delta_j.
        of_unit = transpose(delta)
        of_input = transpose(seen.x)
        d_w = [[dot(x_i, delta_j) for delta_j in of_unit] for x_i in of_input]
        if self.l2 > 0.0:  # the slope of the penalty
            rows = zip(d_w, _weight(tensors), strict=True)
            d_w = [[d + self.l2 * w_ij for d, w_ij in zip(d_row, w_row, strict=True)] for d_row, w_row in rows]
        gradient: Tensors = {"weight": d_w}
        if self.bias:
            gradient["bias"] = [total(delta_j) for delta_j in of_unit]
        return gradient

    def d_inputs(self, delta: Matrix, seen: Pass, tensors: Tensors) -> Matrix:
        """Return d_x = delta wᵀ."""
        # Input i feeds every unit j through w_ij:  d_x_i = Σ_j delta_j w_ij, the article's weighted errors.
        return [[dot(delta_row, w_i) for w_i in _weight(tensors)] for delta_row in delta]

    def penalty(self, tensors: Tensors) -> float:
        """Return ½ l2 Σ w²."""
        return 0.5 * self.l2 * total(dot(w_i, w_i) for w_i in _weight(tensors)) if self.l2 > 0.0 else 0.0


def _weight(tensors: Tensors) -> Matrix:
    return cast("Matrix", tensors["weight"])
