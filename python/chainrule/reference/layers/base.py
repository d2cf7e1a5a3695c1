"""What a layer is: tensors with names, a way forward and a way back.

    x   ─ forward ────────────▶ z ────────▶ a
    d_x ◀─ d_inputs ─ delta = dL/dz ◀─ d_a = dL/da
                        └─ gradient ─▶ dL/d(tensor) of each tensor

Forward, a layer turns x, the outputs of the layer before it, into its own outputs a. On the way back it is given the
error of its outputs, d_a = dL/da. It answers with delta, the error of z; with the gradient of its own tensors; and with
d_x, the error of its inputs, which is d_a of the layer before it. That is the chain rule, one link at a time.

A layer knows three kinds of values, and the network holds the last two for it:

    fields     chosen by the user and constant      units, rate
    tensors    trained by the optimizer             weight, bias       (`shapes`, `start`)
    buffers    saved with the network, not trained  running means      (`buffers`)
"""

# ruff: noqa: ARG002 - one signature for all of a kind; a formula takes from it what it needs

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..options import Option

if TYPE_CHECKING:
    from typing import Self

    from ..activations import Activation
    from ..inits import Init
    from ..losses import Loss
    from ..rng import Draws, Stream
    from ..vectors import Matrix, Row, Shape, Tensors


@dataclass(frozen=True)
class Pass:
    """What a layer remembers of the way forward, since the way back needs it."""

    x: Matrix  # (n, n_in) inputs
    z: Matrix  # (n, n_out) weighted inputs: the article's activation
    a: Matrix  # (n, n_out) outputs: after the transfer
    saved: Any = None  # whatever else the layer needs on the way back, such as dropout's mask
    buffers: dict[str, Row] = field(default_factory=dict)  # new values, kept if the network makes this step


class Layer(Option):
    """Base of the layers. Its answers are those of a layer without tensors."""

    # ── What it is made of ───────────────────────────────────────────────────────────────────────────────────────────

    def n_outputs(self, n_in: int) -> int:
        """Return the number of outputs for `n_in` inputs."""
        raise NotImplementedError

    def with_defaults(self, activation: Activation, init: Init) -> Self:
        """Return the layer with every field filled in that was left to the network."""
        return self

    def check_last(self, loss: Loss) -> None:
        """Refuse to be the last layer of a network with this loss, if it cannot be."""
        raise ValueError(
            f"the last of layers is {self}, but the last layer makes the network's outputs and must be dense: put a "
            "Dense layer after it"
        )

    def shapes(self, n_in: int) -> dict[str, Shape]:
        """Return the name and shape of each trained tensor, in the order of `Network.parameters`."""
        return {}

    def start(self, stream: Stream, n_in: int) -> Tensors:
        """Return the initial value of each trained tensor."""
        return {}

    def buffers(self, n_in: int) -> dict[str, Row]:
        """Return the initial value of each buffer."""
        return {}

    @property
    def draws(self) -> bool:
        """Whether the layer draws random numbers in training."""
        return False

    # ── Forward ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def forward(self, x: Matrix, tensors: Tensors, training: Draws | None = None) -> Pass:
        """Return what becomes of the inputs x.

        `tensors` has the buffers too. `training` is None outside training; in training it holds the random bits of this
        layer in this update.
        """
        raise NotImplementedError

    # ── Backward ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def slope(self, seen: Pass) -> Matrix:
        """Return da/dz of every unit."""
        raise NotImplementedError

    def delta(self, d_a: Matrix, seen: Pass) -> Matrix:
        """Return dL/dz from dL/da."""
        raise NotImplementedError

    def gradient(self, delta: Matrix, seen: Pass, tensors: Tensors) -> Tensors:
        """Return the slope of the loss along each trained tensor, with that of the penalty."""
        return {}

    def d_inputs(self, delta: Matrix, seen: Pass, tensors: Tensors) -> Matrix:
        """Return dL/dx, the error of the outputs of the layer before."""
        raise NotImplementedError

    def penalty(self, tensors: Tensors) -> float:
        """Return what the size of the tensors adds to the loss."""
        return 0.0

    # ── To JSON ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def to_dict(self) -> dict[str, Any]:
        """Return the kind and the fields, as they stand in the config."""
        fields = super().to_dict()
        return {"kind": fields.pop("name"), **fields}
