"""Central differences: the derivative of a function by moving one number at a time.

    df/dp ≈ (f(p + eps) − f(p − eps)) / 2 eps,   |error| ≤ eps² |f'''| / 6 + rounding of f / eps

compared as in torch.autograd.gradcheck: |derivative − difference| ≤ atol + rtol |difference|, with the rounding of f
and of the derivative added to the tolerance. If p ± eps crosses a kink (relu), there is no derivative to compare with;
such numbers are counted and skipped. If a unit is exactly on a kink (relu at z = 0, from zero weights or biases), or an
output meets its target where the loss has a kink, the check moves all parameters slightly. On a kink backpropagation
chooses one slope, which may differ from the slopes on both sides.
"""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from chainrule.reference.config import activation_of
from chainrule.reference.rng import Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from chainrule import _native
    from chainrule.layout import Layout
    from chainrule.reference.layers import Layer
    from chainrule.reference.losses import Loss

    Array: TypeAlias = NDArray[Any]

SAMPLE = 5  # the purpose of the random numbers that choose the parameters to compare
ON = 1e-9  # a unit is on a kink if its z is within this distance
MET = 1e-5  # an output meets its target within this distance, which a difference may step over
NEARER = (4, 32, 256)  # the step is divided by these where there may be a kink
NEARBY = 1e-3  # the most that a parameter is moved away from a kink


class Tolerance(NamedTuple):
    """The step of the difference, and its tolerances."""

    eps: float = 1e-6
    atol: float = 1e-5
    rtol: float = 1e-3


class Derivative(NamedTuple):
    """The claimed derivative of a function at a point, and bounds on the errors of the function's values and of it."""

    point: Array  # flat
    values: Array
    rounding: float
    errors: Array | None = None


class Compared(NamedTuple):
    """The largest error relative to its tolerance, and the counts."""

    error: float
    tolerance: float
    n_compared: int
    n_skipped: int


def compare(
    function: Callable[[Array], float], derivative: Derivative, indices: Iterable[int], by: Tolerance
) -> Compared:
    """Compare a derivative with central differences at some indices; `function` takes a flat array."""
    eps, atol, rtol = by
    point, values, rounding, errors = derivative
    moved = point.copy()

    def at(index: int, by: float) -> float:
        moved[index] = point[index] + by
        value = function(moved)
        moved[index] = point[index]
        return value

    center = function(moved)
    worst, n_compared, n_skipped = (0.0, atol), 0, 0
    for index in indices:
        above, below = at(index, eps), at(index, -eps)
        difference = (above - below) / (2 * eps)
        allowed = atol + rtol * abs(difference) + rounding / eps
        # The forward difference minus the backward one: eps f'' if f is smooth, the jump of the slope if p is a kink.
        bend = (above - 2 * center + below) / eps
        if not abs(bend) <= allowed / 2:
            half_difference = (at(index, eps / 2) - at(index, -eps / 2)) / eps
            half_bend = (at(index, eps / 2) - 2 * center + at(index, -eps / 2)) / (eps / 2)
            # If f is smooth, halving the step halves the bend and keeps the difference. A kink at distance t eps where
            # the slope jumps by J changes one or the other: the bends by J |1 − 3 t|, the differences by J t / 2 (for
            # t ≤ ½; beyond, the bends by J (1 − t)). If both changes are below allowed / 4, J causes an error below
            # allowed.
            moves = max(abs(2 * half_bend - bend), abs(half_difference - difference))
            if not moves <= allowed / 4:
                n_skipped += 1
                continue
        error, tolerance = abs(float(values[index]) - difference), allowed
        if errors is not None:
            tolerance += float(errors[index])
        if not error <= tolerance:
            # Jumps on both sides of p may cancel in the bend. A smaller step crosses fewer of them, so the difference
            # changes. For a smooth f it stays the same, whatever the claimed derivative.
            nearer = ((k, (at(index, eps / k) - at(index, -eps / k)) * k / (2 * eps)) for k in NEARER)
            if any(abs(other - difference) > allowed / 4 + 2 * k * rounding / eps for k, other in nearer):
                n_skipped += 1
                continue
        n_compared += 1
        if not severity(error, tolerance) <= severity(*worst):
            worst = (error, tolerance)
    return Compared(*worst, n_compared, n_skipped)


def severity(error: float, tolerance: float) -> float:
    """Return the error in units of the tolerance, which may be 0."""
    if tolerance:
        return error / tolerance
    return float("inf") if error else 0.0


def meets_targets(loss: Loss, a: Array, y: Array) -> bool:
    """Tell whether an output is on a kink of the loss."""
    return loss.kinked and bool((np.abs(a - y) <= MET).any())


def leave_kinks(
    native: _native.Network, layers: Sequence[Layer], z: Sequence[Array], seed: int, *, on_kink: bool = False
) -> bool:
    """Move all parameters slightly if a unit is on a kink, or if `on_kink` is true; `z` holds the z of each layer."""
    for layer, z_l in zip(layers, z, strict=True):
        activation = activation_of(layer)
        kinks = activation.kinks if activation else ()
        on_kink = on_kink or any((np.abs(z_l - kink) <= ON).any() for kink in kinks)
    if on_kink:
        flat = native.parameters()
        native.set_parameters(flat + np.random.default_rng(seed).uniform(-NEARBY, NEARBY, flat.size))
    return on_kink


def sample(layout: Layout, n: int, seed: int) -> Iterable[tuple[int, list[int]]]:
    """Yield each layer with the flat indices of the parameters to compare: all, or an equal number of each tensor."""
    most = layout.size if layout.size <= n else -(-n // len(layout.tensors))
    found = [
        (tensor.layer, tensor.at.start + index)
        for i, tensor in enumerate(layout.tensors)
        for index in chosen(tensor.at.stop - tensor.at.start, most, seed, i)
    ]
    for layer, indices in groupby(found, key=itemgetter(0)):
        yield layer, [index for _, index in indices]


def chosen(size: int, n: int, seed: int, index: int) -> list[int]:
    """Return n different numbers below `size`, or all of them if there are no more than n."""
    if size <= n:
        return list(range(size))
    stream = Stream(seed, SAMPLE, index)
    found: set[int] = set()
    while len(found) < n:
        found.add(stream.below(size))
    return sorted(found)
