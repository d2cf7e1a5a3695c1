"""Validation data of the caller, the curve of their loss, and the score for early stopping; unchanged defaults."""

import warnings

import numpy as np
import pytest
import scipy.sparse
import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import d2_absolute_error_score, f1_score, log_loss, make_scorer, mean_poisson_deviance
from sklearn.metrics import mean_squared_error as mse
from sklearn.model_selection import train_test_split

from chainrule.sklearn import MLPClassifier, MLPRegressor

RNG = np.random.default_rng(0)
X, X_VAL = RNG.normal(size=(60, 3)), RNG.normal(size=(25, 3))
COEF = np.array([1.0, -2.0, 0.5])
SCORE, SCORE_VAL = X @ COEF, X_VAL @ COEF + RNG.normal(size=25)
WEIGHT_VAL = RNG.uniform(0.2, 3.0, 25)
SMALL = {"hidden_layer_sizes": (4,), "max_iter": 8, "random_state": 0, "learning_rate_init": 0.02}
# scikit-learn 1.7 takes no text with early stopping.
LABELS = np.array(["a", "b", "c"]) if sklearn.__version__ >= "1.9" else np.array([1, 2, 3])
# Of each kind: class, targets of both sets, what scikit-learn calls the loss, further parameters.
KINDS = {
    "binary": (MLPClassifier, SCORE > 0, SCORE_VAL > 0, log_loss, {}),
    "multiclass": (
        MLPClassifier,
        LABELS[np.digitize(SCORE, [-1, 1])],
        LABELS[np.digitize(SCORE_VAL, [-1, 1])],
        log_loss,
        {},
    ),
    "regressor": (MLPRegressor, SCORE, SCORE_VAL, lambda y, p, **k: mse(y, p, **k) / 2, {}),
    "outputs": (MLPRegressor, X[:, :2], X_VAL[:, :2], lambda y, p, **k: mse(y, p, **k) / 2, {}),
    "poisson": (
        MLPRegressor,
        np.exp(SCORE / 4),
        np.exp(SCORE_VAL / 4),
        lambda y, p, **k: mean_poisson_deviance(y, p, **k) / 2,
        {"loss": "poisson"},
    ),
}


def fitted(kind, sample_weight=None, x=X, x_val=X_VAL, weight_val=None, **parameters):
    cls, y, y_val, _, of_kind = KINDS[kind]
    model = cls(**{**SMALL, **of_kind, **parameters})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(x, y, sample_weight, X_val=x_val, y_val=y_val, sample_weight_val=weight_val)


def plain(kind, **parameters):
    cls, y, _, _, of_kind = KINDS[kind]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return cls(**{**SMALL, **of_kind, **parameters}).fit(X, y)


def loss_of(kind, model, weight=None):
    outputs = model.predict_proba(X_VAL) if hasattr(model, "predict_proba") else model.predict(X_VAL)
    return KINDS[kind][3](KINDS[kind][2], outputs, sample_weight=weight)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("kind", KINDS)
