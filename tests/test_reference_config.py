"""Constructor arguments: their meaning, the messages for wrong ones, and the round trip through JSON."""

import copy
import dataclasses
import json
import pickle
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.reference import (
    ELU,
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    AMSGrad,
    BinaryFocal,
    Constant,
    CrossEntropy,
    Dense,
    Dropout,
    Focal,
    GaussianNLL,
    HeNormal,
    Huber,
    LayerNorm,
    LeakyReLU,
    Lion,
    NAdam,
    Orthogonal,
    Quantile,
    RAdam,
    ReLU,
    RMSprop,
    Rprop,
    Sigmoid,
    Tanh,
    TruncatedNormal,
    Zeros,
    config,
)
from chainrule.reference.config import REGISTRIES, from_config, resolve, to_config
from chainrule.reference.options import short

from . import strategies

NAN, INF = float("nan"), float("inf")


def test_config_of_a_network_is_complete():
    spec = resolve([64, Dense(100, l2=0.1), Dropout(0.5), 10], loss="cross_entropy", seed=123)
    assert to_config(spec) == {
        "n_inputs": 64,
        "layers": [
            {
                "kind": "dense",
                "units": 100,
                "activation": {"name": "relu"},
                "bias": True,
                "init": {"name": "glorot_uniform"},
                "l2": 0.1,
            },
            {"kind": "dropout", "rate": 0.5},
            {
                "kind": "dense",
                "units": 10,
                "activation": {"name": "identity"},
                "bias": True,
                "init": {"name": "glorot_uniform"},
                "l2": 0.0,
            },
        ],
        "loss": {"name": "cross_entropy", "label_smoothing": 0.0},
        "optimizer": {"name": "adam", "learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999, "eps": 1e-08},
        "dtype": "float32",
        "seed": 123,
        "n_threads": None,
    }


def test_layers_without_their_own_say_take_the_networks():
    spec = resolve(
        [3, 4, Dense(5, activation="sigmoid", init="zeros"), Dense(2)],
        activation="tanh",
        output_activation=LeakyReLU(0.2),
        init=HeNormal(),
    )
    assert [layer.activation for layer in spec.layers] == [Tanh(), Sigmoid(), LeakyReLU(0.2)]
    assert [layer.init for layer in spec.layers] == [HeNormal(), Zeros(), HeNormal()]


def test_a_name_is_the_option_with_its_defaults():
    assert resolve([1, 1], optimizer="rmsprop").optimizer == RMSprop()
    assert Dense(3, activation="relu") == Dense(3, activation=ReLU())


def test_numpy_numbers_and_dtypes_are_taken():
    spec = resolve(
        np.array([4, 3]),
        optimizer=Adam(learning_rate=np.float32(0.5)),
        dtype=np.float64,
        seed=np.int64(7),
        n_threads=np.uint8(2),
    )
    assert json.loads(json.dumps(to_config(spec))) == to_config(spec)
    assert (spec.n_inputs, spec.seed, spec.n_threads, spec.dtype) == (4, 7, 2, "float64")
    assert resolve([1, 1], dtype=np.dtype("float32")).dtype == "float32"
    assert Dense(np.int32(3), bias=np.True_, l2=1) == Dense(3, bias=True, l2=1.0)


def test_a_seed_is_drawn_where_none_is_given():
    seeds = {resolve([1, 1]).seed for _ in range(10)}
    assert len(seeds) == 10
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_every_option_is_exported_and_frozen():
    import chainrule.reference

    for kinds in REGISTRIES.values():
        for kind in kinds.values():
            assert getattr(chainrule.reference, kind.__name__) is getattr(chainrule, kind.__name__) is kind
            assert kind.__name__ in chainrule.reference.__all__
            assert kind.__name__ in chainrule.__all__
            assert kind.__dataclass_params__.frozen
            assert kind.__doc__


OPTIONS = [
    kind(**{"units": 3} if kind is Dense else {"rate": 0.5} if kind is Dropout else {})
    for kinds in REGISTRIES.values()
    for kind in kinds.values()
]


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_option_is_a_value(option):
    fields = {field.name: getattr(option, field.name) for field in dataclasses.fields(option)}
    twin = type(option)(**fields)
    assert twin is not option
    assert twin == option
    assert hash(twin) == hash(option)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(option, protocol)) == option  # noqa: S301 - its own
    assert dataclasses.replace(option) == copy.copy(option) == copy.deepcopy(option) == option
    assert repr(option) == f"{type(option).__name__}({', '.join(f'{key}={value!r}' for key, value in fields.items())})"
    assert [other for other in OPTIONS if other == option] == [option]
    assert option != option.name
    for name, value in fields.items():
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(option, name, value)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (Dropout, "Dropout() lacks a value: write Dropout(rate=...)"),
        (Dense, "Dense() lacks a value: write Dense(units=...)"),
        (lambda: Dense(activation="relu"), "Dense() lacks a value: write Dense(units=...)"),
        (
            lambda: LayerNorm(4),
            "LayerNorm() takes no number of units, it has as many as the layer before; eps is given",
        ),
        (lambda: LayerNorm(normalized_shape=4), "LayerNorm() takes no number of units, it has as many as the layer"),
        (lambda: LayerNorm(epsilon=0.1), "got an unexpected keyword argument 'epsilon'; did you mean 'eps'?"),
    ],
)
def test_option_with_a_value_missing_or_too_many_says_what_to_write(make, text):
    with pytest.raises(TypeError, match=re.escape(text)):
        make()


