"""Optimizers: the core against the reference from the same gradients, the limits of their parameters, and training.

test_reference_torch.py compares them with PyTorch; test_properties.py and test_checkpoint.py save and resume them.
"""

import dataclasses
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule
from chainrule import (
    SGD,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Dense,
    DivergenceError,
    Dropout,
    LayerNorm,
    NAdam,
    Network,
    RAdam,
    Rprop,
    _native,
)
from chainrule.reference.optimizers import OPTIMIZERS as KINDS

from .implementations import build, each_implementation, set_moments
from .strategies import BY_SIGN, OPTIMIZERS

by_optimizer = pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
DTYPES = ["float32", "float64"]


def test_every_optimizer_is_among_those_that_are_tested():
    assert {o.name for o in OPTIMIZERS} == set(chainrule.registry()["optimizer"])
    assert set(KINDS) > BY_SIGN


# ── Against the reference ────────────────────────────────────────────────────────────────────────────────────────────


@by_optimizer
@given(
    shape=st.tuples(st.integers(1, 20), st.integers(1, 20)),
    seed=st.integers(0, 2**32 - 1),
    scale=st.sampled_from([1e-6, 1.0, 1e4]),
    rates=st.lists(st.sampled_from([1e-4, 0.01, 0.5]), min_size=3, max_size=8),
)
def test_updates_equal_reference(optimizer, shape, seed, scale, rates):
    # A learning rate for each step, gradients with exact zeros among them, which no rounding gives a sign.
    rng = np.random.default_rng(seed)
    native = Network(shape, optimizer=optimizer, dtype="float64", seed=0)
    textbook = chainrule.reference.Network(shape, optimizer=optimizer, dtype="float64", seed=0)
    for rate in rates:
        g = scale * rng.standard_normal(native.n_parameters) * (rng.random(native.n_parameters) < 0.8)
        native.learning_rate = textbook.learning_rate = rate
        native.apply_gradient(g)
        textbook.apply_gradient(g)
    np.testing.assert_allclose(native.parameters, textbook.parameters, rtol=1e-9, atol=1e-12)
    state = native.state_dict()
    for name, values in textbook.state.items():
        got = [state[f"optimizer.{name}.layers.0.{part}"].ravel() for part in ("weight", "bias")]
        np.testing.assert_allclose(np.concatenate(got), values, rtol=1e-9, atol=1e-12 * scale)


@by_optimizer
def test_state_names_are_those_of_the_core(optimizer):
    core = Network([2, 3], optimizer=optimizer, seed=0)._engine.native.state_names
    assert core == list(optimizer.state_names)


# ── The ends ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@each_implementation
@pytest.mark.parametrize("step", [0, 1, 2**40])
@by_optimizer
def test_extreme_gradients_leave_numbers_finite(implementation, step, optimizer):
    for dtype in DTYPES:
        network = build(implementation, [7, 1], optimizer=optimizer, dtype=dtype)
        info = np.finfo(dtype)
        largest = float(info.max) ** 0.5 * 0.4999  # beyond half the root a gradient is refused
        small = [float(info.smallest_subnormal), float(info.tiny), float(info.tiny) ** 0.5]
        for g in ([0.0, *small, 1e-8, 1.0, largest, -largest], [0.0] * 8, [-largest, *small, 1.0, 0.0, 0.0, largest]):
            set_moments(network, step, **{name: [0.0] * 8 for name in optimizer.state_names})
            for _ in range(3):
                network.apply_gradient(g)
            assert np.isfinite(network.parameters).all()


@each_implementation
@by_optimizer
def test_parameter_without_gradient_stays(implementation, optimizer):
    network = build(implementation, [2, 1], optimizer=optimizer)
    network.parameters = [1.0, 2.0, -3.0]
    for _ in range(3):
        network.apply_gradient([0.0, 0.0, 0.0])
    kept = (1.0 - optimizer.learning_rate * getattr(optimizer, "weight_decay", 0.0)) ** 3
    assert np.array(network.parameters) == pytest.approx(np.array([1.0, 2.0, -3.0]) * kept, rel=1e-15)


