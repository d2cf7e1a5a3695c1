"""The displays draw their data into the given axes, and refuse with clear messages what cannot be drawn."""

import subprocess
import sys
import warnings
from functools import cache
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import matplotlib as mpl

mpl.use("Agg")  # before pyplot, which would look for a window

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from sklearn.neural_network import MLPRegressor

import chainrule
from chainrule import History, Network, metrics, plots
from chainrule.outputs import Outputs
from chainrule.plots import names
from chainrule.plots.display import PALETTE

from .test_hostile import ALLOWED, ANYTHING, MAYBE_X, MAYBE_Y

X = np.random.default_rng(0).uniform(-1, 1, (60, 2))
LABELS = (X[:, 0] * X[:, 1] > 0).astype(int)
NUMBERS = X[:, 0] + X[:, 1] ** 2
PNG = b"\x89PNG\r\n\x1a\n"


def network(n_outputs=1, loss="mse", layers=(2, 8), **options):
    return Network([*layers, n_outputs], loss=loss, seed=0, **options)


def history_of(*losses, validation=True):
    history = History()
    for epoch, loss in enumerate(losses, start=1):
        history.append(epoch, {"loss": loss} | ({"val_loss": loss * 2} if validation else {}))
    return history


HISTORY = history_of(1.0, 0.5, 0.25)


@cache
def estimator(seed=0):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # so few epochs do not converge
        return MLPRegressor(hidden_layer_sizes=(4,), max_iter=3 + seed, early_stopping=True, random_state=seed).fit(
            X, NUMBERS
        )


# Each display, drawn from something ordinary.
DRAW = {
    "loss": lambda ax=None: plots.LossCurveDisplay.from_history(HISTORY, ax=ax),
    "loss of runs": lambda ax=None: plots.LossCurveDisplay.from_history([HISTORY, history_of(3.0, 2.0, 1.0)], ax=ax),
    "loss of an estimator": lambda ax=None: plots.LossCurveDisplay.from_estimator(estimator(), ax=ax),
    "loss of estimators": lambda ax=None: plots.LossCurveDisplay.from_estimator([estimator(), estimator(1)], ax=ax),
    "history": lambda ax=None: HISTORY.plot(ax),
    "confusion": lambda ax=None: plots.ConfusionMatrixDisplay.from_predictions([0, 1, 1], [0, 1, 0], ax=ax),
    "confusion of network": lambda ax=None: plots.ConfusionMatrixDisplay.from_network(
        network(2, "cross_entropy"), X, LABELS, ax=ax
    ),
    "prediction": lambda ax=None: plots.PredictionErrorDisplay.from_predictions([1.0, 2.0], [1.5, 2.5], ax=ax),
    "prediction of network": lambda ax=None: plots.PredictionErrorDisplay.from_network(network(), X, NUMBERS, ax=ax),
    "weights": lambda ax=None: plots.WeightHistogramDisplay.from_network(network(), ax=ax),
    "deltas": lambda ax=None: plots.DeltaHistogramDisplay.from_network(network(), X, NUMBERS, ax=ax),
    "boundary": lambda ax=None: plots.DecisionBoundaryDisplay.from_network(
        network(3, "cross_entropy"), X, LABELS, grid_resolution=20, ax=ax
    ),
    "boundary of numbers": lambda ax=None: plots.DecisionBoundaryDisplay.from_network(
        network(), X, NUMBERS, grid_resolution=20, ax=ax
    ),
}
each_display = pytest.mark.parametrize("draw", DRAW.values(), ids=DRAW.keys())


def words(ax):
    """Return all that is written inside and beside the axes, but for their own labels."""
    legend = ax.get_legend()
    return [text.get_text() for text in [*ax.texts, *(legend.get_texts() if legend else [])]]


# ── What all displays share ──────────────────────────────────────────────────────────────────────────────────────────


@each_display
def test_display_draws_into_the_given_ax_and_nothing_else(draw):
    figure, grid = plt.subplots(2, 3)
    try:
        empty = [(ax.get_children(), ax.get_xlim()) for ax in grid.flat]
        target = grid[1, 1]
        display = draw(target)
        assert display.ax_ is target
        assert display.figure_ is figure
        assert plt.get_fignums() == [figure.number]
        assert figure.axes == list(grid.flat), "no axes were added, for a colorbar or a legend"
        assert figure.texts == []
        assert figure.legends == []
        for ax, (children, limits) in zip(grid.flat, empty, strict=True):
            assert (ax is target) == (len(ax.get_children()) > len(children))
            assert ax is target or (ax.get_children(), ax.get_xlim()) == (children, limits)
        figure.draw_without_rendering()
    finally:
        plt.close(figure)


@each_display
def test_display_without_ax_makes_a_figure_that_pyplot_does_not_know(draw):
    before = plt.get_fignums()
    display = draw()
    assert plt.get_fignums() == before
    assert display.figure_.axes == [display.ax_]
    assert display.figure_.canvas.manager is None


@each_display
def test_display_can_be_drawn_again(draw):
    display = draw()
    first = display.ax_
    assert display.plot() is display
    assert display.ax_ is not first
    assert len(display.ax_.get_children()) == len(first.get_children())
    again = Figure().subplots()
    assert display.plot(again) is display
    assert display.ax_ is again


@each_display
def test_nothing_of_a_display_is_cut_off(draw):
    display = draw()
    figure = display.figure_
    figure.draw_without_rendering()
    whole, drawn = figure.bbox, figure.get_tightbbox().transformed(figure.dpi_scale_trans)
    assert drawn.x0 >= whole.x0 - 1
    assert drawn.y0 >= whole.y0 - 1
    assert drawn.x1 <= whole.x1 + 1
    assert drawn.y1 <= whole.y1 + 1


@each_display
def test_display_names_its_axes(draw):
    ax = draw().ax_
    assert ax.get_xlabel()
    assert ax.get_ylabel() or not len(ax.get_yticks()), "rows of histograms have no vertical axis"


def test_display_shows_itself_in_a_notebook_but_not_twice():
    assert DRAW["weights"]()._repr_png_().startswith(PNG)
    figure, ax = plt.subplots()
    try:
        assert DRAW["weights"](ax)._repr_png_() is None, "pyplot shows its figures at the end of a cell"
    finally:
        plt.close(figure)