def test_options_with_other_fields_differ():
    assert Adam(0.1) != Adam(0.2)
    assert len({Adam(0.1), Adam(0.1), Adam(0.2), AdamW(0.1)}) == 3


# ── There and back ───────────────────────────────────────────────────────────────────────────────────────────────────

unit = st.floats(0.0, 1.0, exclude_max=True)
positive = st.floats(0.0, 1e300, exclude_min=True)
with_a_parameter = st.builds(LeakyReLU, unit) | st.builds(ELU, positive)
activations = st.sampled_from([kind() for kind in REGISTRIES["activation"].values()]) | with_a_parameter
inits = (
    st.sampled_from(sorted(REGISTRIES["init"]))
    | st.builds(TruncatedNormal, positive)
    | st.builds(Orthogonal, positive)
    | st.builds(Constant, st.floats(-1e300, 1e300))
)
dense = st.builds(
    Dense,
    st.integers(1, 2**31 - 1),
    activation=st.none() | activations,
    bias=st.booleans(),
    init=st.none() | inits,
    l2=st.floats(0.0, 1e300),
)
optimizers = (
    st.builds(SGD, positive, unit)
    | st.builds(Adam, positive, unit, unit, positive)
    | st.builds(AdamW, positive, unit, unit, positive, st.floats(0.0, 1e300))
    | st.builds(AMSGrad, positive, unit, unit, positive)
    | st.builds(Adamax, positive, unit, unit, positive)
    | st.builds(NAdam, positive, unit, unit, positive, st.floats(0.0, 1e300))
    | st.builds(RAdam, positive, unit, unit, positive)
    | st.builds(RMSprop, positive, unit, positive)
    | st.builds(Adagrad, positive, positive)
    | st.builds(Adadelta, positive, unit, positive)
    | st.builds(
        Rprop,
        positive,
        st.floats(0.0, 1.0, exclude_min=True, exclude_max=True),
        st.floats(1.0, 1e300, exclude_min=True),
        st.floats(0.0, 1.0, exclude_min=True),
        st.floats(1.0, 1e300),
    )
    | st.builds(Lion, positive, unit, unit, st.floats(0.0, 1e300))
)


