"""Fitted models convert between scikit-learn's classes and this package's: equal predictions, continued training."""

import pickle
import warnings

import numpy as np
import pytest
from sklearn import neural_network as theirs
from sklearn.exceptions import NotFittedError

import chainrule
import chainrule.sklearn as ours
from chainrule.sklearn import from_sklearn, to_sklearn

RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 4))
SCORE = X @ [1.0, -2.0, 0.5, 0.0]
# Of each kind of fitted model: class, targets, further parameters.
KINDS = {
    "binary": ("MLPClassifier", SCORE > 0, {}),
    "text": ("MLPClassifier", np.where(SCORE > 0, "yes", "no"), {}),
    "multiclass": ("MLPClassifier", np.digitize(SCORE, [-1, 1]), {}),
    "multilabel": ("MLPClassifier", (X[:, :3] > 0).astype(int), {}),
    "one class": ("MLPClassifier", np.zeros(80, dtype=int), {}),
    "regressor": ("MLPRegressor", SCORE, {}),
    "outputs": ("MLPRegressor", X[:, :2] ** 2, {}),
    "poisson": ("MLPRegressor", np.exp(SCORE / 4), {"loss": "poisson"}),
}
SOLVERS = {
    "adam": {},
    "sgd": {"solver": "sgd", "learning_rate": "adaptive", "n_iter_no_change": 2},
    "invscaling": {"solver": "sgd", "learning_rate": "invscaling", "nesterovs_momentum": False},
    "early": {"early_stopping": True},
    "lbfgs": {"solver": "lbfgs"},
}