def test_display_that_was_never_drawn_is_drawn_when_it_is_shown_or_saved(tmp_path):
    assert plots.ConfusionMatrixDisplay([[1]])._repr_png_().startswith(PNG)
    plots.save(plots.PredictionErrorDisplay([1.0], [2.0]), tmp_path / "error.png")
    assert (tmp_path / "error.png").read_bytes().startswith(PNG)


def test_display_draws_into_subfigures_and_insets():
    left, _ = Figure(layout="constrained").subfigures(1, 2)
    ax = left.subplots()
    assert DRAW["loss"](ax).figure_ is left
    assert DRAW["loss"](ax)._repr_png_().startswith(PNG)
    inset = ax.inset_axes((0.5, 0.5, 0.4, 0.4))
    assert DRAW["loss"](inset).ax_ is inset


def test_display_draws_into_the_figure_that_pyplot_has_closed():
    figure, ax = plt.subplots()
    plt.close(figure)
    assert DRAW["loss"](ax).ax_ is ax


@pytest.mark.parametrize("ax", [1, "ax", Figure(), Axes, [Figure().subplots()]])
@each_display
def test_display_refuses_what_is_no_ax(draw, ax):
    with pytest.raises(TypeError, match="ax must be a matplotlib Axes"):
        draw(ax)


def test_display_tells_to_pick_one_of_several_axes():
    with pytest.raises(TypeError, match=r"pick one of them, such as ax\.flat\[0\]"):
        DRAW["loss"](Figure().subplots(2, 3))


@pytest.mark.parametrize("projection", ["polar", "hammer"])
def test_display_refuses_axes_that_are_not_straight(projection):
    with pytest.raises(ValueError, match=f"ax must have straight axes .* {projection!r}"):
        DRAW["loss"](Figure().add_subplot(projection=projection))


@pytest.mark.parametrize("remove", [lambda ax: ax.remove(), lambda ax: ax.figure.clear()])
def test_display_refuses_an_ax_that_was_removed(remove):
    ax = Figure().subplots()
    remove(ax)
    with pytest.raises(ValueError, match="ax was removed from its figure"):
        DRAW["loss"](ax)


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_save_writes_the_format_of_the_suffix(tmp_path, suffix):
    start = {"png": PNG, "svg": b"<?xml", "pdf": b"%PDF"}[suffix]
    display = DRAW["loss"]()
    for name, drawn in (("display", display), ("ax", display.ax_)):
        path = tmp_path / f"{name}.{suffix}"
        plots.save(drawn, path)
        assert path.read_bytes().startswith(start)


def test_save_refuses_what_is_no_picture(tmp_path):
    with pytest.raises(TypeError, match="ax_or_display must be"):
        plots.save(HISTORY, tmp_path / "loss.png")
    with pytest.raises(ValueError, match="abc"):
        plots.save(DRAW["loss"](), tmp_path / "loss.abc")
    with pytest.raises(FileNotFoundError):
        plots.save(DRAW["loss"](), tmp_path / "nowhere" / "loss.png")


