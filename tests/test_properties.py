"""The core against the reference, against finite differences, and against itself, over random networks."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import Phase, assume, find, given, settings
from hypothesis import strategies as st

from chainrule import reference
from chainrule.reference.layers import LAYERS

from .strategies import BY_SIGN, OPTIMIZERS, Case, cases, kink_distance

EPS, ATOL, RTOL = 1e-6, 1e-5, 1e-3  # torch.autograd.gradcheck's defaults


@pytest.mark.parametrize("kind", LAYERS.values())
def test_every_kind_of_layer_is_drawn(kind):
    once = settings(phases=[Phase.generate], max_examples=1000, derandomize=True, database=None)
    find(cases(), lambda case: any(type(layer) is kind for layer in case.layers), settings=once)


def error(got, expected):
    """Norm of the difference over the norm of what is expected."""
    got, expected = np.asarray(got, dtype=float), np.asarray(expected, dtype=float)
    assert got.shape == expected.shape
    difference = np.linalg.norm(got - expected)
    return difference / np.linalg.norm(expected) if difference else 0.0


def bounds(case: Case):
    """The tolerance of a layer in float64: 1e-12 · depth · width, where width is the longest sum."""
    return 1e-12 * case.depth * case.width


def same_layers(case, got, expected):
    """Compare the parts of two gradients layer by layer."""
    for l, (g, e) in enumerate(zip(got.weights, expected.weights, strict=True)):
        assert error(g, e) <= bounds(case), f"d_weight of dense layer {l}"
    for l, (g, e) in enumerate(zip(got.biases, expected.biases, strict=True)):
        assert (g is None) == (e is None)
        if e is not None:
            assert error(g, e) <= bounds(case), f"d_bias of dense layer {l}"


def smallest_kink_distance(case, *, training):
    """The smallest distance of a unit's z from a kink of its activation, or of an output from one of the loss."""
    network = case.reference()
    passes = network._propagate(case.X.tolist(), training=training)
    distance = kink_distance(network.loss, passes[-1].a, case.y)
    for layer, seen in zip(network.layers, passes, strict=True):
        for kink in layer.transfer.kinks if layer.name == "dense" else ():
            distance = min(distance, np.abs(np.asarray(seen.z, dtype=float) - kink).min())
    return distance


def has_softmax_of_equal_units(case):
    """Whether the units of a hidden softmax start alike: the error that comes back to them is zero but for rounding."""
    dense = [layer for layer in case.layers[1:] if layer.name == "dense"]
    return any(
        layer.activation.name == "softmax" and {layer.init.name, after.init.name} <= {"constant", "zeros"}
        for layer, after in pairwise(dense)
    )


@settings(max_examples=4 * settings().max_examples)
@given(cases(), st.booleans())
def test_gradient_equals_reference(case, training):
    native, textbook = case.native(), case.reference()
    got = native.gradient(*case.data, training=training)
    expected = textbook.gradient(*case.data, training=training)
    assert got.loss == pytest.approx(expected.loss, rel=bounds(case), abs=1e-14)
    same_layers(case, got, expected)


@given(cases(), st.booleans(), st.integers(0, 2**32 - 1))
def test_backward_equals_reference(case, training, seed):
    native, textbook = case.native(), case.reference()
    d_output = np.random.default_rng(seed).standard_normal((len(case.X), native.n_outputs))
    got = native.backward(case.X, d_output, training=training)
    expected = textbook.backward(case.X, d_output, training=training)
    same_layers(case, got, expected)
    assert error(got.inputs, expected.inputs) <= bounds(case)


@given(cases())
def test_forward_and_predict_equal_reference(case):
    native, textbook = case.native(), case.reference()
    for training in (False, True):
        got, expected = native.forward(case.X, training=training), textbook.forward(case.X, training=training)
        assert error(got, expected) <= bounds(case)
    assert error(native.predict(case.X), textbook.predict(case.X)) <= bounds(case)


@given(cases())
def test_trace_equals_reference(case):
    got = case.native().trace(*case.data)
    expected = case.reference().trace(*case.data)
    for l, (g, e) in enumerate(zip(got, expected, strict=True)):
        assert g.gradients.keys() == e.gradients.keys()
        pairs = {name: (getattr(g, name), getattr(e, name)) for name in ("z", "a", "slope", "delta")}
        pairs |= {f"d_{name}": (g.gradients[name], e.gradients[name]) for name in g.gradients}
        for name, (ours, theirs) in pairs.items():
            assert error(ours, theirs) <= bounds(case), f"{name} of layer {l}"


