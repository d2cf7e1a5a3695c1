"""Plots of a training run, of a network and of its predictions, drawn with matplotlib.

The displays follow scikit-learn's style. A class method ``from_…(…, ax=None)`` computes and draws a display, and
``plot(ax=None)`` draws it again. ``ax_`` and ``figure_`` hold the axes and the figure. `save` writes the figure to a
file, and a notebook shows it.

>>> from chainrule import Network, plots
>>> history = Network([2, 3, 1], seed=0).fit([[0, 1], [1, 0]], [1, 0], epochs=5)
>>> display = plots.LossCurveDisplay.from_history(history)
>>> display.ax_.get_ylabel()
'loss'

matplotlib is needed only when something is drawn: ``pip install 'chainrule[plot]'``.
"""

from __future__ import annotations

from .confusion_matrix import ConfusionMatrixDisplay
from .decision_boundary import DecisionBoundaryDisplay
from .delta_histogram import DeltaHistogramDisplay
from .display import Display, axes, save
from .loss_curve import LossCurveDisplay
from .prediction_error import PredictionErrorDisplay
from .weight_histogram import WeightHistogramDisplay

__all__ = [
    "ConfusionMatrixDisplay",
    "DecisionBoundaryDisplay",
    "DeltaHistogramDisplay",
    "Display",
    "LossCurveDisplay",
    "PredictionErrorDisplay",
    "WeightHistogramDisplay",
    "axes",
    "save",
]