def test_plots_load_matplotlib_only_to_draw_and_say_where_it_is_missing():
    code = (
        "import sys; from chainrule import plots, Network\n"
        "assert 'matplotlib' not in sys.modules\n"
        "sys.modules['matplotlib'] = None\n"
        "plots.WeightHistogramDisplay.from_network(Network([1, 1], seed=0))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1] == "ImportError: plots need matplotlib: pip install 'chainrule[plot]'"


# ── Loss curve ───────────────────────────────────────────────────────────────────────────────────────────────────────


def lines(display):
    return {line.get_label(): list(line.get_ydata()) for line in display.lines_}


def test_loss_curve_draws_what_the_history_has():
    display = HISTORY.plot()
    assert lines(display) == {"training": [1.0, 0.5, 0.25], "validation": [2.0, 1.0, 0.5]}
    assert list(display.lines_[0].get_xdata()) == [1, 2, 3]
    assert [line.get_color() for line in display.lines_] == list(PALETTE[:2])
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("epoch", "loss")
    assert words(display.ax_) == ["best epoch 3", "training 0.25", "validation 0.5"]


def test_loss_curve_draws_the_median_of_several_runs():
    display = plots.LossCurveDisplay.from_history([history_of(1.0, 1.0), history_of(3.0, 6.0), history_of(2.0, 4.0)])
    assert lines(display) == {"training": [2.0, 4.0], "validation": [4.0, 8.0]}
    assert [list(line.get_ydata()) for line in display.ax_.get_lines()[:3]] == [[1.0, 1.0], [3.0, 6.0], [2.0, 4.0]]
    assert (display.best_column, display.best_epoch) == ("val_loss", 1)


def test_loss_curve_draws_other_columns():
    net = network(2, "cross_entropy")
    history = net.fit(X, LABELS, epochs=4, validation_data=(X, LABELS), metrics=["accuracy"], progress=False)
    display = history.plot(columns=("accuracy", "val_accuracy"))
    assert lines(display) == {"training": history["accuracy"], "validation": history["val_accuracy"]}
    assert display.ax_.get_ylabel() == "accuracy"
    assert display.ax_.get_yscale() == "linear"
    assert list(lines(history.plot(columns="accuracy"))) == ["training"]
    both = history.plot(columns=["loss", "val_loss", "accuracy"])
    assert list(lines(both)) == ["loss", "val_loss", "accuracy"]
    assert both.ax_.get_ylabel() == "loss and accuracy"
    assert words(both.ax_)[:3] == ["loss", "val_loss", "accuracy"]


@pytest.mark.parametrize(
    ("losses", "scale"),
    [((1.0, 0.1), "log"), ((1.0, 0.9), "linear"), ((1.0, 0.0), "linear"), ((1.0, -1.0), "linear"), ((7.0,), "linear")],
)
def test_loss_curve_is_logarithmic_where_the_loss_falls_far(losses, scale):
    ax = history_of(*losses, validation=False).plot().ax_
    assert ax.get_yscale() == scale
    low, high = sorted(ax.get_ylim())
    assert sum(low <= tick <= high for tick in ax.get_yticks()) >= 2, "ticks enough to read it"


@pytest.mark.parametrize(
    ("columns", "best"),
    [
        ({"loss": [3, 1, 2]}, ("loss", 2)),
        ({"loss": [3, 1, 1], "val_loss": [1, 2, 3]}, ("val_loss", 1)),
        ({"loss": [3, 1, 2], "accuracy": [0.1, 0.2, 0.3]}, ("loss", 2)),
        ({"val_accuracy": [0.1, 0.5, 0.4]}, ("val_accuracy", 2)),
        ({"val_mae": [0.1, 0.5, 0.4]}, ("val_mae", 1)),
        ({"r2": [float("nan"), 0.5, 0.4]}, ("r2", 2)),
        ({"my_own": [1, 2, 3]}, (None, None)),
        ({"loss": [2, 2, 2]}, (None, None)),
    ],
)
def test_loss_curve_marks_the_best_epoch(columns, best):
    display = plots.LossCurveDisplay.from_history({"epoch": [1, 2, 3], **columns}, columns=columns)
    assert (display.best_column, display.best_epoch) == best
    marked = [line.get_xdata()[0] for line in display.ax_.get_lines() if line.get_marker() == "o"]
    assert marked == ([] if best[1] is None else [best[1]])
    assert (f"best epoch {best[1]}" in words(display.ax_)) == (best[1] is not None)


@pytest.mark.parametrize("name", metrics.METRICS)
def test_better_end_of_every_metric_is_known(name):
    y = np.array([[0.0], [1.0], [1.0], [0.0]])
    right, wrong = (metrics.METRICS[name](y, prediction) for prediction in (y, 1 - y))
    assert (right < wrong) == (name in metrics.LOWER_IS_BETTER)


def test_loss_curve_of_one_epoch_is_a_point():
    display = history_of(2.0).plot()
    assert [line.get_marker() for line in display.lines_] == ["o", "o"]
    assert display.ax_.get_xlim() == (0.5, 1.5)
    assert [tick for tick in display.ax_.get_xticks() if 0.5 <= tick <= 1.5] == [1]
    assert display.best_epoch is None


def test_loss_curve_leaves_a_gap_where_a_metric_is_not_finite():
    history = {"epoch": [1, 2, 3], "r2": [0.1, float("nan"), 0.3], "rmse": [1.0, 2.0, float("inf")]}
    display = plots.LossCurveDisplay.from_history(history, columns=["r2", "rmse"])
    assert np.isnan(lines(display)["r2"][1])
    assert words(display.ax_)[-2:] == ["r2 0.3", "rmse 2"]


def test_loss_curve_has_a_legend_where_no_layout_makes_room_for_names():
    figure = Figure()
    assert words(HISTORY.plot(figure.subplots()).ax_) == ["training", "validation", "best epoch 3"]


@pytest.mark.parametrize("history", [1, None, "loss", {"loss": [1.0]}, [HISTORY, 1], [[1.0]], plots, np.zeros(3)])
def test_loss_curve_refuses_what_is_no_history(history):
    with pytest.raises(TypeError, match=r"history(\[\d\])? must be what Network.fit returned"):
        plots.LossCurveDisplay.from_history(history)


@pytest.mark.parametrize(
    ("history", "message"),
    [
        ([], "history has no epoch"),
        (History(), "history has no epoch"),
        ([history_of(1.0), history_of(1.0, 2.0)], "differ in their epochs"),
        ({"epoch": [1]}, "history has no column 'loss', only epoch"),
        ({"epoch": [1, 2], "loss": [1.0]}, r"column 'loss' has shape \(1, 1\), which is not \(n_runs, 2\)"),
        ({"epoch": [1], "loss": [float("nan")]}, "column 'loss' holds no finite number"),
        ({"epoch": [float("nan")], "loss": [1.0]}, "epoch of history is nan at row 0"),
    ],
)
def test_loss_curve_says_what_is_wrong_with_a_history(history, message):
    with pytest.raises(ValueError, match=message):
        plots.LossCurveDisplay.from_history(history, columns=None if "epoch" not in history else ["loss"])


def test_loss_curve_refuses_columns_that_are_not_there():
    with pytest.raises(ValueError, match="history has no column 'val_accuracy', only epoch, loss, val_loss"):
        HISTORY.plot(columns=["loss", "val_accuracy"])
    with pytest.raises(ValueError, match="columns is empty"):
        HISTORY.plot(columns=[])
    with pytest.raises(ValueError, match="columns is empty"):
        plots.LossCurveDisplay([1, 2], {})
    for columns in (1, [1], [["loss"]]):
        with pytest.raises(TypeError, match="columns must be names"):
            HISTORY.plot(columns=columns)
    with pytest.raises(TypeError, match="column 'loss' holds text"):
        plots.LossCurveDisplay.from_history({"epoch": [1], "loss": ["a"]})


# ── Confusion matrix ─────────────────────────────────────────────────────────────────────────────────────────────────


def written(display):
    return {place: text.get_text() for place, text in np.ndenumerate(display.text_) if text is not None}


@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40))
def test_confusion_counts_as_scikit_learn_does(pairs):
    from sklearn.metrics import confusion_matrix

    pairs = [*pairs, (0, 0), (1, 1)]  # of a single class scikit-learn warns
    true, pred = zip(*pairs, strict=True)
    names = [f"class {i}" for i in range(5)]
    for y_true, y_pred in ((true, pred), ([names[i] for i in true], [names[i] for i in pred])):
        assert np.array_equal(
            plots.ConfusionMatrixDisplay.from_predictions(y_true, y_pred).confusion_matrix,
            confusion_matrix(y_true, y_pred, labels=sorted({*y_true, *y_pred})),
        )
    for normalize in ("true", "pred", "all"):
        display = plots.ConfusionMatrixDisplay.from_predictions(true, pred, labels=range(5), normalize=normalize)
        expected = confusion_matrix(true, pred, labels=range(5), normalize=normalize)
        assert display.confusion_matrix == pytest.approx(expected)


def test_confusion_writes_counts_and_shades_by_the_share_of_the_true_class():
    display = plots.ConfusionMatrixDisplay.from_predictions([0, 0, 0, 0, 1], [0, 0, 0, 1, 1])
    assert written(display) == {(0, 0): "3", (0, 1): "1", (1, 1): "1"}
    assert np.array_equal(display.im_.get_array(), [[0.75, 0.25], [0, 1]])
    assert display.text_[0, 0].get_position() == (0, 0)
    assert display.text_[0, 1].get_position() == (1, 0)
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("predicted class", "true class")


def test_confusion_writes_shares_in_percent_and_says_of_what():
    y_true, y_pred = [0] * 999 + [1], [0] * 949 + [1] * 51
    shown = {
        n: plots.ConfusionMatrixDisplay.from_predictions(y_true, y_pred, normalize=n) for n in ("true", "pred", "all")
    }
    assert written(shown["true"]) == {(0, 0): "95", (0, 1): "5.0", (1, 1): "100"}
    assert written(shown["all"]) == {(0, 0): "95", (0, 1): "5.0", (1, 1): "0.1"}
    assert [display.ax_.get_ylabel() for display in shown.values()] == [
        "true class, % of the row",
        "true class, % of the column",
        "true class, % of all",
    ]
    assert shown["all"].im_.get_clim()[1] == pytest.approx(0.949), "the largest share is the darkest"


