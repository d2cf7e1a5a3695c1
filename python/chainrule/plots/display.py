"""The base of all displays: their axes and colors, saving, and notebook output.

matplotlib is imported inside functions (``pip install 'chainrule[plot]'``). Without `ax`, a display creates its figure
without pyplot, so no window opens and the figure is freed with the display.
"""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from chainrule import files
from chainrule.extras import install
from chainrule.reference.options import shown

if TYPE_CHECKING:
    from typing import Self

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

# The Okabe-Ito palette, whose colors are distinct for every kind of color vision. In this order the first two are
# distinct in gray too. Okabe & Ito 2008, "Color Universal Design". Its black is reserved for text.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9", "#F0E442")
# Marker shapes tell apart classes that share a color or are printed in gray.
MARKERS = "os^Dvp*"
NOTE = "0.35"  # the gray of notes beside the data
# The background that keeps text legible on top of data. Outlined letters would be legible too, but matplotlib draws
# them as paths, which are wider than the text size it computes for small letters.
BACKDROP = {"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1}
LARGEST = 1e150  # the largest value drawn, since matplotlib squares distances


class Display:
    """Base of the displays: computed by a ``from_…`` class method, drawn by `plot`, shown by a notebook.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes it was last drawn into.
    figure_ : matplotlib Figure or SubFigure
        The figure of `ax_`.
    """

    ax_: Axes
    figure_: Figure | SubFigure

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw into `ax`, or into a new figure, and return the display."""
        raise NotImplementedError

    def _draw_into(self, ax: Axes | None, width: float, height: float) -> Axes:
        """Store and return the axes to draw into: the caller's, or those of a new figure of this size in inches."""
        self.ax_ = axes(width, height) if ax is None else drawable(ax)
        self.figure_ = self.ax_.figure
        return self.ax_

    def _repr_png_(self) -> bytes | None:
        """Return the picture for a notebook, or None if pyplot manages the figure and shows it itself."""
        figure = whole_figure(drawn(self))
        if figure.canvas.manager is not None:
            return None
        buffer = BytesIO()
        figure.savefig(buffer, format="png")
        return buffer.getvalue()


def axes(width: float = 7.0, height: float = 4.5) -> Axes:
    """Return the axes of a new figure without pyplot, which would open windows and keep every figure alive.

    Raises
    ------
    ImportError
        matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as missing:
        raise ImportError(f"plots need matplotlib: {install('plot')}") from missing
    return Figure(figsize=(width, height), layout="constrained").subplots()


def drawable(ax: object) -> Axes:
    """Return `ax` if it is an ordinary Axes of a figure.

    Raises
    ------
    TypeError
        `ax` is something else, such as the array of axes that ``plt.subplots(2, 3)`` returns.
    ValueError
        `ax` is polar, three-dimensional or on a map, or was removed from its figure.
    """
    from matplotlib.axes import Axes

    if not isinstance(ax, Axes):
        hint = "; pick one of them, such as ax.flat[0]" if hasattr(ax, "flat") else ""
        raise TypeError(f"ax must be a matplotlib Axes, not {shown(ax)}{hint}")
    if ax.name != "rectilinear":
        raise ValueError(
            f"ax must have straight axes x and y, as plt.subplots() makes them, not the projection {ax.name!r}"
        )
    figure: Any = ax.figure  # None after ax.remove(), whatever its type says
    if figure is None or not any(ax is other or ax in other.child_axes for other in figure.axes):
        raise ValueError("ax was removed from its figure; nothing drawn into it would be visible")
    return ax


def drawn(display: Display) -> Axes:
    """Return the axes of a display. A display that is not drawn yet, made without ``from_…``, is drawn first."""
    return display.ax_ if hasattr(display, "ax_") else display.plot().ax_


def whole_figure(ax: Axes) -> Figure:
    """Return the figure of `ax` that can be saved, which is not a SubFigure."""
    figure: Any = ax.figure.figure
    return figure  # type: ignore[no-any-return] # its types do not tell the root from a SubFigure


def save(ax_or_display: Axes | Display, path: str | os.PathLike[str]) -> None:
    """Write a plot to a file, with everything else in the same figure.

    Parameters
    ----------
    ax_or_display : Display or matplotlib Axes
        The plot to write.
    path : str or os.PathLike
        The file; an existing one is replaced, and stays if the new one cannot be written whole. Its suffix (.png, .svg,
        .pdf) decides the format; without one, the suffix of matplotlib's own format is added.

    Raises
    ------
    OSError
        The file cannot be written.
    TypeError
        `ax_or_display` is neither.
    ValueError
        matplotlib does not know the suffix.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from chainrule import Network, plots
    >>> history = Network([2, 3, 1], seed=0).fit([[0, 1], [1, 0]], [1, 0], epochs=5)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "loss.svg"
    ...     plots.save(history.plot(), path)
    ...     "<svg" in path.read_text()
    True
    """
    from matplotlib.axes import Axes

    ax = drawn(ax_or_display) if isinstance(ax_or_display, Display) else ax_or_display
    if not isinstance(ax, Axes):
        raise TypeError(f"ax_or_display must be a display or a matplotlib Axes, not {shown(ax_or_display)}")
    figure, suffix = whole_figure(ax), Path(path).suffix
    if not suffix:  # as matplotlib does it
        suffix = f".{figure.canvas.get_default_filetype()}"
        path = f"{os.fspath(path)}{suffix}"
    picture = BytesIO()
    figure.savefig(picture, dpi=150, format=suffix[1:])
    files.write(path, picture.getvalue())


def tidy(ax: Axes, grid: Literal["x", "y", "both"]) -> None:
    """Remove the frame's top and right sides, and put a light grid behind the data."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_axisbelow(True)
    ax.grid(visible=True, axis=grid, which="major", color="0.9", linewidth=0.8)


def size_in_points(ax: Axes) -> tuple[float, float]:
    """Return width and height of the axes in points, the unit of font sizes, before the layout runs."""
    box = ax.get_window_extent()
    dots_a_point = whole_figure(ax).dpi / 72
    return box.width / dots_a_point, box.height / dots_a_point


def makes_room(ax: Axes) -> bool:
    """Tell whether the figure's layout makes room for text beside the axes; otherwise it overlaps the neighbors."""
    from matplotlib.layout_engine import ConstrainedLayoutEngine, TightLayoutEngine

    return isinstance(ax.figure.get_layout_engine(), (ConstrainedLayoutEngine, TightLayoutEngine))


def note(ax: Axes, text: str) -> None:
    """Write a note on how to read the plot into its upper left corner."""
    ax.annotate(
        text,
        (0, 1),
        (4, -4),
        xycoords="axes fraction",
        textcoords="offset points",
        va="top",
        color=NOTE,
        fontsize="small",
        bbox=BACKDROP,
    )


def limits(values: Any, argument: str, margin: float = 0.05) -> tuple[float, float]:
    """Return the smallest and the largest value with a margin around them, even if they are equal.

    Raises
    ------
    ValueError
        The values are too far apart for an axis.
    """
    low, high = float(values.min()), float(values.max())
    if not max(-low, high) < LARGEST:
        raise ValueError(f"{argument} reaches from {low:g} to {high:g}, too far to be drawn")
    # If the margin is lost in rounding, the axis would have no length.
    room = max(margin * (high - low), 1e-6 * max(-low, high))
    room = room if high > low else max(room, 0.5)
    return low - room, high + room
