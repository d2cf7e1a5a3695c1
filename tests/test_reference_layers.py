"""The freedom of layers: two toy layers outside the registry, one that contains layers and one that uses a whole batch.

They subclass the base of all layers, and show that the network assumes only the methods of that base.
"""

# ruff: noqa: ARG002 - one signature for all of a kind; a formula takes from it what it needs

import dataclasses
import math
import pickle
from typing import ClassVar

import pytest

from chainrule.reference import SGD, Dense, Dropout, Network
from chainrule.reference.layers import LAYERS, Layer, Pass
from chainrule.reference.options import option
from chainrule.reference.vectors import dot, total, transpose

from .test_reference_gradient import check_parameters, close, differences, numbers

EPS, MOMENTUM = 0.01, 0.1


@option
class Residual(Layer):
    """a = x + inner(x), where inner is some layers one after the other."""

    layers: tuple[Layer, ...]

    name: ClassVar[str] = "residual"

    def n_outputs(self, n_in):
        return n_in

    def with_defaults(self, activation, init):
        return Residual(tuple(layer.with_defaults(activation, init) for layer in self.layers))

    def _each(self, n_in):
        for l, layer in enumerate(self.layers):
            yield f"{l}.", layer, n_in
            n_in = layer.n_outputs(n_in)
        assert n_in == self.n_outputs(n_in)

    def shapes(self, n_in):
        return {at + name: shape for at, layer, n in self._each(n_in) for name, shape in layer.shapes(n).items()}

    def start(self, stream, n_in):
        each = self._each(n_in)
        return {at + name: tensor for at, layer, n in each for name, tensor in layer.start(stream, n).items()}

    def buffers(self, n_in):
        return {at + name: buffer for at, layer, n in self._each(n_in) for name, buffer in layer.buffers(n).items()}

    def forward(self, x, tensors, training=None):
        passes, inner = [], x
        for l, layer in enumerate(self.layers):
            passes.append(layer.forward(inner, within(tensors, l), training))
            inner = passes[-1].a
        a = [[p + q for p, q in zip(*rows, strict=True)] for rows in zip(x, inner, strict=True)]
        buffers = {f"{l}.{name}": buffer for l, seen in enumerate(passes) for name, buffer in seen.buffers.items()}
        return Pass(x, z=a, a=a, saved=passes, buffers=buffers)

    def slope(self, seen):
        return [[1.0] * len(row) for row in seen.z]

    def delta(self, d_a, seen):
        return d_a

    def _backward(self, error, seen, tensors):
        gradient = {}
        for l in reversed(range(len(self.layers))):
            layer, inner, own = self.layers[l], seen.saved[l], within(tensors, l)
            delta = layer.delta(error, inner)
            gradient |= {f"{l}.{name}": d for name, d in layer.gradient(delta, inner, own).items()}
            error = layer.d_inputs(delta, inner, own)
        return gradient, error

    def gradient(self, delta, seen, tensors):
        return self._backward(delta, seen, tensors)[0]

    def d_inputs(self, delta, seen, tensors):
        inner = self._backward(delta, seen, tensors)[1]
        return [[p + q for p, q in zip(*rows, strict=True)] for rows in zip(delta, inner, strict=True)]

    def penalty(self, tensors):
        return total(layer.penalty(within(tensors, l)) for l, layer in enumerate(self.layers))


def within(tensors, l):
    """Return the tensors of the layer at position l inside another."""
    return {name.removeprefix(f"{l}."): tensor for name, tensor in tensors.items() if name.startswith(f"{l}.")}


