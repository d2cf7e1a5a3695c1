"""verify accepts every correct network, detects the smallest error in a wrong one, and names its layer."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from chainrule import (
    SGD,
    Adam,
    Dense,
    DivergenceError,
    Dropout,
    LayerNorm,
    Network,
    Report,
    gradcheck,
    reference,
    verify,
)
from chainrule.reference.layers import LAYERS
from chainrule.reference.losses import LOSSES
from chainrule.verification.differences import Derivative, Tolerance, compare
from chainrule.verification.report import Check
from chainrule.verification.rounding import RULES, pairs, softmax_error
from tests import strategies
from tests.strategies import cases

RNG = np.random.default_rng(0)
X = RNG.standard_normal((12, 4))
Y = np.arange(12) % 3


def network(**arguments):
    layers = [4, Dense(6, "tanh"), Dropout(0.2), Dense(5, "sigmoid", l2=0.1), 3]
    return Network(layers, **{"loss": "cross_entropy", "seed": 3, **arguments})


def trained(**arguments):
    net = network(**arguments)
    net.fit(X, Y, epochs=3, batch_size=5)
    return net


@pytest.mark.parametrize("kind", LAYERS.values())
def test_every_kind_of_layer_has_a_rounding_rule(kind):
    assert kind in RULES


# ── Right networks ───────────────────────────────────────────────────────────────────────────────────────────────────


@given(cases(), st.sampled_from(["float32", "float64"]), st.integers(0, 2))
@settings(max_examples=max(1, settings().max_examples // 2))
def test_every_network_holds_before_and_in_training(case, dtype, steps):
    assume(case.sample_weight is None or case.sample_weight.any())  # a batch that counts nothing is refused
    net = case.native(dtype=dtype)
    try:
        for _ in range(steps):
            net.step(*case.data)
    except DivergenceError:
        return
    report = net.verify(*case.data, n_parameters=40)
    assert report, str(report)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nothing_is_changed(dtype):
    net, twin = trained(dtype=dtype), trained(dtype=dtype)
    assert net.verify(X, Y, RNG.random(12))
    assert net.step_count == twin.step_count
    assert net.fit(X, Y).loss == twin.fit(X, Y).loss
    assert np.array_equal(net.parameters, twin.parameters)


def test_report_is_a_table_with_layers_errors_and_tolerances():
    report = trained().verify(X, Y)
    assert isinstance(report, Report)
    assert len(report) == len(list(report)) == len(report.checks)
    assert report.failures == ()
    names = {check.name for check in report}
    assert {
        "reference: z, a",
        "reference: slope",
        "reference: loss",
        "reference: delta",
        "reference: d_weight, d_bias",
        "central differences",
        "update: parameters",
        "update: m",
        "update: v",
        "rounding of float32",
        "fused step",
    } <= names
    layers = {check.layer for check in report}
    assert {"layer 1 (Dense 6 tanh)", "layer 2 (Dropout 0.2)", "layer 3 (Dense 5 sigmoid)", ""} <= layers
    text = str(report)
    assert text.splitlines()[-1] == f"all {len(report)} checks hold"
    assert "12 rows" in text.splitlines()[0]
    assert "FAILED" not in text
    report.raise_if_failed()


def test_all_parameters_of_a_small_network_are_compared_and_a_sample_of_a_large_one():
    def compared(report):
        return [check.n_compared for check in report if check.name.startswith("central")]

    assert sum(compared(trained().verify(X, Y))) == trained().n_parameters == 83
    sampled = compared(trained().verify(X, Y, n_parameters=24))
    assert sampled == [4 + 4, 4 + 4, 4 + 3]
    one, other, third = (trained().verify(X, Y, n_parameters=10, seed=seed) for seed in (0, 0, 1))
    assert one.checks == other.checks
    assert one.checks != third.checks


def test_rows_beyond_n_rows_are_left_out():
    report = trained().verify(np.tile(X, (10, 1)), np.tile(Y, 10), n_rows=7)
    assert "7 of 120 rows" in report.title
    assert report


def test_weights_of_zero_hold():
    assert trained().verify(X, Y, np.zeros(12))


def test_units_that_sit_on_a_kink_are_looked_at_nearby():
    report = Network([4, 5, 5, 3], init="zeros", seed=0).verify(X, X[:, :3])
    assert report, str(report)
    assert "central differences nearby" in {check.name for check in report}


@pytest.mark.parametrize("loss", [name for name in LOSSES if LOSSES[name].kinked])
@pytest.mark.parametrize("noise", [0.0, 1e-7, 1e-6, 1e-5])
def test_outputs_that_meet_their_targets_at_a_kink_are_looked_at_nearby(loss, noise):
    net = Network([4, 6, 2], activation="tanh", loss=loss, dtype="float64", seed=0)
    net.biases = [np.zeros(6), [1.0, -1.0]]  # both are sides, for hinge
    net.weights = [net.weights[0], 0.0 * net.weights[1]]
    report = net.verify(X, net.forward(X).round() if loss == "hinge" else net.forward(X) + noise * X[:, :2])
    assert report, str(report)
    differences = [check for check in report if check.name == "central differences nearby"]
    assert len(differences) == 2
    assert all(check.n_compared > 10 * check.n_skipped for check in differences)


def learned(loss, dtype, seed):
    """Return a network that was trained with a loss, and its data."""
    rng = np.random.default_rng(seed)
    k = strategies.n_outputs(loss, 3)
    net = Network([4, Dense(6, "tanh"), Dropout(0.2), 5, k], loss=loss, optimizer=Adam(0.02), dtype=dtype, seed=seed)
    data = X, strategies.targets(loss, rng, 12, k), rng.random(12)
    net.fit(*data[:2], epochs=20 * seed, batch_size=5, sample_weight=data[2])
    return net, data


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("loss", [*(kind() for kind in LOSSES.values()), *strategies.OTHER_LOSSES], ids=repr)
def test_every_loss_holds_in_training_and_its_slope_wrong_by_a_millionth_is_told(monkeypatch, loss, dtype):
    for seed in (1, 2, 3):
        net, data = learned(loss, dtype, seed)
        report = net.verify(*data)
        assert report, str(report)
    right = type(loss).slope
    monkeypatch.setattr(type(loss), "slope", lambda self, a, y: [s * SLIGHTLY for s in right(self, a, y)])
    first = failures(net, *data)[0]
    assert first.name == "reference: delta"
    assert first.layer.startswith("layer 4 ")


def test_network_that_learned_its_data_holds():
    net = Network([1, 1], optimizer=SGD(0.4), dtype="float64", seed=0)
    x = np.array([[0.0], [1.0], [-1.0]])
    net.fit(x, 2 * x, epochs=100, batch_size=3)  # delta = a − y is rounding and nothing else
    report = net.verify(x, 2 * x)
    assert report, str(report)


def test_data_of_any_scale_holds():
    for scale in (1e-6, 1e3, 1e6):
        net = Network([4, 6, 1], activation="tanh", seed=0)
        report = net.verify(X * scale, X[:, 0] * scale)
        assert report, str(report)


# ── Wrong networks ───────────────────────────────────────────────────────────────────────────────────────────────────

SLIGHTLY = 1 + 1e-6


def failures(net, *data):
    report = net.verify(*(data or (X, Y)))
    assert not report
    assert "FAILED" in str(report)
    with pytest.raises(AssertionError, match="FAILED"):
        report.raise_if_failed()
    return report.failures


@pytest.mark.parametrize(
    ("kind", "layer"),
    [
        (reference.Tanh, "layer 1 (Dense 6 tanh)"),
        (reference.Sigmoid, "layer 3 (Dense 5 sigmoid)"),
        (reference.Identity, "layer 4 (Dense 3 identity)"),
    ],
)
def test_slope_that_is_wrong_by_a_millionth_is_told_with_its_layer(monkeypatch, kind, layer):
    right = kind.slope_of
    monkeypatch.setattr(kind, "slope_of", lambda self, z, a: right(self, z, a) * SLIGHTLY)
    first = failures(trained())[0]
    assert first.layer == layer
    assert first.name == "reference: slope"


@pytest.mark.parametrize("kind", [reference.Tanh, reference.Sigmoid])
def test_activation_that_is_wrong_by_a_millionth_is_told_with_its_layer(monkeypatch, kind):
    right = kind.f
    monkeypatch.setattr(kind, "f", lambda self, z: right(self, z) * SLIGHTLY)
    first = failures(trained())[0]
    assert first.name == "reference: z, a"
    assert kind.name in first.layer


def test_loss_that_is_wrong_by_a_millionth_is_told(monkeypatch):
    right = reference.CrossEntropy.slope
    monkeypatch.setattr(reference.CrossEntropy, "slope", lambda self, a, y: [s * SLIGHTLY for s in right(self, a, y)])
    first = failures(trained())[0]
    assert (first.name, first.layer) == ("reference: delta", "layer 4 (Dense 3 identity)")


def test_update_that_is_wrong_by_a_millionth_is_told(monkeypatch):
    right = Adam.update
    monkeypatch.setattr(
        Adam, "update", lambda self, w, g, state, t: right(replace(self, beta_2=self.beta_2 * SLIGHTLY), w, g, state, t)
    )
    assert {check.name for check in failures(trained())} == {"update: parameters", "update: v"}


class Wrong:
    """The core's network with one thing wrong: `spoil(method name, result)` changes what comes back."""

    def __init__(self, config, inner=None, spoil=None):
        vars(self).update(inner=inner if inner is not None else type(Wrong.real)(config), spoil=spoil or Wrong.current)

    def copy(self):
        return Wrong(None, self.inner.copy(), self.spoil)

    def __getattr__(self, name):
        value = getattr(self.inner, name)
        if not callable(value):
            return value
        return lambda *arguments: self.spoil(name, value(*arguments), self.inner)

    def __setattr__(self, name, value):
        setattr(self.inner, name, value)


