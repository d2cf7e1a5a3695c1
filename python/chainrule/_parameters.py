"""Where each weight and bias stands in the flat row of all parameters: w_1 row by row, b_1, w_2, and so on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from . import _arrays

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[Any]


@dataclass(frozen=True)
class Place:
    """Where the w and b of one Dense layer stand."""

    layer: int  # position in `layers`, counted from 0, dropout layers too
    weight: slice
    bias: slice
    n_in: int
    n_out: int

    @property
    def has_bias(self) -> bool:
        """Whether the layer has a b."""
        return bool(self.bias.start < self.bias.stop)


class Places:
    """The cuts of one network's flat parameters."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.items: list[Place] = []
        at, n_in = 0, config["n_inputs"]
        for layer, entry in enumerate(config["layers"]):
            if entry["kind"] != "dense":
                continue
            n_out = entry["units"]
            bias = at + n_in * n_out
            end = bias + (n_out if entry["bias"] else 0)
            self.items.append(Place(layer, slice(at, bias), slice(bias, end), n_in, n_out))
            at, n_in = end, n_out
        self.size = at

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """Shape of each w."""
        return [(place.n_in, place.n_out) for place in self.items]

    def weights(self, flat: Array) -> tuple[Array, ...]:
        """Return the weights as views of `flat`, each (n_in, n_out)."""
        return tuple(flat[place.weight].reshape(place.n_in, place.n_out) for place in self.items)

    def biases(self, flat: Array) -> tuple[Array, ...]:
        """Return the biases as views of `flat`, each (n_out,), empty where a layer has none."""
        return tuple(flat[place.bias] for place in self.items)

    def names(self) -> dict[str, tuple[slice, tuple[int, ...]]]:
        """Return the name of each tensor ("layers.0.weight") with its place and shape."""
        names: dict[str, tuple[slice, tuple[int, ...]]] = {}
        for place in self.items:
            names[f"layers.{place.layer}.weight"] = place.weight, (place.n_in, place.n_out)
            if place.has_bias:
                names[f"layers.{place.layer}.bias"] = place.bias, (place.n_out,)
        return names

    def place_of(self, index: int) -> str:
        """Return the name of the tensor that holds parameter `index`, with its place there."""
        for name, (where, shape) in self.names().items():
            if where.start <= index < where.stop:
                inside = ", ".join(str(i) for i in np.unravel_index(index - where.start, shape))
                return f"{name}[{inside}]"
        raise IndexError(index)

    def with_weights(self, flat: Array, values: object) -> Array:
        """Return `flat` with every w replaced."""
        flat = flat.copy()
        self._replace("weights", self.weights(flat), values)
        return flat

    def with_biases(self, flat: Array, values: object) -> Array:
        """Return `flat` with every b replaced."""
        flat = flat.copy()
        self._replace("biases", self.biases(flat), values)
        return flat

    def _replace(self, argument: str, old: Sequence[Array], values: object) -> None:
        """Write the values to the views."""
        if not isinstance(values, Iterable):
            raise TypeError(
                f"{argument} must be a sequence of {len(old)} arrays, one a Dense layer, got {type(values).__name__}"
            )
        new = list(values)
        if len(new) != len(old):
            raise ValueError(f"{argument} must hold {len(old)} arrays, one a Dense layer, got {len(new)}")
        for l, (into, value) in enumerate(zip(old, new, strict=True)):
            layer = f"{argument}[{l}] (layer {self.items[l].layer + 1})"
            array = _arrays.as_numbers(value, into.dtype, f"{argument}[{l}]")
            if array.shape != into.shape:
                raise ValueError(f"{layer} must have shape {into.shape}, got {array.shape}")
            into[...] = _arrays.cast(array, into.dtype)
