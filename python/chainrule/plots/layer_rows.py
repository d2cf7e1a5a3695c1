"""Histograms of all layers in rows over one axis, for the displays of weights and of deltas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from .display import BACKDROP, NOTE, PALETTE, size_in_points, tidy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[Any]

LEAST_FONT, LARGEST_FONT = 5.0, 9.0
TALLEST = 0.66  # height of the tallest bin, in rows; the rest is for the text above it


@dataclass(frozen=True)
class Row:
    """One layer: its values and the text above them.

    Attributes
    ----------
    name : str
        The layer in words.
    values : tuple of numpy.ndarray
        One or more arrays. The first is a filled histogram with a mark at its median; the others are lines over it.
    note : str
        The text beside the name.
    alarming : bool
        Whether the note reports a problem.
    """

    name: str
    values: tuple[Array, ...]
    note: str
    alarming: bool = False


def own_size(n_rows: int) -> tuple[float, float]:
    """Return width and height in inches of a figure with `n_rows` layers."""
    return 6.5, min(1.2 + 0.9 * n_rows, 16.0)


def draw_rows(ax: Axes, rows: Sequence[Row], low: float, high: float, *, log: bool = False) -> None:
    """Draw one histogram per row over an axis from `low` to `high`, layer 1 on top, each scaled to its fullest bin.

    Layers differ in size, so heights cannot be compared between rows; positions on the axis can.
    """
    n = len(rows)
    width, height = size_in_points(ax)
    longest = max(len(row.name) + len(row.note) for row in rows) + 3
    # A letter is about 0.55 of the font size wide.
    font = float(np.clip(min(0.26 * height / n, width / (0.55 * longest)), LEAST_FONT, LARGEST_FONT))
    for base, row in zip(reversed(range(n)), rows, strict=True):
        ax.axhline(base, color="0.75", linewidth=0.8, zorder=1)
        edges = bins(row.values[0].size, low, high, log=log)
        for j, values in enumerate(row.values):
            draw_histogram(ax, values, base, edges, filled=j == 0, color=PALETTE[j])
        for word, x, ha, color in (
            (row.name, 0, "left", "black"),
            (row.note, 1, "right", PALETTE[1] if row.alarming else NOTE),
        ):
            ax.annotate(
                word,
                (x, base + 1),
                (0, -2),
                xycoords=("axes fraction", "data"),
                textcoords="offset points",
                ha=ha,
                va="top",
                color=color,
                fontsize=font,
                bbox=BACKDROP,
            )
    ax.set(xlim=(low, high), ylim=(0, n), yticks=[], xscale="log" if log else "linear")
    tidy(ax, grid="x")
    ax.spines["left"].set_visible(False)


def draw_histogram(ax: Axes, values: Array, base: int, edges: Array, *, filled: bool, color: str) -> None:
    """Draw one histogram on its base line, without its empty bins."""
    counts = np.histogram(values, edges)[0]
    if not counts.any():
        return
    heights = np.where(counts > 0, base + TALLEST * counts / counts.max(), np.nan)
    ax.stairs(heights, edges, baseline=base, fill=filled, color=color, linewidth=1.2, zorder=2)
    if filled:
        ax.vlines(np.median(values), base, base + TALLEST, color="black", linewidth=1.2, zorder=3)


def bins(n_values: int, low: float, high: float, *, log: bool) -> Array:
    """Return the edges of a histogram's bins; more values give finer bins."""
    # Twice Rice's rule, 2 n^(1/3), since most layers fill only half of the axis. An odd number puts zero inside a bin.
    n = int(np.clip(4.0 * np.cbrt(n_values), 15, 100)) | 1
    return np.geomspace(low, high, n + 1) if log else np.linspace(low, high, n + 1)