def spoiled(spoil, **arguments):
    net = trained(**arguments)
    Wrong.real, Wrong.current = net._engine.native, spoil
    net._engine = replace(net._engine, native=Wrong(None, net._engine.native, spoil))
    return net


def of(record, quantity):
    """An array of the core's record of a layer; "d_" and a tensor's name is its gradient."""
    return record["gradients"][quantity[2:]] if quantity.startswith("d_") else record[quantity]


def test_proxy_that_spoils_nothing_holds():
    assert spoiled(lambda _, result, __: result).verify(X, Y)


@pytest.mark.parametrize(
    ("layer", "quantity", "name"),
    [
        (0, "z", "reference: z, a"),
        (2, "slope", "reference: slope"),
        (1, "delta", "reference: delta"),
        (3, "d_weight", "reference: d_weight, d_bias"),
        (0, "d_bias", "reference: d_weight, d_bias"),
    ],
)
def test_quantity_of_the_core_that_is_wrong_by_a_millionth_is_told_with_its_layer(layer, quantity, name):
    def spoil(method, result, _):
        if method == "trace":
            of(result[layer], quantity)[...] *= SLIGHTLY
        return result

    first = failures(spoiled(spoil, dtype="float64"))[0]
    assert first.name == name
    assert first.layer.startswith(f"layer {layer + 1} ")