@given(
    n_inputs=st.integers(1, 2**31 - 1),
    hidden=st.lists(dense | st.builds(Dropout, unit), max_size=5),
    units=st.integers(2, 100),
    loss=strategies.losses(),
    optimizer=optimizers,
    init=inits,
    dtype=st.sampled_from(["float32", "float64"]),
    seed=st.none() | st.integers(0, 2**63 - 1),
    n_threads=st.none() | st.integers(1, 64),
)
def test_config_goes_through_json_and_back(n_inputs, hidden, units, **arguments):
    spec = resolve([n_inputs, *hidden, strategies.n_outputs(arguments["loss"], units)], **arguments)
    assert from_config(json.loads(json.dumps(to_config(spec), allow_nan=False))) == spec


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


def places(entry, path=()):
    """Yield the way to every value inside a config."""
    items = entry.items() if isinstance(entry, dict) else enumerate(entry) if isinstance(entry, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from places(value, (*path, key))


@given(st.data())
def test_a_config_with_anything_else_in_it_is_a_value_error_or_valid(data):
    entry = to_config(resolve([4, Dense(5, activation=LeakyReLU()), Dropout(0.5), 3], seed=0))
    path = data.draw(st.sampled_from(list(places(entry))))
    inner = entry
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = data.draw(ANYTHING)
    try:
        spec = from_config(entry)
    except ValueError as error:
        assert str(error).startswith("config: ")
    else:
        assert from_config(to_config(spec)) == spec


@given(ANYTHING)
def test_anything_is_no_config(entry):
    with pytest.raises(ValueError, match="config: "):
        from_config(entry)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda c: c.pop("loss"), "config lacks 'loss'"),
        (lambda c: c.update(dtpye="float32"), "key of config 'dtpye' is unknown; did you mean 'dtype'?"),
        (lambda c: c["layers"][0].pop("bias"), r"layers\[0\] lacks 'bias'"),
        (lambda c: c["layers"][0].update(kind="dens"), "'dens' is unknown; did you mean 'dense'?"),
        (lambda c: c["layers"][0].update(activation="relu"), r"layers\[0\].activation must be a dict with a 'name'"),
        (lambda c: c["optimizer"].update(momentum=0.9), "key of optimizer 'momentum' is unknown"),
        (lambda c: c.update(seed=None), "seed must be an integer"),
        (lambda c: c.update(layers=[]), "at least one Dense layer"),
        (lambda c: c.update(layers={}), "layers must be a list"),
    ],
)
def test_config_that_is_wrong_says_where(change, text):
    entry = to_config(resolve([4, 3], seed=0))
    change(entry)
    with pytest.raises(ValueError, match="config: .*" + text):
        from_config(entry)