@each_implementation
@by_optimizer
def test_batch_without_weight_changes_nothing(implementation, optimizer):
    network = build(implementation, [2, 3, 1], optimizer=optimizer)
    x, y = [[1.0, 2.0], [3.0, 4.0]], [1.0, 2.0]
    network.step(x, y)
    before = list(network.parameters)
    assert network.step(x, y, [0.0, 0.0]) == 0.0
    assert (list(network.parameters), network.step_count) == (before, 1)
    # The moments too: the next step is the one that would have come.
    other = build(implementation, [2, 3, 1], optimizer=optimizer)
    assert [other.step(x, y), other.step(x, y)][1] == network.step(x, y)
    assert list(other.parameters) == list(network.parameters)


@each_implementation
@by_optimizer
@pytest.mark.parametrize("dtype", DTYPES)
def test_update_that_overflows_is_an_error_and_changes_nothing(implementation, optimizer, dtype):
    largest = float(np.finfo(dtype if implementation == "native" else "float64").max)
    # What bounds a step of rprop, and what a first step of adadelta is in proportion to.
    bound = {"rprop": "step_max", "adadelta": "eps"}.get(optimizer.name, "learning_rate")
    huge = dataclasses.replace(optimizer, **{"learning_rate": 0.9 * largest, bound: 0.9 * largest})
    net = build(implementation, [1, 2], optimizer=huge, dtype=dtype)
    net.parameters = [0.9 * largest] * 4

    def everything():
        moments = net.state if implementation == "reference" else net.state_dict()
        return repr((list(net.parameters), net.step_count, moments))

    before = everything()
    for _ in range(2):
        with pytest.raises(ValueError, match=r"update.* too large"):
            net.apply_gradient([-1.0] * 4)
        assert everything() == before


@pytest.mark.parametrize(
    ("optimizer", "gradients"),
    [
        # A gradient whose square is 0, over the smallest eps.
        (Adagrad(learning_rate=1e30, eps=1e-40), [1e-24]),
        # A large eps makes the quotient small, but the product before it overflows.
        (NAdam(learning_rate=1e22, eps=1e26), [9e18]),
        # m outlives v, so that m / eps overflows before a small rate multiplies it.
        (Adam(learning_rate=1e-40, beta_2=0, eps=1e-40), [1e15, 0]),
        (AdamW(learning_rate=1e-40, beta_2=0, eps=1e-40), [1e15, 0]),
        (Adamax(learning_rate=1e-40, beta_2=0, eps=1e-40), [1e15, 0]),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_update_whose_parts_overflow_is_an_error_and_changes_nothing(optimizer, gradients):
    net = Network([1, 1], optimizer=optimizer, dtype="float32", seed=0)
    *first, last = (np.full(2, g, np.float32) for g in gradients)
    for gradient in first:
        net.apply_gradient(gradient)
    before = net.state_dict()
    with pytest.raises(DivergenceError, match="update became too large"):
        net.apply_gradient(last)
    assert all(np.array_equal(before[key], value) for key, value in net.state_dict().items())


@pytest.mark.parametrize("rows", [1, 40, 3000])
@pytest.mark.parametrize("layers", [[4, 3], [4, 16, 3], [4, 20, Dropout(0.1), 3], [90, LayerNorm(), 300, 3]], ids=str)
def test_step_that_overflows_is_an_error_whatever_its_way(layers, rows):
    net = Network(layers, optimizer=SGD(learning_rate=1e38), seed=0)
    before = net.state_dict()
    X, y = np.ones((rows, layers[0]), np.float32), np.full((rows, 3), 1e6, np.float32)
    with pytest.raises(DivergenceError, match="update became too large"):
        net.step(X, y)
    assert all(np.array_equal(before[key], value) for key, value in net.state_dict().items())


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if hasattr(kind, "eps")])
def test_eps_that_float32_cannot_hold_is_not_zero(name):
    # 0 / (√0 + 0) would be NaN.
    network = Network([3, 2], optimizer=KINDS[name](eps=1e-300), init="zeros", dtype="float32", seed=0)
    network.apply_gradient(np.zeros(8))
    assert np.array_equal(network.parameters, np.zeros(8))


