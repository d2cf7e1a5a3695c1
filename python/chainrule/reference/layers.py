"""Layers: what one layer does to a batch on the way forward, and to the error on the way back.

Forward, a layer turns the outputs x of the layer before it into its own outputs a. Backward it is told the error of its
outputs, d_a = dL/da, and answers with the error of its weighted inputs (delta), the gradient of its own parameters, and
the error of its inputs, which are the outputs of the layer before it. That is the chain rule, one link at a time.
"""

# ruff: noqa: ARG002 - one signature for all of a kind; a formula takes from it what it needs

from __future__ import annotations

from operator import mul
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, cast

from .activations import ACTIVATIONS, Activation
from .inits import INITS, Init
from .options import Option, check_count, check_flag, check_number, choose, option
from .vectors import Matrix, Row, dot, total, transpose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .rng import Stream


class Pass(NamedTuple):
    """What a layer remembers of the way forward, since the way back needs it."""

    x: Matrix  # (n, n_in) what came in
    z: Matrix  # (n, n_out) weighted inputs: the article's activation
    a: Matrix  # (n, n_out) outputs: after the transfer
    mask: Matrix | None = None  # (n, n_out) of a dropout layer in training


class Layer(Option):
    """Base of the layers. One without parameters has w = [] and b = []."""

    def n_outputs(self, n_in: int) -> int:
        """Return the number of outputs for `n_in` inputs."""
        raise NotImplementedError

    def start(self, stream: Stream, n_in: int) -> tuple[Matrix, Row]:
        """Return the initial weights and biases."""
        return [], []

    def forward(self, x: Matrix, w: Matrix, b: Row, stream: Stream | None) -> Pass:
        """Return what becomes of the inputs x; `stream` is the random numbers of a step in training, else None."""
        raise NotImplementedError

    def slope(self, seen: Pass) -> Matrix:
        """Return da/dz of every unit."""
        raise NotImplementedError

    def delta(self, d_a: Matrix, seen: Pass) -> Matrix:
        """Return dL/dz from dL/da."""
        raise NotImplementedError

    def gradient(self, delta: Matrix, seen: Pass, w: Matrix) -> tuple[Matrix, Row]:
        """Return dL/dw and dL/db."""
        return [], []

    def penalty(self, w: Matrix) -> float:
        """Return what the size of the weights adds to the loss."""
        return 0.0

    def d_inputs(self, delta: Matrix, w: Matrix) -> Matrix:
        """Return dL/dx, the error of the outputs of the layer before."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """Return the kind and the fields, as they stand in the config."""
        entry = super().to_dict()
        fields = {key: value.to_dict() if isinstance(value, Option) else value for key, value in entry.items()}
        return {"kind": fields.pop("name"), **fields}


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
        The activation function f, such as "tanh" or LeakyReLU(0.1). None: as the Network says, which is
        `output_activation` for the last layer and `activation` for the others.
    bias : bool, default True
        Whether there is a b. It starts at zero and is trained as the weight of an input that is always 1.
    init : str or option, optional
        The rule for the initial weights, such as "he_normal". None: as the Network says.
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
    >>> seen = layer.forward(x=[[0.05, 0.10]], w=[[0.15, 0.25], [0.20, 0.30]], b=[0.35, 0.35], stream=None)
    >>> seen.z
    [[0.3775, 0.3925]]
    >>> seen.a
    [[0.593269992, 0.596884378]]
    """

    units: int
    activation: str | Activation | None = None
    bias: bool = True
    init: str | Init | None = None
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

    @property
    def transfer(self) -> Activation:
        """The activation function; only a layer of a network is sure to have one."""
        return cast("Activation", self.activation)

    def n_outputs(self, n_in: int) -> int:
        """Return the number of units."""
        return self.units

    def start(self, stream: Stream, n_in: int) -> tuple[Matrix, Row]:
        """Return weights by the rule of `init`, and biases of zero."""
        w = cast("Init", self.init).weights(stream, n_in, self.units)
        return w, [0.0] * self.units if self.bias else []

    def forward(self, x: Matrix, w: Matrix, b: Row, stream: Stream | None) -> Pass:
        """Return z = x w + b and a = f(z)."""
        # Activation: z_j = Σ_i x_i w_ij + b_j, the article's sum(weight * input) + bias.
        into_unit = transpose(w)  # into_unit[j]: the weights that lead into unit j
        bias = b if self.bias else [0.0] * self.units
        z = [[dot(x_row, w_j) + b_j for w_j, b_j in zip(into_unit, bias, strict=True)] for x_row in x]
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

    def gradient(self, delta: Matrix, seen: Pass, w: Matrix) -> tuple[Matrix, Row]:
        """Return d_w = xᵀ delta + l2 w and d_b = Σ delta."""
        # z_j = Σ_i x_i w_ij + b_j, so dz_j/dw_ij = x_i and dz_j/db_j = 1. A weight is used by every row of the batch,
        # so the rows add up:  d_w_ij = Σ_rows x_i delta_j,  d_b_j = Σ_rows delta_j.
        of_unit = transpose(delta)
        of_input = transpose(seen.x)
        d_w = [[dot(x_i, delta_j) for delta_j in of_unit] for x_i in of_input]
        d_b = [total(delta_j) for delta_j in of_unit] if self.bias else []
        if self.l2 > 0.0:  # the slope of the penalty
            d_w = [[d + self.l2 * w_ij for d, w_ij in zip(*rows, strict=True)] for rows in zip(d_w, w, strict=True)]
        return d_w, d_b

    def penalty(self, w: Matrix) -> float:
        """Return ½ l2 Σ w²."""
        return 0.5 * self.l2 * total(dot(w_i, w_i) for w_i in w) if self.l2 > 0.0 else 0.0

    def d_inputs(self, delta: Matrix, w: Matrix) -> Matrix:
        """Return d_x = delta wᵀ."""
        # Input i feeds every unit j through w_ij:  d_x_i = Σ_j delta_j w_ij, the article's weighted errors.
        return [[dot(delta_row, w_i) for w_i in w] for delta_row in delta]


