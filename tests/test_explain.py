"""The explanation of a step shows the numbers of the trace, for every kind of network, as text and as a drawing."""

import re
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import chainrule
from chainrule import SGD, Adam, Dense, Dropout, Explanation, LayerNorm, Network
from chainrule.examples import mazur
from chainrule.explain.rules import RULES
from chainrule.reference.config import REGISTRIES
from chainrule.reference.layers import LAYERS

from . import strategies
from .markup import tree_of
from .strategies import cases

KINDS = chainrule.registry()
SVG = "{http://www.w3.org/2000/svg}"
NUMBER = r"-?(?:\d+\.?\d*(?:e[+-]\d+)?|inf|nan)"


@pytest.mark.parametrize("kind", LAYERS.values())
def test_every_kind_of_layer_has_a_rule(kind):
    assert kind in RULES


def section(text, title):
    """The lines below a heading in capitals."""
    return re.search(rf"^{title}\n(.*?)(?=^[A-Z]+\n|\Z)", text, flags=re.MULTILINE | re.DOTALL)[1]


def lines(text):
    """The lines, with calculations that were broken in one again."""
    begins = r"    \S|\s+(?!rows? )(?:with|dL/da|[a-zL]\w*) (?:[=←]|learning_rate)"
    whole = []
    for line in text.splitlines():
        if line.startswith("      ") and not re.match(begins, line):
            whole[-1] += " " + line.strip()
        else:
            whole.append(line)
    return whole


def values(text, left):
    """The number at the end of each calculation of `left`."""
    found = (re.search(rf"(?:^|\s){re.escape(left)} (?:.*= )?({NUMBER})$", line) for line in lines(text))
    return np.array([match[1] for match in found if match], float)


def calculations(text):
    """What is calculated, the result of the calculation that is shown, the value that is shown, the numbers used."""
    found = re.findall(rf"(\S+) [=←] ([-+−·() \d.e/^²√,maxin]+) = ({NUMBER})$", "\n".join(lines(text)), re.MULTILINE)
    results = []
    for left, working, value in found:
        python = re.sub(rf"√({NUMBER}|\()", r"√*\1", working.replace("−", "-").replace("·", "*"))
        python = re.sub(rf"√\*({NUMBER})", r"\1**0.5", python)
        python = re.sub(r"√\*(\([^()]*\))", r"\1**0.5", python).replace("^", "**").replace("²", "**2")
        terms = [abs(float(term)) for term in re.findall(NUMBER, working)]
        results.append((left, eval(python), float(value), terms))  # noqa: S307 - digits and signs
    return results


def target(net, n, rng):
    """Targets that the loss of a network takes."""
    if net.loss.takes_labels:
        return rng.integers(0, net.n_outputs, n)
    return strategies.targets(net.loss, rng, n, net.n_outputs)


# ── Numbers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", [1, 3, 9])
def test_numbers_of_the_text_are_those_of_the_trace(dtype, n):
    layers = [3, Dense(4, "tanh", l2=0.1), Dropout(0.5), Dense(2, "sigmoid", bias=False)]
    net = Network(layers, loss="half_squared_error", optimizer=SGD(0.3), dtype=dtype, seed=3)
    rng = np.random.default_rng(0)
    X, y, weight = rng.standard_normal((n, 3)), rng.random((n, 2)), rng.random(n) + 0.5
    explanation = net.explain(X, y, weight, row=0, digits=17)
    first, dropout, last = net.trace(X, y, weight)
    text = str(explanation)
    forward, backward, update = (section(text, name) for name in ("FORWARD", "BACKWARD", "UPDATE"))
    assert_allclose(values(forward, "x ="), X[0].astype(dtype), rtol=0)
    assert_allclose(values(forward, "z ="), [*first.z[0], *last.z[0]], rtol=0)
    assert_allclose(values(forward, "a ="), [*first.a[0], *dropout.a[0], *last.a[0]], rtol=0)
    assert_allclose(values(backward, "slope ="), [*last.slope[0], *first.slope[0]], rtol=0)
    assert_allclose(values(backward, "mask ="), dropout.slope[0], rtol=0)
    assert_allclose(values(backward, "delta ="), [*last.delta[0], *dropout.delta[0], *first.delta[0]], rtol=0)
    assert_allclose(values(update, "d_w ="), [*first.d_weight.ravel(), *last.d_weight.ravel()], rtol=0)
    assert_allclose(values(update, "d_b ="), first.d_bias, rtol=0)
    assert explanation.loss == net.gradient(X, y, weight, training=True).loss
    tolerance = 1e-15 if dtype == "float64" else 1e-6
    net.step(X, y, weight)
    assert_allclose(values(update, "w ←"), np.concatenate([w.ravel() for w in net.weights]), rtol=tolerance)
    assert_allclose(values(update, "b ←"), np.concatenate(net.biases), rtol=tolerance)


