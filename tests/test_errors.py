"""Every wrong argument is refused before anything changes; the error names it and says what is expected."""

import re

import numpy as np
import pytest

import chainrule
from chainrule import Adam, Dense, Dropout, Network

X = np.random.default_rng(0).standard_normal((6, 4))
LABELS = np.array([0, 1, 2, 0, 1, 2])
VALUES = X[:, :3]
ONE = X[:, 0]

# What is wrong with X, whoever takes it.
WRONG_X = [
    (X[0], ValueError, r"X must be 2-D \(n_rows, n_features\), got shape \(4,\); a single row is X.reshape\(1, -1\)"),
    (X[None], ValueError, r"X must be 2-D .*got shape \(1, 6, 4\); X.reshape\(len\(X\), -1\) flattens each row"),
    (3.0, ValueError, "X must be 2-D .*got a single float"),
    (X[:, :3], ValueError, "X has 3 columns but the network was built for 4"),
    (X[:, :3].tolist(), ValueError, "X has 3 columns but the network was built for 4"),
    (X[:, :0], ValueError, "X has 0 columns but the network was built for 4"),
    (X.astype(complex), TypeError, "X holds complex numbers .*it must hold numbers"),
    (X.astype(str), TypeError, "X holds text .*it must hold numbers"),
    (X.astype(bytes), TypeError, "X holds bytes"),
    ("abcd", TypeError, "X holds text"),
    (None, TypeError, "X holds NoneType; it must hold numbers"),
    (np.zeros((6, 4), "M8[s]"), TypeError, "X holds dates"),
    (np.zeros((6, 4), "m8[s]"), TypeError, "X holds time spans"),
    (np.zeros((6, 4), "f4,f4"), TypeError, "X holds records"),
    ([[1, 2, 3, "red"]], TypeError, "X holds text"),
    (np.array([[1, 2, 3, "red"]], object), TypeError, "X holds the text 'red' at row 0, column 3"),
    (np.array([[1, 2, 3, b"red"]], object), TypeError, "X holds the text b'red' at row 0, column 3"),
    (np.array([[1, None, 3, 4]], object), TypeError, "X holds NoneType at row 0, column 1"),
    (np.array([[1, 1j, 3, 4]], object), TypeError, "X holds complex at row 0, column 1"),
    ([[1, 2, 3, 10**400]], ValueError, "X holds a number too large at row 0, column 3"),
    ([[1, 2, 3, 4], [1, 2]], ValueError, "X is ragged: its rows have different lengths"),
    (np.ma.masked_array(X, mask=X > 0), ValueError, r"X has masked entries; fill them first"),
    ({"a": 1}, TypeError, "X holds dict"),
    (object(), TypeError, "X holds object"),
]
NOT_FINITE = [
    (np.nan, "float32", "X has (nan|NaN) at row 2, column 1"),
    (np.inf, "float64", "X has inf at row 2, column 1"),
    (-1e300, "float32", "X has -inf at row 2, column 1.*finite in float32"),
]
# Every way in, by what it does with X.
TAKES_X = {
    "forward": lambda net, X: net.forward(X),
    "predict": lambda net, X: net.predict(X),
    "predict out": lambda net, X: net.predict(X, out=np.empty((6, 3), net.dtype)),
    "backward": lambda net, X: net.backward(X, VALUES),
    "gradient": lambda net, X: net.gradient(X, VALUES),
    "evaluate": lambda net, X: net.evaluate(X, VALUES),
    "trace": lambda net, X: net.trace(X, VALUES),
    "step": lambda net, X: net.step(X, VALUES),
    "fit": lambda net, X: net.fit(X, VALUES),
    "verify": lambda net, X: net.verify(X, VALUES),
    "gradcheck": lambda net, X: chainrule.gradcheck(net, X, lambda a: (a.sum(), np.ones_like(a))),
}


def network(loss="mse", outputs=3, **arguments):
    return Network([4, 5, outputs], loss=loss, seed=0, **arguments)


