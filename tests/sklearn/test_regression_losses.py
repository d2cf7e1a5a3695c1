"""The regressor's additional losses: their formulas, and their minima on data."""

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, mean_pinball_loss
from sklearn.neural_network import MLPRegressor as TheirRegressor

from chainrule.sklearn import MLPRegressor

RNG = np.random.default_rng(0)
X = RNG.uniform(-1, 1, (300, 2))
NOISE = RNG.normal(size=300)
Y = np.sin(2 * X[:, 0]) + 0.3 * NOISE
SMALL = {"hidden_layer_sizes": (12,), "random_state": 0}
LOSSES = {
    "absolute_error": {},
    "huber": {"huber_delta": 0.3},
    "quantile": {"quantile": 0.8},
}

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def huber(y, p, delta=0.3):
    d = np.abs(y - p)
    return np.where(d <= delta, d**2 / 2, delta * (d - delta / 2)).mean()


FORMULAS = {
    "absolute_error": mean_absolute_error,
    "huber": huber,
    "quantile": lambda y, p: mean_pinball_loss(y, p, alpha=0.8),
}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("y", [Y, np.column_stack([Y, X[:, 1]])], ids=["one", "two"])
def test_value_is_the_formula(loss, y):
    options = {**SMALL, **LOSSES[loss], "loss": loss, "alpha": 0.0}
    model = MLPRegressor(solver="lbfgs", max_iter=5, **options).fit(X, y)
    assert model.loss_ == pytest.approx(FORMULAS[loss](y, model.predict(X)))
    # The loss of an epoch is measured before its only step.
    model = MLPRegressor(batch_size=300, max_iter=1, **options).fit(X, y, X_val=X, y_val=y)
    assert model.validation_loss_curve_[0] == pytest.approx(FORMULAS[loss](y, model.predict(X)))
    assert model.partial_fit(X, y).loss_curve_[-1] == pytest.approx(model.validation_loss_curve_[0])


@pytest.mark.parametrize("loss", [*LOSSES, "squared_error", "poisson"])
@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_gradient_is_that_of_the_value(loss, outputs, weighted):
    y = np.abs(RNG.normal(size=(300, outputs)))
    weights = RNG.uniform(0.2, 2, 300) if weighted else None
    options = {**LOSSES.get(loss, {}), "loss": loss, "strict": False}
    model = MLPRegressor(hidden_layer_sizes=(5,), activation="tanh", max_iter=1, random_state=0, **options)
    model.fit(X, y if outputs > 1 else y.ravel())
    at = np.hstack([part.ravel() for part in model.coefs_ + model.intercepts_])
    _, gradient = model._loss_grad_lbfgs(at, X, y, weights)
    h = 1e-6
    for i in range(len(at)):
        step = np.zeros(len(at))
        step[i] = h
        up, down = (model._loss_grad_lbfgs(at + s * step, X, y, weights)[0] for s in (1, -1))
        # A kink of a row lies within h with a probability of some h · 300: its slope is then off by 1/300 at most.
        assert gradient[i] == pytest.approx((up - down) / (2 * h), rel=1e-5, abs=1e-7 if loss != "quantile" else 1e-6)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_outliers_count_less(solver):
    wild = np.where(NOISE > 1.5, Y + 50, Y)
    options = {"solver": solver, "max_iter": 2000, "learning_rate_init": 0.01, **SMALL}
    truth = np.sin(2 * X[:, 0])
    errors = {
        loss: np.abs(MLPRegressor(loss=loss, **options).fit(X, wild).predict(X) - truth).mean()
        for loss in ("squared_error", "absolute_error", "huber")
    }
    assert max(errors["absolute_error"], errors["huber"]) < 0.4
    assert errors["squared_error"] > 2


def test_pair_of_quantiles_is_an_interval():
    options = {"loss": "quantile", "learning_rate_init": 0.01, "max_iter": 500, "tol": 1e-5, **SMALL}
    low, high = (MLPRegressor(quantile=q, **options).fit(X, Y).predict(X) for q in (0.1, 0.9))
    assert ((low <= Y) & (high >= Y)).mean() == pytest.approx(0.8, abs=0.05)


def test_defaults_change_nothing():
    theirs = TheirRegressor(max_iter=5, **SMALL).fit(X, Y)
    ours = MLPRegressor(huber_delta=3.0, quantile=0.9, max_iter=5, **SMALL).fit(X, Y)
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-10)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("loss", "mae"),
        ("loss", None),
        ("huber_delta", 0.0),
        ("huber_delta", "1"),
        ("huber_delta", np.nan),
        ("quantile", 0.0),
        ("quantile", 1.0),
        ("quantile", [0.1, 0.9]),
    ],
)
def test_what_is_no_loss_is_refused(name, wrong):
    with pytest.raises(ValueError, match=f"The '{name}' parameter of MLPRegressor must be"):
        MLPRegressor(**{name: wrong}).fit(X, Y)