@given(case=cases(max_depth=3, sizes=st.integers(1, 5)))
def test_every_calculation_gives_what_stands_behind_it(case):
    """Products, sums and differences are calculated again from the numbers that are shown."""
    found = calculations(str(case.native().explain(*case.data, digits=17)))
    if case.sample_weight is None or case.sample_weight.any():
        assert len(found) >= case.native().n_parameters  # each one's update at least
    for _, calculated, value, terms in found:
        largest = max(1.0, *terms) ** 2
        assert_allclose(calculated, value, rtol=1e-12, atol=1e-12 * largest)


def test_mazur_is_explained_as_the_page_does():
    text = str(mazur.network().explain(mazur.X[0], mazur.Y[0], digits=9))
    for line in (
        "unit 0  z = 0.05·0.15 + 0.1·0.2 + 0.35 = 0.3775",
        "a = sigmoid(0.3775) = 0.593269992",
        "L = l = 0.298371109",
        "dL/da = 0.75136507 − 0.01 = 0.74136507",
        "delta = 0.74136507·0.186815602 = 0.138498562",
        "dL/da = 0.138498562·0.4 + (-0.0380982365)·0.5 = 0.0363503064",
        "w ← 0.4 − 0.5·0.0821670406 = 0.35891648",
    ):
        assert line in text


def test_batch_shows_the_first_rows_and_how_many_more():
    net = Network([1, 1], optimizer=SGD(0.1), init="zeros", dtype="float64", seed=0)
    text = str(net.explain(np.arange(7.0)[:, None], np.ones(7), row=0))
    assert "L = (1 + 1 + 1 + 1 + … 3 more rows)/7 = 1" in text
    assert "d_b = (-0.285714) + (-0.285714) + (-0.285714) + (-0.285714) + … 3 more rows = -2" in text
    assert "Row 0 of 7, counted from 0, is written out" in " ".join(text.split())


def test_sample_weights_and_penalty_are_part_of_the_loss():
    net = Network([1, Dense(1, l2=0.5)], optimizer=SGD(0.1), dtype="float64", seed=0)
    net.weights = [[[2.0]]]
    text = str(net.explain([[1.0], [2.0]], [1.0, 0.0], [3.0, 1.0]))
    assert "penalty = ½·0.5·Σ w² = 1" in text
    assert "L = (3·1 + 1·16)/4 + 1 = 5.75" in text
    assert "dL/da = 0.75·2·(2 − 1) = 1.5" in text
    assert "d_w = 1·1.5 + 2·2 + 0.5·2 = 6.5" in text


def test_weights_of_zero_change_nothing():
    text = str(Network([2, 2], seed=0).explain(np.ones((2, 2)), np.ones((2, 2)), [0, 0]))
    assert "every sample weight is 0" in text
    assert "BACKWARD" not in text


@pytest.mark.parametrize("y", [1, np.int8(1), [1], np.array([1]), [0.25, 0.5, 0.25], [[0.25, 0.5, 0.25]]])
def test_one_sample_may_come_without_its_row(y):
    net = Network([2, 3], loss="cross_entropy", seed=0)
    rows = [y] if np.ndim(y) == 0 else np.reshape(y, (1, -1)) if np.size(y) > 1 else y
    assert str(net.explain([0.5, 1.0], y, 2.0)) == str(net.explain([[0.5, 1.0]], rows, [2.0]))


