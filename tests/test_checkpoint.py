"""A saved network continues exactly, in another process too; for an invalid file the error says what is wrong."""

import copy
import json
import os
import pathlib
import pickle
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule import SGD, Adam, Dense, Dropout, Huber, LeakyReLU, Network, _native, checkpoint, registry
from chainrule.verification.case import Case

X = np.random.default_rng(0).standard_normal((30, 4))
Y = np.arange(30) % 3
OPTIMIZERS = [SGD(momentum=0.9, nesterov=True), *registry()["optimizer"]]


def network(**arguments):
    return Network([4, 6, Dropout(0.3), 3], **{"activation": "tanh", "loss": "cross_entropy", "seed": 5, **arguments})


def trained(**arguments):
    net = network(**arguments)
    net.fit(X, Y, epochs=4, batch_size=8)
    net.learning_rate = 0.007
    return net


def same_state(net, other):
    one, two = net.state_dict(), other.state_dict()
    return one.keys() == two.keys() and all(np.array_equal(one[key], two[key]) for key in one)


# ── Going on ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_fit_4_save_load_in_a_new_process_fit_6_equals_fit_10(tmp_path, optimizer, dtype):
    np.savez(tmp_path / "data.npz", X=X, Y=Y)
    net = network(optimizer=optimizer, dtype=dtype)
    net.fit(X, Y, epochs=4, batch_size=8)
    net.save(tmp_path / "four.safetensors")
    program = (
        "import numpy as np; from chainrule import Network; data = np.load('data.npz'); "
        "net = Network.load('four.safetensors'); net.fit(data['X'], data['Y'], epochs=6, batch_size=8); "
        "net.save('ten.safetensors')"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
    whole = network(optimizer=optimizer, dtype=dtype)
    whole.fit(X, Y, epochs=10, batch_size=8)
    resumed = Network.load(tmp_path / "ten.safetensors")
    assert same_state(resumed, whole)
    assert (resumed.epoch_count, resumed.step_count) == (10, 40)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_file_keeps_everything(tmp_path, optimizer):
    net = trained(optimizer=optimizer)
    net.save(tmp_path / "net")
    again = Network.load(tmp_path / "net")
    assert same_state(net, again)
    assert again.learning_rate == 0.007
    assert np.array_equal(again.predict(X), net.predict(X))


def test_file_without_training_state_begins_training_anew(tmp_path):
    net = trained()
    net.save(tmp_path / "net", training_state=False)
    tensors, _ = _native.read_tensors(str(tmp_path / "net"))
    assert sorted(tensors) == ["layers.0.bias", "layers.0.weight", "layers.2.bias", "layers.2.weight"]
    again = Network.load(tmp_path / "net")
    assert np.array_equal(again.parameters, net.parameters)
    assert (again.step_count, again.epoch_count) == (0, 0)
    assert not any(value.any() for name, value in again.state_dict().items() if name.startswith("optimizer."))


@pytest.mark.parametrize("kind", [str, pathlib.Path, os.fsencode])
def test_path_may_be_any_path(tmp_path, kind):
    path = kind(str(tmp_path / "nét 1.safetensors"))
    trained().save(path)
    assert same_state(Network.load(path), trained())


def test_saving_replaces_a_file_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "net"
    path.write_text("something else")
    trained().save(path)
    trained().save(path)
    assert same_state(Network.load(path), trained())
    assert list(tmp_path.iterdir()) == [path]


def test_saving_where_nothing_can_be_written_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        trained().save(tmp_path / "missing" / "net")
    with pytest.raises(IsADirectoryError):
        trained().save(tmp_path)
    with pytest.raises(TypeError, match="path must be a str"):
        trained().save(3)


def test_network_that_load_would_refuse_is_not_saved(tmp_path, monkeypatch):
    net = Network([2, 1], seed=0)
    net.save(path := tmp_path / "n.safetensors")
    before = path.read_bytes()
    state = net.state_dict()
    state["layers.0.weight"][:] = np.inf  # as Ctrl-C can leave them, in an epoch that diverges
    monkeypatch.setattr("chainrule.checkpoint.state_dict", lambda *_, **__: state)
    with pytest.raises(ValueError, match=r"layers\.0\.weight has a value that is not finite"):
        net.save(path)
    assert path.read_bytes() == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a test of POSIX systems")
@pytest.mark.parametrize("target", ["target", "second", "folder/target"])
def test_link_stays_and_its_target_is_made(tmp_path, target):
    (tmp_path / "folder").mkdir()
    (tmp_path / "second").symlink_to(tmp_path / "folder" / "third")
    (tmp_path / "link").symlink_to(target)
    for _ in range(2):
        trained().save(tmp_path / "link")
        assert (tmp_path / "link").is_symlink()
        assert same_state(Network.load((tmp_path / "link").resolve()), trained())
    assert (tmp_path / "second").is_symlink()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a test of POSIX systems")
def test_links_in_a_circle_are_an_os_error(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match="links"):
        trained().save(tmp_path / "a")
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a test of POSIX systems")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_file_that_may_not_be_written_to_is_not_replaced(tmp_path):
    path = tmp_path / "net"
    trained().save(path)
    path.chmod(0o444)
    old = path.read_bytes()
    net = Network([2, 1], seed=0)
    tmp_path.chmod(0o777)  # another user may replace files here
    child = os.fork()
    if child == 0:
        code = 1
        try:
            if os.getuid() == 0:  # who may write to any file
                os.chdir(tmp_path)
                os.setgid(65534)
                os.setuid(65534)
            net.save(os.path.relpath(path) if os.getuid() == 65534 else path)
        except PermissionError:
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert path.read_bytes() == old
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="no extended attributes here")
def test_saving_keeps_mode_owner_and_extended_attributes(tmp_path):
    path = tmp_path / "net"
    trained().save(path)
    path.chmod(0o640)
    attributes = {"user.note": b"mine", "user.empty": b"", "user.long": b"x" * 1000}
    try:
        for name, value in attributes.items():
            os.setxattr(path, name, value)
    except OSError:
        attributes = {}  # this file system has none
    if os.getuid() == 0:
        os.chown(path, 65534, 65533)
    before = path.stat()
    trained().save(path)
    after = path.stat()
    assert after.st_ino != before.st_ino
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert {name: os.getxattr(path, name) for name in attributes} == attributes


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a test of POSIX systems")
def test_next_save_removes_what_killed_writers_left(tmp_path):
    import fcntl

    for name in (".chainrule-killed.tmp", ".chainrule-lives.tmp", ".chainrule-mine", "chainrule-x.tmp"):
        (tmp_path / name).write_bytes(b"a part")
    (tmp_path / ".chainrule-folder.tmp").mkdir()
    (tmp_path / ".chainrule-link.tmp").symlink_to(tmp_path / "chainrule-x.tmp")
    with (tmp_path / ".chainrule-lives.tmp").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        trained().save(tmp_path / "net")
    left = {path.name for path in tmp_path.iterdir()}
    stays = {
        ".chainrule-lives.tmp",
        ".chainrule-mine",
        "chainrule-x.tmp",
        ".chainrule-folder.tmp",
        ".chainrule-link.tmp",
    }
    assert left == stays | {"net"}
    trained().save(tmp_path / "net")
    assert {path.name for path in tmp_path.iterdir()} == stays - {".chainrule-lives.tmp"} | {"net"}


