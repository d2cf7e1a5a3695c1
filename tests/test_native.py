"""The interface of the Rust core: the arguments and errors of chainrule._native, and its concurrent calls."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest

from chainrule import _native as native
from chainrule.reference.losses import LOSSES


def config(sizes=(3, 5, 2), *, loss="mse", dtype="float32", optimizer=None, dropout=None, seed=7):
    layers = []
    for i, units in enumerate(sizes[1:]):
        hidden = i < len(sizes) - 2
        layers.append(
            {
                "kind": "dense",
                "units": units,
                "activation": {"name": "tanh" if hidden else "identity"},
                "bias": True,
                "init": {"name": "glorot_uniform"},
                "l2": 0.0,
            }
        )
        if dropout and hidden:
            layers.append({"kind": "dropout", "rate": dropout})
    optimizer = optimizer or {"name": "adam", "learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999, "eps": 1e-8}
    return json.dumps(
        {
            "n_inputs": sizes[0],
            "layers": layers,
            "loss": LOSSES[loss]().to_dict(),
            "optimizer": optimizer,
            "dtype": dtype,
            "seed": seed,
            "n_threads": None,
        }
    )


SGD = {"name": "sgd", "learning_rate": 0.1, "momentum": 0.0, "nesterov": False}


def data(n=6, sizes=(3, 2), dtype="f4", seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, sizes[0])).astype(dtype), rng.normal(size=(n, sizes[-1])).astype(dtype)


@pytest.fixture(params=["float32", "float64"])
def net(request):
    return native.Network(config(dtype=request.param))


def test_network_that_is_not_drawn_is_zero(net):
    blank = native.Network(net.config, draw=False)
    assert net.parameters().any()
    assert not blank.parameters().any()
    assert blank.config == net.config
    blank.set_parameters(net.parameters())
    x, y = data(dtype=net.dtype)
    assert blank.step(x, y, None) == net.step(x, y, None)
    assert (blank.parameters() == net.parameters()).all()


# what is read in place


def layouts(x):
    wide = np.zeros((2 * len(x), x.shape[1] + 3), x.dtype)
    wide[::2, 1:-2] = x
    readonly = x.copy()
    readonly.flags.writeable = False
    return {
        "plain": x,
        "rows apart": wide[::2, 1:-2],
        "rows backwards": x[::-1].copy()[::-1],
        "read-only": readonly,
        "subclass": x.view(type("Sub", (np.ndarray,), {})),
    }


@pytest.mark.parametrize("layout", layouts(data()[0]))
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_forward_reads_any_layout_with_contiguous_rows(net, layout, dtype):
    x, _ = data(dtype=dtype)
    got = net.forward(layouts(x)[layout], False, None)
    assert got.tobytes() == net.forward(x.astype(net.dtype), False, None).tobytes()
    assert got.dtype == net.dtype
    assert got.shape == (6, 2)
    assert got.flags.c_contiguous
    assert got.flags.owndata


def test_forward_reads_a_row_many_times_for_stride_zero(net):
    x = data()[0][:1]
    got = net.forward(np.broadcast_to(x, (5, 3)), False, None)
    assert (got == net.forward(x, False, None)).all()


def test_forward_reads_memmap(net, tmp_path):
    x, _ = data()
    x.tofile(tmp_path / "x")
    mapped = np.memmap(tmp_path / "x", dtype="f4", mode="r", shape=x.shape)
    assert (net.forward(mapped, False, None) == net.forward(x, False, None)).all()


def test_forward_of_no_rows_is_empty(net):
    assert net.forward(np.zeros((0, 3), "f4"), False, None).shape == (0, 2)
    assert net.predict(np.zeros((3, 0), "f4").T, None).shape == (0, 2)


def test_one_column_of_any_stride():
    net = native.Network(config((1, 2)))
    x = np.arange(12, dtype="f4").reshape(3, 4)
    assert (net.forward(x[:, 1:2], False, None) == net.forward(x[:, 1:2].copy(), False, None)).all()


# what is refused


def wrong():
    x = np.zeros((6, 3), "f4")
    misaligned = np.zeros(6 * 3 * 4 + 1, "u1")[1:].view("f4").reshape(6, 3)
    return {
        "list": x.tolist(),
        "None": None,
        "number": 1.0,
        "string": "x",
        "0-d": np.float32(1),
        "0-d array": np.array(1.0),
        "1-D": x[0],
        "3-D": x[None],
        "Fortran order": np.asfortranarray(x),
        "columns backwards": x[:, ::-1],
        "columns apart": np.zeros((6, 6), "f4")[:, ::2],
        "swapped": x.astype(">f4"),
        "half": x.astype("f2"),
        "long double": x.astype("g"),
        "complex": x.astype("c8"),
        "int": x.astype("i4"),
        "int64": x.astype("i8"),
        "bool": x.astype("?"),
        "object": x.astype(object),
        "record": np.zeros((6, 3), [("a", "f4")]),
        "misaligned": misaligned,
        "datetime": x.astype("M8[s]"),
        "text": x.astype("U3"),
        "class": np.ndarray,
        "array-like": memoryview(x),
    }


@pytest.mark.parametrize("kind", wrong())
def test_wrong_arrays_are_type_errors(net, kind):
    x, y = data()
    bad = wrong()[kind]
    with pytest.raises(TypeError, match="X must be a 2-D array"):
        net.forward(bad, False, None)
    for call in (
        lambda: net.step(bad, y, None),
        lambda: net.loss(bad, y, None),
        lambda: net.trace(bad, y, None),
        lambda: net.gradient(bad, y, None, True),
        lambda: net.backward(bad, y, True),
    ):
        with pytest.raises(TypeError, match="X must be"):
            call()
    with pytest.raises(TypeError, match="y must be"):
        net.step(x, bad if kind != "int64" else bad[:, ::-1], None)
    with pytest.raises(TypeError, match="d_output must be"):
        net.backward(x, bad, True)
    with pytest.raises(TypeError, match="parameters must be"):
        net.set_parameters(bad if kind != "1-D" else x[0].astype("f2"))
    if kind not in ("None", "1-D"):
        with pytest.raises(TypeError, match="sample_weight must be"):
            net.step(x, y, bad)
    if kind != "None":
        with pytest.raises((TypeError, ValueError), match="out "):
            net.forward(x, False, bad)


@pytest.mark.parametrize("label", [-1, 2**32, 2**63 - 1, -(2**63)])
def test_labels_out_of_range_name_value_and_row(label):
    net = native.Network(config(loss="cross_entropy"))
    y = np.array([0, 1, 1, label, 0, -5])
    with pytest.raises(ValueError, match=f"y has label {label} at row 3"):
        net.loss(data()[0], y, None)


def test_label_beyond_the_outputs_is_refused():
    net = native.Network(config(loss="cross_entropy"))
    with pytest.raises(ValueError, match="y has label 2 at row 1"):
        net.step(data()[0], np.array([0, 2, 1, 0, 0, 0]), None)


def test_labels_of_any_stride_and_both_64_bit_integers():
    net = native.Network(config(loss="cross_entropy"))
    x, y = data()[0], np.array([0, 1, 1, 0, 1, 1])
    expected = net.loss(x, y, None)
    assert net.loss(x, y.repeat(2)[::2], None) == expected
    assert net.loss(x, y.astype(np.longlong), None) == expected


def test_rows_must_agree(net):
    x, y = data()
    with pytest.raises(ValueError, match="y has 5 rows but X has 6"):
        net.loss(x, y[:5], None)
    with pytest.raises(ValueError, match="sample_weight has 5 rows but X has 6"):
        net.loss(x, y, np.ones(5))
    with pytest.raises(ValueError, match="X has 2 columns"):
        net.loss(x[:, :2], y, None)


def test_numbers_of_the_wrong_kind(net):
    x, y = data()
    net.begin_fit()
    for size in (-1, 2**64, 2**70):
        with pytest.raises(OverflowError):
            net.train_epoch(x, y, None, size, True)
    for size in (1.0, "1", None):
        with pytest.raises(TypeError):
            net.train_epoch(x, y, None, size, True)
    with pytest.raises(ValueError):
        net.train_epoch(x, y, None, 0, True)
    assert net.train_epoch(x, y, None, 2**63, True) > 0
    net.end_fit()
    for value in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="learning_rate"):
            net.learning_rate = value
    for value in ("1", None, 1j):
        with pytest.raises(TypeError):
            net.learning_rate = value
    for value in (-1, 2**63, 2**64):
        with pytest.raises(OverflowError):
            net.step_count = value
        with pytest.raises(OverflowError):
            net.epoch_count = value
    with pytest.raises(TypeError):
        net.step_count = 1.5
    with pytest.raises(ValueError, match="index is 2"):
        net.state(2)
    with pytest.raises(ValueError, match="index is 7"):
        net.set_state(7, net.parameters())
    with pytest.raises((AttributeError, TypeError)):
        del net.learning_rate


# out


def test_out_is_filled_and_returned(net):
    x, _ = data()
    out = np.full((6, 2), 9, net.dtype)
    assert net.forward(x, False, out) is out
    assert (out == net.forward(x, False, None)).all()


def test_out_may_be_x():
    net = native.Network(config((3, 3)))
    x, _ = data(sizes=(3, 3))
    expected = net.predict(x, None)
    assert (net.predict(x, x) == expected).all()


def test_out_of_the_wrong_shape_is_a_value_error(net):
    x, _ = data()
    for shape in ((6, 3), (5, 2), (2, 6), (12,)):
        with pytest.raises(ValueError, match="out has shape"):
            net.forward(x, False, np.zeros(shape, net.dtype))
    readonly = np.zeros((6, 2), net.dtype)
    readonly.flags.writeable = False
    for bad in (readonly, np.zeros((2, 6), net.dtype).T, np.zeros((6, 4), net.dtype)[:, ::2]):
        with pytest.raises(ValueError, match="out must be C-contiguous and writable"):
            net.predict(x, bad)


def test_out_is_untouched_after_an_error(net):
    x, _ = data()
    x[3, 1] = np.nan
    out = np.full((6, 2), 9, net.dtype)
    with pytest.raises(ValueError, match=r"X has (NaN|nan) at row 3, column 1"):
        net.forward(x, False, out)
    assert (out == 9).all()


# absurd sizes


def test_absurd_sizes_are_memory_errors():
    net = native.Network(config((3, 2**20)))
    x = np.broadcast_to(np.zeros(3, "f4"), (2**59, 3))
    for call in (lambda: net.forward(x, False, None), lambda: net.backward(x, x, False)):
        with pytest.raises(MemoryError):
            call()
    with pytest.raises(ValueError, match="y has 1 rows"):
        net.loss(x, np.zeros(1, "i8"), None)
    with pytest.raises(MemoryError):
        net.loss(x, np.broadcast_to(np.int64(0), (2**59,)), None)
    with pytest.raises(ValueError, match="parameters has 576460752303423488 values"):
        net.set_parameters(np.broadcast_to(np.float32(0), (2**59,)))
    for sizes in ((2**31, 2**31), (1, 10**12, 1), (2**62, 2), (2, 2**62), (2**32, 2**32, 1)):
        with pytest.raises((MemoryError, ValueError)):
            native.Network(config(sizes))


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", "{" * 1000, "\0", '{"n_inputs": 1e400}', "[" * 100_000])
def test_garbage_config_is_a_value_error(text):
    with pytest.raises(ValueError):
        native.Network(text)


def test_config_of_the_wrong_type():
    for bad in (None, b"{}", 3, {}):
        with pytest.raises(TypeError):
            native.Network(bad)
    with pytest.raises(UnicodeEncodeError):
        native.Network("\ud800")


# state


def test_fit_is_the_sequence_of_its_steps(net):
    x, y = data(10)
    other = net.copy()
    net.begin_fit()
    net.train_epoch(x, y, None, 4, False)
    net.end_fit()
    for i in range(0, 10, 4):
        other.step(x[i : i + 4], y[i : i + 4], None)
    assert net.parameters().tobytes() == other.parameters().tobytes()
    assert (net.step_count, net.epoch_count, other.epoch_count) == (3, 1, 0)


def test_step_is_gradient_and_apply(net):
    x, y = data()
    other = net.copy()
    loss = net.step(x, y, None)
    other_loss, flat = other.gradient(x, y, None, True)
    other.apply_gradient(flat)
    assert loss == other_loss
    assert net.parameters().tobytes() == other.parameters().tobytes()


def test_snapshot_restores_parameters_moments_and_counters(net):
    x, y = data()
    net.step(x, y, None)
    snapshot = net.snapshot()
    before = net.parameters(), net.state(0), net.state(1), net.step_count, net.epoch_count
    net.step(x, y, None)
    net.epoch_count = 9
    net.restore(snapshot)
    after = net.parameters(), net.state(0), net.state(1), net.step_count, net.epoch_count
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_snapshot_of_another_network_is_refused(net):
    other = "float64" if net.dtype == "float32" else "float32"
    for text in (config(dtype=other), config((3, 2), dtype=net.dtype), config(optimizer=SGD, dtype=net.dtype)):
        before = net.parameters()
        with pytest.raises(ValueError):
            net.restore(native.Network(text).snapshot())
        assert (net.parameters() == before).all()
    with pytest.raises(TypeError):
        net.restore(None)


def test_set_parameters_round_trip_and_refusals(net):
    flat = np.linspace(-1, 1, net.n_parameters, dtype=net.dtype)
    net.set_parameters(flat)
    assert (net.parameters() == flat).all()
    twice = np.repeat(flat, 2)
    net.set_parameters(twice[::2])
    assert (net.parameters() == flat).all()
    flat[4] = np.inf
    with pytest.raises(ValueError, match="index 4"):
        net.set_parameters(flat)
    with pytest.raises(ValueError):
        net.set_parameters(flat[1:])
    with pytest.raises(ValueError, match="gradient has 1 values"):
        net.apply_gradient(flat[:1])


def test_trace_has_shapes_of_its_layers():
    net = native.Network(config((3, 5, 2), dropout=0.5))
    x, y = data()
    dense, dropout, last = net.trace(x, y, None)
    assert dense["kind"] == "dense"
    assert dense["z"].shape == (6, 5)
    assert {name: array.shape for name, array in dense["gradients"].items()} == {"weight": (3, 5), "bias": (5,)}
    assert dropout["kind"] == "dropout"
    assert dropout["gradients"] == dropout["updates"] == {}
    assert dropout["a"].shape == (6, 5)
    assert last["updates"]["bias"].shape == (2,)
    assert last["delta"].dtype == np.float32


def test_divergence_says_where(net):
    net = native.Network(config((3, 2), optimizer=SGD | {"learning_rate": 1e30}))
    x, y = data(40)
    net.begin_fit()

    def train():
        for _ in range(5):
            net.train_epoch(x, y, None, 4, True)

    with pytest.raises(native.DivergenceError, match="became") as caught:
        train()
    net.end_fit()
    assert isinstance(caught.value, ValueError)
    assert caught.value.epoch == net.epoch_count
    assert 0 <= caught.value.batch < 10
    assert native.DivergenceError("mine").epoch is None


# who may when


def test_nested_and_foreign_fits_are_refused(net):
    x, y = data()
    with pytest.raises(RuntimeError):
        net.end_fit()
    with pytest.raises(RuntimeError, match="begin_fit"):
        net.train_epoch(x, y, None, 2, True)
    net.begin_fit()
    for call in (net.begin_fit, lambda: net.step(x, y, None), lambda: net.apply_gradient(net.parameters())):
        with pytest.raises(RuntimeError, match="being trained by another call"):
            call()
    net.set_parameters(net.parameters())
    net.learning_rate = 0.25
    net.predict(x, None), net.snapshot(), net.copy()

    raised = []

    def foreign():
        for call in (
            net.begin_fit,
            net.end_fit,
            lambda: net.step(x, y, None),
            lambda: net.train_epoch(x, y, None, 2, True),
            lambda: net.set_parameters(net.parameters()),
        ):
            with pytest.raises(RuntimeError):
                call()
            raised.append(call)
        net.predict(x, None)

    thread = threading.Thread(target=foreign)
    thread.start()
    thread.join(10)
    assert len(raised) == 5
    net.train_epoch(x, y, None, 2, True)
    net.end_fit()
    net.step(x, y, None)


def test_a_refused_epoch_leaves_the_fit_usable(net):
    x, y = data()
    net.begin_fit()
    with pytest.raises(TypeError):
        net.train_epoch(None, y, None, 2, True)
    net.train_epoch(x, y, None, 2, True)
    net.end_fit()


def test_copy_of_a_network_in_a_fit_is_free(net):
    net.begin_fit()
    x, y = data()
    before, copy = net.parameters(), net.copy()
    copy.step(x, y, None)
    assert copy.begin_fit() is None
    copy.end_fit()
    assert not np.array_equal(copy.parameters(), before)
    assert np.array_equal(net.parameters(), before)
    net.end_fit()
    net.step(x, y, None)
    assert np.array_equal(net.parameters(), copy.parameters())


def big():
    net = native.Network(config((200, 300, 200)))
    return net, *data(4000, (200, 200))


def test_others_read_while_one_trains():
    net, x, y = big()
    seen, stop = [], threading.Event()

    def read():
        while not stop.is_set():
            start = time.perf_counter()
            assert np.isfinite(net.predict(x[:4], None)).all()
            net.parameters()
            with pytest.raises(RuntimeError):
                net.step(x[:4], y[:4], None)
            seen.append(time.perf_counter() - start)

    threads = [threading.Thread(target=read) for _ in range(3)]
    net.begin_fit()
    for thread in threads:
        thread.start()
    start = time.perf_counter()
    while time.perf_counter() - start < 1.5:
        net.train_epoch(x, y, None, 32, True)
    stop.set()
    for thread in threads:
        thread.join(10)
    net.end_fit()
    assert len(seen) > 10
    assert max(seen) < 1.0


def test_threads_predict_at_once_and_get_the_same():
    net, x, _ = big()
    expected = net.predict(x, None).tobytes()
    same = []

    def predict():
        same.append(net.predict(x, None).tobytes() == expected)

    threads = [threading.Thread(target=predict) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert same == [True] * 8


def test_concurrent_steps_run_or_are_refused():
    net = native.Network(config())
    x, y = data()
    done, refused = [], []

    def work():
        for _ in range(300):
            try:
                net.step(x, y, None)
                done.append(1)
            except RuntimeError:
                refused.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert net.step_count == len(done)
    assert len(done) + len(refused) == 1200


def run(code, **keywords):
    code = textwrap.dedent(code)
    prelude = "import sys; sys.path[:0] = " + repr([p for p in sys.path if p]) + "\n"
    return subprocess.Popen([sys.executable, "-c", prelude + code], stdout=subprocess.PIPE, text=True, **keywords)


def test_ctrl_c_ends_an_epoch_between_two_steps():
    process = run("""
        import json, signal, time, numpy as np
        from chainrule import _native as native
        # Whoever runs the tests may ignore Ctrl-C, and a child inherits that; the alarm ends one that does not stop.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.alarm(60)
        layers = [{"kind": "dense", "units": u, "activation": {"name": "tanh"}, "bias": True,
                   "init": {"name": "glorot_uniform"}, "l2": 0.0} for u in (300, 200)]
        net = native.Network(json.dumps({"n_inputs": 200, "layers": layers, "loss": {"name": "mse"}, "optimizer":
            {"name": "sgd", "learning_rate": 0.01, "momentum": 0.0, "nesterov": False}, "dtype": "float32", "seed": 1,
            "n_threads": None}))
        x = np.random.default_rng(0).normal(size=(200_000, 200)).astype("f4")
        y = x.copy()
        net.begin_fit()
        print("ready", flush=True)
        try:
            net.train_epoch(x, y, None, 32, True)
        except KeyboardInterrupt:
            when = time.time()
            net.end_fit()
            assert np.isfinite(net.parameters()).all() and net.epoch_count == 0 and net.step_count > 0
            net.step(x[:8], y[:8], None)
            print(when, flush=True)
    """)
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.4)
    sent = time.time()
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert float(out) - sent < 5  # a watchdog, no measurement


def test_a_signal_handler_may_read_but_not_train():
    process = run("""
        import json, signal, numpy as np
        from chainrule import _native as native
        layers = [{"kind": "dense", "units": 100, "activation": {"name": "tanh"}, "bias": True,
                   "init": {"name": "glorot_uniform"}, "l2": 0.0}]
        net = native.Network(json.dumps({"n_inputs": 100, "layers": layers, "loss": {"name": "mse"}, "optimizer":
            {"name": "sgd", "learning_rate": 0.01, "momentum": 0.0, "nesterov": False}, "dtype": "float32", "seed": 1,
            "n_threads": None}))
        x = np.random.default_rng(0).normal(size=(300_000, 100)).astype("f4")
        seen = []
        def handler(*_):
            net.predict(x[:2], None); net.snapshot(); net.copy()
            for call in (lambda: net.step(x[:2], x[:2], None), net.end_fit, net.begin_fit,
                         lambda: net.set_parameters(net.parameters())):
                try:
                    call()
                except RuntimeError:
                    seen.append(call)
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, 0.15)
        net.begin_fit()
        net.train_epoch(x, x, None, 8, True)
        net.end_fit()
        print(len(seen), net.epoch_count)
    """)
    out, _ = process.communicate(timeout=60)
    assert out == "4 1\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_trains_and_predicts():
    net, x, y = big()
    net.begin_fit()
    net.train_epoch(x, y, None, 64, True)
    child = os.fork()
    if child == 0:
        try:
            net.train_epoch(x, y, None, 64, True)
            net.end_fit()
            net.predict(x, None)
            os._exit(0)
        finally:
            os._exit(1)
    deadline = time.time() + 20
    while time.time() < deadline:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            break
        time.sleep(0.01)
    else:
        os.kill(child, signal.SIGKILL)
        pytest.fail("the child hangs")
    net.end_fit()
    assert status == 0


# files


def tensors():
    return {
        "a": np.arange(6, dtype="f4").reshape(2, 3),
        "b": np.arange(3, dtype="f8"),
        "c": np.array([2**40, -1]),
        "empty": np.zeros((0, 4), "f4"),
        "scalar": np.array(2.5),
        "layers.0.weight": np.ones((3, 1), "f4"),
    }


def test_files_keep_tensors_and_metadata(tmp_path):
    path = tmp_path / "model"
    native.write_tensors(str(path), tensors(), {"z": 'é\0"', "a": "1"})
    first = path.read_bytes()
    native.write_tensors(path, dict(reversed(tensors().items())), {"a": "1", "z": 'é\0"'})
    assert path.read_bytes() == first, "the bytes follow from the content"
    got, metadata = native.read_tensors(path)
    assert metadata == {"z": 'é\0"', "a": "1"}
    assert got.keys() == tensors().keys()
    for name, expected in tensors().items():
        assert got[name].dtype == expected.dtype
        assert got[name].shape == expected.shape
        assert (got[name] == expected).all()
        assert got[name].flags.writeable
        assert got[name].flags.c_contiguous
    assert [p.name for p in tmp_path.iterdir()] == ["model"]


def test_files_are_read_by_safetensors(tmp_path):
    numpy = pytest.importorskip("safetensors.numpy")
    path = tmp_path / "model"
    native.write_tensors(str(path), tensors(), {"k": "v"})
    for name, value in numpy.load_file(path).items():
        assert (value == tensors()[name]).all()
    numpy.save_file(tensors(), path, {"k": "v"})
    got, metadata = native.read_tensors(str(path))
    assert metadata == {"k": "v"}
    assert all((got[n] == v).all() for n, v in tensors().items())


def test_write_refuses_what_it_cannot(tmp_path):
    path = str(tmp_path / "model")
    for bad in (
        np.zeros(3, "f2"),
        np.zeros((2, 2), order="F")[:, :1].T[:, ::2],
        [1.0],
        np.zeros(4, ">f8"),
        None,
        np.asfortranarray(np.ones((2, 3))),
    ):
        if isinstance(bad, np.ndarray) and bad.flags.c_contiguous and bad.dtype == "f8":
            continue
        with pytest.raises(TypeError, match=r"tensor .t. must be"):
            native.write_tensors(path, {"t": bad}, {})
    with pytest.raises(ValueError, match="__metadata__"):
        native.write_tensors(path, {"__metadata__": np.zeros(1)}, {})
    for arguments in ((path, [], {}), (path, {1: np.zeros(1)}, {}), (path, {}, {"a": 1}), (None, {}, {}), (3, {}, {})):
        with pytest.raises(TypeError):
            native.write_tensors(*arguments)
    assert not list(tmp_path.iterdir())


def test_file_errors_are_those_of_open(tmp_path):
    missing = str(tmp_path / "no" / "model")
    for call in (native.read_tensors, lambda p: native.write_tensors(p, {}, {})):
        with pytest.raises(FileNotFoundError) as caught:
            call(missing)
        assert caught.value.errno == 2
        assert caught.value.filename == missing
        assert "No such file" in str(caught.value)
        with pytest.raises(IsADirectoryError, match=r"Errno 21. Is a directory: ./"):
            call(str(tmp_path))
        with pytest.raises(ValueError):
            call("a\0b")
        with pytest.raises(OSError, match="File name too long"):
            call(str(tmp_path / ("x" * 300)))
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError):
        native.write_tensors(str(tmp_path / "file" / "model"), {}, {})
    os.mkfifo(tmp_path / "pipe")
    for call in (native.read_tensors, lambda p: native.write_tensors(p, {}, {})):
        with pytest.raises(ValueError, match="not a regular file"):
            call(str(tmp_path / "pipe"))
        with pytest.raises(ValueError, match="not a regular file"):
            call("/dev/zero")
    name = "é\udcff".encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
    native.write_tensors(tmp_path / name, {}, {})


def test_write_keeps_mode_and_follows_umask_and_links(tmp_path):
    path = tmp_path / "model"
    old = os.umask(0o027)
    try:
        native.write_tensors(str(path), {}, {})
        assert path.stat().st_mode & 0o777 == 0o640
        path.chmod(0o604)
        link = tmp_path / "link"
        link.symlink_to("model")
        native.write_tensors(str(link), {"a": np.zeros(1)}, {})
    finally:
        os.umask(old)
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o604
    assert list(native.read_tensors(str(path))[0]) == ["a"]


def test_a_full_disk_leaves_the_old_file(tmp_path):
    path = tmp_path / "model"
    native.write_tensors(str(path), {"old": np.zeros(3)}, {})
    process = run(f"""
        import resource, signal, numpy as np
        from chainrule import _native as native
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        try:
            native.write_tensors({str(path)!r}, {{"new": np.zeros(100_000)}}, {{}})
        except OSError as error:
            print(error.errno)
    """)
    out, _ = process.communicate(timeout=30)
    assert out == "27\n"
    assert [p.name for p in tmp_path.iterdir()] == ["model"]
    assert list(native.read_tensors(str(path))[0]) == ["old"]


def packed(header, body=b"", claimed=None):
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(header) if claimed is None else claimed).to_bytes(8, "little") + header + body


def entry(shape, start, end, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"1234567",
        b"hello, this is text",
        b"\x89PNG\r\n\x1a\n" * 10,
        packed({}, b"x"),
        packed(b"{"),
        packed(b"[]"),
        packed({}, claimed=2**63),
        packed({}, claimed=100_000_001),
        packed({}, claimed=3),
        packed(b"\xff\xfe{}"),
        packed({"a": entry([2], 0, 8)}, b"1234"),
        packed({"a": entry([2], 0, 8)}, b"123456789"),
        packed({"a": entry([2], 0, 8), "b": entry([2], 4, 12)}, b"0" * 12),
        packed({"a": entry([2], 0, 8), "b": entry([2], 12, 20)}, b"0" * 20),
        packed({"a": entry([2**40, 2**40], 0, 8)}, b"0" * 8),
        packed({"a": entry([2**62], 0, 2**64 - 1)}, b"0" * 8),
        packed({"a": entry([-1], 0, 8)}, b"0" * 8),
        packed({"a": entry([1] * 65, 0, 4)}, b"0" * 4),
        packed({"a": entry([0, 2**63], 0, 0)}),
        packed({"a": entry([2], 0, 4, "F16")}, b"0" * 4),
        packed({"a": entry([2], 0, 8, "WHAT")}, b"0" * 8),
        packed({"a": {"dtype": "F32"}}),
        packed({"__metadata__": {"a": 1}}),
        packed(b"[" * 100_000),
        packed({"a": entry([1.5], 0, 6)}, b"0" * 6),
        packed(
            b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}',
            b"0" * 8,
        ),
    ],
)
def test_garbage_files_are_value_errors(tmp_path, content):
    path = tmp_path / "model"
    path.write_bytes(content)
    with pytest.raises((ValueError, MemoryError), match=r"is not a chainrule model: |allocat"):
        native.read_tensors(str(path))
