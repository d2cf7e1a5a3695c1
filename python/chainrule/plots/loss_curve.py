"""The loss, or other columns of a history, by epoch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from chainrule import _arrays, metrics
from chainrule.reference.options import shown
from chainrule.reference.spelling import checks_keywords

from .arguments import column, numbers
from .display import BACKDROP, NOTE, PALETTE, Display, makes_room, tidy
from .names import literal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol, Self

    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D
    from numpy.typing import ArrayLike, NDArray

    Array: TypeAlias = NDArray[Any]

    class HistoryLike(Protocol):
        """Columns by name: a `chainrule.History`, or a dict."""

        def __getitem__(self, name: str, /) -> Sequence[float]:
            """Return a column."""

        def __contains__(self, name: object, /) -> bool:
            """Tell whether there is a column."""


# The attributes in which scikit-learn's estimators keep the curves of a fit. Greater is better for the scores.
CURVES = {"loss": "loss_curve_", "val_loss": "validation_loss_curve_", "val_score": "validation_scores_"}
LEAST_RATIO = 5.0  # of the largest loss to the smallest for a logarithmic axis; below it, the axis would lack ticks


class LossCurveDisplay(Display):
    """Losses or metrics by epoch: one line per column, with its name at its end and the best epoch marked.

    Several runs are drawn as thin lines, their median as a thick one. A loss that falls far has a logarithmic axis.

    Parameters
    ----------
    epoch : array_like of int, (n_epochs,)
        The network's epoch count after each epoch.
    columns : dict of str to array_like, (n_runs, n_epochs)
        The values by name. A value that is not finite leaves a gap.

    Attributes
    ----------
    best_column, best_epoch : str and int, or None
        The best epoch by the first column of validation data, or by the first column if there is none. Best is lowest
        for a loss or an error, and highest for "val_score" and the other metrics of `chainrule.metrics`. Several runs
        are judged by their median; of equal epochs the first is taken. None if the direction of a column is unknown, or
        if all epochs are equal.
    lines_ : list of matplotlib Line2D
        The thick line of each column.
    ax_, figure_ : matplotlib Axes and Figure
        The axes and the figure of the plot.

    See Also
    --------
    chainrule.History.plot : the same as a method of the History that `Network.fit` returns.

    Notes
    -----
    "loss" is the mean over an epoch's batches, with dropout and before each update. "val_loss" is computed with the
    weights after the epoch, so it may start lower.

    Examples
    --------
    >>> from chainrule import Network, plots
    >>> X, y = [[0, 1], [1, 0]], [1, 0]
    >>> history = Network([2, 3, 1], seed=0).fit(X, y, epochs=5, validation_data=(X, y))
    >>> display = plots.LossCurveDisplay.from_history(history)
    >>> display.best_column, display.best_epoch, display.ax_.get_ylabel()
    ('val_loss', 5, 'loss')
    """

    lines_: list[Line2D]

    def __init__(self, epoch: ArrayLike, columns: Mapping[str, ArrayLike]) -> None:
        self.epoch = np.asarray(epoch)
        self.columns = {name: gaps(name, values, self.epoch.size) for name, values in columns.items()}
        if not self.columns:
            raise ValueError("columns is empty; name at least one")
        self.best_column, self.best_epoch = best(self.epoch, self.columns)

    @classmethod
    @checks_keywords
    def from_history(
        cls,
        history: HistoryLike | Sequence[HistoryLike],
        *,
        columns: str | Iterable[str] | None = None,
        ax: Axes | None = None,
    ) -> Self:
        """Draw one history, or several runs over the same epochs.

        Parameters
        ----------
        history : History or sequence of History
            The result of `Network.fit`, or a dict of columns that includes "epoch".
        columns : str or sequence of str, optional
            The columns to draw, such as ("accuracy", "val_accuracy"). None: "loss", and "val_loss" if there is one.
        ax : matplotlib Axes, optional
            The axes to draw into; None creates a figure.

        Returns
        -------
        LossCurveDisplay

        Raises
        ------
        ImportError
            matplotlib is not installed.
        TypeError
            `history` is not a history, `columns` are not names, or `ax` is not an Axes.
        ValueError
            There is no epoch, the runs have different epochs, a column is missing or holds no finite number, or `ax`
            cannot be drawn into.
        """
        runs = runs_of(history)
        epoch = numbers(runs[0]["epoch"], "epoch of history")
        return cls(epoch, {name: values_of(name, runs) for name in names_of(columns, runs[0])}).plot(ax)

    @classmethod
    @checks_keywords
    def from_estimator(
        cls, estimator: Any, *, columns: str | Iterable[str] | None = None, ax: Axes | None = None
    ) -> Self:
        """Draw the curves that an MLPClassifier or MLPRegressor, of chainrule or scikit-learn, kept of its fit.

        Parameters
        ----------
        estimator : fitted estimator, or list of them
            It needs a `loss_curve_`, which solver "lbfgs" does not make. For a Pipeline pass its last step. If several
            estimators made different numbers of epochs, the median ends with the shortest.
        columns : str or sequence of str, optional
            "loss" (`loss_curve_`), "val_loss" (`validation_loss_curve_`), "val_score" (`validation_scores_`). None:
            "loss", and "val_loss" or else "val_score" if all estimators have it.
        ax : matplotlib Axes, optional
            The axes to draw into; None creates a figure.

        Returns
        -------
        LossCurveDisplay

        Raises
        ------
        ImportError
            matplotlib is not installed.
        NotFittedError
            `estimator` is not fitted.
        TypeError
            `estimator` is not an estimator, `columns` are not names, or `ax` is not an Axes.
        ValueError
            `estimator` has no `loss_curve_`, the list is empty, a column is missing or holds no finite number, or `ax`
            cannot be drawn into.

        Examples
        --------
        >>> from chainrule.plots import LossCurveDisplay
        >>> from sklearn.neural_network import MLPRegressor
        >>> model = MLPRegressor(max_iter=9, tol=9, n_iter_no_change=4).fit([[0.0], [1.0]], [0.0, 1.0])
        >>> display = LossCurveDisplay.from_estimator(model)
        >>> display.lines_[0].get_ydata().tolist() == model.loss_curve_
        True
        """
        several = isinstance(estimator, (list, tuple))
        estimators = list(estimator) if several else [estimator]
        if not estimators:
            raise ValueError("estimator is an empty list; give at least one")
        runs = [curves_of(each, f"estimator[{i}]" if several else "estimator") for i, each in enumerate(estimators)]
        n_epochs = max(len(values) for run in runs for values in run.values())
        if columns is None:
            validation = [name for name in ("val_loss", "val_score") if all(name in run for run in runs)]
            columns = ["loss", *validation[:1]]
        names = names_of(columns, runs[0])
        table = {
            name: [
                np.pad(values, (0, n_epochs - len(values)), constant_values=np.nan)
                for values in values_of(name, runs, "estimator")
            ]
            for name in names
        }
        return cls(np.arange(1, n_epochs + 1), table).plot(ax)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw into `ax`, or into a new figure, and return the display.

        Raises
        ------
        ImportError, TypeError, ValueError
            As in `from_history`.
        """
        ax = self._draw_into(ax, 7.0, 4.5)
        quantities = list(dict.fromkeys(map(quantity, self.columns)))
        self.lines_ = []
        for j, (name, values) in enumerate(self.columns.items()):
            color, middle = PALETTE[j % len(PALETTE)], median(values)
            if len(values) > 1:
                ax.plot(self.epoch, values.T, color=color, linewidth=0.8, alpha=0.35)
            label = literal(name) if len(quantities) > 1 else "validation" if name.startswith("val_") else "training"
            marker = "o" if len(self.epoch) == 1 else ""  # a line of one point would be invisible
            self.lines_ += ax.plot(self.epoch, middle, color=color, linewidth=2, label=label, marker=marker)
        set_axes(ax, self.epoch, quantities, np.concatenate([*self.columns.values()], axis=None))
        # Two names beside the axes cannot collide: the upper line's name is above its end, the lower line's below. More
        # names could collide, and without a layout that makes room they would overlap the neighbors.
        beside = len(self.lines_) <= 2 and makes_room(ax)
        best_mark = self._mark_best(ax, name=beside)
        if beside:
            name_ends(ax, self.lines_)
        else:
            handles = [*self.lines_, *best_mark]
            ax.legend(
                handles=handles,
                loc="lower right" if lower_is_better(next(iter(self.columns))) is False else "upper right",
                labelcolor=[handle.get_color() for handle in handles],
                fontsize="small",
                frameon=False,
            )
        return self

    def _mark_best(self, ax: Axes, *, name: bool) -> list[Line2D]:
        """Mark the best epoch with a dotted line; name it at the end of the line that is free of the curve, if any."""
        if self.best_column is None or self.best_epoch is None:
            return []
        i = int(np.flatnonzero(self.epoch == self.best_epoch)[0])
        falls, late = lower_is_better(self.best_column), i >= len(self.epoch) / 2
        text = f"best epoch {self.best_epoch}"
        value = median(self.columns[self.best_column])[i]
        ax.axvline(self.best_epoch, color=NOTE, linewidth=1, linestyle=":", zorder=1)
        circle: dict[str, Any] = {"marker": "o", "linestyle": "", "markerfacecolor": "white", "clip_on": False}
        mark = ax.plot([self.best_epoch], [value], label=text, color=NOTE, zorder=3, **circle)
        if name:
            ax.annotate(
                text,
                (self.best_epoch, 1 if falls else 0),
                (-4 if late else 4, -2 if falls else 3),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                ha="right" if late else "left",
                va="top" if falls else "bottom",
                color=NOTE,
                fontsize="small",
                bbox=BACKDROP,
            )
        return mark


