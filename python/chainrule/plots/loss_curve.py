"""The loss, or other columns of a history, by epochs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from chainrule import _arrays
from chainrule.metrics import LOWER_IS_BETTER, METRICS
from chainrule.reference.options import shown
from chainrule.reference.spelling import checks_keywords

from .arguments import column, numbers
from .display import BACKDROP, NOTE, PALETTE, Display, makes_room, tidy

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol, Self

    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D
    from numpy.typing import ArrayLike, NDArray

    Array: TypeAlias = NDArray[Any]

    class HistoryLike(Protocol):
        """What is read: columns by name, as `chainrule.History` has them, or a dict."""

        def __getitem__(self, name: str, /) -> Sequence[float]:
            """Return a column."""

        def __contains__(self, name: object, /) -> bool:
            """Tell whether there is a column."""


# What scikit-learn's estimators keep of a fit, as columns. What they score by, greater is better.
CURVES = {"loss": "loss_curve_", "val_loss": "validation_loss_curve_", "val_score": "validation_scores_"}
LEAST_RATIO = 5.0  # of the largest loss to the smallest, for a logarithmic axis: below, it would have hardly a tick


class LossCurveDisplay(Display):
    """Losses or metrics against the epoch: one line a column, named where it ends, the best epoch marked.

    Of several runs each is drawn thin and their median thick. A loss that falls far stands on a logarithmic axis.

    Parameters
    ----------
    epoch : array_like of int, (n_epochs,)
        How many epochs the network had made after each.
    columns : dict of str to array_like, (n_runs, n_epochs)
        The values by name. One that is not finite leaves a gap.

    Attributes
    ----------
    best_column, best_epoch : str and int, or None
        The epoch that was best by the first column of validation data, or by the first column where there is none:
        lowest for a loss or an error, highest for "val_score" and the other metrics of `chainrule.metrics`; of several
        runs by their median, of equal epochs the first. None for a column whose better end is not known, and where all
        epochs are equal.
    lines_ : list of matplotlib Line2D
        The thick line of each column.
    ax_, figure_ : matplotlib Axes and Figure
        Where it was drawn.

    See Also
    --------
    chainrule.History.plot : the same as a method of what `Network.fit` returns.

    Notes
    -----
    "loss" is the mean over an epoch's batches, with dropout and before each update; "val_loss" is that of the weights
    after the epoch. So the second may start below the first.

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
            What `Network.fit` returned; a dict of columns with "epoch" will do.
        columns : str or sequence of str, optional
            What to draw, such as ("accuracy", "val_accuracy"). None: "loss", and "val_loss" where there is one.
        ax : matplotlib Axes, optional
            Where to draw; None makes a figure.

        Returns
        -------
        LossCurveDisplay

        Raises
        ------
        ImportError
            matplotlib is not installed.
        TypeError
            `history` is no history, `columns` are no names, or `ax` is no Axes.
        ValueError
            There is no epoch, the runs were made over different epochs, a column is missing or holds no finite
            number, or `ax` cannot be drawn into.
        """
        runs = runs_of(history)
        epoch = numbers(runs[0]["epoch"], "epoch of history")
        return cls(epoch, {name: values_of(name, runs) for name in names_of(columns, runs[0])}).plot(ax)

    @classmethod
    @checks_keywords
    def from_estimator(
        cls, estimator: Any, *, columns: str | Iterable[str] | None = None, ax: Axes | None = None
    ) -> Self:
        """Draw what an MLPClassifier or MLPRegressor, of `chainrule.sklearn` or scikit-learn, kept of its fit.

        Parameters
        ----------
        estimator : fitted estimator, or list of them
            With `loss_curve_`, which solver "lbfgs" does not make; of a Pipeline give its last step. Where several made
            unequal numbers of epochs, the median ends with the first.
        columns : str or sequence of str, optional
            "loss" (`loss_curve_`), "val_loss" (`validation_loss_curve_`), "val_score" (`validation_scores_`). None:
            "loss", and "val_loss" or else "val_score" where all estimators have it.
        ax : matplotlib Axes, optional
            Where to draw; None makes a figure.

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
            `estimator` is no estimator, `columns` are no names, or `ax` is no Axes.
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
            label = name if len(quantities) > 1 else "validation" if name.startswith("val_") else "training"
            marker = "o" if len(self.epoch) == 1 else ""  # a line of one point would not be seen
            self.lines_ += ax.plot(self.epoch, middle, color=color, linewidth=2, label=label, marker=marker)
        set_axes(ax, self.epoch, quantities, np.concatenate([*self.columns.values()], axis=None))
        # Beside the axes two names cannot collide, since the upper line's stands above its end and the lower one's
        # below; more could, and where no layout makes room they run into the neighbors.
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
        """Mark the best epoch; name it at that end of the dotted line from which the curve stays away, or nowhere."""
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
    """Write the name of each of one or two lines beside the axes, at the height where it ends."""
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
    """Name and scale the axes for `values`, all that is drawn."""
    from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, NullLocator, StrMethodFormatter

    margin = 0.5 if len(epoch) == 1 else 0.0
    ax.set(xlabel="epoch", ylabel=" and ".join(quantities), xlim=(epoch[0] - margin, epoch[-1] + margin))
    ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True, min_n_ticks=1, steps=(1, 2, 5, 10)))
    tidy(ax, grid="both")
    low, high = np.nanmin(values), np.nanmax(values)
    # A share such as the accuracy is read on a linear axis, and so is a loss below zero or one that hardly moves.
    if quantities != ["loss"] or low <= 0.0 or high / low < LEAST_RATIO:
        return
    ax.set_yscale("log")
    decades = np.log10(high / low)
    ax.yaxis.set_minor_formatter(NullFormatter())
    if decades < 3:  # so few powers of ten that the steps between them need numbers too
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades > 1 else (1, 2, 3, 5, 7)))
        ax.yaxis.set_minor_locator(NullLocator())
        ax.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))


