"""What a network hands out: the gradient of a batch, what happened in one layer, the losses of a fit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, cast

from .markup import shown_in, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .vectors import Matrix, Row, Tensors

ENDS = 5  # epochs at the start and at the end that a notebook shows


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


class History(dict[str, list[float]]):
    """The numbers of each epoch of one `fit`: a dict of columns, as pandas.DataFrame takes it.

    Its length is the number of epochs. The columns are "epoch", "loss", and "val_loss" where there is validation data.

    Examples
    --------
    >>> history = History()
    >>> history.append(1, {"loss": 0.5})
    >>> history
    History(1 epoch, last: loss=0.5)
    >>> dict(history)
    {'epoch': [1], 'loss': [0.5]}
    """

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(epoch=[], loss=[])

    @property
    def epoch(self) -> list[int]:
        """The network's epoch count after each epoch."""
        return self["epoch"]  # type: ignore[return-value] # this one column holds ints

    @property
    def loss(self) -> list[float]:
        """Loss of the training data, epoch by epoch."""
        return self["loss"]

    @property
    def val_loss(self) -> list[float]:
        """Loss of the validation data, epoch by epoch; empty without validation data."""
        return self.get("val_loss", [])

    def append(self, epoch: int, logs: Mapping[str, float]) -> None:
        """Add the numbers of one epoch; a column has NaN for an epoch without its number."""
        n = len(self["epoch"])
        for name, value in {**logs, "epoch": epoch}.items():
            if name not in self:
                self[name] = [math.nan] * n
            self[name].append(value)
        if len(logs) + 1 < dict.__len__(self):
            for column in self.values():
                column.extend([math.nan] * (n + 1 - len(column)))

    def __missing__(self, name: str) -> NoReturn:
        """Tell which columns there are."""
        raise KeyError(f"{name!r}; this history has {', '.join(self)}")

    def __len__(self) -> int:
        """Return the number of epochs."""
        return len(self.epoch)

    def __repr__(self) -> str:
        """Show the last epoch."""
        if not len(self):
            return "History(no epochs)"
        last = ", ".join(f"{name}={column[-1]:.6g}" for name, column in self.items() if name != "epoch")
        return f"History({len(self)} epoch{'s' if len(self) > 1 else ''}, last: {last})"

    def _repr_html_(self) -> str:
        """Return the first and the last epochs as a table, for a notebook."""
        rows = [(str(epoch), *(f"{value:.6g}" for value in row)) for epoch, *row in zip(*self.values(), strict=False)]
        if len(rows) > 2 * ENDS + 1:
            rows[ENDS:-ENDS] = [("⋮",) * len(rows[0])]
        return shown_in(table(list(self), rows, right=range(len(self.keys()))))