def test_single_wrong_parameter_of_the_gradient_is_told():
    def spoil(method, result, _):
        if method == "gradient":
            result[1][40] *= SLIGHTLY
        return result

    names = {check.name for check in failures(spoiled(spoil, dtype="float64"))}
    assert {"gradient = trace", "fused step"} <= names


def test_gradient_of_another_loss_is_told_by_differences_alone():
    def spoil(method, result, native):
        if method == "gradient":
            return result[0] + 0.01 * float(native.parameters()[5]), result[1]
        return result

    found = failures(spoiled(spoil, dtype="float64"))
    assert ("central differences", "layer 1 (Dense 6 tanh)") in {(check.name, check.layer) for check in found}


def test_step_that_is_not_its_gradient_applied_is_told():
    def spoil(method, result, native):
        if method == "step":
            flat = native.parameters()
            flat[0] = np.nextafter(flat[0], np.float32(np.inf))
            native.set_parameters(flat)
        return result

    (found,) = failures(spoiled(spoil))
    assert found.name == "fused step"
    assert found.error >= 1


@pytest.mark.parametrize("quantity", ["z", "a", "delta", "d_weight"])
def test_float32_that_is_wrong_by_more_than_rounding_is_told(quantity):
    def spoil(method, result, native):
        if method == "trace" and native.dtype == "float32":
            of(result[0 if quantity != "a" else 2], quantity).flat[-1] *= np.float32(1.001)
        return result

    (found,) = failures(spoiled(spoil))
    assert found.name == "rounding of float32"


