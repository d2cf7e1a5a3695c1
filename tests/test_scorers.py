"""Every scorer of scikit-learn is a metric of a network, with scikit-learn's value, sign and direction."""

import subprocess
import sys
import warnings

import numpy as np
import pytest

from chainrule import Network, metrics, plots

neural_network = pytest.importorskip("sklearn.neural_network")
sk = pytest.importorskip("sklearn.metrics")
scorers = pytest.importorskip("chainrule.scorers")

RNG = np.random.default_rng(0)
X = RNG.standard_normal((60, 3))


def trained(y, kind="MLPClassifier"):
    """Return an estimator of scikit-learn, and a network of the same weights."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = getattr(neural_network, kind)(hidden_layer_sizes=(4,), max_iter=20, random_state=0).fit(X, y)
    single = theirs.n_outputs_ == 1 or y.ndim == 2
    loss = "mse" if kind == "MLPRegressor" else "binary_cross_entropy" if single else "cross_entropy"
    net = Network([3, 4, theirs.n_outputs_], loss=loss, dtype="float64", seed=0)
    net.weights, net.biases = theirs.coefs_, theirs.intercepts_
    return theirs, net


TARGETS = {
    "two classes": RNG.integers(0, 2, 60),
    "three classes": RNG.permutation(np.arange(60) % 3),
    "yes or no each": RNG.integers(0, 2, (60, 3)),
    "numbers": RNG.random(60) + 1.0,
    "numbers, two outputs": RNG.random((60, 2)) + 1.0,
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("case", TARGETS)
def test_scorers_equal_scikit_learns_for_an_estimator_of_the_same_weights(case, weighted):
    y = TARGETS[case]
    theirs, net = trained(y, "MLPRegressor" if case.startswith("numbers") else "MLPClassifier")
    extra = {"sample_weight": RNG.random(60)} if weighted else {}
    fitting = 0
    for name in sorted(set(scorers.names()) - set(metrics.METRICS)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                expected = sk.get_scorer(name)(theirs, X, y, **extra)
            except (ValueError, TypeError, AttributeError):
                expected = np.nan
            try:
                found = net.evaluate(X, y, metrics=[name], **extra)[name]
            except ValueError as error:
                assert str(error).startswith(f"metric '{name}'")
                found = np.nan
        assert found == pytest.approx(expected, rel=1e-9, nan_ok=True), name
        fitting += np.isfinite(found)
    assert fitting >= 7


def test_scorers_take_margins():
    net = Network([3, 1], loss="hinge", seed=0)
    y = RNG.choice([-1, 1], 60)
    found = net.evaluate(X, y, metrics=["roc_auc", "f1", "balanced_accuracy"])
    margin = net.predict(X)[:, 0]
    assert found["roc_auc"] == pytest.approx(sk.roc_auc_score(y, margin))
    assert found["f1"] == pytest.approx(sk.f1_score(y, np.where(margin >= 0, 1, -1)))
    with pytest.raises(
        ValueError, match="'neg_log_loss' does not fit a network that predicts 2 classes: it needs prob"
    ):
        net.evaluate(X, y, metrics=["neg_log_loss"])


def test_scorers_look_at_the_means_where_variances_are_predicted_too():
    net, y = Network([3, 2], loss="gaussian_nll", seed=0), RNG.random(60)
    found = net.evaluate(X, y, metrics=["neg_median_absolute_error"])["neg_median_absolute_error"]
    assert found == pytest.approx(-np.median(np.abs(y - net.predict(X)[:, 0])), rel=1e-6)


def test_scorer_is_a_column_of_the_history_and_greater_is_better():
    net, y = Network([3, 4, 2], loss="cross_entropy", seed=0), (X[:, 0] > 0).astype(int)
    history = net.fit(X, y, epochs=4, metrics=["roc_auc", "neg_log_loss"], validation_data=(X, y))
    assert history["val_roc_auc"] == history["roc_auc"]
    display = plots.LossCurveDisplay.from_history(history, columns=["val_roc_auc"])
    assert display.best_epoch == history.epoch[int(np.argmax(history["val_roc_auc"]))]
    assert all(value < 0 for value in history["neg_log_loss"])


@pytest.mark.parametrize(
    ("net", "name", "told"),
    [
        (Network([3, 3], loss="cross_entropy", seed=0), "roc_auc", "predicts 3 classes: .*others are .*roc_auc_ovr"),
        (Network([3, 3], loss="cross_entropy", seed=0), "f1", "predicts 3 classes: .*others are f1_macro"),
        (Network([3, 1], seed=0), "f1", "does not fit a network that predicts numbers"),
        (Network([3, 1], seed=0), "roc_auc", "does not fit a network that predicts numbers: it needs probabilities"),
        (Network([3, 1], seed=0), "roc_auk", "metric 'roc_auk' is unknown; did you mean 'roc_auc'?"),
        (
            Network([3, 1], seed=0),
            "zzz",
            r"metric 'zzz' is unknown \(known: accuracy, .*, and scikit-learn's scorers\)",
        ),
    ],
)
def test_scorer_that_does_not_fit_is_refused_before_training(net, name, told):
    y = RNG.integers(0, 2, 60)
    with pytest.raises(ValueError, match=told):
        net.fit(X, y, metrics=[name])
    assert net.step_count == 0


def test_scorer_of_rows_that_lack_a_class_is_nan_and_training_goes_on():
    net = Network([3, 3], loss="cross_entropy", seed=0)
    with pytest.warns(UserWarning, match="metric 'neg_log_loss' is undefined for these rows"):
        history = net.fit(X, np.arange(60) % 2, epochs=2, metrics=["neg_log_loss"])
    assert np.isnan(history["neg_log_loss"]).all()
    assert len(history) == 2


def test_scorer_that_takes_no_weights_says_so():
    net = Network([3, 1], seed=0)
    name = "neg_max_error"
    if name not in scorers.names():
        pytest.skip("this scikit-learn calls it otherwise")
    with pytest.raises(ValueError, match=f"metric '{name}': .*sample_weight"):
        net.evaluate(X, RNG.random(60), np.ones(60), metrics=[name])


def test_scorer_without_scikit_learn_names_the_extra():
    code = (
        "import sys; sys.modules['sklearn'] = None\nfrom chainrule import Network, metrics\n"
        "assert metrics.lower_is_better('roc_auc') is None\n"
        "try: Network([1, 1], seed=0).evaluate([[1]], [1], metrics=['roc_auc'])\nexcept ValueError as e: print(e)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "metric 'roc_auc' is unknown (known: accuracy, " in done.stdout
    assert "pip install 'chainrule[sklearn]'" in done.stdout
