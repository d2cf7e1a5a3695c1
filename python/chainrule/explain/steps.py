"""A layer written out unit by unit: each number with its calculation.

The forward and backward passes show the first row of the batch. A gradient is the sum over all rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from chainrule.reference.optimizers import SGD

from .facts import letter
from .rules import rule_of
from .writing import Step, entry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from chainrule.reference.optimizers import Optimizer

    from .facts import Facts, LayerFacts
    from .writing import Numbers

    Array: TypeAlias = NDArray[Any]


def inputs(facts: Facts, number: Numbers) -> list[Step]:
    """Return the first row of X."""
    return [Step(f"input {i}", "x =", "", number(x)) for i, x in enumerate(facts.layers[0].x[0].tolist())]


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
    row, share = facts.rows[0], facts.share
    if is_difference(row.slope, row.p, row.y):
        workings = [f"{number(p)} − {number.factor(y)}" for p, y in zip(row.p, row.y, strict=True)]
        if share != 1.0:
            workings = [f"{number(share)}·({working})" for working in workings]
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
    trace, steps = layer.trace, []
    for name, at, working in rule_of(layer).gradient(number):
        arrays = layer.tensors, trace.gradients, trace.updates
        change, p = Change(*(float(array[name][at]) for array in arrays)), letter(name)
        steps.append(Step(entry(p, *at), f"d_{p} =", working, number(change.gradient)))
        steps.append(Step("", f"{p} ←", change.working(facts.optimizer, number), number(change.after)))
    return steps


class Change(NamedTuple):
    """How one parameter changes."""

    before: float
    gradient: float
    added: float

    @property
    def after(self) -> float:
        """The parameter after the step."""
        return self.before + self.added

    def working(self, optimizer: Optimizer, number: Numbers) -> str:
        """Return w − learning_rate · d_w in numbers for plain gradient descent, else w plus the update."""
        if is_plain(optimizer):
            return f"{number(self.before)} − {number.product(optimizer.learning_rate, self.gradient)}"
        return f"{number(self.before)} + {number.factor(self.added)}"


def is_plain(optimizer: Optimizer) -> bool:
    """Tell whether the update is plain gradient descent, w ← w − learning_rate · d_w."""
    return isinstance(optimizer, SGD) and optimizer.momentum == 0.0