def test_softmax_goes_back_through_all_units():
    net = Network([2, 3], output_activation="softmax", loss="mse", dtype="float64", seed=0)
    text = str(net.explain([0.5, 1.0], [0.0, 1.0, 0.0], digits=17))
    (layer,) = net.trace([[0.5, 1.0]], [[0.0, 1.0, 0.0]])
    backward = section(text, "BACKWARD")
    assert_allclose(values(backward, "delta ="), layer.delta[0], rtol=0)
    calculations = re.findall(rf"delta = (\S+·\(.* − .*\)) = ({NUMBER})$", "\n".join(lines(backward)), re.MULTILINE)
    assert len(calculations) == 3
    for working, value in calculations:
        assert_allclose(eval(working.replace("−", "-").replace("·", "*")), float(value), rtol=1e-12)  # noqa: S307


def test_the_network_is_not_changed_and_the_explanation_stays():
    net = Network([2, 3, Dropout(0.5), 1], optimizer="adam", seed=0)
    X, y = np.ones((2, 2), "f4"), np.ones(2, "f4")
    net.fit(X, y, epochs=2)
    before = net.copy()
    explanation = net.explain(X, y)
    assert np.array_equal(net.parameters, before.parameters)
    assert (net.step_count, net.epoch_count) == (before.step_count, before.epoch_count)
    loss = net.step(X, y)
    assert explanation.loss == loss
    X[:] = 0.0
    net.fit(X, y, epochs=2)
    assert str(explanation) == str(before.explain(np.ones((2, 2)), y))


def test_a_callback_may_explain():
    net = Network([2, 1], optimizer=SGD(0.1), seed=0)
    told = []
    X, y = np.ones((4, 2)), np.ones(4)
    net.fit(X, y, epochs=2, callbacks=lambda net, *_: told.append(net.explain(X, y)))
    assert told[0].loss > told[1].loss > told[1].loss_after


def test_loss_after_is_that_of_the_step():
    net = Network([2, 3, 1], optimizer=Adam(0.1), seed=0)
    X, y = np.ones((2, 2)), np.zeros(2)
    after = net.explain(X, y).loss_after
    net.step(X, y)
    assert after == net.evaluate(X, y)["loss"]


# ── Every kind ───────────────────────────────────────────────────────────────────────────────────────────────────────


def explained(net):
    """Explain a step on one row and on five, in full and in short, and return the texts."""
    rng = np.random.default_rng(1)
    texts = []
    for n in (1, 5):
        X, y = rng.random((n, net.n_inputs)), target(net, n, rng)
        for limit in (0, 10**6):
            explanation = net.explain(X, y, limit=limit)
            texts.append(str(explanation))
            assert "nan" not in texts[-1]
            tree_of(explanation._repr_html_())
    return texts


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", KINDS["activation"])
def test_every_activation_is_explained(activation, dtype):
    texts = explained(Network([3, Dense(4, activation), 2], dtype=dtype, seed=0))
    assert all(f"Dense 4 {activation}" in text for text in texts)
    assert f"a = {activation}(" in texts[1]


@pytest.mark.parametrize("loss", KINDS["loss"])
def test_every_loss_is_explained(loss):
    for outputs in {max(2, REGISTRIES["loss"][loss].least_outputs), 4}:
        texts = explained(Network([3, 4, outputs], activation="tanh", loss=loss, seed=0))
        assert all(f"{loss}: " in section(text, "LOSS") for text in texts)