def test_confusion_takes_the_order_and_the_names_of_the_classes():
    display = plots.ConfusionMatrixDisplay.from_predictions(
        ["b", "a"], ["b", "b"], labels=["b", "c", "a"], display_labels=["Bee", "Cat", "Ant"]
    )
    assert display.confusion_matrix.tolist() == [[1, 0, 0], [0, 0, 0], [1, 0, 0]]
    assert [tick.get_text() for tick in display.ax_.get_xticklabels()] == ["Bee", "Cat", "Ant"]
    assert [tick.get_text() for tick in display.ax_.get_yticklabels()] == ["Bee", "Cat", "Ant"]


def test_confusion_of_thirty_classes_can_be_read_and_of_hundreds_drawn():
    y = np.random.default_rng(0).integers(0, 30, 3000)
    display = plots.ConfusionMatrixDisplay.from_predictions(y, y)
    assert len(written(display)) == 30
    assert all(display.text_[i, i].get_fontsize() >= 8 for i in range(30))
    assert len(display.ax_.get_xticks()) == 30
    small = plots.ConfusionMatrixDisplay.from_predictions(y, y, ax=Figure(figsize=(2, 2)).subplots())
    assert written(small) == {}, "too small to be read"
    assert 1 < len(small.ax_.get_xticks()) < 30
    assert plots.ConfusionMatrixDisplay.from_predictions(range(300), range(300)).confusion_matrix.shape == (300, 300)


@pytest.mark.parametrize(
    ("loss", "output_activation", "outputs", "y"),
    [
        ("cross_entropy", "identity", 2, LABELS),
        ("cross_entropy", "identity", 2, np.eye(2)[LABELS]),
        ("binary_cross_entropy", "identity", 1, LABELS),
        ("half_squared_error", "sigmoid", 1, LABELS[:, None]),
        ("half_squared_error", "sigmoid", 2, np.eye(2)[LABELS]),
    ],
)
def test_confusion_of_a_network_takes_the_class_that_accuracy_takes(loss, output_activation, outputs, y):
    net = network(outputs, loss, output_activation=output_activation)
    net.fit(X, y, epochs=5, progress=False)
    table = plots.ConfusionMatrixDisplay.from_network(net, X, y).confusion_matrix
    assert table.sum() == len(X)
    assert np.trace(table) / len(X) == pytest.approx(net.evaluate(X, y, metrics=["accuracy"])["accuracy"])
    assert list(table.sum(axis=1)) == list(np.bincount(LABELS))


@pytest.mark.parametrize(
    ("y_true", "y_pred", "error", "message"),
    [
        ([], [], ValueError, "y_true has no rows"),
        ([1], [], ValueError, "y_pred has no rows"),
        ([1, 2], [1], ValueError, "y_true has 2 rows but y_pred has 1"),
        ([1], [[0.1, 0.9]], ValueError, r"y_pred must be 1-D .*argmax"),
        ([1], 1, ValueError, "y_pred must be 1-D"),
        ([1], None, ValueError, "y_pred must be 1-D"),
        ([1.5], [1], ValueError, "y_true must hold classes, not numbers such as 1.5"),
        ([1.0], [float("nan")], ValueError, "y_pred must hold classes, not numbers such as nan"),
        (np.array([np.nan, "a"], object), ["a", "a"], TypeError, "y_true holds classes of several types"),
        (np.array([np.nan, 1], object), [1, 1], ValueError, "y_true holds NaN"),
        (["a"], [1], TypeError, "y_true holds classes of type str but y_pred of int"),
        ([None, 1], [1, 1], TypeError, "y_true holds classes of several types"),
        ([1j], [1], TypeError, "y_true must hold classes .* complex"),
        (np.array(["2020-01-01"], "M8[D]"), [1], TypeError, "y_true must hold classes .* dates"),
        ([[1], [1, 2]], [1, 2], ValueError, "y_true is ragged"),
        (range(1001), range(1001), ValueError, "1001 classes, and at most 1000"),
    ],
)
def test_confusion_says_what_is_wrong_with_predictions(y_true, y_pred, error, message):
    with pytest.raises(error, match=message):
        plots.ConfusionMatrixDisplay.from_predictions(y_true, y_pred)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"labels": [0]}, ValueError, "y_true holds the class 1, which is not in labels"),
        ({"labels": [0, 1, 1]}, ValueError, "labels names a class twice"),
        ({"labels": []}, ValueError, "labels has no rows"),
        ({"display_labels": ["a"]}, ValueError, "display_labels has 1 names but there are 2 classes"),
        ({"display_labels": "ab"}, TypeError, "display_labels must be a list"),
        ({"display_labels": 2}, TypeError, "display_labels must be a list"),
        ({"normalize": "rows"}, ValueError, "normalize 'rows' is unknown"),
        ({"normalize": True}, TypeError, "normalize must be one of true, pred, all"),
    ],
)
def test_confusion_says_what_is_wrong_with_an_argument(arguments, error, message):
    with pytest.raises(error, match=message):
        plots.ConfusionMatrixDisplay.from_predictions([0, 1], [0, 1], **arguments)


@pytest.mark.parametrize("table", [[], [1, 2], [[1, 2]], [[[1]]], [[-1]], [[float("nan")]], [["a"]]])
def test_confusion_refuses_what_is_no_table_of_counts(table):
    with pytest.raises(ValueError, match="confusion_matrix must"):
        plots.ConfusionMatrixDisplay(table)


# ── Predictions of numbers ───────────────────────────────────────────────────────────────────────────────────────────


def test_prediction_error_draws_the_truth_or_the_residual_against_the_prediction():
    true, pred = [1.0, 2.0, 4.0], [1.5, 2.0, 3.0]
    display = plots.PredictionErrorDisplay.from_predictions(true, pred)
    assert display.points_.get_offsets().tolist() == [[1.5, 1.0], [2.0, 2.0], [3.0, 4.0]]
    assert np.array_equal(display.line_.get_xdata(), display.line_.get_ydata())
    assert display.ax_.get_xlim() == display.ax_.get_ylim()
    display = plots.PredictionErrorDisplay.from_predictions(true, pred, kind="residual_vs_predicted")
    assert display.points_.get_offsets().tolist() == [[1.5, -0.5], [2.0, 0.0], [3.0, 1.0]]
    assert list(display.line_.get_ydata()) == [0.0, 0.0]
    assert sum(display.ax_.get_ylim()) == 0, "zero lies in the middle"
    assert display.ax_.get_ylabel() == "true − predicted"