@option
class Dropout(Layer):
    """Each input is silenced with probability `rate` in training: a = x ⊙ mask.

    The mask is 1 / (1 − rate) where an input is kept, so that the mean stays, and 0 where it is not; it is drawn anew
    for every step. Outside training a = x. Srivastava et al. 2014, in the inverted form of torch.nn.Dropout.
    scikit-learn has none.

    Parameters
    ----------
    rate : float
        The probability to be silenced, in [0, 1).

    Raises
    ------
    TypeError, ValueError
        `rate` is not a number in [0, 1).

    Examples
    --------
    >>> from chainrule.reference.rng import DROPOUT, Stream
    >>> Dropout(0.5).forward([[1.0, 2.0, 3.0, 4.0]], [], [], Stream(0, DROPOUT, 1)).a
    [[0.0, 4.0, 0.0, 8.0]]
    >>> Dropout(0.5).forward([[1.0, 2.0, 3.0, 4.0]], [], [], stream=None).a
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

    def mask(self, stream: Stream, n_rows: int, n_units: int) -> Matrix:
        """Return the mask of a batch, drawn row by row, unit by unit."""
        scale = 1.0 / (1.0 - self.rate)
        return [[scale if stream.uniform() >= self.rate else 0.0 for _ in range(n_units)] for _ in range(n_rows)]

    def forward(self, x: Matrix, w: Matrix, b: Row, stream: Stream | None) -> Pass:
        """Return a = x ⊙ mask, or x outside training."""
        if stream is None or self.rate == 0.0 or not x:
            return Pass(x, x, x)
        mask = self.mask(stream, len(x), len(x[0]))
        return Pass(x, x, _times(x, mask), mask)

    def slope(self, seen: Pass) -> Matrix:
        """Return da/dx: the mask."""
        return seen.mask if seen.mask is not None else [[1.0] * len(row) for row in seen.x]

    def delta(self, d_a: Matrix, seen: Pass) -> Matrix:
        """Return d_a ⊙ mask: no error where nothing went through."""
        return d_a if seen.mask is None else _times(d_a, seen.mask)

    def d_inputs(self, delta: Matrix, w: Matrix) -> Matrix:
        """Return delta: z is x."""
        return delta


def _times(p: Sequence[Row], q: Sequence[Row]) -> Matrix:
    return [list(map(mul, p_row, q_row)) for p_row, q_row in zip(p, q, strict=True)]


LAYERS: dict[str, type[Layer]] = {
    kind.name: kind
    for kind in (
        Dense,
        Dropout,
    )
}