NUMBERS = st.floats(min_value=0.0, exclude_min=True, allow_infinity=False)


@given(NUMBERS, NUMBERS, st.floats(0.0, 1.0, exclude_max=True), st.floats(0.0, 1.0, exclude_max=True))
def test_every_number_of_an_option_reaches_the_core_and_comes_back(rate, delta, beta, slope):
    optimizer = Adam(rate, beta_1=beta, eps=max(delta, 1e-300))
    net = Network(
        [1, 2, 1], activation=LeakyReLU(slope), loss=Huber(delta), optimizer=optimizer, dtype="float64", seed=0
    )
    assert net.learning_rate == rate
    assert json.loads(net._engine.native.config) == net.config
    other = Network.from_state_dict(net.state_dict())
    assert other.learning_rate == rate
    assert other.config == net.config
    net.learning_rate = delta
    assert pickle.loads(pickle.dumps(net)).learning_rate == delta  # noqa: S301


def sparse(path, header, size):
    """Write a header, and as many bytes as it claims without a place on disk."""
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + size)


@pytest.mark.parametrize("names", [["a"], ["layers.0.weight"], ["layers.0.weight", "layers.1.weight"]])
@pytest.mark.parametrize("config", [None, "small", "large"])
def test_tensors_are_read_only_where_they_are_those_of_the_config(tmp_path, names, config):
    n, each = 6 * 40_000_000, 24 * 40_000_000
    told = {**HEADER}
    if config:
        told["config"] = trained().config
    if config == "large":  # the first tensor is as it says, the others are not
        told["config"]["n_inputs"] = n // told["config"]["layers"][0]["units"]
    units = trained().config["layers"][0]["units"]
    shapes = [[n // units, units], *([[n]] * (len(names) - 1))]
    tensors = {
        name: {"dtype": "F32", "shape": shape, "data_offsets": [i * each, (i + 1) * each]}
        for i, (name, shape) in enumerate(zip(names, shapes, strict=True))
    }
    sparse(tmp_path / "net", {"__metadata__": {"chainrule": json.dumps(told)}, **tensors}, each * len(names))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"net: "):
            Network.load(tmp_path / "net")
        assert tracemalloc.get_traced_memory()[1] < 1 << 24
    finally:
        tracemalloc.stop()


def test_header_of_more_than_any_network_is_refused_unread(tmp_path):
    sparse(tmp_path / "net", {"__metadata__": {"chainrule": "[]," * 6_000_000}}, 0)
    with pytest.raises(ValueError, match="claims a header of 18000035 bytes"):
        Network.load(tmp_path / "net")


def test_state_dict_is_arrays_and_numbers_by_name():
    state = trained().state_dict()
    weights = ["layers.0.weight", "layers.0.bias", "layers.2.weight", "layers.2.bias"]
    moments = [f"optimizer.{moment}.{name}" for moment in "mv" for name in weights]
    assert set(state) == {"format_version", "config", "random_streams", "step", "epoch", *weights, *moments}
    assert state["layers.2.weight"].shape == (6, 3)
    assert (state["step"], state["epoch"]) == (16, 4)
    assert state["config"]["optimizer"]["learning_rate"] == 0.007
    json.dumps(state["config"])


def test_state_dict_is_a_copy():
    net = trained()
    state = net.state_dict()
    state["layers.0.weight"][...] = 0
    state["config"]["layers"].clear()
    assert same_state(net, trained())


@pytest.mark.parametrize("seed", [5, 6])
def test_load_state_dict_takes_everything_over(seed):
    net, other = trained(), network(seed=seed)
    other.load_state_dict(net.state_dict())
    assert same_state(net, other)
    assert other.seed == 5
    assert net.fit(X, Y).loss == other.fit(X, Y).loss


def test_load_state_dict_without_training_state_takes_the_parameters_only():
    net, other = trained(), network(seed=6, optimizer="sgd", dtype="float64")
    other.fit(X, Y)
    other.load_state_dict(net.state_dict(training_state=False))
    assert np.array_equal(other.parameters.astype("f4"), net.parameters)
    assert (other.seed, other.epoch_count, other.learning_rate) == (6, 1, 0.01)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"activation": "relu"}, r"config.layers\[0\].activation.name is 'tanh' .* in the state but 'relu'"),
        ({"optimizer": "adamw"}, "config.optimizer is .* in the state but"),
        ({"optimizer": "rmsprop"}, "config.optimizer"),
        ({"dtype": "float64"}, "config.dtype is 'float32' .* in the state but 'float64'"),
    ],
)
def test_state_of_another_network_is_refused(arguments, text):
    other = network(**arguments)
    before = other.copy()
    with pytest.raises(ValueError, match=f"{text}.*Network.from_state_dict"):
        other.load_state_dict(trained().state_dict())
    assert same_state(other, before)


