"""Losses: their definitions, their values at the extremes of the numbers, and the targets they refuse."""

import itertools
import json
import math
import re

import numpy as np
import pytest
from numpy.testing import assert_allclose

import chainrule
from chainrule import Dense, DivergenceError, Network
from chainrule.reference.losses import LOSSES

from . import strategies
from .implementations import build, each_implementation, identity

each_loss = pytest.mark.parametrize("loss", [*(kind() for kind in LOSSES.values()), *strategies.OTHER_LOSSES], ids=repr)
each_name = pytest.mark.parametrize("name", LOSSES)
RNG = np.random.default_rng(0)


def of_row(implementation, loss, a, y):
    """Return value and slope of one row of outputs."""
    network = identity(implementation, len(a), loss=loss)
    batch = [a], np.array([y])
    return network.evaluate(*batch)["loss"], np.asarray(network.trace(*batch)[-1].delta)[0]


# ── What each is ─────────────────────────────────────────────────────────────────────────────────────────────────────

A, NUMBERS = [0.3, -1.2, 2.0], [0.5, 1.0, -2.0]
P = [0.2, 0.3, 0.5]
SAME = [
    ("quantile of ½ is half of absolute_error", "quantile", {}, "absolute_error", {}, NUMBERS, 0.5),
    ("huber of a large delta is half of mse", "huber", {"delta": 1e9}, "mse", {}, NUMBERS, 0.5),
    (
        "huber of a small delta is delta times absolute_error",
        "huber",
        {"delta": 1e-9},
        "absolute_error",
        {},
        NUMBERS,
        1e-9,
    ),
    ("focal of gamma 0 is cross_entropy", "focal", {"gamma": 0.0}, "cross_entropy", {}, P, 1.0),
    (
        "binary_focal of gamma 0 and alpha ½ is half",
        "binary_focal",
        {"gamma": 0.0, "alpha": 0.5},
        "binary_cross_entropy",
        {},
        P,
        0.5,
    ),
]


@each_implementation
@pytest.mark.parametrize(
    ("one", "options", "other", "other_options", "y", "factor"),
    [case[1:] for case in SAME],
    ids=[case[0] for case in SAME],
)
def test_loss_is_another_times_a_factor(implementation, one, options, other, other_options, y, factor):
    value, slope = of_row(implementation, LOSSES[one](**options), A, y)
    expected, expected_slope = of_row(implementation, LOSSES[other](**other_options), A, y)
    assert_allclose(value, factor * expected, rtol=1e-8)
    assert_allclose(slope, factor * expected_slope, rtol=1e-8)


@each_implementation
def test_kl_divergence_is_cross_entropy_less_the_entropy_and_zero_where_probabilities_are_met(implementation):
    value, slope = of_row(implementation, "kl_divergence", A, P)
    surprise, same_slope = of_row(implementation, "cross_entropy", A, P)
    assert_allclose(value, surprise + np.dot(P, np.log(P)), rtol=1e-13)
    assert_allclose(slope, same_slope, rtol=1e-13)
    assert_allclose(of_row(implementation, "kl_divergence", np.log(P).tolist(), P)[0], 0.0, atol=1e-15)


@each_implementation
@pytest.mark.parametrize("y", [2, [0.0, 0.0, 1.0]])
def test_label_smoothing_gives_every_class_its_share(implementation, y):
    smoothed = [0.1, 0.1, 0.8]
    value, slope = of_row(implementation, chainrule.CrossEntropy(label_smoothing=0.3), A, y)
    expected, expected_slope = of_row(implementation, "cross_entropy", A, smoothed)
    assert_allclose(value, expected, rtol=1e-14)
    assert_allclose(slope, expected_slope, rtol=1e-13)


@each_implementation
@pytest.mark.parametrize("loss", [loss for loss in LOSSES if LOSSES[loss].takes_labels])
def test_labels_are_rows_with_a_one(implementation, loss):
    for label in range(3):
        by_label, by_row = (of_row(implementation, loss, A, y) for y in (label, np.eye(3)[label].tolist()))
        assert_allclose(by_label[0], by_row[0], rtol=1e-15)
        assert_allclose(by_label[1], by_row[1], rtol=1e-15)


