"""The attributes of a Network, those that can be set, and its copies."""

import copy
import pickle
import re
import subprocess
import sys
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule
from chainrule import SGD, Adam, AdamW, Dense, Dropout, LeakyReLU, Network
from chainrule.layout import shapes
from tests.strategies import cases

X = np.random.default_rng(0).standard_normal((9, 4))
Y = X[:, :2] * 0.5


def network(**arguments):
    return Network([4, 6, Dropout(0.25), Dense(5, activation="tanh", bias=False), 2], **{"seed": 3, **arguments})


def test_properties_tell_what_was_asked():
    net = network(loss="half_squared_error", optimizer="sgd", dtype=np.float64, n_threads=1)
    assert (net.n_inputs, net.n_outputs, net.n_parameters) == (4, 2, 4 * 6 + 6 + 6 * 5 + 5 * 2 + 2)
    assert net.layers[1] == Dropout(0.25)
    assert [layer.units for layer in (net.layers[0], *net.layers[2:])] == [6, 5, 2]
    assert net.layers[2].activation.name == "tanh"
    assert net.loss.name == "half_squared_error"
    assert net.optimizer == chainrule.SGD()
    assert net.dtype == np.float64
    assert (net.seed, net.step_count, net.epoch_count) == (3, 0, 0)


def test_counters_count():
    net = network()
    net.step(X, Y)
    net.apply_gradient(np.zeros(net.n_parameters))
    assert (net.step_count, net.epoch_count) == (2, 0)
    net.fit(X, Y, epochs=2, batch_size=4)
    assert (net.step_count, net.epoch_count) == (2 + 2 * 3, 2)


def test_seed_is_drawn_and_told_where_none_is_given():
    one, other = Network([4, 3]), Network([4, 3])
    assert one.seed != other.seed
    assert np.array_equal(Network([4, 3], seed=one.seed).parameters, one.parameters)


def test_from_config_is_the_network_with_its_first_weights():
    net = network(loss="huber", optimizer=Adam(0.5))
    again = Network.from_config(net.config)
    assert again.config == net.config
    assert np.array_equal(again.parameters, net.parameters)
    net.step(X, Y)
    assert np.array_equal(Network.from_config(net.config).parameters, again.parameters)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda config: 3, "config: must be a dict, not 3"),
        (lambda config: {**config, "loss": None}, "config: loss must be a dict with a 'name'"),
        (lambda config: {**config, "sead": 1}, "key of config 'sead' is unknown; did you mean 'seed'"),
        (lambda config: {k: v for k, v in config.items() if k != "layers"}, "config lacks 'layers'"),
        (
            lambda config: {**config, "layers": [{"kind": np.broadcast_to(0, (2**31, 3))}]},
            r"layers\[0\] must be a dict",
        ),
        (lambda config: {**config, "seed": 10**5000}, "seed must be an integer from 0 to .*, not about 1e5000"),
    ],
)
def test_a_config_that_was_edited_is_refused(change, text):
    with pytest.raises(ValueError, match=text):
        Network.from_config(change(network().config))


@pytest.mark.parametrize("old", [Adam(0.1), "sgd", "rprop"])
@pytest.mark.parametrize("new", ["adam", AdamW(0.01), "adagrad", "sgd"])
def test_a_new_optimizer_begins_anew_with_the_parameters(old, new):
    net = network(optimizer=old)
    net.fit(X, Y, epochs=3, batch_size=4)
    fresh = network(optimizer=new)
    fresh.parameters = net.parameters
    net.optimizer = new
    assert net.optimizer == fresh.optimizer == Network([4, 2], optimizer=new).optimizer
    assert (net.step_count, net.epoch_count) == (0, 3)
    assert net.config == fresh.config
    assert np.array_equal(net.parameters, fresh.parameters)
    for _ in range(3):
        assert net.step(X, Y) == fresh.step(X, Y)
    assert np.array_equal(net.parameters, fresh.parameters)
    assert np.array_equal(Network.from_state_dict(net.state_dict()).parameters, net.parameters)


def test_the_same_optimizer_forgets_its_moments_and_keeps_its_learning_rate():
    net = network(optimizer=Adam(0.5))
    net.step(X, Y)
    net.learning_rate = 0.25
    net.optimizer = net.optimizer
    assert net.optimizer == Adam(0.25)
    assert not any(value.any() for name, value in net.state_dict().items() if name.startswith("optimizer."))


