"""Mazur, "A Step by Step Backpropagation Example", 2015-03-17: 2-2-2, sigmoid, E = ½ Σ (t − o)², learning rate 0.5.

https://mattmazur.com/2015/03/17/a-step-by-step-backpropagation-example/

The page numbers the weights by the unit they lead to: w1 and w2 lead to h1, w3 and w4 to h2. In chainrule column j of w
leads to unit j. The page does not train the biases.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.explain import explain
from chainrule.network import Network

from .comparison import Example, Line
from .networks import LEARNING_RATE, of_sigmoids

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from chainrule.explain import Explanation

X, Y = [[0.05, 0.10]], [[0.01, 0.99]]
WEIGHTS = [[[0.15, 0.25], [0.20, 0.30]], [[0.40, 0.50], [0.45, 0.55]]]
BIASES = [[0.35, 0.35], [0.60, 0.60]]
STEPS = 10_000

# The numbers that the page prints.
NET_H1 = "0.3775"
OUT_H = ("0.593269992", "0.596884378")
OUT_O = ("0.75136507", "0.772928465")
ERROR = "0.298371109"
DELTA_O = ("0.138498562", "-0.038098236")
NEW_OUTPUT_WEIGHTS = ("0.35891648", "0.408666186", "0.511301270", "0.561370121")  # w5 to w8
NEW_HIDDEN_WEIGHTS = ("0.149780716", "0.19956143", "0.24975114", "0.29950229")  # w1 to w4
ERROR_AFTER_STEP = "0.291027924"
ERROR_AFTER_STEPS = "0.0000351085"


def network(kind: type[Any] = Network) -> Any:
    """Return the page's network in float64, as a chainrule.Network or a chainrule.reference.Network."""
    return of_sigmoids(kind, WEIGHTS, BIASES)


def step(made: Any) -> float:
    """Make one step as the page does, leaving the biases unchanged; return the loss before it."""
    loss: float = made.step(X, Y)
    made.biases = BIASES
    return loss


def step_in_full() -> Explanation:
    """Return the page's step with the calculation of every number."""
    made = network()
    engine = made._engine  # noqa: SLF001 - Network.explain knows no fixed tensors
    return explain(engine, X, Y, call=repr(made), digits=9, fixed=("bias",))


def by_page(weights: Any) -> list[float]:
    """Return one layer's weights in the order of the page."""
    return np.transpose(weights).ravel().tolist()


def mixed_error(kind: type[Any] = Network) -> float:
    """Return the loss after a step that propagates the hidden deltas through the already updated output weights."""
    hidden, output = network(kind).trace(X, Y)
    stepped = network(kind)
    step(stepped)
    new_output: NDArray[Any] = np.asarray(stepped.weights[1])
    delta = np.asarray(output.delta) @ new_output.T * np.asarray(hidden.slope)
    stepped.weights = [np.array(WEIGHTS[0]) - LEARNING_RATE * np.transpose(X) @ delta, new_output]
    loss: float = stepped.evaluate(X, Y)["loss"]
    return loss


def walk() -> Example:
    """Return the example.

    Examples
    --------
    >>> print(walk())
    Mazur, "A Step by Step Backpropagation Example" (2015)
    ...
      net_h1  0.3775       0.3775          same
    ...
    """
    made = network()
    hidden, output = made.trace(X, Y)
    (z,), (a,), (o,) = hidden.z.tolist(), hidden.a.tolist(), output.a.tolist()
    (delta_o,), (delta_h,) = output.delta.tolist(), hidden.delta.tolist()
    error = step(made)
    new_hidden, new_output = map(by_page, made.weights)
    after_step = made.evaluate(X, Y)["loss"]
    for _ in range(STEPS - 1):
        last = step(made)
    after_steps = made.evaluate(X, Y)["loss"]
    return Example(
        'Mazur, "A Step by Step Backpropagation Example" (2015)',
        "https://mattmazur.com/2015/03/17/a-step-by-step-backpropagation-example/",
        "Two inputs i, two hidden units h, two outputs o; net is the weighted input z, and out = sigmoid(net) is a. "
        "i = (0.05, 0.10), t = (0.01, 0.99), E = ½ Σ (t − out)², learning rate 0.5; biases are not trained.",
        "Forward: net = Σ w · input + b, out = sigmoid(net)",
        [
            Line("net_h1", NET_H1, z[0]),
            Line("net_h2", "", z[1]),
            *(Line(f"out_h{j + 1}", OUT_H[j], a[j]) for j in range(2)),
            *(Line(f"out_o{j + 1}", OUT_O[j], o[j]) for j in range(2)),
            Line("E", ERROR, error),
        ],
        "Backward: delta = dE/dnet. Of an output (out − t) · out (1 − out), of a hidden unit "
        "(Σ delta_o · w) · out (1 − out)",
        [
            *(Line(f"delta_o{j + 1}", DELTA_O[j], delta_o[j]) for j in range(2)),
            *(Line(f"delta_h{j + 1}", "", delta_h[j]) for j in range(2)),
        ],
        "Update: w+ = w − 0.5 · delta · input",
        [
            *(Line(f"w{j + 5}+", NEW_OUTPUT_WEIGHTS[j], new_output[j]) for j in range(4)),
            *(Line(f"w{j + 1}+", NEW_HIDDEN_WEIGHTS[j], new_hidden[j]) for j in range(4)),
        ],
        "Afterwards",
        [
            Line("E after one step", ERROR_AFTER_STEP, after_step),
            Line("  if hidden deltas go through w5+ to w8+", ERROR_AFTER_STEP, mixed_error()),
            Line("E after 10,000 steps", ERROR_AFTER_STEPS, after_steps),
            Line("  as the last step finds it, before its update", ERROR_AFTER_STEPS, last),
        ],
        "The page mixes two algorithms. Its weights w1+ to w4+ follow from hidden deltas through the output weights "
        "from before the update, as in backpropagation and in chainrule. Its error after the step does not follow from "
        "these weights: it comes out when the hidden deltas go through output weights that are updated already. Its "
        "error after 10,000 steps equals the one that the last of these steps finds on its way forward.",
        again="print(chainrule.examples.mazur.step_in_full())",
        step=step_in_full(),
    )