# ── What is refused ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        # names
        ({"activation": "rleu"}, ValueError, "activation 'rleu' is unknown; did you mean 'relu'? (known: identity, "),
        ({"activation": "ReLU"}, ValueError, "did you mean 'relu'?"),
        ({"output_activation": "sigmod"}, ValueError, "output_activation 'sigmod' is unknown; did you mean 'sigmoid'?"),
        ({"activation": "xyzzy"}, ValueError, "activation 'xyzzy' is unknown (known: identity, sigmoid, tanh, relu, "),
        ({"loss": "crossentropy"}, ValueError, "loss 'crossentropy' is unknown; did you mean 'cross_entropy'?"),
        ({"optimizer": "adm"}, ValueError, "optimizer 'adm' is unknown; did you mean 'adam'?"),
        ({"init": "he"}, ValueError, "init 'he' is unknown"),
        ({"dtype": "float16"}, ValueError, "dtype 'float16' is unknown"),
        ({"dtype": "float31"}, ValueError, "did you mean 'float32'? (known: float32, float64)"),
        ({"dtype": float}, ValueError, "dtype 'float' is unknown"),
        ({"dtype": np.int32}, ValueError, "dtype 'int32' is unknown"),
        # types
        ({"activation": None}, TypeError, "activation must be one of the names identity, sigmoid, "),
        ({"activation": ReLU}, TypeError, "activation must be an option, not its class: write ReLU(), not ReLU"),
        ({"activation": Adam()}, TypeError, "not Adam(learning_rate=0.001, beta_1=0.9"),
        ({"loss": CrossEntropy}, TypeError, "write CrossEntropy()"),
        ({"optimizer": 0.1}, TypeError, "optimizer must be one of the names sgd, adam, adamw, amsgrad, adamax, "),
        ({"init": 3}, TypeError, "init must be one of the names"),
        ({"dtype": 32}, TypeError, "dtype must be one of float32, float64, not 32 (int)"),
        ({"dtype": None}, TypeError, "dtype must be one of float32, float64, not None"),
        # counts
        ({"seed": -1}, ValueError, "seed must be an integer from 0 to 9223372036854775807, not -1"),
        ({"seed": 2**63}, ValueError, "seed must be an integer from 0 to"),
        ({"seed": 1.0}, TypeError, "seed must be an integer from 0 to 9223372036854775807, not 1.0 (float)"),
        ({"seed": True}, TypeError, "not True (bool)"),
        ({"seed": np.array([1, 2])}, TypeError, "seed must be an integer"),
        ({"n_threads": 0}, ValueError, "n_threads must be an integer from 1 to"),
        ({"n_threads": "2"}, TypeError, "n_threads must be an integer from 1 to"),
        # layers
        ({"layers": 4}, TypeError, "layers must be a sequence such as [4, 8, 3], not 4 (int)"),
        ({"layers": "4, 3"}, TypeError, "layers must be a sequence"),
        ({"layers": {4: 3}}, TypeError, "layers must be a sequence"),
        ({"layers": (n for n in (4, 3))}, TypeError, "layers must be a sequence"),
        (
            {"layers": []},
            ValueError,
            "the number of inputs and at least one Dense layer, such as [4, 1], not [] (list)",
        ),
        ({"layers": [4]}, ValueError, "at least one Dense layer"),
        ({"layers": [Dense(4), 3]}, TypeError, "layers[0] must be the number of inputs, an integer, not Dense(units=4"),
        (
            {"layers": [0, 3]},
            ValueError,
            "layers[0], the number of inputs, must be an integer from 1 to 2147483647, not 0",
        ),
        ({"layers": [4.0, 3]}, TypeError, "layers[0], the number of inputs, must be an integer"),
        (
            {"layers": [4, 0]},
            ValueError,
            "layers[1], a number of units, must be an integer from 1 to 2147483647, not 0",
        ),
        ({"layers": [4, 3, -2]}, ValueError, "layers[2], a number of units, must be an integer from 1"),
        ({"layers": [4, 2**31]}, ValueError, "layers[1], a number of units, must be an integer from 1"),
        (
            {"layers": [4, 3.0]},
            TypeError,
            "layers[1] must be a number of units (an integer) or Dense(...) or Dropout(...)",
        ),
        ({"layers": [4, True]}, TypeError, "layers[1] must be a number of units"),
        ({"layers": [4, None]}, TypeError, "layers[1] must be a number of units"),
        ({"layers": [4, "3"]}, TypeError, "not '3' (str)"),
        ({"layers": [4, ReLU()]}, TypeError, "not ReLU() (ReLU)"),
        ({"layers": [4, Dropout, 3]}, TypeError, "layers[1] is the class Dropout: write Dropout(...), with its fields"),
        ({"layers": [4, "layer_norm", 3]}, TypeError, "layers[1] is the name of LayerNorm: write LayerNorm(...), with"),
        ({"layers": [4, "Dropout", 3]}, TypeError, "layers[1] is the name of Dropout: write Dropout(...), with"),
        ({"layers": [4, 3, Dropout(0.5)]}, ValueError, "put it before the last Dense layer"),
        (
            {"layers": [4, Dropout(0.5)]},
            ValueError,
            "the last of layers is Dropout(rate=0.5), but the last layer makes",
        ),
        # loss and output
        (
            {"loss": "cross_entropy", "output_activation": "softmax"},
            ValueError,
            'it would be applied twice. Use output_activation="identity"',
        ),
        (
            {"loss": "binary_cross_entropy", "layers": [4, Dense(2, activation="sigmoid")]},
            ValueError,
            "binary_cross_entropy takes the output before the sigmoid and applies it itself",
        ),
        (
            {"loss": "cross_entropy", "layers": [4, 1]},
            ValueError,
            "cross_entropy needs at least 2 outputs, one a class, but the last layer has 1; for two classes from",
        ),
        (
            {"loss": "gaussian_nll"},
            ValueError,
            "the logarithms of the variances, but the last of layers has 3: for 3 targets it must have 6",
        ),
    ],
)
def test_constructor_refuses(arguments, error, text):
    arguments = {"layers": [4, 8, 3], **arguments}
    with pytest.raises(error) as caught:
        config.resolve(arguments.pop("layers"), **arguments)
    assert text in str(caught.value)
    assert type(caught.value) is error


