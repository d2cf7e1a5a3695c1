"""Central differences: the derivative of a function by moving one number at a time.

    df/dp ≈ (f(p + eps) − f(p − eps)) / 2 eps,   |error| ≤ eps² |f'''| / 6 + rounding of f / eps

compared as torch.autograd.gradcheck does: |derivative − difference| ≤ atol + rtol |difference|, where the rounding of f
is added to the tolerance. Where p ± eps crosses a kink (relu) there is no derivative to compare with; such numbers are
counted and left out. A network some of whose units sit on a kink (relu at z = 0: weights or biases that are zero), or
whose outputs meet targets at which the loss has one, is looked at nearby: there backpropagation picks one slope for
every unit, and what it gives need not be the slope to either side.
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

SAMPLE = 5  # the purpose of the random numbers that choose what is compared
ON = 1e-9  # a unit is on a kink where its z is within this distance
MET = 1e-5  # an output meets its target within this distance, over which a difference may step
NEARER = (4, 32, 256)  # parts of the step, where there may be a kink
NEARBY = 1e-3  # how far a parameter is moved from a kink, at most


class Tolerance(NamedTuple):
    """How far the difference is taken, and how far it may lie from the derivative."""

    eps: float = 1e-6
    atol: float = 1e-5
    rtol: float = 1e-3


class Derivative(NamedTuple):
    """What is said to be the derivative of a function, where, and how far the function's values may be off."""

    point: Array  # flat
    values: Array
    rounding: float


class Compared(NamedTuple):
    """The number whose error is largest beside its tolerance."""

    error: float
    tolerance: float
    n_compared: int
    n_skipped: int


def compare(
    function: Callable[[Array], float], derivative: Derivative, indices: Iterable[int], tolerance: Tolerance
) -> Compared:
    """Compare a derivative with central differences at some indices; `function` takes a flat array."""
    eps, atol, rtol = tolerance
    point, values, rounding = derivative
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
        # The difference from the right less that from the left: eps f'' where f is smooth, the jump of the slope at a
        # kink in p itself.
        bend = (above - 2 * center + below) / eps
        if not abs(bend) <= allowed / 2:
            half_difference = (at(index, eps / 2) - at(index, -eps / 2)) / eps
            half_bend = (at(index, eps / 2) - 2 * center + at(index, -eps / 2)) / (eps / 2)
            # For a smooth f the bend halves with the step and the difference stays. A kink with a jump J of the slope,
            # t eps away, moves one or the other: the bends by J |1 − 3 t|, the differences by J t / 2 (t ≤ ½; beyond,
            # the bends by J (1 − t)). Where both stay below allowed / 4, J makes an error of less than allowed.
            moves = max(abs(2 * half_bend - bend), abs(half_difference - difference))
            if not moves <= allowed / 4:
                n_skipped += 1
                continue
        error = abs(float(values[index]) - difference)
        if not error <= allowed:
            # Jumps on both sides of p may cancel in the bend. Nearer to p there are fewer, and the difference changes;
            # that of a smooth f stays, whatever its derivative is said to be.
            nearer = ((k, (at(index, eps / k) - at(index, -eps / k)) * k / (2 * eps)) for k in NEARER)
            if any(abs(other - difference) > allowed / 4 + 2 * k * rounding / eps for k, other in nearer):
                n_skipped += 1
                continue
        n_compared += 1
        if not error / allowed <= worst[0] / worst[1]:
            worst = (error, allowed)
    return Compared(*worst, n_compared, n_skipped)


def meets_targets(loss: Loss, a: Array, y: Array) -> bool:
    """Return whether an output sits on a kink of the loss."""
    return loss.kinked and bool((np.abs(a - y) <= MET).any())


def leave_kinks(
    native: _native.Network, layers: Sequence[Layer], z: Sequence[Array], seed: int, *, on_kink: bool = False
) -> bool:
    """Move the parameters a little where a unit sits on a kink, or `on_kink` says so; `z` is that of each layer."""
    for layer, z_l in zip(layers, z, strict=True):
        activation = activation_of(layer)
        kinks = activation.kinks if activation else ()
        on_kink = on_kink or any((np.abs(z_l - kink) <= ON).any() for kink in kinks)
    if on_kink:
        flat = native.parameters()
        native.set_parameters(flat + np.random.default_rng(seed).uniform(-NEARBY, NEARBY, flat.size))
    return on_kink


def sample(layout: Layout, n: int, seed: int) -> Iterable[tuple[int, list[int]]]:
    """Yield each layer with the flat indices of its parameters to compare: all, or as many from each tensor."""
    most = layout.size if layout.size <= n else -(-n // len(layout.tensors))
    found = [
        (tensor.layer, tensor.at.start + index)
        for i, tensor in enumerate(layout.tensors)
        for index in chosen(tensor.at.stop - tensor.at.start, most, seed, i)
    ]
    for layer, indices in groupby(found, key=itemgetter(0)):
        yield layer, [index for _, index in indices]


def chosen(size: int, n: int, seed: int, index: int) -> list[int]:
    """Return n different numbers below size, or all where there are no more."""
    if size <= n:
        return list(range(size))
    stream = Stream(seed, SAMPLE, index)
    found: set[int] = set()
    while len(found) < n:
        found.add(stream.below(size))
    return sorted(found)
