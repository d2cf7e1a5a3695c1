"""The distribution of each layer's weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from chainrule.describe import layer_name
from chainrule.network import engine_of
from chainrule.reference.options import shown
from chainrule.reference.spelling import checks_keywords

from .display import Display, limits
from .layer_rows import Row, draw_rows, own_size

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from chainrule.network import Network

    Array: TypeAlias = NDArray[Any]


class WeightHistogramDisplay(Display):
    """A histogram of the weights of each Dense layer, all over the same axis, with their median and standard deviation.

    It shows the initial weights, the layers that have learned, and weights that run away or shrink to zero.

    Parameters
    ----------
    names : sequence of str
        The layers in words, such as "1 Dense 8 relu".
    weights : sequence of numpy.ndarray
        The w of each.
    biases : sequence of numpy.ndarray, optional
        The b of each, empty where a layer has none; drawn as a line over the weights. None: not drawn.

    Attributes
    ----------
    limits : tuple of float
        The limits of the axis that all layers share.
    ax_, figure_ : matplotlib Axes and Figure
        The axes and the figure of the plot.

    Notes
    -----
    Each histogram is scaled to its own fullest bin, so heights cannot be compared between layers; positions on the axis
    can.

    Examples
    --------
    >>> from chainrule import Network, plots
    >>> display = plots.WeightHistogramDisplay.from_network(Network([4, 8, 3], seed=0))
    >>> display.names, display.ax_.get_xlabel()
    (['1 Dense 8 relu', '2 Dense 3 identity'], 'weight w')
    """

    def __init__(self, names: Sequence[str], weights: Sequence[Array], biases: Sequence[Array] | None = None) -> None:
        self.names = list(names)
        self.weights = list(weights)
        self.biases = None if biases is None else list(biases)
        values = np.concatenate([*self.weights, *(self.biases or [])], axis=None, dtype=np.float64)
        self.limits = limits(values, "network.parameters", margin=0.02)

    @classmethod
    @checks_keywords
    def from_network(cls, network: Network, *, biases: bool = False, ax: Axes | None = None) -> Self:
        """Draw the current weights.

        Parameters
        ----------
        network : Network
            The network whose weights are drawn.
        biases : bool, default False
            Whether to draw the biases too, as a line over the weights.
        ax : matplotlib Axes, optional
            The axes to draw into; None creates a figure whose height grows with the layers.

        Returns
        -------
        WeightHistogramDisplay

        Raises
        ------
        ImportError
            matplotlib is not installed.
        TypeError
            `network` is not a Network, `biases` is not True or False, or `ax` is not an Axes.
        ValueError
            `ax` cannot be drawn into.
        """
        engine = engine_of(network)
        if not isinstance(biases, bool):
            raise TypeError(f"biases must be True or False, not {shown(biases)}")
        at = [tensor.layer for tensor in engine.layout.named("weight")]
        names = [f"{l + 1} {layer_name(engine.spec.layers[l])}" for l in at]
        return cls(names, network.weights, network.biases if biases else None).plot(ax)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw into `ax`, or into a new figure, and return the display. Errors are those of `from_network`."""
        ax = self._draw_into(ax, *own_size(len(self.names)))
        rows = [
            Row(name, (w.ravel(), *b), f"std {float(w.std(dtype=np.float64)):.2g}")
            for name, w, *b in zip(self.names, self.weights, *([self.biases] if self.biases else []), strict=True)
        ]
        draw_rows(ax, rows, *self.limits)
        ax.set_xlabel("weight w (filled) and bias b (line)" if self.biases else "weight w")
        return self