SAMPLE = RNG.gamma(2.0, 3.0, (101, 1)).round(2)
# The output that a constant learns from a sample: where the sum of the slopes is zero, or changes its sign.
BEST = {
    "mse": SAMPLE.mean(),
    "half_squared_error": SAMPLE.mean(),
    "absolute_error": np.median(SAMPLE),
    "quantile": np.median(SAMPLE),
    "poisson": math.log(SAMPLE.mean()),
}


@each_implementation
@pytest.mark.parametrize("loss", BEST)
def test_best_constant_is_the_statistic_that_a_loss_is_named_for(implementation, loss):
    network = build(implementation, [1, 1], loss=loss, init="zeros")
    around = []
    for shift in (-0.2, 0.2):
        network.biases = [[BEST[loss] + shift]]
        around.append(float(network.gradient(np.zeros((101, 1)), SAMPLE).biases[0][0]))
    assert around[0] < 0 < around[1]


def test_quantile_leaves_its_share_of_the_targets_below():
    network = build("native", [1, 1], loss=chainrule.Quantile(0.9), init="zeros", optimizer=chainrule.SGD(0.05))
    network.fit(np.zeros((101, 1)), SAMPLE, epochs=1500, progress=False)
    assert (network.biases[0][0] > SAMPLE).mean() == pytest.approx(0.9, abs=0.01)


@each_implementation
def test_gaussian_nll_is_least_at_the_mean_and_variance_of_a_sample(implementation):
    network = build(implementation, [1, 2], loss=chainrule.GaussianNLL(eps=0.5), init="zeros")
    network.biases = [[SAMPLE.mean(), math.log(SAMPLE.var() - 0.5)]]
    X = np.zeros((101, 1))
    assert_allclose(network.gradient(X, SAMPLE).biases[0], [0.0, 0.0], atol=1e-13)
    assert_allclose(network.predict(X)[0], [SAMPLE.mean(), SAMPLE.var()], rtol=1e-14)
    density = -0.5 * np.log(2 * np.pi * SAMPLE.var()) - 0.5  # the mean of ln density at the best normal distribution
    assert_allclose(network.evaluate(X, SAMPLE)["loss"], -density - 0.5 * math.log(2 * np.pi), rtol=1e-13)


@each_implementation
def test_losses_equal_scikit_learns(implementation):
    metrics = pytest.importorskip("sklearn.metrics")
    a, y, rates = RNG.standard_normal((9, 3)), RNG.standard_normal((9, 3)), RNG.poisson(3.0, (9, 3)) + 1.0

    def value(loss, y):
        return identity(implementation, 3, loss=loss).evaluate(a, y)["loss"]

    assert_allclose(value("absolute_error", y), metrics.mean_absolute_error(y, a))
    assert_allclose(value(chainrule.Quantile(0.7), y), metrics.mean_pinball_loss(y, a, alpha=0.7))
    deviance = metrics.mean_poisson_deviance(rates.ravel(), np.exp(a).ravel())
    assert_allclose(value("poisson", rates), deviance / 2 - np.mean(rates * np.log(rates) - rates))
    sides = np.where(y > 0, 1, -1)
    each = [metrics.hinge_loss(sides[:, j], a[:, j]) for j in range(3)]
    assert_allclose(value("hinge", sides), np.mean(each))


@each_implementation
def test_predictions_are_outputs_through_the_link(implementation):
    def predictions(loss, rows):
        return np.asarray(identity(implementation, len(rows[0]), loss=loss).predict(rows))

    rows = [[0.5, -1.0, 700.0, -800.0], [0.0, 1.0, -0.5, 2.0]]
    assert_allclose(predictions("poisson", rows), np.exp(rows), rtol=1e-13)
    means_and_variances = np.hstack([np.array(rows)[:, :2], np.exp(np.array(rows)[:, 2:]) + 0.5])
    assert_allclose(predictions(chainrule.GaussianNLL(eps=0.5), rows), means_and_variances, rtol=1e-13)
    for loss in ("huber", "hinge", "quantile"):
        assert_allclose(predictions(loss, rows), rows, rtol=0)


# ── Extremes ─────────────────────────────────────────────────────────────────────────────────────────────────────────