@pytest.mark.parametrize("optimizer", KINDS["optimizer"])
def test_every_optimizer_is_explained(optimizer):
    net = Network([3, 4, 2], activation="tanh", optimizer=optimizer, dtype="float64", seed=0)
    rng = np.random.default_rng(0)
    X, y = rng.random((6, 3)), rng.random((6, 2))
    net.fit(X, y, epochs=3)  # moments that are not zero
    assert f"{type(net.optimizer).__name__}, step 4" in explained(net)[1]
    update = section(str(net.explain(X, y, digits=17)), "UPDATE")
    net.step(X, y)
    assert np.array_equal(values(update, "w ←"), np.concatenate([w.ravel() for w in net.weights]))
    assert np.array_equal(values(update, "b ←"), np.concatenate(net.biases))
    # What the optimizer keeps is shown as it is after the step, in the order of the parameters.
    kept = {name: net._engine.native.state(k) for k, name in enumerate(net._engine.native.state_names)}
    for name in kept.keys() - {"previous_gradient"}:  # of which Rprop shows the sign alone
        assert np.array_equal(values(update, f"{name} ←"), kept[name])
    # The calculations give these numbers.
    found = calculations(update)
    assert {left for left, *_ in found} >= {"w", "b", *kept} - {"previous_gradient"}
    assert sum(left in "wb" for left, *_ in found) == net.n_parameters
    for left, calculated, value, _ in found:
        assert_allclose(calculated, value, rtol=1e-11, atol=1e-15, err_msg=left)


@pytest.mark.parametrize("optimizer", KINDS["optimizer"])
def test_every_optimizer_is_explained_in_its_first_step_and_much_later(optimizer):
    net = Network([2, 1], optimizer=optimizer, dtype="float64", seed=0)
    rng = np.random.default_rng(0)
    for _ in range(12):
        X, y = rng.standard_normal((3, 2)), rng.standard_normal(3)  # gradients of both signs
        update = section(str(net.explain(X, y, digits=17)), "UPDATE")
        net.step(X, y)
        assert np.array_equal(values(update, "w ←"), net.weights[0].ravel())
        for left, calculated, value, _ in calculations(update):
            assert_allclose(calculated, value, rtol=1e-10, atol=1e-14, err_msg=f"{left}, step {net.step_count}")


def test_adam_shows_its_moments():
    net = Network([1, 1], loss="half_squared_error", optimizer=Adam(0.5), init="zeros", dtype="float64", seed=0)
    text = str(net.explain([2.0], 1.0))
    for line in (
        "m_hat = m/(1 − beta_1^t)",
        "with learning_rate 0.5, beta_1 0.9, beta_2 0.999, eps 1e-08, t 1",
        "w[0, 0]    d_w = 2·(-1) = -2",
        "m ← 0.9·0 + 0.1·(-2) = -0.2",
        "v ← 0.999·0 + 0.001·(-2)² = 0.004",
        "m_hat = -0.2/(1 − 0.9^1) = -2",
        "v_hat = 0.004/(1 − 0.999^1) = 4",
        "w ← 0 − 0.5·(-2)/(√4 + 1e-08) = 0.5",
    ):
        assert line in text


def test_large_layers_show_what_the_optimizer_keeps():
    net = Network([3, 4, 2], optimizer="adam", dtype="float64", seed=0)
    X, y = np.ones((2, 3)), np.ones((2, 2))
    text = str(net.explain(X, y, limit=0))
    net.step(X, y)
    m = net.state_dict()["optimizer.m.layers.0.weight"]
    row = re.search(r"^ +m of w +3 x 4 +(\S+) +(\S+) +(\S+)", text, flags=re.MULTILINE)
    assert [row[1], row[3]] == [f"{m.min():.6g}", f"{m.max():.6g}"]


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_no_update_is_shown_where_no_step_is_possible(optimizer):
    net = Network([2, 2, 1], optimizer=optimizer, dtype="float64", seed=0)
    net.weights = [w * 1e300 for w in net.weights]
    explanation = net.explain([1.0, 1.0], 0.0)
    assert explanation.loss_after is None
    update = section(str(explanation), "UPDATE")
    assert "No step is possible: L is inf." in update
    assert "d_w =" in update
    assert "←" not in update
    assert "update of" not in str(net.explain([1.0, 1.0], 0.0, limit=0))
    tree_of(explanation._repr_html_())


