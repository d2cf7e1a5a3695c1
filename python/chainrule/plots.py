"""Plots of a training run: the loss by epochs, and which classes are taken for which.

matplotlib is imported inside each function (``pip install chainrule[plot]``). Without `ax` a function makes a figure
of its own that belongs to no window: `save` writes it, a notebook shows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

# The two colors of the Okabe-Ito palette that stay apart for every kind of color vision, and in gray.
TRAINING, VALIDATION = "#0072B2", "#D55E00"


class History(Protocol):
    """What `loss_curve` reads: columns by name, as `chainrule.History` has them."""

    def __getitem__(self, name: str, /) -> Sequence[float]:
        """Return a column."""

    def __contains__(self, name: object, /) -> bool:
        """Tell whether there is a column."""


def loss_curve(history: History | Sequence[History], *, title: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw the loss of the training and validation data against the epoch, the loss on a logarithmic axis.

    Parameters
    ----------
    history : History or sequence of History
        What `Network.fit` returned. Of several runs of equal length each is drawn thin and their median thick.
    title : str, optional
        Title of the axes.
    ax : matplotlib Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ImportError
        matplotlib is not installed.
    ValueError
        There is nothing to draw, or the runs differ in length.

    Examples
    --------
    >>> from chainrule import Network, plots
    >>> history = Network([2, 3, 1], seed=0).fit([[0, 1], [1, 0]], [1, 0], epochs=5)
    >>> plots.loss_curve(history).get_ylabel()
    'loss'
    """
    # A History is a Mapping, no list or tuple: what is neither is one History, which mypy does not conclude.
    runs: Sequence[History] = list(history) if isinstance(history, (list, tuple)) else [history]  # type: ignore[list-item]
    if not runs or not len(runs[0]["epoch"]):
        raise ValueError("there is no epoch to draw")
    if any(len(run["epoch"]) != len(runs[0]["epoch"]) for run in runs):
        raise ValueError("the runs differ in length; draw each with a call of its own")
    ax = ax or axes()
    epoch = np.asarray(runs[0]["epoch"])
    ends: list[tuple[float, str, str]] = []
    positive = True
    for name, label, color in (("loss", "training", TRAINING), ("val_loss", "validation", VALIDATION)):
        if name not in runs[0]:
            continue
        losses = np.asarray([run[name] for run in runs], dtype=np.float64)
        positive &= bool((losses > 0).all())
        middle = np.median(losses, axis=0)
        if len(runs) > 1:
            ax.plot(epoch, losses.T, color=color, linewidth=0.8, alpha=0.35)
        ax.plot(epoch, middle, color=color, linewidth=2, label=label, marker="o" if len(epoch) == 1 else "")
        ends.append((float(middle[-1]), f"{label} {middle[-1]:.3g}", color))
    # The lines are labeled where they end; the upper label stands above its line and the lower one below.
    for (end, label, color), va in zip(sorted(ends), ("top", "bottom") if len(ends) > 1 else ("center",), strict=True):
        ax.annotate(label, (float(epoch[-1]), end), (6, 0), textcoords="offset points", va=va, color=color)
    ax.set(xlabel="epoch", ylabel="loss", yscale="log" if positive else "linear")
    if positive:
        from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        ax.yaxis.set_minor_locator(NullLocator())
    ax.set_title(title or "", loc="left")
    ax.margins(x=0)
    ax.grid(visible=True, which="major", color="0.9", linewidth=0.8)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def confusion(counts: ArrayLike, *, title: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw how many rows of each true class were taken for which class; right ones stand on the diagonal.

    Parameters
    ----------
    counts : array_like of int, (n_classes, n_classes)
        Rows are true classes, columns predicted ones, as sklearn.metrics.confusion_matrix gives them.
    title : str, optional
        Title of the axes.
    ax : matplotlib Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ImportError
        matplotlib is not installed.
    ValueError
        `counts` is not a square table.

    Examples
    --------
    >>> from chainrule import plots
    >>> plots.confusion([[9, 1], [0, 10]]).get_xlabel()
    'predicted'
    """
    table = np.asarray(counts)
    if table.ndim != 2 or table.shape[0] != table.shape[1] or not table.size:
        raise ValueError(f"counts must be a square table, got shape {table.shape}")
    ax = ax or axes(width=5.5, height=5.5)
    # Shades show the share of the true class, so that classes of different size compare.
    share = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    ax.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(table):
        if count:
            color = "white" if share[row, column] > 0.5 else "black"
            ax.text(column, row, f"{count}", ha="center", va="center", color=color)
    ax.set(xlabel="predicted", ylabel="true", xticks=range(len(table)), yticks=range(len(table)))
    ax.set_title(title or "", loc="left")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax


def save(ax: Axes, path: str | PathLike[str]) -> None:
    """Write the figure of `ax` to `path`; the suffix (.png, .svg, .pdf) decides the format."""
    figure: Any = ax.figure
    figure.savefig(path, dpi=150)


def axes(width: float = 7.0, height: float = 4.5) -> Axes:
    """Return the axes of a new figure without pyplot, which would open windows and keep every figure alive."""
    try:
        from matplotlib.figure import Figure
    except ImportError as missing:
        raise ImportError("plots need matplotlib: pip install chainrule[plot]") from missing
    return Figure(figsize=(width, height), layout="constrained").subplots()
