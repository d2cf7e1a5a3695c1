"""What the network hands out about one batch: the gradient, and one record a layer of how it came about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from .describe import layer_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from numpy.typing import NDArray

    from .layout import Layout
    from .reference.layers import Layer

    Array: TypeAlias = NDArray[Any]


class Gradient:
    """The derivative of the loss of a batch with respect to every parameter.

    Attributes
    ----------
    loss : float or None
        L = Σ wᵢ lᵢ / Σ wᵢ + Σ ½ l2 ‖w‖² of the batch; None where the caller brought dL/d(output) (`Network.backward`).
    flat : numpy.ndarray
        All derivatives in the order of `Network.parameters`, (n_parameters,), in the network's dtype.
    weights, biases : tuple of numpy.ndarray
        The same by layer: d_w of shape (n_in, n_out) and d_b of shape (n_out,), empty where a layer has no bias.
        They are views: what is written to them stands in `flat`.
    inputs : numpy.ndarray or None
        dL/dX, (n_rows, n_inputs), from `Network.backward` only.

    Examples
    --------
    >>> from chainrule import Network
    >>> gradient = Network([2, 3, 1], seed=0).gradient([[0.0, 1.0]], [1.0])
    >>> gradient.flat.shape, gradient.weights[0].shape, gradient.biases[0].shape
    ((13,), (2, 3), (3,))
    """

    __slots__ = ("_layout", "flat", "inputs", "loss")

    def __init__(self, loss: float | None, flat: Array, layout: Layout, inputs: Array | None = None) -> None:
        self.loss = loss
        self.flat = flat
        self.inputs = inputs
        self._layout = layout  # the views are cut when they are asked for: a step needs only `flat`

    @property
    def weights(self) -> tuple[Array, ...]:
        """d_w of each Dense layer, (n_in, n_out)."""
        return self._layout.weights(self.flat)

    @property
    def biases(self) -> tuple[Array, ...]:
        """d_b of each Dense layer, (n_out,), empty where the layer has no bias."""
        return self._layout.biases(self.flat)

    def __repr__(self) -> str:
        """Show the loss and the sizes."""
        inputs = "" if self.inputs is None else f", inputs {self.inputs.shape}"
        loss = "" if self.loss is None else f"loss={self.loss:.6g}, "
        shapes = ", ".join(str(w.shape) for w in self.weights)
        return f"Gradient({loss}{self.flat.size} parameters, weights {shapes}{inputs})"


@dataclass(frozen=True, eq=False)
class LayerTrace:
    """What one layer did with a batch of n rows, on the way forth and back (see `Network.trace`).

    Attributes
    ----------
    index : int
        Position of the layer, counted from 1 as in `Network.summary`.
    name : str
        The layer in words, such as "Dense 100 relu".
    z, a, slope, delta : numpy.ndarray
        Weighted input z = x w + b, activation a = f(z), slope f'(z) (for softmax the diagonal a (1 − a)) and
        delta = ∂L/∂z, each (n, n_out). For a Dropout layer z is what came in, slope the mask with its scale,
        a = z ⊙ slope.
    gradients : dict
        ∂L/∂tensor of each trained tensor of the layer, by its name: of a Dense layer "weight", (n_in, n_out), and
        "bias", (n_out,).
    updates : dict
        What `Network.step` would add to each.
    """

    index: int
    name: str
    z: Array
    a: Array
    slope: Array
    delta: Array
    gradients: dict[str, Array]
    updates: dict[str, Array]

    @property
    def d_weight(self) -> Array:
        """∂L/∂w, (n_in, n_out); empty where the layer has no w."""
        return self._of(self.gradients, "weight", 2)

    @property
    def d_bias(self) -> Array:
        """∂L/∂b, (n_out,); empty where the layer has no b."""
        return self._of(self.gradients, "bias", 1)

    @property
    def update_weight(self) -> Array:
        """What `Network.step` would add to w; empty as `d_weight`."""
        return self._of(self.updates, "weight", 2)

    @property
    def update_bias(self) -> Array:
        """What `Network.step` would add to b; empty as `d_bias`."""
        return self._of(self.updates, "bias", 1)

    def _of(self, arrays: dict[str, Array], name: str, n_axes: int) -> Array:
        """Return an array, or an empty one of so many axes."""
        return arrays[name] if name in arrays else np.empty((0,) * n_axes, self.z.dtype)

    @classmethod
    def of(cls, layers: Sequence[Layer], records: Sequence[dict[str, Any]]) -> list[Self]:
        """Return the core's records of all layers; what a layer does not have is empty."""
        return [
            cls(
                index=index,
                name=layer_name(layer),
                **{name: record[name] for name in ("z", "a", "slope", "delta", "gradients", "updates")},
            )
            for index, (layer, record) in enumerate(zip(layers, records, strict=True), start=1)
        ]

    def __repr__(self) -> str:
        """Show each quantity by its shape and range."""
        lines = [f"LayerTrace of layer {self.index} ({self.name})"]
        arrays = {name: getattr(self, name) for name in ("z", "a", "slope", "delta")}
        arrays |= {f"d_{name}": array for name, array in self.gradients.items()}
        arrays |= {f"update_{name}": array for name, array in self.updates.items()}
        for name, array in arrays.items():
            if array.size:
                shape = " x ".join(str(n) for n in array.shape)
                lines.append(f"  {name:<14}{shape:>12}  from {array.min():.6g} to {array.max():.6g}")
        return "\n".join(lines)