def test_state_of_another_shape_is_refused():
    other = Network([4, 7, Dropout(0.3), 3], activation="tanh", loss="cross_entropy", seed=5)
    for training_state in (False, True):
        with pytest.raises(ValueError, match=r"config.layers\[0\].units is 6 \(int\) in the state but 7"):
            other.load_state_dict(trained().state_dict(training_state=training_state))


# ── Random streams ───────────────────────────────────────────────────────────────────────────────────────────────────

OLD = [
    lambda state: {key: value for key, value in state.items() if key != "random_streams"},
    lambda state: {**state, "random_streams": 1},
]


@pytest.mark.parametrize("old", OLD)
def test_state_from_before_todays_masks_is_read_with_a_warning(old, tmp_path):
    state = old(trained().state_dict())
    with pytest.warns(UserWarning, match="the masks of coming steps are not those that it would have drawn") as warned:
        again = Network.from_state_dict(state)
    assert len(warned) == 1
    assert same_state(again, trained())
    again.save(tmp_path / "net")
    assert same_state(Network.load(tmp_path / "net"), trained())  # written anew there is nothing to say


@pytest.mark.parametrize("how", ["from_state_dict", "load_state_dict", "load", "pickle"])
def test_the_warning_of_an_old_state_points_to_the_caller(how, tmp_path):
    state, net = OLD[0](trained().state_dict()), trained()
    checkpoint.write(tmp_path / "net", checkpoint.FORMAT, state)
    ways = {
        "from_state_dict": lambda: Network.from_state_dict(state),
        "load_state_dict": lambda: net.load_state_dict(state),
        "load": lambda: Network.load(tmp_path / "net"),
        "pickle": lambda: net.__setstate__({"state": state, "attributes": {}}),
    }
    with pytest.warns(UserWarning, match="dropout masks") as warned:
        ways[how]()
    assert [warning.filename for warning in warned] == [__file__]
    said = subprocess.run(
        [sys.executable, "-m", "chainrule", "info", tmp_path / "net"], capture_output=True, text=True, check=True
    )
    assert said.stderr == ""