def refused(net, call, error, text):
    """Assert that a call raises, and that the network is what it was."""
    before = net.copy()
    with pytest.raises(error, match=f"(?s){text}"):
        call()
    assert net.config == before.config
    assert (net.step_count, net.epoch_count) == (before.step_count, before.epoch_count)
    assert np.array_equal(net.parameters, before.parameters)


@pytest.mark.parametrize("call", TAKES_X)
@pytest.mark.parametrize(("wrong", "error", "text"), WRONG_X, ids=[text[:40] for _, _, text in WRONG_X])
def test_wrong_x_is_refused_by_every_method(call, wrong, error, text):
    net = network()
    refused(net, lambda: TAKES_X[call](net, wrong), error, text)


@pytest.mark.parametrize("call", [call for call in TAKES_X if call != "gradcheck"])  # which is in float64 alone
@pytest.mark.parametrize(("value", "dtype", "text"), NOT_FINITE)
def test_x_that_is_not_finite_is_refused_by_every_method_with_its_place(call, value, dtype, text):
    wrong = X.copy()
    wrong[2, 1] = value
    net = network(dtype=dtype)
    if call == "verify":  # which looks at float64 first, of what has become infinite in float32
        text = text.replace("finite in float32", "finite in")
    refused(net, lambda: TAKES_X[call](net, wrong), ValueError, text)


@pytest.mark.parametrize("call", [call for call in TAKES_X if call not in ("forward", "predict", "predict out")])
def test_no_rows_are_refused_where_there_is_nothing_to_average(call):
    net = network()
    with pytest.raises(ValueError, match=r"X has no rows; at least one is needed|d_output has 6 rows but X has 0"):
        TAKES_X[call](net, X[:0])


def test_sparse_matrices_are_refused_with_what_to_do():
    sparse = pytest.importorskip("scipy.sparse")
    net = network()
    for matrix in (sparse.csr_matrix(X), sparse.coo_array(X)):
        refused(net, lambda matrix=matrix: net.predict(matrix), TypeError, r"X is a sparse matrix.*pass X.toarray\(\)")
        refused(net, lambda matrix=matrix: net.step(X, matrix), TypeError, r"y is a sparse matrix.*pass y.toarray\(\)")