EXTREMES = [*(sign * size for size in (5e-324, 1e-310, 1e-30, 700.0, 1e4) for sign in (1.0, -1.0)), np.inf, -np.inf]


def some_targets(loss, k):
    """Return rows of targets at the ends and inside of what a loss takes."""
    if loss.takes_labels:
        return [*np.eye(k).tolist(), [1.0 / k] * k]
    numbers = [value for value in (-1.0, 0.0, 0.25, 1.0, 3.0) if loss.allows(value)]
    return [list(row) for row in itertools.product(numbers, repeat=loss.n_targets(k))]


def bounded(loss, a, y):
    """Whether the loss stays within reason however far out an output goes: then its limit is finite."""
    return loss.value([max(-1e6, min(a_j, 1e6)) for a_j in a], y) < 1e3


def extreme_rows(loss):
    """Yield rows of outputs of which one is extreme, and targets; infinite ones only where there is a finite limit."""
    k = strategies.n_outputs(loss, 2)
    for j, extreme in itertools.product(range(k), EXTREMES):
        if loss.link.name == "softmax" and extreme == np.inf:
            continue  # the probabilities of a row that holds ∞ are ∞ / ∞
        a = [0.3] * k
        a[j] = extreme
        for y in some_targets(loss, k):
            if math.isfinite(extreme) or bounded(loss, a, y):
                yield a, y


@each_loss
def test_extreme_outputs_give_numbers_and_the_limit_where_it_is_finite(loss):
    for a, y in extreme_rows(loss):
        numbers = [loss.value(a, y), *loss.slope(a, y)]
        assert not any(map(math.isnan, numbers)), (a, y)
        if bounded(loss, a, y):
            assert all(map(math.isfinite, numbers)), (a, y)


@each_loss
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_extreme_outputs_are_the_same_in_the_core(loss, dtype):
    k = strategies.n_outputs(loss, 2)
    network = Network([k, Dense(k, bias=False)], loss=loss, dtype=dtype, seed=0)
    half, u = float(np.finfo(dtype).max) / 1.5, float(np.finfo(dtype).eps)
    for a, y in extreme_rows(loss):
        if np.isfinite(a).all():
            network.weights, x = [np.eye(k)], a
        else:  # X must be finite, but twice a large number is not
            network.weights, x = [2.0 * np.eye(k)], np.clip(np.divide(a, 2.0), -half, half)
        (outputs,) = network.forward([x]).astype(float).tolist()
        (targets,) = np.array([y], dtype).astype(float).tolist()
        assert np.isinf(outputs).tolist() == np.isinf(a).tolist()
        value = network.evaluate([x], [y])["loss"]
        size = 1.0 + np.abs(outputs)[np.isfinite(outputs)].max()
        assert_allclose(value, loss.value(outputs, targets), rtol=8 * u, atol=8 * u * size)
        with np.errstate(over="ignore"):  # a rate may be a number in float64 and none in float32
            expected = np.array(loss.slope(outputs, targets)).astype(dtype)
        assert_allclose(network.trace([x], [y])[-1].delta[0], expected, rtol=8 * u, atol=8 * u)


@each_loss
def test_outputs_that_are_no_numbers_give_a_loss_that_is_none(loss):
    k = strategies.n_outputs(loss, 2)
    network = Network([1, Dense(2, "identity", bias=False), Dense(k, bias=False)], loss=loss, dtype="float64", seed=0)
    network.weights = [[[2.0, 2.0]], [[1.0] * k, [-1.0] * k]]
    x = [[1e308]]  # the outputs are ∞ − ∞
    for y in some_targets(loss, k):
        if loss.value([0.3] * k, y) != 0.0:  # else the output does not count
            assert np.isnan(loss.value([math.nan] * k, y)), y
            assert np.isnan(network.evaluate(x, [y])["loss"]), y
            with pytest.raises(DivergenceError):
                network.step(x, [y])


@each_implementation
def test_rates_that_overflow_diverge(implementation):
    network = build(implementation, [1, 1], loss="poisson")
    network.weights = [[[1e4]]]
    with pytest.raises(ValueError, match=r"the loss (is|became) inf.*try a smaller learning.rate") as caught:
        network.step([[1.0]], [1.0])
    assert implementation == "reference" or caught.type is DivergenceError


