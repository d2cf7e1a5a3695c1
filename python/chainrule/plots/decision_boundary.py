"""The predictions of a network of two features over the plane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from chainrule.outputs import Outputs
from chainrule.reference.options import integer, number
from chainrule.reference.spelling import checks_keywords

from .arguments import names_of_classes
from .display import MARKERS, PALETTE, Display, limits, makes_room, note
from .names import fonts, literal
from .networks import as_network, batch, features

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    from chainrule.network import Network

    Array: TypeAlias = NDArray[Any]

LIGHTEST, DARKEST = 0.08, 0.55  # opacity of a class's color, from the boundary to certainty
MOST_NAMED = 12  # classes in the legend


class DecisionBoundaryDisplay(Display):
    """The plane of two features, colored by a network's predictions, with samples on top.

    For a network that predicts classes, each region has the color of its class. The color is faint at the boundary,
    where two classes are equally likely, and strong at a probability of 1 (or a margin of 1). For a network that
    predicts numbers, labeled contours of equal prediction are drawn.

    Parameters
    ----------
    xx0, xx1 : numpy.ndarray, (resolution, resolution)
        The points of the plane, as `numpy.meshgrid` returns them.
    response : numpy.ndarray, (resolution, resolution, n_outputs)
        The result of `Network.predict` there; a single output if the outputs are numbers or do not exclude each other.
    outputs : Outputs
        The meaning of the outputs.
    X : numpy.ndarray, (n, 2)
        The samples.
    y : numpy.ndarray, (n,), optional
        Their classes or numbers.
    display_labels : sequence, optional
        Names of the classes. None: 0, 1, …
    feature_names : sequence of str
        Names of the axes.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        The axes and the figure of the plot.

    Notes
    -----
    Unlike this one, scikit-learn's display of the same name takes an estimator and draws no samples.

    Examples
    --------
    >>> from chainrule import Network, plots
    >>> net = Network([2, 4, 1], loss="binary_cross_entropy", seed=0)
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> display = plots.DecisionBoundaryDisplay.from_network(net, X, y)
    >>> display.response.shape
    (200, 200, 1)
    """

    def __init__(
        self,
        xx0: Array,
        xx1: Array,
        response: Array,
        outputs: Outputs,
        *,
        X: Array,
        y: Array | None = None,
        display_labels: Sequence[object] | None = None,
        feature_names: Sequence[str] = ("feature 0", "feature 1"),
    ) -> None:
        self.xx0, self.xx1, self.response, self.outputs = xx0, xx1, response, outputs
        self.X, self.y = X, y
        self.display_labels = names_of_classes(display_labels, max(2, response.shape[2]))
        self.feature_names = list(feature_names)

    @classmethod
    @checks_keywords
    def from_network(
        cls,
        network: Network,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        output: int | None = None,
        display_labels: Sequence[object] | None = None,
        grid_resolution: int = 200,
        margin: float = 0.1,
        ax: Axes | None = None,
    ) -> Self:
        """Predict a grid of points around the samples, and draw.

        Parameters
        ----------
        network : Network
            A network of two features.
        X : array_like, (n, 2)
            Samples; they decide which part of the plane is shown. Column names, if X has them, label the axes.
        y : array_like, optional
            Their targets, as in `Network.gradient`. None: the samples are drawn without targets.
        output : int, optional
            The output to draw, if the outputs are numbers or do not exclude each other. None: the first.
        display_labels : sequence, optional
            Names of the classes for the legend. None: 0, 1, …
        grid_resolution : int, default 200
            Points of the grid along each axis, from 2 to 2000.
        margin : float, default 0.1
            Distance shown beyond the samples, in [0, 100] times their range.
        ax : matplotlib Axes, optional
            The axes to draw into; None creates a figure.

        Returns
        -------
        DecisionBoundaryDisplay

        Raises
        ------
        ImportError
            matplotlib is not installed.
        TypeError, ValueError
            `network` is not a Network of two features; X or y does not fit it, X is empty or its range is too large;
            another argument is out of its range; `ax` is not an Axes that can be drawn into.
        """
        if as_network(network).n_inputs != 2:
            raise ValueError(
                f"network takes {network.n_inputs} features; a decision boundary is drawn of two, no other number"
            )
        resolution = integer("grid_resolution", grid_resolution, 2, 2000)
        outputs = Outputs.of(network)
        if y is None:
            x, targets = features(network, X), None
        else:
            x, targets = batch(network, X, y)
        room = number("margin", margin, "[0, 100]")
        axes = [np.linspace(*limits(x[:, j], "X", room), resolution) for j in (0, 1)]
        xx0, xx1 = np.meshgrid(*axes)
        response = network.predict(np.column_stack([xx0.ravel(), xx1.ravel()]))
        if not np.isfinite(response).all():
            raise ValueError("network predicts numbers around X that are not finite")
        if not outputs.exclusive:
            n_choices = network.n_outputs if targets is None else targets.shape[1]
            j = integer("output", 0 if output is None else output, 0, n_choices - 1)
            response, targets = response[:, [j]], None if targets is None else targets[:, [j]]
        elif output is not None:
            raise ValueError("output is not for a network whose outputs exclude each other: all of them are drawn")
        if targets is not None:
            targets = targets[:, 0] if outputs.kind == "numbers" else outputs.classes(targets)
        return cls(
            xx0,
            xx1,
            response.reshape(resolution, resolution, -1),
            outputs,
            X=x,
            y=targets,
            display_labels=display_labels,
            feature_names=[str(name) for name in getattr(X, "columns", ("feature 0", "feature 1"))],
        ).plot(ax)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw into `ax`, or into a new figure, and return the display. Errors are those of `from_network`."""
        ax = self._draw_into(ax, 6.0, 5.0)
        if self.outputs.kind == "numbers":
            self._draw_numbers(ax)
        else:
            self._draw_classes(ax)
        xlabel, ylabel = self.feature_names
        ax.set_xlabel(literal(xlabel), **fonts([xlabel]))
        ax.set_ylabel(literal(ylabel), **fonts([ylabel]))
        ax.set(xlim=self.xx0[0, [0, -1]], ylim=self.xx1[[0, -1], 0])
        return self

    def _draw_classes(self, ax: Axes) -> None:
        """Color each region, draw the boundaries, and the samples of each class."""
        from matplotlib.colors import to_rgb

        shape = self.xx0.shape
        leads = self.outputs.leads(self.response.reshape(-1, self.response.shape[2]).astype(np.float64))
        colors = np.asarray([to_rgb(color_of(c)) for c in range(leads.shape[1])])[leads.argmax(axis=1)]
        strength = LIGHTEST + (DARKEST - LIGHTEST) * leads.max(axis=1, keepdims=True)
        self._image(ax, (1.0 - strength * (1.0 - colors)).reshape(*shape, 3))
        for lead in leads.T[leads.shape[1] == 2 :]:  # two classes share one boundary
            if lead.min() < 0.0 < lead.max():
                ax.contour(self.xx0, self.xx1, lead.reshape(shape), levels=[0.0], colors="0.3", linewidths=1.0)
        if self.y is None:
            self._scatter(ax, slice(None), color="0.2")
            return
        present = np.unique(self.y)
        for c in present:
            label = literal(self.display_labels[c])
            if label.startswith("_"):
                label = f" {label}"  # matplotlib leaves names that begin so out of a legend
            self._scatter(ax, self.y == c, color=color_of(c), marker=MARKERS[c % len(MARKERS)], label=label)
        if len(present) <= MOST_NAMED:
            place: dict[str, Any] = {"loc": "upper right", "framealpha": 0.85, "borderaxespad": 0.3}
            if makes_room(ax):
                place = {"loc": "upper left", "bbox_to_anchor": (1, 1), "frameon": False}
            legend = ax.legend(fontsize="small", handletextpad=0.2, markerscale=6 / np.sqrt(self._size()), **place)
            for text in legend.get_texts():
                text.update(fonts(self.display_labels))

    def _draw_numbers(self, ax: Axes) -> None:
        """Shade the plane, draw labeled contours, and the samples in the color of their own number."""
        from matplotlib.ticker import MaxNLocator

        values = self.response[:, :, 0].astype(np.float64)
        low, high = limits(values if self.y is None else np.append(values, self.y), "the prediction", margin=0.0)
        self._image(ax, values, cmap="viridis", vmin=low, vmax=high, alpha=0.6)
        levels = [level for level in MaxNLocator(9).tick_values(low, high) if values.min() < level < values.max()]
        if levels:
            contours = ax.contour(
                self.xx0, self.xx1, values, levels=levels, colors="0.2", linewidths=0.8, linestyles="solid"
            )
            ax.clabel(contours, fmt="%g", fontsize="small")
        predicted = "contours: predicted" if levels else f"predicted: {values.mean():.3g}"
        note(ax, predicted if self.y is None else f"{predicted}, points: true")
        if self.y is None:
            self._scatter(ax, slice(None), color="0.2")
        else:
            self._scatter(ax, slice(None), c=self.y, cmap="viridis", vmin=low, vmax=high)

    def _image(self, ax: Axes, pixels: Array, **style: Any) -> None:
        """Lay pixels behind everything, each around its point of the grid."""
        n = len(self.xx0)
        x, y = self.xx0[0, [0, -1]], self.xx1[[0, -1], 0]
        half_x, half_y = (x[1] - x[0]) / (n - 1) / 2, (y[1] - y[0]) / (n - 1) / 2
        extent = (x[0] - half_x, x[1] + half_x, y[0] - half_y, y[1] + half_y)
        ax.imshow(pixels, extent=extent, origin="lower", aspect="auto", interpolation="bilinear", zorder=0, **style)

    def _scatter(self, ax: Axes, rows: Any, **style: Any) -> None:
        """Draw samples on top of everything, with a white rim if they are large enough."""
        size = self._size()
        place = self.X[rows]
        ax.scatter(place[:, 0], place[:, 1], s=size, edgecolors="white", linewidths=size / 50, zorder=3, **style)

    def _size(self) -> float:
        """Return the area of a sample in square points, smaller if there are many."""
        return float(np.clip(8000 / len(self.X), 2, 36))


def color_of(c: int) -> str:
    """Return the color of a class; the colors repeat after seven classes."""
    return PALETTE[c % len(PALETTE)]
