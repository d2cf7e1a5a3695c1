"""No argument makes chainrule panic, hang or lose a network: every call gives a result or a clear error."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule
from chainrule import Network
from chainrule.reference.config import REGISTRIES

ALLOWED = (TypeError, ValueError, MemoryError, OverflowError)

NUMBERS = st.one_of(
    st.integers(),
    st.integers(-3, 70),
    st.floats(),
    st.booleans(),
    st.sampled_from([2**31, 2**31 - 1, 2**63, 2**64, -(2**63), 10**30, np.int8(3), np.float32(0.5), np.uint64(2**63)]),
)


def misaligned(shape):
    raw = np.zeros(int(np.prod(shape)) * 8 + 1, np.uint8)[1:]
    return raw.view(np.float64).reshape(shape)


@st.composite
def arrays(draw):
    """Draw an array as the world makes them: any dtype, layout, size."""
    n, k = draw(st.integers(0, 9)), draw(st.integers(0, 4))
    shape = draw(st.sampled_from([(n, 3), (n, 2), (n,), (n, k), (), (n, 3, 1), (0, 3), (n, 0)]))
    dtype = draw(
        st.sampled_from(
            ["f4", "f8", "f2", "g", ">f4", ">f8", "i1", "i8", "u8", ">i4", "?", "c8", "O", "U3", "S2", "M8[s]", "m8[s]"]
        )
    )
    values = np.random.default_rng(draw(st.integers(0, 99))).integers(0, 3, shape)
    array = values.astype(dtype)
    if array.dtype.kind == "f" and array.size and draw(st.integers(0, 3)) == 0:
        array.flat[draw(st.integers(0, array.size - 1))] = draw(st.sampled_from([np.nan, np.inf, -np.inf, 6e4]))
    layout = draw(st.sampled_from(["C", "F", "reversed", "strided", "broadcast", "read-only", "misaligned", "matrix"]))
    if layout == "F":
        return np.asfortranarray(array)
    if layout == "reversed":
        return array[..., ::-1] if array.ndim else array
    if layout == "strided" and array.ndim:
        return np.repeat(np.repeat(array, 2, axis=0), 2, axis=-1)[::2, ..., ::2] if array.ndim > 1 else array[::2]
    if layout == "broadcast" and array.ndim and len(array):
        return np.broadcast_to(array[:1], array.shape)
    if layout == "read-only":
        array.flags.writeable = False
    if layout == "misaligned":
        return misaligned(shape)
    if layout == "matrix":
        return np.ma.masked_array(array)
    return array


ANYTHING = st.recursive(
    st.one_of(
        st.none(),
        NUMBERS,
        st.text(max_size=5),
        st.binary(max_size=5),
        st.complex_numbers(),
        st.builds(object),
        arrays(),
        arrays(),
        arrays(),
        st.sampled_from(["relu", "mse", "adam", "cross_entropy", chainrule.Dense(3), chainrule.Dropout(0.5), Network]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=3), inner, max_size=3), st.tuples(inner, inner)
    ),
    max_leaves=6,
)
GOOD_X = st.builds(lambda n: np.ones((n, 3), np.float32), st.integers(1, 9))
GOOD_Y = st.builds(lambda n: np.zeros((n, 2)), st.integers(1, 9))
MAYBE_X = st.one_of(GOOD_X, arrays(), ANYTHING)
MAYBE_Y = st.one_of(GOOD_Y, arrays(), ANYTHING)

CALLS = {
    "forward": lambda n, a, b, c, d: n.forward(a, training=d, out=c),
    "predict": lambda n, a, b, c, d: n.predict(a, out=c),
    "gradient": lambda n, a, b, c, d: n.gradient(a, b, c, training=d),
    "backward": lambda n, a, b, c, d: n.backward(a, b, training=d),
    "step": lambda n, a, b, c, d: n.step(a, b, c),
    "apply_gradient": lambda n, a, b, c, d: n.apply_gradient(c),
    "fit": lambda n, a, b, c, d: n.fit(a, b, batch_size=7, sample_weight=c),
    "fit options": lambda n, a, b, c, d: n.fit(np.ones((4, 3)), np.ones((4, 2)), batch_size=c, shuffle=d, metrics=b),
    "fit validation": lambda n, a, b, c, d: n.fit(np.ones((4, 3)), np.ones((4, 2)), validation_data=(a, b)),
    "evaluate": lambda n, a, b, c, d: n.evaluate(a, b, c, metrics=d),
    "trace": lambda n, a, b, c, d: n.trace(a, b, c),
    "explain": lambda n, a, b, c, d: n.explain(a, b, c)._repr_html_(),
    "explain options": lambda n, a, b, c, d: str(n.explain(np.ones((4, 3)), np.ones((4, 2)), limit=c, digits=d)),
    "parameters": lambda n, a, b, c, d: setattr(n, "parameters", c),
    "weights": lambda n, a, b, c, d: setattr(n, "weights", [a, b]),
    "biases": lambda n, a, b, c, d: setattr(n, "biases", c),
    "learning_rate": lambda n, a, b, c, d: setattr(n, "learning_rate", c),
    "load_state_dict": lambda n, a, b, c, d: n.load_state_dict({**n.state_dict(), "layers.0.weight": c}),
    "load_state_dict step": lambda n, a, b, c, d: n.load_state_dict({**n.state_dict(), "step": c, "epoch": d}),
    "load_state_dict any": lambda n, a, b, c, d: n.load_state_dict(c),
}


@settings(max_examples=15 * settings().max_examples)
@given(
    st.sampled_from(sorted(CALLS)),
    st.sampled_from(list(REGISTRIES["loss"])),
    MAYBE_X,
    MAYBE_Y,
    st.one_of(st.none(), ANYTHING),
    st.one_of(st.booleans(), ANYTHING),
)
@pytest.mark.filterwarnings("ignore")  # what NumPy says of ragged lists, casts and complex numbers is not ours
def test_any_call_answers_or_raises_a_clear_error(name, loss, a, b, c, d):
    network = Network([3, 4, 2], loss=loss, seed=0)
    before = network.parameters
    try:
        CALLS[name](network, a, b, c, d)
    except ALLOWED as problem:
        assert str(problem), type(problem)
        assert np.array_equal(network.parameters, before), "an error changed the network"
    assert np.isfinite(network.parameters).all()
    assert network.predict(np.ones((2, 3), np.float32)).shape == (2, 2)


ARGUMENTS = ["activation", "output_activation", "loss", "optimizer", "init", "dtype", "seed", "n_threads"]


@settings(max_examples=8 * settings().max_examples)
@given(
    st.one_of(st.lists(st.one_of(NUMBERS, st.integers(1, 5), ANYTHING), max_size=4), ANYTHING),
    st.dictionaries(st.sampled_from(ARGUMENTS), ANYTHING, max_size=2),
)
@pytest.mark.filterwarnings("ignore")
def test_any_constructor_call_answers_or_raises_a_clear_error(layers, arguments):
    if isinstance(layers, list):
        # Sizes that fit into memory but not into a test's patience are not what is looked for here.
        layers = [2**40 if isinstance(n, int | float) and 100 < n < 2**40 else n for n in layers]
    try:
        network = Network(layers, **arguments)
    except ALLOWED as problem:
        assert str(problem), type(problem)
    else:
        assert network.predict(np.ones((2, network.n_inputs))).shape == (2, network.n_outputs)


# Those with fields.
OPTIONS = [kind for kinds in REGISTRIES.values() for kind in kinds.values() if dataclasses.fields(kind)]


@settings(max_examples=3 * settings().max_examples)
@given(st.sampled_from(OPTIONS), st.lists(ANYTHING, max_size=4))
@pytest.mark.filterwarnings("ignore")
def test_any_option_is_made_or_raises_a_clear_error(option, values):
    try:
        made = option(*values)
    except ALLOWED as problem:
        assert str(problem), type(problem)
    else:
        assert made == option(**{field.name: getattr(made, field.name) for field in dataclasses.fields(option)})


@pytest.mark.parametrize("layers", [[2**31, 2**31], [1, 10**12, 1], [2**20, 2**20, 2**20], [10**9, 10**9], [2**62, 1]])
def test_absurd_sizes_are_refused_before_anything_is_touched(layers):
    with pytest.raises((MemoryError, ValueError)):
        Network(layers)