@given(cases(sizes=st.integers(1, 9)), st.booleans(), st.data())
def test_gradients_equal_central_differences(case, training, data):
    # A kink within reach of the difference makes it no slope: eps · |x| · … stays far below 1e-4 at these sizes.
    assume(smallest_kink_distance(case, training=training) > 1e-4)
    native, textbook = case.native(), case.reference()
    by_core = native.gradient(*case.data, training=training).flat
    by_text = textbook.gradient(*case.data, training=training).flat
    theta = native.parameters
    for i in data.draw(st.lists(st.integers(0, theta.size - 1), min_size=1, max_size=12, unique=True)):

        def loss_at(shift, i=i):
            moved = theta.copy()
            moved[i] += shift
            native.parameters = moved
            return native.gradient(*case.data, training=training).loss

        difference = (loss_at(EPS) - loss_at(-EPS)) / (2 * EPS)
        for slope in (by_core[i], by_text[i]):
            assert abs(slope - difference) <= ATOL + RTOL * abs(difference), f"parameter {i}"


@given(cases(sizes=st.integers(1, 9)), st.integers(0, 2**32 - 1))
def test_input_gradients_equal_central_differences(case, seed):
    assume(smallest_kink_distance(case, training=False) > 1e-4)
    native = case.native()
    d_output = np.random.default_rng(seed).standard_normal((len(case.X), native.n_outputs))
    inputs = native.backward(case.X, d_output).inputs
    row, column = 0, case.X.shape[1] - 1

    def value_at(shift):
        moved = case.X.copy()
        moved[row, column] += shift
        return np.sum(native.forward(moved) * d_output)

    difference = (value_at(EPS) - value_at(-EPS)) / (2 * EPS)
    assert abs(inputs[row, column] - difference) <= ATOL + RTOL * abs(difference)


@given(cases())
def test_float32_is_float64_to_its_precision(case):
    # Where a kink is nearer than float32 can tell, a slope may be that of the other side.
    assume(smallest_kink_distance(case, training=True) > 1e-3)
    X, y = case.X.astype(np.float32), case.y if case.y.dtype.kind == "i" else case.y.astype(np.float32)
    single = case.native(dtype="float32")
    double = case.native()
    double.parameters = single.parameters.astype(np.float64)
    got = single.gradient(X, y, case.sample_weight, training=True)
    expected = double.gradient(X.astype(np.float64), y, case.sample_weight, training=True)
    # A chain of k roundings is off by at most k u of the sum of magnitudes (Higham 2002, §3.1); a layer has one
    # forward and two backward chains, depth of them feed each other, and magnitudes exceed the sum itself by a factor
    # that grows with cancellation; against the norm of the whole gradient 8 covers it.
    bound = 8 * case.depth * case.width * 2.0**-24
    assert error(got.flat, expected.flat) <= bound
    assert got.loss == pytest.approx(expected.loss, rel=bound, abs=1e-6)


@pytest.mark.filterwarnings("ignore:weights have no effect")
@given(
    cases(max_depth=3, sizes=st.integers(1, 20), optimizers=[o for o in OPTIMIZERS if o.name not in BY_SIGN]),
    st.integers(1, 30),
)
def test_training_equals_reference(case, batch_size):
    assume(smallest_kink_distance(case, training=True) > 1e-6)
    assume(not has_softmax_of_equal_units(case))  # Adam and its kin would make much of that rounding
    native, textbook = case.native(), case.reference()
    for _ in range(10):
        got, expected = native.step(*case.data), textbook.step(*case.data)
        assert got == pytest.approx(expected, rel=1e-9, abs=1e-12)
    arguments = {"epochs": 2, "batch_size": batch_size, "sample_weight": case.sample_weight}
    history = native.fit(case.X, case.y, **arguments)
    assert history.loss == pytest.approx(list(textbook.fit(case.X, case.y, **arguments).loss), rel=1e-8, abs=1e-11)
    # A component of the gradient that is zero but for rounding, r, moves Adam and its kin by learning_rate · r / eps.
    assert native.parameters == pytest.approx(np.array(textbook.parameters), rel=1e-7, abs=1e-8)
    assert (native.step_count, native.epoch_count) == (textbook.step_count, textbook.epoch_count)


@given(cases())
def test_same_seed_gives_same_weights_and_masks(case):
    for dtype in ("float32", "float64"):
        native, textbook = case.native(dtype=dtype), case.reference(dtype=dtype)
        assert np.array_equal(native.parameters, np.array(textbook.parameters))
    masks = [
        (np.asarray(ours.slope), np.asarray(theirs.slope))
        for layer, ours, theirs in zip(native.layers, native.trace(*case.data), textbook.trace(*case.data), strict=True)
        if layer.name == "dropout"
    ]
    for ours, theirs in masks:
        assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("n", [1, 2, 7, 100])
