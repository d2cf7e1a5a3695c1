"""The confusion matrix: true classes against predicted classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from chainrule.outputs import Outputs
from chainrule.reference.spelling import checks_keywords

from .arguments import classes, names_of_classes, one_of, same_length
from .display import Display, size_in_points
from .names import fonts, literal
from .networks import as_network, batch

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage
    from numpy.typing import ArrayLike, NDArray

    from chainrule.names import Normalize
    from chainrule.network import Network

    Array: TypeAlias = NDArray[Any]

# For each value of `normalize`: the axes to sum over for 100 %, and the words in the label of the axis.
SHARES: dict[Normalize, tuple[int | None, str]] = {
    "true": (1, "% of the row"),
    "pred": (0, "% of the column"),
    "all": (None, "% of all"),
}
MOST_CLASSES = 1000  # with more, a cell is smaller than a pixel
LEAST_NUMBER, LEAST_NAME = 4.5, 5.5  # points; smaller numbers are omitted, and some of the names if they are smaller


class ConfusionMatrixDisplay(Display):
    """Counts of rows by true and predicted class: c_ij rows of class i are predicted as class j.

    Correct predictions are on the diagonal. Cells are shaded by their share of the true class, so classes of different
    sizes can be compared, or by the share that `normalize` names. Zeros are left blank.

    Parameters
    ----------
    confusion_matrix : array_like, (n_classes, n_classes)
        Rows are true classes, columns predicted ones: counts, or shares in [0, 1] where `normalize` is given.
    display_labels : sequence, optional
        Names of the classes. None: 0, 1, …
    normalize : {"true", "pred", "all"}, optional
        The total of the shares: the true class, the predicted class or all rows.

    Attributes
    ----------
    im_ : matplotlib AxesImage
        The shades.
    text_ : numpy.ndarray of matplotlib Text or None, (n_classes, n_classes)
        The texts in the cells; None in blank cells.
    ax_, figure_ : matplotlib Axes and Figure
        The axes and the figure of the plot.

    Notes
    -----
    It resembles scikit-learn's display of the same name. There is no colorbar, which would take room from the neighbors
    of `ax`; instead the cells hold the numbers, shares in percent. A class that is not in `labels` is an error, where
    scikit-learn leaves it out.

    Examples
    --------
    >>> from chainrule import plots
    >>> display = plots.ConfusionMatrixDisplay.from_predictions(["cat", "dog", "dog"], ["cat", "dog", "cat"])
    >>> display.confusion_matrix
    array([[1, 0],
           [1, 1]])
    """

    im_: AxesImage
    text_: Array

    def __init__(
        self,
        confusion_matrix: ArrayLike,
        *,
        display_labels: Sequence[object] | None = None,
        normalize: Normalize | None = None,
    ) -> None:
        table = np.asarray(confusion_matrix)
        if table.ndim != 2 or table.shape[0] != table.shape[1] or not table.size:
            raise ValueError(f"confusion_matrix must be a square table, got shape {table.shape}")
        if table.dtype.kind not in "biuf" or not (np.isfinite(table) & (table >= 0)).all():
            raise ValueError("confusion_matrix must hold finite numbers >= 0")
        if normalize is not None:
            one_of("normalize", normalize, SHARES)
        self.confusion_matrix = table
        self.display_labels = names_of_classes(display_labels, len(table))
        self.normalize = normalize

    @classmethod
    @checks_keywords
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        *,
        labels: ArrayLike | None = None,
        display_labels: Sequence[object] | None = None,
        normalize: Normalize | None = None,
        ax: Axes | None = None,
    ) -> Self:
        """Count and draw.

        Parameters
        ----------
        y_true, y_pred : array_like, (n,)
            The true and the predicted class of each row: whole numbers, booleans or text.
        labels : array_like, (n_classes,), optional
            All classes, in drawing order. None: the classes that occur, sorted.
        display_labels : sequence, optional
            Their names in that order. None: the labels themselves.
        normalize : {"true", "pred", "all"}, optional
            Draw shares of the true class (a row), of the predicted class (a column) or of all rows instead of counts. A
            class that does not occur has the share 0.
        ax : matplotlib Axes, optional
            The axes to draw into; None creates a figure.

        Returns
        -------
        ConfusionMatrixDisplay

        Raises
        ------
        ImportError
            matplotlib is not installed.
        TypeError
            An array does not hold classes, the classes of the two arrays cannot be compared, or `ax` is not an Axes.
        ValueError
            The arrays are empty, not 1-D or of different lengths; a class is not in `labels`; `normalize` is unknown;
            there are more classes than can be drawn; `ax` cannot be drawn into.
        """
        of_true, true = classes(y_true, "y_true")
        of_pred, pred = classes(y_pred, "y_pred")
        same_length(true, pred)
        order = merged(of_true, of_pred) if labels is None else given_labels(labels)
        if len(order) > MOST_CLASSES:
            raise ValueError(f"there are {len(order)} classes, and at most {MOST_CLASSES} can be drawn")
        true, pred = indices(of_true, order, "y_true")[true], indices(of_pred, order, "y_pred")[pred]
        counts = np.bincount(true * len(order) + pred, minlength=len(order) ** 2).reshape(len(order), len(order))
        table = counts if normalize is None else shares(counts, one_of("normalize", normalize, SHARES))
        names = order if display_labels is None else display_labels
        return cls(table, display_labels=names, normalize=normalize).plot(ax)

    @classmethod
    @checks_keywords
    def from_network(
        cls,
        network: Network,
        X: ArrayLike,
        y: ArrayLike,
        *,
        display_labels: Sequence[object] | None = None,
        normalize: Normalize | None = None,
        ax: Axes | None = None,
    ) -> Self:
        """Predict, count and draw. The classes are the network's outputs, or 0 and 1 if it has a single output.

        The class of a row is its largest output. A single output means class 1 if it is a probability of at least 0.5
        (loss binary_cross_entropy, output activation sigmoid) or a margin of at least 0 (hinge).

        Parameters
        ----------
        network : Network
            A network that predicts classes.
        X, y
            As in `Network.gradient`.
        display_labels, normalize, ax
            As in `from_predictions`.

        Returns
        -------
        ConfusionMatrixDisplay

        Raises
        ------
        ImportError
            matplotlib is not installed.
        TypeError, ValueError
            `network` is not a Network, or its outputs are not classes; else as in `Network.gradient` and
            `from_predictions`.

        Examples
        --------
        >>> from chainrule import Network, plots
        >>> net = Network([2, 2], loss="cross_entropy", seed=0)
        >>> plots.ConfusionMatrixDisplay.from_network(net, [[0, 1], [1, 0]], [1, 0]).confusion_matrix.shape
        (2, 2)
        """
        outputs = Outputs.of(as_network(network))
        if outputs.kind == "numbers":
            raise ValueError(
                f"network predicts numbers (loss {network.loss.name!r}), not classes; PredictionErrorDisplay draws "
                f"them, or make classes of them for ConfusionMatrixDisplay.from_predictions"
            )
        if not outputs.exclusive:
            raise ValueError(
                f"the {network.n_outputs} outputs of network do not exclude each other, so a row has no one class; "
                f"ConfusionMatrixDisplay.from_predictions draws one of them"
            )
        x, targets = batch(network, X, y)
        return cls.from_predictions(
            outputs.classes(targets),
            outputs.classes(network.predict(x)),
            labels=range(max(2, network.n_outputs)),
            display_labels=display_labels,
            normalize=normalize,
            ax=ax,
        )

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw into `ax`, or into a new figure that grows with the classes, and return the display.

        Numbers and class names that would be too small to read are left out. Errors are those of `from_predictions`.
        """
        n = len(self.confusion_matrix)
        side = min(3.5 + 0.28 * n, 12.0)
        ax = self._draw_into(ax, side, side)
        shade = shares(self.confusion_matrix, "true") if self.normalize is None else self.confusion_matrix
        # Shares of all rows are small, so the shades are relative to the largest.
        darkest = (shade.max() or 1.0) if self.normalize == "all" else 1.0
        self.im_ = ax.imshow(shade, cmap="Blues", vmin=0, vmax=darkest)
        cell = min(size_in_points(ax)) / n
        self.text_ = self._write(ax, cell, shade / darkest)
        self._name(ax, cell)
        return self

    def _write(self, ax: Axes, cell: float, shade: Array) -> Array:
        """Write the numbers into the cells, which are `cell` points wide; shades are in [0, 1]."""
        texts = np.full(shade.shape, None, dtype=object)
        words = {index: self._word(value) for index, value in np.ndenumerate(self.confusion_matrix) if value}
        # A digit is about 0.6 of the font size wide.
        font = min(12.0, 0.5 * cell, 0.9 * cell / (0.6 * max(map(len, words.values()), default=1)))
        if font < LEAST_NUMBER:
            return texts
        for (row, column), word in words.items():
            color = "white" if shade[row, column] > 0.5 else "black"
            texts[row, column] = ax.text(column, row, word, ha="center", va="center", color=color, fontsize=font)
        return texts

    def _word(self, value: float) -> str:
        """Return the text of a cell: a count, or a share in percent."""
        if self.normalize is None:
            return f"{value:.6g}"
        percent = 100.0 * value
        if percent < 0.05:
            return "<0.1"
        return f"{percent:.1f}" if percent < 9.95 else f"{percent:.0f}"

    def _name(self, ax: Axes, cell: float) -> None:
        """Name the axes and the classes; if there is no room for all classes, name every k-th."""
        every = int(np.ceil(LEAST_NAME / (0.75 * cell)))
        font = min(10.0, max(LEAST_NAME, 0.75 * cell))
        ticks, names = range(0, len(self.display_labels), every), self.display_labels[::every]
        upright = max(map(len, names)) * 0.6 * font > cell * every
        shown, family = [literal(name) for name in names], fonts(names)
        ax.set_xticks(ticks, shown, fontsize=font, rotation=90 if upright else 0, **family)
        ax.set_yticks(ticks, shown, fontsize=font, **family)
        unit = "" if self.normalize is None else f", {SHARES[self.normalize][1]}"
        ax.set(xlabel="predicted class", ylabel=f"true class{unit}")
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)


def shares(counts: Array, of: Normalize) -> Array:
    """Return each count's share of its row, its column or all; 0 if that total is 0."""
    total = counts.sum(axis=SHARES[of][0], keepdims=True)
    result: Array = counts / np.where(total > 0, total, 1)
    return result


def merged(of_true: list[Any], of_pred: list[Any]) -> list[Any]:
    """Return the classes of both arrays, sorted."""
    try:
        return sorted({*of_true, *of_pred})
    except TypeError:
        kinds = [type(found[0]).__name__ for found in (of_true, of_pred)]
        raise TypeError(f"y_true holds classes of type {kinds[0]} but y_pred of {kinds[1]}") from None


def given_labels(labels: object) -> list[Any]:
    """Return the caller's classes in the caller's order."""
    found, index = classes(labels, "labels")
    if len(found) != len(index):
        raise ValueError("labels names a class twice")
    return [found[i] for i in index]


def indices(found: list[Any], order: list[Any], argument: str) -> Array:
    """Return the index in `order` of each class found."""
    index_of = {label: i for i, label in enumerate(order)}
    for label in found:
        if label not in index_of:
            raise ValueError(f"{argument} holds the class {label!r}, which is not in labels")
    return np.asarray([index_of[label] for label in found])
