"""What happens to a call while it runs: Ctrl-C, a resize of its arrays, the end of the interpreter."""

from __future__ import annotations

import _thread
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

from chainrule import Network, _native

N_ROWS = 3_000_000  # tens of seconds of work, in little memory


@pytest.fixture
def ctrl_c():
    """Press Ctrl-C some time from now."""
    timer = threading.Timer(0.15, _thread.interrupt_main)
    yield timer.start
    timer.cancel()
    timer.join()


def large():
    """Return a network and rows that take it long."""
    X = np.broadcast_to(np.full((1, 64), 0.5, np.float32), (N_ROWS, 64))  # read in place
    return Network([64, 1024, 1], loss="mse", seed=1, n_threads=1), X, np.broadcast_to(np.float32(1.0), (N_ROWS, 1))


CALLS = {
    "predict": lambda net, X, y: net.predict(X),
    "predict out": lambda net, X, y: net.predict(X, out=np.empty(y.shape, np.float32)),
    "forward": lambda net, X, y: net.forward(X, training=True),
    "evaluate": lambda net, X, y: net.evaluate(X, y),
    "gradient": lambda net, X, y: net.gradient(X, y),
    "backward": lambda net, X, y: net.backward(X, y, training=False),
    "step": lambda net, X, y: net.step(X, y),
    "fit": lambda net, X, y: net.fit(X, y, batch_size=N_ROWS, progress=False),
    "fit threads": lambda net, X, y: net.fit(X, y, batch_size=N_ROWS // 2, progress=False),
    "validation": lambda net, X, y: net.fit(X[:9], y[:9], validation_data=(X, y), progress=False),
}


@pytest.mark.parametrize("name", CALLS)
def test_ctrl_c_ends_any_call_and_changes_nothing_within_a_step(ctrl_c, name):
    net, X, y = large()
    if name == "fit threads":
        net = Network([64, 256, 1], loss="mse", seed=1, n_threads=4)
    before, steps = net.parameters, net._engine.native.step_count
    ctrl_c()
    with pytest.raises(KeyboardInterrupt):
        CALLS[name](net, X, y)
    assert np.array_equal(net.parameters, before)
    assert net._engine.native.step_count == steps
    assert net.step(X[:5], y[:5]) > 0.0


def test_interrupted_fit_keeps_the_steps_it_has_made(ctrl_c):
    net, X, y = large()
    same = net.copy()
    ctrl_c()
    with pytest.raises(KeyboardInterrupt):
        net.fit(X, y, batch_size=64, shuffle=False, progress=False)
    assert net.step_count > 0
    assert net.epoch_count == 0
    for _ in range(net.step_count):
        same.step(X[:64], y[:64])  # all rows are equal, and so are all batches
    assert np.array_equal(net.parameters, same.parameters)


@pytest.mark.parametrize(("units", "init"), [(3000, "orthogonal"), (20_000, "he_normal")])
def test_ctrl_c_while_first_weights_are_drawn(ctrl_c, units, init):
    ctrl_c()
    with pytest.raises(KeyboardInterrupt):
        Network([3000, units], init=init, optimizer="sgd", seed=0)


@pytest.mark.parametrize("name", ["predict", "gradient", "step"])
def test_handler_that_returns_may_use_the_network_and_the_call_ends(name):
    net, X, y = large()
    n = 60_000
    call = {
        "predict": lambda net: net.predict(X[:n]),
        "gradient": lambda net: net.gradient(X[:n], y[:n]).weights[0],
        "step": lambda net: net.step(X[:n], y[:n]),
    }[name]
    expected, seen = call(net.copy()), []
    handler = signal.signal(signal.SIGINT, lambda *_: seen.append(net.predict(X[:2])))
    timer = threading.Timer(0.05, _thread.interrupt_main)
    try:
        timer.start()
        while not seen:
            assert np.array_equal(call(net.copy()), expected)
    finally:
        signal.signal(signal.SIGINT, handler)
        timer.join()


def run(code):
    """Run code in a process of its own."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers here")
@pytest.mark.parametrize("base", ["X", "y", "base of X"])
def test_arrays_cannot_be_resized_between_two_steps_of_a_fit(base):
    # Without the hold, the process dies.
    done = run(
        f"""
import signal, numpy as np
from chainrule import Network
memory = np.ones((200_000, 64), "f4"); y = np.ones(200_000)
X = memory[:] if {base!r} == "base of X" else memory
said = []
def handler(*_):
    try: (y if {base!r} == "y" else memory).resize((0,), refcheck=False)
    except ValueError as error: said.append(str(error))
signal.signal(signal.SIGALRM, handler)
net = Network([64, 64, 1], seed=1)
signal.setitimer(signal.ITIMER_REAL, 0.1)
while not said: net.fit(X, y, batch_size=64, progress=False)
assert "cannot resize" in said[0], said
"""
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["forward", "loss", "gradient", "backward", "write_tensors"])
def test_arrays_cannot_be_resized_while_a_call_reads_them(tmp_path, name):
    done = run(
        f"""
import threading, numpy as np
from chainrule import Network, _native
net = Network([64, 64, 1], loss="mse", seed=1)._engine.native
X, y = np.ones((50_000, 64), "f4"), np.ones((50_000, 1), "f4")
calls = {{
    "forward": lambda: net.forward(X, False, None), "loss": lambda: net.loss(X, y, None),
    "gradient": lambda: net.gradient(X, y, None, True), "backward": lambda: net.backward(X, y, True),
    "write_tensors": lambda: _native.write_tensors({str(tmp_path / "f")!r}, {{"X": X, "y": y}}, {{}}),
}}
refused = [], []
def resize():
    while not all(refused):
        for array, of in zip((X, y), refused):
            rows = len(array)
            try:
                array.resize((rows + 1, array.shape[1]), refcheck=False)
                array.resize((rows, array.shape[1]), refcheck=False)
            except ValueError as error: of.append(error)
def call():
    try: calls[{name!r}]()
    except ValueError: pass  # one of them had a row more
if {name!r} == "forward": refused[1].append(None)
other = threading.Thread(target=resize)
other.start()
while other.is_alive(): call()
"""
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["predict", "parameters", "trace"])
def test_interpreter_may_end_while_a_thread_computes(name):
    done = run(
        f"""
import sys, threading, time, types, numpy as np
from chainrule import Network
class Slow:
    def __init__(self): self.sleep = time.sleep
    def __del__(self): self.sleep(0.3)
module = types.ModuleType("slow"); module.slow = Slow(); sys.modules["slow"] = module; del module
X = np.zeros((512, 4), "f4")
net = Network([4, 400, 10], seed=1)
calls = {{"predict": lambda: net.predict(X), "parameters": lambda: net.parameters,
         "trace": lambda: net.trace(X, np.zeros((512, 10)))}}
def work():
    while True: calls[{name!r}]()
for _ in range(3): threading.Thread(target=work, daemon=True).start()
time.sleep(0.1)
"""
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr


def test_new_arrays_are_the_callers_own():
    got = _native.Network(Network([3, 2], seed=0)._engine.native.config).forward(np.ones((4, 3)), False, None)
    assert got.flags.owndata
    assert got.flags.writeable
    got.resize((9, 9), refcheck=False)
