"""A layer too large to be written out: range and mean of each quantity, and the indices of its largest numbers.

The summary covers all rows of the batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from .facts import letter
from .rules import rule_of
from .writing import Step, Table, count, entry, largest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .facts import Facts, LayerFacts
    from .writing import Numbers

    Array: TypeAlias = NDArray[Any]

HEADER = ("", "shape", "least", "mean", "greatest", "zeros")
MOST = 3  # numbers of each quantity that are listed, those largest in size
MOST_INPUTS = 40  # the same of inputs with names


def inputs(facts: Facts, number: Numbers) -> list[list[Step] | Table]:
    """Return the inputs of all rows; and, where they have names, those of the row that are not 0."""
    x, names = facts.layers[0].x, facts.names
    blocks: list[list[Step] | Table] = [Table(HEADER, [row("X", x, number)])]
    if names.inputs:
        own = x[facts.row]
        at = [i for i in chosen(own, MOST_INPUTS) if own[i]]
        blocks.append([Step(names.of_input(i), "x =", "", number(own[i])) for i in at])
        if np.count_nonzero(own) > len(at):
            left_out = np.count_nonzero(own) - len(at)
            blocks.append([Step("", "…", "", f"{left_out:,} more that are not 0, smaller in size")])
    return blocks


def forward(layer: LayerFacts, number: Numbers) -> Sequence[list[Step] | Table]:
    """Return z and a."""
    z, a = layer.trace.z, layer.trace.a
    return [Table(HEADER, [row("z", z, number), row("a", a, number)]), leaders({"a": a}, number)]


def backward(layer: LayerFacts, number: Numbers) -> Sequence[list[Step] | Table]:
    """Return slope and delta, and the number of units that pass no error on."""
    slope, delta = layer.trace.slope, layer.trace.delta
    name, dead = rule_of(layer).slope, rule_of(layer).dead
    n = int((slope == 0.0).all(axis=0).sum())
    told = f"{n:,} of {count(layer.units, 'unit')}, {n / layer.units:.0%}"
    return [
        Table(HEADER, [row(name, slope, number), row("delta", delta, number)]),
        [Step(dead, f"{name} is 0 in every row:", "", told), *leaders({"delta": delta}, number)],
    ]


def update(layer: LayerFacts, number: Numbers) -> Sequence[list[Step] | Table]:
    """Return the parameters, their gradients and updates, and what the optimizer keeps of them after the step."""
    trace, rows = layer.trace, []
    for name, tensor in layer.tensors.items():
        p = letter(name)
        arrays = {p: tensor, f"d_{p}": trace.gradients[name]}
        arrays |= {f"{key} of {p}": kept[name] for key, kept in layer.kept_after.items()}
        if layer.after:
            arrays[f"update of {p}"] = trace.updates[name]
        rows += [row(what, array, number) for what, array in arrays.items()]
    first = next(iter(layer.tensors))
    told = {letter(first): layer.tensors[first], f"d_{letter(first)}": trace.gradients[first]}
    return [Table(HEADER, rows), leaders(told, number)]


def row(name: str, array: Array, number: Numbers) -> tuple[str, ...]:
    """Return one quantity as a row of a table."""
    shape = " x ".join(map(str, array.shape))
    mean = array.mean(dtype=np.float64)
    return name, shape, number(array.min()), number(mean), number(array.max()), f"{(array == 0.0).mean():.0%}"


def chosen(values: Array, n: int) -> list[int]:
    """Return all indices, or those of the n numbers largest in size, in ascending order."""
    return list(range(len(values))) if len(values) <= n else sorted(at for (at,) in largest(values, n))


def leaders(arrays: dict[str, Array], number: Numbers) -> list[Step]:
    """Return the numbers of each array that are largest in size, with their indices."""
    steps = []
    for name, array in arrays.items():
        for rank, at in enumerate(largest(array, MOST)):
            steps.append(Step("" if rank else "largest in size", f"{entry(name, *at)} =", "", number(array[at])))
    return steps
