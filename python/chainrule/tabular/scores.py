"""The score of a model on rows that it was not trained on."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean, pstdev
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from chainrule.history import History

# The names of metrics in printed output.
TITLES = {"accuracy": "accuracy", "r2": "R²", "rmse": "RMSE", "mae": "MAE", "loss": "loss"}


@dataclass(frozen=True)
class Score:
    """The metrics of one test set, or of each fold.

    Attributes
    ----------
    how : str
        The kind of measurement, such as "5 folds".
    parts : tuple of dict
        The metrics of each part: accuracy, or r2, rmse and mae.
    y_true, y_pred : (n,)
        True and predicted labels or numbers of the rows held out, one part after another.
    histories : tuple of History
        The training history of each part.
    """

    how: str
    parts: tuple[dict[str, float], ...]
    y_true: NDArray[Any]
    y_pred: NDArray[Any]
    histories: tuple[History, ...] = ()

    @property
    def mean(self) -> dict[str, float]:
        """The mean of each metric over the parts."""
        return {name: fmean(part[name] for part in self.parts) for name in self.parts[0]}

    def __str__(self) -> str:
        """Return each metric with its spread, the standard deviation over the parts.

        >>> print(Score("2 folds", ({"accuracy": 0.9}, {"accuracy": 1.0}), [], []))
        accuracy 0.9500 ± 0.0500
        """
        said = []
        for name, mean in self.mean.items():
            spread = f" ± {number(pstdev(part[name] for part in self.parts))}" if len(self.parts) > 1 else ""
            said.append(f"{TITLES[name]} {number(mean)}{spread}")
        return ", ".join(said)


def number(value: float) -> str:
    """Return a number with four decimal places, or with four digits if it is large or small.

    >>> number(0.51239), number(2.0971), number(12345.678), number(0.00001234)
    ('0.5124', '2.0971', '12,346', '1.234e-05')
    """
    size = abs(value)
    return (
        f"{value:.4f}" if size == 0 or 1e-3 <= size < 100 else f"{value:,.0f}" if 1e4 <= size < 1e12 else f"{value:.4g}"
    )
