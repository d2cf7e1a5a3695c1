"""Worked examples that others have published, number by number, on the fast network and on the plain one."""

import random

import numpy as np
import pytest
from numpy.testing import assert_allclose

from chainrule.reference import SGD, Dense, RMSprop

from .implementations import build, each_implementation, identity, set_moments

# ── Mazur, "A Step by Step Backpropagation Example", 2015-03-17 ──────────────────────────────────────────────────────

MAZUR_X, MAZUR_Y = [[0.05, 0.10]], [[0.01, 0.99]]
# The page numbers the weights by the unit that they lead to: w1 and w2 lead to h1. Here a column leads to a unit.
MAZUR_WEIGHTS = [[[0.15, 0.25], [0.20, 0.30]], [[0.40, 0.50], [0.45, 0.55]]]
MAZUR_BIASES = [[0.35, 0.35], [0.60, 0.60]]


def mazur(implementation):
    """The network 2-2-2 of the page."""
    network = build(
        implementation,
        [2, 2, 2],
        activation="sigmoid",
        output_activation="sigmoid",
        loss="half_squared_error",
        optimizer=SGD(learning_rate=0.5),
    )
    network.weights, network.biases = MAZUR_WEIGHTS, MAZUR_BIASES
    return network


@each_implementation
def test_mazur_forward_and_backward(implementation):
    network = mazur(implementation)
    hidden, output = network.trace(MAZUR_X, MAZUR_Y)
    assert_allclose(hidden.z, [[0.3775, 0.3925]], rtol=1e-15)
    assert_allclose(hidden.a, [[0.5932699921071872, 0.596884378259767]], rtol=1e-14)
    assert_allclose(output.a, [[0.7513650695523157, 0.7729284653214625]], rtol=1e-14)
    assert_allclose(output.delta, [[0.13849856162855695, -0.038098236516556236]], rtol=1e-14)
    assert_allclose(hidden.delta, [[0.00877135468948693, 0.009954254705217196]], rtol=1e-14)
    assert_allclose(network.evaluate(MAZUR_X, MAZUR_Y)["loss"], 0.2983711087600027, rtol=1e-14)
    # As the page has them, rounded.
    assert_allclose(hidden.a, [[0.593269992, 0.596884378]], atol=5e-10)
    assert_allclose(output.a, [[0.75136507, 0.772928465]], atol=5e-9)
    assert_allclose(output.delta, [[0.138498562, -0.038098236]], atol=1e-9)


@each_implementation
def test_mazur_first_step(implementation):
    network = mazur(implementation)
    assert_allclose(network.step(MAZUR_X, MAZUR_Y), 0.2983711087600027, rtol=1e-14)
    network.biases = MAZUR_BIASES  # the page does not train them
    hidden, output = network.weights
    w1_to_w4 = [0.1497807161327628, 0.19956143226552567, 0.24975114363236958, 0.29950228726473915]
    w5_to_w8 = [0.35891647971788465, 0.4086661860762334, 0.5113012702387375, 0.5613701211079891]
    assert_allclose(np.transpose(hidden).ravel(), w1_to_w4, rtol=1e-14)
    assert_allclose(np.transpose(output).ravel(), w5_to_w8, rtol=1e-14)
    # As the page has them, rounded; its error after the step, .291027924, is another algorithm's: there the hidden
    # deltas see output weights that were updated before.
    assert_allclose(w1_to_w4, [0.149780716, 0.19956143, 0.24975114, 0.29950229], atol=5e-9)
    assert_allclose(w5_to_w8, [0.35891648, 0.408666186, 0.511301270, 0.561370121], atol=5e-9)
    assert_allclose(network.evaluate(MAZUR_X, MAZUR_Y)["loss"], 0.29102777369359933, rtol=1e-14)


@each_implementation
def test_mazur_error_of_the_page_comes_from_deltas_through_updated_weights(implementation):
    network = mazur(implementation)
    network.step(MAZUR_X, MAZUR_Y)
    updated_output = network.weights[1]
    network.weights, network.biases = [MAZUR_WEIGHTS[0], updated_output], MAZUR_BIASES
    # The delta of the outputs is the one before the update, that of the hidden units goes through the new weights.
    hidden, output = mazur(implementation).trace(MAZUR_X, MAZUR_Y)
    delta = np.asarray(output.delta) @ np.transpose(updated_output) * np.asarray(hidden.slope)
    weights = np.array(MAZUR_WEIGHTS[0]) - 0.5 * np.transpose(MAZUR_X) @ delta
    network.weights = [weights, updated_output]
    assert_allclose(network.evaluate(MAZUR_X, MAZUR_Y)["loss"], 0.29102792390544197, rtol=1e-14)


