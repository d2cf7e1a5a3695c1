"""The reference network: its methods agree with each other, refuse wrong arguments, and need nothing but Python."""

import copy
import json
import pickle
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import chainrule.reference
from chainrule.reference import SGD, Adam, Dense, Dropout, LayerNorm, Network
from chainrule.reference.optimizers import OPTIMIZERS
from chainrule.reference.rng import SHUFFLE, Stream
from chainrule.reference.vectors import total

X = [[0.1, -0.4, 0.5], [1.0, 0.2, -0.3], [0.7, -0.9, 0.0], [-0.2, 0.6, 0.8], [0.3, 0.3, -1.0]]
Y = [[1.0, 0.0], [0.0, 0.5], [1.0, -1.0], [0.2, 0.3], [-0.4, 0.1]]


def small(**arguments):
    layers = [3, Dense(4, l2=0.01), Dropout(0.3), Dense(3, bias=False), 2]
    return Network(layers, **{"activation": "tanh", "seed": 1, **arguments})


# ── Methods that say the same thing ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("optimizer", [SGD(momentum=0.9, nesterov=True), *OPTIMIZERS])
def test_step_is_gradient_and_apply(optimizer):
    stepped, applied = small(optimizer=optimizer), small(optimizer=optimizer)
    for _ in range(3):
        gradient = applied.gradient(X, Y, training=True)
        applied.apply_gradient(gradient.flat)
        assert stepped.step(X, Y) == gradient.loss
        assert stepped.parameters == applied.parameters
    assert stepped.step_count == applied.step_count == 3


def test_fit_is_the_sequence_of_its_steps():
    fitted, stepped = small(), small()
    history = fitted.fit(X, Y, epochs=2, batch_size=2)
    for epoch in range(2):
        order = Stream(1, SHUFFLE, epoch).permutation(5)
        losses = [
            stepped.step([X[i] for i in rows], [Y[i] for i in rows]) * len(rows)
            for rows in (order[0:2], order[2:4], order[4:5])
        ]
        assert history.loss[epoch] == total(losses) / 5
    assert fitted.parameters == stepped.parameters
    assert (fitted.step_count, fitted.epoch_count) == (6, 2)


def test_a_second_fit_goes_on():
    once, twice = small(), small()
    history = once.fit(X, Y, epochs=5, batch_size=2, validation_data=(X, Y))
    first = twice.fit(X, Y, epochs=2, batch_size=2, validation_data=(X, Y))
    second = twice.fit(X, Y, epochs=3, batch_size=2, validation_data=(X, Y))
    assert once.parameters == twice.parameters
    assert once.state == twice.state
    assert history.loss == first.loss + second.loss
    assert history["val_loss"] == first["val_loss"] + second["val_loss"]
    assert second.epoch == [3, 4, 5]
    assert len(second) == 3
    assert history.val_loss[-1] == once.evaluate(X, Y)["loss"]


def test_fit_without_shuffling_takes_the_rows_as_they_stand():
    fitted, stepped = small(), small()
    fitted.fit(X, Y, batch_size=3, shuffle=False)
    for rows in (slice(0, 3), slice(3, 5)):
        stepped.step(X[rows], Y[rows])
    assert fitted.parameters == stepped.parameters


def test_trace_is_the_coming_step():
    network = small(optimizer=Adam(learning_rate=0.1))
    network.step(X, Y)
    before = network.parameters
    records = network.trace(X, Y)
    gradient = network.gradient(X, Y, training=True)
    assert records[-1].a == network.forward(X, training=True)
    dense = [record for record in records if record.kind == "dense"]
    assert [record.index for record in dense] == [1, 3, 4]
    assert tuple(record.d_weight for record in dense) == gradient.weights
    assert tuple(record.d_bias for record in dense) == gradient.biases
    assert network.parameters == before
    old = network.weights, network.biases
    network.step(X, Y)
    for record, w, b, new_w, new_b in zip(dense, *old, network.weights, network.biases, strict=True):
        np.testing.assert_allclose(record.update_weight, np.subtract(new_w, w), rtol=1e-15)
        np.testing.assert_allclose(record.update_bias, np.subtract(new_b, b), rtol=1e-15)
    dropout = records[1]
    np.testing.assert_array_equal(dropout.a, np.multiply(dropout.z, dropout.slope))
    assert set(np.ravel(dropout.slope)) == {0.0, 1.0 / 0.7}
    assert dropout.d_weight == dropout.d_bias == dropout.update_weight == dropout.update_bias == []