TAKES_Y = {
    "gradient": lambda net, *data: net.gradient(*data),
    "evaluate": lambda net, *data: net.evaluate(*data),
    "trace": lambda net, *data: net.trace(*data),
    "explain": lambda net, *data: net.explain(*data),
    "step": lambda net, *data: net.step(*data),
    "fit": lambda net, X, y, w=None: net.fit(X, y, sample_weight=w),
    "verify": lambda net, *data: net.verify(*data),
}
WRONG_Y = [
    (
        "cross_entropy",
        3,
        LABELS.astype(float),
        TypeError,
        "y holds float64 but loss 'cross_entropy' takes integer labels",
    ),
    ("cross_entropy", 3, np.array(list("abcabc")), TypeError, r"y holds text .*np.unique\(y, return_inverse=True\)"),
    ("cross_entropy", 3, list("abcabc"), TypeError, "encodes names"),
    ("cross_entropy", 3, np.array([0.5] * 6, object), TypeError, "y holds object but loss"),
    ("cross_entropy", 3, LABELS.astype(complex), TypeError, "y holds complex numbers"),
    ("cross_entropy", 3, LABELS + 1, ValueError, "y has label 3 at row 2 but the network has 3 outputs, labels 0 to 2"),
    ("cross_entropy", 3, LABELS - 1, ValueError, "y has label -1 at row 0"),
    ("cross_entropy", 3, LABELS.astype("u8") + np.uint64(2**63), ValueError, "too large for a class number"),
    ("cross_entropy", 3, [10**30] * 6, ValueError, "too large for a class number"),
    ("cross_entropy", 3, LABELS[:, None], ValueError, r"y has shape \(6, 1\).*labels in one column are y.ravel\(\)"),
    ("cross_entropy", 3, np.eye(4)[LABELS], ValueError, r"y has shape \(6, 4\) but the network has 3 outputs"),
    ("cross_entropy", 3, np.ones((6, 3)), ValueError, "y sums to 3 at row 0.*probabilities that sum to 1"),
    ("cross_entropy", 3, [[1.5, -0.5, 0]] * 6, ValueError, "y has -0.5 at row 0, column 1"),
    ("mse", 3, ONE, ValueError, r"y has shape \(6,\) but the network has 3 outputs: it must be \(n, 3\)"),
    ("mse", 3, LABELS, ValueError, "for class labels build the network with loss='cross_entropy'"),
    ("mse", 3, VALUES[:, :1], ValueError, r"y has shape \(6, 1\) but the network has 3 outputs"),
    ("mse", 3, VALUES[:, :2], ValueError, r"y has shape \(6, 2\) but the network has 3 outputs"),
    ("mse", 1, VALUES[:, :2], ValueError, r"y has shape \(6, 2\) but the network has 1 output: it must be \(n,\) or"),
    ("mse", 1, VALUES[:, :1, None], ValueError, r"y has shape \(6, 1, 1\)"),
    ("mse", 1, ONE[:5], ValueError, "y has 5 rows but X has 6"),
    ("mse", 1, [], ValueError, "y has 0 rows but X has 6"),
    ("mse", 1, 3.0, TypeError, "y must be an array with one entry per row, got a single float"),
    ("mse", 1, None, TypeError, "y must be an array with one entry per row, got None"),
    ("mse", 1, ["a"] * 6, TypeError, "y holds text"),
    ("mse", 1, ONE + 1j, TypeError, "y holds complex numbers"),
    ("mse", 1, [0, 1, 2, np.nan, 4, 5], ValueError, "y has (nan|NaN) at row 3, column 0"),
    ("mse", 3, VALUES * [1, np.inf, 1], ValueError, "y has -?inf at row 0, column 1"),
    ("poisson", 1, LABELS - 1, ValueError, "y has -1 at row 0, column 0.*takes counts of at least 0"),
    ("hinge", 1, LABELS, ValueError, r"y has 0 at row 0, column 0.*takes -1 or 1 \(2\*y - 1 makes them of 0 and 1\)"),
    ("focal", 3, ONE, TypeError, "y holds float64 but loss 'focal' takes integer labels"),
    ("kl_divergence", 3, np.ones((6, 3)), ValueError, 'y sums to 3 at row 0; loss "kl_divergence" takes prob'),
    (
        "gaussian_nll",
        4,
        ONE,
        ValueError,
        r"y has shape \(6,\) but the network has 4 outputs, 2 for each target of loss 'gaussian_nll': it must be",
    ),
    ("gaussian_nll", 2, VALUES[:, :2], ValueError, r"y has shape \(6, 2\).* it must be \(n,\) or \(n, 1\)"),
    ("binary_cross_entropy", 1, LABELS, ValueError, "y has 2 at row 2, column 0.*from 0 to 1"),
    ("binary_cross_entropy", 2, LABELS, ValueError, "y has shape"),
]


@pytest.mark.parametrize("call", TAKES_Y)
@pytest.mark.parametrize(
    ("loss", "outputs", "y", "error", "text"), WRONG_Y, ids=[f"{w[0]} {w[4][:40]}" for w in WRONG_Y]
)
def test_wrong_y_is_refused_by_every_method(call, loss, outputs, y, error, text):
    net = network(loss, outputs)
    refused(net, lambda: TAKES_Y[call](net, X, y), error, text)


