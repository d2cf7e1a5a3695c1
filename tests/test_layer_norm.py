"""Layer normalization in Network: rows of any scale, its step in words, and that it is kept."""

import json
import pickle

import numpy as np
import pytest

import chainrule
from chainrule import Dense, Dropout, LayerNorm, Network, _native, gradcheck

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
    # From 1e19 on squares overflow in float32, and there is nothing to verify; far from 0 x̂ is only rounding.
    for n_units in (1, 2, 3, 40):
        x = (RNG.standard_normal((5, n_units)) + offset * RNG.standard_normal((5, 1))) * scale
        x[0] = scale * max(offset, 1.0)  # all equal
        net = Network([n_units, LayerNorm(), Dense(6, "tanh"), LayerNorm(eps=0.1), 2], dtype=dtype, seed=2)
        if np.isfinite(net.forward(x)).all():
            report = net.verify(x, RNG.standard_normal((5, 2)))
            assert report, str(report)
        else:
            assert dtype == "float32"
            assert scale * max(offset, 1.0) > 1e17
            with pytest.raises(ValueError, match="is not finite in float32 on this data"):
                net.verify(x, RNG.standard_normal((5, 2)))


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
    assert "layer by layer (layer 2 is LayerNorm)" in net.summary(plan=True)


@pytest.mark.parametrize(("dtype", "far"), [("float32", 1e20), ("float64", 1e160)])
@pytest.mark.parametrize("kind", [Network, chainrule.reference.Network])
def test_a_variance_that_overflows_is_a_divergence(kind, dtype, far):
    if kind is not Network and dtype == "float32":
        far = 1e160  # the reference computes in float64
    net = kind([3, LayerNorm(), 1], dtype=dtype, seed=0)
    X, y = [[1.0, 2.0, 4.0], [-far, 0.0, far]], [0.0, 0.0]
    good, bad = (row[0] for row in net.forward(X))
    assert np.isfinite(good)
    assert np.isnan(bad)
    before = list(net.parameters)
    with pytest.raises(ValueError, match=r"the loss (became|is) (NaN|nan)"):
        net.step(X, y)
    assert list(net.parameters) == before


@pytest.mark.parametrize("eps", [0.0, 5e-324, 1e-46, 1e39])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_eps_that_float32_does_not_have_is_refused_by_name(eps, dtype):
    with pytest.raises(ValueError, match=r"eps must be a number in \[1e-45, 3e38\]"):
        Network([3, LayerNorm(eps=eps), 1], dtype=dtype)
    config = Network([3, LayerNorm(), 1], seed=0).config
    config["layers"][0]["eps"] = eps
    with pytest.raises(ValueError, match="eps must be from 1e-45 to 3e38"):
        _native.Network(json.dumps(config))


@pytest.mark.parametrize("eps", [1e-45, 3e38])
def test_the_smallest_and_largest_eps_give_numbers(eps):
    net = Network([3, LayerNorm(eps=eps), 1], seed=0)
    assert np.isfinite(net.gradient([[1.0, 2.0, 4.0], [3.0, 3.0, 3.0]], [0.0, 0.0]).flat).all()
