"""A running error bound: the largest change of a network's results through rounding alone.

Wilkinson's running error analysis (Higham 2002, "Accuracy and Stability of Numerical Algorithms", §3.3), carried
through the network once forward and once backward. With unit roundoff u and E the bound of a quantity's error:

    z = x w + b     E_z = E_x |w| + γ (|x| |w| + |b|),  γ = (n_in + 4) u       a sum of n products, in any order
    a = f(z)        E_a = how far f moves over z ± E_z, + 8 u |a|              f itself is good to a few ulp
    δ = d_a ⊙ s     E_δ = E_d |s| + (|d_a| + E_d) E_s + 4 u |δ|                E_s: how far s = f'(z) moves, + 8 u |s|
    d_x = δ wᵀ      E = E_δ |w|ᵀ + (n_out + 4) u |δ| |w|ᵀ
    d_w = xᵀ δ      E = E_xᵀ (|δ| + E_δ) + |x|ᵀ E_δ + (n + 4) u (|x|ᵀ |δ| + l2 |w|)

"How far f moves" is found by evaluating f at both ends of the interval. This treats every activation and loss alike,
and a relu unit with |z| < E_z gets the whole jump of its slope. Within a wide interval f may rise and fall again, so it
is also evaluated at the points of the interval nearest to its kinks and to 0. Where f mixes the units of a row, the
units may move in opposite directions. For softmax the worst case is a formula. A loss moves most along the signs of its
slope; its slope is evaluated for signs in which every two units differ at least once (`pairs`). The bound is a worst
case: actual errors have mixed signs and stay far below it, but the error of a wrong formula does not.
"""

# ruff: noqa: ARG004 - all kinds of layers share one signature, and a rule may ignore some arguments

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from chainrule.reference.activations import Activation
from chainrule.reference.layers import Dense, Dropout, Layer, LayerNorm

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Self

    from numpy.typing import NDArray

    from chainrule.records import LayerTrace
    from chainrule.reference.config import Spec

    Array: TypeAlias = NDArray[Any]
    Bounded: TypeAlias = tuple[Array, Array]  # values, and bounds of their errors
    Tensors: TypeAlias = dict[str, Array]  # the tensors of a layer by name

ULPS = 8  # error of the core's transcendental functions, with a margin


@dataclass(frozen=True)
class LayerBound:
    """Bounds of the errors of a LayerTrace's arrays, each of its shape."""

    z: Array
    a: Array
    slope: Array
    delta: Array
    gradients: Tensors  # by the names of the tensors


class Unit(NamedTuple):
    """The rounding error of one operation: relative, the unit roundoff; absolute, the smallest normal number."""

    u: float
    tiny: float

    @classmethod
    def of(cls, dtype: str) -> Self:
        """Return the unit of a dtype."""
        return cls(float(np.finfo(dtype).eps) / 2, float(np.finfo(dtype).tiny))


def bounds(
    spec: Spec,
    tensors: Sequence[Tensors],
    batch: tuple[Array, Array, Array],
    traces: Sequence[LayerTrace],
    dtype: str,
) -> tuple[list[LayerBound], float]:
    """Return the bounds of every layer and of the loss for a computation in `dtype`.

    `tensors` holds the parameters of each layer by name. `batch` holds x, y as rows of numbers, and the weight of each
    row. `traces` are the traces of the layers. All are in float64.
    """
    unit = Unit.of(dtype)
    u = unit.u
    x, y, row_weight = batch
    rules = [RULES[type(layer)] for layer in spec.layers]

    # ── Forward ──
    inputs: list[Bounded] = [(x, u * np.abs(x))]
    e_zs: list[Array] = []
    e_slopes: list[Array] = []
    for rule, layer, own, trace in zip(rules, spec.layers, tensors, traces, strict=True):
        e_z, e_a, e_slope = rule.forward(layer, own, inputs[-1], trace, unit)
        e_zs.append(e_z)
        e_slopes.append(e_slope)
        inputs.append((trace.a, e_a))

    # ── Loss ──
    e_loss, e_d = loss_bounds(spec, inputs[-1], y, row_weight, u)
    d = last_error(spec, traces[-1].a, y, row_weight)
    for layer, own in zip(spec.layers, tensors, strict=True):
        if l2 := getattr(layer, "l2", 0.0):
            w = own["weight"]
            e_loss += (w.size + 4) * u * 0.5 * l2 * float((w * w).sum())

    # ── Backward ──
    found: list[LayerBound] = []
    for l in reversed(range(len(traces))):
        layer, trace = spec.layers[l], traces[l]
        e_z, e_a, e_slope = e_zs[l], inputs[l + 1][1], e_slopes[l]
        rule, own = rules[l], tensors[l]
        e_delta = rule.delta(layer, trace, (d, e_d), (e_z, e_a, e_slope), unit)
        (d, e_d), e_own = rule.backward(layer, own, inputs[l], (trace.delta, e_delta), unit)
        found.insert(0, LayerBound(e_z, e_a, e_slope, e_delta, e_own))
    return found, e_loss


