"""Layer normalization in the plain network: numbers by hand, central differences, and what is true of any row."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.reference import Dense, Dropout, LayerNorm, Network
from chainrule.reference.vectors import dot, total

from .test_reference_gradient import check_parameters, close, differences, numbers

X, Y = numbers(0, 6, 3), numbers(1, 6, 2)


def network(**arguments):
    layers = [3, LayerNorm(), Dense(4, l2=0.1), LayerNorm(eps=0.5), Dropout(0.0), 2]
    made = Network(layers, **{"activation": "tanh", "dtype": "float64", "seed": 1, **arguments})
    made.parameters = [p + q for p, q in zip(made.parameters, numbers(2, 1, made.n_parameters)[0], strict=True)]
    return made


def test_numbers_by_hand():
    # torch.nn.LayerNorm's formula, with eps = 3 so that √(var + eps) = √(1 + 3) = 2.
    layer, tensors = LayerNorm(eps=3.0), {"gain": [2.0, 4.0], "shift": [10.0, 20.0]}
    seen = layer.forward([[1.0, 3.0], [7.0, 7.0]], tensors)
    assert seen.z == [[-0.5, 0.5], [0.0, 0.0]]
    assert seen.a == [[9.0, 22.0], [10.0, 20.0]]
    assert layer.slope(seen) == [[2.0, 4.0], [2.0, 4.0]]
    delta = layer.delta([[1.0, 0.0], [3.0, 5.0]], seen)
    assert delta == [[1.0, 0.0], [3.0, 5.0]]
    assert layer.gradient(delta, seen, tensors) == {"gain": [-0.5, 0.0], "shift": [4.0, 5.0]}
    # Row 1: g = [2, 0], mean(g) = 1, mean(g x̂) = −½:  ½ ([2, 0] − 1 + ½ x̂) = ½ [¾, −¾].
    # Row 2: g = [6, 20], mean(g) = 13, x̂ = 0, 1/σ = 1/√3.
    seven = 7.0 / math.sqrt(3.0)
    assert layer.d_inputs(delta, seen, tensors)[0] == [0.375, -0.375]
    assert layer.d_inputs(delta, seen, tensors)[1] == pytest.approx([-seven, seven], rel=1e-15)


def test_default_eps_and_start_are_those_of_torch():
    # The mean is 2.5, the variance 1.25; torch prints -1.3416, -0.4472, 0.4472, 1.3416.
    net = Network([4, LayerNorm(), Dense(4, bias=False)], dtype="float64", seed=0)
    net.weights = [[[1.0 if i == j else 0.0 for j in range(4)] for i in range(4)]]
    expected = [d / math.sqrt(1.25 + 1e-5) for d in (-1.5, -0.5, 0.5, 1.5)]
    assert net.forward([[1.0, 2.0, 3.0, 4.0]])[0] == pytest.approx(expected, rel=1e-15)
    assert [round(a, 4) for a in expected] == [-1.3416, -0.4472, 0.4472, 1.3416]


@pytest.mark.parametrize("training", [False, True])
def test_gradient_is_the_slope_of_the_loss(training):
    check_parameters(network(), X, Y, training=training)
    check_parameters(network(), X, Y, [1.0, 0.0, 2.5, 0.3, 1.0, 1.0], training=training)


def test_backward_gives_the_slope_along_the_inputs():
    net = network()

    def loss(flat):
        outputs = net.forward([flat[i : i + 3] for i in range(0, 18, 3)])
        return total(dot(d_row, a_row) for d_row, a_row in zip(Y, outputs, strict=True))

    inputs = net.backward(X, Y).inputs
    assert close([x for row in inputs for x in row], differences(loss, [x for row in X for x in row]))


def test_gain_and_shift_are_parameters_in_order():
    net = Network([3, LayerNorm(), 2], seed=0)
    assert net.parameters[:6] == [1.0, 1.0, 1.0, 0.0, 0.0, 0.0]
    assert net.n_parameters == 6 + 6 + 2
    assert len(net.weights) == len(net.biases) == 1
    assert list(net.gradient(X, Y).tensors[0]) == ["gain", "shift"]


def test_trace_shows_normalized_inputs_gain_and_the_error_of_the_outputs():
    net = network()
    first, second = net.trace(X, Y)[:2]
    gain, shift = net.parameters[:3], net.parameters[3:6]
    assert first.kind == "layer_norm"
    assert first.slope == [gain] * 6
    for z, a in zip(first.z, first.a, strict=True):
        assert a == [g * z_j + s for g, z_j, s in zip(gain, z, shift, strict=True)]
    # delta is dL/da: the error that the next layer hands down.
    w = net.weights[0]
    assert first.delta == [[dot(delta, w_i) for w_i in w] for delta in second.delta]
    assert first.d_weight == first.d_bias == []


@given(
    st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=9),
    st.floats(-100.0, 100.0),
    st.floats(0.1, 10.0),
)
def test_a_row_has_mean_0_and_variance_below_1_wherever_it_lies(row, shift, factor):
    n = len(row)
    tensors = {"gain": [1.0] * n, "shift": [0.0] * n}
    ((*z,),) = LayerNorm().forward([row], tensors).z
    rounding = 1e-11 * max(1.0, *map(abs, row)) / math.sqrt(1e-5)
    assert abs(total(z)) <= n * rounding
    assert dot(z, z) / n <= 1.0 + 1e-12
    # To shift a row, or to scale it together with eps, changes nothing.
    moved = LayerNorm(eps=1e-5 * factor**2).forward([[factor * x + shift for x in row]], tensors).z[0]
    assert moved == pytest.approx(z, abs=10 * rounding * max(1.0, abs(shift)), rel=1e-9)


def test_a_row_whose_variance_overflows_is_nan():
    seen = LayerNorm().forward([[1e300, -1e300], [1.0, -1.0]], {"gain": [1.0, 1.0], "shift": [0.0, 0.0]})
    assert all(map(math.isnan, [*seen.z[0], *seen.a[0]]))
    assert all(map(math.isfinite, seen.a[1]))


def test_layer_norm_is_not_the_last_layer():
    with pytest.raises(ValueError, match=r"the last of layers is LayerNorm\(eps=1e-05\), .*: put a Dense layer after"):
        Network([3, LayerNorm()], seed=0)


def test_config_goes_there_and_back():
    net = network()
    assert net.config["layers"][2] == {"kind": "layer_norm", "eps": 0.5}
    assert Network.from_config(net.config).config == net.config
