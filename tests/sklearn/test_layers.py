"""Activations and dropout of each hidden layer, and the activations of the last one."""

import pickle
import warnings

import numpy as np
import pytest
import scipy.sparse
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import chainrule
from chainrule.reference.activations import ACTIVATIONS
from chainrule.sklearn import MLPClassifier, MLPRegressor

X = np.random.default_rng(0).normal(size=(60, 4))
Y = np.digitize(X @ [1.0, -2.0, 0.5, 0.0], [-1, 1])
SMALL = {"hidden_layer_sizes": (7, 5), "max_iter": 8, "random_state": 1}

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def fitted(cls=MLPClassifier, **parameters):
    return cls(**{**SMALL, **parameters}).fit(X, Y)


def by_hand(model, activations, x=X):
    """Return the activations of the last hidden layer, by the reference's formulas."""
    for coef, intercept, activation in zip(model.coefs_[:-1], model.intercepts_[:-1], activations, strict=True):
        x = np.array([activation.value(list(z)) for z in x @ coef + intercept])
    return x


@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - {"softmax"}))
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_every_activation_trains_and_transforms_as_its_formula_says(name, solver):
    model = fitted(activation=name, solver=solver)
    hidden = by_hand(model, [ACTIVATIONS[name]()] * 2)
    np.testing.assert_allclose(model.transform(X), hidden, rtol=1e-9, atol=1e-12)
    logits = hidden @ model.coefs_[-1] + model.intercepts_[-1]
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict_proba(X), expected, rtol=1e-9)


def test_each_layer_has_its_own():
    model = fitted(activation=["tanh", chainrule.LeakyReLU(0.3)])
    hidden = by_hand(model, [ACTIVATIONS["tanh"](), ACTIVATIONS["leaky_relu"](0.3)])
    np.testing.assert_allclose(model.transform(X), hidden, rtol=1e-9)


@pytest.mark.parametrize("name", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("form", [list, tuple, np.array])
def test_one_for_each_is_the_same_as_one_for_all(name, form):
    one = fitted(activation=name)
    assert fitted(activation=form([name, name])).loss_curve_ == one.loss_curve_
    ours = ACTIVATIONS["sigmoid" if name == "logistic" else name]()
    assert fitted(activation=ours).loss_curve_ == one.loss_curve_


def test_without_hidden_layers_activations_matter_as_little_as_there():
    for activation in ("tanh", [], chainrule.Tanh()):
        model = fitted(hidden_layer_sizes=(), activation=activation)
        np.testing.assert_array_equal(model.transform(X), X)
    np.testing.assert_array_equal(model.transform(scipy.sparse.csr_matrix(X)), X)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("softmax", "The 'activation' parameter of MLPClassifier must be"),
        ("rel", "The 'activation' parameter of MLPClassifier must be"),
        (["tanh", "rel"], r"activation\[1\].*relu"),
        (["tanh", "softmax"], r"activation\[1\] must be an activation of single units"),
        (["tanh"], "activation must be one for all hidden layers or a list of one each: there are 2, not 1"),
        (["tanh"] * 3, "there are 2, not 3"),
        (3, "The 'activation' parameter of MLPClassifier must be"),
    ],
)
def test_what_is_no_activation_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        fitted(activation=wrong)


def test_what_is_of_another_kind_is_refused():
    with pytest.raises(TypeError, match=r"activation\[1\] must be one of the names"):
        fitted(activation=["tanh", 3])


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_dropout_trains_with_masks_and_predicts_without(solver):
    plain, dropped = (fitted(MLPRegressor, solver=solver, dropout=rate) for rate in (0.0, 0.5))
    assert dropped.loss_curve_ != plain.loss_curve_
    np.testing.assert_array_equal(dropped.predict(X), dropped.predict(X))
    hidden = by_hand(dropped, [ACTIVATIONS["relu"]()] * 2)
    np.testing.assert_allclose(
        dropped.predict(X), (hidden @ dropped.coefs_[-1] + dropped.intercepts_[-1]).ravel(), rtol=1e-9
    )
    assert fitted(MLPRegressor, solver=solver, dropout=0.5).loss_curve_ == dropped.loss_curve_
    assert fitted(MLPRegressor, solver=solver, dropout=0.5, random_state=2).loss_curve_ != dropped.loss_curve_
    assert fitted(MLPRegressor, solver=solver, dropout=[0.5, 0.5]).loss_curve_ == dropped.loss_curve_
    assert fitted(MLPRegressor, solver=solver, dropout=[0.0, 0.0]).loss_curve_ == plain.loss_curve_


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_each_partial_fit_has_its_own_masks(solver):
    # Nothing is learned: what changes from call to call are masks alone.
    model = MLPRegressor(solver=solver, learning_rate_init=1e-300, dropout=0.5, shuffle=False, random_state=0)
    for _ in range(5):
        model.partial_fit(X, X[:, 0])
    assert len(set(model.loss_curve_)) == 5