def test_what_looks_like_a_repeated_link_but_is_none_is_allowed():
    for output, loss in (("softmax", "mse"), ("sigmoid", "half_squared_error"), ("sigmoid", "cross_entropy")):
        resolve([4, 3], output_activation=output, loss=loss)
    resolve([4, Dense(3, activation="softmax"), 3], loss="cross_entropy")


ADAM = {"learning_rate": "(0, inf)", "beta_1": "[0, 1)", "beta_2": "[0, 1)", "eps": "(0, inf)"}
# Every number of every option: the interval that it may lie in.
INTERVALS = {
    LeakyReLU: {"negative_slope": "[0, 1)"},
    ELU: {"alpha": "[0, inf)"},
    SGD: {"learning_rate": "(0, inf)", "momentum": "[0, 1)"},
    Adam: ADAM,
    AdamW: {**ADAM, "weight_decay": "[0, inf)"},
    AMSGrad: ADAM,
    Adamax: ADAM,
    NAdam: {**ADAM, "momentum_decay": "[0, inf)"},
    RAdam: ADAM,
    Huber: {"delta": "(0, inf)"},
    Quantile: {"quantile": "(0, 1)"},
    GaussianNLL: {"eps": "(0, inf)"},
    CrossEntropy: {"label_smoothing": "[0, 1)"},
    Focal: {"gamma": "[0, inf)"},
    BinaryFocal: {"gamma": "[0, inf)", "alpha": "[0, 1]"},
    RMSprop: {"learning_rate": "(0, inf)", "rho": "[0, 1)", "eps": "(0, inf)"},
    Adagrad: {"learning_rate": "(0, inf)", "eps": "(0, inf)"},
    Adadelta: {"learning_rate": "(0, inf)", "rho": "[0, 1)", "eps": "(0, inf)"},
    Rprop: {
        "learning_rate": "(0, inf)",
        "eta_minus": "(0, 1)",
        "eta_plus": "(1, inf)",
        "step_min": "(0, inf)",
        "step_max": "(0, inf)",
    },
    Lion: {"learning_rate": "(0, inf)", "beta_1": "[0, 1)", "beta_2": "[0, 1)", "weight_decay": "[0, inf)"},
    TruncatedNormal: {"std": "(0, inf)"},
    Orthogonal: {"gain": "(0, inf)"},
    Constant: {"value": "(-inf, inf)"},
    Dropout: {"rate": "[0, 1)"},
    LayerNorm: {"eps": "[1e-45, 3e38]"},  # else it is 0 or infinite in float32
    Dense: {"l2": "[0, inf)"},
}
REST = {Dense: {"units": 3}, Rprop: {"step_min": 5e-324, "step_max": 1e308}}
# Numbers outside and inside of each interval.
OUTSIDE = {
    "[0, 1)": [-1e-300, -1, 1, 1.5],
    "[0, 1]": [-1e-300, -1, 1 + 1e-15, 1.5],
    "(0, 1)": [0, -1e-300, -1, 1, 1.5],
    "(0, inf)": [0, -1e-300, -1],
    "[0, inf)": [-1e-300, -1],
    "(1, inf)": [1, 0.5, -2],
    "(-inf, inf)": [],
    "[1e-45, 3e38]": [0, 5e-324, 0.9e-45, 3.1e38, 1e308],
}
INSIDE = {
    "[0, 1)": [0, 0.5, np.float32(0.25)],
    "[0, 1]": [0, 0.5, 1],
    "(0, 1)": [5e-324, 0.5, np.float32(0.25)],
    "(0, inf)": [1, 5e-324, 1e308],
    "[0, inf)": [0, 7, 1e308],
    "(1, inf)": [2, 1.5, 1e308],
    "(-inf, inf)": [0, -7, 1e308, -1e308],
    "[1e-45, 3e38]": [1, 1e-45, 3e38],
}
FIELDS = [(kind, field, interval) for kind, fields in INTERVALS.items() for field, interval in fields.items()]