# ── One rule per kind of layer ───────────────────────────────────────────────────────────────────────────────────────


class Rule:
    """The errors of a kind of layer, derived from those of the neighboring layers."""

    @staticmethod
    def forward(layer: Any, tensors: Tensors, x: Bounded, trace: LayerTrace, unit: Unit) -> tuple[Array, Array, Array]:
        """Return the bounds of z, a and slope from the layer's input and its bound."""
        raise NotImplementedError

    @staticmethod
    def delta(layer: Any, trace: LayerTrace, d: Bounded, e: tuple[Array, Array, Array], unit: Unit) -> Array:
        """Return the bound of delta = d_a · slope; `e` is of z, a and slope."""
        (d_a, e_d), (*_, e_slope) = d, e
        e_delta: Array = e_d * np.abs(trace.slope) + (np.abs(d_a) + e_d) * e_slope + product(trace.delta, unit)
        return e_delta

    @staticmethod
    def backward(layer: Any, tensors: Tensors, x: Bounded, delta: Bounded, unit: Unit) -> tuple[Bounded, Tensors]:
        """Return d_x with its bound, and the bounds of the gradients of the layer's tensors, from its delta."""
        raise NotImplementedError


def product(value: Array, unit: Unit) -> Array:
    """Return the bound of what a product rounds by."""
    size = np.abs(value)
    rounded: Array = 4 * unit.u * size + unit.tiny * (size > 0.0)
    return rounded


class DenseRule(Rule):
    """z = x w + b, a = f(z)."""

    @staticmethod
    def forward(
        layer: Dense, tensors: Tensors, x: Bounded, trace: LayerTrace, unit: Unit
    ) -> tuple[Array, Array, Array]:
        """Bound a sum of n_in products, and f."""
        (x_value, e_x), w, (u, tiny) = x, tensors["weight"], unit
        size = np.abs(x_value) @ np.abs(w) + np.abs(tensors.get("bias", 0.0))
        e_z = e_x @ np.abs(w)
        e_z += (len(w) + 4) * (u * (size + e_z) + tiny * (size > 0.0))
        return e_z, *transfer(layer.transfer, trace, e_z, u, tiny)

    @staticmethod
    def delta(layer: Dense, trace: LayerTrace, d: Bounded, e: tuple[Array, Array, Array], unit: Unit) -> Array:
        """Bound a product, or what an f makes of d_a that mixes the units of a row."""
        if elementwise(layer.transfer):
            return Rule.delta(layer, trace, d, e, unit)
        return softmax_delta((trace.a, e[1]), d, unit.u) + product(trace.delta, unit)

    @staticmethod
    def backward(layer: Dense, tensors: Tensors, x: Bounded, delta: Bounded, unit: Unit) -> tuple[Bounded, Tensors]:
        """Bound sums over the units, and over the rows."""
        (x_value, e_x), (delta_value, e_delta), w, (u, tiny) = x, delta, tensors["weight"], unit
        size, in_size, n = np.abs(delta_value), np.abs(x_value), len(x_value)
        e_w = e_x.T @ (size + e_delta) + in_size.T @ e_delta
        e_w += (n + 4) * u * (in_size.T @ size + layer.l2 * np.abs(w)) + (n + 4) * tiny
        e_b = e_delta.sum(axis=0) + (n + 4) * (u * size.sum(axis=0) + tiny)
        e_d = e_delta @ np.abs(w).T + (w.shape[1] + 4) * (u * (size @ np.abs(w).T) + tiny)
        return (delta_value @ w.T, e_d), {"weight": e_w, **({"bias": e_b} if layer.bias else {})}


