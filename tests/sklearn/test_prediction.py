"""Predictions: the bits of a network, for every layout of X and of the weights, and of the weights as they are now."""

from copy import deepcopy

import numpy as np
import pytest
from scipy import sparse
from sklearn import neural_network
from sklearn.exceptions import NotFittedError

from chainrule.sklearn import MLPClassifier, MLPRegressor, to_sklearn
from chainrule.sklearn.engine import Engine

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 7))
Y = RNG.normal(size=(300, 3))


def fitted(estimator, targets, *, rows=X):
    """Fit for two epochs, which need not converge."""
    return estimator.set_params(max_iter=2, random_state=0).fit(rows, targets)


@pytest.fixture(autouse=True)
def _no_convergence(recwarn):
    """Fits of two epochs warn."""


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sizes", [(), (1,), (16,), (17, 9), (70, 33), (200,), (300, 8)])
@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu"])
def test_prediction_has_the_bits_of_the_network(sizes, activation, dtype):
    model = fitted(MLPRegressor(hidden_layer_sizes=sizes, activation=activation), Y.astype(dtype), rows=X.astype(dtype))
    for n in (1, 2, 3, 4, 24, 25, 49, 64, 257, 300):
        rows = X[:n].astype(dtype)
        expected = Engine(model).network.predict(rows, None)
        assert model.predict(rows).dtype == dtype
        np.testing.assert_array_equal(model.predict(rows), expected)


@pytest.mark.parametrize("n_features", [1, 130, 700])
def test_prediction_over_several_blocks_of_weights(n_features):
    rows = RNG.normal(size=(280, n_features))
    model = fitted(MLPRegressor(hidden_layer_sizes=(1100,), batch_size=280), rows[:, 0], rows=rows)
    for n in (1, 10, 280):
        np.testing.assert_array_equal(model.predict(rows[:n]), Engine(model).network.predict(rows[:n], None).ravel())


@pytest.mark.parametrize("make", [sparse.csr_matrix, sparse.csr_array, sparse.csc_matrix, sparse.csc_array])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_sparse_rows_have_the_bits_of_dense_ones(make, activation):
    dense = np.where(np.abs(X) > 1, X, 0.0)
    dense[5] = 0.0
    model = fitted(MLPClassifier((70, 20), activation=activation), np.arange(300) % 4)
    for rows in (slice(0, 1), slice(5, 6), slice(0, 300)):
        np.testing.assert_array_equal(model.predict_proba(make(dense[rows])), model.predict_proba(dense[rows]))


def test_sparse_rows_longer_than_a_block():
    rows = RNG.normal(size=(40, 900))
    model = fitted(MLPRegressor(hidden_layer_sizes=(300,)), rows[:, 0], rows=rows)
    np.testing.assert_array_equal(model.predict(sparse.csr_array(rows)), model.predict(rows))


def test_sparse_indices_out_of_range_are_refused():
    rows = sparse.csr_array(np.eye(7))
    model = fitted(MLPRegressor(hidden_layer_sizes=(3,)), Y)
    rows.indices[2] = 7
    with pytest.raises(ValueError, match="compressed rows"):
        model.predict(rows)
    rows.indices[2] = -1
    with pytest.raises(ValueError, match="compressed rows"):
        model.predict(rows)


@pytest.mark.parametrize("weights", [np.float32, np.float64])
@pytest.mark.parametrize("rows", [np.float16, np.float32, np.float64, np.int64, bool, ">f8"])
def test_prediction_has_the_dtype_of_scikit_learn(weights, rows):
    model = fitted(MLPRegressor(hidden_layer_sizes=(20,)), Y.astype(weights), rows=X.astype(weights))
    given = np.abs(X[:40]).astype(rows)
    theirs = to_sklearn(model).predict(given)
    assert model.predict(given).dtype == (np.float64 if theirs.dtype != np.float32 else np.float32)
    np.testing.assert_allclose(model.predict(given), theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "layout", [np.asfortranarray, lambda x: x[::-1], lambda x: x[::2], lambda x: np.repeat(x, 2, axis=1)[:, ::2]]
)
def test_rows_and_weights_of_any_layout(layout):
    model = fitted(MLPRegressor(hidden_layer_sizes=(20, 5)), Y)
    given = layout(X)
    np.testing.assert_array_equal(model.predict(given), model.predict(given.copy()))
    expected = model.predict(X)
    model.coefs_ = [np.asfortranarray(w) for w in model.coefs_]
    model.intercepts_ = [np.repeat(b, 2)[::2] for b in model.intercepts_]
    np.testing.assert_array_equal(model.predict(X), expected)


