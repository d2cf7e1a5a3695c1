"""The result of `fit`: the loss and the metrics of each epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .reference import records
from .reference.spelling import checks_keywords

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.axes import Axes

    from .plots.loss_curve import LossCurveDisplay


class History(records.History):
    """The numbers of each epoch of one `fit`.

    It is a dict from names to lists with one entry per epoch: ``history["loss"]``, ``pandas.DataFrame(history)``. Only
    its length is not that of a dict: it is the number of epochs.

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

    __slots__ = ()

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