@pytest.mark.parametrize("kind", ["actual_vs_predicted", "residual_vs_predicted"])
def test_prediction_error_of_many_rows_counts_all_of_them(kind):
    rng = np.random.default_rng(0)
    true = rng.normal(size=5000)
    display = plots.PredictionErrorDisplay.from_predictions(true, true + rng.normal(size=5000), kind=kind)
    assert display.points_.get_array().sum() == 5000
    assert words(display.ax_) == ["5,000 rows; the darker, the more"]


@pytest.mark.parametrize("n", [1, 3, 3000])
@pytest.mark.parametrize("kind", ["actual_vs_predicted", "residual_vs_predicted"])
@pytest.mark.parametrize("value", [0.0, 7.0, 1e20, -1e-20])
def test_prediction_error_of_equal_numbers_has_an_axis(n, kind, value):
    display = plots.PredictionErrorDisplay.from_predictions([value] * n, [value] * n, kind=kind)
    display.figure_.draw_without_rendering()
    for low, high in (display.ax_.get_xlim(), display.ax_.get_ylim()):
        assert low < high
    assert display.ax_.get_xlim()[0] < value < display.ax_.get_xlim()[1]


def test_prediction_error_of_a_network_draws_the_output_that_is_asked_for():
    net = network(2)
    y = np.column_stack([NUMBERS, -NUMBERS])
    display = plots.PredictionErrorDisplay.from_network(net, X, y, output=1)
    assert display.y_true == pytest.approx(-NUMBERS)
    assert display.y_pred == pytest.approx(net.predict(X)[:, 1])
    with pytest.raises(ValueError, match="output must be an integer from 0 to 1, not 2"):
        plots.PredictionErrorDisplay.from_network(net, X, y, output=2)
    with pytest.raises(ValueError, match="y holds labels of classes"):
        plots.PredictionErrorDisplay.from_network(network(2, "cross_entropy"), X, LABELS)


@pytest.mark.parametrize(
    ("y_true", "y_pred", "error", "message"),
    [
        ([], [], ValueError, "y_true has no rows"),
        ([1.0, 2.0], [1.0], ValueError, "y_true has 2 rows but y_pred has 1"),
        ([[1.0, 2.0]], [1.0], ValueError, r"y_true must be 1-D .*y_true\[:, j\]"),
        ([1.0], [float("nan")], ValueError, "y_pred is nan at row 0"),
        ([0, float("inf")], [1, 1], ValueError, "y_true is inf at row 1"),
        (["a"], [1.0], TypeError, "y_true holds text"),
        ([1.0], None, TypeError, "y_pred holds NoneType"),
        ([1e200], [1.0], ValueError, "too far to be drawn"),
    ],
)
@pytest.mark.parametrize("kind", ["actual_vs_predicted", "residual_vs_predicted"])
def test_prediction_error_says_what_is_wrong_with_predictions(y_true, y_pred, error, message, kind):
    with pytest.raises(error, match=message):
        plots.PredictionErrorDisplay.from_predictions(y_true, y_pred, kind=kind)


def test_prediction_error_refuses_a_kind_that_it_does_not_know():
    with pytest.raises(ValueError, match="kind 'residuals' is unknown; did you mean 'residual_vs_predicted'"):
        plots.PredictionErrorDisplay.from_predictions([1.0], [1.0], kind="residuals")
    with pytest.raises(TypeError, match="kind must be one of"):
        plots.PredictionErrorDisplay([1.0], [1.0]).plot(kind=None)


# ── Weights and deltas ───────────────────────────────────────────────────────────────────────────────────────────────


def histograms(ax):
    """Return the heights above their base of each histogram, and where it has its bins."""
    found = [patch.get_data() for patch in ax.patches]
    return [(heights - baseline, edges) for heights, edges, baseline in found]


def test_weight_histogram_has_a_row_a_dense_layer():
    net = Network([4, chainrule.Dense(300, "tanh"), chainrule.Dropout(0.5), 3], seed=0)
    display = plots.WeightHistogramDisplay.from_network(net)
    assert display.names == ["1 Dense 300 tanh", "3 Dense 3 identity"]
    assert len(histograms(display.ax_)) == 2
    for (heights, edges), w in zip(histograms(display.ax_), net.weights, strict=True):
        counts = np.histogram(w, edges)[0]
        assert counts.sum() == w.size, "no weight lies outside"
        assert np.nan_to_num(heights) == pytest.approx(counts * np.nanmax(heights) / counts.max())
    assert [f"std {w.std():.2g}" in words(display.ax_) for w in net.weights] == [True, True]
    assert set(display.names) < set(words(display.ax_))


