"""Schedules: the formula, both networks, and that no cut of a training changes a rate."""

import math
import pickle
from pathlib import Path

import numpy as np
import pytest

from chainrule import Adam, AdamW, Network, Rprop, reference, schedules
from chainrule.schedules import Cosine

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(12, 3)), RNG.normal(size=(12, 2))
RATE = Cosine(0.1, steps=9, warmup=3, end=0.01)


def network(optimizer: object = None, kind: type = Network) -> Network:
    return kind([3, 4, 2], activation="tanh", optimizer=optimizer or AdamW(RATE), dtype="float64", seed=1)


def test_cosine_is_its_formula():
    assert [RATE.at(t) for t in (1, 2, 3)] == [0.1 * (1 / 3), 0.1 * (2 / 3), 0.1]
    for k, t in enumerate(range(4, 10)):
        assert RATE.at(t) == pytest.approx(0.01 + 0.09 * (1 + math.cos(math.pi * k / 6)) / 2, rel=1e-15)
    assert RATE.at(10) == RATE.at(10**9) == 0.01


@pytest.mark.parametrize("name", reference.config.OPTIMIZERS)
def test_updates_past_the_horizon_are_those_of_the_reference(name: str):
    optimizer = reference.config.OPTIMIZERS[name](learning_rate=RATE)
    fast, plain = network(optimizer), network(optimizer, reference.Network)
    for t in range(1, 13):
        assert fast.learning_rate == pytest.approx(RATE.at(t), rel=1e-15)
        assert plain.learning_rate == RATE.at(t)
        fast.step(X, Y)
        plain.step(X.tolist(), Y.tolist())
    np.testing.assert_allclose(fast.parameters, plain.parameters, rtol=1e-9, atol=1e-12)


def test_a_schedule_is_the_rates_assigned_one_by_one():
    scheduled, assigned = network(), network(AdamW(RATE.at(1)))
    for _ in range(11):
        assigned.learning_rate = scheduled.learning_rate
        assert scheduled.step(X, Y) == assigned.step(X, Y)
    assert np.array_equal(scheduled.parameters, assigned.parameters)


def test_exact_over_save_pickle_copy_and_any_cut(tmp_path):
    whole, cut = network(), network()
    whole.fit(X, Y, epochs=4, batch_size=4)
    cut.fit(X, Y, epochs=1, batch_size=4)
    cut.save(tmp_path / "net")
    cut = pickle.loads(pickle.dumps(Network.load(tmp_path / "net")))  # noqa: S301 - our own
    cut.fit(X, Y, epochs=1, batch_size=4)
    other = network()
    other.load_state_dict(cut.state_dict())
    other.fit(X, Y, epochs=2, batch_size=4)
    assert np.array_equal(whole.parameters, other.parameters)
    assert other.optimizer == AdamW(RATE)
    assert other.config == whole.config
    assert reference.Network.from_config(whole.config).optimizer == AdamW(RATE)


def test_a_state_brings_its_schedule():
    other = network(AdamW(0.5))
    other.load_state_dict(network().state_dict())
    assert other.optimizer == AdamW(RATE)
    other.load_state_dict(network(AdamW(0.5)).state_dict())
    assert other.optimizer == AdamW(0.5)


def test_a_number_replaces_a_schedule():
    net = network()
    net.learning_rate = 0.25
    net.step(X, Y)
    assert net.learning_rate == 0.25
    assert net.optimizer == AdamW(0.25)
    with pytest.raises(ValueError, match="learning_rate"):
        net.learning_rate = 0.0


def test_a_rate_of_zero_moves_moments_and_counters_alone():
    net = network(Adam(Cosine(0.1, steps=1)))
    net.step(X, Y)
    before, moments = net.parameters, net.state_dict()["optimizer.m.layers.0.weight"]
    net.step(X, Y)
    assert net.learning_rate == 0.0
    assert net.step_count == 2
    assert np.array_equal(net.parameters, before)
    assert not np.array_equal(net.state_dict()["optimizer.m.layers.0.weight"], moments)
    again = network()
    with pytest.raises(ValueError, match="optimizer"):
        again.load_state_dict(net.state_dict())
    again = Network.from_state_dict(net.state_dict())
    again.load_state_dict(net.state_dict())
    assert again.learning_rate == 0.0


def test_rprop_begins_at_the_first_rate():
    net = network(Rprop(RATE))
    assert net.learning_rate == RATE.at(1)
    before = net.parameters
    net.step(X, Y)
    assert np.abs(net.parameters - before) == pytest.approx(RATE.at(1), rel=1e-12)


def test_verify_and_explain_take_a_schedule():
    net = network()
    net.step(X, Y)
    assert net.verify(X, Y)
    assert "learning_rate 0.0666667" in str(net.explain(X, Y))  # that of update 2


def test_a_constant_rate_stays_a_number():
    assert network(Adam(0.5)).config["optimizer"]["learning_rate"] == 0.5
    assert network().config["optimizer"]["learning_rate"] == RATE.to_dict()


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({"rate": 0.0, "steps": 5}, ValueError, "rate"),
        ({"rate": math.nan, "steps": 5}, ValueError, "rate"),
        ({"rate": "fast", "steps": 5}, TypeError, "rate"),
        ({"rate": 0.1, "steps": 0}, ValueError, "steps"),
        ({"rate": 0.1, "steps": 2.5}, TypeError, "steps"),
        ({"rate": 0.1, "steps": 5, "warmup": 5}, ValueError, "warmup must be less than steps"),
        ({"rate": 0.1, "steps": 5, "warmup": -1}, ValueError, "warmup"),
        ({"rate": 0.1, "steps": 5, "end": 0.2}, ValueError, "end"),
        ({"rate": 0.1, "steps": 5, "end": math.nan}, ValueError, "end"),
        ({"rate": 0.1}, TypeError, "steps"),
    ],
)
def test_wrong_fields_are_refused(fields: dict, error: type, words: str):
    with pytest.raises(error, match=words):
        Cosine(**fields)


def test_the_public_names_and_a_class_in_the_place_of_a_schedule():
    assert schedules.__all__ == ("Cosine",)
    with pytest.raises(TypeError, match="learning_rate"):
        Adam(Cosine)


def test_the_docs_have_a_row_for_each():
    page = (Path(__file__).parents[1] / "docs" / "options.md").read_text(encoding="utf-8")
    for kind in map(schedules.__dict__.__getitem__, schedules.__all__):
        assert f"\n| `{kind.name}` | `{kind.__name__}(" in page
