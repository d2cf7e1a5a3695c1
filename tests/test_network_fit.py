"""fit: epochs, validation, callbacks, progress, and a usable network whatever ends the fit."""

import io
import re
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import chainrule
from chainrule import SGD, DivergenceError, Dropout, History, Network, progress

RNG = np.random.default_rng(0)
X = RNG.standard_normal((50, 4))
Y = (X[:, 0] + X[:, 1] > 0).astype(int)


def network(**arguments):
    return Network([4, 6, Dropout(0.2), 2], **{"loss": "cross_entropy", "seed": 3, **arguments})


def same(net, other):
    return net.config == other.config and all(
        np.array_equal(a, b) for a, b in zip(values(net), values(other), strict=True)
    )


def values(net):
    return [v for k, v in net.state_dict().items() if k != "config"]


def test_history_is_a_mapping_with_a_list_an_epoch():
    history = network().fit(X, Y, epochs=4, validation_data=(X[:10], Y[:10]), metrics=["accuracy"])
    assert isinstance(history, History)
    assert len(history) == 4
    assert history.epoch == [1, 2, 3, 4]
    assert list(history) == ["epoch", "loss", "accuracy", "val_loss", "val_accuracy"] == list(history.keys())
    assert history["loss"] is history.loss
    assert history["val_loss"] is history.val_loss
    assert all(len(column) == 4 for _, column in history.items())
    assert "val_loss" in history
    assert "4 epochs" in repr(history)
    with pytest.raises(KeyError, match="this history has epoch, loss"):
        history["acuracy"]


def test_history_without_validation_has_an_empty_val_loss():
    history = network().fit(X, Y)
    assert history.val_loss == []
    assert "val_loss" not in history


def test_two_fits_are_one():
    once, twice = network(), network()
    whole = once.fit(X, Y, epochs=5, batch_size=7)
    first, then = twice.fit(X, Y, epochs=2, batch_size=7), twice.fit(X, Y, epochs=3, batch_size=7)
    assert first.loss + then.loss == whole.loss
    assert then.epoch == [3, 4, 5]
    assert same(once, twice)


def test_validation_is_evaluate_after_each_epoch():
    net, told = network(), []
    weight = RNG.random(10)
    history = net.fit(
        X,
        Y,
        epochs=3,
        validation_data=[X[:10], Y[:10], weight],
        metrics=["accuracy"],
        callbacks=lambda net, _, __: told.append(
            (net.evaluate(X[:10], Y[:10], weight, metrics=["accuracy"]), net.evaluate(X, Y, metrics=["accuracy"]))
        ),
    )
    assert history["val_loss"] == [v["loss"] for v, _ in told]
    assert history["val_accuracy"] == [v["accuracy"] for v, _ in told]
    assert history["accuracy"] == [t["accuracy"] for _, t in told]


def test_validation_metrics_and_callbacks_change_nothing():
    plain, busy = network(), network()
    plain.fit(X, Y, epochs=3)
    busy.fit(X, Y, epochs=3, validation_data=(X, Y), metrics=["accuracy"], callbacks=[lambda *_: None] * 2)
    assert same(plain, busy)


def test_callbacks_get_the_network_the_epoch_and_the_numbers():
    calls = []
    net = network()
    net.fit(X, Y, epochs=2, callbacks=[lambda *a: calls.append(("one", *a)), lambda *a: calls.append(("two", *a))])
    assert [(name, epoch) for name, _, epoch, _ in calls] == [("one", 1), ("two", 1), ("one", 2), ("two", 2)]
    assert all(given is net and set(logs) == {"loss"} for _, given, _, logs in calls)


def test_callback_that_returns_true_ends_the_fit():
    net, seen = network(), []
    stop = lambda net, epoch, logs: epoch == 3  # noqa: E731 - as a user would write it
    history = net.fit(X, Y, epochs=10, callbacks=[stop, lambda _, epoch, __: seen.append(epoch)])
    assert len(history) == net.epoch_count == 3
    assert seen == [1, 2, 3]


@pytest.mark.parametrize("answer", [True, np.True_, np.array(True), 1, "stop"])
def test_a_true_answer_of_any_type_ends_the_fit(answer):
    assert len(network().fit(X, Y, epochs=5, callbacks=lambda *_: answer)) == 1


@pytest.mark.parametrize("answer", [None, False, np.False_, np.array(False), 0])
def test_a_false_answer_of_any_type_does_not_end_the_fit(answer):
    assert len(network().fit(X, Y, epochs=5, callbacks=lambda *_: answer)) == 5