@each_implementation
def test_small_differences_keep_their_digits(implementation):
    for d in (1e-3, 1e-6, 1e-9, 1e-100):
        assert_allclose(of_row(implementation, "log_cosh", [d], [0.0])[0], 0.5 * d * d, rtol=1e-6)


@each_implementation
def test_slope_at_a_kink_is_zero(implementation):
    for loss in ("absolute_error", chainrule.Quantile(0.9), "hinge"):
        assert of_row(implementation, loss, [1.0, -1.0], [1.0, -1.0])[1].tolist() == [0.0, 0.0]


# ── Targets ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@each_name
def test_targets_out_of_range_are_named_by_row_and_column(name):
    loss = LOSSES[name]()
    k = strategies.n_outputs(loss, 4)
    m = loss.n_targets(k)
    wrong = [value for value in (-3.0, -0.5, 0.5, 2.0) if not loss.allows(value)]
    for value in wrong:
        y = strategies.targets(loss, RNG, 5, k)
        y[2, m - 1] = value
        place = rf"y has {value:g} at row 2, column {m - 1}; (loss \"{name}\"|{name}) takes {re.escape(loss.takes)}"
        for implementation in ("native", "reference"):
            network = build(implementation, [3, k], loss=loss)
            before = list(network.parameters)
            for call in (network.step, network.gradient, network.fit):
                with pytest.raises(ValueError, match=place):
                    call(np.zeros((5, 3)), y)
            assert list(network.parameters) == before
    assert bool(wrong) == (loss.takes != "finite numbers")


@each_implementation
def test_zeros_and_ones_are_no_sides_but_are_told_how_to_become_them(implementation):
    network, X, y = build(implementation, [2, 1], loss="hinge"), np.eye(2), np.array([0, 1])
    with pytest.raises(ValueError, match=re.escape("-1 or 1 (2*y - 1 makes them of 0 and 1)")):
        network.step(X, y)
    network.step(X, 2 * y - 1)


@each_implementation
def test_mean_and_variance_share_a_target(implementation):
    X, y = RNG.standard_normal((5, 3)), RNG.standard_normal(5)
    network = build(implementation, [3, 2], loss="gaussian_nll")
    assert network.gradient(X, y).loss == network.gradient(X, y[:, None]).loss
    assert np.shape(network.predict(X)) == (5, 2)
    for wrong in (np.stack([y, y], axis=1), y[:, None][:, :0]):
        with pytest.raises(ValueError, match=r"y (has|must)"):
            network.gradient(X, wrong)
    network = build(implementation, [3, 4], loss="gaussian_nll")
    with pytest.raises(ValueError, match="the network has 4 outputs, 2 for each target of"):
        network.gradient(X, y)


@pytest.mark.parametrize(
    ("loss", "text"),
    [
        ({"name": "gaussian_nll", "eps": 1e-6}, "needs an even number of outputs, .* got 3"),
        ({"name": "gaussian_nll", "eps": 0.0}, "loss gaussian_nll: eps must be finite and greater than 0, got 0"),
        ({"name": "huber", "delta": -1.0}, "loss huber: delta must be finite and greater than 0, got -1"),
        ({"name": "quantile", "quantile": 1.0}, "quantile must be greater than 0 and less than 1, got 1"),
        (
            {"name": "cross_entropy", "label_smoothing": 1.0},
            "label_smoothing must be at least 0 and less than 1, got 1",
        ),
        ({"name": "focal", "gamma": -1.0}, "gamma must be finite and at least 0, got -1"),
        ({"name": "binary_focal", "gamma": -1.0, "alpha": 0.5}, "gamma must be finite and at least 0, got -1"),
        ({"name": "binary_focal", "gamma": 1.0, "alpha": 1.5}, "alpha must be from 0 to 1, got 1.5"),
        ({"name": "focal"}, "missing field `gamma`"),
        ({"name": "hinge", "margin": 2.0}, "unknown field `margin`"),
    ],
)
def test_core_refuses_a_loss_that_is_none(loss, text):
    config = {**Network([2, 3], seed=0).config, "loss": loss}
    with pytest.raises(ValueError, match=text):
        chainrule._native.Network(json.dumps(config))
