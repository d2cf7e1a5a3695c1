"""n_layers and width replace hidden_layer_sizes, and change nothing if they are None."""

import pickle
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from chainrule.sklearn import MLPClassifier, MLPRegressor

X = np.random.default_rng(0).normal(size=(40, 3))
Y = X[:, 0] > 0

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def fitted(cls=MLPClassifier, **parameters):
    return cls(max_iter=4, random_state=0, **parameters).fit(X, Y)


@pytest.mark.parametrize("cls", [MLPClassifier, MLPRegressor])
@pytest.mark.parametrize(
    ("numbers", "sizes"),
    [
        ({"n_layers": 2, "width": 3}, (3, 3)),
        ({"n_layers": 1, "width": 3, "hidden_layer_sizes": (9, 9, 9)}, (3,)),
        ({"n_layers": 0, "width": 3}, ()),
        ({"n_layers": 0}, ()),
        ({"width": 5}, (5,)),
        ({"width": 5, "hidden_layer_sizes": (8, 2)}, (5, 5)),
        ({"n_layers": 3, "hidden_layer_sizes": (4,)}, (4, 4, 4)),
        ({"n_layers": 2, "hidden_layer_sizes": 4}, (4, 4)),
        ({"width": np.int64(2), "hidden_layer_sizes": [7]}, (2,)),
        ({"n_layers": None, "width": None, "hidden_layer_sizes": (4, 2)}, (4, 2)),
    ],
)
def test_numbers_are_the_same_as_sizes(cls, numbers, sizes):
    model = fitted(cls, **numbers)
    assert [w.shape[1] for w in model.coefs_[:-1]] == list(sizes)
    assert model.loss_curve_ == fitted(cls, hidden_layer_sizes=sizes).loss_curve_
    assert model.n_layers_ == len(sizes) + 2
    assert {name: getattr(model, name) for name in numbers} == numbers


def test_parameters_stay_as_they_were_given():
    model = fitted(n_layers=2, width=3)
    assert model.hidden_layer_sizes == (100,)
    assert clone(model).get_params() == model.get_params()
    again = pickle.loads(pickle.dumps(model))  # noqa: S301 - its own
    assert again.partial_fit(X, Y).loss_curve_ == model.partial_fit(X, Y).loss_curve_
    with pytest.raises(ValueError, match="inconsistent"):
        model.fit(X, Y[:-1])
    assert model.hidden_layer_sizes == (100,)


def test_search_draws_numbers():
    grid = {"n_layers": [1, 2], "width": [2, 5]}
    search = GridSearchCV(MLPRegressor(max_iter=3, random_state=0), grid, cv=2).fit(X, X[:, 0])
    n, width = search.best_params_["n_layers"], search.best_params_["width"]
    assert [w.shape[1] for w in search.best_estimator_.coefs_[:-1]] == [width] * n


def test_number_that_nothing_tells_is_asked_for():
    for given in ((), (3, 4)):
        with pytest.raises(ValueError, match=r"n_layers=2 needs width, since hidden_layer_sizes="):
            fitted(n_layers=2, hidden_layer_sizes=given)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("n_layers", -1), ("n_layers", 10**9), ("n_layers", 1.5), ("n_layers", (2,)), ("width", 0), ("width", "wide")],
)
def test_what_is_no_number_is_refused(name, wrong):
    with pytest.raises(ValueError, match=f"The '{name}' parameter of MLPClassifier must be"), warnings.catch_warnings():
        fitted(**{name: wrong})