def test_validation_data_change_nothing_but_are_measured(kind, solver):
    model = fitted(kind, solver=solver)
    without = plain(kind, solver=solver)
    assert model.loss_curve_ == without.loss_curve_
    assert all(np.array_equal(a, b) for a, b in zip(model.coefs_, without.coefs_, strict=True))
    assert model.validation_scores_ is None
    assert not hasattr(without, "validation_loss_curve_")
    assert len(model.validation_loss_curve_) == model.n_iter_ == 8
    assert model.validation_loss_curve_[-1] == pytest.approx(loss_of(kind, model), rel=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_weights_of_validation_data_count(kind):
    model = fitted(kind, weight_val=WEIGHT_VAL)
    assert model.validation_loss_curve_[-1] == pytest.approx(loss_of(kind, model, WEIGHT_VAL), rel=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_early_stopping_trains_with_all_rows_and_scores_the_given_ones(kind):
    model = fitted(kind, early_stopping=True)
    assert model.loss_curve_ == plain(kind).loss_curve_
    _, _, y_val, _, _ = KINDS[kind]
    assert model.best_validation_score_ == max(model.validation_scores_)
    assert model.score(X_VAL, y_val) == pytest.approx(model.best_validation_score_)
    assert len(model.validation_loss_curve_) == len(model.validation_scores_) == model.n_iter_


@pytest.mark.parametrize("kind", ["binary", "multiclass", "regressor"])
def test_early_stopping_without_given_data_is_scikit_learns(kind):
    model = plain(kind, early_stopping=True)
    assert not hasattr(model, "validation_loss_curve_")
    assert model.validation_scores_ == plain(kind, early_stopping=True, scoring=None).validation_scores_
    name = "r2" if kind == "regressor" else "accuracy"
    named = plain(kind, early_stopping=True, scoring=name)
    np.testing.assert_allclose(model.validation_scores_, named.validation_scores_, rtol=1e-12)
    assert all(np.array_equal(a, b) for a, b in zip(model.coefs_, named.coefs_, strict=True))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weight_val", [None, WEIGHT_VAL], ids=["plain", "weighted"])
def test_loss_may_decide(kind, weight_val):
    model = fitted(kind, early_stopping=True, scoring="loss", weight_val=weight_val)
    assert model.validation_scores_ == [-loss for loss in model.validation_loss_curve_]
    # The weights are those of the best epoch.
    assert min(model.validation_loss_curve_) == pytest.approx(loss_of(kind, model, weight_val), rel=1e-6)


def test_loss_of_rows_that_were_split_off_may_decide():
    model = plain("multiclass", early_stopping=True, scoring="loss")
    without = plain("multiclass", early_stopping=True)
    assert model.loss_curve_ == without.loss_curve_
    rows = train_test_split(np.arange(60), test_size=0.1, random_state=after_init(model))[1]
    y = KINDS["multiclass"][1]
    expected = log_loss(y[rows], model.predict_proba(X[rows]), labels=model.classes_)
    assert -model.best_validation_score_ == pytest.approx(expected, rel=1e-6)


def after_init(model):
    """Return the random state as it is once the first weights are drawn."""
    state = np.random.RandomState(0)
    for w in model.coefs_:
        state.uniform(size=w.size + w.shape[1])
    return state


@pytest.mark.parametrize("scoring", ["f1", make_scorer(f1_score), "neg_log_loss"], ids=str)
def test_any_scorer_may_decide(scoring):
    model = fitted("binary", early_stopping=True, scoring=scoring)
    y_val, proba = KINDS["binary"][2], model.predict_proba(X_VAL)
    expected = -log_loss(y_val, proba) if scoring == "neg_log_loss" else f1_score(y_val, model.predict(X_VAL))
    assert model.best_validation_score_ == pytest.approx(expected)


def test_function_may_decide():
    seen = []

    def scoring(estimator, x, y, sample_weight=None):
        seen.append((x.shape, sample_weight))
        return d2_absolute_error_score(y, estimator.predict(x), sample_weight=sample_weight)

    model = fitted("regressor", early_stopping=True, scoring=scoring, weight_val=WEIGHT_VAL)
    assert len(seen) == model.n_iter_
    assert seen[0][0] == (25, 3)
    assert np.array_equal(seen[0][1], WEIGHT_VAL)


def test_training_stops_where_the_score_does_not_improve():
    model = fitted("regressor", early_stopping=True, scoring="loss", max_iter=300, n_iter_no_change=3, tol=1e9)
    assert model.n_iter_ == 5  # the first epoch is better than none, and four are not better by 1e9


def test_names_of_features_go_with_a_scorer():
    pandas = pytest.importorskip("pandas")
    table, table_val = (pandas.DataFrame(x, columns=list("abc")) for x in (X, X_VAL))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = MLPRegressor(early_stopping=True, scoring="neg_mean_absolute_error", **{**SMALL, "max_iter": 60})
        warnings.simplefilter("ignore", category=ConvergenceWarning)
        model.fit(table, SCORE, X_val=table_val, y_val=SCORE_VAL)
    assert model.feature_names_in_.tolist() == list("abc")
    with pytest.raises(ValueError, match=r"X_val does not go with X and y: .*feature names"):
        model.fit(table, SCORE, X_val=table_val.rename(columns={"a": "z"}), y_val=SCORE_VAL)


def test_sparse_and_float32_data_are_taken():
    dense = fitted("binary")
    sparse = fitted("binary", x=scipy.sparse.csr_matrix(X), x_val=scipy.sparse.csr_matrix(X_VAL))
    np.testing.assert_allclose(sparse.validation_loss_curve_, dense.validation_loss_curve_, rtol=1e-9)
    single = fitted("binary", x=X.astype(np.float32))
    np.testing.assert_allclose(single.validation_loss_curve_, dense.validation_loss_curve_, rtol=1e-3)
    assert single.coefs_[0].dtype == np.float32


def test_multilabel_data_are_taken():
    y, y_val = (X[:, :2] > 0).astype(int), (X_VAL[:, :2] > 0).astype(int)
    model = MLPClassifier(early_stopping=True, scoring="loss", **{**SMALL, "max_iter": 60, "tol": 1e9})
    model.fit(X, y, X_val=X_VAL, y_val=y_val)
    proba = model.predict_proba(X_VAL)
    expected = -(y_val * np.log(proba) + (1 - y_val) * np.log(1 - proba)).sum(axis=1).mean()
    assert min(model.validation_loss_curve_) == pytest.approx(expected)
    with pytest.raises(ValueError, match=r"y_val .*it has 3 labels, y has 2"):
        model.fit(X, y, X_val=X_VAL, y_val=(X_VAL > 0).astype(int))
    with pytest.raises(ValueError, match=r"y_val .*it must be indicators"):
        model.fit(X, y, X_val=X_VAL, y_val=SCORE_VAL > 0)


def test_curve_grows_over_warm_starts_and_begins_anew_without():
    model = fitted("regressor", warm_start=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X, SCORE, X_val=X_VAL, y_val=SCORE_VAL)
        assert len(model.validation_loss_curve_) == len(model.loss_curve_) == 16
        model.set_params(warm_start=False).fit(X, SCORE)
    assert not hasattr(model, "validation_loss_curve_")


def test_nothing_of_a_call_stays_behind():
    model = fitted("binary", early_stopping=True)
    assert not {"_given", "_validation"} & set(vars(model))
    with pytest.raises(ValueError, match="X_val"):
        model.fit(X, SCORE > 0, X_val=X_VAL[:, :2], y_val=SCORE_VAL > 0)
    assert not {"_given", "_validation"} & set(vars(model))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"X_val": X_VAL}, "X_val is provided, but y_val was not provided."),
        ({"y_val": SCORE_VAL}, "y_val is provided, but X_val was not provided."),
        ({"sample_weight_val": WEIGHT_VAL}, "sample_weight_val is provided, but X_val was not provided."),
        ({"X_val": X_VAL[:, :2], "y_val": SCORE_VAL}, "X_val .*X has 2 features, but MLPRegressor is expecting 3"),
        ({"X_val": X_VAL * np.nan, "y_val": SCORE_VAL}, "X_val .*contains NaN"),
        ({"X_val": X_VAL[:0], "y_val": SCORE_VAL[:0]}, "X_val .*0 sample"),
        ({"X_val": X_VAL[0], "y_val": SCORE_VAL}, "X_val .*Expected 2D array"),
        ({"X_val": "text", "y_val": SCORE_VAL}, "X_val "),
        ({"X_val": X_VAL, "y_val": SCORE_VAL[:-1]}, "inconsistent numbers of samples"),
        ({"X_val": X_VAL, "y_val": np.full(25, np.inf)}, "y_val .*contains (NaN|infinity)"),
        ({"X_val": X_VAL, "y_val": X_VAL}, "y_val .*it has 3 outputs, y has 1"),
        ({"X_val": X_VAL, "y_val": [None] * 25}, "y_val "),
        ({"X_val": X_VAL, "y_val": SCORE_VAL, "sample_weight_val": [1.0]}, "sample_weight_val "),
        ({"X_val": X_VAL, "y_val": SCORE_VAL, "sample_weight_val": -WEIGHT_VAL}, "sample_weight_val .*Negative"),
        ({"X_val": X_VAL, "y_val": SCORE_VAL, "sample_weight_val": WEIGHT_VAL * np.nan}, "sample_weight_val .*NaN"),
    ],
)
def test_validation_data_that_do_not_fit_are_refused_by_name(arguments, message):
    with pytest.raises(ValueError, match=message):
        MLPRegressor(**SMALL).fit(X, SCORE, **arguments)


