"""The sizes of each layer's deltas, which show where gradients vanish, explode or stop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from chainrule.reference.spelling import checks_keywords

from .display import LARGEST, Display
from .layer_rows import Row, draw_rows, own_size
from .networks import as_network

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    from chainrule.network import Network

    Array: TypeAlias = NDArray[Any]

SMALLEST = -307  # smallest power of ten at which an axis may begin; below it doubles lose digits


class DeltaHistogramDisplay(Display):
    """A histogram of |delta| for each Dense layer over one logarithmic axis; delta = ∂L/∂z of every row and unit.

    delta_l = (delta_{l+1} w_{l+1}ᵀ) ⊙ f'(z_l). If the histograms drift to the left from the last layer to the first,
    the errors vanish; if they drift to the right, the errors explode (Glorot & Bengio 2010, "Understanding the
    difficulty of training deep feedforward neural networks"). A unit whose delta is zero in every row is dead: none of
    its weights learns from this batch. Zeros cannot be drawn on the axis, so they are counted in words.

    Parameters
    ----------
    names : sequence of str
        The layers in words, such as "1 Dense 8 relu".
    deltas : sequence of numpy.ndarray, (n, n_out)
        The delta of each.

    Attributes
    ----------
    dead : list of int
        The number of dead units in each layer.
    limits : tuple of float
        The limits of the axis that all layers share, powers of ten.
    ax_, figure_ : matplotlib Axes and Figure
        The axes and the figure of the plot.

    Notes
    -----
    L is the mean over the rows, so each delta contains the factor 1/n: do not compare plots of batches of different
    sizes. The deltas are those of the coming step, so dropped units are among the zeros. Each histogram is scaled to
    its own fullest bin.

    Examples
    --------
    A unit that no row of the batch activates:

    >>> from chainrule import Network, plots
    >>> net = Network([1, 2, 1], activation="relu", seed=0)
    >>> net.weights, net.biases = [[[1.0, -1.0]], [[1.0], [1.0]]], [[0.0, 0.0], [0.0]]
    >>> plots.DeltaHistogramDisplay.from_network(net, [[1.0], [2.0]], [0.0, 0.0]).dead
    [1, 0]
    """

    def __init__(self, names: Sequence[str], deltas: Sequence[Array]) -> None:
        self.names = list(names)
        self.deltas = [np.abs(delta.astype(np.float64)) for delta in deltas]
        for name, delta in zip(self.names, self.deltas, strict=True):
            if not (delta < LARGEST).all():
                raise ValueError(f"delta of layer {name} is too large to be drawn: the errors explode")
        self.dead = [int((delta == 0.0).all(axis=0).sum()) for delta in self.deltas]
        self.limits = decades(np.concatenate(self.deltas, axis=None))

    @classmethod
    @checks_keywords
    def from_network(cls, network: Network, X: ArrayLike, y: ArrayLike, *, ax: Axes | None = None) -> Self:
        """Trace a batch and draw its deltas; nothing is trained.

        Parameters
        ----------
        network : Network
            The network to trace.
        X, y
            As in `Network.gradient`.
        ax : matplotlib Axes, optional
            The axes to draw into; None creates a figure whose height grows with the layers.

        Returns
        -------
        DeltaHistogramDisplay

        Raises
        ------
        ImportError
            matplotlib is not installed.
        TypeError, ValueError
            `network` is not a Network, `ax` is not an Axes that can be drawn into, or a delta is not finite; else as in
            `Network.gradient`.
        """
        layers = [layer for layer in as_network(network).trace(X, y) if layer.d_weight.size]
        return cls([f"{layer.index} {layer.name}" for layer in layers], [layer.delta for layer in layers]).plot(ax)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw into `ax`, or into a new figure, and return the display. Errors are those of `from_network`."""
        ax = self._draw_into(ax, *own_size(len(self.names)))
        rows = [
            Row(name, (delta[delta > 0.0],), zeros(delta, dead), alarming=dead > 0)
            for name, delta, dead in zip(self.names, self.deltas, self.dead, strict=True)
        ]
        draw_rows(ax, rows, *self.limits, log=True)
        ax.set_xlabel("|delta| = |∂L/∂z|")
        return self


def decades(values: Array) -> tuple[float, float]:
    """Return the powers of ten that enclose all positive values, at least two decades apart."""
    positive = values[values > 0.0]
    if not positive.size:
        return 1e-8, 1.0
    high = int(np.ceil(np.log10(positive.max())))
    low = min(int(np.floor(np.log10(positive.min()))), high - 2)
    return 10.0 ** max(low, SMALLEST), 10.0**high


def zeros(delta: Array, dead: int) -> str:
    """Return the share of zeros and the count of dead units of a layer, in words."""
    share = float((delta == 0.0).mean())
    if share == 1.0:
        return "all zero"
    words = [f"{share:.0%} zero"] if share > 0.0 else []
    return ", ".join(words + [f"{dead} of {delta.shape[1]} dead"] * (dead > 0))