def test_slopes_and_losses_are_calculated_where_the_formula_is_short():
    net = Network([2, Dense(2, "sigmoid"), Dense(2, "tanh"), 3], loss="cross_entropy", dtype="float64", seed=0)
    text = str(net.explain([0.5, 1.0], 2))
    first, second, _ = net.trace([[0.5, 1.0]], [2])
    a, b, p = first.a[0, 0], second.a[0, 0], net.predict([[0.5, 1.0]])[0, 2]
    assert f"slope = {a:.6g}·(1 − {a:.6g}) = {first.slope[0, 0]:.6g}" in text
    assert f"slope = 1 − {f'({b:.6g})' if b < 0 else f'{b:.6g}'}² = {second.slope[0, 0]:.6g}" in text
    assert f"l = −ln {p:.6g} = {-np.log(p):.6g}" in text
    mixed = str(net.explain([0.5, 1.0], [0.25, 0.25, 0.5]))
    assert "−ln" not in section(mixed, "LOSS")


def test_layer_norm_is_drawn_with_every_way_through_it():
    net = Network([2, 3, LayerNorm(), 1], activation="tanh", seed=0)
    titles = [title.text for title in drawing(net.explain([1.0, 2.0], 0.0)._repr_html_()).iter(f"{SVG}title")]
    assert sum("gain[" in title for title in titles) == 3
    assert sum("moves the mean and the deviation" in title for title in titles) == 3 * 2
    assert sum(", gain = " in title for title in titles) == 3  # in place of the slope
    masked = Network([2, 3, Dropout(0.5), 1], activation="tanh", seed=0).explain([1.0, 2.0], 0.0)
    titles = [title.text for title in drawing(masked._repr_html_()).iter(f"{SVG}title")]
    assert sum(title.startswith("mask = ") for title in titles) == 3
    assert sum(", mask = " in title for title in titles) == 3


def test_ticks_of_the_legend_do_not_collide():
    for size in (1e-300, 1e-5, 0.0, 1.0, 1e20):
        net = Network([1, 1], loss="half_squared_error", dtype="float64", seed=0)
        net.weights, net.biases = [[[0.0]]], [[0.0]]
        svg = drawing(net.explain([1.0], size)._repr_html_())
        ticks = [text for text in svg.iter(f"{SVG}text") if text.get("class") == "note"][-5:]
        room = [(float(text.get("x")), 6.5 * len(text.text)) for text in ticks if "e" in text.text or "." in text.text]
        for (x, width), (following, its) in pairwise(room):
            assert x + width / 2 < following - its / 2
        if not size:
            assert [text.text for text in svg.iter(f"{SVG}text") if text.get("class") == "note"][-1] == "0"


def test_momentum_is_not_shown_as_plain_descent():
    net = Network([1, 1], optimizer=SGD(0.1, momentum=0.9), init="zeros", seed=0)
    net.step([[1.0]], [1.0])
    text = str(net.explain([1.0], 1.0))
    assert "SGD, step 2" in text
    assert "velocity ← 0.9·(-2) + (-1.2) = -3" in text
    assert "w ← 0.2 − 0.1·(-3) = 0.5" in text


def test_nesterov_looks_ahead():
    net = Network([1, 1], optimizer=SGD(0.1, momentum=0.9, nesterov=True), init="zeros", seed=0)
    text = str(net.explain([1.0], 1.0))
    assert "w ← w − learning_rate·(d_w + momentum·velocity)" in text
    assert "w ← 0 − 0.1·(-2 + 0.9·(-2)) = 0.38" in text


# ── Rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_row_decides_what_is_written_out():
    net = Network([2, 2, 1], activation="tanh", optimizer=SGD(0.1), dtype="float64", seed=0)
    rng = np.random.default_rng(0)
    X, y = rng.random((9, 2)), rng.random(9)
    hidden, output = net.trace(X, y)
    for row in range(9):
        explanation = net.explain(X, y, row=row, digits=17)
        text = str(explanation)
        assert f"Row {row} of 9" in " ".join(text.split())
        assert np.array_equal(values(text, "x ="), X[row])
        assert np.array_equal(values(text, "z ="), [*hidden.z[row], *output.z[row]])
        assert np.array_equal(values(text, "delta ="), [*output.delta[row], *hidden.delta[row]])
        assert re.search(rf"^ +row {row}  l = ", text, flags=re.MULTILINE)
        assert "… 5 more rows" in text
        drawn = "".join(drawing(explanation._repr_html_()).itertext())
        assert f"a = {output.a[row, 0]:.17g}" in drawn
    assert len(set(map(str, (net.explain(X, y, row=row).loss for row in range(9))))) == 1


