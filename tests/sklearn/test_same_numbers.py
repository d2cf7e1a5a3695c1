"""The drop-in estimators give the numbers of the installed scikit-learn, and compute them natively."""

import os
import signal
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn import neural_network as theirs
from sklearn.datasets import load_iris
from sklearn.neural_network import _multilayer_perceptron as module

from chainrule import sklearn as ours
from chainrule.sklearn.engine import Engine

rng = np.random.default_rng(0)
X = rng.normal(size=(50, 5))
TASKS = {
    "binary": ("MLPClassifier", {}, X[:, 0] + X[:, 1] > 0),
    "multiclass": ("MLPClassifier", {}, np.array(["a", "b", "c"])[np.digitize(X[:, 0], [-0.4, 0.4])]),
    "multilabel": ("MLPClassifier", {}, (X[:, :3] > 0).astype(int)),
    "regression": ("MLPRegressor", {}, X[:, 0] * X[:, 1]),
    "multi_output": ("MLPRegressor", {}, X[:, :2] * X[:, 1:3]),
    "poisson": ("MLPRegressor", {"loss": "poisson"}, rng.poisson(np.exp(X[:, 0]))),
}


def fit_both(name, x, y, weights=None, **options):
    fitted = []
    for package in (theirs, ours):
        model = getattr(package, name)(random_state=3, **options)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fitted.append(model.fit(x, y, sample_weight=weights))
    return fitted


def same(their, our, first, later):
    assert our.n_iter_ == their.n_iter_
    assert our.t_ == their.t_
    np.testing.assert_allclose(our.loss_curve_[0], their.loss_curve_[0], rtol=first)
    np.testing.assert_allclose(our.loss_curve_, their.loss_curve_, rtol=later)
    for a, b in zip(our.coefs_ + our.intercepts_, their.coefs_ + their.intercepts_, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=later * 10, atol=later)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_loss_curve_and_weights(solver, task, activation, dtype, weighted):
    name, options, y = TASKS[task]
    weights = np.linspace(0.1, 2, len(X)) if weighted else None
    options = {**options, "hidden_layer_sizes": (7, 4), "batch_size": 16, "max_iter": 12}
    their, our = fit_both(name, X.astype(dtype), y, weights, solver=solver, activation=activation, **options)
    same(their, our, *((1e-12, 1e-8) if dtype == "float64" else (1e-5, 1e-3)))


@pytest.mark.parametrize("task", TASKS)
def test_lbfgs(task):
    name, options, y = TASKS[task]
    their, our = fit_both(name, X, y, solver="lbfgs", hidden_layer_sizes=4, max_iter=15, **options)
    np.testing.assert_allclose(our.loss_, their.loss_, rtol=1e-4)
    assert all(a.dtype == np.float64 for a in our.coefs_)
    assert not hasattr(our, "loss_curve_")


@pytest.mark.parametrize("task", TASKS)
def test_lbfgs_of_float32(task):
    name, options, y = TASKS[task]
    their, our = fit_both(name, X.astype(np.float32), y, solver="lbfgs", hidden_layer_sizes=4, max_iter=3, **options)
    np.testing.assert_allclose(our.loss_, their.loss_, rtol=1e-3)
    assert [a.dtype for a in our.coefs_] == [a.dtype for a in their.coefs_]
    output = "predict_proba" if hasattr(our, "predict_proba") else "predict"
    assert getattr(our, output)(X.astype(np.float32)).dtype == getattr(their, output)(X.astype(np.float32)).dtype


@pytest.mark.parametrize("schedule", ["constant", "invscaling", "adaptive"])
@pytest.mark.parametrize("nesterov", [False, True])
def test_schedules(schedule, nesterov):
    options = {"learning_rate": schedule, "nesterovs_momentum": nesterov, "tol": 0.01, "n_iter_no_change": 2}
    their, our = fit_both("MLPClassifier", X, TASKS["multiclass"][2], solver="sgd", max_iter=30, **options)
    same(their, our, 1e-12, 1e-8)
    assert our._optimizer.learning_rate == their._optimizer.learning_rate


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("weighted", [False, True])
def test_early_stopping(task, weighted):
    name, _, y = TASKS[task]
    y = np.unique(y, return_inverse=True)[1] if task == "multiclass" else y  # scikit-learn 1.7 takes no text here
    weights = np.linspace(0.1, 2, len(X)) if weighted else None
    their, our = fit_both(name, X, y, weights, early_stopping=True, max_iter=20, n_iter_no_change=3)
    same(their, our, 1e-12, 1e-8)
    np.testing.assert_allclose(our.validation_scores_, their.validation_scores_, rtol=1e-8)