def name_ends(ax: Axes, lines: Sequence[Line2D]) -> None:
    """Write the name of each of one or two lines beside the axes, at the height of its last value."""
    values = [np.asarray(line.get_ydata(), dtype=np.float64) for line in lines]
    ends = [(float(of_line[np.isfinite(of_line)][-1]), line) for of_line, line in zip(values, lines, strict=True)]
    ends.sort(key=lambda end: end[0])
    for (end, line), va in zip(ends, ("top", "bottom") if len(ends) > 1 else ("center",), strict=True):
        ax.annotate(
            f"{line.get_label()} {end:.3g}".replace("-", "\N{MINUS SIGN}"),
            (1, end),
            (6, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            va=va,
            color=line.get_color(),
            annotation_clip=False,
        )


def set_axes(ax: Axes, epoch: Array, quantities: list[str], values: Array) -> None:
    """Name and scale the axes for `values`, which are all values drawn."""
    from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, NullLocator, StrMethodFormatter

    margin = 0.5 if len(epoch) == 1 else 0.0
    ax.set(xlabel="epoch", ylabel=literal(" and ".join(quantities)), xlim=(epoch[0] - margin, epoch[-1] + margin))
    ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True, min_n_ticks=1, steps=(1, 2, 5, 10)))
    tidy(ax, grid="both")
    low, high = np.nanmin(values), np.nanmax(values)
    # A share such as the accuracy has a linear axis, and so has a loss that is negative or hardly changes.
    if quantities != ["loss"] or low <= 0.0 or high / low < LEAST_RATIO:
        return
    ax.set_yscale("log")
    decades = np.log10(high / low)
    ax.yaxis.set_minor_formatter(NullFormatter())
    if decades < 3:  # with few powers of ten, the minor ticks need numbers too
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades > 1 else (1, 2, 3, 5, 7)))
        ax.yaxis.set_minor_locator(NullLocator())
        ax.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))