def test_default_row_is_one_without_zeros():
    xor, y = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array([0.0, 1.0, 1.0, 0.0])
    net = Network([2, 3, 1], activation="tanh", seed=0)

    def told(*data):
        return " ".join(str(net.explain(*data)).split())

    assert "Row 3 of 4" in told(xor, y)
    assert "Row 0 of 4" in told(xor + 1, y)  # the first where all show something
    assert "Row 2 of 4" in told(xor + 1, y, [0, 0, 1, 1])  # the first two have no error
    assert "written out" not in told(xor[:1], y[:1])


@pytest.mark.parametrize("row", [-1, 4, 2**70, 1.5, "0", True, [0]])
def test_row_that_is_none_is_refused(row):
    net = Network([2, 1], seed=0)
    with pytest.raises((TypeError, ValueError), match="row must be"):
        net.explain(np.ones((4, 2)), np.ones(4), row=row)


# ── Names ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_columns_of_a_frame_name_the_inputs():
    frame = pd.DataFrame({"age": [1.0, 2.0], "<b>height": [3.0, 4.0]})
    net = Network([2, 1], seed=0)
    explanation = net.explain(frame, [1.0, 2.0])
    assert "input 1 <b>height  x = 3" in str(explanation)
    drawn = "".join(drawing(explanation._repr_html_()).itertext())
    assert "input 0 age: x[0] = 1" in drawn
    assert "age" in [text.text for text in drawing(explanation._repr_html_()).iter(f"{SVG}text")]
    assert "age" not in str(net.explain(frame.set_axis([0, 1], axis=1), [1.0, 2.0]))
    hostile = net.explain(frame.set_axis(["a\nb", "\x1b[2J"], axis=1), [1.0, 2.0])
    assert "\\x1b[2J" in str(hostile)
    assert str(hostile).replace("\n", "").isprintable()
    tree_of(hostile._repr_html_())


def test_large_inputs_show_their_names_where_they_are_not_zero():
    frame = pd.DataFrame(np.zeros((1, 60)), columns=[f"c{i}" for i in range(60)])
    frame[["c3", "c41"]] = 2.5
    net = Network([60, 1], seed=0)
    text = section(str(net.explain(frame, [1.0])), "FORWARD")
    assert re.findall(r"input (\d+) (\w+) +x = (\S+)", text) == [("3", "c3", "2.5"), ("41", "c41", "2.5")]
    text = section(str(net.explain(frame + 1.0, [1.0])), "FORWARD")
    assert len(re.findall(r"input \d+ c\d+", text)) == 40
    assert "20 more that are not 0, smaller in size" in text


@pytest.mark.parametrize("layer", KINDS["layer"])
def test_every_layer_is_explained(layer):
    with_fields = {"dense": Dense(4, bias=False, l2=0.1), "dropout": Dropout(0.5)}
    made = with_fields[layer] if layer in with_fields else LAYERS[layer]()
    texts = explained(Network([3, 4, made, 2], activation="tanh", seed=0))
    assert all(f"Layer 2: {type(made).__name__}" in text for text in texts)


# ── Large networks ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_large_networks_are_summed_up():
    net = Network([784, 512, 10], loss="cross_entropy", seed=0)
    rng = np.random.default_rng(0)
    X, y = rng.random((32, 784)), rng.integers(0, 10, 32)
    explanation = net.explain(X, y)
    text, html = str(explanation), explanation._repr_html_()
    assert len(text) < 8_000
    assert len(html) < 60_000
    hidden, output = net.trace(X, y)
    dead = int((hidden.slope == 0).all(axis=0).sum())
    assert f"slope is 0 in every row: {dead} of 512 units" in text
    i, j = np.unravel_index(np.abs(output.d_weight).argmax(), output.d_weight.shape)
    assert f"largest in size  d_w[{i}, {j}] = {output.d_weight[i, j]:.6g}" in re.sub(r"  +", "  ", text)
    row = re.search(r"^ +w +784 x 512 +(\S+) +(\S+) +(\S+)", text, flags=re.MULTILINE)
    w = net.weights[0]
    assert [row[1], row[3]] == [f"{w.min():.6g}", f"{w.max():.6g}"]