@option
class BatchStatistics(Layer):
    """x̂ = (x − mean) / √(variance + eps), a = gain ⊙ x̂ + shift; of the batch in training, else of all batches."""

    name: ClassVar[str] = "batch_statistics"

    def n_outputs(self, n_in):
        return n_in

    def shapes(self, n_in):
        return {"gain": (n_in,), "shift": (n_in,)}

    def start(self, stream, n_in):
        return {"gain": [1.0] * n_in, "shift": [0.0] * n_in}

    def buffers(self, n_in):
        return {"mean": [0.0] * n_in, "variance": [1.0] * n_in}

    def forward(self, x, tensors, training=None):
        mean, variance, buffers = tensors["mean"], tensors["variance"], {}
        if training is not None:
            units, n = transpose(x), len(x)
            old = {"mean": mean, "variance": variance}
            mean = [total(unit) / n for unit in units]
            variance = [total((x_i - m) ** 2 for x_i in unit) / n for unit, m in zip(units, mean, strict=True)]
            for name, new in (("mean", mean), ("variance", variance)):
                buffers[name] = [p + MOMENTUM * (q - p) for p, q in zip(old[name], new, strict=True)]
        scale = [1.0 / math.sqrt(v + EPS) for v in variance]
        gain = tensors["gain"]
        z = [[(x_i - m) * s for x_i, m, s in zip(row, mean, scale, strict=True)] for row in x]
        a = [[g * z_i + b for g, z_i, b in zip(gain, row, tensors["shift"], strict=True)] for row in z]
        return Pass(x, z, a, saved=(gain, scale, training is not None), buffers=buffers)

    def slope(self, seen):
        return [seen.saved[0] for _ in seen.z]

    def delta(self, d_a, seen):
        return d_a

    def gradient(self, delta, seen, tensors):
        units = list(zip(transpose(delta), transpose(seen.z), strict=True))
        return {"gain": [dot(d, z) for d, z in units], "shift": [total(d) for d, _ in units]}

    def d_inputs(self, delta, seen, tensors):
        gain, scale, together = seen.saved
        columns = []
        for d, z, g, s in zip(transpose(delta), transpose(seen.z), gain, scale, strict=True):
            d_mean, d_z = (total(d) / len(d), dot(d, z) / len(d)) if together else (0.0, 0.0)
            columns.append([g * s * (d_i - d_mean - z_i * d_z) for d_i, z_i in zip(d, z, strict=True)])
        return [list(row) for row in transpose(columns)]


@pytest.fixture(autouse=True)
def _registered(monkeypatch):
    for kind in (Residual, BatchStatistics):
        monkeypatch.setitem(LAYERS, kind.name, kind)


X, Y = numbers(0, 6, 3), numbers(1, 6, 2)
LAYERS_TO_TRY = {
    "residual": [3, Dense(4), Residual((Dense(5, l2=0.1), Dense(4, bias=False))), 2],
    "batch_statistics": [3, BatchStatistics(), Dense(4, l2=0.1), BatchStatistics(), 2],
    "both": [3, Residual((BatchStatistics(), Dense(4), Residual((Dense(4),)), Dense(3), BatchStatistics())), 2],
}


def network(name="both", **arguments):
    made = Network(LAYERS_TO_TRY[name], **{"activation": "tanh", "dtype": "float64", "seed": 1, **arguments})
    made.parameters = [p + q for p, q in zip(made.parameters, numbers(2, 1, made.n_parameters)[0], strict=True)]
    for of_layer, row in zip(made.buffers, numbers(3, len(made.layers), 40), strict=True):
        of_layer.update({buffer: [abs(p) for p in row[: len(values)]] for buffer, values in of_layer.items()})
    return made


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", LAYERS_TO_TRY)
def test_gradient_is_the_slope_of_the_loss(name, training):
    check_parameters(network(name), X, Y, training=training)
    check_parameters(network(name), X, Y, [1.0, 0.0, 2.5, 0.3, 1.0, 1.0], training=training)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", LAYERS_TO_TRY)
def test_backward_gives_the_slope_along_the_inputs(name, training):
    net = network(name)

    def loss(flat):
        outputs = net.forward([flat[i : i + 3] for i in range(0, 18, 3)], training=training)
        return total(dot(d_row, a_row) for d_row, a_row in zip(Y, outputs, strict=True))

    inputs = net.backward(X, Y, training=training).inputs
    assert close([x for row in inputs for x in row], differences(loss, [x for row in X for x in row]))


def test_tensors_of_layers_within_are_parameters():
    net = Network(LAYERS_TO_TRY["residual"], seed=0)
    assert net.n_parameters == (12 + 4) + (20 + 5 + 20) + (8 + 2)
    gradient = net.gradient(X, Y)
    assert {*gradient.tensors[1]} == {"0.weight", "0.bias", "1.weight"}
    assert [len(w) for w in gradient.weights] == [len(w) for w in net.weights] == [3, 4]
    residual = net.trace(X, Y)[1]
    assert (residual.kind, residual.gradients) == ("residual", gradient.tensors[1])
    assert residual.d_weight == residual.update_bias == []