@pytest.mark.parametrize("old", OLD)
def test_state_without_masks_or_training_is_read_silently(old):
    for layers in ([4, 6, 3], [4, 6, Dropout(0.0), 3]):
        net = Network(layers, loss="cross_entropy", seed=5)
        net.fit(X, Y, epochs=2)
        assert same_state(Network.from_state_dict(old(net.state_dict())), net)
    assert Network.from_state_dict(old(trained().state_dict(training_state=False))).step_count == 0


# ── Buffers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class Buffered:
    """A native network whose first layer has a buffer of 6 numbers, as no kind of layer has yet."""

    own = ("made", "mean")

    def __init__(self, config, *, draw=True, made=None, mean=None):
        self.made = made or native_network(config, draw=draw)
        self.mean = np.zeros(6, "f4") if mean is None else mean

    def __getattr__(self, name):
        return getattr(self.made, name)

    def __setattr__(self, name, value):
        object.__setattr__(self, name, value) if name in self.own else setattr(self.made, name, value)

    def buffer_tensors(self):
        return [("layers.0.mean", [6], 0)]

    def buffers(self):
        return self.mean.copy()

    def set_buffers(self, flat):
        self.mean = flat.copy()

    def copy(self):
        return Buffered(None, made=self.made.copy(), mean=self.mean)


native_network = _native.Network


@pytest.fixture
def buffered(monkeypatch):
    """A network with a buffer that is not as it began."""
    monkeypatch.setattr(_native, "Network", Buffered)
    monkeypatch.setattr(Dense, "buffers", lambda layer, n_in: {"mean": [0.0] * layer.units} if layer.units == 6 else {})
    net = trained()
    net._engine.native.set_buffers(np.arange(6, dtype="f4"))
    return net