def test_counts_below_zero_are_refused():
    with pytest.raises(ValueError, match=r"y_val .*at least 0"):
        MLPRegressor(loss="poisson", **SMALL).fit(X, np.exp(SCORE), X_val=X_VAL, y_val=SCORE_VAL)


def test_labels_that_were_not_trained_are_refused():
    with pytest.raises(ValueError, match=r"y_val .*it has classes that y lacks: \['z'\]; y has \['a', 'b', 'c'\]"):
        MLPClassifier(**SMALL).fit(X, ["a", "b", "c"] * 20, X_val=X_VAL, y_val=["a"] * 24 + ["z"])


def test_lbfgs_has_no_epochs_to_measure():
    with pytest.raises(ValueError, match="solver='sgd' and 'adam'; 'lbfgs' has no epochs"):
        MLPRegressor(solver="lbfgs").fit(X, SCORE, X_val=X_VAL, y_val=SCORE_VAL)


@pytest.mark.parametrize("scoring", [3, ["accuracy"], True])
def test_what_is_no_scoring_is_refused(scoring):
    with pytest.raises(ValueError, match="The 'scoring' parameter of MLPClassifier must be"):
        plain("binary", scoring=scoring)


def test_unknown_name_of_a_score_is_refused():
    with pytest.raises(ValueError, match="scoring"):
        plain("binary", scoring="accuracies", early_stopping=True)