@each_implementation
def test_mazur_ten_thousand_steps(implementation):
    network = mazur(implementation)
    for _ in range(10_000):
        network.step(MAZUR_X, MAZUR_Y)
        network.biases = MAZUR_BIASES
    loss = network.evaluate(MAZUR_X, MAZUR_Y)["loss"]
    assert_allclose(loss, 3.510187782978859e-05, rtol=1e-10)
    assert_allclose(loss, 0.0000351085, atol=1e-8)  # the page


# ── Brownlee, "How to Code a Neural Network with Backpropagation In Python" ──────────────────────────────────────────

BROWNLEE_ROWS = [
    (2.7810836, 2.550537003, 0),
    (1.465489372, 2.362125076, 0),
    (3.396561688, 4.400293529, 0),
    (1.38807019, 1.850220317, 0),
    (3.06407232, 3.005305973, 0),
    (7.627531214, 2.759262235, 1),
    (5.332441248, 2.088626775, 1),
    (6.922596716, 1.77106367, 1),
    (8.675418651, -0.242068655, 1),
    (7.673756466, 3.508563011, 1),
]
BROWNLEE_ERRORS = [
    6.350, 5.531, 5.221, 4.951, 4.519, 4.173, 3.835, 3.506, 3.192, 2.898,
    2.626, 2.377, 2.153, 1.953, 1.774, 1.614, 1.472, 1.346, 1.233, 1.132,
]  # fmt: skip


def brownlee(implementation, hidden, outputs):
    """A network of the tutorial from its lists: the weights of a unit, its bias last."""
    network = build(
        implementation,
        [len(hidden[0]) - 1, len(hidden), len(outputs)],
        activation="sigmoid",
        output_activation="sigmoid",
        loss="half_squared_error",
        optimizer=SGD(learning_rate=0.5),
    )
    layers = [np.array(hidden), np.array(outputs)]
    network.weights = [layer[:, :-1].T for layer in layers]
    network.biases = [layer[:, -1] for layer in layers]
    return network


BROWNLEE_SMALL = (
    [[0.13436424411240122, 0.8474337369372327, 0.763774618976614]],
    [[0.2550690257394217, 0.49543508709194095], [0.4494910647887381, 0.651592972722763]],
)


@each_implementation
def test_brownlee_forward(implementation):
    network = brownlee(implementation, *BROWNLEE_SMALL)
    assert_allclose(network.forward([[1, 0]]), [[0.6629970129852887, 0.7253160725279748]], rtol=1e-14)
    assert_allclose(network.trace([[1, 0]], [[0, 1]])[0].a, [[0.7105668883115941]], rtol=1e-14)


@each_implementation
def test_brownlee_deltas(implementation):
    # The tutorial presets the outputs of the units. Here inputs and biases are chosen so that they come out.
    hidden, outputs = 0.7105668883115941, np.array([0.6213859615555266, 0.6573693455986976])
    network = brownlee(implementation, *BROWNLEE_SMALL)
    w_hidden, w_output = (np.asarray(w) for w in network.weights)
    b_output = np.log(outputs / (1 - outputs)) - hidden * w_output[0]
    network.biases = [[np.log(hidden / (1 - hidden)) - w_hidden[0, 0]], b_output]
    first, last = network.trace([[1, 0]], [[0, 1]])
    # As (expected − actual) · slope: the article's sign, not that of ∂L/∂z.
    assert_allclose(-np.asarray(last.delta), [[-0.14619064683582808, 0.0771723774346327]], rtol=1e-13)
    assert_allclose(-np.asarray(first.delta), [[-0.0005348048046610517]], rtol=1e-12)


@each_implementation
def test_brownlee_twenty_epochs(implementation):
    draw = random.Random(1).random
    hidden = [[draw() for _ in range(3)] for _ in range(2)]
    outputs = [[draw() for _ in range(3)] for _ in range(2)]
    network = brownlee(implementation, hidden, outputs)
    X = [row[:2] for row in BROWNLEE_ROWS]
    y = [[1.0 - row[2], float(row[2])] for row in BROWNLEE_ROWS]
    history = network.fit(X, y, epochs=20, batch_size=1, shuffle=False)
    # The tutorial sums (t − o)² over rows and outputs: 2 · 10 times the mean of ½ Σ (t − o)².
    assert_allclose(20.0 * np.asarray(history.loss), BROWNLEE_ERRORS, atol=0.0005)
    assert [round(output) for _, output in np.asarray(network.predict(X))] == [row[2] for row in BROWNLEE_ROWS]


# ── Stanford CS231n, assignments 1 and 2 ─────────────────────────────────────────────────────────────────────────────