def test_dropped_tail_of_a_vector_is_told():
    def spoil(method, result, native):
        if method == "trace" and native.dtype == "float32":
            of(result[0], "d_weight")[:, -1] = 0
        return result

    (found,) = failures(spoiled(spoil))
    assert found.layer == "layer 1 (Dense 6 tanh)"


def test_nan_is_no_error_that_is_tolerated():
    assert not Check("x", "", float("nan"), 1.0, 1).ok
    assert not Check("x", "", float("inf"), float("inf"), 1).ok
    assert not Report((Check("x", "", float("nan"), 1.0, 1),), "x")


def test_network_that_overflowed_is_refused():
    net = Network([4, 1], seed=0)
    net.weights = [np.full((4, 1), 3e38)]
    with pytest.raises(ValueError, match="not finite in float32 on this data: there is nothing to compare"):
        net.verify(X, X[:, 0])


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"n_parameters": 0}, ValueError),
        ({"n_rows": 0}, ValueError),
        ({"seed": -1}, ValueError),
        ({"seed": "a"}, TypeError),
    ],
)
def test_wrong_arguments_are_refused(arguments, error):
    with pytest.raises(error, match=next(iter(arguments))):
        verify(trained(), X, Y, **arguments)


# ── gradcheck ────────────────────────────────────────────────────────────────────────────────────────────────────────


def squares(output):
    return (output**2).sum(), 2 * output


def log_cosh(output):
    return np.log(np.cosh(output)).mean(), np.tanh(output) / output.size


@pytest.mark.parametrize("loss", [squares, log_cosh])
@pytest.mark.parametrize("activation", ["tanh", "relu", "leaky_relu", "softmax"])
def test_gradcheck_holds_for_a_right_loss(loss, activation):
    net = Network([4, Dense(6, l2=0.5), Dropout(0.5), 3], activation=activation, seed=0)
    report = gradcheck(net, X, loss)
    assert report, str(report)
    assert {check.name for check in report} == {"d_output", "parameters", "inputs"}
    assert loss.__name__ in report.title


def test_jumps_on_both_sides_that_cancel_in_the_bend_are_left_out():
    def two_kinks(p):
        return float((abs(p - 3e-7) - abs(p + 3e-7))[0])

    def smooth(p):
        return float(np.sin(p)[0])

    for function, said, compared, skipped in ((two_kinks, -2.0, 0, 1), (smooth, 1.0, 1, 0), (smooth, 0.9, 1, 0)):
        derivative = Derivative(np.zeros(1), np.array([said]), rounding=1e-16)
        found = compare(function, derivative, [0], Tolerance())
        assert (found.n_compared, found.n_skipped) == (compared, skipped)
        assert (found.error <= found.tolerance) == (said != 0.9)


def test_gradcheck_looks_at_kinks_nearby():
    assert gradcheck(Network([4, 6, 3], init="zeros", seed=0), X, squares)


def test_gradcheck_tells_a_wrong_loss():
    report = gradcheck(network(), X, lambda output: ((output**2).sum(), 2.01 * output))
    assert not report
    assert report.failures[0].name == "d_output"


@pytest.mark.parametrize(("part", "name"), [(0, "parameters"), (1, "inputs")])
def test_gradcheck_tells_a_wrong_backward(part, name):
    def spoil(method, result, _):
        if method == "backward":
            result[part][...] *= 1.01
        return result

    report = gradcheck(spoiled(spoil), X, squares)
    assert {check.name for check in report.failures} == {name}


