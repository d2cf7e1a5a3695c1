"""A layer written out unit by unit: each number with its calculation.

The forward and backward passes show one row of the batch. A gradient is the sum over all rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from .facts import letter
from .rules import rule_of
from .updates import Change, lines
from .writing import Step, entry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .facts import Facts, LayerFacts
    from .writing import Numbers

    Array: TypeAlias = NDArray[Any]


def inputs(facts: Facts, number: Numbers) -> list[Step]:
    """Return the row of X."""
    row = facts.layers[0].x[facts.row].tolist()
    return [Step(facts.names.of_input(i), "x =", "", number(x)) for i, x in enumerate(row)]


def forward(layer: LayerFacts, number: Numbers) -> list[Step]:
    """Return the calculation of each unit's a."""
    rule = rule_of(layer)
    return [step for j in range(layer.units) for step in rule.forward(j, number)]


def backward(facts: Facts, l: int, number: Numbers, limit: int) -> list[Step]:
    """Return dL/da, slope and delta of each unit of layer l. Sums of more than `limit` terms are described."""
    layer, steps = facts.layers[l], []
    rule = rule_of(layer)
    is_last = l == len(facts.layers) - 1
    d_a, workings = output_error(facts, number) if is_last else rule_of(facts.layers[l + 1]).error(limit, number)
    for j in range(layer.units):
        steps.append(Step(f"unit {j}", "dL/da =", workings[j], number(d_a[j])))
        steps += rule.delta(j, d_a, number)
    return steps


def output_error(facts: Facts, number: Numbers) -> tuple[Array, list[str]]:
    """Return dL/da of the outputs: the row's share of L, times dl/da."""
    row, share = facts.rows[facts.row], facts.share
    of_difference = 2.0 / len(row.slope) if facts.option.name == "mse" else 1.0
    if is_difference(np.divide(row.slope, of_difference).tolist(), row.p, row.y):
        workings = [f"{number(p)} − {number.factor(y)}" for p, y in zip(row.p, row.y, strict=True)]
        factors = [factor for factor in (share, of_difference) if factor != 1.0]
        if factors:
            workings = [f"{number.product(*factors)}·({working})" for working in workings]
    elif share != 1.0:
        workings = [number.product(share, slope) for slope in row.slope]
    else:
        workings = ["dl/da"] * len(row.slope)
    return share * np.array(row.slope), workings


def is_difference(slope: Sequence[float], p: Sequence[float], y: Sequence[float]) -> bool:
    """Tell whether dl/da is p − y, as it is when the link is the loss's canonical one.

    >>> is_difference([0.5, -0.5], p=[0.5, 0.5], y=[0.0, 1.0])
    True
    """
    return len(p) == len(y) and bool(np.allclose(slope, np.subtract(p, y), rtol=1e-12, atol=1e-15))


def update(facts: Facts, layer: LayerFacts, number: Numbers) -> list[Step]:
    """Return the gradient and the update of each parameter."""
    steps = []
    for name, at, working in rule_of(layer).gradient(number):
        p, gradient = letter(name), float(layer.trace.gradients[name][at])
        steps.append(Step(entry(p, *at), f"d_{p} =", working, number(gradient)))
        if not layer.after:
            continue  # no step is possible
        before, after = float(layer.tensors[name][at]), float(layer.after[name][at])
        if name in facts.fixed:
            steps.append(Step("", f"{p} =", "", f"{number(before)}, not trained"))
            continue
        kept, new = ({key: float(of[name][at]) for key, of in all_.items()} for all_ in (layer.kept, layer.kept_after))
        steps += lines(facts.optimizer, Change(p, before, after, gradient, kept, new, facts.step, number))
    return steps