def test_expected_value_of_a_dropped_layer_is_that_of_all_units():
    options = {"learning_rate_init": 1e-300, "dropout": [0.3], "activation": "identity", "alpha": 0.0, "tol": 0.0}
    model = MLPRegressor(
        hidden_layer_sizes=(400,), max_iter=400, n_iter_no_change=np.inf, random_state=0, **options
    ).fit(X, X[:, 0])
    # Var of Σ mⱼ aⱼ wⱼ with m of mean 1 and variance r / (1 - r) comes on top of the squared error.
    hidden = by_hand(model, [ACTIVATIONS["identity"]()])
    variance = ((hidden * model.coefs_[-1].ravel()) ** 2).sum(axis=1) * 0.3 / 0.7
    expected = 0.5 * (((model.predict(X) - X[:, 0]) ** 2) + variance).mean()
    assert np.mean(model.loss_curve_) == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (1.0, "The 'dropout' parameter of MLPClassifier must be"),
        (-0.1, "The 'dropout' parameter of MLPClassifier must be"),
        ("0.5", "The 'dropout' parameter of MLPClassifier must be"),
        (np.nan, "The 'dropout' parameter of MLPClassifier must be"),
        ([0.1, 1.0], r"dropout\[1\] must be a number in \[0, 1\)"),
        ([0.1], "dropout must be one for all hidden layers or a list of one each: there are 2, not 1"),
    ],
)
def test_what_is_no_dropout_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        fitted(dropout=wrong)


def test_lbfgs_takes_no_dropout():
    with pytest.raises(ValueError, match="solver='lbfgs' needs dropout=0"):
        fitted(dropout=0.1, solver="lbfgs")


def test_transform_feeds_another_model():
    pipeline = make_pipeline(MLPClassifier(**SMALL), LogisticRegression()).fit(X, Y)
    hidden = MLPClassifier(**SMALL).fit_transform(X, Y)
    np.testing.assert_array_equal(pipeline.predict(X), LogisticRegression().fit(hidden, Y).predict(hidden))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_transform_keeps_dtype_and_takes_sparse_rows(dtype):
    model = MLPRegressor(**SMALL).fit(X.astype(dtype), Y)
    hidden = model.transform(X.astype(dtype))
    assert (hidden.dtype, hidden.shape) == (dtype, (60, 5))
    sparse = model.transform(scipy.sparse.csc_matrix(X.astype(dtype)))
    np.testing.assert_allclose(sparse, hidden, rtol=1e-5)


def test_transform_has_names_for_its_columns():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(X, columns=list("abcd"))
    model = fitted().set_output(transform="pandas")
    assert model.get_feature_names_out().tolist() == [f"mlpclassifier{i}" for i in range(5)]
    named = MLPClassifier(**SMALL).set_output(transform="pandas").fit(table, Y).transform(table)
    assert named.columns.tolist() == [f"mlpclassifier{i}" for i in range(5)]


def test_transform_refuses_what_predict_refuses():
    with pytest.raises(ValueError, match="not fitted"):
        MLPClassifier().transform(X)
    with pytest.raises(ValueError, match="X has 3 features, but MLPClassifier is expecting 4"):
        fitted().transform(X[:, :3])


def test_they_are_parameters_like_others():
    model = fitted(activation=["gelu", chainrule.ELU(0.5)], dropout=[0.1, 0.2])
    assert clone(model).get_params() == model.get_params()
    again = pickle.loads(pickle.dumps(model))  # noqa: S301 - its own
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    assert again.partial_fit(X, Y).loss_curve_ == model.partial_fit(X, Y).loss_curve_
    grid = {"activation": ["silu", ["relu", "tanh"]], "dropout": [0.0, 0.2]}
    search = GridSearchCV(MLPClassifier(**SMALL), grid, cv=2).fit(X, Y)
    assert set(search.best_params_) == {"activation", "dropout"}


def test_model_of_an_older_kind_has_the_defaults():
    model = fitted()
    state = {name: value for name, value in model.__getstate__().items() if name not in ("dropout", "strict")}
    again = MLPClassifier.__new__(MLPClassifier)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again.__setstate__(state)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
