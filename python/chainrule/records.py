"""Results for one batch: the gradient, and a trace of each layer's quantities."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from .describe import aligned, layer_name
from .reference.markup import shown_in, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .layout import Layout
    from .reference.layers import Layer

    Array: TypeAlias = NDArray[Any]

MOST_NUMBERS = 12  # of an array that a trace shows in full


class Gradient:
    """The derivative of the loss of a batch with respect to every parameter.

    Attributes
    ----------
    loss : float or None
        L = Σ wᵢ lᵢ / Σ wᵢ + Σ ½ l2 ‖w‖² of the batch; None if the caller gave dL/d(output) (`Network.backward`).
    flat : numpy.ndarray
        All derivatives in the order of `Network.parameters`, (n_parameters,), in the network's dtype.
    weights, biases : tuple of numpy.ndarray
        The same by layer: d_w of shape (n_in, n_out) and d_b of shape (n_out,), empty if the layer has no bias. They
        are views of `flat`: writing to them changes it.
    inputs : numpy.ndarray or None
        dL/dX, (n_rows, n_inputs); only `Network.backward` returns it.

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
        self._layout = layout  # the views are made on demand, since a step needs only `flat`

    @property
    def weights(self) -> tuple[Array, ...]:
        """d_w of each Dense layer, (n_in, n_out)."""
        return self._layout.weights(self.flat)

    @property
    def biases(self) -> tuple[Array, ...]:
        """d_b of each Dense layer, (n_out,), empty if the layer has no bias."""
        return self._layout.biases(self.flat)

    def __repr__(self) -> str:
        """Show the loss and the sizes."""
        inputs = "" if self.inputs is None else f", inputs {self.inputs.shape}"
        loss = "" if self.loss is None else f"loss={self.loss:.6g}, "
        shapes = ", ".join(str(w.shape) for w in self.weights)
        return f"Gradient({loss}{self.flat.size} parameters, weights {shapes}{inputs})"


@dataclass(frozen=True, eq=False)
class LayerTrace:
    """The quantities of one layer for a batch of n rows, forward and backward (see `Network.trace`).

    Attributes
    ----------
    index : int
        Position of the layer, counted from 1 as in `Network.summary`.
    name : str
        The layer in words, such as "Dense 100 relu".
    z, a, slope, delta : numpy.ndarray
        Weighted input z = x w + b, activation a = f(z), slope f'(z) (for softmax the diagonal a (1 − a)) and
        delta = ∂L/∂z, each (n, n_out). For a Dropout layer z is the input, slope the scaled mask, and a = z ⊙ slope.
        For a LayerNorm layer z is x̂, slope the gain, and delta = ∂L/∂a.
    gradients : dict
        ∂L/∂tensor by name for each trained tensor of the layer. A Dense layer has "weight", (n_in, n_out), and "bias",
        (n_out,).
    updates : dict
        The amount that `Network.step` would add to each tensor, by the same names.
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
        """∂L/∂w, (n_in, n_out); empty if the layer has no w."""
        return self._of(self.gradients, "weight", 2)

    @property
    def d_bias(self) -> Array:
        """∂L/∂b, (n_out,); empty if the layer has no b."""
        return self._of(self.gradients, "bias", 1)

    @property
    def update_weight(self) -> Array:
        """The amount that `Network.step` would add to w; empty if the layer has no w."""
        return self._of(self.updates, "weight", 2)

    @property
    def update_bias(self) -> Array:
        """The amount that `Network.step` would add to b; empty if the layer has no b."""
        return self._of(self.updates, "bias", 1)

    def _of(self, arrays: dict[str, Array], name: str, n_axes: int) -> Array:
        """Return the array of that name, or an empty one with `n_axes` axes."""
        return arrays[name] if name in arrays else np.empty((0,) * n_axes, self.z.dtype)

    @classmethod
    def of(cls, layers: Sequence[Layer], records: Sequence[dict[str, Any]]) -> Trace:
        """Return the core's records of all layers as LayerTraces."""
        return Trace(
            cls(
                index=index,
                name=layer_name(layer),
                **{name: record[name] for name in ("z", "a", "slope", "delta", "gradients", "updates")},
            )
            for index, (layer, record) in enumerate(zip(layers, records, strict=True), start=1)
        )

    def rows(self) -> list[tuple[str, str, str]]:
        """Return name, shape and numbers of each quantity, the range of the numbers if they are many."""
        arrays = {name: getattr(self, name) for name in ("z", "a", "slope", "delta")}
        arrays |= {f"d_{name}": array for name, array in self.gradients.items()}
        arrays |= {f"update_{name}": array for name, array in self.updates.items()}
        return [(name, " x ".join(map(str, array.shape)), numbers(array)) for name, array in arrays.items()]

    def __repr__(self) -> str:
        """Show each quantity with its shape and its numbers, or their range."""
        lines = aligned(self.rows(), right={1})
        return "\n".join([f"LayerTrace of layer {self.index} ({self.name})", *(f"  {line}" for line in lines)])

    def _repr_html_(self) -> str:
        """Show the same as a table, for a notebook."""
        return shown_in(*self.html())

    def html(self) -> tuple[str, str]:
        """Return the heading and the table."""
        heading = f"<p><b>Layer {self.index}: {escape(self.name)}</b></p>"
        return heading, table(("", "shape", "numbers"), self.rows(), right={1})


class Trace(list[LayerTrace]):
    """The LayerTraces of a network's layers in order."""

    def __repr__(self) -> str:
        """Show one layer below the other."""
        return "\n".join(map(repr, self))

    def _repr_html_(self) -> str:
        """Show the same as tables, for a notebook."""
        return shown_in(*(part for layer in self for part in layer.html()))


def numbers(array: Array) -> str:
    """Return the numbers of a small array, and the range of a larger one.

    >>> numbers(np.array([[0.5, -2.0]])), numbers(np.arange(100.0))
    ('[[0.5, -2]]', 'from 0 to 99')
    """
    if array.size <= MOST_NUMBERS:
        shown = np.array2string(
            array + 0.0,  # −0 + 0 is 0
            separator=", ",
            formatter={"float_kind": "{:.6g}".format},
            max_line_width=10_000,
        )
        return shown.replace("\n", "")
    return f"from {array.min():.6g} to {array.max():.6g}"
