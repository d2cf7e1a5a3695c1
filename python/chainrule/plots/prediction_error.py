"""Predicted against true numbers, and their residuals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, get_args

import numpy as np

from chainrule.names import ErrorKind
from chainrule.reference.options import integer
from chainrule.reference.spelling import checks_keywords

from .arguments import numbers, one_of, same_length
from .display import PALETTE, Display, limits, note, tidy
from .networks import as_network, batch

if TYPE_CHECKING:
    from typing import Self

    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D
    from numpy.typing import ArrayLike, NDArray

    from chainrule.network import Network

    Array: TypeAlias = NDArray[Any]

KINDS = get_args(ErrorKind)
MOST_POINTS = 2000  # more points would hide each other


class PredictionErrorDisplay(Display):
    """The true number, or the residual y − a, against the predicted number, for a regression.

    Each row is a point. If there are too many to tell apart, they are counted in hexagons, shaded by the logarithm of
    the count. The plot says so, and no row is left out.

    Parameters
    ----------
    y_true, y_pred : array_like, (n,)
        Finite numbers: the targets y and the predictions a, in the unit of the targets.

    Attributes
    ----------
    line_ : matplotlib Line2D
        The line of perfect predictions.
    points_ : matplotlib PathCollection or PolyCollection
        The points or the hexagons.
    ax_, figure_ : matplotlib Axes and Figure
        The axes and the figure of the plot.

    Notes
    -----
    scikit-learn's display of the same name has the same kinds. It draws a random sample of many rows, and residuals by
    default.

    Examples
    --------
    >>> from chainrule import plots
    >>> display = plots.PredictionErrorDisplay.from_predictions([1.0, 2.0, 3.0], [1.1, 1.9, 3.2])
    >>> display.ax_.get_xlabel(), display.ax_.get_ylabel()
    ('predicted', 'true')
    """

    line_: Line2D
    points_: Any

    def __init__(self, y_true: ArrayLike, y_pred: ArrayLike) -> None:
        self.y_true, self.y_pred = numbers(y_true, "y_true"), numbers(y_pred, "y_pred")
        same_length(self.y_true, self.y_pred)

    @classmethod
    @checks_keywords
    def from_predictions(
        cls, y_true: ArrayLike, y_pred: ArrayLike, *, kind: ErrorKind = "actual_vs_predicted", ax: Axes | None = None
    ) -> Self:
        """Draw predictions against true numbers.

        Parameters
        ----------
        y_true, y_pred : array_like, (n,) or (n, 1)
            As for the class.
        kind : {"actual_vs_predicted", "residual_vs_predicted"}
            The quantity on the vertical axis: the true number, or the true number minus the predicted one.
        ax : matplotlib Axes, optional
            The axes to draw into; None creates a figure.

        Returns
        -------
        PredictionErrorDisplay

        Raises
        ------
        ImportError
            matplotlib is not installed.
        TypeError
            An array does not hold numbers, or `ax` is not an Axes.
        ValueError
            The arrays are empty, not 1-D, of different lengths or hold a value that is not finite; `kind` is unknown;
            `ax` cannot be drawn into.
        """
        one_of("kind", kind, KINDS)
        return cls(y_true, y_pred).plot(ax, kind=kind)

    @classmethod
    @checks_keywords
    def from_network(
        cls,
        network: Network,
        X: ArrayLike,
        y: ArrayLike,
        *,
        output: int = 0,
        kind: ErrorKind = "actual_vs_predicted",
        ax: Axes | None = None,
    ) -> Self:
        """Predict and draw one output of a network.

        Parameters
        ----------
        network : Network
            A network that predicts numbers.
        X, y
            As in `Network.gradient`.
        output : int, default 0
            The column of y and of the predictions.
        kind, ax
            As in `from_predictions`.

        Returns
        -------
        PredictionErrorDisplay

        Raises
        ------
        ImportError
            matplotlib is not installed.
        TypeError, ValueError
            `network` is not a Network, or y holds labels of classes; else as in `Network.gradient` and
            `from_predictions`.

        Examples
        --------
        >>> from chainrule import Network, plots
        >>> net = Network([1, 1], init="zeros", seed=0)
        >>> plots.PredictionErrorDisplay.from_network(net, [[1.0], [2.0]], [2.0, 4.0]).y_pred
        array([0., 0.])
        """
        x, targets = batch(as_network(network), X, y)
        if targets.ndim == 1:
            raise ValueError("y holds labels of classes, not numbers; ConfusionMatrixDisplay draws them")
        j = integer("output", output, 0, targets.shape[1] - 1)
        return cls.from_predictions(targets[:, j], network.predict(x)[:, j], kind=kind, ax=ax)

    def plot(self, ax: Axes | None = None, *, kind: ErrorKind = "actual_vs_predicted") -> Self:
        """Draw into `ax`, or into a new figure, and return the display. Errors are those of `from_predictions`."""
        residuals = one_of("kind", kind, KINDS) == "residual_vs_predicted"
        ax = self._draw_into(ax, 5.5, 5.0)
        x, y = self.y_pred, self.y_true - self.y_pred if residuals else self.y_true
        if residuals:
            span_x, largest = limits(x, "y_pred"), np.abs(y).max()
            span_y = limits(np.asarray([-largest, largest]), "y_true − y_pred")  # zero is in the middle
        else:
            span_x = span_y = limits(np.append(x, y), "y_true or y_pred")
        if len(x) <= MOST_POINTS:
            # Many points are drawn fainter, so dense regions stand out.
            alpha = float(np.clip(20 / np.sqrt(len(x)), 0.35, 0.8))
            self.points_ = ax.scatter(x, y, s=18, color=PALETTE[0], alpha=alpha, linewidths=0)
        else:
            self.points_ = ax.hexbin(
                x,
                y,
                gridsize=40,
                bins="log",
                mincnt=1,
                cmap="Blues",
                vmin=0.5,
                extent=(*span_x, *span_y),
                linewidths=0.2,
            )
            note(ax, f"{len(x):,} rows; the darker, the more")
        ends = (0.0, 0.0) if residuals else span_x
        (self.line_,) = ax.plot(span_x, ends, color=PALETTE[1], linewidth=1.5, linestyle="--", label="perfect")
        ax.set(xlabel="predicted", ylabel="true − predicted" if residuals else "true", xlim=span_x, ylim=span_y)
        tidy(ax, grid="both")
        return self