def test_weight_histogram_draws_biases_where_asked():
    net = Network([4, chainrule.Dense(5, bias=False), 3], seed=0)
    net.biases = [[], [1.0, 2.0, 2.0]]
    display = plots.WeightHistogramDisplay.from_network(net, biases=True)
    drawn = histograms(display.ax_)
    assert len(drawn) == 3, "two of weights, one of biases"
    heights, edges = drawn[2]
    assert list(edges[:-1][heights == np.nanmax(heights)] // 1 + 1) == [2.0]
    assert display.ax_.get_xlim()[1] > 2
    assert "bias" in display.ax_.get_xlabel()
    with pytest.raises(TypeError, match="biases must be True or False"):
        plots.WeightHistogramDisplay.from_network(net, biases=1)


@pytest.mark.parametrize("value", [0.0, -3.0, 1e-30])
def test_weight_histogram_of_equal_weights_has_an_axis(value):
    net = Network([3, 2, 1], dtype="float64", seed=0)
    net.parameters = np.full(net.n_parameters, value)
    display = plots.WeightHistogramDisplay.from_network(net)
    low, high = display.ax_.get_xlim()
    assert low < value < high
    assert "std 0" in words(display.ax_)


def test_weight_histogram_refuses_weights_that_have_run_away():
    net = Network([1, 1], dtype="float64", seed=0)
    net.parameters = [1e200, 0.0]
    with pytest.raises(ValueError, match=r"network.parameters reaches from 1e\+200 to 1e\+200, too far"):
        plots.WeightHistogramDisplay.from_network(net)


def test_delta_histogram_has_the_deltas_of_the_trace_on_a_logarithmic_axis():
    net = Network([2, 8, chainrule.Dropout(0.5), 8, 1], activation="tanh", seed=0)
    display = plots.DeltaHistogramDisplay.from_network(net, X, NUMBERS)
    traced = [layer for layer in net.trace(X, NUMBERS) if layer.d_weight.size]
    assert display.ax_.get_xscale() == "log"
    assert display.names == ["1 Dense 8 tanh", "3 Dense 8 tanh", "4 Dense 1 identity"]
    for (heights, edges), layer in zip(histograms(display.ax_), traced, strict=True):
        counts = np.histogram(np.abs(layer.delta[layer.delta != 0]), edges)[0]
        assert counts.sum() == np.count_nonzero(layer.delta), "no delta lies outside"
        assert np.nan_to_num(heights) == pytest.approx(counts * np.nanmax(heights) / counts.max())


def test_delta_histogram_shows_that_errors_vanish():
    deep = Network([2, *[20] * 8, 1], activation="sigmoid", seed=0)
    display = plots.DeltaHistogramDisplay.from_network(deep, X, NUMBERS)
    medians = [np.median(delta) for delta in display.deltas]
    assert medians == sorted(medians)
    assert medians[0] < 1e-4 * medians[-1]
    marks = [segment[0][0] for collection in display.ax_.collections for segment in collection.get_segments()]
    assert marks == pytest.approx(medians)


def test_delta_histogram_tells_dead_units_and_zeros():
    net = Network([2, 4, 1], activation="relu", seed=0)
    net.biases = [[-100.0, -100.0, 100.0, 100.0], [0.0]]
    display = plots.DeltaHistogramDisplay.from_network(net, X, NUMBERS)
    assert display.dead == [2, 0]
    (text,) = [text for text in display.ax_.texts if "dead" in text.get_text()]
    assert text.get_text() == "50% zero, 2 of 4 dead"
    assert to_hex(text.get_color()) == PALETTE[1].lower()


def test_delta_histogram_of_a_perfect_network_says_all_zero():
    display = plots.DeltaHistogramDisplay.from_network(Network([1, 2, 1], init="zeros", seed=0), [[1.0]], [0.0])
    assert words(display.ax_).count("all zero") == 2
    display.figure_.draw_without_rendering()


def test_delta_histogram_refuses_deltas_that_are_too_large():
    net = Network([1, 1, 1], activation="identity", dtype="float64", seed=0)
    net.weights = [[[1.0]], [[1e160]]]
    with pytest.raises(ValueError, match=r"delta of layer 1 .* explode"):
        plots.DeltaHistogramDisplay.from_network(net, [[1.0]], [0.0])


# ── Decision boundary ────────────────────────────────────────────────────────────────────────────────────────────────


def boundary(net, *arguments, **options):
    return plots.DecisionBoundaryDisplay.from_network(net, *arguments, **{"grid_resolution": 40, **options})


def pixels(display):
    (image,) = display.ax_.images
    return np.asarray(image.get_array())


def nearest_color(pixel):
    """Return the color of the palette that a pixel, a mixture of it with white, is nearest to."""
    from matplotlib.colors import to_rgb

    hues = [1 - np.asarray(to_rgb(color)) for color in PALETTE]
    return int(np.argmax([(1 - pixel) @ hue / np.linalg.norm(hue) for hue in hues]))


@pytest.mark.parametrize(
    ("net", "classes"),
    [
        (network(3, "cross_entropy"), lambda p: p.argmax(axis=1)),
        (network(2, "cross_entropy"), lambda p: p.argmax(axis=1)),
        (network(1, "binary_cross_entropy"), lambda p: (p[:, 0] >= 0.5).astype(int)),
        (network(1, "half_squared_error", output_activation="sigmoid"), lambda p: (p[:, 0] >= 0.5).astype(int)),
        (network(3, "mse", output_activation="softmax"), lambda p: p.argmax(axis=1)),
    ],
)
def test_boundary_colors_each_point_by_its_class(net, classes):
    display = boundary(net, X)
    points = np.column_stack([display.xx0.ravel(), display.xx1.ravel()])
    predicted = net.predict(points)
    sure = np.abs(display.outputs.leads(predicted.astype(float))).min(axis=1) > 0.02  # near white, colors are alike
    found = np.array([nearest_color(pixel) for pixel in pixels(display).reshape(-1, 3)])
    assert sure.mean() > 0.3
    assert np.array_equal(found[sure], classes(predicted)[sure])


def test_boundary_is_stronger_where_the_network_is_surer():
    net = Network([2, 1], loss="binary_cross_entropy", seed=0)
    net.weights, net.biases = [[[4.0], [0.0]]], [[0.0]]
    display = boundary(net, X)
    whiteness = pixels(display).mean(axis=2)[0]
    middle = len(whiteness) // 2
    assert (np.diff(whiteness[:middle]) > 0).all()
    assert (np.diff(whiteness[middle:]) < 0).all()
    paths = [path for collection in display.ax_.collections for path in getattr(collection, "get_paths", list)()]
    lines_at_zero = [path for path in paths if len(path.vertices) >= 40 and np.abs(path.vertices[:, 0]).max() < 0.01]
    assert len(lines_at_zero) >= 1, "the boundary lies where p = 1/2, at feature 0 = 0"


def test_boundary_draws_the_samples_of_each_class_on_top():
    display = boundary(network(3, "cross_entropy"), X, LABELS, display_labels=["no", "yes", "maybe"])
    offsets = [c.get_offsets() for c in display.ax_.collections if len(c.get_offsets()) > 1]
    assert [
        np.array_equal(o, np.float32(X[c == LABELS])) or np.allclose(o, X[c == LABELS]) for c, o in enumerate(offsets)
    ] == [True, True]
    assert words(display.ax_) == ["no", "yes"], "of the classes that occur"


def test_boundary_shows_the_samples_and_some_room_around_them():
    display = boundary(network(), X, margin=0.5)
    for j, (low, high) in enumerate((display.ax_.get_xlim(), display.ax_.get_ylim())):
        spread = np.ptp(X[:, j])
        assert low == pytest.approx(X[:, j].min() - 0.5 * spread)
        assert high == pytest.approx(X[:, j].max() + 0.5 * spread)


def test_boundary_of_numbers_draws_labeled_contours():
    net = network()
    net.fit(X, NUMBERS, epochs=50, progress=False)
    display = boundary(net, X, NUMBERS)
    points = np.column_stack([display.xx0.ravel(), display.xx1.ravel()])
    assert pixels(display) == pytest.approx(net.predict(points).reshape(40, 40))
    assert "contours: predicted, points: true" in words(display.ax_)
    levels = [float(word.replace("−", "-")) for word in words(display.ax_) if word[-1].isdigit()]
    assert levels
    assert all(display.response.min() < level < display.response.max() for level in levels)
    assert [
        np.array_equal(c.get_array(), np.float32(NUMBERS)) or np.allclose(c.get_array(), NUMBERS)
        for c in display.ax_.collections
        if c.get_array() is not None and len(c.get_array()) == len(X)
    ] == [True]


def test_boundary_of_a_constant_says_what_it_is():
    display = boundary(Network([2, 1], init="zeros", seed=0), [[1.0, 1.0]], [3.0])
    assert words(display.ax_) == ["predicted: 0, points: true"]
    display.figure_.draw_without_rendering()


def test_boundary_draws_the_output_that_is_asked_for():
    net = network(2)
    display = boundary(net, X, np.column_stack([NUMBERS, -NUMBERS]), output=1)
    points = np.column_stack([display.xx0.ravel(), display.xx1.ravel()])
    assert display.response.ravel() == pytest.approx(net.predict(points)[:, 1])
    assert display.y == pytest.approx(-NUMBERS)
    several = network(2, "binary_cross_entropy")
    y = np.column_stack([LABELS, 1 - LABELS])
    assert list(boundary(several, X, y, output=1).y) == list(1 - LABELS)
    with pytest.raises(ValueError, match="output is not for a network whose outputs exclude each other"):
        boundary(network(2, "cross_entropy"), X, output=1)


def test_boundary_takes_the_names_of_the_columns():
    import pandas as pd

    ax = boundary(network(), pd.DataFrame(X, columns=["width", "height"])).ax_
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("width", "height")
    ax = boundary(network(), X).ax_
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("feature 0", "feature 1")


def test_boundary_of_more_classes_than_colors_has_no_long_legend():
    net = network(20, "cross_entropy")
    display = boundary(net, np.tile(X, (2, 1)), np.arange(120) % 20)
    assert display.ax_.get_legend() is None


@pytest.mark.parametrize("n", [1, 3, 30])
def test_boundary_refuses_another_number_of_features(n):
    with pytest.raises(ValueError, match=f"network takes {n} features; a decision boundary is drawn of two"):
        boundary(Network([n, 1], seed=0), np.zeros((4, n)))


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((X[:, :1],), {}, ValueError, "X has 1 columns but the network was built for 2"),
        ((X[:, 0],), {}, ValueError, "X must be 2-D"),
        ((X[:0],), {}, ValueError, "X has no rows"),
        (([["a", "b"]],), {}, TypeError, "X holds text"),
        (([[1.0, float("nan")]],), {}, ValueError, "X"),
        ((X, NUMBERS[:-1]), {}, ValueError, "y has 59 rows but X has 60"),
        ((X, [float("nan")] * 60), {}, ValueError, "y"),
        ((X,), {"grid_resolution": 1}, ValueError, "grid_resolution must be an integer from 2"),
        ((X,), {"grid_resolution": 2.5}, TypeError, "grid_resolution must be an integer"),
        ((X,), {"margin": -1}, ValueError, "margin must be a number"),
        ((X,), {"display_labels": ["a"]}, ValueError, "display_labels has 1 names"),
        ((X,), {"output": 1}, ValueError, "output must be an integer from 0 to 0"),
    ],
)
def test_boundary_says_what_is_wrong_with_an_argument(arguments, options, error, message):
    with pytest.raises(error, match=message):
        boundary(network(), *arguments, **options)