@given(st.floats(5e-324, 1e300))
def test_a_replaced_optimizer_has_the_learning_rate_to_the_last_bit(rate):
    net = Network([1, 1], seed=0)
    net.optimizer = SGD(rate)
    assert net.learning_rate == rate


@pytest.mark.parametrize("wrong", [1, None, "adamm", Adam, chainrule.ReLU(), lambda w, d_w: w - d_w])
def test_what_is_no_optimizer_is_refused_and_the_old_one_stays(wrong):
    net = network()
    net.step(X, Y)
    before = net.state_dict()
    with pytest.raises((TypeError, ValueError), match="optimizer "):
        net.optimizer = wrong
    assert all(np.array_equal(value, before[name]) for name, value in net.state_dict().items())


def test_optimizer_cannot_be_replaced_in_a_callback():
    net = network()
    with pytest.raises(RuntimeError):
        net.fit(X, Y, callbacks=lambda net, *_: setattr(net, "optimizer", "sgd"))
    assert net.epoch_count == 1
    net.optimizer = "sgd"


@pytest.mark.parametrize("kind", [Network, chainrule.reference.Network])
def test_apply_gradient_takes_a_gradient(kind):
    one, other = (kind([4, 3, 2], seed=0) for _ in range(2))
    one.apply_gradient(one.gradient(X, Y))
    other.apply_gradient(other.gradient(X, Y).flat)
    assert list(one.parameters) == list(other.parameters)
    one.apply_gradient(one.backward(X, Y))
    with pytest.raises(ValueError, match="gradient "):
        one.apply_gradient(kind([4, 2], seed=0).gradient(X, Y))


def test_learning_rate_can_be_set_and_is_kept():
    net = network(optimizer=Adam(0.5))
    net.learning_rate = 1
    assert net.learning_rate == 1.0
    assert net.optimizer == Adam(1.0)
    assert net.config["optimizer"]["learning_rate"] == 1.0
    assert "Adam(learning_rate=1.0)" in repr(net)
    assert net.copy().learning_rate == 1.0


def test_parameters_are_weights_and_biases_in_order():
    net = network()
    (w1, w2, w3), (b1, b2, b3) = net.weights, net.biases
    assert [w.shape for w in net.weights] == [(4, 6), (6, 5), (5, 2)]
    assert [b.shape for b in net.biases] == [(6,), (0,), (2,)]
    expected = np.concatenate([w1.ravel(), b1, w2.ravel(), b2, w3.ravel(), b3])
    assert np.array_equal(net.parameters, expected)


def test_what_is_handed_out_is_a_read_only_copy():
    net = network()
    for array in (net.parameters, *net.weights, net.biases[0]):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    before = net.parameters
    net.step(X, Y)
    assert not np.array_equal(before, net.parameters)


def test_parameters_weights_and_biases_can_be_set():
    net, other = network(seed=1), network(seed=2)
    net.weights, net.biases = other.weights, [b + 1 for b in other.biases]
    assert all(np.array_equal(a, b) for a, b in zip(net.weights, other.weights, strict=True))
    assert np.array_equal(net.biases[0], np.ones(6))
    net.parameters = other.parameters.tolist()
    assert np.array_equal(net.parameters, other.parameters)
    net.weights = [w.astype(np.float64) for w in other.weights]
    assert np.array_equal(net.parameters, other.parameters)


def test_gradient_by_layer_is_a_view_of_the_flat_one():
    gradient = network().gradient(X, Y)
    assert np.array_equal(
        gradient.flat,
        np.concatenate([a.ravel() for pair in zip(gradient.weights, gradient.biases, strict=True) for a in pair]),
    )
    gradient.weights[0][...] = 7
    assert (gradient.flat[:24] == 7).all()
    assert gradient.inputs is None
    assert "loss=" in repr(gradient)


def test_backward_has_no_loss_but_inputs():
    gradient = network().backward(X, np.ones((9, 2)))
    assert gradient.loss is None
    assert gradient.inputs.shape == X.shape
    assert "inputs" in repr(gradient)


def test_trace_is_one_readable_record_a_layer():
    net = network()
    traces = net.trace(X, Y)
    assert [trace.name for trace in traces] == ["Dense 6 relu", "Dropout 0.25", "Dense 5 tanh", "Dense 2 identity"]
    assert [trace.index for trace in traces] == [1, 2, 3, 4]
    assert [trace.z.shape for trace in traces] == [(9, 6), (9, 6), (9, 5), (9, 2)]
    assert [trace.d_weight.shape for trace in traces] == [(4, 6), (0, 0), (6, 5), (5, 2)]
    assert [trace.d_bias.shape for trace in traces] == [(6,), (0,), (0,), (2,)]
    assert "layer 3 (Dense 5 tanh)" in repr(traces[2])
    before = net.parameters
    net.step(X, Y)
    updates = [t.ravel() for trace in traces for t in (trace.update_weight, trace.update_bias)]
    assert np.allclose(before + np.concatenate(updates), net.parameters, rtol=0, atol=1e-7)