WRONG_WEIGHT = [
    (np.ones(5), ValueError, "sample_weight has 5 rows but X has 6"),
    (np.ones((6, 1)), ValueError, r"sample_weight must be 1-D \(n_rows,\).*use sample_weight.ravel\(\)"),
    (1.0, ValueError, "sample_weight must be 1-D.*got a single number"),
    (-np.ones(6), ValueError, "sample_weight has -1 at row 0; weights must be .*at least 0"),
    ([1, 1, np.nan, 1, 1, 1], ValueError, "sample_weight has (nan|NaN) at row 2"),
    ([1, 1, 1, np.inf, 1, 1], ValueError, "sample_weight has inf at row 3"),
    (["a"] * 6, TypeError, "sample_weight holds text"),
    (np.ones(6) * 1j, TypeError, "sample_weight holds complex numbers"),
]


@pytest.mark.parametrize("call", TAKES_Y)
@pytest.mark.parametrize(("weight", "error", "text"), WRONG_WEIGHT, ids=[text[:40] for _, _, text in WRONG_WEIGHT])
def test_wrong_sample_weight_is_refused_by_every_method(call, weight, error, text):
    net = network()
    refused(net, lambda: TAKES_Y[call](net, X, VALUES, weight), error, text)


@pytest.mark.parametrize(
    ("d_output", "error", "text"),
    [
        (VALUES[:, :2], ValueError, r"d_output must have shape \(n_rows, 3\), got \(6, 2\)"),
        (ONE, ValueError, r"d_output must have shape \(n_rows, 3\), got \(6,\)"),
        (VALUES[:5], ValueError, "d_output has 5 rows but X has 6"),
        (VALUES * np.nan, ValueError, "d_output has (nan|NaN) at row 0, column 0"),
        (VALUES.astype(str), TypeError, "d_output holds text"),
    ],
)
def test_wrong_d_output_is_refused(d_output, error, text):
    net = network()
    refused(net, lambda: net.backward(X, d_output), error, text)


@pytest.mark.parametrize(
    ("out", "error", "text"),
    [
        (np.empty((6, 3)), TypeError, "out must be .*float32, the network's dtype"),
        (np.empty((6, 2), "f4"), ValueError, "out has shape"),
        (np.empty((3, 6), "f4").T, ValueError, "out must be C-contiguous and writable"),
        (np.broadcast_to(np.float32(0), (6, 3)), ValueError, "out must be C-contiguous and writable"),
        ([[0.0] * 3] * 6, TypeError, "out must be"),
    ],
)
@pytest.mark.parametrize("method", ["forward", "predict"])
@pytest.mark.parametrize("way", [np.asarray, np.ndarray.tolist])
def test_wrong_out_is_refused(method, way, out, error, text):
    net = network()
    refused(net, lambda: getattr(net, method)(way(X), out=out), error, text)


@pytest.mark.parametrize("training", ["yes", 1, None])
def test_training_is_a_flag(training):
    net = network()
    for call in (lambda: net.forward(X, training=training), lambda: net.gradient(X, VALUES, training=training)):
        refused(net, call, TypeError, "training")


FLAT = [
    (lambda n: np.zeros(n + 1), ValueError, r"must have shape \(43,\), one value per parameter, got \(44,\)"),
    (lambda n: np.zeros((n, 1)), ValueError, r"must have shape \(43,\)"),
    (lambda _: 0.0, ValueError, r"must have shape \(43,\)"),
    (lambda n: np.full(n, np.nan), ValueError, "has (nan|NaN) at index 0; every value must be finite"),
    (lambda n: np.full(n, 1e300), ValueError, "has inf at index 0"),
    (lambda n: ["a"] * n, TypeError, "holds text"),
    (lambda _: None, TypeError, "holds NoneType"),
]


@pytest.mark.parametrize(("make", "error", "text"), FLAT)
def test_wrong_flat_arrays_are_refused(make, error, text):
    net = network()
    flat = make(net.n_parameters)
    refused(net, lambda: net.apply_gradient(flat), error, f"gradient {text}")
    refused(net, lambda: setattr(net, "parameters", flat), error, f"parameters {text}")


