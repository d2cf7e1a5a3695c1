"""Layer normalization in Network: rows of any scale, its step in words, and that it is kept."""

import pickle

import numpy as np
import pytest

import chainrule
from chainrule import Dense, Dropout, LayerNorm, Network, gradcheck

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((9, 4)), RNG.standard_normal((9, 3))
SCALES = [1e-30, 1e-6, 1.0, 1e6, 1e18, 1e30, 1e36]
OFFSETS = [0.0, 1.0, 1e3, 1e9]


def network(**arguments):
    net = Network([4, 8, LayerNorm(), Dropout(0.2), 3], **{"activation": "tanh", "seed": 1, **arguments})
    net.fit(X, Y, epochs=5)
    return net


def test_normalized_rows_have_mean_0_and_variance_1():
    layer = network(dtype="float64").trace(X, Y)[1]
    assert np.allclose(layer.z.mean(axis=1), 0.0, atol=1e-14)
    assert np.allclose(layer.z.var(axis=1), 1.0, atol=1e-3)  # eps takes a little


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_network_with_it_is_verified(dtype):
    assert (report := network(dtype=dtype).verify(X, Y)), str(report)
    assert (report := gradcheck(network(dtype=dtype), X, lambda a: ((a**2).sum(), 2 * a))), str(report)
    assert "reference: d_gain, d_shift" in {check.name for check in network(dtype=dtype).verify(X, Y)}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("scale", "offset"), [(s, o) for s in SCALES for o in OFFSETS if s * o < 1e37])
def test_rows_of_any_scale_hold(scale, offset, dtype):
    # From 1e19 on squares overflow in float32, and x̂ is 0; far from 0 it is rounding and nothing else.
    for n_units in (1, 2, 3, 40):
        x = (RNG.standard_normal((5, n_units)) + offset * RNG.standard_normal((5, 1))) * scale
        x[0] = scale * max(offset, 1.0)  # all equal
        net = Network([n_units, LayerNorm(), Dense(6, "tanh"), LayerNorm(eps=0.1), 2], dtype=dtype, seed=2)
        report = net.verify(x, RNG.standard_normal((5, 2)))
        assert report, str(report)


def test_squares_that_overflow_in_float64_are_zero_in_both():
    net = Network([3, LayerNorm(), 2], dtype="float64", seed=0)
    x = np.array([[1e300, -1e300, 1e299], [7e300, 7e300, 7e300]])
    assert (net.trace(x, np.ones((2, 2)))[0].z[0] == 0.0).all()
    assert (report := net.verify(x, np.ones((2, 2)))), str(report)


@pytest.mark.parametrize("quantity", ["gain", "shift"])
def test_gradient_wrong_by_a_millionth_is_told(monkeypatch, quantity):
    right = LayerNorm.gradient

    def wrong(self, *arguments):
        gradient = right(self, *arguments)
        return gradient | {quantity: [d * (1 + 1e-6) for d in gradient[quantity]]}

    monkeypatch.setattr(LayerNorm, "gradient", wrong)
    (found,) = network().verify(X, Y).failures
    assert (found.name, found.layer) == ("reference: d_gain, d_shift", "layer 2 (LayerNorm)")


def test_explanation_tells_mean_deviation_and_the_way_back():
    net = Network([2, LayerNorm(eps=3.0), Dense(1, bias=False)], optimizer=chainrule.SGD(0.5), dtype="float64", seed=0)
    net.weights = [[[2.0], [0.0]]]
    text = str(net.explain([1.0, 3.0], [0.0]))  # a = [-½, ½], L = 1, dL/da = −2 of the output and [-4, 0] here
    for line in (
        "row          mean = (1 + 3)/2 = 2",
        "deviation = √(1 + 3) = 2",
        "unit 0          z = (1 − 2)/2 = -0.5",
        "a = 1·(-0.5) + 0 = -0.5",
        "unit 0  dL/da = (-2)·2 = -4",
        "delta = dL/da = -4",
        "gain[0]    d_gain = (-0.5)·(-4) = 2",
        "gain ← 1 − 0.5·2 = 0",
        "shift[0]  d_shift = delta = -4",
        "shift ← 0 − 0.5·(-4) = 2",
    ):
        assert line in text
    below = Network([2, Dense(2), LayerNorm(eps=3.0), Dense(1, bias=False)], dtype="float64", seed=0)
    below.weights = [np.eye(2), [[2.0], [0.0]]]
    below.biases = [[0.0, 0.0], []]
    # g = [-4, 0], mean(g) = -2, mean(g·z) = 1
    assert "dL/da = (1·(-4) − (-2) − (-0.5)·1)/2 = -0.75" in str(below.explain([1.0, 3.0], [0.0]))


def test_it_is_kept_shown_and_counted(tmp_path):
    net = network()
    assert net.summary().splitlines()[3].split() == ["2", "LayerNorm", "(n,", "8)", "16"]
    assert "LayerNorm(), Dropout(rate=0.2), 3]" in repr(net)
    net.save(tmp_path / "net")
    for again in (Network.load(tmp_path / "net"), pickle.loads(pickle.dumps(net)), net.copy()):  # noqa: S301 - our own
        assert again.layers == net.layers
        assert again.fit(X, Y).loss == net.copy().fit(X, Y).loss
    assert {"layers.1.gain", "layers.1.shift", "optimizer.m.layers.1.gain"} <= set(net.state_dict())
    assert "layer by layer (layer 2 is layer_norm)" in net.summary(plan=True)