def test_summary_counts_the_parameters():
    lines = network().summary().splitlines()
    assert lines[2].split() == ["1", "Dense", "(n,", "6)", "relu", "30"]
    assert lines[3].split() == ["2", "Dropout", "0.25", "(n,", "6)", "0"]
    assert lines[4].split() == ["3", "Dense,", "no", "bias", "(n,", "5)", "tanh", "30"]
    assert lines[-2].split() == ["total", "72"]
    assert Network([1, 1000, 1], seed=0).summary().splitlines()[-2].split() == ["total", "3,001"]


def plan_of(layers, **arguments):
    """The lines of `summary(plan=True)` after the table, without their alignment."""
    net = Network(layers, **{"n_threads": 1, "seed": 0, **arguments})
    whole, table = net.summary(plan=True), net.summary()
    assert whole.startswith(f"{table}\nsteps\n  ")
    return [" ".join(line.split()) for line in whole.removeprefix(f"{table}\nsteps\n").splitlines()]


@pytest.mark.parametrize(
    ("layers", "arguments"),
    [
        ([4, 8, 3], {"loss": "cross_entropy"}),
        ([4, 8, 3], {}),
        ([4, Dense(8, l2=0.1), Dropout(0.5), Dense(1, l2=0.1)], {"optimizer": "radam", "activation": "tanh"}),
    ],
)
@pytest.mark.skipif(Network([1, 1])._engine.native.target == "portable", reason="it has no such kernel")
def test_plan_of_a_small_network_is_one_kernel(layers, arguments):
    small, *large = plan_of(layers, **arguments)
    assert re.fullmatch(r"1, 32[ \d,]+ rows in one kernel, gradient in registers, 1 thread", small)
    assert all("rows in one kernel, gradient in memory, 1 thread" in line for line in large)  # several tiles


@pytest.mark.parametrize(
    ("layers", "arguments", "why"),
    [
        ([4, 8, 3], {"optimizer": "adagrad"}, "optimizer adagrad"),
        ([4, Dense(8, "tanh"), Dense(8, "relu"), 3], {}, "activations tanh and relu"),
        ([4, 130, 3], {}, "130 units, more than 128"),
        ([784, 16, 3], {}, "784 inputs, more than 128"),
        ([4, Dense(8, l2=0.1), 3], {}, "l2 0.1 and 0"),
        ([4, 8, 3], {"output_activation": "tanh"}, "output activation tanh"),
    ],
)
def test_plan_tells_why_a_network_goes_layer_by_layer(layers, arguments, why):
    for line in plan_of(layers, **arguments):
        assert re.fullmatch(rf"[ \d,]+ rows layer by layer \({why}\), gradient in (memory|registers), 1 thread", line)


def test_plan_counts_one_row():
    net = Network([32, 128, 100], n_threads=2, seed=0)
    if net.n_threads < 2:
        pytest.skip("one thread takes one way for all rows")
    first, *others = net.summary(plan=True).split("steps\n")[1].splitlines()
    assert first.startswith("  1 row   ")
    assert all(" rows " in line for line in others)


def test_plan_that_is_no_bool_is_named():
    with pytest.raises(TypeError, match="plan must be True or False"):
        network().summary(plan="yes")


@given(cases(max_depth=4))
def test_repr_is_the_call_that_builds_the_network(case):
    net = case.native(dtype="float32")
    names = {name: getattr(chainrule, name) for name in chainrule.__all__}
    assert eval(repr(net), names).config == net.config  # noqa: S307 - the text is our own


@pytest.mark.parametrize(
    ("net", "text"),
    [
        (Network([4, 1], seed=0), "Network([4, 1], seed=0)"),
        (
            Network([4, 8, 3], activation=LeakyReLU(0.1), loss="cross_entropy", optimizer=AdamW(0.01), seed=1),
            (
                "Network([4, 8, 3], activation=LeakyReLU(negative_slope=0.1), loss='cross_entropy', "
                "optimizer=AdamW(learning_rate=0.01), seed=1)"
            ),
        ),
        (
            Network([1, 1], dtype="float64", n_threads=2, seed=0),
            "Network([1, 1], dtype='float64', seed=0, n_threads=2)",
        ),
    ],
)
def test_repr_leaves_out_what_is_the_default(net, text):
    assert repr(net) == text


