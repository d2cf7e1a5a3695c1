"""`partial_fit` after `set_params` of any parameter: scikit-learn's numbers, and never an internal error."""

import warnings

import numpy as np
import pytest
from sklearn import neural_network

from chainrule._native import InternalError
from chainrule.sklearn import MLPClassifier, MLPRegressor

X = np.random.default_rng(0).normal(size=(50, 3))
Y = np.abs(X[:, 0])
SAME = [
    {"solver": "adam"}, {"solver": "sgd"}, {"activation": "tanh"}, {"alpha": 1.0}, {"batch_size": 7},
    {"batch_size": 1000}, {"learning_rate": "invscaling"}, {"learning_rate": "adaptive"}, {"learning_rate_init": 0.1},
    {"power_t": 1.0}, {"max_iter": 1}, {"shuffle": False}, {"random_state": 3}, {"tol": 1.0}, {"warm_start": True},
    {"momentum": 0.0}, {"nesterovs_momentum": False}, {"early_stopping": True}, {"validation_fraction": 0.5},
    {"beta_1": 0.5}, {"beta_2": 0.5}, {"epsilon": 0.1}, {"n_iter_no_change": 1}, {"max_fun": 1},
]  # fmt: skip
OURS = [
    {"hidden_layer_sizes": (5,)}, {"hidden_layer_sizes": (4, 4)}, {"hidden_layer_sizes": ()}, {"solver": "lbfgs"},
    {"activation": ["gelu"]}, {"activation": ["gelu", "tanh"]}, {"dropout": 0.5}, {"dropout": [0.1]},
    {"dropout": [0.1, 0.2]}, {"n_layers": 2}, {"width": 7}, {"scoring": "loss"}, {"max_seconds": 1e-9},
    {"n_threads": 2}, {"strict": False}, {"warm_start": True, "early_stopping": True},
]  # fmt: skip
STARTS = [{"solver": "adam"}, {"solver": "sgd"}, {"solver": "sgd", "learning_rate": "adaptive"}, {"solver": "lbfgs"}]


def outcome(estimator, first, change, y):
    """Return the numbers after two calls, or the error."""
    classes = {"classes": [0, 1]} if first == "partial_fit" and hasattr(estimator, "predict_proba") else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            getattr(estimator, first)(X, y, **classes).set_params(**change)
            estimator.partial_fit(X, y).partial_fit(X, y)
        except InternalError:
            raise
        except (AttributeError, TypeError, ValueError) as error:
            return type(error)
        return estimator.loss_, np.asarray(estimator.predict(X), float), getattr(estimator, "loss_curve_", [])


@pytest.mark.parametrize("start", STARTS, ids=str)
@pytest.mark.parametrize("first", ["fit", "partial_fit"])
@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
def test_numbers_after_set_params_are_those_of_scikit_learn(name, first, start):
    y = Y if name == "MLPRegressor" else (X[:, 0] > 0).astype(int)
    ours, theirs = {"MLPClassifier": MLPClassifier, "MLPRegressor": MLPRegressor}[name], getattr(neural_network, name)
    for change in SAME:
        got, expected = (outcome(c(random_state=0, max_iter=3, **start), first, change, y) for c in (ours, theirs))
        if isinstance(expected, type):
            assert got is expected, change
        else:
            for one, other in zip(got, expected, strict=True):
                np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-6, err_msg=str(change))


@pytest.mark.parametrize("start", STARTS, ids=str)
@pytest.mark.parametrize("change", [*OURS, {"loss": "poisson"}, {"loss": "huber"}, {"loss": "quantile"}], ids=str)
def test_no_change_is_an_internal_error(start, change):
    classifier = MLPClassifier(random_state=0, max_iter=3, **start)
    regressor = MLPRegressor(random_state=0, max_iter=3, **start)
    for first in ("fit", "partial_fit"):
        if "loss" not in change:
            outcome(classifier, first, change, (X[:, 0] > 0).astype(int))
        outcome(regressor, first, change, Y)
