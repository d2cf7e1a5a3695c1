"""Activations, losses and optimizers against numbers frozen from PyTorch (golden/torch.json, made by make_torch.py)."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from chainrule.reference.activations import ACTIVATIONS
from chainrule.reference.losses import LOSSES
from chainrule.reference.optimizers import OPTIMIZERS

from .implementations import build, each_implementation, identity

GOLDEN = json.loads((Path(__file__).parent / "golden" / "torch.json").read_text())
RTOL = 1e-10


def test_golden_numbers_cover_every_kind():
    assert {*GOLDEN["activations"], "softmax"} == set(ACTIVATIONS)
    assert {entry["option"]["name"] for entry in GOLDEN["losses"]} == set(LOSSES)
    assert {entry["option"]["name"] for entry in GOLDEN["optimizers"]} == set(OPTIMIZERS)


@each_implementation
@pytest.mark.parametrize("name", GOLDEN["activations"])
def test_activation_equals_torch(implementation, name):
    golden = GOLDEN["activations"][name]
    network = identity(implementation, 1, output_activation=ACTIVATIONS[name](**golden["options"]))
    x = [[z] for z in golden["z"]]
    # torch's 1 + erf and 1 + tanh lose their last digits on the left: it has gelu(−30) = 0.
    assert_allclose(np.ravel(network.forward(x)), golden["a"], rtol=RTOL, atol=1e-15 if "gelu" in name else 0)
    slopes = np.ravel(network.backward(x, [[1.0]] * len(x)).inputs)
    # 1 − a and 1 − a² lose all but their last bits where a is near 1. torch has 1/6 in float32 even here.
    rtol = 2.0**-24 if name == "hard_sigmoid" else RTOL
    assert_allclose(slopes, golden["slope"], rtol=rtol, atol=1e-15)


@each_implementation
def test_softmax_equals_torch(implementation):
    golden = GOLDEN["softmax"]
    network = identity(implementation, 3, output_activation="softmax")
    assert_allclose(network.forward(golden["z"]), golden["a"], rtol=RTOL, atol=0)
    delta = network.backward(golden["z"], golden["d_a"]).inputs
    assert_allclose(delta, golden["delta"], rtol=RTOL, atol=1e-15)


@each_implementation
@pytest.mark.parametrize("case", range(len(GOLDEN["losses"])))
def test_loss_equals_torch(implementation, case):
    golden = GOLDEN["losses"][case]
    option = dict(golden["option"])
    loss = LOSSES[option.pop("name")](**option)
    network = identity(implementation, len(golden["a"][0]), loss=loss)
    batch = golden["a"], np.array(golden["y"]), golden["sample_weight"]
    assert_allclose(network.evaluate(*batch)["loss"], golden["loss"], rtol=RTOL)
    assert_allclose(network.gradient(*batch).loss, golden["loss"], rtol=RTOL)
    assert_allclose(network.trace(*batch)[-1].delta, golden["d_a"], rtol=RTOL, atol=1e-15)


@each_implementation
@pytest.mark.parametrize("case", range(len(GOLDEN["optimizers"])))
def test_ten_steps_of_an_optimizer_equal_torch(implementation, case):
    golden, start = GOLDEN["optimizers"][case], GOLDEN["network"]
    options = dict(golden["option"])
    optimizer = OPTIMIZERS[options.pop("name")](**options)
    network = build(
        implementation, start["layers"], activation=start["activation"], loss=start["loss"], optimizer=optimizer
    )
    network.parameters = start["parameters"]
    losses = [network.step(start["X"], start["y"])]
    assert_allclose(network.parameters, golden["after_1"], rtol=RTOL)
    losses += [network.step(start["X"], start["y"]) for _ in range(9)]
    assert_allclose(network.parameters, golden["after_10"], rtol=RTOL)
    assert_allclose(losses, golden["losses"], rtol=RTOL)


@pytest.mark.parametrize("name", [name for name in OPTIMIZERS if name != "sgd"])  # torch long had no default for it
def test_defaults_of_an_optimizer_are_those_of_torch(name):
    # One case of each in the golden file was made without arguments.
    assert OPTIMIZERS[name]().to_dict() in [entry["option"] for entry in GOLDEN["optimizers"]]