class DropoutRule(Rule):
    """a = z ⊙ mask with z = x. The mask is exact up to the rounding of its scale."""

    @staticmethod
    def forward(
        layer: Dropout, tensors: Tensors, x: Bounded, trace: LayerTrace, unit: Unit
    ) -> tuple[Array, Array, Array]:
        """Bound one product."""
        e_z = x[1]
        return e_z, (e_z + 2 * unit.u * np.abs(trace.z)) * trace.slope, unit.u * trace.slope

    @staticmethod
    def backward(layer: Dropout, tensors: Tensors, x: Bounded, delta: Bounded, unit: Unit) -> tuple[Bounded, Tensors]:
        """Return delta, which is d_x."""
        return delta, {}


class Normalized(NamedTuple):
    """Normalized rows with their bounds: z = x̂ = (x − mean) r and r = 1 / √(var + eps)."""

    z: Array
    e_z: Array
    r: Array  # (n, 1)
    e_r: Array  # (n, 1)

    @classmethod
    def of(cls, x: Bounded, eps: float, unit: Unit) -> Self:
        """Return the rows of x normalized.

        d = √var is a norm of c = x − mean, so an error of c changes d by at most e_d, the norm of that error, and
        √(d² + eps) by no more. If e_d exceeds both d and √eps, x̂ is only rounding, but |x̂| ≤ √n always holds.
        """
        (x_value, e_x), (u, tiny), n = x, unit, x[0].shape[1]
        gamma = (n + 4) * u
        c = x_value - average(x_value)
        e_c = e_x + average(e_x) + gamma * average(np.abs(x_value) + e_x) + tiny
        e_c += 2 * u * (np.abs(c) + e_c)
        d, e_d = np.sqrt(average(c * c)), np.sqrt(average(e_c * e_c))
        r = 1.0 / np.sqrt(d * d + eps)
        e_eps = u * (eps + tiny)  # an eps below the smallest normal number is rounded by a part of that number
        low = np.sqrt(np.maximum(d - e_d, 0.0) ** 2 + eps - e_eps) * (
            1.0 - gamma
        )  # lower bound of the computed √(var + eps)
        e_r = ((e_d * np.minimum(1.0, (2.0 * d + e_d) * r) + e_eps * r) * r + 2 * gamma) / low
        z = c * r
        most = np.abs(z) + np.sqrt(n) * (1.0 + 2 * gamma)
        e_z = e_c / low + np.abs(c) * e_r + 4 * u * np.abs(z) + tiny
        return cls(z, np.fmin(e_z, most), r, e_r)


def average(a: Array) -> Array:
    """Return the mean of each row, (n, 1)."""
    means: Array = a.mean(axis=1, keepdims=True)
    return means


class LayerNormRule(Rule):
    """a = gain ⊙ x̂ + shift with z = x̂; slope is the gain, delta is d_a."""

    @staticmethod
    def forward(
        layer: LayerNorm, tensors: Tensors, x: Bounded, trace: LayerTrace, unit: Unit
    ) -> tuple[Array, Array, Array]:
        """Bound x̂, and a product and a sum."""
        gain, shift, e_z = tensors["gain"], tensors["shift"], Normalized.of(x, layer.eps, unit).e_z
        e_a = e_z * np.abs(gain) + product(gain * trace.z, unit) + 2 * unit.u * np.abs(shift)
        return e_z, e_a, np.zeros_like(e_z)

    @staticmethod
    def delta(layer: LayerNorm, trace: LayerTrace, d: Bounded, e: tuple[Array, Array, Array], unit: Unit) -> Array:
        """Return the bound of d_a, which is passed on."""
        return d[1]

    @staticmethod
    def backward(layer: LayerNorm, tensors: Tensors, x: Bounded, delta: Bounded, unit: Unit) -> tuple[Bounded, Tensors]:
        """Bound d_x = (g − mean(g) − x̂ mean(g ⊙ x̂)) r with g = d_a ⊙ gain, and sums over the rows."""
        (d, e_d), gain, (u, tiny) = delta, tensors["gain"], unit
        z, e_z, r, e_r = Normalized.of(x, layer.eps, unit)
        gamma = (z.shape[1] + 4) * u
        g, e_g = d * gain, e_d * np.abs(gain) + product(d * gain, unit)
        e_mean = average(e_g) + gamma * average(np.abs(g) + e_g) + tiny
        along, e_along = average(g * z), average(e_g * (np.abs(z) + e_z) + np.abs(g) * e_z)
        e_along += gamma * average((np.abs(g) + e_g) * (np.abs(z) + e_z)) + tiny
        t = g - average(g) - z * along
        e_t = e_g + e_mean + np.abs(z) * e_along + e_z * (np.abs(along) + e_along)
        e_t += 4 * u * (np.abs(g) + np.abs(average(g)) + np.abs(z * along))
        e_x = e_t * (r + e_r) + np.abs(t) * e_r + product(t * r, unit)
        m = len(d) + 4
        e_gain = (e_d * (np.abs(z) + e_z) + np.abs(d) * e_z).sum(axis=0) + m * (u * np.abs(d * z).sum(axis=0) + tiny)
        e_shift = e_d.sum(axis=0) + m * (u * np.abs(d).sum(axis=0) + tiny)
        return (t * r, e_x), {"gain": e_gain, "shift": e_shift}


