"""Initial weights: the numbers for a seed, which never change, and the distributions that the rules promise."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule
from chainrule import Constant, Dense, Network, Orthogonal, TruncatedNormal, _native
from chainrule.reference.inits import INITS
from chainrule.reference.rng import WEIGHTS, Stream

from .implementations import build, each_implementation

OPTIONS = [*(kind() for kind in INITS.values()), TruncatedNormal(3.0), Orthogonal(math.sqrt(2.0)), Constant(-0.1)]

# Weights of seed 1 from 2 inputs to 2 units: whoever has a seed in a paper can have its numbers again.
GOLDEN = {
    "glorot_uniform": [-0.3317226076745158, -0.808156667553234, -0.1788790531654484, 1.083552736621668],
    "glorot_normal": [-0.31214991001920533, -0.7604728324868492, -0.0760649723448931, 0.46076053896108404],
    "he_uniform": [-0.4691266107190696, -1.1429061197760282, -0.25297318301103505, 1.532374975676845],
    "he_normal": [-0.4414466362427014, -1.0754709935191848, -0.10757211551168222, 0.6516138032051019],
    "lecun_uniform": [-0.3317226076745158, -0.808156667553234, -0.1788790531654484, 1.083552736621668],
    "lecun_normal": [-0.31214991001920533, -0.7604728324868492, -0.0760649723448931, 0.46076053896108404],
    "truncated_normal": [-0.02207233181213507, -0.053773549675959244, -0.0053786057755841115, 0.032580690160255096],
    "orthogonal": [-0.3797240460115711, -0.9250998048214054, -0.9250998048214054, 0.3797240460115711],
    "constant": [0.0, 0.0, 0.0, 0.0],
    "zeros": [0.0, 0.0, 0.0, 0.0],
}


def drawn(option, n_in, n_out, seed=0):
    return np.array(option.weights(Stream(seed, WEIGHTS, 0), n_in, n_out))


def test_golden_numbers_cover_every_init():
    assert list(GOLDEN) == list(INITS) == chainrule.registry()["init"]


@each_implementation
@pytest.mark.parametrize("name", INITS)
def test_weights_of_a_seed_never_change(implementation, name):
    network = build(implementation, [2, Dense(2, bias=False)], init=name, seed=1)
    assert list(network.parameters) == GOLDEN[name]


@pytest.mark.parametrize("option", OPTIONS, ids=repr)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**63 - 1))
def test_weights_are_those_of_the_reference_to_the_bit(option, n_in, n_out, seed):
    native = Network([n_in, n_out], init=option, dtype="float64", seed=seed).weights[0]
    assert np.array_equal(native, drawn(option, n_in, n_out, seed))


@pytest.mark.parametrize("option", OPTIONS, ids=repr)
def test_init_has_its_variance(option):
    n_in, n_out = 100, 60
    variance = {
        "glorot": 2.0 / (n_in + n_out),
        "he": 2.0 / n_in,
        "lecun": 1.0 / n_in,
        "truncated": 0.77374 * getattr(option, "std", 0.0) ** 2,  # 1 − 2 · 2 φ(2) / (2 Φ(2) − 1)
        "orthogonal": getattr(option, "gain", 0.0) ** 2 / n_in,
        "constant": getattr(option, "value", 0.0) ** 2,
        "zeros": 0.0,
    }[option.name.split("_")[0]]
    w = drawn(option, n_in, n_out)
    # Four standard errors: the fourth moment of all of these is at most that of the normal.
    assert np.mean(w**2) == pytest.approx(variance, rel=4.0 * math.sqrt(2.0 / w.size))
    if option.name != "constant":
        assert abs(np.mean(w)) <= 4.0 * math.sqrt(variance / w.size)
    if option.name.endswith("_uniform"):
        assert np.abs(w).max() <= math.sqrt(3.0 * variance)


def test_truncated_normal_is_the_normal_without_its_tails():
    w = drawn(TruncatedNormal(std=0.5), 200, 200).ravel()
    assert 0.99 < np.abs(w).max() <= 1.0
    for z in (0.25, 0.5, 1.0, 1.5):
        inside = math.erf(z / math.sqrt(2.0)) / math.erf(math.sqrt(2.0))
        assert np.mean(np.abs(w) <= 0.5 * z) == pytest.approx(inside, abs=4.0 * math.sqrt(0.25 / w.size))


# ── Orthogonal ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("gain", [1.0, math.sqrt(2.0), 1e-3])
@given(st.integers(1, 70), st.integers(1, 70), st.integers(0, 2**63 - 1))
def test_rows_or_columns_are_orthogonal(gain, n_in, n_out, seed):
    w = Network([n_in, n_out], init=Orthogonal(gain), dtype="float64", seed=seed).weights[0] / gain
    product = w @ w.T if n_in <= n_out else w.T @ w
    # Each number of the product is a sum of as many products as the longer side has, each rounded.
    assert np.abs(product - np.eye(len(product))).max() <= 2.0**-52 * (4.0 + max(n_in, n_out))


def test_vectors_that_nearly_agree_end_at_right_angles():
    # One round of Gram and Schmidt leaves 1e-16 times the condition number, here 1e-8.
    vectors = [[1.0, 1e-8, 0.0], [1.0, 0.0, 1e-8], [1.0, 0.0, 0.0]]
    from chainrule.reference.inits.orthogonal import orthonormal

    once = np.array(orthonormal(vectors))
    twice = np.array(orthonormal(orthonormal(vectors)))
    assert np.abs(once @ once.T - np.eye(3)).max() > 1e-12
    assert np.abs(twice @ twice.T - np.eye(3)).max() < 1e-15


def test_orthogonal_is_uniform_over_the_orthogonal_matrices():
    n = 4000
    w = np.array([drawn(Orthogonal(), 2, 2, seed) for seed in range(n)])
    angle = np.arctan2(w[:, 0, 1], w[:, 0, 0])
    counts, _ = np.histogram(angle, bins=12, range=(-np.pi, np.pi))
    assert np.sum((counts - n / 12) ** 2 / (n / 12)) < 31.3  # once in a thousand, at 11 degrees of freedom
    # Reflections are as likely as rotations, whatever the angle.
    determinant = np.linalg.det(w)
    assert abs(np.mean(determinant)) < 4.0 / math.sqrt(n)
    assert abs(np.mean(determinant * np.cos(angle))) < 4.0 / math.sqrt(2 * n)


def test_wide_matrix_is_orthogonal_too():
    w = Network([600, 900], init="orthogonal", dtype="float64", seed=3).weights[0]
    assert np.abs(w @ w.T - np.eye(600)).max() < 1e-14


# ── What is refused ──────────────────────────────────────────────────────────────────────────────────────────────────


@each_implementation
@pytest.mark.parametrize("option", [TruncatedNormal(1e300), Orthogonal(1e39), Constant(-1e39)], ids=repr)
def test_weights_that_float32_cannot_hold_are_refused(implementation, option):
    with pytest.raises(ValueError, match="layer 2: the initial weights are too large for float32"):
        build(implementation, [3, 2, Dense(4, init=option)], dtype="float32")
    build(implementation, [3, 2, Dense(4, init=option)], dtype="float64")


@pytest.mark.parametrize(
    ("init", "text"),
    [
        ({"name": "truncated_normal", "std": 0.0}, "std must be finite and greater than 0, got 0"),
        ({"name": "orthogonal", "gain": -1.0}, "gain must be finite and greater than 0, got -1"),
        ({"name": "constant", "value": 1e999}, "number out of range"),
        ({"name": "constant"}, "missing field `value`"),
    ],
)
def test_core_refuses_what_the_option_refuses(init, text):
    config = Network([2, 1], seed=0).config
    config["layers"][0]["init"] = init
    with pytest.raises(ValueError, match=text):
        _native.Network(json.dumps(config).replace("Infinity", "1e999"))


def test_units_that_start_equal_stay_equal():
    network = Network([2, 4, 1], init=Constant(0.3), activation="tanh", seed=0)
    network.fit(np.random.default_rng(0).standard_normal((20, 2)), np.arange(20.0), epochs=3)
    w = network.weights[0]
    assert np.array_equal(w, np.repeat(w[:, :1], 4, axis=1))
    assert not np.allclose(w, 0.3)
