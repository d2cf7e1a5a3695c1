"""The four stages of a training step, each with a part for every layer.

forward   from the first layer to the last    z, a
loss                                          l of each row, L
backward  from the last layer to the first    dL/da, slope, delta
update                                        d_w, d_b, w ←, b ←
"""

from __future__ import annotations

from inspect import getdoc
from typing import TYPE_CHECKING

import numpy as np

from . import steps, summary
from .rules import rule_of
from .updates import rule
from .writing import Part, Section, Step, Table, count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainrule.reference.options import Option

    from .facts import Facts, LayerFacts
    from .writing import Numbers

OUTPUTS = 12  # the most outputs whose part of the loss is shown
DELTA = (
    "delta = ∂L/∂z = ∂L/∂a · slope, where slope = f'(z). The ∂L/∂a of an output is dl/da times the row's share of L; "
    "that of a hidden unit is the sum of the deltas it feeds, each through its weight from before the update."
)
ERROR = (
    "The error of introductory texts, (expected − actual) · slope, has the opposite sign: it says where an output "
    "should go, delta what the loss does when z grows."
)


def sections(facts: Facts, number: Numbers, limit: int) -> list[Section]:
    """Return the sections of the whole step."""
    begun = [forward(facts, number, limit), loss(facts, number)]
    if not facts.row_weights.any():
        return begun  # there is nothing to propagate back
    return [*begun, backward(facts, number, limit), update(facts, number, limit)]


def forward(facts: Facts, number: Numbers, limit: int) -> Section:
    """Return the forward pass."""
    notes = ["Layer by layer z = Σ x·w + b and a = f(z); the a of a layer are the x of the next."]
    notes += formulas([layer.activation for layer in facts.layers if layer.activation])
    notes += dict.fromkeys(rule.note for rule in map(rule_of, facts.layers) if rule.note)
    small = facts.layers[0].x.shape[1] <= limit
    parts = [Part("Input", [steps.inputs(facts, number)] if small else summary.inputs(facts, number))]
    for layer in facts.layers:
        written = [steps.forward(layer, number)] if is_small(layer, limit) else summary.forward(layer, number)
        parts.append(Part(layer.title, written))
    return Section("Forward", notes, parts)


def loss(facts: Facts, number: Numbers) -> Section:
    """Return the calculation of L."""
    row = facts.rows[facts.row]
    link = facts.option.link
    notes = formulas([facts.option])
    if link.name != "identity":
        notes += [f"p = {link.name}(a) is what predict returns.", *formulas([link])]
    output = facts.layers[-1].trace.a[facts.row]
    shown = summary.chosen(np.array(row.slope), OUTPUTS)
    title = f"Row {facts.row}" if facts.n > 1 else "Outputs"
    if len(shown) < len(output):
        title += f", the {OUTPUTS} of {count(len(output), 'output')} with the dl/da largest in size"
    columns = {"a": output, "p": row.p, "y": row.y, "l": row.terms or [], "dl/da": row.slope}
    if link.name == "identity":
        del columns["p"]
    columns = {name: column for name, column in columns.items() if len(column)}
    rows = [
        (facts.names.of_output(j), *(number(column[j]) if j < len(column) else "" for column in columns.values()))
        for j in shown
    ]
    parts = [Part(title, [Table(("", *columns), rows)]), Part("Loss", [batch_loss(facts, number)])]
    return Section("Loss", notes, parts)


def batch_loss(facts: Facts, number: Numbers) -> list[Step]:
    """Return l of the first rows, the penalties, and L as computed from them."""
    if not facts.row_weights.any():
        return [Step("", "L =", "", f"{number(facts.loss)}; every sample weight is 0, so the step changes nothing")]
    lines = []
    for i, row in facts.rows.items():
        lines.append(Step(f"row {i}" if facts.n > 1 else "", "l =", row.working(number), number(row.value)))
    for index, l2, penalty in facts.penalties:
        lines.append(Step(f"layer {index}", "penalty =", f"½·{number(l2)}·Σ w²", number(penalty)))
    if (facts.row_weights != 1.0).any():
        shown = number.products(facts.row_weights[facts.shown], [row.value for row in facts.rows.values()])
    else:
        shown = [number.factor(row.value) for row in facts.rows.values()]
    if facts.n > len(shown):
        shown.append(f"… {count(facts.n - len(shown), 'more row')}")
    mean = f"({' + '.join(shown)})/{number(facts.row_weights.sum())}" if facts.n > 1 else "l"
    working = " + ".join([mean, *(number(penalty) for *_, penalty in facts.penalties)])
    lines.append(Step("", "L =", working, number(facts.loss)))
    return lines


def backward(facts: Facts, number: Numbers, limit: int) -> Section:
    """Return the backward pass."""
    notes = [DELTA, ERROR]
    if any(layer.coupled for layer in facts.layers):
        notes.append("softmax: each a depends on every z, delta_j = a_j (dL/da_j − Σ_k a_k dL/da_k).")
    notes += dict.fromkeys(rule.note_back for rule in map(rule_of, facts.layers) if rule.note_back)
    parts = []
    for l in reversed(range(len(facts.layers))):
        layer = facts.layers[l]
        small = is_small(layer, limit)
        written = [steps.backward(facts, l, number, limit)] if small else summary.backward(layer, number)
        parts.append(Part(layer.title, written))
    return Section("Backward", notes, parts)


def update(facts: Facts, number: Numbers, limit: int) -> Section:
    """Return the gradient and the update of each parameter."""
    gradient = "Gradient: d_w = x · delta and d_b = delta" + (", summed over the rows" if facts.n > 1 else "")
    penalized = " + l2 · w where the layer has an l2" if facts.penalties else ""
    notes = [f"{gradient}{penalized}."]
    parts = []
    if facts.loss_after is None:
        notes.append(f"No step is possible: L is {number(facts.loss)}.")
    else:
        title = f"{type(facts.optimizer).__name__}, step {facts.step}; w stands for every parameter"
        parts.append(Part(title, [rule(facts.optimizer, facts.step, number)]))
    for layer in facts.layers:
        if not layer.tensors:
            continue
        written = [steps.update(facts, layer, number)] if is_small(layer, limit) else summary.update(layer, number)
        parts.append(Part(layer.title, written))
    if facts.loss_after is not None:
        lines = [Step("before", "L =", "", number(facts.loss)), Step("after", "L =", "", number(facts.loss_after))]
        parts.append(Part("Loss of the same rows", [lines]))
    return Section("Update", notes, parts)


def is_small(layer: LayerFacts, limit: int) -> bool:
    """Tell whether a layer is written out: it has at most `limit` weights, or units if it has no weights."""
    return (layer.w.size or layer.units) <= limit


def formulas(options: Sequence[Option]) -> list[str]:
    """Return each option's formula once: the first line of its docstring without the class name and sources.

    >>> from chainrule import Tanh
    >>> formulas([Tanh(), Tanh()])
    ['tanh: a = tanh(z) in [−1, 1], da/dz = 1 − a².']
    """
    told = {}
    for option in options:
        line = (getdoc(type(option)) or "").partition("\n")[0]
        told[option.name] = line.partition(": ")[2] or line
    return [f"{name}: {formula}" for name, formula in told.items() if formula]