def best(epoch: Array, columns: Mapping[str, Array]) -> tuple[str | None, int | None]:
    """Return the column that decides and its best epoch, or None and None."""
    name = next((name for name in columns if name.startswith("val_")), next(iter(columns)))
    falls, middle = lower_is_better(name), median(columns[name])
    if falls is None or np.nanmin(middle) == np.nanmax(middle):
        return None, None
    return name, int(epoch[np.nanargmin(middle) if falls else np.nanargmax(middle)])


def lower_is_better(column: str) -> bool | None:
    """Tell whether lower is better for a column; None if unknown."""
    name = quantity(column)
    return False if name == "score" else metrics.lower_is_better(name)


def quantity(column: str) -> str:
    """Return the quantity of a column: its name without "val_"."""
    return column.removeprefix("val_")


def median(values: Array) -> Array:
    """Return the median of the runs, (n_epochs,), NaN for an epoch in which a run is NaN."""
    result: Array = np.median(values, axis=0)
    return result


def runs_of(history: object) -> list[HistoryLike]:
    """Return the runs as a list; refuse runs of different epochs."""
    # A single History is iterable too: it yields the names of its columns.
    single = not isinstance(history, (list, tuple))
    runs: list[Any] = [history] if single else list(history)  # type: ignore[call-overload] # it is a list or a tuple
    for i, run in enumerate(runs):
        if isinstance(run, str) or not (hasattr(run, "__getitem__") and hasattr(run, "keys") and "epoch" in run):
            argument = "history" if single else f"history[{i}]"
            raise TypeError(f"{argument} must be what Network.fit returned, not {shown(run)}")
    if not runs or not len(runs[0]["epoch"]):
        raise ValueError("history has no epoch to draw")
    if any(list(run["epoch"]) != list(runs[0]["epoch"]) for run in runs):
        raise ValueError("the runs of history differ in their epochs; draw each with a call of its own")
    return runs


