"""Every activation function: its limits, its kinks, and its slope, in the core and in the reference."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chainrule import ELU, Dense, LeakyReLU, Network, verify
from chainrule.reference.activations import ACTIVATIONS
from chainrule.verification.rounding import elementwise

from .implementations import build, identity

INF = math.inf
ALONE = [kind() for kind in ACTIVATIONS.values() if elementwise(kind())] + [ELU(0.5), ELU(0.0), LeakyReLU(0.3)]
FAR = [1e4, 700.0, 5e-324, 1e-310, 1e-40, 0.0, 1e-9, 1.0, 3.0, 12.0, 37.0, 1e15, 1e30]
each_activation = pytest.mark.parametrize("f", ALONE, ids=repr)


def evaluated(f, z, dtype):
    """Values and slopes of the native network at each z."""
    network = identity("native", 1, output_activation=f, dtype=dtype)
    column = np.asarray(z, dtype=dtype)[:, None]
    return network.forward(column)[:, 0], network.backward(column, np.ones_like(column)).inputs[:, 0]


def same(f, z, dtype):
    """Compare the core with the reference at each z."""
    z = np.asarray(z, dtype=dtype)
    a = np.array(f.value(z.tolist()))
    slope = np.array(f.slope(z.tolist(), a.tolist()))
    got, got_slope = evaluated(f, z, dtype)
    u, tiny = float(np.finfo(dtype).eps), float(np.finfo(dtype).tiny)
    # A rounding of the exponent x of eˣ moves it by |x| of its own; from 750 on it is 0.
    size = np.minimum(np.abs(z.astype(float)), 750)
    exponent = {"gelu": size**2 / 2, "gelu_tanh": 1.6 * size + 0.0714 * size**3}.get(f.name, size)
    units = 8 + 4 * np.minimum(exponent, 750)
    assert not np.isnan(got).any()
    assert not np.isnan(got_slope).any()
    # Below the normal numbers a factor may have lost digits that the product has.
    np.testing.assert_array_less(np.abs(got - a), units * u * np.abs(a) + 1e3 * u * tiny)
    # In a slope parts of order one cancel, or all but the last bits of a are lost (1 − a²).
    np.testing.assert_array_less(np.abs(got_slope - slope), units * u * np.abs(slope) + 8 * u)


@each_activation
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_extremes_are_those_of_the_reference(f, dtype):
    same(f, [sign * z for z in FAR for sign in (1.0, -1.0)], dtype)


@given(st.sampled_from(ALONE), st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=20))
def test_any_float64_is_that_of_the_reference(f, z):
    same(f, z, "float64")


@given(st.sampled_from(ALONE), st.lists(st.floats(-(2.0**126), 2.0**126, width=32), min_size=1, max_size=20))
def test_any_float32_is_that_of_the_reference(f, z):
    same(f, z, "float32")


@each_activation
def test_reference_has_the_limits_and_keeps_nan(f):
    for far, infinite in ((-1e300, -INF), (1e300, INF)):
        near, limit = f.f(far), f.f(infinite)
        assert limit == near if abs(near) < 10.0 else limit == math.copysign(INF, near)
        assert f.slope_of(infinite, limit) == f.slope_of(far, near)
    assert math.isnan(f.f(math.nan))


@given(st.sampled_from(ALONE), st.floats(-40.0, 40.0))
def test_slope_is_the_slope_of_the_value(f, z):
    h = 1e-4
    assume(all(abs(z - kink) > h for kink in (0.0, *f.kinks)))  # at 0 the slope of softsign bends
    difference = (f.f(z + h) - f.f(z - h)) / (2.0 * h)
    # h² / 6 of the third derivative, and the rounding of a over h.
    assert f.slope_of(z, f.f(z)) == pytest.approx(difference, abs=1e-8)


@each_activation
def test_slope_jumps_where_a_kink_is_declared_and_nowhere_else(f):
    def slope(z):
        return f.slope_of(z, f.f(z))

    jumps = {z for z in np.arange(-8.0, 8.5, 0.5) if abs(slope(z + 1e-9) - slope(z - 1e-9)) > 1e-3}
    assert jumps == (set() if f == ELU(1.0) else set(f.kinks))
    # One of the two slopes is the one at the kink.
    for kink in f.kinks:
        assert min(abs(slope(kink) - slope(kink + side)) for side in (-1e-12, 1e-12)) < 1e-9


@pytest.mark.parametrize(
    ("f", "z", "slope"),
    [
        ("relu", 0.0, 0.0),
        ("leaky_relu", 0.0, 0.01),
        (ELU(0.5), 0.0, 0.5),
        ("selu", 0.0, 1.7580993408473766),
        ("hard_sigmoid", -3.0, 0.0),
        ("hard_sigmoid", 3.0, 0.0),
        ("hard_tanh", -1.0, 0.0),
        ("hard_tanh", 1.0, 0.0),
        ("hard_silu", -3.0, 0.0),
        ("hard_silu", 3.0, 1.0),
    ],
)
@pytest.mark.parametrize("implementation", ["reference", "native"])
def test_slope_at_a_kink_is_that_of_torch(implementation, f, z, slope):
    network = identity(implementation, 1, output_activation=f)
    rows = [[z], [-0.0 if z == 0.0 else z]]
    assert np.ravel(network.backward(rows, [[1.0], [1.0]]).inputs).tolist() == [slope, slope]


# ── In a network ─────────────────────────────────────────────────────────────────────────────────────────────────────


def at_a_kink(f):
    """A network whose hidden units all sit on the kinks of f, and its data."""
    network = build("native", [2, Dense(3, activation=f), 2])
    w, b = network.weights, network.biases
    network.weights = [np.zeros_like(w[0]), w[1]]
    network.biases = [np.resize(f.kinks, 3), b[1]]
    return network, [[1.0, -2.0], [0.5, 3.0]], [[1.0, 0.0], [0.0, 2.0]]


@pytest.mark.parametrize("f", [f for f in ALONE if f.kinks], ids=repr)
def test_verify_holds_on_a_kink(f):
    report = verify(*at_a_kink(f))
    assert report, str(report)
    assert "central differences nearby" in {check.name for check in report}


@each_activation
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("scale", [1.0, 30.0, 1e6])
def test_verify_holds_for_data_of_any_size(f, dtype, scale):
    rng = np.random.default_rng(0)
    network = Network([5, 7, 4, 2], activation=f, dtype=dtype, seed=1, loss="half_squared_error")
    report = verify(network, scale * rng.standard_normal((9, 5)), rng.standard_normal((9, 2)))
    assert report, str(report)


@each_activation
def test_verify_tells_a_slope_that_is_wrong_by_a_millionth(f, monkeypatch):
    rng = np.random.default_rng(0)
    network = Network([5, 7, 2], activation=f, seed=1)
    right = type(f).slope_of
    monkeypatch.setattr(type(f), "slope_of", lambda self, z, a: right(self, z, a) * (1.0 + 1e-6))
    report = verify(network, rng.standard_normal((9, 5)), rng.standard_normal((9, 2)))
    assert "reference: slope" in {check.name for check in report if not check.ok}


@each_activation
def test_slope_jumps_nowhere_but_at_the_kinks(f):
    def jump(z):
        below, above = (f.slope_of(at, f.f(at)) for at in (z - 1e-9, z + 1e-9))
        return abs(above - below)

    assert all(jump(z) < 1e-6 for z in np.linspace(-5, 5, 401) if z not in f.kinks)