@pytest.mark.parametrize("form", [sparse.csr_matrix, sparse.csc_matrix])
def test_sparse(form):
    x = np.where(X > 0, X, 0)
    their, our = fit_both("MLPClassifier", form(x), TASKS["multiclass"][2], max_iter=10, batch_size=12)
    same(their, our, 1e-12, 1e-8)
    np.testing.assert_allclose(our.predict_proba(form(x)), their.predict_proba(form(x)), rtol=1e-8)


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_partial_fit_and_warm_start(solver):
    y = TASKS["multiclass"][2]
    models = [p.MLPClassifier(solver=solver, random_state=1, hidden_layer_sizes=6) for p in (theirs, ours)]
    for model in models:
        for _ in range(4):
            model.partial_fit(X, y, classes=["a", "b", "c"])
    same(*models, 1e-12, 1e-8)
    for model in models:
        model.set_params(warm_start=True, max_iter=5)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(X, y)
    same(*models, 1e-12, 1e-8)


def test_published_curve():
    x, y = load_iris(return_X_y=True)
    with pytest.warns(match="Maximum iterations"):
        model = ours.MLPClassifier(random_state=0, max_iter=20).fit(x, y)
    expected = [1.2219584088881377, 1.1547990340716314, 0.8140692445377283]
    np.testing.assert_allclose([model.loss_curve_[i] for i in (0, 1, -1)], expected, rtol=1e-9)


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_nothing_of_theirs_computes(solver, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("scikit-learn computed")

    for hook in ("_backprop", "_forward_pass", "_compute_loss_grad", "_fit_stochastic"):
        monkeypatch.setattr(module.BaseMultilayerPerceptron, hook, refuse)
    for optimizer in ("SGDOptimizer", "AdamOptimizer"):
        monkeypatch.setattr(module, optimizer, refuse)
    before = Engine.steps
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours.MLPClassifier(solver=solver, max_iter=3).fit(X, TASKS["binary"][2]).predict(X)
    assert Engine.steps > before + 1


def test_a_batch_whose_weights_sum_to_zero_is_refused():
    weights = np.repeat([0.0, 1.0], [10, len(X) - 10])
    for package in (theirs, ours):
        model = package.MLPRegressor(max_iter=1, batch_size=10, shuffle=False)
        with pytest.raises(ZeroDivisionError, match="Weights sum to zero, can't be normalized"):
            model.fit(X, X[:, 0], sample_weight=weights)


@pytest.mark.parametrize("generator", [np.random.MT19937, np.random.PCG64])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_generator_is_left_where_theirs_is(generator, early_stopping):
    states = [np.random.RandomState(generator(5)) for _ in range(2)]
    for package, state in zip((theirs, ours), states, strict=True):
        model = package.MLPClassifier(random_state=state, max_iter=7, early_stopping=early_stopping)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(X, np.digitize(X[:, 0], [-0.4, 0.4]))
    their, our = (state.randint(1 << 30, size=700) for state in states)
    np.testing.assert_array_equal(our, their)


@pytest.mark.parametrize("patience", [1, 3, np.inf])
def test_patience_ends_at_the_same_epoch(patience):
    options = {"tol": 0.02, "n_iter_no_change": patience, "max_iter": 60}
    their, our = fit_both("MLPClassifier", X, TASKS["multiclass"][2], **options)
    same(their, our, 1e-12, 1e-8)
    assert (our.best_loss_, our._no_improvement_count) == (
        pytest.approx(their.best_loss_),
        their._no_improvement_count,
    )


def test_interrupted_fit_keeps_the_epochs_before(monkeypatch):
    from chainrule.sklearn.stochastic import Epochs

    run = Epochs.run

    def interrupted(self, most, optimizer):
        run(self, min(most, 4), optimizer)
        raise KeyboardInterrupt

    monkeypatch.setattr(Epochs, "run", interrupted)
    with pytest.warns(match="Training interrupted by user."):
        model = ours.MLPClassifier(random_state=0).fit(X, TASKS["binary"][2])
    assert (model.n_iter_, len(model.loss_curve_), model.t_) == (4, 4, 4 * len(X))
    assert model.loss_ == model.loss_curve_[-1]


@pytest.mark.skipif(os.name != "posix", reason="SIGINT reaches a child by POSIX calls")
def test_ctrl_c_is_heard_where_an_epoch_is_one_step():
    program = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.alarm(60)
import numpy as np
from chainrule.sklearn import MLPRegressor
x = np.random.default_rng(0).normal(size=(50, 3))
print("ready", flush=True)
model = MLPRegressor(max_iter=10**8, n_iter_no_change=np.inf).fit(x, x[:, 0])
print(model.n_iter_ > 0 and len(model.loss_curve_) == model.n_iter_, flush=True)
"""
    command = [sys.executable, "-W", "ignore", "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60)[0] == "True\n"


@pytest.mark.parametrize("x", ["not rows", 7])
def test_course_refuses_what_is_no_course(x):
    from chainrule._native import Progress

    good = (np.zeros(624, dtype=np.int64), 624)
    patience = (0.0, 1.0, 1.0, 0, True)
    with pytest.raises(TypeError):
        Progress(x if isinstance(x, str) else 5, 2, x, *patience)
    for words in (good[0][1:], np.full(624, -1), np.full(624, 1 << 32)):
        with pytest.raises(ValueError, match="random_state must be the words of an MT19937"):
            Progress(5, 2, (words, 0), *patience)
    with pytest.raises(ValueError, match="random_state must be"):
        Progress(5, 2, (good[0], 625), *patience)
    progress = Progress(5, 2, None, *patience)
    for order in (np.arange(4), np.arange(5.0), np.array([0, 1, 2, 3, -1])):
        with pytest.raises((ValueError, TypeError), match="order"):
            progress.set_order(order)


@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
@pytest.mark.parametrize("wrong", [0, -1, 1.5, "2"])
def test_n_threads_is_refused_as_other_parameters_are(name, wrong):
    with pytest.raises(ValueError, match=f"The 'n_threads' parameter of {name} must be an int in the range"):
        getattr(ours, name)(n_threads=wrong).fit(X, X[:, 0] > 0)


@pytest.mark.parametrize("n_threads", [None, 1, 2, np.int64(3)])
def test_no_number_depends_on_n_threads(n_threads):
    options = {"random_state": 0, "max_iter": 3, "hidden_layer_sizes": (9,)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        one, some = (ours.MLPClassifier(n_threads=n, **options).fit(X, X[:, 0] > 0) for n in (1, n_threads))
    np.testing.assert_array_equal(one.coefs_[0], some.coefs_[0])


def test_user_guide():
    """The numbers that scikit-learn's user guide prints in its chapter on these estimators."""
    x, options = [[0.0, 0.0], [1.0, 1.0]], {"solver": "lbfgs", "alpha": 1e-5, "random_state": 1}
    model = ours.MLPClassifier(hidden_layer_sizes=(5, 2), **options).fit(x, [0, 1])
    assert model.predict([[2.0, 2.0], [-1.0, -2.0]]).tolist() == [1, 0]
    assert [coef.shape for coef in model.coefs_] == [(2, 5), (5, 2), (2, 1)]
    expected = [[1.96718015e-04, 9.99803282e-01]] * 2
    np.testing.assert_allclose(model.predict_proba([[2.0, 2.0], [1.0, 2.0]]), expected, rtol=1e-7)
    model = ours.MLPClassifier(hidden_layer_sizes=(15,), **options).fit(x, [[0, 1], [1, 1]])
    assert model.predict([[1.0, 2.0], [0.0, 0.0]]).tolist() == [[1, 1], [0, 1]]
