"""Every public function with odd values in place of each argument: a result, or an exception that is documented."""

import dataclasses
import inspect
import warnings

import numpy as np
import pytest

import chainrule
from chainrule import History, Network, gradcheck, metrics, reference, schedules, verify
from chainrule.reference.config import OPTIONS

ALLOWED = (TypeError, ValueError, MemoryError, OverflowError)
X, Y = np.array([[1.0, 2.0], [0.5, -1.0], [0.0, 1.0]]), np.array([[1.0], [0.0], [0.5]])

ODD = {
    "None": None,
    "True": True,
    "zero": 0,
    "minus one": -1,
    "large": 2**31,
    "huge": 10**5000,
    "minus huge": -(10**400),
    "float": 0.5,
    "nan": float("nan"),
    "inf": float("inf"),
    "denormal": 5e-324,
    "complex": 1j,
    "text": "abc",
    "empty text": "",
    "surrogate": "\ud800",
    "bytes": b"abc",
    "object": object(),
    "class": Network,
    "function": lambda *_: 0.5,
    "empty list": [],
    "list": [1, 2],
    "ragged": [[1], [1, 2]],
    "texts": ["a", "b"],
    "nones": [None, None],
    "nested": [[[[[1.0]]]]],
    "dict": {"a": 1},
    "empty dict": {},
    "dict of numbers": {1: 2},
    "set": {1, 2},
    "0-d": np.array(1.0),
    "1-d": np.ones(3),
    "3-d": np.ones((2, 2, 2)),
    "no columns": np.ones((3, 0)),
    "ints": np.ones((3, 2), np.int8),
    "bools": np.ones((3, 2), bool),
    "texts of numpy": np.array(["a", "b"]),
    "objects": np.array([None, 1], object),
    "dates": np.zeros(3, "M8[s]"),
    "records": np.zeros(3, "f4,f4"),
    "float16": np.ones((3, 2), np.float16),
    "broadcast": np.broadcast_to(np.int64(1), (2**40, 3)),
    "numpy number": np.float32(0.5),
    "numpy nan": np.float64("nan"),
    "masked": np.ma.masked_array([1.0, 2.0], mask=[True, False]),
    "memoryview": memoryview(np.ones((2, 2))),
    "memoryview 0-d": memoryview(np.array(1.0)),
    "bytearray": bytearray(b"ab"),
    "range": range(3),
    "slice": slice(3),
    "ellipsis": ...,
    "exception": ValueError("odd"),
}
# Where a broadcast array of 2**40 rows is read row by row, which is what it was asked for.
READS_ROWS = {"X", "y", "d_output", "y_true", "y_pred", "out", "sample_weight"}


def small(kind=Network, **more):
    return kind([2, 2, 1], **{"seed": 0, **more})


def total(output):
    return float(output.sum()), np.ones_like(output)


NATIVE, REFERENCE = small(), small(reference.Network)
STATE = NATIVE.state_dict()


def fresh(net):
    return net.copy() if isinstance(net, Network) else small(type(net))


def method(net, name):
    """Return a call of a method on a copy, so that one call does not disturb the next."""

    def call(**arguments):
        return getattr(fresh(net), name)(**arguments)

    return call


def setting(net, name):
    return lambda value: setattr(fresh(net), name, value)


def history(epoch, logs):
    one = History()
    one.append(epoch, logs)
    return repr(one), one.val_loss, list(one.items())


def pickled(state):
    return object.__new__(Network).__setstate__(state)


