"""Published worked examples, number by number, on the native network and on the reference."""

import re

import numpy as np
import pytest
from numpy.testing import assert_allclose

from chainrule.examples import EXAMPLES, brownlee, mazur
from chainrule.examples.comparison import same
from chainrule.reference import SGD, Dense, RMSprop

from .implementations import build, class_of, each_implementation, identity, set_moments
from .markup import tree_of

# ── Mazur, "A Step by Step Backpropagation Example", 2015-03-17 ──────────────────────────────────────────────────────


def numbers(printed):
    return [float(number) for number in printed]


@each_implementation
def test_mazur_forward_and_backward(implementation):
    network = mazur.network(class_of(implementation))
    hidden, output = network.trace(mazur.X, mazur.Y)
    assert_allclose(hidden.z, [[0.3775, 0.3925]], rtol=1e-15)
    assert_allclose(hidden.a, [[0.5932699921071872, 0.596884378259767]], rtol=1e-14)
    assert_allclose(output.a, [[0.7513650695523157, 0.7729284653214625]], rtol=1e-14)
    assert_allclose(output.delta, [[0.13849856162855695, -0.038098236516556236]], rtol=1e-14)
    assert_allclose(hidden.delta, [[0.00877135468948693, 0.009954254705217196]], rtol=1e-14)
    assert_allclose(network.evaluate(mazur.X, mazur.Y)["loss"], 0.2983711087600027, rtol=1e-14)
    # As the page has them, rounded.
    assert_allclose(hidden.a, [numbers(mazur.OUT_H)], atol=5e-10)
    assert_allclose(output.a, [numbers(mazur.OUT_O)], atol=5e-9)
    assert_allclose(output.delta, [numbers(mazur.DELTA_O)], atol=1e-9)


@each_implementation
def test_mazur_first_step(implementation):
    network = mazur.network(class_of(implementation))
    assert_allclose(mazur.step(network), 0.2983711087600027, rtol=1e-14)
    w1_to_w4, w5_to_w8 = map(mazur.by_page, network.weights)
    assert_allclose(
        w1_to_w4, [0.1497807161327628, 0.19956143226552567, 0.24975114363236958, 0.29950228726473915], rtol=1e-14
    )
    assert_allclose(
        w5_to_w8, [0.35891647971788465, 0.4086661860762334, 0.5113012702387375, 0.5613701211079891], rtol=1e-14
    )
    # As the page has them, rounded; its error after the step, .291027924, is another algorithm's: there the hidden
    # deltas see output weights that were updated before.
    assert_allclose(w1_to_w4, numbers(mazur.NEW_HIDDEN_WEIGHTS), atol=5e-9)
    assert_allclose(w5_to_w8, numbers(mazur.NEW_OUTPUT_WEIGHTS), atol=5e-9)
    assert_allclose(network.evaluate(mazur.X, mazur.Y)["loss"], 0.29102777369359933, rtol=1e-14)


@each_implementation
def test_mazur_error_of_the_page_comes_from_deltas_through_updated_weights(implementation):
    assert_allclose(mazur.mixed_error(class_of(implementation)), 0.29102792390544197, rtol=1e-14)


@each_implementation
def test_mazur_ten_thousand_steps(implementation):
    network = mazur.network(class_of(implementation))
    for _ in range(mazur.STEPS):
        last = mazur.step(network)
    loss = network.evaluate(mazur.X, mazur.Y)["loss"]
    assert_allclose(loss, 3.510187782978859e-05, rtol=1e-10)
    assert_allclose(last, float(mazur.ERROR_AFTER_STEPS), atol=5e-11)  # the page's is that of the last way forward


def test_mazur_walk_has_every_number_of_the_page():
    computed = compared(str(EXAMPLES["mazur"]()))
    printed = [mazur.NET_H1, *mazur.OUT_H, *mazur.OUT_O, mazur.ERROR, *mazur.DELTA_O]
    printed += [*mazur.NEW_OUTPUT_WEIGHTS, *mazur.NEW_HIDDEN_WEIGHTS]
    assert [row[1] for row in computed[:-4]] == printed
    assert {row[3] for row in computed[:-4]} == {"same"}
    after = [float(row[2]) for row in computed[-4:]]
    assert_allclose(after, [0.291027773694, 0.291027923905, 3.51018778e-05, 3.51085481e-05], rtol=1e-8)
    assert [row[3] for row in computed[-4:]] == ["differs", "same", "differs", "same"]