def test_changed_weights_count_at_once():
    model = fitted(MLPRegressor(hidden_layer_sizes=(20,)), Y)
    before = model.predict(X)
    model.coefs_[1][...] *= 2
    model.intercepts_[1] = model.intercepts_[1] * 2
    np.testing.assert_allclose(model.predict(X), 2 * before)
    model.coefs_[0][:], model.intercepts_[0][:] = 0, 0
    np.testing.assert_allclose(model.predict(X), np.tile(model.intercepts_[1], (300, 1)))


def test_weights_that_do_not_fit_each_other_are_refused():
    model = fitted(MLPRegressor(hidden_layer_sizes=(20,)), Y)
    model.coefs_[1] = np.zeros((19, 3))
    with pytest.raises(ValueError, match="layers must be"):
        model.predict(X)


def test_prediction_leaves_nothing_in_the_estimator():
    model = fitted(MLPClassifier((20,)), np.arange(300) % 2)
    before = dict(vars(model))
    model.predict(X[:1])
    assert vars(model) == before
    np.testing.assert_array_equal(deepcopy(model).predict(X), model.predict(X))


def test_activation_that_is_set_later_counts():
    model = fitted(MLPRegressor(hidden_layer_sizes=(20, 20)), Y)
    before = model.predict(X)
    assert not np.array_equal(model.set_params(activation="tanh").predict(X), before)
    np.testing.assert_array_equal(model.set_params(activation=["relu", "relu"]).predict(X), before)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("n", [1, 30])
def test_rows_that_are_not_finite_get_the_message_of_scikit_learn(value, n):
    model = fitted(MLPRegressor(hidden_layer_sizes=(3,)), Y)
    rows = X[:n].copy()
    rows[-1, 2] = value
    for one in (model, to_sklearn(model)):
        with pytest.raises(ValueError, match="Input X contains"):
            one.predict(rows)
        with pytest.raises(ValueError, match="Input X contains"):
            one.predict(sparse.csr_array(rows))


def test_rows_whose_sum_overflows_are_finite():
    model = fitted(MLPRegressor(hidden_layer_sizes=(), solver="lbfgs"), Y)
    rows = np.full((3, 7), 1e308)
    rows[:, 1:] = rows[:, 1:] * np.array([1, 1, -1, -1, -1, 1]) * 1e-300
    rows[:, 0] = 1e308
    assert model.predict(rows).shape == (3, 3)


@pytest.mark.parametrize("rows", [X[0], X[:0], X[:, :6], X[:, :, None], "text", [[1, 2], [3]]])
def test_wrong_rows_get_the_error_of_scikit_learn(rows):
    model = fitted(MLPClassifier((3,)), np.arange(300) % 3)
    errors = []
    for one in (model, to_sklearn(model)):
        with pytest.raises(ValueError) as raised:
            one.predict(rows)
        errors.append(str(raised.value))
    assert errors[0].replace("\n", " ") == errors[1].replace("\n", " ")
    with pytest.raises(NotFittedError):
        MLPClassifier().predict(X)


@pytest.mark.parametrize(
    "labels",
    [["no", "yes"], ["a", "b", "c"], [3, 1], [True, False], ["only"], np.array(["x", "y"], object)],
)
def test_labels_are_those_of_the_binarizer(labels):
    y = np.asarray(labels)[np.arange(300) % len(labels)]
    model = fitted(MLPClassifier((5,)), y)
    expected = neural_network.MLPClassifier.predict(to_sklearn(model), X)
    assert model.predict(X).dtype == expected.dtype
    np.testing.assert_array_equal(model.predict(X), expected)