@each_implementation
def test_cs231n_two_layer_net(implementation):
    numbers = np.random.RandomState(0)
    w1, w2 = 0.1 * numbers.randn(4, 10), 0.1 * numbers.randn(10, 3)
    X = 10.0 * np.random.RandomState(1).randn(5, 4)
    # Its regularization is reg · ‖w‖², ours ½ · l2 · ‖w‖².
    layers = [4, Dense(10, l2=0.1), Dense(3, l2=0.1)]
    network = build(implementation, layers, activation="relu", loss="cross_entropy")
    network.weights, network.biases = [w1, w2], [np.zeros(10), np.zeros(3)]
    assert_allclose(network.forward(X)[0], [-0.81233741, -1.27654624, -0.70335995], atol=5e-9)
    assert_allclose(network.evaluate(X, [0, 1, 2, 2, 1])["loss"], 1.3037878913298202, rtol=1e-14)


def cs231n_update(implementation, optimizer, step=0, **moments):
    """One update of w = linspace(−.4, .6, 20) by dw = linspace(−.6, .4, 20), as 4 × 5."""
    network = build(implementation, [4, Dense(5, bias=False)], optimizer=optimizer)
    network.parameters = np.linspace(-0.4, 0.6, 20)
    set_moments(network, step, **moments)
    network.apply_gradient(np.linspace(-0.6, 0.4, 20))
    return np.asarray(network.weights[0])


@each_implementation
def test_cs231n_momentum(implementation):
    # Its velocity is −learning_rate times ours.
    optimizer = SGD(learning_rate=1e-3, momentum=0.9)
    w = cs231n_update(implementation, optimizer, velocity=np.linspace(0.6, 0.9, 20) / -1e-3)
    assert_allclose(w[0], [0.1406, 0.20738947, 0.27417895, 0.34096842, 0.40775789], atol=5e-9)


@each_implementation
def test_cs231n_rmsprop(implementation):
    w = cs231n_update(implementation, RMSprop(learning_rate=1e-2), v=np.linspace(0.6, 0.9, 20))
    assert_allclose(w[0], [-0.39223849, -0.34037513, -0.28849239, -0.23659121, -0.18467247], atol=5e-9)


# ── Trask, "A Neural Network in 11 lines of Python (Part 1)" ─────────────────────────────────────────────────────────


@each_implementation
def test_trask_mean_error(implementation):
    numbers = np.random.RandomState(1)
    w1, w2 = 2 * numbers.random_sample((3, 4)) - 1, 2 * numbers.random_sample((4, 1)) - 1
    X, y = [[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]], [[0], [1], [1], [0]]
    network = build(
        implementation,
        [3, Dense(4, bias=False), Dense(1, bias=False)],
        activation="sigmoid",
        output_activation="sigmoid",
        loss="half_squared_error",
        optimizer=SGD(learning_rate=4.0),  # the post adds up the four rows, here is their mean
    )
    network.weights = [w1, w2]

    def mean_error():
        return np.mean(np.abs(np.subtract(y, network.forward(X))))

    assert_allclose(mean_error(), 0.496410031903, rtol=1e-10)
    network.fit(X, y, epochs=10_000, batch_size=4, shuffle=False)
    assert_allclose(mean_error(), 0.00858452565325, rtol=1e-9)
    network.fit(X, y, epochs=10_000, batch_size=4, shuffle=False)
    assert_allclose(mean_error(), 0.00578945986251, rtol=1e-9)


# ── Keras, docstrings of the losses ──────────────────────────────────────────────────────────────────────────────────


@each_implementation
def test_keras_binary_cross_entropy(implementation):
    network = identity(implementation, 1, loss="binary_cross_entropy")
    loss = network.evaluate([[-18.6], [0.51], [2.94], [-12.8]], [0.0, 1.0, 0.0, 0.0])["loss"]
    assert_allclose(loss, 0.86545795, atol=5e-8)  # Keras computes in float32


@each_implementation
@pytest.mark.parametrize("as_labels", [True, False])
def test_keras_categorical_cross_entropy(implementation, as_labels):
    network = identity(implementation, 3, loss="cross_entropy")
    logits = np.log([[0.05, 0.95, 1e-300], [0.1, 0.8, 0.1]])  # the first row of the docstring has a probability of 0
    y = np.array([1, 2]) if as_labels else np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    rows = [network.evaluate(logits[i : i + 1], y[i : i + 1])["loss"] for i in range(2)]
    assert_allclose(rows, [0.0513, 2.303], atol=0.0005)
    assert_allclose(rows, -np.log([0.95, 0.1]), rtol=1e-14)