def test_mazur_step_in_full_is_the_step_of_the_page():
    """The biases are not trained, so weights and loss after the step are those of the comparison."""
    explanation = mazur.step_in_full()
    assert_allclose(explanation.loss_after, 0.29102777369359933, rtol=1e-14)
    text = str(explanation)
    for number in (*mazur.NEW_OUTPUT_WEIGHTS, *mazur.NEW_HIDDEN_WEIGHTS):
        assert any(same(number, float(shown)) for shown in re.findall(r"w ← .* = (\S+)$", text, re.MULTILINE))
    assert text.count("b = 0.35, not trained") == text.count("b = 0.6, not trained") == 2
    assert "b ←" not in text


def test_brownlee_step_in_full_is_the_first_of_the_epochs():
    explanation, made = brownlee.step_in_full(), brownlee.seeded()
    assert explanation.loss == made.step(brownlee.X[:1], brownlee.Y[:1])
    assert explanation.loss_after == made.evaluate(brownlee.X[:1], brownlee.Y[:1])["loss"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_page_of_an_example_has_every_number_and_a_drawing(name, tmp_path):
    example = EXAMPLES[name]()
    example.save(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    tree = tree_of(example._repr_html_())
    assert example._repr_html_() in page
    assert tree.find(".//{http://www.w3.org/2000/svg}svg") is not None
    cells = [[cell.text or "" for cell in row] for row in tree.iter("tr")]
    for part in example.parts:
        for line in () if isinstance(part, str) else part:
            assert list(line.cells) in cells
    assert repr(example) == str(example)
    assert f"chainrule.examples.{name}.step_in_full()" in str(example)


# ── Brownlee, "How to Code a Neural Network with Backpropagation In Python" ──────────────────────────────────────────


@each_implementation
def test_brownlee_forward(implementation):
    network = brownlee.network(brownlee.HIDDEN, brownlee.OUTPUTS, class_of(implementation))
    assert_allclose(network.forward([brownlee.ROW]), [numbers(brownlee.FORWARD)], rtol=1e-14)
    hidden = network.trace([brownlee.ROW], [brownlee.EXPECTED])[0].a
    assert_allclose(hidden, [[float(brownlee.HIDDEN_OUTPUT)]], rtol=1e-14)


@each_implementation
def test_brownlee_deltas(implementation):
    # The tutorial presets the outputs of the units. Here biases are chosen so that they come out.
    network = brownlee.preset(class_of(implementation))
    first, last = network.trace([brownlee.ROW], [brownlee.EXPECTED])
    # As (expected − actual) · slope: the article's sign, not that of ∂L/∂z.
    assert_allclose(-np.asarray(last.delta), [numbers(brownlee.OUTPUT_DELTAS)], rtol=1e-13)
    assert_allclose(-np.asarray(first.delta), [[float(brownlee.HIDDEN_DELTA)]], rtol=1e-12)


@each_implementation
def test_brownlee_twenty_epochs(implementation):
    network = brownlee.seeded(class_of(implementation))
    assert_allclose(brownlee.epoch_errors(network), numbers(brownlee.ERRORS), atol=0.0005)
    assert [round(output) for _, output in np.asarray(network.predict(brownlee.X))] == brownlee.LABELS


def test_brownlee_walk_has_every_number_of_the_tutorial():
    computed = compared(str(EXAMPLES["brownlee"]()))
    printed = [brownlee.HIDDEN_OUTPUT, *brownlee.FORWARD, *brownlee.PRESET, brownlee.HIDDEN_DELTA]
    printed += [*brownlee.OUTPUT_DELTAS, *brownlee.PRESET, *brownlee.ERRORS]
    assert [row[1] for row in computed] == printed
    assert {row[3] for row in computed} == {"same"}
    assert "10 of 10 rows" in " ".join(str(EXAMPLES["brownlee"]()).split())


def compared(text):
    """The rows of a walk that have a number of the page: (quantity, printed, computed, verdict)."""
    cells = (re.split(r"\s{2,}", line.strip()) for line in text.splitlines() if line.startswith("  "))
    return [row for row in cells if row[-1] in ("same", "differs")]


@pytest.mark.parametrize(
    ("printed", "computed", "expected"),
    [("0.5", 0.599, True), ("0.5", 0.61, False), ("-0.25", -0.2599, True), ("1.0", float("inf"), False)],
)
def test_a_number_is_the_printed_one_but_for_a_unit_of_its_last_digit(printed, computed, expected):
    assert same(printed, computed) is expected


# ── Stanford CS231n, assignments 1 and 2 ─────────────────────────────────────────────────────────────────────────────


@each_implementation
def test_cs231n_two_layer_net(implementation):
    numbers = np.random.RandomState(0)
    w1, w2 = 0.1 * numbers.randn(4, 10), 0.1 * numbers.randn(10, 3)
    X = 10.0 * np.random.RandomState(1).randn(5, 4)
    # Its regularization is reg · ‖w‖², ours ½ · l2 · ‖w‖².
    layers = [4, Dense(10, l2=0.1), Dense(3, l2=0.1)]
    network = build(implementation, layers, activation="relu", loss="cross_entropy")
    network.weights, network.biases = [w1, w2], [np.zeros(10), np.zeros(3)]
    assert_allclose(network.forward(X)[0], [-0.81233741, -1.27654624, -0.70335995], atol=5e-9)
    assert_allclose(network.evaluate(X, [0, 1, 2, 2, 1])["loss"], 1.3037878913298202, rtol=1e-14)


def cs231n_update(implementation, optimizer, step=0, **moments):
    """One update of w = linspace(−.4, .6, 20) by dw = linspace(−.6, .4, 20), as 4 × 5."""
    network = build(implementation, [4, Dense(5, bias=False)], optimizer=optimizer)
    network.parameters = np.linspace(-0.4, 0.6, 20)
    set_moments(network, step, **moments)
    network.apply_gradient(np.linspace(-0.6, 0.4, 20))
    return np.asarray(network.weights[0])


@each_implementation
def test_cs231n_momentum(implementation):
    # Its velocity is −learning_rate times ours.
    optimizer = SGD(learning_rate=1e-3, momentum=0.9)
    w = cs231n_update(implementation, optimizer, velocity=np.linspace(0.6, 0.9, 20) / -1e-3)
    assert_allclose(w[0], [0.1406, 0.20738947, 0.27417895, 0.34096842, 0.40775789], atol=5e-9)


@each_implementation
def test_cs231n_rmsprop(implementation):
    w = cs231n_update(implementation, RMSprop(learning_rate=1e-2), v=np.linspace(0.6, 0.9, 20))
    assert_allclose(w[0], [-0.39223849, -0.34037513, -0.28849239, -0.23659121, -0.18467247], atol=5e-9)


# ── Trask, "A Neural Network in 11 lines of Python (Part 1)" ─────────────────────────────────────────────────────────


@each_implementation
def test_trask_mean_error(implementation):
    numbers = np.random.RandomState(1)
    w1, w2 = 2 * numbers.random_sample((3, 4)) - 1, 2 * numbers.random_sample((4, 1)) - 1
    X, y = [[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]], [[0], [1], [1], [0]]
    network = build(
        implementation,
        [3, Dense(4, bias=False), Dense(1, bias=False)],
        activation="sigmoid",
        output_activation="sigmoid",
        loss="half_squared_error",
        optimizer=SGD(learning_rate=4.0),  # the post adds up the four rows, here is their mean
    )
    network.weights = [w1, w2]

    def mean_error():
        return np.mean(np.abs(np.subtract(y, network.forward(X))))

    assert_allclose(mean_error(), 0.496410031903, rtol=1e-10)
    network.fit(X, y, epochs=10_000, batch_size=4, shuffle=False)
    assert_allclose(mean_error(), 0.00858452565325, rtol=1e-9)
    network.fit(X, y, epochs=10_000, batch_size=4, shuffle=False)
    assert_allclose(mean_error(), 0.00578945986251, rtol=1e-9)


# ── Keras, docstrings of the losses ──────────────────────────────────────────────────────────────────────────────────


@each_implementation
def test_keras_binary_cross_entropy(implementation):
    network = identity(implementation, 1, loss="binary_cross_entropy")
    loss = network.evaluate([[-18.6], [0.51], [2.94], [-12.8]], [0.0, 1.0, 0.0, 0.0])["loss"]
    assert_allclose(loss, 0.86545795, atol=5e-8)  # Keras computes in float32


@each_implementation
@pytest.mark.parametrize("as_labels", [True, False])
def test_keras_categorical_cross_entropy(implementation, as_labels):
    network = identity(implementation, 3, loss="cross_entropy")
    logits = np.log([[0.05, 0.95, 1e-300], [0.1, 0.8, 0.1]])  # the first row of the docstring has a probability of 0
    y = np.array([1, 2]) if as_labels else np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    rows = [network.evaluate(logits[i : i + 1], y[i : i + 1])["loss"] for i in range(2)]
    assert_allclose(rows, [0.0513, 2.303], atol=0.0005)
    assert_allclose(rows, -np.log([0.95, 0.1]), rtol=1e-14)