@pytest.mark.parametrize(
    ("name", "value", "error", "text"),
    [
        ("weights", [np.zeros((4, 5))], ValueError, "weights must hold 2 arrays, one per layer with weights, got 1"),
        ("weights", 3, TypeError, "weights must be a sequence of 2 arrays, one per layer with weights, got int"),
        (
            "weights",
            [np.zeros((4, 5)), np.zeros((3, 5))],
            ValueError,
            r"weights\[1\] \(layer 2\) must have shape \(5, 3\), got \(3, 5\)",
        ),
        ("weights", [np.zeros((4, 5)), [["a"] * 3] * 5], TypeError, r"weights\[1\] holds text"),
        ("weights", [np.full((4, 5), np.nan), np.zeros((5, 3))], ValueError, r"weights\[0\]\[0, 0\] is nan"),
        ("weights", [np.zeros((4, 5)), np.eye(5, 3) * 1e39], ValueError, r"weights\[1\]\[0, 0\] is inf.*in float32"),
        ("biases", [np.zeros(5), [0, 0, np.inf]], ValueError, r"biases\[1\]\[2\] is inf; every value must be finite"),
        (
            "biases",
            [np.zeros(5), np.zeros(2)],
            ValueError,
            r"biases\[1\] \(layer 2\) must have shape \(3,\), got \(2,\)",
        ),
        ("biases", [np.zeros(5), 0.0], ValueError, r"biases\[1\] \(layer 2\) must have shape \(3,\), got \(\)"),
        ("learning_rate", 0, ValueError, "learning_rate must be a number in"),
        ("learning_rate", -1.0, ValueError, "learning_rate must be a number in"),
        ("learning_rate", np.inf, ValueError, "learning_rate must be a number in"),
        ("learning_rate", np.nan, ValueError, "learning_rate must be a number in"),
        ("learning_rate", "0.1", TypeError, "learning_rate must be a number in"),
        ("learning_rate", True, TypeError, "learning_rate must be a number in"),
    ],
)
def test_wrong_settings_are_refused(name, value, error, text):
    net = network()
    refused(net, lambda: setattr(net, name, value), error, text)


@pytest.mark.parametrize(
    "name", ["n_inputs", "n_outputs", "n_parameters", "layers", "loss", "dtype", "seed", "step_count", "epoch_count"]
)
def test_what_cannot_be_set_says_so(name):
    net = network()
    with pytest.raises(AttributeError):
        setattr(net, name, 1)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        (([4, 3], {"activation": "rleu"}), ValueError, "activation 'rleu' is unknown; did you mean 'relu'"),
        (([4, 3], {"loss": "cross entropy"}), ValueError, "did you mean 'cross_entropy'"),
        (([4, 3], {"optimizer": "Adam"}), ValueError, "did you mean 'adam'"),
        (([4, 3], {"optimizer": Adam}), TypeError, r"write Adam\(\)"),
        (([4, 3], {"init": "xavier"}), ValueError, "init 'xavier' is unknown"),
        (([4, 3], {"dtype": "float16"}), ValueError, "dtype 'float16' is unknown"),
        (([4, 3], {"seed": -1}), ValueError, "seed must be an integer from 0"),
        (([4, 3], {"n_threads": 0}), ValueError, "n_threads must be an integer from 1"),
        (([4, 3], {"loss": "cross_entropy", "output_activation": "softmax"}), ValueError, "applied twice"),
        (([4, 1], {"loss": "cross_entropy"}), ValueError, "needs at least 2 outputs"),
        (([4], {}), ValueError, "at least one Dense layer"),
        (([4, Dropout(0.5)], {}), ValueError, "the last of layers is Dropout"),
        (([Dense(4), 3], {}), TypeError, r"layers\[0\] must be the number of inputs"),
        (([0, 3], {}), ValueError, r"layers\[0\].*from 1"),
        (([4, 2.0], {}), TypeError, r"layers\[1\] must be a number of units"),
        (([4, True], {}), TypeError, r"layers\[1\]"),
        (("abc", {}), TypeError, "layers must be a sequence"),
    ],
)
def test_wrong_constructor_arguments_are_refused(arguments, error, text):
    layers, options = arguments
    with pytest.raises(error, match=text):
        Network(layers, **options)


