"""The measures of a table's predictions, beside a constant prediction; weights of rows and of classes."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.cli import scores
from chainrule.tabular import Score, TabularModel, measures
from chainrule.tabular.targets import Classes, Numbers

from .command_line import as_csv, assert_mistake, call, flowers

dummy = pytest.importorskip("sklearn.dummy")
sk = pytest.importorskip("sklearn.metrics")
QUICK = {"epochs": 3, "patience": 0, "hidden": (3,), "seed": 0}


@given(st.integers(2, 4), st.integers(8, 40), st.booleans(), st.integers(0, 2**32 - 1))
def test_measures_of_classes_equal_scikit_learns(k, n, weighted, seed):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % k)
    p = rng.dirichlet(np.ones(k), n).astype(np.float32)
    w = rng.random(n) if weighted else None
    found = measures.of_classes(y, p, w)
    predicted = p.argmax(axis=1)
    assert found["accuracy"] == pytest.approx(sk.accuracy_score(y, predicted, sample_weight=w))
    assert found["balanced_accuracy"] == pytest.approx(sk.balanced_accuracy_score(y, predicted, sample_weight=w))
    assert found["f1_macro"] == pytest.approx(sk.f1_score(y, predicted, average="macro", sample_weight=w))
    assert found["log_loss"] == pytest.approx(sk.log_loss(y, p, sample_weight=w), rel=1e-5)
    exact = p.astype(float) / p.astype(float).sum(axis=1, keepdims=True)
    auc = sk.roc_auc_score(y, exact[:, 1] if k == 2 else exact, multi_class="ovr", sample_weight=w)
    assert found["roc_auc"] == pytest.approx(auc)


@given(st.integers(2, 4), st.integers(8, 40), st.integers(0, 2**32 - 1))
def test_baseline_is_scikit_learns_dummy(k, n, seed):
    rng = np.random.default_rng(seed)
    y = np.concatenate([np.arange(k), rng.integers(0, k, n)])
    theirs = dummy.DummyClassifier(strategy="prior").fit(y, y)
    classes = Classes("c", tuple(map(str, range(k))), "integer")
    baseline = classes.baseline(y)
    assert baseline["accuracy"] == pytest.approx(theirs.score(y, y))
    assert baseline["balanced_accuracy"] == pytest.approx(1 / k)
    assert baseline["roc_auc"] == 0.5
    assert baseline["log_loss"] == pytest.approx(sk.log_loss(y, theirs.predict_proba(y)))
    numbers = Numbers("t", 0.0, 1.0).baseline(y.astype(float))
    assert numbers["r2"] == pytest.approx(0.0, abs=1e-12)
    assert numbers["rmse"] == pytest.approx(y.std())


def test_roc_auc_of_rows_that_lack_a_class_is_nan():
    found = measures.of_classes(np.array([0, 1]), np.full((2, 3), 1 / 3))
    assert math.isnan(found.pop("roc_auc"))
    assert np.isfinite(list(found.values())).all()


def test_further_measures_are_scikit_learns_scorers():
    y, p = np.array([0, 1, 1, 0]), np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]])
    found = measures.of_classes(y, p, more=["neg_log_loss", "average_precision", "f1"])
    assert found["neg_log_loss"] == pytest.approx(-found["log_loss"])
    assert found["average_precision"] == pytest.approx(sk.average_precision_score(y, p[:, 1]))
    assert found["f1"] == 0.5
    numbers = measures.of_numbers(np.array([1.0, 2.0]), np.array([1.5, 2.0]), more=["neg_mean_squared_error"])
    assert numbers["neg_mean_squared_error"] == -0.125


def garden(n=60):
    return pd.DataFrame(flowers(n))


def test_metrics_of_a_model_are_refused_before_the_training():
    with pytest.raises(ValueError, match=r"metric 'roc_auk' is unknown; did you mean 'roc_auc'\?"):
        TabularModel(metrics=["roc_auk"]).fit(garden(), "species")
    with pytest.raises(ValueError, match="metric 'f1' does not fit"):
        TabularModel(metrics=["f1"], task="regression").fit(garden(), "width")
    with pytest.raises(TypeError, match="metrics must be a sequence of names"):
        TabularModel(metrics="roc_auc")
    score = TabularModel(metrics=["neg_brier_score"], **QUICK).held_out(garden(), "species")
    assert score.mean["neg_brier_score"] < 0
    assert score.baseline["neg_brier_score"] < 0


def test_weights_of_rows_count_as_repetition():
    """Two epochs of one batch each: a weight of two is the row twice."""
    table, rng = garden(), np.random.default_rng(0)
    table["w"] = rng.integers(1, 3, len(table))
    settings = {"epochs": 2, "patience": 0, "hidden": (), "dropout": 0, "seed": 0, "batch_size": 1000}
    fixed = ["length", "width"]  # one-hot inputs alone are standardized alike
    weighted = TabularModel(weight="w", drop=fixed, **settings).fit(table, "species")
    again = table.loc[table.index.repeat(table["w"])].drop(columns="w")
    repeated = TabularModel(drop=fixed, **settings).fit(again, "species")
    assert "w" not in [column.name for column in weighted.inputs.columns]
    assert np.allclose(weighted.network.parameters, repeated.network.parameters, atol=1e-6)
    score = weighted.score(table, weight="w")
    assert score.mean == pytest.approx(weighted.score(again.assign(w=1)).mean)


@pytest.mark.parametrize(
    ("weight", "told"),
    [
        ([1, -1], r"row 1, column 'w': -1 is no weight; weights are numbers >= 0"),
        ([0, 0], "all weights, column 'w', are 0"),
        ([1, None], "row 1, column 'w' is missing"),
        ([1, "x"], "row 1, column 'w': 'x' is not a number"),
    ],
)
def test_wrong_weights_are_refused(weight, told):
    table = garden().assign(w=weight * 30)
    with pytest.raises(ValueError, match=told):
        TabularModel(weight="w").fit(table, "species")
    with pytest.raises(ValueError, match="weight: there is no column 'v'"):
        TabularModel(weight="v").fit(table, "species")


def test_balanced_classes_count_as_much_each():
    rng = np.random.default_rng(0)
    rare = rng.random(1000) < 0.1
    table = pd.DataFrame({"x": rng.normal(rare * 1.0, 1.0), "y": np.where(rare, "rare", "common")})
    settings = {"hidden": (), "epochs": 60, "patience": 0, "seed": 0, "dropout": 0, "learning_rate": 0.02}
    plain = TabularModel(**settings).fit(table, "y").score(table).mean
    balanced = TabularModel(class_weight="balanced", **settings).fit(table, "y").score(table).mean
    assert balanced["balanced_accuracy"] > plain["balanced_accuracy"] + 0.1
    with pytest.raises(ValueError, match="class_weight is for classes"):
        TabularModel(class_weight="balanced").fit(table, "x")
    with pytest.raises(ValueError, match="class_weight must be None or 'balanced'"):
        TabularModel(class_weight="equal")


# ── What is printed ──


def test_warning_where_a_model_is_no_better_than_a_constant():
    classes, y = Classes("c", ("a", "b"), "text"), np.array([0, 0, 0, 1])
    p = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]])
    score = Score("test", (classes.score(y, p),), y, y, baselines=(classes.baseline(y),))
    told = scores.no_better(score, classes)
    assert told == "no better than always answering the commonest class: accuracy 0.7500 against 0.7500"
    assert scores.no_better(score, classes, "balanced_accuracy") == ""
    numbers, t = Numbers("t", 0.0, 1.0), np.array([1.0, 2.0, 3.0])
    score = Score("test", (numbers.score(t, np.array([[3.0], [2.0], [1.0]])),), t, t, baselines=(numbers.baseline(t),))
    assert scores.no_better(score, numbers) == "no better than the mean: R² -3.0000 against 0.0000"


def test_confusion_is_aligned_whatever_the_script():
    labels = np.array(["日本", "a long name that goes on"], dtype=object)
    target = Classes("c", tuple(labels), "text")
    score = Score("test", ({},), labels[[0, 0, 1]], labels[[0, 1, 1]])
    assert scores.confusion(score, target).tolist() == [[1, 1], [0, 1]]
    assert scores.confusion_text(score, target).splitlines() == [
        "true, predicted:      日本  a long name that go…",
        "日本                     1                     1",
        "a long name that go…     0                     1",
    ]


@pytest.fixture
def trained(tmp_path, monkeypatch, capsys):
    """Return the path of a table of which there is a model."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "g.csv").write_text(as_csv(flowers()))
    quick = ["--epochs", 3, "--patience", 0, "--hidden", 3, "--no-report"]
    done = call(capsys, "train", "g.csv", "--target", "species", *quick, "--json", "--metric", "neg_brier_score")
    assert (done.code, done.err) == (0, "")
    return done


def test_train_and_evaluate_print_json(trained, capsys):
    import json

    found = json.loads(trained.out)
    assert found["model"].startswith("model.safetensors")
    assert found["scores"]["held out"]["rows"] == 12
    assert {"accuracy", "log_loss", "neg_brier_score"} <= set(found["scores"]["held out"]["model"])
    done = call(capsys, "evaluate", "model.safetensors", "g.csv", "--json", "--metric", "roc_auc_ovo")
    found = json.loads(done.out)
    assert np.sum(found["confusion"]) == found["rows"] == 60
    assert found["model"]["roc_auc_ovo"] == pytest.approx(found["model"]["roc_auc"])


@pytest.mark.usefixtures("trained")
def test_evaluate_weighs_rows_and_refuses_unknown_metrics(capsys):
    plain = call(capsys, "evaluate", "model.safetensors", "g.csv")
    weighted = call(capsys, "evaluate", "model.safetensors", "g.csv", "--weight", "length")
    assert weighted.code == 0
    assert weighted.out != plain.out
    done = call(capsys, "evaluate", "model.safetensors", "g.csv", "--metric", "f2")
    assert_mistake(done, "g.csv: metric 'f2' is unknown")