def test_an_answer_that_is_neither_true_nor_false_is_an_error():
    net = network()
    with pytest.raises(TypeError, match="a callback must return True to end the fit, or None; it returned array"):
        net.fit(X, Y, epochs=5, callbacks=lambda *_: np.ones(2, bool))
    assert net.epoch_count == 1


def test_logs_belong_to_the_callback():
    history = network().fit(X, Y, epochs=2, callbacks=lambda _, __, logs: logs.clear())
    assert len(history.loss) == 2


def test_callback_may_look_save_and_set(tmp_path):
    net = network()

    def callback(net, epoch, logs):  # noqa: ARG001 - the arguments of a callback
        net.predict(X)
        net.gradient(X, Y)
        net.evaluate(X, Y)
        net.verify(X[:4], Y[:4], n_parameters=5)
        net.save(tmp_path / f"{epoch}.safetensors")
        net.learning_rate *= 0.5
        net.parameters = net.parameters * 0.5
        assert same(net.copy(), net)

    net.fit(X, Y, epochs=2, callbacks=callback)
    assert net.learning_rate == 0.001 / 4
    assert Network.load(tmp_path / "1.safetensors").epoch_count == 1


def test_callback_may_bring_back_the_best_state():
    net = network()
    best = net.state_dict()
    net.fit(X, Y, callbacks=lambda net, _, __: net.load_state_dict(best))
    assert net.step_count == 0
    assert np.array_equal(net.parameters, network().parameters)


@pytest.mark.parametrize(
    "nested",
    [
        lambda net: net.fit(X, Y),
        lambda net: net.step(X, Y),
        lambda net: net.apply_gradient(np.zeros(net.n_parameters)),
        lambda net: net.load_state_dict(network(seed=4).state_dict()),
    ],
    ids=["fit", "step", "apply_gradient", "load_state_dict of another seed"],
)
def test_training_inside_a_callback_is_refused_and_the_fit_goes_on(nested):
    net, twin, refusals = network(), network(), []

    def callback(net, *_):
        with pytest.raises(RuntimeError, match="being trained"):
            nested(net)
        refusals.append(1)

    net.fit(X, Y, epochs=2, callbacks=callback)
    twin.fit(X, Y, epochs=2)
    assert len(refusals) == 2
    assert same(net, twin)
    net.step(X, Y)


def test_a_callback_that_raises_ends_the_fit_and_nothing_else():
    net = network()
    with pytest.raises(ZeroDivisionError):
        net.fit(X, Y, callbacks=lambda *_: 1 / 0)
    assert net.epoch_count == 1
    net.fit(X, Y)
    assert net.epoch_count == 2


def test_another_thread_may_look_but_not_train():
    net, inside, done = network(), threading.Event(), threading.Event()

    def callback(*_):
        inside.set()
        assert done.wait(30)

    thread = threading.Thread(target=lambda: net.fit(X, Y, callbacks=callback))
    thread.start()
    assert inside.wait(30)
    try:
        assert net.predict(X).shape == (50, 2)
        for train in (net.step, net.fit):
            with pytest.raises(RuntimeError, match="being trained"):
                train(X, Y)
        with pytest.raises(RuntimeError, match="being trained"):
            net.parameters = net.parameters
    finally:
        done.set()
        thread.join()
    net.fit(X, Y)
    assert net.epoch_count == 2


def test_batches_larger_than_the_data_are_one_batch():
    assert network().fit(X, Y, batch_size=2**31 - 1).loss == network().fit(X, Y, batch_size=50).loss


def test_order_of_rows_follows_from_seed_and_epoch_and_can_be_left():
    shuffled, plain = network(), network()
    shuffled.fit(X, Y, epochs=2)
    for _ in range(2):
        for start in range(0, 50, 32):
            plain.step(X[start : start + 32], Y[start : start + 32])
    assert not np.array_equal(shuffled.parameters, plain.parameters)
    unshuffled = network()
    unshuffled.fit(X, Y, epochs=2, shuffle=False)
    assert np.array_equal(unshuffled.parameters, plain.parameters)


def test_one_batch_of_all_rows_takes_them_as_they_stand():
    shuffled, unshuffled = network(), network()
    shuffled.fit(X, Y, epochs=3, batch_size=50)
    unshuffled.fit(X, Y, epochs=3, batch_size=50, shuffle=False)
    assert np.array_equal(shuffled.parameters, unshuffled.parameters)