def test_boundary_refuses_what_is_too_far_apart_or_overflows():
    net = Network([2, 1], dtype="float64", seed=0)
    with pytest.raises(ValueError, match=r"X reaches from .* too far to be drawn"):
        boundary(net, [[0.0, -1e308], [0.0, 1e308]])
    net.weights = [[[1e300], [0.0]]]
    with pytest.raises(ValueError, match="network predicts numbers around X that are not finite"):
        boundary(net, [[0.0, 0.0], [1e10, 0.0]])
    with pytest.raises(ValueError, match=r"the prediction reaches from .* too far to be drawn"):
        boundary(net, [[0.0, 0.0], [1.0, 0.0]])


# ── What networks mean by their outputs ──────────────────────────────────────────────────────────────────────────────


def test_margins_are_a_yes_from_zero_on():
    outputs = Outputs.of(network(1, "hinge"))
    assert outputs == Outputs("yes or no", margin=True)
    values = np.array([[-3.0], [0.0], [0.25], [2.0]])
    assert list(outputs.classes(values)) == [0, 1, 1, 1]
    assert outputs.leads(values)[:, 1].tolist() == [-1.0, 0.0, 0.25, 1.0]
    assert not Outputs.of(network(2, "squared_hinge")).exclusive


def test_leads_are_ahead_of_the_best_other_class():
    values = np.array([[0.5, 0.3, 0.2], [0.25, 0.5, 0.25], [0.4, 0.4, 0.2]])
    leads = Outputs("one of several").leads(values)
    assert leads == pytest.approx(np.array([[0.2, -0.2, -0.3], [-0.25, 0.25, -0.25], [0.0, 0.0, -0.2]]))


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (network(), "network predicts numbers .loss 'mse'., not classes"),
        (network(2, "binary_cross_entropy"), "the 2 outputs of network do not exclude each other"),
    ],
)
def test_confusion_refuses_a_network_without_one_class_a_row(net, message):
    with pytest.raises(ValueError, match=message):
        plots.ConfusionMatrixDisplay.from_network(net, X, np.zeros((60, net.n_outputs)))


OF_NETWORK = {
    "confusion": plots.ConfusionMatrixDisplay.from_network,
    "prediction": plots.PredictionErrorDisplay.from_network,
    "deltas": plots.DeltaHistogramDisplay.from_network,
    "boundary": lambda n, X, y: plots.DecisionBoundaryDisplay.from_network(n, X, y, grid_resolution=9),
    "weights": lambda n, X, y: plots.WeightHistogramDisplay.from_network(n),
}