def test_intervals_name_every_number():
    others = {"units", "activation", "bias", "init", "nesterov"}
    for kinds in REGISTRIES.values():
        for kind in kinds.values():
            assert {field.name for field in dataclasses.fields(kind)} - others == set(INTERVALS.get(kind, {}))


@pytest.mark.parametrize(("kind", "field", "interval"), FIELDS)
def test_option_refuses_a_number_outside_of_its_interval(kind, field, interval):
    for value in [*OUTSIDE[interval], NAN, INF, -INF, 10**400, -(10**400), np.float32("nan")]:
        with pytest.raises(ValueError) as caught:
            kind(**{**REST.get(kind, {}), field: value})
        assert str(caught.value) == f"{field} must be a number in {interval}, not {short(value)}"


@pytest.mark.parametrize(("kind", "field", "interval"), FIELDS)
def test_option_refuses_what_is_no_number(kind, field, interval):
    for value in (True, "0.5", None, 1j, [0.5], np.array([0.5]), np.True_, float):
        with pytest.raises(TypeError, match=f"{field} must be a number in ") as caught:
            kind(**{**REST.get(kind, {}), field: value})
        assert interval in str(caught.value)


@pytest.mark.parametrize(("kind", "field", "interval"), FIELDS)
def test_option_takes_a_number_in_its_interval_as_a_float(kind, field, interval):
    for value in INSIDE[interval]:
        kept = getattr(kind(**{**REST.get(kind, {}), field: value}), field)
        assert (type(kept), kept) == (float, value)


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: Dense(0), ValueError, "units must be an integer from 1 to 2147483647, not 0"),
        (lambda: Dense(-3), ValueError, "units must be an integer from 1 to 2147483647, not -3"),
        (lambda: Dense(2.0), TypeError, "units must be an integer from 1 to 2147483647, not 2.0 (float)"),
        (lambda: Dense(True), TypeError, "not True (bool)"),
        (lambda: Dense("3"), TypeError, "not '3' (str)"),
        (lambda: Dense(3, activation="rleu"), ValueError, "did you mean 'relu'?"),
        (lambda: Dense(3, activation=Tanh), TypeError, "write Tanh(), not Tanh"),
        (lambda: Dense(3, init="he_norml"), ValueError, "did you mean 'he_normal'?"),
        (lambda: Dense(3, bias=1), TypeError, "bias must be True or False, not 1 (int)"),
        (lambda: SGD(momentum=0.9, nesterov="yes"), TypeError, "nesterov must be True or False, not 'yes' (str)"),
        (lambda: SGD(nesterov=True), ValueError, "nesterov=True needs momentum > 0"),
        (lambda: Rprop(step_min=60.0), ValueError, "step_min must be at most step_max, 50.0, not 60.0"),
        (lambda: Dropout("a" * 100), TypeError, "..."),
    ],
)
def test_option_refuses(make, error, text):
    with pytest.raises(error) as caught:
        make()
    assert text in str(caught.value)
    assert len(str(caught.value)) < 300  # the longest list of names is in it
