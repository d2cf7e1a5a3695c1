"""Models exported to ONNX give the same results in onnxruntime as here."""

import doctest
import subprocess
import sys
import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import StandardScaler

import chainrule
from chainrule import Network
from chainrule.reference.activations import ACTIVATIONS
from chainrule.sklearn import MLPClassifier, MLPRegressor, engine, from_sklearn, onnx_nodes, register_onnx, to_onnx
from chainrule.sklearn.patching import ORIGINALS

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
SCORE = X @ [1.0, -2.0, 0.5]
# Of each kind of classes.
TARGETS = {
    "binary": (SCORE > 0).astype(int),
    "bool": SCORE > 0,
    "text": np.where(SCORE > 0, "yes", "no"),
    "objects": np.where(SCORE > 0, "yes", "no").astype(object),
    "letters": np.array(["ä", "b", "c"])[np.digitize(SCORE, [-1, 1])],
    "multiclass": np.digitize(SCORE, [-1, 1]) * 10 - 10,
    "floats": np.digitize(SCORE, [-1, 1]).astype(float),
    "one class": np.full(60, 7),
    "one text": np.full(60, "only"),
}
ATOL = {np.float32: 1e-5, np.float64: 1e-12}
each_dtype = pytest.mark.parametrize("dtype", ATOL)


@pytest.fixture(scope="module")
def runtime():
    pytest.importorskip("skl2onnx")
    return pytest.importorskip("onnxruntime")


@pytest.fixture
def outputs(runtime):
    """Return what onnxruntime computes with the exported model."""

    def run(model, X, example=None, **options):
        proto = to_onnx(model, X[:1] if example is None else example, **options)
        session = runtime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
        (inputs,) = session.get_inputs()
        arrays = session.run(None, {inputs.name: X})
        for described, array in zip(session.get_outputs(), arrays, strict=True):
            if isinstance(array, np.ndarray):
                assert described.shape == [None, *array.shape[1:]]
        return arrays

    return run


def fitted(cls, y, X=X, **parameters):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return cls(**{"hidden_layer_sizes": (5, 4), "max_iter": 30, "random_state": 0, **parameters}).fit(X, y)


# ── The same answers ─────────────────────────────────────────────────────────────────────────────────────────────────


@each_dtype
@pytest.mark.parametrize("kind", TARGETS)
def test_classifier_is_the_same_in_onnxruntime(outputs, kind, dtype):
    model, x = fitted(MLPClassifier, TARGETS[kind]), X.astype(dtype)
    labels, probabilities = outputs(model, x)
    assert labels.tolist() == model.predict(x).tolist()
    assert probabilities.dtype == dtype
    np.testing.assert_allclose(probabilities, model.predict_proba(x), atol=ATOL[dtype])


@each_dtype
@pytest.mark.parametrize("n_labels", [2, 3])
def test_multilabel_classifier_is_the_same_in_onnxruntime(outputs, n_labels, dtype):
    model, x = fitted(MLPClassifier, (X[:, :n_labels] > 0).astype(int)), X.astype(dtype)
    labels, probabilities = outputs(model, x)
    np.testing.assert_array_equal(labels, model.predict(x))
    np.testing.assert_allclose(probabilities, model.predict_proba(x), atol=ATOL[dtype])


@each_dtype
@pytest.mark.parametrize("hidden", [(), (5,), (5, 4, 3)])
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
def test_regressor_is_the_same_in_onnxruntime(outputs, activation, hidden, dtype):
    model = fitted(MLPRegressor, SCORE, activation=activation, hidden_layer_sizes=hidden, solver="lbfgs")
    x = X.astype(dtype)
    (predicted,) = outputs(model, x)
    assert predicted.shape == (60, 1)
    assert predicted.dtype == dtype
    np.testing.assert_allclose(predicted[:, 0], model.predict(x), atol=ATOL[dtype])


@each_dtype
def test_regressor_of_several_outputs_keeps_their_rows(outputs, dtype):
    model, x = fitted(MLPRegressor, X[:, :2]), X.astype(dtype)
    np.testing.assert_allclose(outputs(model, x)[0], model.predict(x), atol=ATOL[dtype])


@each_dtype
def test_poisson_regressor_is_the_same_in_onnxruntime(outputs, dtype):
    model, x = fitted(MLPRegressor, np.exp(SCORE / 4), loss="poisson"), X.astype(dtype)
    assert model.out_activation_ == "exp"
    np.testing.assert_allclose(outputs(model, x)[0][:, 0], model.predict(x), atol=ATOL[dtype])


def test_model_that_was_fitted_in_float32_is_the_same_in_onnxruntime(outputs):
    x = X.astype(np.float32)
    model = fitted(MLPRegressor, SCORE, X=x)
    np.testing.assert_allclose(outputs(model, x)[0][:, 0], model.predict(x), atol=1e-5)


def test_model_that_scikit_learn_fitted_is_exported_after_conversion(outputs):
    theirs = fitted(ORIGINALS["MLPRegressor"], X[:, :2])
    np.testing.assert_allclose(outputs(from_sklearn(theirs), X)[0], theirs.predict(X), atol=1e-12)