def test_gain_and_shift_are_traced_by_name():
    net = network("batch_statistics", optimizer=SGD(learning_rate=0.5))
    record = net.trace(X, Y)[0]
    assert record.updates == {
        name: pytest.approx([-0.5 * d for d in record.gradients[name]], rel=1e-12) for name in ("gain", "shift")
    }
    for slope, z, a in zip(record.slope[0], record.z[0], record.a[0], strict=True):
        assert slope * z == pytest.approx(a - net.parameters[3:6][record.z[0].index(z)])


@pytest.mark.parametrize("name", ["batch_statistics", "both"])
def test_buffers_take_their_new_values_in_a_step(name):
    net = network(name)
    before, passes = net.buffers, net._propagate(X, training=True)
    net.step(X, Y)
    for old, new, seen in zip(before, net.buffers, passes, strict=True):
        assert new == old | seen.buffers
        assert not old or new != old
    net.fit(X, Y, batch_size=2)
    assert net.step_count == 4


def state(net):
    return pickle.dumps((net.parameters, net.state, net.buffers, net.step_count, net.epoch_count))


@pytest.mark.parametrize(
    "call",
    [
        lambda net: net.forward(X, training=True),
        lambda net: net.gradient(X, Y, training=True),
        lambda net: net.backward(X, Y, training=True),
        lambda net: net.trace(X, Y),
        lambda net: net.evaluate(X, Y),
        lambda net: net.step(X, Y, [0.0] * 6),
    ],
)
def test_buffers_are_left_by_all_that_is_no_step(call):
    net = network()
    before = state(net)
    call(net)
    assert state(net) == before


def test_a_step_refused_for_its_loss_leaves_the_buffers():
    net = network()
    before = state(net)
    with pytest.raises(ValueError, match="the loss is inf at step 0"):
        net.step(X, [[1e200, 0.0]] * 6)
    assert state(net) == before


def test_a_step_refused_for_its_gradient_leaves_the_buffers():
    net = network("batch_statistics", loss="absolute_error")
    # Before the last two layers all is zero, so the outputs are the last biases; the way back is 1e200 · 1e200.
    net.parameters = [*[0.0] * 22, *[1e200] * 4, *[0.0] * 4, *[1e200] * 8, *[0.0] * 2]
    before = state(net)
    assert math.isfinite(net.gradient(X, Y, training=True).loss)
    with pytest.raises(ValueError, match="gradient has"):
        net.step(X, Y)
    assert state(net) == before


def test_outputs_outside_training_follow_from_the_buffers():
    net = network("batch_statistics")
    (one,), rows = net.forward(X[:1]), net.forward(X)
    assert one == rows[0]
    assert net.forward(X[:1], training=True)[0] != net.forward(X, training=True)[0]
    net.buffers[0]["mean"][0] += 1.0
    assert net.forward(X)[0] != one


def test_a_copy_has_the_buffers():
    net = network()
    net.step(X, Y)
    other = pickle.loads(pickle.dumps(net))  # noqa: S301 - its own
    assert net.fit(X, Y, epochs=2, batch_size=2) == other.fit(X, Y, epochs=2, batch_size=2)
    assert state(net) == state(other)


@pytest.mark.parametrize("last", [BatchStatistics(), Residual((Dense(3),))])
def test_a_layer_is_not_the_last_unless_it_says_so(last):
    with pytest.raises(ValueError, match="must be dense: put a Dense layer after it"):
        Network([3, last], seed=0)


def test_layers_within_take_the_fields_that_the_network_fills_in():
    net = Network([3, Residual((Dense(3), Dropout(0.0))), 3], activation="tanh", init="zeros", seed=0)
    inner = net.layers[0].layers[0]
    assert (inner.activation.name, inner.init.name) == ("tanh", "zeros")
    assert dataclasses.replace(inner, activation=None, init=None) == Dense(3)
