"""Threads: any number gives the same bits, the choice of that number, and forked processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given

from chainrule import Dense, DivergenceError, Network, _native

from .strategies import cases

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")


@pytest.fixture(scope="module")
def forced():
    """Networks take the threads they are asked to, and share all work among them however small."""
    before = _native._force_threads(True)
    yield
    assert _native._force_threads(False) > before, "no thread has helped"


def everything(case, n_threads):
    """Return what a network computes, as bytes."""
    net = case.native(n_threads=n_threads)
    assert net.n_threads == n_threads
    X, y, weight = case.data
    parts = [net.forward(X), net.predict(X), net.forward(X, training=True)]
    gradient = net.gradient(X, y, sample_weight=weight, training=True)
    parts += [*gradient.weights, *[b for b in gradient.biases if b is not None]]
    backward = net.backward(X, np.ones((len(X), net.n_outputs)), training=False)
    parts += [backward.inputs, *backward.weights]
    numbers = [gradient.loss, net.evaluate(X, y, sample_weight=weight)["loss"]]
    try:
        numbers += [net.step(X, y, sample_weight=weight)]
        numbers += net.fit(X, y, sample_weight=weight, epochs=2, batch_size=7, progress=False).loss
    except DivergenceError:
        pass  # at the same place on any number of threads, which the weights then show
    parts += [*net.weights, *[v for v in net.state_dict().values() if isinstance(v, np.ndarray)]]
    return [np.asarray(part).tobytes() for part in [*parts, numbers]]


@pytest.mark.usefixtures("forced")
@given(cases(max_depth=3))
def test_bits_do_not_depend_on_n_threads(case):
    for dtype in ("float32", "float64"):
        case.arguments["dtype"] = dtype
        expected = everything(case, 1)
        for n_threads in (2, 3, 8):
            assert everything(case, n_threads) == expected, n_threads


def large(n_threads=2, **arguments):
    """Return a network that is worth two threads, and data for it."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((512, 300)), rng.integers(0, 10, 512)
    net = Network([300, 256, 10], loss="cross_entropy", seed=1, n_threads=n_threads, **arguments)
    return net, X, y


def trained(n_threads=2):
    """Return the predictions of a network after an epoch on that many threads."""
    net, X, y = large(n_threads)
    net.fit(X, y, epochs=1, batch_size=128, progress=False)
    return net.predict(X)


def in_child(work):
    """Run `work` in a forked child and return whether it ended well within five seconds."""
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if work() else 1)
        finally:
            os._exit(2)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return status == 0
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


@needs_fork
@pytest.mark.usefixtures("forced")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_forked_child_has_threads_of_its_own():
    expected = trained(1)
    assert np.array_equal(trained(), expected)

    def work():
        helped = _native._force_threads(True)
        right = np.array_equal(trained(), expected)
        return right and _native._force_threads(True) > helped and in_child(lambda: np.array_equal(trained(), expected))

    assert in_child(work)
    assert np.array_equal(trained(), expected)


@needs_fork
@pytest.mark.usefixtures("forced")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_child_forked_while_threads_compute():
    expected = trained(1)
    stop = threading.Event()

    def compute():
        while not stop.is_set():
            trained()

    others = [threading.Thread(target=compute) for _ in range(2)]
    for other in others:
        other.start()
    try:
        assert all(in_child(lambda: np.array_equal(trained(), expected)) for _ in range(5))
    finally:
        stop.set()
        for other in others:
            other.join()


@needs_fork
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("use", ["fit", "predict", "step"])
def test_child_forked_while_another_thread_uses_the_network(use):
    net, X, y = large()
    stop = threading.Event()

    def work():
        while not stop.is_set():
            if use == "fit":
                net.fit(X, y, batch_size=32, progress=False)
            elif use == "step":
                net.step(X, y)
            else:
                net.predict(X)

    def child():
        assert np.isfinite(net.predict(X)).all()
        assert np.isfinite(net.copy().fit(X, y, progress=False).loss).all()
        for _ in range(2):
            assert np.isfinite(net.fit(X, y, progress=False).loss).all()
        net.learning_rate = 1e-4
        return np.isfinite(net.step(X, y))

    other = threading.Thread(target=work)
    other.start()
    try:
        for _ in range(6):
            assert in_child(child)
    finally:
        stop.set()
        other.join()
    assert np.isfinite(net.predict(X)).all()


@needs_fork
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_child_forked_during_a_call_that_takes_seconds_is_free_and_the_call_right():
    rows = np.linspace(-1.0, 1.0, 64, dtype=np.float32)[None]
    net = Network([64, 512, 1], seed=1, n_threads=1)
    X, results = np.broadcast_to(rows, (2_000_000, 64)), []
    other = threading.Thread(target=lambda: results.append(net.predict(X)))
    other.start()
    assert in_child(lambda: len(net.fit(rows, [1.0], progress=False).loss) == 1)
    other.join()
    assert (results[0] == net.predict(rows)).all()