@pytest.mark.parametrize("layers", [[2**31 - 1, 2**31 - 1], [1, 2**31 - 1, 2**31 - 1], [2**20, 2**20, 2**20, 1]])
def test_networks_larger_than_memory_are_a_memory_error_at_once(layers):
    with pytest.raises(MemoryError, match=r"\d+ bytes"):
        Network(layers, dtype="float64")


@pytest.mark.parametrize("layers", [[2**31, 2**31], [1, 10**12, 1], [4, -1], [4, 2**64]])
def test_sizes_that_no_network_has_are_a_value_error(layers):
    with pytest.raises(ValueError, match="must be an integer from 1"):
        Network(layers)


@pytest.mark.parametrize("kind", [Network, chainrule.reference.Network])
@pytest.mark.parametrize(
    ("argument", "text"),
    [
        ("loss", "loss of your own pass its derivative by the outputs to Network.backward, then call apply_gradient"),
        ("optimizer", "update rule of your own compute it from Network.gradient and assign Network.parameters"),
        ("init", "weights of your own assign Network.weights"),
        ("activation", "activation must be a name or an option of chainrule, not <function"),
    ],
)
def test_a_function_in_place_of_an_option_is_answered_with_what_to_do(kind, argument, text):
    with pytest.raises(TypeError, match=text):
        kind([4, 3], **{argument: lambda *_: 0.0})


@pytest.mark.parametrize(
    "huge",
    [10**400, -(10**5000), [10**5000], {"a": [10**5000]}, "x" * 10**6, [[[0] * 99] * 99] * 99],
    ids=["int", "negative", "list", "dict", "text", "lists"],
)
@pytest.mark.parametrize(
    "call",
    [
        lambda v: Network([4, v]),
        Network,
        lambda v: Network([4, 3], seed=v),
        lambda v: Network([4, 3], loss=v),
        lambda v: Network([4, 3], dtype=v),
        Dropout,
        Adam,
        lambda v: network().fit(X, VALUES, epochs=v),
        lambda v: network().fit(X, VALUES, progress=v),
        lambda v: network().fit(X, VALUES, callbacks=v),
        lambda v: network().fit(X, VALUES, validation_data=v),
        lambda v: network().fit(X, VALUES, metrics=v),
        lambda v: network().fit(X, VALUES, sample_weight=v),
        lambda v: network().predict(v),
        lambda v: network().gradient(X, v),
        lambda v: network("cross_entropy").gradient(X, v),
        lambda v: network().load_state_dict(v),
        lambda v: network().load_state_dict({**network().state_dict(), "step": v}),
        lambda v: setattr(network(), "learning_rate", v),
        lambda v: setattr(network(), "parameters", v),
        lambda v: chainrule.gradcheck(network(), X, v),
        lambda v: chainrule.reference.Network([4, 3]).predict(v),
        lambda v: chainrule.reference.Network([4, 3]).gradient(X, VALUES, v),
        lambda v: chainrule.metrics.accuracy(v, v),
    ],
)
def test_a_huge_value_gives_a_short_error(call, huge):
    with pytest.raises((TypeError, ValueError, OSError)) as caught:
        call(huge)
    assert len(str(caught.value)) < 500


def test_misspelled_arguments_are_python_errors():
    with pytest.raises(TypeError, match="'epoch'"):
        network().fit(X, VALUES, epoch=3)
    with pytest.raises(TypeError, match="'activaton'"):
        Network([4, 3], activaton="relu")


@pytest.mark.parametrize(
    ("metric", "text"), [("acc", "metric 'acc' is unknown"), ("R2", "did you mean 'r2'"), (3, "a metric is a name")]
)
def test_wrong_metrics_are_refused(metric, text):
    net = network()
    refused(net, lambda: net.evaluate(X, VALUES, metrics=[metric]), (TypeError, ValueError), re.escape(text))
