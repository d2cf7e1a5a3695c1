"""Backpropagation of the reference against central differences, for every activation, loss and layer.

The tolerances are those of torch.autograd.gradcheck.
"""

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from chainrule.reference import Dense, Dropout, Network
from chainrule.reference.activations import ACTIVATIONS
from chainrule.reference.losses import LOSSES
from chainrule.reference.rng import SAMPLE, Stream

from . import strategies

EPS, ATOL, RTOL = 1e-6, 1e-5, 1e-3


def numbers(seed, n_rows, n_columns):
    stream = Stream(seed, SAMPLE, n_rows * 1000 + n_columns)
    return [[stream.normal() for _ in range(n_columns)] for _ in range(n_rows)]


def targets(loss, seed, n_rows, n_outputs):
    """Targets that the loss allows."""
    return strategies.targets(LOSSES[loss](), np.random.default_rng(seed), n_rows, n_outputs).tolist()


def away_from_kinks(network, X, y):
    """Whether no unit, and no output, is so near to a kink that a difference would step over it."""
    records = network.trace(X, y)
    if strategies.kink_distance(network.loss, records[-1].a, y) < 1e-3:
        return False
    for record, layer in zip(records, network.layers, strict=True):
        for kink in layer.transfer.kinks if isinstance(layer, Dense) else ():
            if min(abs(z - kink) for row in record.z for z in row) < 1e-3:
                return False
    return True


def differences(f, values):
    """Return the central difference of f along each of `values`."""
    slopes = []
    for i, value in enumerate(values):
        ends = []
        for shift in (EPS, -EPS):
            moved = [*values[:i], value + shift, *values[i + 1 :]]
            ends.append(f(moved))
        slopes.append((ends[0] - ends[1]) / (2.0 * EPS))
    return slopes


def close(got, expected):
    return all(abs(g - e) <= ATOL + RTOL * abs(e) for g, e in zip(got, expected, strict=True))


def check_parameters(network, X, y, sample_weight=None, *, training=False):
    start = network.parameters
    gradient = network.gradient(X, y, sample_weight, training=training).flat

    def loss(parameters):
        network.parameters = parameters
        return network.gradient(X, y, sample_weight, training=training).loss

    expected = differences(loss, start)
    network.parameters = start
    assert close(gradient, expected)


CASES = [
    (hidden, output, loss)
    for hidden, output, loss in itertools.product(ACTIVATIONS, ACTIVATIONS, LOSSES)
    if output == "identity" or ACTIVATIONS[output]() != LOSSES[loss]().link
]


@pytest.mark.parametrize(("hidden", "output", "loss"), CASES)
def test_gradient_is_the_slope_of_the_loss(hidden, output, loss):
    for seed in range(100):
        network = Network([3, 4, 4], activation=hidden, output_activation=output, loss=loss, seed=seed)
        X, y = numbers(seed, 5, 3), targets(loss, seed, 5, 4)
        if away_from_kinks(network, X, y):
            check_parameters(network, X, y)
            check_parameters(network, X, y, [1.0, 0.0, 2.5, 0.3, 1.0])
            return
    pytest.fail("no seed keeps away from the kinks")


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_gradient_of_any_network(data):
    smooth = st.sampled_from([name for name, kind in ACTIVATIONS.items() if not kind.kinks])
    dense = st.builds(
        Dense, st.integers(1, 4), activation=smooth, bias=st.booleans(), l2=st.sampled_from([0.0, 0.1, 1.0])
    )
    dropout = st.builds(Dropout, st.sampled_from([0.0, 0.3, 0.6]))
    hidden = data.draw(st.lists(st.one_of(dense, dropout), max_size=4))
    loss = data.draw(st.sampled_from(list(LOSSES)))
    n_in, n_out, n, seed = (data.draw(st.integers(low, high)) for low, high in ((1, 4), (2, 4), (1, 5), (0, 1000)))
    n_out = strategies.n_outputs(LOSSES[loss](), n_out)
    network = Network([n_in, *hidden, Dense(n_out, activation="identity", l2=0.1)], loss=loss, seed=seed)
    network.step_count = data.draw(st.integers(0, 10))
    weights = data.draw(st.none() | st.lists(st.sampled_from([0.0, 0.5, 1.0, 3.0]), min_size=n, max_size=n))
    X, y = numbers(seed, n, n_in), targets(loss, seed, n, n_out)
    assume(away_from_kinks(network, X, y))
    check_parameters(network, X, y, weights, training=data.draw(st.booleans()))


@pytest.mark.parametrize("training", [False, True])
def test_backward_gives_the_slope_along_the_inputs(training):
    network = Network([3, Dropout(0.4), 5, Dropout(0.4), 2], activation="tanh", output_activation="softmax", seed=0)
    X = numbers(0, 4, 3)
    d_output = numbers(1, 4, 2)

    def loss(flat):
        rows = [flat[i : i + 3] for i in range(0, 12, 3)]
        outputs = network.forward(rows, training=training)
        return sum(
            d * a for d_row, a_row in zip(d_output, outputs, strict=True) for d, a in zip(d_row, a_row, strict=True)
        )

    expected = differences(loss, [x for row in X for x in row])
    inputs = network.backward(X, d_output, training=training).inputs
    assert close([x for row in inputs for x in row], expected)


@pytest.mark.parametrize("loss", LOSSES)
def test_backward_from_the_slope_of_a_loss_is_its_gradient(loss):
    network = Network([3, Dense(4, l2=0.3), 2], activation="sigmoid", loss=loss, seed=3)
    X, y = numbers(3, 6, 3), targets(loss, 3, 6, 2)
    d_output = network.trace(X, y)[-1].delta  # of the identity
    assert network.backward(X, d_output).flat == network.gradient(X, y).flat


@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy"])
def test_losses_of_logits_do_not_overflow(loss):
    network = Network([2, Dense(2, bias=False)], loss=loss, seed=0)
    network.weights = [[[1.0, 0.0], [0.0, 1.0]]]
    y = [0, 1] if loss == "cross_entropy" else [[1.0, 0.0], [0.0, 1.0]]
    assert network.evaluate([[1e6, -1e6], [-1e6, 1e6]], y)["loss"] == 0.0
    wrong = network.gradient([[-1e6, 1e6], [1e6, -1e6]], y)
    assert wrong.loss == 2e6