def test_training_uses_the_mask_of_the_coming_step_until_the_next_update():
    network = small()
    first = network.forward(X, training=True)
    assert network.forward(X, training=True) == first
    assert network.forward(X) != first
    network.step_count += 1
    assert network.forward(X, training=True) != first


def test_weights_count_as_repetition():
    network = small()
    weighted = network.gradient(X, Y, [2.0, 1.0, 0.0, 3.0, 1.0])
    rows = [0, 0, 1, 3, 3, 3, 4]
    repeated = network.gradient([X[i] for i in rows], [Y[i] for i in rows])
    assert weighted.loss == pytest.approx(repeated.loss, rel=1e-14)
    np.testing.assert_allclose(weighted.flat, repeated.flat, rtol=1e-12, atol=1e-15)


def test_weights_of_zero_change_nothing():
    network = small()
    before = network.parameters
    zeros = [0.0] * 5
    assert network.evaluate(X, Y, zeros) == {"loss": 0.0}
    gradient = network.gradient(X, Y, zeros)
    assert (gradient.loss, set(gradient.flat)) == (0.0, {0.0})
    assert network.step(X, Y, zeros) == 0.0
    assert network.fit(X, Y, epochs=2, sample_weight=zeros).loss == [0.0, 0.0]
    assert set(np.ravel(network.trace(X, Y, zeros)[0].update_weight)) == {0.0}
    assert (network.parameters, network.step_count, network.epoch_count) == (before, 0, 0)


def test_a_batch_of_zero_weights_is_no_step():
    network = small()
    history = network.fit(X, Y, batch_size=1, shuffle=False, sample_weight=[1.0, 0.0, 1.0, 0.0, 0.0])
    assert (network.step_count, network.epoch_count) == (2, 1)
    other = small()
    assert history.loss == [(other.step(X[:1], Y[:1]) + other.step(X[2:3], Y[2:3])) / 2]


def test_labels_are_probabilities_of_one_and_zero():
    network = Network([3, 3], loss="cross_entropy", seed=0)
    labels, rows = [0, 2, 1, 1, 0], [[1, 0, 0], [0, 0, 1], [0, 1, 0], [0, 1, 0], [1, 0, 0]]
    assert network.gradient(X, labels) == network.gradient(X, rows)
    assert network.gradient(X, np.array(labels)) == network.gradient(X, np.array(rows))


def test_predict_applies_the_link():
    for loss, output in (("cross_entropy", 0.5), ("binary_cross_entropy", 0.5), ("mse", 0.0)):
        assert Network([3, 2], loss=loss, init="zeros", seed=0).predict(X[:1]) == [[output, output]]


def test_one_output_takes_plain_targets():
    network = Network([3, 1], seed=0)
    assert network.gradient(X, [1.0, 2.0, 3.0, 4.0, 5.0]) == network.gradient(X, [[1.0], [2.0], [3.0], [4.0], [5.0]])


def test_arrays_are_taken_as_lists_are():
    network = small()
    expected = network.gradient(X, Y, [1.0, 2.0, 3.0, 4.0, 5.0])
    assert network.gradient(np.array(X), np.array(Y), np.array([1, 2, 3, 4, 5])) == expected
    network.parameters = np.array(network.parameters)
    network.weights = tuple(np.array(w) for w in network.weights)
    network.biases = tuple(np.array(b) for b in network.biases)
    network.apply_gradient(np.array(expected.flat))
    assert all(type(p) is float for p in network.parameters)


def test_parameters_are_weights_and_biases_in_order():
    network = small()
    w, b = network.weights, network.biases
    assert b[1] == []
    in_order = [*w[0], b[0], *w[1], *w[2], b[2]]
    assert network.parameters == [p for row in in_order for p in row]
    assert network.n_parameters == len(network.parameters) == 12 + 4 + 12 + 6 + 2


def test_what_is_handed_out_is_a_copy():
    network = small()
    before = network.parameters
    network.parameters[0] = network.weights[0][0][0] = network.biases[0][0] = 9.0
    assert network.parameters == before


@pytest.mark.parametrize("again", [copy.deepcopy, lambda network: pickle.loads(pickle.dumps(network))])  # noqa: S301
def test_a_copy_goes_on_alike(again):
    network = small()
    network.fit(X, Y, epochs=2, batch_size=2)
    other = again(network)
    assert network.fit(X, Y, epochs=2, batch_size=2) == other.fit(X, Y, epochs=2, batch_size=2)
    assert network.parameters == other.parameters