def test_weights_of_zero_change_nothing():
    net = network()
    history = net.fit(X, Y, epochs=2, sample_weight=np.zeros(50))
    assert history.loss == [0.0, 0.0]
    assert same(net, network())
    assert net.step(X, Y, np.zeros(50)) == 0.0
    assert net.step_count == 0


# ── What ends badly ──────────────────────────────────────────────────────────────────────────────────────────────────


def diverging(learning_rate):
    return Network([4, 6, 1], loss="mse", optimizer=SGD(learning_rate), seed=0)


@pytest.mark.parametrize("learning_rate", [1e3, 1e18, 1e38])
@pytest.mark.parametrize("epochs", [1, 30])
def test_divergence_brings_back_the_last_finite_epoch(learning_rate, epochs):
    net = diverging(0.01)
    net.fit(X, Y, epochs=2, batch_size=10)
    before = net.copy()
    net.learning_rate = before.learning_rate = learning_rate

    def train():
        for _ in range(30):
            net.fit(X, Y, epochs=epochs, batch_size=10)

    with pytest.raises(DivergenceError, match=r"back in its state after \d+ epochs; its learning_rate") as caught:
        train()
    error = caught.value
    assert isinstance(error, ValueError)
    assert error.epoch >= net.epoch_count >= 2
    assert error.batch is None or 0 <= error.batch < 5
    assert all(np.isfinite(value).all() for value in values(net))
    if net.epoch_count > 2:
        before.fit(X, Y, epochs=net.epoch_count - 2, batch_size=10)
    assert same(net, before)
    net.learning_rate = 1e-6
    assert np.isfinite(net.fit(X, Y, batch_size=10).loss).all()


def test_step_that_diverges_is_computed_once(monkeypatch):
    net = Network([4, 2], optimizer=SGD(learning_rate=1e30), dtype="float64", seed=0)
    X, y = np.full((3, 4), 1e200), np.zeros((3, 2))
    monkeypatch.setattr("chainrule.network.read_batch", lambda *_: pytest.fail("a diverged step was made again"))
    with pytest.raises(DivergenceError):
        net.step(X, y)
    assert net.step_count == 0


def test_step_that_diverges_changes_nothing():
    net = Network([4, 1], seed=0)
    net.weights = [np.full((4, 1), 3e38)]
    before = net.copy()
    with pytest.raises(DivergenceError, match=r"inf|NaN"):  # which one depends on how the target rounds
        net.step(X, Y)
    assert same(net, before)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", ["X", "y"])
def test_a_value_that_is_not_finite_is_named_and_the_epoch_undone(bad, where):
    net = diverging(0.01)
    net.fit(X, Y)
    before = net.copy()
    data = {"X": X.copy(), "y": Y.astype(float).reshape(-1, 1)}
    data[where][41, 0] = bad
    with pytest.raises(ValueError, match=rf"{where} has -?(nan|NaN|inf) at row 41, column 0"):
        net.fit(data["X"], data["y"], epochs=3, batch_size=8)
    assert same(net, before)


def test_arguments_are_checked_before_anything_changes():
    net = network()
    wrong = [
        ({"epochs": 0}, ValueError, "epochs must be an integer from 1"),
        ({"epochs": 1.0}, TypeError, "epochs must be an integer"),
        ({"epochs": True}, TypeError, "epochs must be an integer"),
        ({"batch_size": 0}, ValueError, "batch_size must be an integer from 1"),
        ({"batch_size": 2**62}, ValueError, "batch_size must be an integer from 1"),
        ({"batch_size": "auto"}, TypeError, "batch_size must be an integer"),
        ({"shuffle": 1}, TypeError, "shuffle must be True or False"),
        ({"progress": "yes"}, TypeError, "progress must be True or False"),
        ({"metrics": ["acuracy"]}, ValueError, "metric 'acuracy' is unknown; did you mean 'accuracy'"),
        ({"metrics": [3]}, TypeError, "a metric is a name"),
        ({"metrics": ["accuracy", "accuracy"]}, ValueError, "is named twice"),
        ({"metrics": 3}, TypeError, "metrics must be"),
        ({"callbacks": 3}, TypeError, "callbacks must be functions"),
        ({"callbacks": [print, 3]}, TypeError, "callbacks must be functions"),
        ({"sample_weight": np.ones(49)}, ValueError, "sample_weight has 49 rows but X has 50"),
        ({"validation_data": X}, TypeError, r"validation_data must be \(X, y\)"),
        ({"validation_data": (X,)}, TypeError, "not 1 of them"),
        ({"validation_data": (X[:, :3], Y)}, ValueError, "validation_data: X has 3 columns"),
        ({"validation_data": (X, Y[:9])}, ValueError, "validation_data: y has 9 rows but X has 50"),
        ({"validation_data": (X, Y + 1)}, ValueError, "validation_data: y has label 2 at row"),
        ({"validation_data": (X * np.nan, Y)}, ValueError, "validation_data: X has nan at row 0, column 0"),
        ({"validation_data": (X[:0], Y[:0])}, ValueError, "validation_data: X has no rows"),
        ({"validation_data": (X, Y, -np.ones(50))}, ValueError, "validation_data: sample_weight has -1"),
    ]
    for arguments, error, text in wrong:
        with pytest.raises(error, match=f"(?i){text}"):
            net.fit(X, Y, **arguments)
        assert same(net, network()), arguments