@pytest.mark.parametrize("net", [None, 1, "net", Network, chainrule.reference.Network([2, 1], seed=0)])
@pytest.mark.parametrize("draw", OF_NETWORK.values(), ids=OF_NETWORK.keys())
def test_displays_refuse_what_is_no_network(draw, net):
    with pytest.raises(TypeError, match=r"network must be a chainrule\.Network"):
        draw(net, X, LABELS)


@pytest.mark.parametrize("name", ["confusion", "prediction", "deltas", "boundary"])
def test_displays_refuse_data_of_another_number_of_features(name):
    with pytest.raises(ValueError, match="X has 3 columns but the network was built for 2"):
        OF_NETWORK[name](network(1, "binary_cross_entropy"), np.zeros((60, 3)), LABELS)


@pytest.mark.parametrize("name", ["confusion", "prediction", "deltas", "boundary"])
def test_displays_change_nothing_of_a_network(name):
    net = Network([2, 4, chainrule.Dropout(0.5), 1], loss="binary_cross_entropy", seed=0)
    before = net.state_dict()
    OF_NETWORK[name](net, X, LABELS)
    after = net.state_dict()
    assert all(np.array_equal(before[key], after[key]) for key in before)


@settings(max_examples=max(20, settings().max_examples // 2))
@given(
    st.sampled_from(sorted(OF_NETWORK)),
    st.sampled_from(["mse", "cross_entropy", "binary_cross_entropy"]),
    st.integers(2, 3),
    MAYBE_X,
    MAYBE_Y,
)
@pytest.mark.filterwarnings("ignore")  # what NumPy says of ragged lists, casts and complex numbers is not ours
def test_any_display_of_a_network_is_drawn_or_raises_a_clear_error(name, loss, n_inputs, x, y):
    try:
        OF_NETWORK[name](Network([n_inputs, 4, 2], loss=loss, seed=0), x, y)
    except ALLOWED as problem:
        assert str(problem), type(problem)


ANY = {
    "loss": lambda a, b, c: plots.LossCurveDisplay.from_history(a, columns=b),
    "loss of an estimator": lambda a, b, c: plots.LossCurveDisplay.from_estimator(a, columns=b, ax=c),
    "loss of what looks like one": lambda a, b, c: plots.LossCurveDisplay.from_estimator(
        SimpleNamespace(loss_curve_=a, validation_scores_=b)
    ),
    "loss columns": lambda a, b, c: plots.LossCurveDisplay.from_history({"epoch": [1, 2], "loss": a}, columns=b),
    "confusion": lambda a, b, c: plots.ConfusionMatrixDisplay.from_predictions(a, b, labels=c),
    "confusion names": lambda a, b, c: plots.ConfusionMatrixDisplay.from_predictions(a, a, display_labels=b, ax=c),
    "prediction": lambda a, b, c: plots.PredictionErrorDisplay.from_predictions(a, b),
    "prediction kind": lambda a, b, c: plots.PredictionErrorDisplay.from_predictions(a, a, kind=b, ax=c),
}


@settings(max_examples=2 * settings().max_examples)
@given(st.sampled_from(sorted(ANY)), ANYTHING, ANYTHING, st.one_of(st.none(), ANYTHING))
@pytest.mark.filterwarnings("ignore")
def test_any_call_of_a_display_draws_or_raises_a_clear_error(name, a, b, c):
    try:
        ANY[name](a, b, c)
    except ALLOWED as problem:
        assert str(problem), type(problem)


# ── The pictures of the documentation ────────────────────────────────────────────────────────────────────────────────


def test_pictures_of_the_documentation_are_those_that_its_examples_save(tmp_path):
    docs = Path(__file__).parents[1] / "docs"
    done = subprocess.run([sys.executable, str(docs / "pictures" / "make.py"), str(tmp_path)], check=False)
    assert done.returncode == 0
    made = sorted(path.name for path in tmp_path.iterdir())
    assert made == sorted(path.name for path in (docs / "pictures").glob("*.png"))
    page = (docs / "pictures.md").read_text(encoding="utf-8")
    assert [name for name in made if f"](pictures/{name})" not in page] == []
    assert max(path.stat().st_size for path in [*tmp_path.iterdir(), *docs.rglob("*.png")]) < 60_000


# ── Names ──

ODD = ["$0-$50k", "$5^$", "a$b", r"\$", "_x", "{", "%"]


@pytest.mark.parametrize("name", ODD)
def test_names_of_classes_are_shown_as_they_are(name):
    display = plots.ConfusionMatrixDisplay.from_predictions([0, 1, 1], [0, 1, 0], display_labels=[name, "b"])
    display.figure_.savefig(BytesIO())
    for labels in (display.ax_.get_xticklabels(), display.ax_.get_yticklabels()):
        assert as_shown(labels[0]) == name


@pytest.mark.parametrize("name", ODD)
def test_names_in_the_picture_of_a_plane_are_shown_as_they_are(name):
    net = Network([2, 2], loss="cross_entropy", seed=0)
    frame = pd.DataFrame(X, columns=[name, f"{name}2"])
    display = plots.DecisionBoundaryDisplay.from_network(net, frame, np.arange(len(X)) % 2, display_labels=[name, "b"])
    display.figure_.savefig(BytesIO())
    assert [as_shown(text).strip() for text in display.ax_.get_legend().get_texts()] == [name, "b"]
    assert as_shown(display.ax_.xaxis.label) == name


def test_names_of_columns_are_shown_as_they_are():
    history = {"epoch": [1, 2], "$x$": [1.0, 2.0], "$y_$": [1.0, 2.0]}
    display = plots.LossCurveDisplay.from_history(history, columns=["$x$", "$y_$"])
    display.figure_.savefig(BytesIO())
    assert as_shown(display.ax_.yaxis.label) == "$x$ and $y_$"


def as_shown(text):
    """Return what matplotlib draws, which is no mathematics."""
    shown, is_math = text._preprocess_math(text.get_text())
    assert not is_math
    return shown


def test_letters_that_the_font_lacks_come_from_another():
    from matplotlib.font_manager import findfont, get_font

    lacking = get_font(findfont("STIXGeneral")).get_charmap().keys() - get_font(findfont("DejaVu Sans")).get_charmap()
    letter = chr(min(code for code in lacking if chr(code).isprintable()))
    display = plots.ConfusionMatrixDisplay.from_predictions([0, 1], [0, 1], display_labels=[letter, "b"])
    display.figure_.savefig(BytesIO())  # a box would be a warning, which is an error here
    assert names.fonts(["plain"]) == {}
    assert names.fonts([letter])["fontfamily"][0] == mpl.rcParams["font.family"][0]