def test_config_makes_the_same_network_with_the_present_learning_rate():
    network = small(optimizer=SGD(momentum=0.5))
    network.learning_rate = 0.25
    other = Network.from_config(json.loads(json.dumps(network.config)))
    assert (other.config, other.parameters) == (network.config, network.parameters)
    assert other.optimizer == SGD(learning_rate=0.25, momentum=0.5)


def test_no_rows_give_no_outputs():
    assert small().forward([], training=True) == []
    assert small().predict(np.empty((0, 3))) == []


def test_mnist_size_takes_seconds():
    network = Network([784, 128, 10], loss="cross_entropy", seed=0)
    X = np.random.default_rng(0).random((32, 784))
    start = time.process_time()
    network.step(X, [i % 10 for i in range(32)])
    assert time.process_time() - start < 10.0  # half a second, measured


# ── What is refused ──────────────────────────────────────────────────────────────────────────────────────────────────

NAN = float("nan")


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda n: n.forward([[1.0, 2.0]]), ValueError, "X has 2 columns in row 0 but the network was built for 3"),
        (lambda n: n.forward([X[0], X[1][:2]]), ValueError, "X has 2 columns in row 1"),
        (lambda n: n.forward([X[0], [1.0, NAN, 0.0]]), ValueError, "X has nan at row 1, column 1"),
        (lambda n: n.forward([[10**400, 0, 0]]), ValueError, "X has inf at row 0, column 0"),
        (lambda n: n.forward(X[0]), ValueError, "row 0 is 0.1"),
        (lambda n: n.forward(3.0), TypeError, "X must be a sequence"),
        (lambda n: n.forward([["1", "2", "3"]]), TypeError, "X must hold numbers, not '1' .str."),
        (lambda n: n.forward([[1.0, None, 3.0]]), TypeError, "X must hold numbers, not None"),
        (lambda n: n.gradient([], []), ValueError, "X has no rows"),
        (lambda n: n.step(X, Y[:4]), ValueError, "y has 4 rows but X has 5"),
        (lambda n: n.step(X, [1.0] * 5), ValueError, "the network has 2 outputs: give rows"),
        (lambda n: n.step(X, [[1.0]] * 5), ValueError, "y has 1 columns in row 0 but the network has 2 outputs"),
        (lambda n: n.step(X, Y, [1.0] * 4), ValueError, "sample_weight has 4 numbers, but the rows of X are 5"),
        (lambda n: n.step(X, Y, [1, 1, -1, 1, 1]), ValueError, r"sample_weight\[2\] must be a number in \[0, inf\)"),
        (lambda n: n.step(X, Y, [1, 1, NAN, 1, 1]), ValueError, "sample_weight has nan at place 2"),
        (lambda n: n.step(X, Y, [1e308] * 5), ValueError, "sum that is not finite"),
        (lambda n: n.backward(X, [[1.0]] * 5), ValueError, "d_output has 1 columns in row 0"),
        (lambda n: n.backward(X, Y[:2]), ValueError, "d_output has 2 rows but X has 5"),
        (lambda n: n.apply_gradient([1.0]), ValueError, "gradient has 1 numbers, but the network's parameters are 36"),
        (lambda n: n.apply_gradient([NAN] * 36), ValueError, "gradient has nan at place 0"),
        (lambda n: n.fit(X, Y, epochs=-1), ValueError, "epochs must be an integer from 1"),
        (lambda n: n.fit(X, Y, epochs=1.5), TypeError, "epochs must be an integer"),
        (lambda n: n.fit(X, Y, batch_size=0), ValueError, "batch_size must be an integer from 1"),
        (lambda n: n.fit(X, Y, batch_size=True), TypeError, "batch_size must be an integer"),
        (lambda n: setattr(n, "parameters", [0.0] * 35), ValueError, "parameters has 35 numbers"),
        (lambda n: setattr(n, "weights", n.weights[:2]), ValueError, "weights has 2 items, but the network has 3"),
        (lambda n: setattr(n, "weights", n.weights[::-1]), ValueError, "layer 1 has 4 units"),
        (
            lambda n: setattr(n, "weights", (n.weights[0][:2], *n.weights[1:])),
            ValueError,
            r"weights\[0\] has 2 rows but layer 1 has 3 inputs",
        ),
        (
            lambda n: setattr(n, "biases", n.biases[::-1]),
            ValueError,
            r"biases\[0\] has 2 numbers, but the biases of layer 1",
        ),
        (lambda n: setattr(n, "biases", n.biases[:1]), ValueError, "biases has 1 items"),
        (lambda n: setattr(n, "learning_rate", 0.0), ValueError, r"learning_rate must be a number in \(0, inf\)"),
    ],
)
def test_data_that_does_not_fit_is_refused_and_changes_nothing(call, error, text):
    network = small()
    before = network.parameters
    with pytest.raises(error, match=text):
        call(network)
    assert (network.parameters, network.step_count) == (before, 0)