def best(epoch: Array, columns: Mapping[str, Array]) -> tuple[str | None, int | None]:
    """Return the column that decides and its best epoch, or None for both."""
    name = next((name for name in columns if name.startswith("val_")), next(iter(columns)))
    falls, middle = lower_is_better(name), median(columns[name])
    if falls is None or np.nanmin(middle) == np.nanmax(middle):
        return None, None
    return name, int(epoch[np.nanargmin(middle) if falls else np.nanargmax(middle)])


def lower_is_better(column: str) -> bool | None:
    """Tell whether a column falls where a network gets better; None where that is not known."""
    name = quantity(column)
    if name == "loss" or name in LOWER_IS_BETTER:
        return True
    return False if name == "score" or name in METRICS else None


def quantity(column: str) -> str:
    """Return what a column measures, of whichever data."""
    return column.removeprefix("val_")


def median(values: Array) -> Array:
    """Return the median of the runs, (n_epochs,), NaN where one of them is."""
    result: Array = np.median(values, axis=0)
    return result


def runs_of(history: object) -> list[HistoryLike]:
    """Return the runs as a list, all of the same epochs."""
    # A History is iterable too, over the names of its columns.
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
    """Return what a fitted estimator kept of its epochs, one array (n_epochs,) a column."""
    curves = {}
    for name, attribute in CURVES.items():
        values = getattr(estimator, attribute, None)
        if values is not None and np.size(values):  # there is none yet where Ctrl-C ended the first epoch
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
    """Return a column as (n_runs, n_epochs); what is not finite becomes NaN, which is drawn as a gap."""
    table = _arrays.as_numbers(values, np.dtype(np.float64), f"column {name!r}").astype(np.float64)
    if table.ndim != 2 or table.shape[1] != n_epochs:
        raise ValueError(
            f"column {name!r} has shape {table.shape}, which is not (n_runs, {n_epochs}), one value an epoch"
        )
    table[~np.isfinite(table)] = np.nan
    if np.isnan(median(table)).all():
        raise ValueError(f"column {name!r} holds no finite number")
    return table
