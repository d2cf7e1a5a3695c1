"""What a network hands out: the gradient of a batch, what happened in one layer, the losses of a fit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .vectors import Matrix, Row


class Gradient(NamedTuple):
    """The slope of the loss along every parameter."""

    loss: float | None  # None where the caller has the loss (Network.backward)
    weights: tuple[Matrix, ...]  # dL/dw of each Dense layer, (n_in, n_out)
    biases: tuple[Row, ...]  # dL/db, (n_out,); [] where there is no bias
    flat: Row  # all of it in the order of Network.parameters
    inputs: Matrix | None = None  # dL/dX, (n, n_inputs); from Network.backward


@dataclass(frozen=True)
class LayerTrace:
    """What happens in one layer during one step."""

    index: int  # counted from 1
    kind: str  # "dense", "dropout"
    z: Matrix  # (n, n_out) weighted inputs
    a: Matrix  # (n, n_out) outputs
    slope: Matrix  # (n, n_out) da/dz
    delta: Matrix  # (n, n_out) dL/dz
    d_weight: Matrix  # (n_in, n_out) dL/dw; [] where there is no weight
    d_bias: Row  # (n_out,) dL/db; [] where there is no bias
    update_weight: Matrix  # (n_in, n_out) what the step adds to w
    update_bias: Row  # (n_out,) what the step adds to b


@dataclass
class History:
    """The losses of a fit, one number an epoch."""

    epoch: list[int] = field(default_factory=list)  # how many epochs the network had made after each
    loss: list[float] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)  # empty without validation_data

    def __getitem__(self, name: str) -> list[float]:
        return {"loss": self.loss, "val_loss": self.val_loss}[name]

    def __len__(self) -> int:
        return len(self.epoch)