def one_class(n):
    """Return rows of two classes whose validation rows are of one."""
    x = np.random.default_rng(1).normal(size=(n, 3))
    x[:3] += 4.0
    return x, (np.arange(n) < 3).astype(int)


# Early stopping with a score that is NaN in every epoch: the model, and the data.
NEVER_A_NUMBER = {
    "roc_auc, one class": lambda: (MLPClassifier(early_stopping=True, scoring="roc_auc", **SMALL), one_class(300), {}),
    "R2 of one row": lambda: (
        MLPRegressor(early_stopping=True, **SMALL), (X, SCORE), {"X_val": X_VAL[:1], "y_val": SCORE_VAL[:1]},
    ),
    "function": lambda: (MLPRegressor(early_stopping=True, scoring=lambda *_: float("nan"), **SMALL), (X, SCORE), {}),
    "minus infinity": lambda: (MLPRegressor(early_stopping=True, scoring=lambda *_: -np.inf, **SMALL), (X, SCORE), {}),
}  # fmt: skip


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("case", NEVER_A_NUMBER)
@pytest.mark.filterwarnings("ignore:Stochastic Optimizer", "ignore::sklearn.exceptions.UndefinedMetricWarning")
def test_a_score_that_is_never_a_number_keeps_the_last_weights(case, strict):
    model, data, own = NEVER_A_NUMBER[case]()
    model.set_params(strict=strict)
    with pytest.warns(ConvergenceWarning, match="was never a number.* weights are those of the last epoch"):
        model.fit(*data, **own)
    assert model.n_iter_ == SMALL["max_iter"]
    # With all rows for training, the same epochs without early stopping give the same weights.
    if own:
        assert all(np.array_equal(a, b) for a, b in zip(model.coefs_, plain("regressor").coefs_, strict=True))
    first = type(model)(**{**SMALL, "max_iter": 1, "learning_rate_init": 1e-300}).fit(*data)
    assert not np.allclose(model.coefs_[0], first.coefs_[0], atol=1e-3)


def test_a_score_that_is_nan_at_times_is_never_the_best():
    scores = iter([np.nan, 0.5, np.nan, 0.25, np.nan, np.nan, np.nan, np.nan])
    kept = []

    def scoring(estimator, *_):
        kept.append([c.copy() for c in estimator.coefs_])
        return next(scores)

    model = MLPRegressor(early_stopping=True, scoring=scoring, **SMALL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # of max_iter
        model.fit(X, SCORE)
    assert model.best_validation_score_ == 0.5
    assert all(np.array_equal(a, b) for a, b in zip(model.coefs_, kept[1], strict=True))


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_weights_that_became_nan_are_not_kept():
    model = MLPRegressor(early_stopping=True, **{**SMALL, "solver": "sgd", "learning_rate_init": 1e200})
    with np.errstate(all="ignore"), pytest.warns(ConvergenceWarning, match="those before training"):
        model.fit(X, SCORE)
    assert all(np.isfinite(c).all() for c in model.coefs_)
