"""Where each tensor stands in a flat row, layer after layer: a trained one in the parameters, others in the buffers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from .reference.config import Spec
    from .reference.layers import Layer

    Array: TypeAlias = NDArray[Any]


class Tensor(NamedTuple):
    """One trained tensor of a layer, or one of its buffers."""

    layer: int  # index of the layer, counted from 0 after the inputs
    name: str  # in its layer: "weight", "bias"
    shape: tuple[int, ...]
    at: slice  # of the flat array

    @property
    def key(self) -> str:
        """The name in the network, such as "layers.0.weight"."""
        return f"layers.{self.layer}.{self.name}"

    def view(self, flat: Array) -> Array:
        """Return this tensor as a view of `flat`."""
        return flat[self.at].reshape(self.shape)


class Layout:
    """The trained tensors of a network in the order of its parameters, or its buffers in theirs.

    Parameters
    ----------
    tensors : iterable of (str, sequence of int, int)
        Name such as "layers.0.weight", shape, and index of the first number, as the native network lists them.

    Examples
    --------
    >>> layout = Layout([("layers.0.weight", (2, 3), 0), ("layers.0.bias", (3,), 6)])
    >>> layout.size, [tensor.at for tensor in layout.tensors]
    (9, [slice(0, 6, None), slice(6, 9, None)])
    """

    def __init__(self, tensors: Iterable[tuple[str, Sequence[int], int]]) -> None:
        self.tensors: list[Tensor] = []
        self.size = 0
        for key, shape, start in tensors:
            _, layer, name = key.split(".", 2)
            self.size = start + math.prod(shape)
            self.tensors.append(Tensor(int(layer), name, tuple(shape), slice(start, self.size)))

    def named(self, name: str) -> list[Tensor]:
        """Return the tensors of that name, at most one per layer."""
        return [tensor for tensor in self.tensors if tensor.name == name]

    def weights(self, flat: Array) -> tuple[Array, ...]:
        """Return the weights as views of `flat`."""
        return tuple(tensor.view(flat) for tensor in self.named("weight"))

    def biases(self, flat: Array) -> tuple[Array, ...]:
        """Return the bias that belongs to each weight as a view of `flat`, empty if the layer has none."""
        found = {tensor.layer: tensor.view(flat) for tensor in self.named("bias")}
        return tuple(found.get(tensor.layer, flat[:0]) for tensor in self.named("weight"))

    def by_layer(self, flat: Array, n_layers: int) -> list[dict[str, Array]]:
        """Return the tensors of each layer by name, as views of `flat`."""
        layers: list[dict[str, Array]] = [{} for _ in range(n_layers)]
        for tensor in self.tensors:
            layers[tensor.layer][tensor.name] = tensor.view(flat)
        return layers


def shapes(spec: Spec) -> dict[str, tuple[int, ...]]:
    """Return the shape of each trained tensor by its key, before any memory is taken for the network."""
    found = {}
    for l, layer, n_in in with_inputs(spec):
        found.update({f"layers.{l}.{name}": shape for name, shape in layer.shapes(n_in).items()})
    return found


def buffer_shapes(spec: Spec) -> dict[str, tuple[int, ...]]:
    """Return the shape of each buffer by its key. Takes memory for their first values."""
    found: dict[str, tuple[int, ...]] = {}
    for l, layer, n_in in with_inputs(spec):
        found.update({f"layers.{l}.{name}": (len(row),) for name, row in layer.buffers(n_in).items()})
    return found


def with_inputs(spec: Spec) -> Iterable[tuple[int, Layer, int]]:
    """Return the position of each layer, the layer, and its number of inputs."""
    return zip(range(len(spec.layers)), spec.layers, spec.widths[:-1], strict=True)