@pytest.mark.parametrize("search", [False, True])
def test_model_inside_others_is_the_same_in_onnxruntime(outputs, search):
    model = make_pipeline(StandardScaler(), MLPClassifier((4,), solver="lbfgs", random_state=0))
    if search:
        model = GridSearchCV(model, {"mlpclassifier__alpha": [0.1, 1.0]}, cv=2)
    model.fit(X * 9, SCORE > 0)
    labels, probabilities = outputs(model, X * 9)
    assert labels.tolist() == model.predict(X * 9).tolist()
    np.testing.assert_allclose(probabilities, model.predict_proba(X * 9), atol=1e-12)


# ── Activations ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_table_of_activations_is_complete():
    assert set(onnx_nodes.ACTIVATIONS) == set(ACTIVATIONS) - {"softmax"}
    assert set(onnx_nodes.OUTPUTS) == {"identity", *engine.OUTPUT_LOSSES}


@each_dtype
@pytest.mark.parametrize("name", sorted({*ACTIVATIONS} - {"softmax"}))
def test_activation_is_the_same_in_onnxruntime(outputs, name, dtype):
    z = np.concatenate([np.linspace(-40, 40, 801), [-1e30, -1e4, -1e-9, 1e-9, 1e4, 1e30]]).reshape(-1, 1).astype(dtype)
    model = fitted(MLPRegressor, [0.0, 1.0], X=[[0.0], [1.0]], hidden_layer_sizes=(1,))
    model.activation, model.coefs_ = name, [np.ones((1, 1))] * 2
    model.intercepts_ = [np.zeros(1)] * 2
    with np.errstate(over="ignore"):
        expected = [ACTIVATIONS[name]().value([float(value)]) for value in z.ravel()]
    # onnxruntime's sigmoid is right to a rounding of 1, which z multiplies; erf is computed in float32.
    rounding = 64 * np.finfo(np.float32 if name == "gelu" else dtype).eps
    np.testing.assert_allclose(outputs(model, z)[0], expected, rtol=rounding, atol=rounding)


@pytest.mark.parametrize("activation", [["tanh", "relu"], [chainrule.LeakyReLU(0.3), chainrule.ELU(0.7)], "logistic"])
def test_each_hidden_layer_has_its_own_activation(outputs, activation):
    model = fitted(MLPRegressor, SCORE, activation=activation, dropout=0.2)
    np.testing.assert_allclose(outputs(model, X)[0].ravel(), model.predict(X), atol=1e-12)


# ── Options ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_classes_name_the_probabilities_where_zipmap_is_asked_for(outputs):
    model, x = fitted(MLPClassifier, TARGETS["text"]), X.astype(np.float32)
    _, rows = outputs(model, x, options={"zipmap": True})
    np.testing.assert_allclose([row["yes"] for row in rows], model.predict_proba(x)[:, 1], atol=1e-5)


@pytest.mark.parametrize("opset", [9, 12, 13, 18])
def test_older_sets_of_operators_do(outputs, opset):
    model = fitted(MLPClassifier, TARGETS["multiclass"])
    labels, probabilities = outputs(model, X, target_opset=opset)
    assert labels.tolist() == model.predict(X).tolist()
    np.testing.assert_allclose(probabilities, model.predict_proba(X), atol=1e-12)


def test_types_of_the_inputs_can_be_given_instead_of_an_example(runtime):
    from skl2onnx.common.data_types import FloatTensorType

    model = fitted(MLPRegressor, SCORE)
    register_onnx()  # once more does nothing more
    proto = to_onnx(model, initial_types=[("rows", FloatTensorType([None, 3]))])
    session = runtime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    (predicted,) = session.run(None, {"rows": X.astype(np.float32)})
    np.testing.assert_allclose(predicted[:, 0], model.predict(X), atol=1e-5)


@pytest.mark.parametrize(
    ("example", "dtype"),
    [
        ([[1, 2, 3]], np.float64),
        (np.ones((1, 3), np.int8), np.float64),
        (np.ones((1, 3), np.float16), np.float32),
        (np.ones((1, 3), ">f4"), np.float32),
    ],
)
def test_type_to_compute_in_is_that_of_the_example(outputs, example, dtype):
    model = fitted(MLPRegressor, SCORE)
    assert outputs(model, X.astype(dtype), example)[0].dtype == dtype


def test_tables_with_names_are_taken(outputs, runtime):
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(X, columns=list("abc"))
    model = fitted(MLPRegressor, SCORE, X=table)
    np.testing.assert_allclose(outputs(model, X, table)[0][:, 0], model.predict(table), atol=1e-12)
    pipeline = make_pipeline(StandardScaler(), MLPRegressor(solver="lbfgs", max_iter=500)).fit(table, SCORE)
    proto = to_onnx(pipeline, table)  # as skl2onnx does: one input a column
    session = runtime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    (predicted,) = session.run(None, {name: table[[name]].to_numpy() for name in table})
    np.testing.assert_allclose(predicted[:, 0], pipeline.predict(table), atol=1e-5)  # its scaler computes in float32