@needs_fork
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_fit_goes_on_in_the_child_that_its_callback_forked():
    net, X, y = large()
    results = []

    def callback(_net, epoch, _logs):
        if epoch == 1 and not results:
            results.append(os.fork())

    net.fit(X, y, epochs=3, batch_size=128, callbacks=callback, progress=False)
    (child,) = results
    if child == 0:
        os._exit(net._engine.native.epoch_count)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3


@pytest.mark.parametrize("method", [m for m in multiprocessing.get_all_start_methods() if m != "fork"])
def test_processes_of_multiprocessing(method):
    expected = trained()
    with multiprocessing.get_context(method).Pool(2) as pool:
        for got in pool.map_async(trained, [2, 2, 1]).get(timeout=60):
            assert np.array_equal(got, expected)


@pytest.mark.usefixtures("forced")
def test_many_python_threads_at_once():
    expected = trained(1)
    results = [None] * 6

    def compute(i):
        results[i] = trained(i % 3 + 1)

    threads = [threading.Thread(target=compute, args=[i]) for i in range(len(results))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert all(np.array_equal(result, expected) for result in results)


def run(code, **variables):
    """Run Python code in a process of its own and return what it prints, or the end of its complaint."""
    kept = {name: value for name, value in os.environ.items() if not name.endswith("NUM_THREADS")}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=kept | variables, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout.strip() or done.stderr.strip().splitlines()[-1]


IN_USE = "from chainrule import Network; print(Network([500, 500, 1], n_threads={}).n_threads)"


def test_who_decides_how_many_threads():
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    two = str(min(2, processors))
    assert run(IN_USE.format(2), CHAINRULE_NUM_THREADS="1", OMP_NUM_THREADS="1") == two
    assert run(IN_USE.format(None), CHAINRULE_NUM_THREADS="2", OMP_NUM_THREADS="1") == two
    assert run(IN_USE.format(None), CHAINRULE_NUM_THREADS="", OMP_NUM_THREADS="2,1") == two
    assert run(IN_USE.format(None), OMP_NUM_THREADS="1") == "1"
    assert run(IN_USE.format(None)) == run(IN_USE.format(2**31 - 1))
    if hasattr(os, "sched_setaffinity"):
        one = f"import os; os.sched_setaffinity(0, {{{min(os.sched_getaffinity(0))}}}); "
        assert run(one + IN_USE.format(None)) == "1"


@pytest.mark.parametrize("name", ["CHAINRULE_NUM_THREADS", "OMP_NUM_THREADS"])
@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5"])
def test_variable_that_is_no_number_of_threads_is_refused(name, value):
    message = f"ValueError: {name} must be an integer of at least 1, got '{value}'"
    assert run(IN_USE.format(None), **{name: value}) == message
    assert run(IN_USE.format(1), **{name: value}) == "1"


@pytest.mark.parametrize("layers", ["[4, 16, Dropout(0.5), 3]", "[4, 16, 3]"])
def test_small_networks_use_threads_for_batches_of_many_tiles(layers):
    code = "from chainrule import Dropout, Network; print(Network({}, n_threads=2).n_threads)"
    assert run(code.format(layers)) == "2"


@pytest.mark.usefixtures("forced")
@pytest.mark.parametrize("activation", ["relu", "gelu", "softmax"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_bits_of_batches_of_many_tiles_do_not_depend_on_n_threads(activation, dtype):
    rng = np.random.default_rng(0)
    X, Y, weight = rng.standard_normal((2048, 5)), rng.standard_normal((2048, 20)), rng.integers(0, 3, 2048)

    def bits(n_threads):
        net = Network([5, 11, Dense(7, l2=1e-3), 20], activation=activation, dtype=dtype, seed=0, n_threads=n_threads)
        losses = net.fit(X, Y, sample_weight=weight, epochs=3, batch_size=2048, progress=False).loss
        return losses, net.parameters.tobytes(), net.gradient(X, Y).flat.tobytes()

    expected = bits(1)
    for n_threads in (2, 3, 8):
        assert bits(n_threads) == expected, n_threads


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="no list of threads here")
def test_no_thread_before_work_is_worth_it():
    code = """if True:
        import os, numpy
        before = len(os.listdir("/proc/self/task"))
        from chainrule import Network
        net = Network([8, 64, 64, 4], n_threads=2)
        net.fit(numpy.ones((320, 8)), numpy.ones((320, 4)), epochs=2, progress=False)
        print(len(os.listdir("/proc/self/task")) - before)"""
    assert run(code) == "0"