def continues_alike(net, again):
    assert again is not net
    assert again.config == net.config
    for _ in range(2):
        assert again.step(X, Y) == net.step(X, Y)
    assert again.fit(X, Y, batch_size=4).loss == net.fit(X, Y, batch_size=4).loss
    assert np.array_equal(again.parameters, net.parameters)


COPIES = {
    "copy method": lambda net: net.copy(),
    "copy.copy": copy.copy,
    "copy.deepcopy": copy.deepcopy,
    "pickle": lambda net: pickle.loads(pickle.dumps(net)),  # noqa: S301 - the bytes are our own
    "pickle protocol 2": lambda net: pickle.loads(pickle.dumps(net, protocol=2)),  # noqa: S301 - the bytes are our own
    "state_dict": lambda net: Network.from_state_dict(net.state_dict()),
}


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("optimizer", [chainrule.SGD(momentum=0.9), *chainrule.registry()["optimizer"]])
def test_copies_continue_alike_and_alone(how, optimizer):
    net = network(optimizer=optimizer)
    net.fit(X, Y, epochs=2)
    net.learning_rate = 0.02
    again = COPIES[how](net)
    untouched = COPIES[how](net)
    continues_alike(net, again)
    assert not np.array_equal(net.parameters, untouched.parameters)


class Named(Network):
    """A subclass with something of its own."""


@pytest.mark.parametrize("how", ["copy method", "copy.deepcopy", "pickle"])
def test_copies_keep_the_class_and_what_was_attached(how):
    net = Named([4, 2], seed=0)
    net.label = "mine"
    again = COPIES[how](net)
    assert type(again) is Named
    assert again.label == "mine"
    assert repr(again) == "Named([4, 2], seed=0)"


def test_threads_may_predict_at_once():
    net, results = network(), []
    expected = net.predict(X)
    threads = [threading.Thread(target=lambda: results.extend(net.predict(X) for _ in range(50))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 200
    assert all(np.array_equal(result, expected) for result in results)


def test_registry_lists_every_kind():
    kinds = chainrule.registry()
    assert {"activation", "loss", "optimizer", "init", "layer", "metric"} <= set(kinds)
    reference = chainrule.reference.registry()
    assert {kind: kinds[kind] for kind in reference} == reference


def test_every_public_name_is_there():
    assert len(set(chainrule.__all__)) == len(chainrule.__all__)
    for name in chainrule.__all__:
        assert getattr(chainrule, name) is not None
        assert name in dir(chainrule)
    with pytest.raises(AttributeError, match="'Netwrok'"):
        _ = chainrule.Netwrok


def test_importing_loads_the_core_and_nothing_else():
    program = (
        "import sys, numpy; before = set(sys.modules); import chainrule; "
        "print(*sorted(m for m in set(sys.modules) - before if not m.startswith('_')))"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert loaded == ["chainrule", "chainrule._native"]


def test_using_a_network_loads_no_optional_package():
    program = (
        "import sys, chainrule; net = chainrule.Network([2, 1], seed=0); net.fit([[0, 1]], [1]); "
        "net.verify([[0, 1]], [1]); optional = 'tqdm', 'matplotlib', 'sklearn', 'pandas', 'scipy', 'torch'; "
        "print([m for m in optional if m in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == "[]"


@pytest.mark.parametrize("training", [1, None, "yes", (True,)])
def test_training_that_is_no_bool_is_named(training):
    network, X = Network([3, 2], seed=0), np.ones((4, 3), np.float32)
    calls = (
        lambda: network.forward(X, training=training),
        lambda: network.gradient(X, np.ones((4, 2)), training=training),
        lambda: network.backward(X, np.ones((4, 2)), training=training),
    )
    for call in calls:
        with pytest.raises(TypeError, match="training must be True or False"):
            call()


def test_shapes_of_the_layers_are_those_of_the_core():
    engine = Network([4, Dense(6, bias=False), Dropout(0.5), 5, 2], seed=0)._engine
    named = {key: tuple(shape) for key, shape, _ in engine.native.tensors()}
    assert list(shapes(engine.spec).items()) == list(named.items())
    assert list(named) == ["layers.0.weight", "layers.2.weight", "layers.2.bias", "layers.3.weight", "layers.3.bias"]