def curves_of(estimator: Any, argument: str) -> dict[str, Any]:
    """Return the curves of a fitted estimator, one array (n_epochs,) per column."""
    curves = {}
    for name, attribute in CURVES.items():
        values = getattr(estimator, attribute, None)
        if values is not None and np.size(values):  # empty if Ctrl-C ended the first epoch
            text = f"{attribute} of {argument}"
            curves[name] = column(_arrays.as_numbers(values, np.dtype(np.float64), text), text).astype(np.float64)
    if "loss" in curves:
        return curves
    if isinstance(estimator, type) or not (hasattr(estimator, "fit") and hasattr(estimator, "get_params")):
        raise TypeError(f"{argument} must be a fitted MLPClassifier or MLPRegressor, not {shown(estimator)}")
    from sklearn.utils.validation import check_is_fitted

    check_is_fitted(estimator)
    raise ValueError(
        f"{argument}, a {type(estimator).__name__}, has no loss_curve_; solvers 'sgd' and 'adam' of MLPClassifier and "
        "MLPRegressor make one, and of a Pipeline its last step has it, pipeline[-1]"
    )


def names_of(columns: object, run: HistoryLike) -> list[str]:
    """Return the names of the columns to draw."""
    if columns is None:
        return [name for name in ("loss", "val_loss") if name in run]
    names = [columns] if isinstance(columns, str) else list(columns) if isinstance(columns, Iterable) else [columns]
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"columns must be names such as ('accuracy', 'val_accuracy'), not {shown(columns)}")
    return list(dict.fromkeys(names))


def values_of(name: str, runs: Sequence[HistoryLike], argument: str = "history") -> list[Sequence[float]]:
    """Return a column of all runs."""
    for run in runs:
        if name not in run:
            raise ValueError(f"{argument} has no column {name!r}, only {', '.join(run)}")  # type: ignore[arg-type] # runs are mappings
    return [run[name] for run in runs]


def gaps(name: str, values: ArrayLike, n_epochs: int) -> Array:
    """Return a column as (n_runs, n_epochs). A value that is not finite becomes NaN, which is drawn as a gap."""
    table = _arrays.as_numbers(values, np.dtype(np.float64), f"column {name!r}").astype(np.float64)
    if table.ndim != 2 or table.shape[1] != n_epochs:
        raise ValueError(
            f"column {name!r} has shape {table.shape}, which is not (n_runs, {n_epochs}), one value per epoch"
        )
    table[~np.isfinite(table)] = np.nan
    if np.isnan(median(table)).all():
        raise ValueError(f"column {name!r} holds no finite number")
    return table
