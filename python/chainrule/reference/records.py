"""What a network hands out: the gradient of a batch, what happened in one layer, the losses of a fit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .vectors import Matrix, Row, Tensors


def weights(layers: Iterable[Tensors]) -> tuple[Matrix, ...]:
    """Return the tensor "weight" of each layer that has one.

    >>> weights([{"weight": [[1.0], [2.0]], "bias": [3.0]}, {}, {"weight": [[4.0]]}])
    ([[1.0], [2.0]], [[4.0]])
    """
    return tuple(cast("Matrix", tensors["weight"]) for tensors in layers if "weight" in tensors)


def biases(layers: Iterable[Tensors]) -> tuple[Row, ...]:
    """Return the tensor "bias" of each layer with a weight, [] where it has none.

    >>> biases([{"weight": [[1.0], [2.0]], "bias": [3.0]}, {}, {"weight": [[4.0]]}])
    ([3.0], [])
    """
    return tuple(cast("Row", tensors.get("bias", [])) for tensors in layers if "weight" in tensors)


@dataclass(frozen=True)
class Gradient:
    """The slope of the loss along every parameter."""

    loss: float | None  # None where the caller has the loss (Network.backward)
    tensors: tuple[Tensors, ...]  # of each layer, by name: dL/d(tensor)
    flat: Row  # all of it in the order of Network.parameters
    inputs: Matrix | None = None  # dL/dX, (n, n_inputs); from Network.backward

    @property
    def weights(self) -> tuple[Matrix, ...]:
        """dL/dw of each layer with a weight, (n_in, n_out)."""
        return weights(self.tensors)

    @property
    def biases(self) -> tuple[Row, ...]:
        """dL/db of each layer with a weight, (n_out,); [] where there is no bias."""
        return biases(self.tensors)


@dataclass(frozen=True)
class LayerTrace:
    """What happens in one layer during one step."""

    index: int  # counted from 1
    kind: str  # "dense", "dropout"
    z: Matrix  # (n, n_out) weighted inputs
    a: Matrix  # (n, n_out) outputs
    slope: Matrix  # (n, n_out) da/dz
    delta: Matrix  # (n, n_out) dL/dz; of a layer norm dL/da
    gradients: Tensors  # by name: dL/d(tensor)
    updates: Tensors  # by name: what the step adds to the tensor

    @property
    def d_weight(self) -> Matrix:
        """dL/dw, (n_in, n_out); [] where there is no weight."""
        return cast("Matrix", self.gradients.get("weight", []))

    @property
    def d_bias(self) -> Row:
        """dL/db, (n_out,); [] where there is no bias."""
        return cast("Row", self.gradients.get("bias", []))

    @property
    def update_weight(self) -> Matrix:
        """What the step adds to w, (n_in, n_out); [] where there is no weight."""
        return cast("Matrix", self.updates.get("weight", []))

    @property
    def update_bias(self) -> Row:
        """What the step adds to b, (n_out,); [] where there is no bias."""
        return cast("Row", self.updates.get("bias", []))


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