def fitted(package, kind, solver="adam", X=X, **parameters):
    name, y, of_kind = KINDS[kind]
    model = getattr(package, name)(
        hidden_layer_sizes=(6, 5), max_iter=8, random_state=3, **SOLVERS[solver], **of_kind, **parameters
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(X, y)


def outputs(model):
    names = [name for name in ("predict", "predict_proba", "predict_log_proba") if hasattr(model, name)]
    return [getattr(model, name)(X) for name in names]


def assert_equal_outputs(a, b):
    for of_a, of_b in zip(outputs(a), outputs(b), strict=True):
        if of_a.dtype.kind == "f":
            np.testing.assert_allclose(of_a, of_b, rtol=1e-10, atol=1e-12)
        else:
            np.testing.assert_array_equal(of_a, of_b)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("kind", KINDS)
def test_models_convert_both_ways_with_equal_predictions(kind, solver):
    name = KINDS[kind][0]
    if kind in ("one class", "text") and solver == "early":  # text: scikit-learn 1.7 cannot
        solver = "adam"
    model = fitted(theirs, kind, solver)
    converted = from_sklearn(model)
    assert type(converted) is getattr(ours, name)
    assert_equal_outputs(model, converted)
    back = to_sklearn(converted)
    assert type(back) is getattr(theirs, name)
    assert_equal_outputs(model, back)
    assert back.get_params() == model.get_params()
    for key, value in vars(model).items():
        if key in ("loss_", "n_iter_", "t_", "loss_curve_", "best_loss_", "validation_scores_", "out_activation_"):
            assert getattr(back, key) == value == getattr(converted, key)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel", "regressor", "poisson"])
def test_model_fitted_here_predicts_the_same_there(kind, solver):
    model = fitted(ours, kind, solver)
    assert_equal_outputs(model, to_sklearn(model))
    assert_equal_outputs(model, from_sklearn(to_sklearn(model)))


@pytest.mark.parametrize("solver", ["adam", "sgd", "invscaling"])
@pytest.mark.parametrize("kind", ["binary", "multiclass", "regressor"])
@pytest.mark.parametrize("direction", ["from", "to"])
def test_partial_fit_goes_on_with_the_moments_and_the_rate(direction, kind, solver):
    model = fitted(theirs if direction == "from" else ours, kind, solver)
    converted = from_sklearn(model) if direction == "from" else to_sklearn(model)
    y = KINDS[kind][1]
    for _ in range(3):
        model.partial_fit(X, y)
        converted.partial_fit(X, y)
    np.testing.assert_allclose(model.loss_curve_, converted.loss_curve_, rtol=1e-8)
    assert model.t_ == converted.t_
    assert model._optimizer.learning_rate == pytest.approx(converted._optimizer.learning_rate, rel=1e-12)


def test_warm_start_goes_on_where_the_model_stood():
    model = fitted(theirs, "regressor", warm_start=True)
    converted = from_sklearn(model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X, SCORE)
        converted.fit(X, SCORE)
    np.testing.assert_allclose(model.loss_curve_, converted.loss_curve_, rtol=1e-8)


@pytest.mark.parametrize("convert", [from_sklearn, to_sklearn])
def test_converted_model_shares_nothing(convert):
    model = fitted(theirs if convert is from_sklearn else ours, "multiclass")
    before = pickle.dumps(model)
    converted = convert(model)
    for w in converted.coefs_:
        w[:] = 0
    converted.partial_fit(X, KINDS["multiclass"][1])
    assert pickle.dumps(model) == before


def test_float32_stays_float32():
    x = X.astype(np.float32)
    model = fitted(theirs, "regressor", X=x)
    converted = from_sklearn(model)
    assert converted.predict(x).dtype == np.float32
    np.testing.assert_allclose(converted.predict(x), model.predict(x), rtol=1e-4, atol=1e-5)


def test_names_of_features_are_kept():
    pandas = pytest.importorskip("pandas")
    model = fitted(theirs, "regressor", X=pandas.DataFrame(X, columns=list("abcd")))
    assert from_sklearn(model).feature_names_in_.tolist() == list("abcd")
    with pytest.raises(ValueError, match="feature names should match"):
        from_sklearn(model).predict(pandas.DataFrame(X, columns=list("abcx")))


@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
def test_model_that_is_not_fitted_is_refused(name):
    with pytest.raises(NotFittedError, match=f"This {name} instance is not fitted yet"):
        from_sklearn(getattr(theirs, name)())
    with pytest.raises(NotFittedError, match=f"This {name} instance is not fitted yet"):
        to_sklearn(getattr(ours, name)())


@pytest.mark.parametrize("model", [None, 3, "MLPClassifier", theirs.MLPClassifier, theirs.BernoulliRBM(), np.zeros(3)])
def test_what_is_no_such_model_is_refused(model):
    with pytest.raises(
        TypeError, match=r"model must be an MLPClassifier or MLPRegressor of sklearn\.neural_network, not"
    ):
        from_sklearn(model)
    with pytest.raises(TypeError, match=r"model must be an MLPClassifier or MLPRegressor of chainrule\.sklearn, not"):
        to_sklearn(model)


def test_subclass_is_refused_and_so_is_what_is_converted_already():
    class Mine(theirs.MLPRegressor):
        pass

    with pytest.raises(TypeError, match="an instance of Mine, a subclass"):
        from_sklearn(Mine(solver="lbfgs", max_iter=500).fit(X, SCORE))
    with pytest.raises(TypeError, match=r"is a chainrule\.sklearn\.MLPRegressor already"):
        from_sklearn(fitted(ours, "regressor"))
    with pytest.raises(TypeError, match=r"is a sklearn\.neural_network\.MLPRegressor already"):
        to_sklearn(fitted(theirs, "regressor"))


def test_parameters_that_scikit_learn_lacks_are_left_out():
    model = fitted(ours, "multiclass", n_threads=1)
    back = to_sklearn(model)
    assert_equal_outputs(model, back)
    assert not hasattr(back, "n_threads")


def test_parameters_that_scikit_learn_lacks_are_left_out_with_a_warning():
    model = fitted(ours, "multiclass", class_weight={0: 1.0, 1: 2.0, 2: 1.0}, max_seconds=1000.0)
    with pytest.warns(UserWarning, match=r"without class_weight=\{0: 1.0, 1: 2.0, 2: 1.0\}, max_seconds=1000.0; pred"):
        back = to_sklearn(model)
    assert_equal_outputs(model, back)
    assert not hasattr(back, "class_weight")


@pytest.mark.parametrize("loss", ["huber", "quantile", "absolute_error"])
def test_loss_that_scikit_learn_lacks_becomes_its_default_with_a_warning(loss):
    model = fitted(ours, "regressor", loss=loss)
    with pytest.warns(UserWarning, match=f"without loss='{loss}'; pred"):
        back = to_sklearn(model)
    assert back.loss == "squared_error"
    assert_equal_outputs(model, back)


def test_sizes_said_by_two_numbers_become_a_tuple():
    model = ours.MLPRegressor(n_layers=2, width=3, solver="lbfgs", random_state=0).fit(X[:5], SCORE[:5])
    back = to_sklearn(model)
    assert back.hidden_layer_sizes == (3, 3)
    assert_equal_outputs(model, back)


@pytest.mark.parametrize("activation", [["tanh", "tanh"], "sigmoid", chainrule.ReLU()])
def test_one_activation_said_otherwise_is_said_as_there(activation):
    model = fitted(ours, "multiclass", activation=activation)
    back = to_sklearn(model)
    assert back.activation in ("tanh", "logistic", "relu")
    assert_equal_outputs(model, back)


@pytest.mark.parametrize("activation", [["tanh", "relu"], "gelu", ["tanh", chainrule.ELU()]])
def test_activations_that_scikit_learn_lacks_are_refused(activation):
    with pytest.raises(ValueError, match="scikit-learn has only identity, logistic, tanh, relu, not activation="):
        to_sklearn(fitted(ours, "multiclass", activation=activation))