RULES: dict[type[Layer], type[Rule]] = {Dense: DenseRule, Dropout: DropoutRule, LayerNorm: LayerNormRule}


# ── Activations and losses ───────────────────────────────────────────────────────────────────────────────────────────


def elementwise(f: Activation) -> bool:
    """Tell whether f treats each unit independently."""
    return type(f).value is Activation.value


def reach(size: Array, error: Array, u: float) -> Array:
    """Return the error of a function's argument, plus the rounding of the function's own operations on it."""
    largest: Array = np.abs(size).max(axis=1, keepdims=True)
    return error + 2 * u * largest


def transfer(f: Activation, trace: LayerTrace, e_z: Array, u: float, tiny: float) -> tuple[Array, Array]:
    """Return the bounds of a = f(z) and of the slope."""
    if elementwise(f):
        own, turns, far = ULPS, (0.0, *f.kinks), e_z + 2 * u * np.abs(trace.z)
        e_a = spread(f.value, [(trace.z, far)], turns=turns)
    else:
        own, turns, far = ULPS + trace.z.shape[1], (), reach(trace.z, e_z, u)  # softmax adds up its row
        e_a = softmax_error(trace.a, far)
    e_a += own * u * np.abs(trace.a) + tiny * (trace.a != 0.0)
    e_slope = spread(f.slope, [(trace.z, far), (trace.a, e_a)], turns=turns)
    return e_a, e_slope + ULPS * u * np.abs(trace.slope) + tiny * (trace.slope != 0.0)


def softmax_error(a: Array, far: Array) -> Array:
    """Return how far a = softmax(z) moves if each z_j moves by at most far_j.

    a_j / (1 − a_j) = exp(z_j) / Σ_{k≠j} exp(z_k) changes by a factor exp(±h) at most, h = far_j + max far. So with
    b = 1 − a and q = exp(−h), a_j rises by a b (1 − q) / (a + b q) at most, and falls by a b (1 − q) / (b + a q).
    """
    h = far + far.max(axis=1, keepdims=True)
    exact = np.finfo(np.float64)  # a below its smallest number is 0, and above 1 − eps it is 1
    a, b = np.maximum(a, exact.tiny), np.maximum(1.0 - a, exact.eps)
    error: Array = a * b * -np.expm1(-h) / (np.minimum(a, b) + np.maximum(a, b) * np.exp(-h))
    return error


def softmax_delta(a: Bounded, d: Bounded, u: float) -> Array:
    """Return the bound of delta = a ⊙ (d − Σ_k a_k d_k)."""
    (a_value, e_a), (d_value, e_d) = a, d
    e_d = e_d + (ULPS + d_value.shape[1]) * u * np.abs(d_value)  # the terms of a sum over the row
    e_sum = (e_a * np.abs(d_value) + (a_value + e_a) * e_d).sum(axis=1, keepdims=True)
    common = (a_value * d_value).sum(axis=1, keepdims=True)
    error: Array = e_a * np.abs(d_value - common) + (a_value + e_a) * (e_d + e_sum)
    return error