@pytest.mark.parametrize("layers", [[3] * 60, [2000, 1], [1, 2000]])
def test_deep_and_wide_drawings_stay_small(layers):
    net = Network(layers, seed=0)
    tree = drawing(net.explain(np.ones(layers[0]), np.ones(layers[-1]))._repr_html_())
    assert len(tree.findall(".//{*}circle")) <= 8 * 10
    assert "more" in "".join(tree.itertext())


def test_limit_decides_what_is_written_out():
    net = Network([4, 3, 2], seed=0)  # 12 and 6 weights
    X, y = np.ones((1, 4)), np.ones((1, 2))
    for limit, n in ((0, 0), (5, 0), (6, 6), (11, 6), (12, 18)):
        assert len(values(str(net.explain(X, y, limit=limit)), "w ←")) == n


def test_digits_decide_how_numbers_are_written():
    net = Network([1, 1], dtype="float64", seed=0)
    net.weights = [[[1 / 3]]]
    for digits, written in ((1, "0.3"), (6, "0.333333"), (17, "0.33333333333333331")):
        assert f"z = 1·{written} + 0 = {written}\n" in str(net.explain([1.0], 1.0, digits=digits))


# ── HTML ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def drawing(html):
    return tree_of(html).find(".//{http://www.w3.org/2000/svg}svg")


def test_html_says_what_the_text_says():
    explanation = mazur.network().explain(mazur.X, mazur.Y)
    html = " ".join("".join(tree_of(explanation._repr_html_()).itertext()).split())
    for line in str(explanation).splitlines()[3:]:
        for part in re.split(r"\s{2,}", line.strip()):
            calculation = re.split(" [=←] ", part, maxsplit=1)[-1]
            assert calculation in html or part.capitalize() in html or part.removeprefix("with ") in html


def test_drawing_has_every_unit_and_weight_with_its_numbers():
    svg = drawing(mazur.network().explain(mazur.X, mazur.Y)._repr_html_())
    titles = [title.text for title in svg.iter("{http://www.w3.org/2000/svg}title")]
    assert len(svg.findall(".//{*}circle")) == 6
    assert "layer 1: w[0, 1] = 0.25, d_w = 0.000497713, w ← 0.249751" in titles
    assert "layer 2, unit 0: z = 1.10591, a = 0.751365, slope = 0.186816, delta = 0.138499" in titles
    widths = {t.find("{*}title").text: float(t.get("stroke-width")) for t in svg.findall(".//{*}line[{*}title]")}
    by_weight = sorted((text for text in widths if text.startswith("layer 1")), key=widths.get)
    assert [re.search("= (.*?),", text)[1] for text in by_weight] == ["0.15", "0.2", "0.25", "0.3"]


def test_colors_tell_the_sign():
    net = Network([2, 1], dtype="float64", seed=0)
    net.weights = [[[-1.0], [2.0]]]
    lines = drawing(net.explain([1.0, 1.0], 0.0)._repr_html_()).findall(".//{*}line[{*}title]")
    assert len({line.get("stroke") for line in lines}) == 2


def test_save_writes_a_page_of_its_own(tmp_path):
    path = tmp_path / "step.html"
    mazur.network().explain(mazur.X, mazur.Y).save(str(path))
    page = path.read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>\n<html")
    tree_of(page.partition("\n")[2])
    with pytest.raises(OSError, match="nowhere"):
        mazur.network().explain(mazur.X, mazur.Y).save(tmp_path / "nowhere" / "step.html")


def test_what_is_shown_is_escaped():
    class Subclass(Network):
        def __repr__(self):
            return "<script>alert('x')</script> & more"

    tree = tree_of(Subclass([1, 1], seed=0).explain([1.0], 1.0)._repr_html_())
    assert "<script>alert('x')</script> & more" in "".join(tree.itertext())


# ── Hostile input ────────────────────────────────────────────────────────────────────────────────────────────────────

