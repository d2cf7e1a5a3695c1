"""The loop over epochs gives scikit-learn's numbers and messages, and ends when max_seconds have passed."""

import itertools
import warnings

import numpy as np
import pytest
from sklearn import neural_network as theirs
from sklearn.exceptions import ConvergenceWarning

from chainrule import sklearn as ours
from chainrule.sklearn import MLPClassifier, MLPRegressor, stochastic

RNG = np.random.default_rng(0)
X = RNG.normal(size=(70, 4))
Y = np.digitize(X @ [1.0, -2.0, 0.5, 0.0], [-1, 1])
WEIGHT = RNG.uniform(0.5, 2.0, 70)
SMALL = {"hidden_layer_sizes": (6, 5), "random_state": 1, "max_iter": 12}
OPTIONS = {
    "adam": {},
    "sgd": {"solver": "sgd"},
    "plain sgd": {"solver": "sgd", "momentum": 0.0, "shuffle": False},
    "invscaling": {"solver": "sgd", "learning_rate": "invscaling", "nesterovs_momentum": False},
    "adaptive": {"solver": "sgd", "learning_rate": "adaptive", "tol": 1.0, "n_iter_no_change": 2},
    "early": {"early_stopping": True, "verbose": True},
    "early adaptive": {
        "solver": "sgd", "learning_rate": "adaptive", "early_stopping": True, "tol": 1.0, "n_iter_no_change": 1,
        "verbose": True,
    },
    "stops": {"tol": 1.0, "n_iter_no_change": 2, "verbose": True},
    "batches": {"batch_size": 16, "activation": "tanh", "alpha": 0.1},
    "clipped": {"batch_size": 1000, "activation": "logistic"},
}  # fmt: skip


def run(package, name, y, capsys, sample_weight=None, **options):
    """Return a fitted model, its warnings and what it printed."""
    model = getattr(package, name)(**{**SMALL, **options})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y, sample_weight)
    return model, [(w.category, str(w.message)) for w in caught], capsys.readouterr().out


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("kind", ["MLPClassifier", "MLPRegressor", "binary"])
def test_numbers_messages_and_warnings_are_scikit_learns(kind, option, weighted, capsys):
    name, y = ("MLPClassifier", Y > 0) if kind == "binary" else (kind, Y)
    weight = WEIGHT if weighted else None
    a, b = (run(package, name, y, capsys, weight, **OPTIONS[option]) for package in (ours, theirs))
    np.testing.assert_allclose(a[0].loss_curve_, b[0].loss_curve_, rtol=1e-9)
    for name in ("n_iter_", "t_", "_no_improvement_count", "n_layers_", "n_outputs_"):
        assert getattr(a[0], name) == getattr(b[0], name)
    assert (a[0].validation_scores_ is None) == (b[0].validation_scores_ is None)
    np.testing.assert_allclose(a[0].validation_scores_ or [], b[0].validation_scores_ or [], rtol=1e-9)
    assert a[0]._optimizer.learning_rate == pytest.approx(b[0]._optimizer.learning_rate, rel=1e-12)
    for mine, other in zip(a[0].coefs_ + a[0].intercepts_, b[0].coefs_ + b[0].intercepts_, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-7, atol=1e-9)
    assert a[1:] == b[1:]


@pytest.fixture
def clock(monkeypatch):
    """Let every look at the clock find it a second later."""
    seconds = itertools.count()
    monkeypatch.setattr(stochastic.time, "monotonic", lambda: next(seconds))


@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.usefixtures("clock")
def test_training_ends_when_the_time_is_up(solver):
    model = MLPClassifier(solver=solver, max_seconds=4, **SMALL)
    with pytest.warns(ConvergenceWarning, match="max_seconds=4 reached after 4 iterations"):
        model.fit(X, Y)
    assert model.n_iter_ == len(model.loss_curve_) == 4
    with pytest.warns(ConvergenceWarning, match="Maximum iterations"):
        whole = MLPClassifier(solver=solver, **SMALL).fit(X, Y)
    assert model.loss_curve_ == whole.loss_curve_[:4]


@pytest.mark.usefixtures("clock")
def test_best_weights_are_kept_when_the_time_is_up():
    model = MLPRegressor(early_stopping=True, max_seconds=3, **SMALL)
    with pytest.warns(ConvergenceWarning, match="max_seconds=3 reached"):
        model.fit(X, Y)
    assert model.coefs_ is model._best_coefs


@pytest.mark.usefixtures("clock")
def test_enough_time_changes_nothing_and_last_epoch_warns_as_ever():
    with pytest.warns(ConvergenceWarning) as caught:
        model = MLPRegressor(max_seconds=12, **SMALL).fit(X, Y)
    assert [str(w.message).split("(")[0] for w in caught] == ["Stochastic Optimizer: Maximum iterations "]
    assert model.n_iter_ == 12
    model.set_params(max_seconds=1).partial_fit(X, Y)  # a single epoch in any case, and no warning


def test_lbfgs_ends_after_the_iteration_in_which_the_time_is_up():
    options = {"solver": "lbfgs", "hidden_layer_sizes": (3,), "random_state": 0}
    with pytest.warns(ConvergenceWarning, match="lbfgs: max_seconds=1e-09 reached after 1 iterations"):
        model = MLPRegressor(max_seconds=1e-9, **options).fit(X, Y)
    with pytest.warns(ConvergenceWarning, match="lbfgs failed to converge after 1 iteration"):
        same = MLPRegressor(max_iter=1, **options).fit(X, Y)
    assert model.n_iter_ == 1
    assert model.loss_ == same.loss_
    np.testing.assert_array_equal(model.predict(X), same.predict(X))


def test_one_epoch_is_made_however_short_the_time():
    with pytest.warns(ConvergenceWarning, match="max_seconds=1e-09 reached after 1 iterations"):
        assert MLPRegressor(max_seconds=1e-9, **SMALL).fit(X, Y).n_iter_ == 1


@pytest.mark.parametrize("wrong", [0, -1.0, "1", np.nan, np.inf, 10**400, [1.0]])
def test_what_is_no_time_is_refused(wrong):
    with pytest.raises(ValueError, match="The 'max_seconds' parameter of MLPRegressor must be"):
        MLPRegressor(max_seconds=wrong, **SMALL).fit(X, Y)


def test_interrupt_leaves_a_usable_model(monkeypatch):
    def interrupted(self, *_):
        if self.n_iter_ == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(MLPClassifier, "_update_no_improvement_count", interrupted)
    model = MLPClassifier(max_seconds=1e9, **SMALL)  # every epoch is looked at
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        model.fit(X, Y)
    assert model.n_iter_ == 3
    assert model.predict(X).shape == (70,)
