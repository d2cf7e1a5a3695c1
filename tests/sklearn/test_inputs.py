"""Dates, time spans and texts are refused; float32 and float64 follow scikit-learn; weights that cancel are told."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn import neural_network
from sklearn.exceptions import ConvergenceWarning

from chainrule import Network
from chainrule.sklearn import MLPClassifier, MLPRegressor

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 2))
Y = X[:, 0]
DAYS = pd.DataFrame({"n": Y, "day": pd.date_range("2024-01-01", periods=60)})
TIMES = {
    "datetime64": DAYS["day"].to_numpy(),
    "series": DAYS["day"],
    "with a zone": DAYS["day"].dt.tz_localize("UTC"),
    "timedelta64": (DAYS["day"] - DAYS["day"][0]).to_numpy(),
    "timedelta64[s]": (DAYS["day"] - DAYS["day"][0]).to_numpy().astype("timedelta64[s]"),
}
quick = {"max_iter": 2, "random_state": 0}
ignored = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("times", TIMES.values(), ids=TIMES)
@ignored
def test_times_are_refused_wherever_numbers_belong(times):
    model = MLPRegressor(**quick)
    column = times.to_frame() if isinstance(times, pd.Series) else times.reshape(-1, 1)
    for call in (
        lambda: model.fit(column, Y),
        lambda: model.fit(X, times),
        lambda: model.fit(X, Y, times),
        lambda: model.partial_fit(X, times),
        lambda: model.fit(X, Y, X_val=X, y_val=times),
        lambda: model.fit(X, Y, X_val=X, y_val=Y, sample_weight_val=times),
        lambda: MLPClassifier(**quick).fit(column, np.arange(60) % 2),
        lambda: MLPRegressor(**quick).fit(X[:, :1], Y).predict(column),
        lambda: MLPRegressor(**quick).fit(X[:, :1], Y).transform(column),
    ):
        with pytest.raises(TypeError, match="dates or time spans"):
            call()


def test_column_of_times_is_named():
    with pytest.raises(TypeError, match=r"X holds dates or time spans in column 'day'"):
        MLPRegressor(**quick).fit(DAYS, Y)


@pytest.mark.parametrize("kind", [np.str_, object, "series"])
def test_texts_as_targets_are_refused(kind):
    texts = [str(round(y, 2)) for y in Y]
    y = pd.Series(texts) if kind == "series" else np.array(texts, dtype=kind)
    for call in (lambda: MLPRegressor().fit(X, y), lambda: MLPRegressor().fit(X, Y, X_val=X, y_val=y)):
        with pytest.raises(TypeError, match="holds texts"):
            call()


@ignored
def test_objects_that_are_numbers_are_targets():
    assert MLPRegressor(**quick).fit(X, Y.astype(object)).loss_ == MLPRegressor(**quick).fit(X, Y).loss_


@ignored
def test_dates_are_labels_of_a_classifier():
    y = TIMES["datetime64"][np.arange(60) % 2]
    assert MLPClassifier(**quick).fit(X, y).classes_.dtype == y.dtype


@ignored
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("target", [np.float32, np.float64, np.int64, np.int16])
def test_dtypes_of_a_float32_fit_are_those_of_scikit_learn(target, early_stopping):
    y = (10 * Y).astype(target)
    options = {"max_iter": 5, "random_state": 0, "early_stopping": early_stopping}
    ours, theirs = (c(**options).fit(X.astype(np.float32), y) for c in (MLPRegressor, neural_network.MLPRegressor))
    assert [w.dtype for w in ours.coefs_] == [w.dtype for w in theirs.coefs_] == [np.float32] * 2
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-4)


@ignored
def test_float32_rows_and_float64_targets_do_not_overflow():
    rows = np.column_stack([1.7e12 + RNG.uniform(0, 3e10, 200), X[:, 0].repeat(4)[:200]]).astype(np.float32)
    model = MLPRegressor(random_state=0).fit(rows, 3.0 * rows[:, 1].astype(np.float64))
    theirs = neural_network.MLPRegressor(random_state=0, max_iter=1).fit(rows, 3.0 * rows[:, 1].astype(np.float64))
    assert model.loss_curve_[0] == pytest.approx(theirs.loss_curve_[0], rel=1e-3)
    assert model.loss_ < 0.5 * model.loss_curve_[0]


@pytest.mark.parametrize("scale", [1e160, 1e-300])
def test_lbfgs_whose_line_search_overflows_ends_as_in_scikit_learn(scale):
    outcomes = []
    for c in (MLPRegressor, neural_network.MLPRegressor):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                c(solver="lbfgs", random_state=0, max_iter=7).fit(X, Y * scale)
                outcomes.append("a fit")
            except ValueError as error:
                outcomes.append(str(error))
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize(
    "options", [{}, {"solver": "sgd"}, {"solver": "lbfgs"}, {"early_stopping": True}, {"batch_size": 1000}]
)
def test_warnings_come_from_scikit_learn(options):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        warnings.filterwarnings("ignore", module="sklearn")
        MLPRegressor(**quick, **options).fit(X, Y)
    assert not [str(one.message) for one in seen]
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        MLPRegressor(**quick, **options).fit(X, Y)
    assert all("_multilayer_perceptron" in one.filename for one in seen)


def test_weights_that_cancel_are_told():
    y, weights = np.arange(60) % 2, np.where(np.arange(60) % 2, 19.0, 1.0)
    for call in (
        lambda w, n: MLPClassifier(batch_size=n, **quick).fit(X, y, w),
        lambda w, n: MLPClassifier(batch_size=n, **quick).partial_fit(X, y, w, classes=[0, 1]),
        lambda w, n: Network([2, 2], loss="cross_entropy").fit(X, y, sample_weight=w, batch_size=n, progress=False),
    ):
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            call(weights, 1)
        assert "no effect with batch_size=1" in str(said[0].message)
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            warnings.simplefilter("ignore", ConvergenceWarning)
            for w, n in ((weights, 2), (None, 1), (np.ones(60), 1)):
                call(w, n)
    with pytest.warns(UserWarning, match="no effect") as said:
        Network([2, 2], loss="cross_entropy").fit(X, y, sample_weight=weights, batch_size=1, progress=False)
    assert said[0].filename == __file__