# Every public function with arguments that are right.
BATCH = {"X": X, "y": Y, "sample_weight": [1.0, 2.0, 1.0]}
NETWORK = {
    "layers": [2, 2, 1], "activation": "relu", "output_activation": "identity", "loss": "mse", "optimizer": "adam",
    "init": "zeros", "dtype": "float32", "seed": 0, "n_threads": 1,
}  # fmt: skip
FIT = {**BATCH, "epochs": 1, "batch_size": 2, "shuffle": True, "validation_data": (X, Y)}
CALLS = {
    "Network": (Network, NETWORK),
    "Network.from_config": (Network.from_config, {"config": NATIVE.config}),
    "Network.from_state_dict": (Network.from_state_dict, {"state": STATE}),
    "Network.load": (Network.load, {"path": "missing"}),
    "Network.__setstate__": (pickled, {"state": NATIVE.__getstate__()}),
    "Network.summary": (method(NATIVE, "summary"), {"plan": True}),
    "Network.forward": (method(NATIVE, "forward"), {"X": X, "training": False, "out": None}),
    "Network.predict": (method(NATIVE, "predict"), {"X": X, "out": None}),
    "Network.evaluate": (method(NATIVE, "evaluate"), {**BATCH, "metrics": ["mae"]}),
    "Network.gradient": (method(NATIVE, "gradient"), {**BATCH, "training": True}),
    "Network.backward": (method(NATIVE, "backward"), {"X": X, "d_output": Y, "training": True}),
    "Network.trace": (method(NATIVE, "trace"), BATCH),
    "Network.explain": (method(NATIVE, "explain"), {**BATCH, "limit": 9, "digits": 3}),
    "Network.step": (method(NATIVE, "step"), BATCH),
    "Network.apply_gradient": (method(NATIVE, "apply_gradient"), {"gradient": np.zeros(9)}),
    "Network.fit": (method(NATIVE, "fit"), {**FIT, "metrics": ["mae"], "callbacks": [], "progress": False}),
    "Network.verify": (method(NATIVE, "verify"), {**BATCH, "n_parameters": 9, "n_rows": 3, "seed": 0}),
    "Network.state_dict": (method(NATIVE, "state_dict"), {"training_state": True}),
    "Network.load_state_dict": (method(NATIVE, "load_state_dict"), {"state": STATE}),
    "reference.Network": (reference.Network, NETWORK),
    "reference.Network.from_config": (reference.Network.from_config, {"config": NATIVE.config}),
    "reference.Network.forward": (method(REFERENCE, "forward"), {"X": X, "training": False}),
    "reference.Network.predict": (method(REFERENCE, "predict"), {"X": X}),
    "reference.Network.evaluate": (method(REFERENCE, "evaluate"), BATCH),
    "reference.Network.gradient": (method(REFERENCE, "gradient"), {**BATCH, "training": True}),
    "reference.Network.backward": (method(REFERENCE, "backward"), {"X": X, "d_output": Y, "training": True}),
    "reference.Network.trace": (method(REFERENCE, "trace"), BATCH),
    "reference.Network.step": (method(REFERENCE, "step"), BATCH),
    "reference.Network.apply_gradient": (method(REFERENCE, "apply_gradient"), {"gradient": [0.0] * 9}),
    "reference.Network.fit": (method(REFERENCE, "fit"), FIT),
    "verify": (verify, {"network": NATIVE, **BATCH, "n_parameters": 9, "n_rows": 3, "seed": 0}),
    "gradcheck": (
        gradcheck,
        {
            "network": NATIVE,
            "X": X,
            "loss": total,
            "n_parameters": 9,
            "seed": 0,
            "eps": 1e-6,
            "atol": 1e-5,
            "rtol": 1e-3,
        },
    ),
    "History.append": (history, {"epoch": 1, "logs": {"loss": 1.0}}),
}
for _name, _function in metrics.METRICS.items():
    CALLS[f"metrics.{_name}"] = (_function, {"y_true": Y, "y_pred": Y, "sample_weight": [1.0, 2.0, 1.0]})
for _net in (NATIVE, REFERENCE):
    for _name in ("parameters", "weights", "biases", "learning_rate", "optimizer"):
        _kind = "" if _net is NATIVE else "reference."
        CALLS[f"{_kind}Network.{_name} ="] = (setting(_net, _name), {"value": getattr(_net, _name)})
for _name, _option in OPTIONS.items():
    _fields = {field.name: 0.5 for field in dataclasses.fields(_option) if field.default is dataclasses.MISSING}
    _given = {**_fields, **({"units": 3} if "units" in _fields else {})}
    CALLS[_name] = (_option, {**vars(_option(**_given))})
for _name in schedules.__all__:
    CALLS[f"schedules.{_name}"] = (getattr(schedules, _name), {"rate": 0.5, "steps": 6, "warmup": 2, "end": 0.1})
# What takes no data: registries, plots (tests/test_plots.py), results that are not built by users.
ELSEWHERE = {"Explanation", "Gradient", "LayerTrace", "Report", "DivergenceError", "InternalError", "registry"}
ELSEWHERE |= {"__version__", "examples", "plots", "metrics", "reference", "schedules", "History"}
METHODS_ELSEWHERE = {"copy", "save"}  # tests/test_checkpoint.py


def odd_calls():
    for name, (_, right) in CALLS.items():
        for argument in right:
            yield name, argument


def test_every_public_function_is_called():
    called = {name.removesuffix(" =") for name in CALLS}
    assert {name for name in chainrule.__all__ if name not in called} <= ELSEWHERE
    for kind, prefix in ((Network, "Network"), (reference.Network, "reference.Network")):
        for name, value in vars(kind).items():
            settable = isinstance(value, property) and value.fset is not None
            if not name.startswith("_") and (settable or inspect.isroutine(value)) and name not in METHODS_ELSEWHERE:
                assert f"{prefix}.{name}" in called


@pytest.mark.parametrize("name", CALLS)
def test_right_arguments_are_taken(name):
    call, right = CALLS[name]
    if name != "Network.load":
        call(**right)


@pytest.mark.parametrize(("name", "argument"), list(odd_calls()))
def test_odd_values_raise_nothing_else_than_documented(name, argument):
    call, right = CALLS[name]
    allowed = (*ALLOWED, OSError) if name == "Network.load" else ALLOWED
    for odd, value in ODD.items():
        if odd == "broadcast" and argument in READS_ROWS:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                call(**{**right, argument: value})
            except allowed as error:
                assert str(error), (odd, type(error))
                assert len(str(error)) < 1000, odd
            except Exception as error:  # noqa: BLE001 - what the test looks for
                pytest.fail(f"{name}({argument}={odd}): {type(error).__name__}: {error}")