@pytest.mark.parametrize("training_state", [True, False])
def test_buffers_are_kept_by_name(buffered, tmp_path, training_state):
    state = buffered.state_dict(training_state=training_state)
    assert state["layers.0.mean"].tolist() == [0, 1, 2, 3, 4, 5]
    buffered.save(tmp_path / "net", training_state=training_state)
    other = trained(seed=6)
    other.load_state_dict(state)
    for again in (other, Network.load(tmp_path / "net"), Network.from_state_dict(state), copy.copy(buffered)):
        assert np.array_equal(again.state_dict()["layers.0.mean"], state["layers.0.mean"])


def test_buffers_are_part_of_what_is_verified(buffered):
    case = Case(buffered._engine, X, Y, None)
    assert case.reference.buffers == [{"mean": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]}, {}, {}]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda state: state.pop("layers.0.mean"), "'layers.0.mean' is missing"),
        (lambda state: state.update({"layers.0.mean": np.zeros(7)}), r"layers.0.mean must have shape \(6,\)"),
        (lambda state: state.update({"layers.0.mean": np.full(6, np.nan)}), "layers.0.mean has a value that is not"),
        (lambda state: state.update({"layers.0.maen": np.zeros(6)}), "did you mean 'layers.0.mean'"),
    ],
)
def test_wrong_buffers_are_refused_by_name(buffered, change, text):
    state = buffered.state_dict()
    change(state)
    with pytest.raises(ValueError, match=text):
        Network.from_state_dict(state)


# ── What is not a network ────────────────────────────────────────────────────────────────────────────────────────────


def without(key):
    return lambda state: {k: v for k, v in state.items() if k != key}


def with_(**changes):
    return lambda state: {**state, **changes}


def with_tensor(name, value):
    return lambda state: {**state, name: value}


def with_config(**changes):
    return lambda state: {**state, "config": {**state["config"], **changes}}


WRONG = [
    (without("format_version"), "'format_version' is missing"),
    (with_(format_version=2), "format_version is 2, this chainrule .* reads up to 1.*written by a newer one"),
    (with_(format_version="1"), "format_version must be an integer"),
    (with_(format_version=0), "format_version must be an integer"),
    (with_(random_streams=3), "random_streams is 3, this chainrule .* reads up to 2.*written by a newer one"),
    (with_(random_streams=True), "random_streams must be an integer from 1"),
    (without("config"), "'config' is missing"),
    (with_(config=[]), "config: must be a dict"),
    (with_config(n_inputs=5), r"layers.0.weight must have shape \(5, 6\), as its config says, got \(4, 6\)"),
    (with_config(n_inputs=2**31 - 1), r"layers.0.weight must have shape \(2147483647, 6\)"),
    (with_config(n_inputs="4"), "config: "),
    (with_config(spped=1), "'spped' is unknown"),
    (with_config(loss={"name": "triplet"}), "'triplet' is unknown"),
    (with_config(loss={"name": "mse", "weight": 1}), "'weight' is unknown"),
    (with_config(optimizer={"name": "sgd"}), "lacks"),
    (with_config(seed=-1), "seed must be"),
    (without("step"), "'step' is missing"),
    (without("epoch"), "'epoch' is missing"),
    (with_(step=-1), "step must be an integer from 0"),
    (with_(step=1.5), "step must be an integer from 0"),
    (with_(epoch=2**60), "epoch must be an integer from 0"),
    (without("layers.0.weight"), "'layers.0.weight' is missing"),
    (without("layers.2.bias"), "'layers.2.bias' is missing"),
    (without("optimizer.m.layers.2.bias"), "'optimizer.m.layers.2.bias' is missing"),
    (with_tensor("layers.1.weight", np.zeros((6, 6))), "'layers.1.weight' is unknown"),
    (with_tensor("layer.0.weight", np.zeros(1)), "'layer.0.weight' is unknown; did you mean 'layers.0.weight'"),
    (with_tensor("optimizer.velocity.layers.0.bias", np.zeros(6)), "is unknown"),
    (with_tensor("layers.0.weight", np.zeros((6, 4))), r"layers.0.weight must have shape \(4, 6\)"),
    (with_tensor("layers.0.weight", np.zeros(24)), r"layers.0.weight must have shape \(4, 6\)"),
    (with_tensor("layers.0.bias", np.full(6, np.nan)), "layers.0.bias has a value that is not finite"),
    (with_tensor("optimizer.v.layers.0.bias", np.full(6, np.inf)), "optimizer.v.layers.0.bias has a value"),
]