# ── What is refused ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("runtime")
@pytest.mark.parametrize("model", [MLPClassifier(), MLPRegressor(), make_pipeline(StandardScaler(), MLPClassifier())])
def test_model_that_is_not_fitted_is_refused(model):
    with pytest.raises(NotFittedError, match=f"{type(model).__name__} instance is not fitted"):
        to_onnx(model, X)


@pytest.mark.usefixtures("runtime")
@pytest.mark.parametrize("model", [None, 3, "model", MLPClassifier, Network([3, 1], seed=0), X])
def test_what_is_no_estimator_is_refused(model):
    with pytest.raises(TypeError, match=r"model must be an estimator of chainrule\.sklearn"):
        to_onnx(model, X)


@pytest.mark.usefixtures("runtime")
@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (None, TypeError, "X is missing"),
        (X[:, :2], ValueError, "X has 2 columns but the model was fitted with 3"),
        (X[0], ValueError, r"X must be 2-D .* got shape \(3,\); a single row is X\.reshape"),
        (1.0, ValueError, "X must be 2-D"),
        (X[:0], ValueError, "X has no rows"),
        ([[1.0], [1.0, 2.0]], ValueError, "X is ragged"),
        ([["a", "b", "c"]], TypeError, "X holds text"),
        (X * 1j, TypeError, "X holds complex numbers"),
        (sparse.csr_array(X), TypeError, "X is a sparse matrix"),
    ],
)
def test_example_that_does_not_fit_the_model_is_refused(x, error, message):
    with pytest.raises(error, match=message):
        to_onnx(fitted(MLPRegressor, SCORE), x)


@pytest.mark.usefixtures("runtime")
def test_example_that_does_not_fit_a_pipeline_is_refused():
    model = make_pipeline(StandardScaler(), MLPRegressor(solver="lbfgs", max_iter=200)).fit(X, SCORE)
    with pytest.raises(ValueError, match="X has 2 columns but the model was fitted with 3"):
        to_onnx(model, X[:, :2])


# ── The package without skl2onnx ─────────────────────────────────────────────────────────────────────────────────────


def test_package_loads_without_skl2onnx_and_names_the_extra():
    program = """
import sys
sys.modules["skl2onnx"] = sys.modules["onnx"] = None
from chainrule.sklearn import MLPRegressor, register_onnx, to_onnx
for call in (register_onnx, lambda: to_onnx(MLPRegressor())):
    try:
        call()
    except ImportError as error:
        print(error)
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["ONNX export needs skl2onnx: pip install 'chainrule[onnx]'"] * 2


def test_package_loads_nothing_of_onnx():
    program = "import sys, chainrule.sklearn; print([name for name in sys.modules if name.endswith('onnx')])"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["['chainrule.sklearn.onnx']"]


@pytest.mark.usefixtures("runtime")
def test_example_of_the_documentation_prints_what_it_says():
    text = to_onnx.__doc__.replace("  # doctest: +SKIP", "")
    report = []
    doctest.DocTestRunner().run(doctest.DocTestParser().get_doctest(text, {}, "to_onnx", None, 0), out=report.append)
    assert not report, "".join(report)


def steps():
    """Yield containers in which our estimators are steps, by name."""
    options = {"random_state": 0, "max_iter": 5}
    net, labels = (c(hidden_layer_sizes=(5, 3), **options) for c in (MLPRegressor, MLPClassifier))
    yield "before ridge", make_pipeline(net, Ridge())
    yield "of width 1", make_pipeline(MLPRegressor(hidden_layer_sizes=(1,), **options), Ridge())
    yield "without hidden layers", make_pipeline(MLPRegressor(hidden_layer_sizes=(), **options), Ridge())
    yield "before its like", make_pipeline(StandardScaler(), net, MLPRegressor(**options))
    yield "a classifier before a classifier", make_pipeline(labels, MLPClassifier(**options))
    yield "in a nested pipeline", make_pipeline(make_pipeline(StandardScaler(), net), Ridge())
    yield "in a union", make_pipeline(FeatureUnion([("net", net), ("scaler", StandardScaler())]), Ridge())
    yield "in columns", make_pipeline(ColumnTransformer([("net", net, [0, 1])], remainder="passthrough"), Ridge())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "model"), list(steps()), ids=[name for name, _ in steps()])
def test_step_before_another_model_is_exported_as_its_hidden_layers(runtime, name, model, dtype):
    rows = np.random.default_rng(0).normal(size=(80, 4)).astype(dtype)
    y = (rows[:, 0] > 0).astype(np.int64) if "classifier" in name else rows[:, 0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(rows, y)
        before = [type(step) for _, step in model.steps]
        session = runtime.InferenceSession(to_onnx(model, rows[:1]).SerializeToString())
    got = session.run(None, {session.get_inputs()[0].name: rows})[0].ravel()
    np.testing.assert_allclose(got, model.predict(rows).ravel(), rtol=1e-4, atol=1e-5)
    assert [type(step) for _, step in model.steps] == before
