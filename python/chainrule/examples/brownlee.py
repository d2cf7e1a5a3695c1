"""Brownlee, "How to Code a Neural Network with Backpropagation In Python": one sample a step, sigmoid, one-hot classes.

https://machinelearningmastery.com/implement-backpropagation-algorithm-scratch-python/

The tutorial keeps a unit as a list of its weights with the bias last. Its error is (expected − output) · slope, so its
deltas have the opposite sign of ∂L/∂z.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from chainrule.network import Network

from .comparison import Example, Line
from .networks import of_sigmoids

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainrule.explain import Explanation

    Units: TypeAlias = Sequence[Sequence[float]]  # one layer: for each unit its weights, then its bias

# The network on which the tutorial tests forward propagation and the deltas.
HIDDEN = [[0.13436424411240122, 0.8474337369372327, 0.763774618976614]]
OUTPUTS = [[0.2550690257394217, 0.49543508709194095], [0.4494910647887381, 0.651592972722763]]
ROW, EXPECTED = [1.0, 0.0], [0.0, 1.0]
HIDDEN_OUTPUT = "0.7105668883115941"
FORWARD = ("0.6629970129852887", "0.7253160725279748")
# The activations that the tutorial's test of the deltas presets, and the deltas it prints.
PRESET = ("0.6213859615555266", "0.6573693455986976")
HIDDEN_DELTA = "-0.0005348048046610517"
OUTPUT_DELTAS = ("-0.14619064683582808", "0.0771723774346327")

ROWS = [
    (2.7810836, 2.550537003, 0),
    (1.465489372, 2.362125076, 0),
    (3.396561688, 4.400293529, 0),
    (1.38807019, 1.850220317, 0),
    (3.06407232, 3.005305973, 0),
    (7.627531214, 2.759262235, 1),
    (5.332441248, 2.088626775, 1),
    (6.922596716, 1.77106367, 1),
    (8.675418651, -0.242068655, 1),
    (7.673756466, 3.508563011, 1),
]
X = [list(row[:2]) for row in ROWS]
LABELS = [row[2] for row in ROWS]
Y = [[1.0 - label, float(label)] for label in LABELS]
# Σ (expected − output)² over rows and outputs, for each epoch.
ERRORS = (
    "6.350", "5.531", "5.221", "4.951", "4.519", "4.173", "3.835", "3.506", "3.192", "2.898",
    "2.626", "2.377", "2.153", "1.953", "1.774", "1.614", "1.472", "1.346", "1.233", "1.132",
)  # fmt: skip


def network(hidden: Units, outputs: Units, kind: type[Any] = Network) -> Any:
    """Return a network of the tutorial in float64, as a chainrule.Network or a chainrule.reference.Network."""
    layers = [np.array(hidden), np.array(outputs)]
    return of_sigmoids(kind, [layer[:, :-1].T for layer in layers], [layer[:, -1] for layer in layers])


def preset(kind: type[Any] = Network) -> Any:
    """Return the small network with biases chosen such that its activations are the preset ones."""
    made = network(HIDDEN, OUTPUTS, kind)
    hidden, outputs = float(HIDDEN_OUTPUT), np.array(PRESET, float)
    w_hidden, w_output = map(np.asarray, made.weights)
    # sigmoid(z) = a where z = log(a / (1 − a)), and b = z − Σ x w.
    b_output = np.log(outputs / (1 - outputs)) - hidden * w_output[0]
    made.biases = [[np.log(hidden / (1 - hidden)) - w_hidden[0, 0]], b_output]
    return made


def seeded(kind: type[Any] = Network) -> Any:
    """Return the 2-2-2 network with the tutorial's weights, drawn after Python's random.seed(1)."""
    draw = random.Random(1).random
    hidden, outputs = ([[draw() for _ in range(3)] for _ in range(2)] for _ in range(2))
    return network(hidden, outputs, kind)


def step_in_full() -> Explanation:
    """Return the first step of the twenty epochs with the calculation of every number."""
    return seeded().explain(X[0], Y[0], digits=9)  # type: ignore[no-any-return] # seeded makes either kind of network


def epoch_errors(made: Any) -> list[float]:
    """Train as the tutorial does and return the tutorial's error for each epoch."""
    history = made.fit(X, Y, epochs=len(ERRORS), batch_size=1, shuffle=False)
    # The tutorial sums (expected − output)² over rows and outputs. Our loss is half of that, averaged over the rows.
    return [2 * len(X) * loss for loss in history.loss]


def walk() -> Example:
    """Return the example.

    Examples
    --------
    >>> print(walk())
    Brownlee, "How to Code a Neural Network with Backpropagation In Python"
    ...
      epoch 0   6.350  6.350...  same
    ...
    """
    small = network(HIDDEN, OUTPUTS)
    forward = small.forward([ROW])[0].tolist()
    hidden_output = small.trace([ROW], [EXPECTED])[0].a.item()
    first, last = preset().trace([ROW], [EXPECTED])
    biases_alone = 1 / (1 + np.exp([-unit[-1] for unit in OUTPUTS]))
    trained = seeded()
    errors = epoch_errors(trained)
    classes = trained.predict(X).argmax(axis=1).tolist()
    right = sum(found == label for found, label in zip(classes, LABELS, strict=True))
    return Example(
        'Brownlee, "How to Code a Neural Network with Backpropagation In Python"',
        "https://machinelearningmastery.com/implement-backpropagation-algorithm-scratch-python/",
        "Forward propagation of [1, 0] through 2-1-2",
        [
            Line("hidden output", HIDDEN_OUTPUT, hidden_output),
            *(Line(f"output {j}", FORWARD[j], forward[j]) for j in range(2)),
        ],
        "Deltas from preset outputs, expected [0, 1]: (expected − output) · slope, which is −∂L/∂z",
        [
            *(Line(f"preset output {j}", PRESET[j], last.a[0, j]) for j in range(2)),
            Line("hidden delta", HIDDEN_DELTA, -first.delta.item()),
            *(Line(f"output delta {j}", OUTPUT_DELTAS[j], -last.delta[0, j]) for j in range(2)),
        ],
        "These deltas point to where an output should go, ∂L/∂z away from it. A later edition of the tutorial flips "
        "all three signs: its delta is chainrule's.",
        "The preset outputs are not those of the forward pass above. They are the sigmoid of the outputs' biases "
        "alone, as if the hidden unit gave nothing:",
        [Line(f"sigmoid(bias {j})", PRESET[j], biases_alone[j]) for j in range(2)],
        "Twenty epochs on ten rows: 2-2-2, weights from random.seed(1), learning rate 0.5, one row a step",
        [Line(f"epoch {epoch}", printed, errors[epoch]) for epoch, printed in enumerate(ERRORS)],
        "The tutorial's error is the sum of (expected − output)² over outputs and rows, each row's from before its "
        f"update: twice half_squared_error, summed over the rows. In the end {right} of {len(ROWS)} rows are "
        "classified right.",
        again="print(chainrule.examples.brownlee.step_in_full())",
        step=step_in_full(),
    )