def last_error(spec: Spec, a: Array, y: Array, row_weight: Array) -> Array:
    """Return dL/da of the last layer."""
    total = row_weight.sum()
    if total == 0.0:
        return np.zeros_like(a)
    slopes = np.array([spec.loss.slope(*row) for row in zip(a.tolist(), y.tolist(), strict=True)])
    error: Array = slopes * (row_weight / total)[:, None]
    return error


def loss_bounds(spec: Spec, outputs: Bounded, y: Array, row_weight: Array, u: float) -> tuple[float, Array]:
    """Return the bounds of the loss of the batch and of dL/da."""
    a, e_a = outputs
    total = row_weight.sum()
    if total == 0.0:
        return 0.0, np.zeros_like(a)
    n, k = a.shape
    share = row_weight / total
    arguments = [(a, reach(a, e_a, u)), (y, u * np.abs(y))]
    rows = list(zip(a.tolist(), y.tolist(), strict=True))

    def value(a_row: list[float], y_row: list[float]) -> list[float]:
        return [spec.loss.value(a_row, y_row)]

    values = np.array([value(*row) for row in rows])
    slopes = np.array([spec.loss.slope(*row) for row in rows])
    signs = np.where(slopes < 0.0, -1.0, 1.0)
    largest = np.hstack([np.abs(a), np.abs(y)]).max(axis=1, keepdims=True)
    # log-sum-exp subtracts the largest logit and adds it back, so the rounding of both and of the logarithm remains.
    largest = largest + (0.0 if elementwise(spec.loss.link) else np.log(k))
    e_value = 2.0 * spread(value, arguments, patterns=[signs]) + (ULPS + k) * u * (np.abs(values) + largest)
    e_loss = float(share @ (e_value + (n + ULPS) * u * np.abs(values))[:, 0])

    # p − y loses the digits that p and y share. The outputs of one target are as many columns apart as y has columns.
    size = np.abs(slopes) + np.tile(np.abs(y), (1, k // y.shape[1]))
    apart = pairs(k)
    e_slope = max(2, len(apart)) * spread(spec.loss.slope, arguments, patterns=apart) + (ULPS + k) * u * size
    return e_loss, e_slope * share[:, None]


def towards(turn: float, argument: Bounded) -> Array:
    """Return the multiple of its error by which an argument moves as close to `turn` as possible."""
    a, error = argument
    distance = turn - a
    share: Array = np.divide(distance, error, out=np.sign(distance), where=error > np.abs(distance))
    return share


def pairs(k: int) -> list[Array]:
    """Return rows of k signs such that any two columns differ in one of them: the binary digits of the column.

    If a function of differences of units moves by E where all units take the worst signs, it moves by E / rows or more
    in one of these rows.

    >>> [row.tolist() for row in pairs(3)]
    [[1.0, -1.0, 1.0], [1.0, 1.0, -1.0]]
    """
    column = np.arange(k)
    return [1.0 - 2.0 * (column >> digit & 1) for digit in range((k - 1).bit_length())]


def spread(
    function: Callable[..., list[float]],
    arguments: Sequence[Bounded],
    *,
    turns: Sequence[float] = (),
    patterns: Sequence[Array] = (),
) -> Array:
    """Return the largest change of a function of rows when each argument moves by its error.

    It tries every combination of one sign per argument, those with the first argument at a turn, or as close to it as
    its error allows, and those in which the units of the first argument have the signs of a pattern, or the opposite.
    """
    first = [1.0, -1.0, *(towards(turn, arguments[0]) for turn in turns)]
    first += [sign * pattern for pattern in patterns for sign in (1.0, -1.0)]

    def values(signs: Sequence[Any]) -> Array:
        moved = [(a + sign * error).tolist() for (a, error), sign in zip(arguments, signs, strict=True)]
        return np.array([function(*row) for row in zip(*moved, strict=True)])

    center = values([0.0] * len(arguments))
    combinations = itertools.product(first, *[(1.0, -1.0)] * (len(arguments) - 1))
    largest: Array = np.max([np.abs(values(signs) - center) for signs in combinations], axis=0)
    return largest