def test_gradcheck_changes_nothing():
    net, twin = trained(), trained()
    gradcheck(net, X, squares, n_parameters=5)
    assert np.array_equal(net.parameters, twin.parameters)
    assert net.step(X, Y) == twin.step(X, Y)


@pytest.mark.parametrize(
    ("loss", "error", "text"),
    [
        (3, TypeError, "loss must be a function"),
        (lambda a: a.sum(), TypeError, r"must return \(value, d_output\)"),
        (
            lambda a: (a.sum(), a[:, :2]),
            ValueError,
            r"d_output of the loss must have the output's shape \(12, 3\), got",
        ),
        (lambda a: (a, a), TypeError, r"must return \(value, d_output\)"),
        (lambda a: (a.sum(), "d"), TypeError, "d_output of the loss holds text"),
    ],
)
def test_gradcheck_refuses_what_is_no_loss(loss, error, text):
    with pytest.raises(error, match=text):
        gradcheck(network(), X, loss)


@pytest.mark.parametrize("arguments", [{"eps": 0}, {"atol": -1}, {"rtol": np.nan}, {"n_parameters": 0}, {"seed": -1}])
def test_gradcheck_refuses_wrong_arguments(arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        gradcheck(network(), X, squares, **arguments)


# ── Networks at the edge of what rounding leaves ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("eps", [1e-45, 1e-38, 1e-30, 1e-12])
def test_stacks_of_layer_norms_with_a_tiny_eps_hold(eps, dtype):
    rng = np.random.default_rng(12)
    norm = LayerNorm(eps=eps)
    for units in (1, 2, 3):
        for layers in ([1, norm, 2, norm, 1], [1, norm, norm, 3, norm, 2], [2, units, norm, units, norm, norm, 1]):
            for activation in ("tanh", "identity", "gelu"):
                net = Network(layers, activation=activation, seed=int(rng.integers(1000)), dtype=dtype)
                x, y = rng.normal(size=(4, layers[0])), rng.normal(size=(4, layers[-1]))
                try:
                    net.copy().step(x, y)
                except DivergenceError:  # derivatives of 1 / √eps, one by another, are beyond float32
                    continue
                assert (report := net.verify(x, y)), str(report)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
@pytest.mark.parametrize("scale", [30.0, 100.0, 300.0])
def test_softmax_of_large_inputs_holds(scale, loss, dtype):
    rng = np.random.default_rng(0)
    for units in (1, 2, 3, 8, 20):
        net = Network([2, Dense(units, "softmax"), Dense(3, "softmax"), 3], loss=loss, seed=units, dtype=dtype)
        x, y = scale * rng.normal(size=(32, 2)), rng.random((32, 3))
        assert (report := net.verify(x, y.argmax(axis=1) if loss == "cross_entropy" else y)), str(report)


@given(st.integers(1, 9), st.floats(1e-9, 50.0), st.integers(0, 99))
def test_softmax_moves_by_its_bound_at_most(k, far, seed):
    rng = np.random.default_rng(seed)
    z, signs = 10.0 * rng.normal(size=(1, k)), rng.uniform(-1.0, 1.0, (50, k))
    signs[:k], signs[k : 2 * k] = 2.0 * np.eye(k) - 1.0, 1.0 - 2.0 * np.eye(k)  # the worst of each unit

    def softmax(z):
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    moved = np.abs(softmax(z + far * signs) - softmax(z)).max(axis=0)
    bound = softmax_error(softmax(z), np.full((1, k), far))[0]
    assert (moved <= bound * (1 + 1e-9) + 1e-15).all()
    if k > 1:  # and no less: one unit against all others is the worst
        assert moved == pytest.approx(bound, rel=1e-6, abs=1e-14)


@pytest.mark.parametrize("k", [1, 2, 3, 8, 9, 100])
def test_any_two_units_take_opposite_signs_at_least_once(k):
    rows = np.array(pairs(k)).reshape(-1, k)
    assert len(rows) == int(np.ceil(np.log2(k)))
    assert all((rows[:, i] != rows[:, j]).any() for i in range(k) for j in range(i))
