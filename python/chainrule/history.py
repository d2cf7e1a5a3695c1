"""The result of `fit`: the loss and the metrics of each epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .reference.spelling import checks_keywords

if TYPE_CHECKING:
    from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping

    from matplotlib.axes import Axes

    from .plots.loss_curve import LossCurveDisplay


class History:
    """The numbers of each epoch of one `fit`.

    It maps names to lists with one entry per epoch: ``history["loss"]``. Its length is the number of epochs.

    Attributes
    ----------
    epoch : list of int
        The network's epoch count after each epoch; a second fit continues the count.
    loss : list of float
        Training loss: the mean over the epoch's batches of the loss before each update, Σ_b L_b W_b / Σ_b W_b, where
        W_b is the sum of the batch's sample weights. scikit-learn's loss_curve_ is the same mean. `Network.evaluate`
        returns the loss of the current weights.
    val_loss : list of float
        Loss of the validation data after each epoch; empty without validation data.

    Examples
    --------
    >>> from chainrule import Network
    >>> history = Network([2, 1], seed=0).fit([[0, 1], [1, 0]], [1, 0], epochs=3)
    >>> len(history), history.epoch, list(history)
    (3, [1, 2, 3], ['epoch', 'loss'])
    """

    __slots__ = ("_columns",)

    def __init__(self) -> None:
        self._columns: dict[str, list[float]] = {"epoch": [], "loss": []}

    @property
    def epoch(self) -> list[int]:
        """The network's epoch count after each epoch."""
        return self._columns["epoch"]  # type: ignore[return-value] # this one column holds ints

    @property
    def loss(self) -> list[float]:
        """Loss of the training data, epoch by epoch."""
        return self._columns["loss"]

    @property
    def val_loss(self) -> list[float]:
        """Loss of the validation data, epoch by epoch; empty without validation data."""
        return self._columns.get("val_loss", [])

    def append(self, epoch: int, logs: Mapping[str, float]) -> None:
        """Add the numbers of one epoch; a column has NaN for an epoch without its number."""
        n = len(self)
        for name in {**self._columns, **logs}:
            value = epoch if name == "epoch" else logs.get(name, float("nan"))
            self._columns.setdefault(name, [float("nan")] * n).append(value)

    @checks_keywords
    def plot(self, ax: Axes | None = None, *, columns: str | Iterable[str] | None = None) -> LossCurveDisplay:
        """Draw the loss, or other columns, by epoch. A notebook shows the returned display.

        Parameters and errors are those of `chainrule.plots.LossCurveDisplay.from_history`, which also draws several
        runs.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            The axes to draw into; None creates a figure.
        columns : str or sequence of str, optional
            The columns to draw, such as ("accuracy", "val_accuracy"). None: "loss", and "val_loss" if there is one.

        Returns
        -------
        LossCurveDisplay

        Examples
        --------
        >>> from chainrule import Network
        >>> history = Network([2, 1], seed=0).fit([[0, 1], [1, 0]], [1, 0], epochs=3, metrics=["mae"])
        >>> history.plot(columns="mae").ax_.get_ylabel()
        'mae'
        """
        from .plots.loss_curve import LossCurveDisplay

        return LossCurveDisplay.from_history(self, columns=columns, ax=ax)

    def __getitem__(self, name: str) -> list[float]:
        """Return a column by its name, such as "val_accuracy"."""
        if name not in self._columns:
            raise KeyError(f"{name!r}; this history has {', '.join(self._columns)}")
        return self._columns[name]

    def __contains__(self, name: object) -> bool:
        """Tell whether there is a column of that name."""
        return name in self._columns

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of the columns."""
        return iter(self._columns)

    def __len__(self) -> int:
        """Return the number of epochs."""
        return len(self.epoch)

    def keys(self) -> KeysView[str]:
        """Return the names of the columns."""
        return self._columns.keys()

    def items(self) -> ItemsView[str, list[float]]:
        """Return the columns with their names."""
        return self._columns.items()

    def __eq__(self, other: object) -> bool:
        """Tell whether all numbers are equal."""
        return self._columns == other._columns if isinstance(other, History) else NotImplemented

    __hash__ = None  # type: ignore[assignment] # it grows

    def __repr__(self) -> str:
        """Show the last epoch."""
        if not len(self):
            return "History(no epochs)"
        last = ", ".join(f"{name}={column[-1]:.6g}" for name, column in self._columns.items() if name != "epoch")
        return f"History({len(self)} epochs, last: {last})"