@pytest.mark.parametrize(("change", "text"), WRONG, ids=[text[:50] for _, text in WRONG])
def test_wrong_state_is_refused_by_name_and_changes_nothing(change, text):
    wrong = change(trained().state_dict())
    with pytest.raises(ValueError, match=text):
        Network.from_state_dict(wrong)
    net = trained()
    with pytest.raises(ValueError, match=text):
        net.load_state_dict(wrong)
    assert same_state(net, trained())


@pytest.mark.parametrize(("change", "text"), WRONG, ids=[text[:50] for _, text in WRONG])
def test_wrong_file_is_refused_by_name(tmp_path, change, text):
    state = change(trained().state_dict())
    header = {key: value for key, value in state.items() if not isinstance(value, np.ndarray)}
    write(tmp_path / "net", {"format": checkpoint.FORMAT, **header}, state)
    with pytest.raises(ValueError, match=rf"net: .*{text}"):
        Network.load(tmp_path / "net")


def write(path, header, state):
    tensors = {name: value for name, value in state.items() if isinstance(value, np.ndarray)}
    metadata = {} if header is None else {"chainrule": header if isinstance(header, str) else json.dumps(header)}
    _native.write_tensors(str(path), tensors, metadata)


HEADER = {"format": checkpoint.FORMAT, "format_version": 1}


@pytest.mark.parametrize(
    ("header", "text"),
    [
        (None, "not written by chainrule"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "must be an object"),
        ({}, "its format is None .*not a network"),
        (
            {"format": "chainrule.tabular"},
            r"its format is 'chainrule.tabular'.*it is read by .*TabularModel.load.*chainrule predict",
        ),
        ({"format": "pt"}, "its format is 'pt' .*which is not a network"),
        ({"format": ["chainrule.network"]}, "its format is"),
        ({**HEADER, "layers.0.weight": [1]}, "its metadata hold 'layers.0.weight', which is unknown there"),
        ({**HEADER, "code": "import os"}, "its metadata hold 'code', which is unknown there"),
        ({**HEADER, "config": {}}, "config: config lacks"),
        ('{"format": "chainrule.network", "format_version": NaN}', "format_version must be an integer"),
        ('{"format": "chainrule.network", "format_version": 1' + "0" * 6000 + "}", "not JSON|format_version"),
    ],
)
def test_file_of_something_else_is_refused(tmp_path, header, text):
    write(tmp_path / "net", header, trained().state_dict())
    with pytest.raises(ValueError, match=rf"net: .*{text}"):
        Network.load(tmp_path / "net")


def test_missing_file_is_file_not_found(tmp_path):
    with pytest.raises(FileNotFoundError):
        Network.load(tmp_path / "net")


@given(st.data())
def test_damaged_files_are_a_value_error_or_a_network(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("damaged")
    trained().save(folder / "whole")
    whole = (folder / "whole").read_bytes()
    if data.draw(st.booleans()):
        damaged = whole[: data.draw(st.integers(0, len(whole) - 1))]
    else:
        damaged = bytearray(whole)
        for _ in range(data.draw(st.integers(1, 5))):
            damaged[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    (folder / "damaged").write_bytes(damaged)
    try:
        net = Network.load(folder / "damaged")
    except ValueError as error:
        assert str(error).startswith(str(folder / "damaged"))
    else:
        assert np.isfinite(net.parameters).all()


def test_config_that_promises_more_than_the_file_holds_takes_no_memory(tmp_path):
    state = trained().state_dict()
    config = {**state["config"], "n_inputs": 2**31 - 1}
    config["layers"] = [{**config["layers"][0], "units": 2**31 - 1}, *config["layers"][1:]]
    write(tmp_path / "net", {**HEADER, "config": config}, {})
    with pytest.raises(ValueError, match=r"'layers.0.weight' is missing"):
        Network.load(tmp_path / "net")
