"""scikit-learn's callbacks are called for each epoch and may end training; older versions have none."""

import io

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from chainrule.sklearn import MLPClassifier, MLPRegressor

# ruff: noqa: ARG002 - hooks have the arguments that they have

callback = pytest.importorskip("sklearn.callback")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
Y = np.array(["a", "b", "c"])[np.digitize(X[:, 0], [-0.4, 0.4])]
SMALL = {"hidden_layer_sizes": (5,), "max_iter": 6, "random_state": 0}

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class Log:
    """Writes down what it is called with, and ends training where it is told to."""

    def __init__(self, last=None):
        self.calls, self.models, self.last = [], [], last

    def setup(self, estimator, context):
        self.calls.append("setup")

    def teardown(self, estimator, context):
        self.calls.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.calls.append(f"begin {context.task_name} {context.task_id}")

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator=None):
        self.calls.append(f"end {context.task_name} {context.task_id}")
        self.models.append((X, y, metadata, fitted_estimator))
        return context.task_name == "epoch" and context.task_id == self.last


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_each_epoch_begins_and_ends_inside_the_whole(solver):
    log = Log()
    plain = MLPClassifier(solver=solver, **SMALL).fit(X, Y)
    model = MLPClassifier(solver=solver, **SMALL).set_callbacks(log).fit(X, Y)
    np.testing.assert_array_equal(model.coefs_[0], plain.coefs_[0])  # looking changes nothing
    epochs = [f"{when} epoch {i}" for i in range(model.n_iter_) for when in ("begin", "end")]
    assert log.calls == ["setup", "begin fit 0", *epochs, "end fit 0", "teardown"]


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_model_of_each_epoch_predicts_as_if_training_had_ended_there(solver):
    log, weights = Log(), np.ones(60)
    MLPClassifier(solver=solver, **SMALL).set_callbacks(log).fit(X, Y, weights)
    for epochs, (x, y, metadata, model) in enumerate(log.models[:-1], start=1):
        shorter = MLPClassifier(**{**SMALL, "solver": solver, "max_iter": epochs}).fit(X, Y, weights)
        np.testing.assert_array_equal(model.predict_proba(X), shorter.predict_proba(X))
        assert x is X
        assert y is Y
        assert metadata["sample_weight"] is weights


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_callback_ends_training(solver, recwarn):
    log = Log(last=2)
    model = MLPRegressor(solver=solver, **SMALL).set_callbacks(log).fit(X, X[:, 0])
    assert model.n_iter_ == 3
    assert log.calls[-3:] == ["end epoch 2", "end fit 0", "teardown"]
    assert not recwarn.list
    shorter = MLPRegressor(**{**SMALL, "solver": solver, "max_iter": 3}).fit(X, X[:, 0])
    np.testing.assert_array_equal(model.predict(X), shorter.predict(X))


def test_error_is_raised_and_the_end_is_told_all_the_same():
    log = Log()
    with pytest.raises(ValueError, match="NaN"):
        MLPRegressor(**SMALL).set_callbacks(log).fit(X * np.nan, X[:, 0])
    assert log.calls == ["setup", "begin fit 0", "teardown"]

    class Raises(Log):
        def on_fit_task_end(self, estimator, context):
            raise RuntimeError("as it was told")

    log = Raises()
    model = MLPRegressor(**SMALL).set_callbacks(log)
    with pytest.raises(RuntimeError, match="as it was told"):
        model.fit(X, X[:, 0])
    assert log.calls[-1] == "teardown"
    assert not {"_given", "_hooks"} & set(vars(model))
    assert model.set_callbacks().fit(X, X[:, 0]).n_iter_ == 6


def test_callback_that_fails_at_the_start_leaves_the_parameters_alone():
    class Raises(Log):
        def on_fit_task_begin(self, estimator, context):
            raise RuntimeError("as it was told")

    model = MLPRegressor(n_layers=1, width=3).set_callbacks(Raises())
    with pytest.raises(RuntimeError, match="as it was told"):
        model.fit(X, X[:, 0])
    assert model.hidden_layer_sizes == (100,)
    assert not {"_given", "_hooks"} & set(vars(model))


def test_monitor_of_scores_has_one_an_epoch():
    monitor = callback.ScoringMonitor(scoring="accuracy")
    model = MLPClassifier(**SMALL).set_callbacks(monitor).fit(X, Y)
    rows = monitor.get_logs().data
    accuracies = [row["accuracy"] for row in rows if row["task_name"] == "epoch"]
    assert len(accuracies) == 6
    assert accuracies[-1] == model.score(X, Y)


def test_they_work_inside_searches_and_pipelines():
    monitor = callback.ScoringMonitor(scoring="accuracy")
    pipeline = make_pipeline(StandardScaler(), MLPClassifier(**SMALL).set_callbacks(monitor))
    search = GridSearchCV(pipeline, {"mlpclassifier__alpha": [0.1, 1.0]}, cv=2).fit(X, Y)
    assert search.best_estimator_[-1].n_iter_ == 6
    GridSearchCV(MLPClassifier(**SMALL).set_callbacks(Log()), {"alpha": [0.1, 1.0]}, cv=2).fit(X, Y)


def test_progress_bar_counts_epochs(monkeypatch):
    rich = pytest.importorskip("rich")
    console = rich.get_console()
    monkeypatch.setattr(console, "file", io.StringIO())
    MLPClassifier(**SMALL).set_callbacks(callback.ProgressBar()).fit(X, Y)
    assert "MLPClassifier - fit" in console.file.getvalue()


def test_what_is_no_callback_is_refused():
    with pytest.raises(TypeError, match="callbacks must be instances following the FitCallback protocol"):
        MLPClassifier().set_callbacks(print)


def test_partial_fit_has_none():
    log = Log()
    MLPClassifier(**SMALL).set_callbacks(log).partial_fit(X, Y, classes=["a", "b", "c"])
    assert log.calls == []
