"""Metrics equal scikit-learn's functions, given by name or as functions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule import Network, metrics

RNG = np.random.default_rng(0)
REGRESSION = {"r2": "r2_score", "mae": "mean_absolute_error", "rmse": "root_mean_squared_error"}


@pytest.mark.parametrize("name", REGRESSION)
@given(st.integers(2, 30), st.integers(1, 5), st.booleans(), st.integers(0, 2**32 - 1))
def test_regression_metrics_equal_scikit_learns(name, n, k, weighted, seed):
    theirs = getattr(pytest.importorskip("sklearn.metrics"), REGRESSION[name], None)
    if theirs is None:
        pytest.skip("this scikit-learn has no such function")
    rng = np.random.default_rng(seed)
    y, a = rng.standard_normal((n, k)), rng.standard_normal((n, k))
    w = rng.random(n) if weighted else None
    assert metrics.METRICS[name](y, a, w) == pytest.approx(theirs(y, a, sample_weight=w), rel=1e-12, abs=1e-12)


@given(st.integers(1, 30), st.integers(2, 5), st.booleans(), st.integers(0, 2**32 - 1))
def test_accuracies_equal_scikit_learns(n, k, weighted, seed):
    theirs = pytest.importorskip("sklearn.metrics").accuracy_score
    rng = np.random.default_rng(seed)
    p, w = rng.random((n, k)), rng.random(n) if weighted else None
    label, several = rng.integers(0, k, n), rng.integers(0, 2, (n, k))
    assert metrics.accuracy(label, p, w) == pytest.approx(theirs(label, p.argmax(axis=1), sample_weight=w))
    assert metrics.accuracy(np.eye(k)[label], p, w) == metrics.accuracy(label, p, w)
    assert metrics.subset_accuracy(several, p, w) == pytest.approx(theirs(several, p >= 0.5, sample_weight=w))
    one = several[:, :1]
    assert metrics.accuracy(one, p[:, :1], w) == metrics.accuracy(one[:, 0], p[:, :1], w)
    assert metrics.accuracy(one, p[:, :1], w) == pytest.approx(theirs(one, p[:, :1] >= 0.5, sample_weight=w))


def test_r2_of_a_constant_target():
    y, exact = np.ones((3, 1)), np.ones((3, 1))
    assert metrics.r2(y, exact) == 1.0
    assert metrics.r2(y, exact * 2) == 0.0


@pytest.mark.parametrize("name", metrics.METRICS)
def test_weights_of_zero_give_nan(name):
    assert np.isnan(metrics.METRICS[name](np.ones((3, 1)), np.ones((3, 1)), np.zeros(3)))


@pytest.mark.parametrize("name", metrics.METRICS)
def test_weights_count_as_repetition(name):
    y, a, w = RNG.integers(0, 2, (9, 2)).astype(float), RNG.random((9, 2)), np.array([0, 1, 2] * 3)
    function = metrics.METRICS[name]
    assert function(y, a, w) == pytest.approx(function(y.repeat(w, axis=0), a.repeat(w, axis=0)))


def test_accuracy_means_every_label_for_binary_cross_entropy():
    net = Network([2, 2], loss="binary_cross_entropy", seed=0)
    net.weights = [np.eye(2)]
    X, y = [[1, 1], [1, -1], [-1, 1]], [[1, 1], [1, 1], [0, 1]]
    assert net.evaluate(X, y, metrics=["accuracy"])["accuracy"] == 2 / 3
    assert net.evaluate(X, y, metrics="accuracy")["accuracy"] == 2 / 3


@pytest.mark.parametrize("name", ["accuracy", "subset_accuracy"])
@pytest.mark.parametrize("loss", ["mse", "huber", "poisson", "gaussian_nll"])
def test_accuracy_of_a_network_that_predicts_numbers_is_refused(name, loss):
    net, X, y = Network([3, 2], loss=loss, seed=0), RNG.standard_normal((9, 3)), RNG.random((9, 2))
    y = y[:, :1] if loss == "gaussian_nll" else y
    before = net.parameters
    text = (
        rf"^metric '{name}' needs classes, but .* '{loss}' predicts numbers: use 'r2', 'mae' or 'rmse', or .*\.{name}$"
    )
    for call in (net.evaluate, net.fit):
        with pytest.raises(ValueError, match=text):
            call(X, y, metrics=[name])
    assert np.array_equal(net.parameters, before)


def test_accuracy_of_numbers_near_0_and_1_is_the_function():
    net = Network([1, 2], loss="mse", seed=0)
    net.weights = [[[1.0, -1.0]]]
    y = [[1, 0], [0, 1], [0, 1]]
    assert net.evaluate([[0.9], [-0.2], [0.3]], y, metrics=[metrics.accuracy])["accuracy"] == 2 / 3
    net = Network([1, 1], output_activation="sigmoid", loss="mse", seed=0)  # its outputs are probabilities
    assert 0.0 <= net.evaluate([[0.9], [-0.2]], [1, 0], metrics=["accuracy"])["accuracy"] <= 1.0


def test_accuracy_means_the_side_of_every_output_for_hinge():
    net = Network([2, 2], loss="hinge", seed=0)
    net.weights = [np.eye(2)]
    X, y = [[0.3, 0.2], [1, -1], [-1, 0.2]], [[1, 1], [1, 1], [-1, 1]]
    assert net.evaluate(X, y, metrics=["accuracy", "subset_accuracy"])["accuracy"] == 2 / 3
    assert net.evaluate(X, y, metrics="subset_accuracy")["subset_accuracy"] == 2 / 3
    net = Network([1, 1], loss="squared_hinge", seed=0)
    net.weights = [[[1.0]]]
    assert net.evaluate([[0.1], [-0.2], [0.3]], [1, -1, -1], metrics="accuracy")["accuracy"] == 2 / 3


@pytest.mark.parametrize("name", ["r2", "mae", "rmse"])
def test_metrics_look_at_the_means_where_variances_are_predicted_too(name):
    net, X, y = Network([3, 4], loss="gaussian_nll", seed=0), RNG.standard_normal((9, 3)), RNG.standard_normal((9, 2))
    means = net.predict(X)[:, :2]
    seen = []
    result = net.evaluate(X, y, metrics=[name, lambda y_true, y_pred: seen.append(y_pred.shape) or 0.0])
    assert result[name] == metrics.METRICS[name](y, means)
    assert seen == [(9, 4)]
    history = net.fit(X, y, validation_data=(X, y), metrics=[name])
    assert history[f"val_{name}"] == history[name]


def test_functions_are_metrics_under_their_names():
    net, X, y = Network([2, 1], seed=0), RNG.standard_normal((5, 2)), RNG.standard_normal(5)
    seen = {}

    def largest(y_true, y_pred, sample_weight=None):
        seen.update(y_true=y_true, y_pred=y_pred, sample_weight=sample_weight)
        return np.abs(y_true - y_pred).max()

    result = net.evaluate(X, y, metrics=[largest, "mae"])
    assert list(result) == ["loss", "largest", "mae"]
    assert all(type(value) is float for value in result.values())
    assert seen["y_true"].shape == seen["y_pred"].shape == (5, 1)
    assert np.array_equal(seen["y_pred"], net.predict(X))
    assert seen["sample_weight"] is None
    net.evaluate(X, y, [1, 2, 3, 4, 5], metrics=[largest])
    assert seen["sample_weight"].tolist() == [1, 2, 3, 4, 5]


def test_function_of_two_arguments_will_do_without_weights():
    net = Network([2, 1], seed=0)
    assert net.evaluate([[1, 2]], [3], metrics=lambda y, a: 7)["<lambda>"] == 7.0


def test_scikit_learns_functions_are_metrics():
    sklearn_metrics = pytest.importorskip("sklearn.metrics")
    net, X, y = Network([2, 3], loss="cross_entropy", seed=0), RNG.standard_normal((9, 2)), np.arange(9) % 3
    result = net.evaluate(X, y, np.ones(9), metrics=[sklearn_metrics.log_loss])
    assert result["log_loss"] == pytest.approx(result["loss"], rel=1e-6)


def test_metric_that_is_not_a_number_is_refused():
    with pytest.raises(TypeError, match="metric 'shape' must return a number, got tuple"):
        Network([2, 1], seed=0).evaluate([[1, 2]], [3], metrics=[lambda_named("shape", lambda y, a: y.shape)])


def lambda_named(name, function):
    function.__name__ = name
    return function


def test_numbers_are_not_compared_with_labels():
    net = Network([2, 3], loss="cross_entropy", seed=0)
    with pytest.raises(ValueError, match="metric 'r2' compares numbers one by one"):
        net.evaluate([[1, 2]], [0], metrics=["r2"])


@pytest.mark.parametrize("name", metrics.METRICS)
def test_metrics_take_lists(name):
    function = metrics.METRICS[name]
    y, a, w = [[0.0, 1.0], [1.0, 0.0]], [[0.25, 0.75], [0.5, 0.75]], [1, 3]
    assert function(y, a, w) == function(np.array(y), np.array(a), np.array(w, float))


@pytest.mark.parametrize("name", metrics.METRICS)
@pytest.mark.parametrize(
    ("y", "a", "w", "error"),
    [
        (np.ones(3), np.ones(3), None, ValueError),
        (np.ones(3), np.ones((2, 1)), None, ValueError),
        (np.ones((3, 2)), np.ones((3, 3)), None, ValueError),
        (np.ones((3, 0)), np.ones((3, 0)), None, ValueError),
        (np.ones((3, 1)), np.ones((3, 1)), [1.0, 1.0], ValueError),
        (3.0, 3.0, None, ValueError),
        (list("abc"), np.ones((3, 1)), None, TypeError),
        (None, np.ones((3, 1)), None, TypeError),
        ([[1], [2, 3]], np.ones((2, 1)), None, ValueError),
    ],
)
def test_wrong_arguments_of_a_metric_are_refused(name, y, a, w, error):
    with pytest.raises(error):
        metrics.METRICS[name](y, a, w)


@pytest.mark.parametrize("name", metrics.METRICS)
@pytest.mark.filterwarnings("error")
def test_no_rows_give_nan(name):
    assert np.isnan(metrics.METRICS[name](np.ones((0, 2)), np.ones((0, 2))))