X, LABELS = np.ones((3, 2)), np.array([0, 1, 2])
WRONG = [
    (([1.0, 2.0, 3.0], 0), ValueError, "X has 3 columns but the network was built for 2"),
    ((X[None], LABELS), ValueError, "X must be 2-D"),
    ((1.0, 0), ValueError, "X must be 2-D"),
    ((X[:0], LABELS[:0]), ValueError, "X has no rows"),
    (([], 0), ValueError, "X has 0 columns"),
    ((X, LABELS[:2]), ValueError, "y has 2 rows but X has 3"),
    ((X, LABELS + 1), ValueError, "y has label 3 at row 2"),
    ((X[0], LABELS), ValueError, "y sums to 3 at row 0"),
    ((X[0], 3), ValueError, "y has label 3"),
    ((X[0], [1, 0]), ValueError, r"y has shape \(1, 2\)"),
    ((X[0], None), TypeError, "y must be an array"),
    ((X[0], 0.5), TypeError, "y holds float64 but loss"),
    ((X * np.nan, LABELS), ValueError, "X has (nan|NaN) at row 0, column 0"),
    (([np.inf, 0], 0), ValueError, "X has inf at row 0, column 0"),
    ((["a", "b"], 0), TypeError, "X holds text"),
    (([1, "b"], 0), TypeError, "X holds text"),
    ((None, 0), TypeError, "X holds NoneType"),
    (([[1, 2], [1]], [0, 1]), ValueError, "X is ragged"),
    ((X, LABELS, [1, 2]), ValueError, "sample_weight has 2 rows but X has 3"),
    ((X[0], 0, -1.0), ValueError, "sample_weight has -1 at row 0"),
    ((X[0], 0, "a"), TypeError, "sample_weight holds text"),
]


@pytest.mark.parametrize(("arguments", "error", "text"), WRONG, ids=[text[:40] for *_, text in WRONG])
def test_wrong_data_is_refused(arguments, error, text):
    net = Network([2, 3], loss="cross_entropy", seed=0)
    with pytest.raises(error, match=text):
        net.explain(*arguments)


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"limit": -1}, ValueError, "limit must be an integer from 0"),
        ({"limit": 2.5}, TypeError, "limit must be an integer"),
        ({"limit": None}, TypeError, "limit must be an integer"),
        ({"digits": 0}, ValueError, "digits must be an integer from 1 to 17"),
        ({"digits": 18}, ValueError, "digits must be an integer from 1 to 17"),
        ({"digits": True}, TypeError, "digits must be an integer"),
        ({"digit": 3}, TypeError, "digit.*did you mean 'digits'"),
    ],
)
def test_wrong_options_are_refused(options, error, text):
    with pytest.raises(error, match=text):
        Network([2, 3], loss="cross_entropy", seed=0).explain(X, LABELS, **options)


@pytest.mark.parametrize("size", [1e3, 3e38, 1e200, 1e308])
@pytest.mark.parametrize("loss", KINDS["loss"])
def test_a_network_that_has_diverged_can_be_looked_at(loss, size):
    dtype = "float32" if size < 1e39 else "float64"
    net = Network([2, 3, 4], activation="identity", loss=loss, dtype=dtype, seed=0)
    net.parameters = np.full(net.n_parameters, size)
    rng = np.random.default_rng(0)
    for limit in (0, 100):
        explanation = net.explain(10 * X[:2], target(net, 2, rng), limit=limit)
        assert size < 1e4 or re.search("inf|nan|e\\+", str(explanation))
        tree_of(explanation._repr_html_())


@pytest.mark.parametrize("dtype", ["i1", "u8", "f2", ">f8", "O", "?"])
def test_any_numbers_will_do(dtype):
    net = Network([2, 3], loss="cross_entropy", seed=0)
    assert str(net.explain(X.astype(dtype), LABELS)) == str(net.explain(X, LABELS))


def test_explanation_shows_itself_at_the_prompt():
    explanation = Network([1, 1], seed=0).explain([1.0], 1.0)
    assert isinstance(explanation, Explanation)
    assert repr(explanation) == str(explanation)