def test_same_seed_gives_same_permutations(n):
    # One weight, one row a batch, learning rate 1: w after the epoch tells the order of the rows.
    def train(kind):
        network = kind([1, 1], loss="half_squared_error", optimizer="sgd", dtype="float64", seed=n)
        network.fit([[(i % 5) + 1.0] for i in range(n)], [float(i) for i in range(n)], epochs=3, batch_size=1)
        return np.array(network.parameters)

    from chainrule import Network

    assert train(Network) == pytest.approx(train(reference.Network), rel=1e-10)


# ── Equal to the bit ─────────────────────────────────────────────────────────────────────────────────────────────────


def state(network):
    """Everything that training changes."""
    return {key: value for key, value in network.state_dict().items() if key != "config"}


def same_bits(a, b):
    left, right = state(a), state(b)
    assert left.keys() == right.keys()
    for key, value in left.items():
        assert np.array_equal(value, right[key]), key


DTYPES = st.sampled_from(["float32", "float64"])


@pytest.mark.filterwarnings("ignore:weights have no effect")
@given(cases(max_depth=3), DTYPES, st.integers(1, 40), st.booleans())
def test_fit_is_its_steps_is_its_gradients_applied(case, dtype, batch_size, shuffle):
    whole, steps, gradients, again = (case.native(dtype=dtype) for _ in range(4))
    n = len(case.X)
    weight = case.sample_weight
    fitted = {"epochs": 2, "batch_size": batch_size, "shuffle": shuffle, "sample_weight": weight}
    history = whole.fit(case.X, case.y, **fitted)
    for epoch in range(2):
        order = list(range(n))
        if shuffle and batch_size < n:
            order = reference.rng.Stream(whole.seed, reference.rng.SHUFFLE, epoch).permutation(n)
        total, total_weight = 0.0, 0.0
        for start in range(0, n, batch_size):
            rows = order[start : start + batch_size]
            batch = case.X[rows], case.y[rows], None if weight is None else weight[rows]
            w = len(rows) if weight is None else np.cumsum(weight[rows])[-1]  # sum() compensates from 3.12 on
            gradient = gradients.gradient(*batch, training=True)
            loss = steps.step(*batch)
            assert gradient.loss == loss
            if w > 0:
                gradients.apply_gradient(gradient.flat)
            total, total_weight = total + loss * w, total_weight + w
        assert history.loss[epoch] == (total / total_weight if total_weight else 0.0)
    assert np.array_equal(whole.parameters, steps.parameters)
    assert np.array_equal(whole.parameters, gradients.parameters)
    assert whole.step_count == steps.step_count == gradients.step_count
    assert again.fit(case.X, case.y, **fitted).loss == history.loss
    same_bits(again, whole)


@given(case=cases(max_depth=3), dtype=DTYPES, first=st.integers(1, 3), then=st.integers(1, 3))
def test_saved_network_goes_on_exactly(tmp_path_factory, case, dtype, first, then):
    path = tmp_path_factory.mktemp("models") / "network.safetensors"
    straight, stopped = case.native(dtype=dtype), case.native(dtype=dtype)
    arguments = {"batch_size": 16, "sample_weight": case.sample_weight}
    straight.fit(case.X, case.y, epochs=first + then, **arguments)
    stopped.fit(case.X, case.y, epochs=first, **arguments)
    stopped.save(path)
    resumed = type(stopped).load(path)
    resumed.fit(case.X, case.y, epochs=then, **arguments)
    same_bits(resumed, straight)


@given(cases(), DTYPES, st.data())
def test_row_is_independent_of_its_batch(case, dtype, data):
    network = case.native(dtype=dtype)
    together = network.predict(case.X)
    row = data.draw(st.integers(0, len(case.X) - 1))
    assert np.array_equal(network.predict(case.X[row : row + 1])[0], together[row])
    rows = data.draw(st.permutations(range(len(case.X))))
    assert np.array_equal(network.predict(case.X[rows]), together[rows])


@given(cases(), DTYPES)
def test_backward_of_a_linear_loss_is_what_it_is_told(case, dtype):
    # L = Σ output · d_output is linear in d_output: twice the error gives twice the gradient, to the bit, without l2.
    network = case.native(dtype=dtype)
    penalty = network.backward(case.X, np.zeros((len(case.X), network.n_outputs))).flat
    assume(not penalty.any())
    d_output = np.ones((len(case.X), network.n_outputs))
    once, twice = network.backward(case.X, d_output), network.backward(case.X, 2 * d_output)
    assert np.array_equal(twice.flat, 2 * once.flat)
    assert np.array_equal(twice.inputs, 2 * once.inputs)