@pytest.mark.parametrize(
    ("loss", "y", "error", "text"),
    [
        ("cross_entropy", [0, 1, 2, 0, 1], ValueError, r"y\[2\], a label of 2 classes, must be an integer from 0 to 1"),
        ("cross_entropy", [0, 1, -1, 0, 1], ValueError, "not -1"),
        ("cross_entropy", [0.0, 1.0, 1.0, 0.0, 1.0], TypeError, "must be an integer"),
        ("cross_entropy", [False] * 5, TypeError, "must be an integer"),
        ("cross_entropy", [[0.5, 0.4]] * 5, ValueError, "y sums to 0.9 at row 0; cross_entropy takes prob"),
        ("cross_entropy", [[1.5, -0.5]] * 5, ValueError, "y has -0.5 at row 0, column 1; cross_entropy takes"),
        ("cross_entropy", [0, 1], ValueError, "y has 2 rows but X has 5"),
        ("binary_cross_entropy", [[0.0, 1.5]] * 5, ValueError, "y has 1.5 at row 0, column 1; binary_cross_entropy"),
        ("mse", [[0.0, NAN]] * 5, ValueError, "y has nan at row 0, column 1"),
    ],
)
def test_targets_that_a_loss_does_not_take_are_refused(loss, y, error, text):
    with pytest.raises(error, match=text):
        Network([3, 2], loss=loss, seed=0).gradient(X, y)


def test_divergence_is_noticed():
    network = Network([3, 4, 2], optimizer=SGD(learning_rate=1e200), seed=0)
    with pytest.raises(ValueError, match="try a smaller learning rate"):
        network.fit(X, Y, epochs=10)


# ── Nothing but Python ───────────────────────────────────────────────────────────────────────────────────────────────

ALONE = """
import importlib.util, sys
sys.modules["numpy"] = sys.modules["chainrule"] = sys.modules["chainrule._native"] = None  # to import them is an error
spec = importlib.util.spec_from_file_location("plain", sys.argv[1], submodule_search_locations=[sys.argv[2]])
plain = importlib.util.module_from_spec(spec)
sys.modules["plain"] = plain
spec.loader.exec_module(plain)
network = plain.Network([2, 3, 1], seed=0)
network.fit([[0, 0], [0, 1]], [0, 1])
foreign = {name.partition(".")[0] for name, module in sys.modules.items() if module is not None}
foreign -= {*sys.stdlib_module_names, "plain", "__main__", "__mp_main__"}
assert not foreign, foreign
print(network.n_parameters)
"""


def test_reference_needs_only_the_standard_library():
    package = Path(chainrule.reference.__file__)
    command = [sys.executable, "-S", "-I", "-c", ALONE, str(package), str(package.parent)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "13\n", "")


def test_a_new_optimizer_begins_anew():
    x, y = [[1.0, 2.0], [0.5, -1.0]], [1.0, 0.0]
    net, fresh = Network([2, 3, 1], seed=0), Network([2, 3, 1], optimizer="rmsprop", seed=0)
    net.step(x, y)
    fresh.parameters = net.parameters
    net.optimizer = "rmsprop"
    assert (net.step_count, net.config, list(net.state)) == (0, fresh.config, list(fresh.state))
    assert [net.step(x, y), net.step(x, y)] == [fresh.step(x, y), fresh.step(x, y)]
    assert net.parameters == fresh.parameters
    with pytest.raises(ValueError, match="optimizer 'adm' is unknown; did you mean 'adam'"):
        net.optimizer = "adm"


@pytest.mark.parametrize("layers", [[2**31 - 1, 1], [2**31 - 1, LayerNorm(), 1], [1, 2**31 - 1, 2**31 - 1, 1]])
def test_more_parameters_than_lists_can_hold_are_refused(layers):
    with pytest.raises(MemoryError, match=r"the network has \d+ parameters, and in plain Python at most 100000000 are"):
        Network(layers)


@pytest.mark.parametrize("kind", [Network, chainrule.Network])
def test_more_layers_than_anyone_needs_are_refused(kind):
    with pytest.raises(ValueError, match="layers must have at most 10000 items, not 2147483648"):
        kind(np.broadcast_to(np.int64(3), 2**31))