@pytest.mark.parametrize(
    ("sizes", "batch_size", "n_threads"),
    [([20, 50, 1], 4, 1), ([20, 512, 512, 1], 256, 2), ([20, 50, 1], 20_000, 2)],
    ids=["small steps", "products cut", "tiles side by side"],
)
def test_interrupt_leaves_a_usable_network(sizes, batch_size, n_threads):
    # Whoever runs the tests may ignore Ctrl-C, and a child inherits that; the alarm ends a child that does not stop.
    program = f"""
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.alarm(60)
import numpy as np, chainrule
net = chainrule.Network({sizes}, seed=0, n_threads={n_threads})
X = np.random.default_rng(0).standard_normal((20000, 20))
print("ready", flush=True)
try:
    net.fit(X, X[:, 0], epochs=10**6, batch_size={batch_size}, progress=False)
except KeyboardInterrupt:
    assert np.isfinite(net.parameters).all()
    assert net.step_count > 0
    net.fit(X[:100], X[:100, 0])
    print("goes on", flush=True)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.5)
        sent = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "goes on\n"
        assert time.monotonic() - sent < 5
    assert process.returncode == 0


def test_interrupts_at_any_moment_leave_no_fit_open():
    net = network()

    def interrupt(*_):
        raise KeyboardInterrupt

    def train_until_interrupted(delay):
        signal.setitimer(signal.ITIMER_REAL, delay)
        while True:
            net.fit(X, Y, epochs=3)

    old = signal.signal(signal.SIGALRM, interrupt)
    try:
        for delay in np.random.default_rng(0).uniform(1e-5, 3e-3, 100):
            with pytest.raises(KeyboardInterrupt):
                train_until_interrupted(delay)
            assert np.isfinite(net.parameters).all()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    net.fit(X, Y)


# ── Progress ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_progress_is_quiet_where_there_is_no_terminal(capfd):
    network().fit(X, Y, epochs=2)
    network().fit(X, Y, epochs=2, progress=False)
    assert capfd.readouterr() == ("", "")


def test_progress_shows_epochs_and_loss(capfd):
    network().fit(X, Y, epochs=3, progress=True, validation_data=(X, Y))
    out, err = capfd.readouterr()
    assert out == ""
    assert "3/3" in err
    assert re.search(r"val_loss 0\.\d", err)


def test_progress_without_tqdm_is_a_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    network().fit(X, Y, epochs=3, progress=True)
    assert re.search(r"\repoch 3/3  loss 0\.\d+ *\n$", written.getvalue())
    assert progress.bar(None, 3) is None


def test_progress_ends_its_line_where_the_fit_fails(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    with pytest.raises(ZeroDivisionError):
        network().fit(X, Y, epochs=3, progress=True, callbacks=lambda *_: 1 / 0)
    assert written.getvalue().endswith("\n")


def test_divergence_error_is_what_the_package_exports():
    assert chainrule.DivergenceError is DivergenceError
    assert issubclass(chainrule.InternalError, RuntimeError)


def test_a_history_has_a_number_of_every_epoch_in_every_column():
    history = chainrule.History()
    history.append(1, {"mae": 2.0})
    history.append(2, {"loss": 0.5, "r2": 0.25})
    assert len(history) == 2
    assert np.array_equal(history["loss"], [np.nan, 0.5], equal_nan=True)
    assert np.array_equal(history["mae"], [2.0, np.nan], equal_nan=True)
    assert np.array_equal(history["r2"], [np.nan, 0.25], equal_nan=True)
    assert repr(history) == "History(2 epochs, last: loss=0.5, mae=nan, r2=0.25)"
