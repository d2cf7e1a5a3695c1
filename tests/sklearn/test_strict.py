"""strict=False removes scikit-learn's oddities; strict=True, the default, keeps each of them."""

import warnings

import numpy as np
import pytest
import scipy.sparse
from sklearn import neural_network as theirs

from chainrule import DivergenceError
from chainrule.sklearn import MLPClassifier, MLPRegressor, stochastic

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
SCORE = X @ [1.0, -2.0, 0.5, 0.0]
SMALL = {"hidden_layer_sizes": (5,), "max_iter": 6, "random_state": 1}

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_squared_error_of_several_outputs_is_of_their_sum(solver):
    y = X[:, :3] ** 2
    options = {**SMALL, "solver": solver, "alpha": 0.0, "batch_size": 60}
    strict, loose = (MLPRegressor(strict=strict, **options).fit(X, y) for strict in (True, False))
    np.testing.assert_allclose(loose.loss_curve_, 3 * np.array(strict.loss_curve_), rtol=1e-12)
    np.testing.assert_array_equal(loose.coefs_[0], strict.coefs_[0])  # the gradient was that of the sum


def test_line_search_sees_a_value_that_goes_with_the_gradient():
    y = np.sin(X[:, :3])
    options = {"solver": "lbfgs", "hidden_layer_sizes": (20,), "max_iter": 3000, "max_fun": 10**6, "random_state": 0}
    options |= {"alpha": 0.0, "tol": 1e-6}
    strict, loose = (MLPRegressor(strict=strict, **options).fit(X, y) for strict in (True, False))
    assert ((loose.predict(X) - y) ** 2).mean() <= ((strict.predict(X) - y) ** 2).mean()


@pytest.mark.parametrize("y", [np.digitize(SCORE, [-3, 3]), np.array(["a", "b", "c"])[np.digitize(SCORE, [-3, 3])]])
def test_early_stopping_has_each_class_on_both_sides(y):
    seen = []

    def scoring(estimator, x, labels):
        seen.append(labels)
        return estimator.score(x, labels)

    options = {**SMALL, "early_stopping": True, "validation_fraction": 0.25, "scoring": scoring, "strict": False}
    MLPClassifier(**options).fit(X, y)
    counts, expected = (np.unique(part, return_counts=True)[1] for part in (seen[0], y))
    assert len(counts) == 3
    assert np.abs(counts - expected / 4).max() < 1


@pytest.mark.parametrize("kind", ["plain", "poisson", "sparse"])
def test_batch_that_counts_nothing_is_passed_over(kind):
    x, y = scipy.sparse.csr_matrix(X) if kind == "sparse" else X, np.abs(SCORE)
    weights = np.repeat([0.0, 1.0], [20, 40])
    options = {**SMALL, "batch_size": 20, "shuffle": False, "loss": "poisson" if kind == "poisson" else "squared_error"}
    with pytest.raises(ZeroDivisionError):
        MLPRegressor(**options).fit(x, y, weights)
    passed = MLPRegressor(strict=False, **options).fit(x, y, weights)
    alone = MLPRegressor(strict=False, **options).fit(x[20:], y[20:])
    # Adam counts no step for it, and an epoch's loss is an average over all of its rows.
    np.testing.assert_allclose(passed.coefs_[0], alone.coefs_[0], rtol=1e-12)
    np.testing.assert_allclose(passed.loss_curve_, np.array(alone.loss_curve_) * 40 / 60, rtol=1e-12)


def orders(model, calls=4):
    """Return the losses of some calls; each has two steps, so its loss tells which rows came first."""
    for _ in range(calls):
        model.partial_fit(X, SCORE)
    return model.loss_curve_


def test_partial_fit_goes_on_with_its_random_numbers():
    options = {**SMALL, "batch_size": 30, "learning_rate_init": 1e-3}
    strict, loose = (MLPRegressor(strict=strict, **options) for strict in (True, False))
    their = theirs.MLPRegressor(**options)
    np.testing.assert_allclose(orders(strict), orders(their), rtol=1e-12)
    assert orders(loose)[0] == strict.loss_curve_[0]
    assert loose.loss_curve_[2:] != strict.loss_curve_[2:]
    again = MLPRegressor(strict=False, **options)
    assert orders(again) == loose.loss_curve_[:4]
    loose.fit(X, SCORE)
    fresh = MLPRegressor(strict=False, **options).fit(X, SCORE)
    assert loose.loss_curve_ == fresh.loss_curve_
    assert orders(loose) == orders(fresh)


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_training_ends_where_the_loss_is_not_finite(early_stopping, solver):
    options = {**SMALL, "max_iter": 50, "solver": solver, "learning_rate_init": 1e150, "activation": "identity"}
    model = MLPRegressor(strict=False, early_stopping=early_stopping, **options)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(
            DivergenceError, match=r"the loss of epoch \d+ is (nan|inf): try a lower learning_rate_init"
        ):
            model.fit(X, SCORE)
        assert model.n_iter_ < 10
        wasteful = MLPRegressor(early_stopping=False, **options)
        with pytest.raises(ValueError, match="Solver produced non-finite parameter weights"):
            wasteful.fit(X, SCORE)
    assert wasteful.n_iter_ == 50


@pytest.mark.parametrize("cls", [MLPClassifier, MLPRegressor])
@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_where_nothing_odd_happens_nothing_changes(cls, solver):
    strict, loose = (cls(strict=strict, solver=solver, **SMALL).fit(X, SCORE > 0) for strict in (True, False))
    np.testing.assert_array_equal(loose.coefs_[0], strict.coefs_[0])


def test_interrupt_before_the_first_loss_is_no_divergence(monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(stochastic.Epochs, "run", interrupted)
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        assert MLPRegressor(strict=False, **SMALL).fit(X, SCORE).loss_curve_ == []


@pytest.mark.parametrize("wrong", [None, "yes", 2])
def test_what_is_neither_is_refused(wrong):
    with pytest.raises(ValueError, match="The 'strict' parameter of MLPRegressor must be"):
        MLPRegressor(strict=wrong).fit(X, SCORE)
