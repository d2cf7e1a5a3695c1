"""A Network takes anything that numpy can read, computes the same numbers, and copies only if it must."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule import Network, _arrays

N, INPUTS = 7, 5
TABLE = np.arange(N * INPUTS).reshape(N, INPUTS) % 11 - 4  # small integers, which every dtype holds


def network(loss="mse", outputs=3, **arguments):
    return Network([INPUTS, 4, outputs], loss=loss, seed=1, **arguments)


def frame(values):
    return pytest.importorskip("pandas").DataFrame(values)


def misaligned(a):
    raw = np.empty(a.nbytes + 1, np.uint8)[1:].view(a.dtype).reshape(a.shape)
    raw[...] = a
    return raw


def read_only(a):
    a.flags.writeable = False
    return a


LAYOUTS = {
    "list": lambda a: a.tolist(),
    "tuples": lambda a: tuple(map(tuple, a.tolist())),
    "Fortran order": np.asfortranarray,
    "strided rows": lambda a: np.repeat(a, 3, axis=0)[::3],
    "strided columns": lambda a: np.repeat(a, 2, axis=1)[:, ::2],
    "reversed rows": lambda a: a[::-1].copy()[::-1],
    "reversed columns": lambda a: a[:, ::-1].copy()[:, ::-1],
    "other byte order": lambda a: a.astype(a.dtype.newbyteorder()),
    "misaligned": misaligned,
    "read-only": lambda a: read_only(a.copy()),
    "float16": lambda a: a.astype(np.float16),
    "longdouble": lambda a: a.astype(np.longdouble),
    "int8": lambda a: a.astype(np.int8),
    "int64": lambda a: a.astype(np.int64),
    "object": lambda a: a.astype(object),
    "Decimal": lambda a: np.array([[Decimal(int(v)) for v in row] for row in a]),
    "Fraction": lambda a: np.array([[Fraction(int(v)) for v in row] for row in a]),
    "masked array": np.ma.masked_array,
    "record field": lambda a: np.rec.fromarrays([a.T.copy().T], names="x", formats=[f"{INPUTS}f8"])["x"],
    "DataFrame": frame,
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_layout_and_dtype_gives_the_same_numbers(layout, dtype):
    net, twin = network(dtype=dtype), network(dtype=dtype)
    X, y = TABLE.astype(np.float64), TABLE[:, :3].astype(np.float64)
    other_X = LAYOUTS[layout](X)
    assert np.array_equal(net.predict(other_X), net.predict(X))
    assert np.array_equal(net.forward(other_X, training=True), net.forward(X, training=True))
    other, expected = net.gradient(other_X, y), net.gradient(X, y)
    assert other.loss == expected.loss
    assert np.array_equal(other.flat, expected.flat)
    assert net.step(other_X, y) == twin.step(X, y)
    assert net.fit(other_X, y, batch_size=3).loss == twin.fit(X, y, batch_size=3).loss
    assert np.array_equal(net.parameters, twin.parameters)


@pytest.mark.parametrize("layout", [layout for layout in LAYOUTS if layout != "record field"])
def test_every_layout_and_dtype_of_y_gives_the_same_numbers(layout):
    net, X, y = network(outputs=INPUTS), TABLE / 7, TABLE.astype(np.float64)
    assert np.array_equal(net.gradient(X, LAYOUTS[layout](y)).flat, net.gradient(X, y).flat)


@pytest.mark.parametrize(
    "X",
    [
        TABLE.astype("f4"),
        TABLE.astype("f8"),
        np.repeat(TABLE.astype("f4"), 2, axis=0)[::2],
        np.repeat(TABLE.astype("f4"), 2, axis=1)[:, :INPUTS],
        TABLE.astype("f8")[::-1],
        np.broadcast_to(TABLE.astype("f4")[:1], TABLE.shape),
        read_only(TABLE.astype("f4")),
        np.asfortranarray(TABLE[:1].astype("f8")),
    ],
    ids=["float32", "float64", "rows apart", "wider rows", "backwards", "broadcast", "read-only", "one row"],
)
def test_rows_that_are_contiguous_are_read_in_place(X):
    taken = _arrays.features(X, INPUTS, np.dtype("f4"))
    assert taken.__array_interface__["data"] == X.__array_interface__["data"]
    assert np.array_equal(network().predict(X), network().predict(X.tolist()))


def test_memmap_is_read_in_place(tmp_path):
    np.save(tmp_path / "X.npy", TABLE.astype("f4"))
    X = np.load(tmp_path / "X.npy", mmap_mode="r")
    assert np.shares_memory(_arrays.features(X, INPUTS, np.dtype("f4")), X)
    net, twin = network(), network()
    assert net.fit(X, TABLE[:, :3]).loss == twin.fit(TABLE, TABLE[:, :3]).loss


@given(st.integers(1, 40), st.integers(1, 40), st.randoms())
def test_training_from_any_view_equals_training_from_its_copy(n, k, random):
    whole = np.random.default_rng(random.randrange(2**32)).standard_normal((3 * n, 2 * k))
    view = whole[:: random.choice([1, 2, 3, -1, -2]), :: random.choice([1, 2, -1])]
    view = view.T if random.random() < 0.3 else view
    nets = [Network([view.shape[1], 3, 1], seed=0) for _ in range(2)]
    losses = [net.fit(X, X[:, 0], batch_size=5).loss for net, X in zip(nets, (view, view.copy()), strict=True)]
    assert losses[0] == losses[1]


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", ">i4", "u4", "i8", ">i8", "u8", "object", "list"])
def test_labels_of_any_integer_dtype_are_the_same(dtype):
    net, y = network("cross_entropy"), np.arange(N) % 3
    other = y.tolist() if dtype == "list" else y.astype(dtype)
    assert net.evaluate(TABLE, other, metrics=["accuracy"]) == net.evaluate(TABLE, y, metrics=["accuracy"])
    assert net.gradient(TABLE, other).loss == net.gradient(TABLE, np.eye(3)[y]).loss


def test_labels_may_lie_apart_in_memory():
    net, y = network("cross_entropy"), np.arange(N) % 3
    assert net.gradient(TABLE, np.repeat(y, 2)[::2]).loss == net.gradient(TABLE, y).loss
    assert net.gradient(TABLE, y[::-1].copy()[::-1]).loss == net.gradient(TABLE, y).loss


def test_booleans_are_labels_0_and_1():
    net, y = network("cross_entropy", outputs=2), np.arange(N) % 2
    assert net.gradient(TABLE, y == 1).loss == net.gradient(TABLE, y).loss
    assert net.gradient(TABLE, (y == 1).tolist()).loss == net.gradient(TABLE, y).loss


@pytest.mark.parametrize("loss", ["mse", "half_squared_error", "binary_cross_entropy", "poisson"])
@pytest.mark.parametrize("dtype", ["f4", "f8", "i8", "u1", "?"])
def test_one_output_takes_y_of_one_dimension(loss, dtype):
    net, y = network(loss, outputs=1), (np.arange(N) % 2).astype(dtype)
    expected = net.gradient(TABLE, y.astype("f8").reshape(-1, 1)).loss
    assert net.gradient(TABLE, y).loss == net.gradient(TABLE, y.reshape(-1, 1)).loss == expected
    assert net.step(TABLE, y) == expected


@pytest.mark.parametrize("dtype", ["f4", ">f8", "i4", "?", "object"])
def test_sample_weight_of_any_dtype(dtype):
    net, w = network(), np.arange(N) % 2
    expected = net.gradient(TABLE, TABLE[:, :3], w.astype("f8")).loss
    assert net.gradient(TABLE, TABLE[:, :3], w.astype(dtype)).loss == expected
    assert net.gradient(TABLE, TABLE[:, :3], w.tolist()).loss == expected
    assert net.gradient(TABLE, TABLE[:, :3], np.repeat(w, 2)[::2]).loss == expected


@pytest.mark.parametrize("method", ["forward", "predict"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_no_rows_give_no_outputs(method, dtype):
    outputs = getattr(network(dtype=dtype), method)(np.empty((0, INPUTS)))
    assert outputs.shape == (0, 3)
    assert outputs.dtype == dtype


@pytest.mark.parametrize("method", ["forward", "predict"])
def test_out_receives_the_result(method):
    call = getattr(network(), method)
    out = np.full((N, 3), np.nan, np.float32)
    assert call(TABLE, out=out) is out
    assert np.array_equal(out, call(TABLE))


def test_out_may_be_the_memory_of_x():
    net = Network([3, 3], seed=0)
    X = np.random.default_rng(0).standard_normal((400, 3)).astype(np.float32)
    expected = net.predict(X)
    assert np.array_equal(net.predict(X, out=X), expected)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_results_are_of_the_dtype_of_the_network(dtype):
    net = network(dtype=dtype)
    gradient = net.backward(TABLE, np.ones((N, 3)))
    (trace, _) = net.trace(TABLE, TABLE[:, :3])
    arrays = [net.predict(TABLE), net.forward(TABLE), net.parameters, gradient.flat, gradient.inputs]
    arrays += [*net.weights, *net.biases, *gradient.weights, *gradient.biases]
    arrays += [trace.z, trace.a, trace.slope, trace.delta, trace.d_weight, trace.update_bias]
    assert {array.dtype for array in arrays} == {np.dtype(dtype)}
    assert net.dtype == dtype