@pytest.mark.parametrize("name", KINDS)
def test_core_refuses_what_the_option_refuses(name):
    config = Network([2, 1], optimizer=name, seed=0).config
    for field, value in config["optimizer"].items():
        if field in ("name", "nesterov"):
            continue
        past = 1.0 if field in ("momentum", "rho", "beta_1", "beta_2", "eta_minus", "eta_plus") else -1e-300
        for wrong in (-1.0, past):
            config["optimizer"][field] = wrong
            with pytest.raises(ValueError, match=rf"optimizer {name}: {field} must be .*, got -?[01]"):
                _native.Network(json.dumps(config))
        config["optimizer"][field] = value
    _native.Network(json.dumps(config))


def test_core_refuses_step_sizes_in_the_wrong_order():
    config = Network([2, 1], optimizer="rprop", seed=0).config
    config["optimizer"]["step_min"] = 60.0
    with pytest.raises(ValueError, match=r"step_min must be at most step_max, 50, got 60"):
        _native.Network(json.dumps(config))


# ── One by one ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("beta_1", [0.0, 0.9, 0.999, 1.0 - 2.0**-53])
@pytest.mark.parametrize("momentum_decay", [0.0, 0.004, 0.3, 1.0, 30.0, 1e300])
def test_product_of_nadam_is_the_product(beta_1, momentum_decay):
    nadam = NAdam(beta_1=beta_1, momentum_decay=momentum_decay)
    product, t = 1.0, 0
    for until in (1, 2, 3, 10, 100, 1000, 5000):
        while t < until:
            t += 1
            product *= nadam.momentum(t)
        # Each of t factors is rounded; below 2⁻⁶⁰ nothing is left beside 1.
        assert nadam.product(t) == pytest.approx(product, rel=t * 2.0**-51, abs=2.0**-60)


@pytest.mark.parametrize(("beta_2", "first"), [(0.999, 6), (0.99, 6), (0.9, 6), (0.8, 7), (2 / 3, 1000), (0.0, 1000)])
def test_radam_scales_its_steps_once_it_has_seen_enough(beta_2, first):
    scaled = [t for t in range(1, 1000) if RAdam(beta_2=beta_2).rectification(t) is not None]
    assert scaled == list(range(first, 1000))


@each_implementation
def test_rprop_takes_its_first_step_size_from_the_learning_rate_and_no_later_one(implementation):
    network = build(implementation, [1, Dense(1, bias=False)], optimizer=Rprop(learning_rate=0.1))
    network.parameters = [0.0]
    network.learning_rate = 0.2
    network.apply_gradient([1e-3])
    network.learning_rate = 7.0
    network.apply_gradient([1e3])
    network.apply_gradient([-1e-200])  # a turn: the parameter stays
    assert network.parameters == pytest.approx([-0.2 - 0.24])
    network.apply_gradient([-1e-200])
    assert network.parameters == pytest.approx([-0.2 - 0.24 + 0.12])
    network.apply_gradient([-1e-200])  # the product of these two underflows, their signs are equal all the same
    assert network.parameters == pytest.approx([-0.2 - 0.24 + 0.12 + 0.144])


def test_step_sizes_of_rprop_stay_finite_in_float32():
    network = Network([3, 2], optimizer=Rprop(learning_rate=1e300, step_max=1e308), dtype="float32", seed=0)
    before = network.parameters
    network.apply_gradient(np.zeros(8))
    assert np.array_equal(network.parameters, before)


# ── They train ───────────────────────────────────────────────────────────────────────────────────────────────────────

RATES = {"sgd": 1.0, "adagrad": 0.5, "adadelta": 3.0, "lion": 0.02}


@pytest.mark.parametrize("name", KINDS)
def test_optimizer_learns_the_exclusive_or(name):
    X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    optimizer = KINDS[name]().with_learning_rate(RATES.get(name, 0.05))
    network = Network([2, 8, 1], activation="tanh", loss="binary_cross_entropy", optimizer=optimizer, seed=1)
    loss = network.fit(X, y, epochs=400, batch_size=4).loss
    assert loss[-1] < 0.05 < math.log(2.0) / 2.0 < loss[0]
    assert network.verify(X, y)
