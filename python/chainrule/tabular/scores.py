"""The score of a model on rows that it was not trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .measures import TITLES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from chainrule.history import History


@dataclass(frozen=True)
class Score:
    """The metrics of one test set, or of each fold, beside those of a constant prediction.

    Attributes
    ----------
    how : str
        The kind of measurement, such as "5 folds".
    parts : tuple of dict
        The metrics of each part: accuracy, balanced_accuracy, f1_macro, roc_auc and log_loss, or rmse, mae and r2; see
        `chainrule.tabular.measures`.
    y_true, y_pred : (n,)
        True and predicted labels or numbers of the rows held out, one part after another.
    histories : tuple of History
        The training history of each part.
    baselines : tuple of dict
        The same metrics where the prediction is always the commonest class, or the mean.
    """

    how: str
    parts: tuple[dict[str, float], ...]
    y_true: NDArray[Any]
    y_pred: NDArray[Any]
    histories: tuple[History, ...] = ()
    baselines: tuple[dict[str, float], ...] = ()

    @property
    def mean(self) -> dict[str, float]:
        """The mean of each metric over the parts."""
        return means(self.parts)

    @property
    def baseline(self) -> dict[str, float]:
        """The mean of each metric of the constant prediction over the parts; empty if it is not known."""
        return means(self.baselines)

    def spread(self, name: str) -> float:
        """Return the standard deviation of a metric over the parts."""
        return float(np.std([part[name] for part in self.parts]))

    def __str__(self) -> str:
        """Return the metrics, each with its spread over the parts if there are several.

        >>> print(Score("2 folds", ({"accuracy": 0.9}, {"accuracy": 1.0}), [], []))
        accuracy 0.9500 ± 0.0500
        """
        return ", ".join(f"{TITLES.get(name, name)} {self.value(name)}" for name in self.mean)

    def value(self, name: str) -> str:
        """Return a metric in words, with its spread over the parts if there are several."""
        mean = self.mean[name]
        if len(self.parts) == 1:
            return number(mean)
        spread = self.spread(name)
        return f"{number(mean)} ± {f'{spread:.4f}' if abs(mean) < 100 else number(spread)}"


def means(parts: tuple[dict[str, float], ...]) -> dict[str, float]:
    """Return the mean of each metric."""
    return {name: float(np.mean([part[name] for part in parts])) for name in parts[0]} if parts else {}


def number(value: float) -> str:
    """Return a number with four decimal places, or with four digits if it is large or small.

    >>> number(0.51239), number(2.0971), number(12345.678), number(0.00001234)
    ('0.5124', '2.0971', '12,346', '1.234e-05')
    """
    size = abs(value)
    return (
        f"{value:.4f}" if size == 0 or 1e-3 <= size < 100 else f"{value:,.0f}" if 1e4 <= size < 1e12 else f"{value:.4g}"
    )
