"""How each kind of layer is explained: one rule per kind, its methods in the order of a step."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np

from chainrule.reference.layers import Dense, Dropout, Layer, LayerNorm

from .facts import letter
from .svg import INK, color, fraction, greatest
from .writing import Step, count, entry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from .facts import LayerFacts
    from .svg import Attributes
    from .writing import Numbers

    Array: TypeAlias = NDArray[Any]


class Rule:
    """How a layer of one kind is written out and drawn, with the numbers of the row shown."""

    note = ""  # what is said once of all layers of the kind, on the way forward
    note_back = ""  # and on the way back
    slope = "slope"  # what the factor between dL/da and delta is called
    dead = "dead"  # what a unit is called whose factor is 0 in every row

    def __init__(self, layer: LayerFacts) -> None:
        self.layer = layer
        self.row = layer.row

    @property
    def rest(self) -> list[str]:
        """The end of a sum over the rows, for those that are not shown."""
        more = len(self.layer.x) - len(self.layer.shown)
        return [f"… {count(more, 'more row')}"] if more else []

    def told(self, name: str, at: tuple[int, ...], number: Numbers) -> str:
        """Return a parameter with its gradient and its new value, for a tooltip."""
        layer, p = self.layer, letter(name)
        text = f"layer {layer.trace.index}: {entry(p, *at)} = {number(layer.tensors[name][at])}"
        text += f", d_{p} = {number(layer.trace.gradients[name][at])}"
        return f"{text}, {p} ← {number(layer.after[name][at])}" if layer.after else text

    def forward(self, j: int, number: Numbers) -> list[Step]:
        """Return the calculation of unit j's a."""
        raise NotImplementedError

    def delta(self, j: int, d_a: Array, number: Numbers) -> list[Step]:
        """Return the calculation of unit j's slope and delta from dL/da of all units."""
        raise NotImplementedError

    def error(self, limit: int, number: Numbers) -> tuple[Array, list[str]]:
        """Return dL/d(input) for each input with its calculation. Sums of more than `limit` terms are described."""
        raise NotImplementedError

    def gradient(self, number: Numbers) -> Iterator[tuple[str, tuple[int, ...], str]]:
        """Yield each parameter, the name of its tensor with its index, and how its gradient comes about."""
        raise NotImplementedError

    def line(self, i: int, j: int, number: Numbers) -> tuple[Attributes, str] | None:
        """Return style and tooltip of the line from input i to unit j, or None if there is no line."""
        raise NotImplementedError


class DenseRule(Rule):
    """z = x w + b and a = f(z)."""

    @property
    def f(self) -> str:
        """The name of the activation function."""
        activation = self.layer.activation
        return activation.name if activation else ""

    @cached_property
    def largest(self) -> float:
        """The largest |w|."""
        return greatest(self.layer.w)

    def forward(self, j: int, number: Numbers) -> list[Step]:
        """Return z = Σ x w + b and a = f(z)."""
        layer = self.layer
        z, a = layer.trace.z[self.row, j], layer.trace.a[self.row, j]
        terms = number.products(layer.x[self.row], layer.w[:, j]) + [number.factor(b) for b in layer.b[j : j + 1]]
        transfer = entry(f"{self.f}(z)", j) if layer.coupled else f"{self.f}({number(z)})"
        return [Step(f"unit {j}", "z =", " + ".join(terms), number(z)), Step("", "a =", transfer, number(a))]

    def delta(self, j: int, d_a: Array, number: Numbers) -> list[Step]:
        """Return delta = dL/da · slope.

        In softmax each a depends on every z: delta_j = Σ_k dL/da_k a_k ([j = k] − a_j) = a_j (dL/da_j − common) with
        common = Σ_k a_k dL/da_k.
        """
        trace = self.layer.trace
        slope, delta = float(trace.slope[self.row, j]), float(trace.delta[self.row, j])
        if self.layer.coupled:
            a = trace.a[self.row]
            common = float(a.astype(np.float64) @ d_a)
            working = f"{number.factor(a[j])}·({number(d_a[j])} − {number.factor(common)})"
            return [Step("", "delta =", working, number(delta))]
        steps = [Step("", "slope =", self.slope_working(j, number), number(slope))]
        return [*steps, Step("", "delta =", number.product(d_a[j], slope), number(delta))]

    def slope_working(self, j: int, number: Numbers) -> str:
        """Return the calculation of f'(z), from a where that is short."""
        a, z = number.factor(self.layer.trace.a[self.row, j]), number(self.layer.trace.z[self.row, j])
        return {"sigmoid": f"{a}·(1 − {a})", "tanh": f"1 − {a}²"}.get(self.f, f"{self.f}'({z})")

    def error(self, limit: int, number: Numbers) -> tuple[Array, list[str]]:
        """Return Σ delta w over the units."""
        layer = self.layer
        delta = layer.trace.delta[self.row].astype(np.float64)
        if layer.units > limit:
            workings = [f"Σ delta·w over the {count(layer.units, 'unit')} of layer {layer.trace.index}"] * len(layer.w)
        else:
            workings = [" + ".join(number.products(delta, w_i)) for w_i in layer.w]
        return layer.w.astype(np.float64) @ delta, workings

    def gradient(self, number: Numbers) -> Iterator[tuple[str, tuple[int, ...], str]]:
        """Yield d_w = Σ_rows x · delta, with l2 · w, and d_b = Σ_rows delta."""
        layer, n, rest = self.layer, len(self.layer.x), self.rest
        x, delta = layer.x[layer.shown], layer.trace.delta[layer.shown]
        for i, j in np.ndindex(layer.w.shape):
            penalty = [number.product(layer.l2, float(layer.w[i, j]))] if layer.l2 else []
            yield "weight", (i, j), " + ".join([*number.products(x[:, i], delta[:, j]), *rest, *penalty])
        for j in range(layer.b.size):
            yield "bias", (j,), " + ".join([*map(number.factor, delta[:, j]), *rest]) if n > 1 else "delta"

    def line(self, i: int, j: int, number: Numbers) -> tuple[Attributes, str]:
        """Return the line of a weight."""
        w = float(self.layer.w[i, j])
        strength = fraction(w, self.largest)
        width, opacity = 0.8 + 4.2 * strength, 0.45 + 0.45 * strength
        shown: Attributes = {"stroke": color(w), "stroke-width": width, "stroke-opacity": opacity}
        return shown, self.told("weight", (i, j), number)


class DropoutRule(Rule):
    """a = z · mask, where z is the layer's input."""

    note = "dropout: a = z·mask, with the mask of the coming step: 0, or 1 / (1 − rate) where a unit is kept."
    slope = "mask"
    dead = "silenced"

    def forward(self, j: int, number: Numbers) -> list[Step]:
        """Return a = z · mask."""
        trace = self.layer.trace
        z, mask, a = (part[self.row, j] for part in (trace.z, trace.slope, trace.a))
        return [Step(f"unit {j}", "a =", number.product(z, mask), number(a))]

    def delta(self, j: int, d_a: Array, number: Numbers) -> list[Step]:
        """Return delta = dL/da · mask."""
        mask, delta = self.layer.trace.slope[self.row, j], self.layer.trace.delta[self.row, j]
        return [
            Step("", "mask =", "", number(mask)),
            Step("", "delta =", number.product(d_a[j], mask), number(delta)),
        ]

    def error(self, limit: int, number: Numbers) -> tuple[Array, list[str]]:  # noqa: ARG002 - nothing is summed
        """Return delta, since z is the a of the layer before."""
        trace = self.layer.trace
        delta = trace.delta[self.row].astype(np.float64)
        return delta, [f"delta of unit {i} of layer {trace.index}" for i in range(len(delta))]

    def line(self, i: int, j: int, number: Numbers) -> tuple[Attributes, str] | None:
        """Return a dashed line from each unit to itself."""
        if i != j:
            return None
        mask = float(self.layer.trace.slope[self.row, j])
        return {
            "stroke": INK,
            "stroke-opacity": 0.6 if mask else 0.25,
            "stroke-dasharray": "4 4",
        }, f"mask = {number(mask)}"


class LayerNormRule(Rule):
    """z = x̂ = (x − mean) / deviation over the units of the row, and a = gain · z + shift."""

    note = (
        "layer_norm: z = (x − mean)/deviation, with mean and variance of the row's units and deviation = √(variance + "
        "eps); a = gain·z + shift."
    )
    note_back = (
        "layer_norm: delta = ∂L/∂a, d_gain = z·delta and d_shift = delta. Each x also moves the mean and the deviation "
        "of its row, so ∂L/∂x = (g − mean(g) − z·mean(g·z))/deviation with g = gain·delta."
    )
    slope = "gain"

    def __init__(self, layer: LayerFacts) -> None:
        super().__init__(layer)
        x = layer.x[self.row].astype(np.float64)
        self.gain, self.shift = layer.tensors["gain"], layer.tensors["shift"]
        self.mean, self.variance, self.eps = float(x.mean()), float(x.var()), cast("LayerNorm", layer.option).eps
        self.deviation = float(np.sqrt(self.variance + self.eps))

    def forward(self, j: int, number: Numbers) -> list[Step]:
        """Return z = (x − mean) / deviation and a = gain · z + shift, after mean and deviation for the first unit."""
        x, z, a = (float(part[self.row, j]) for part in (self.layer.x, self.layer.trace.z, self.layer.trace.a))
        centered = f"({number(x)} − {number.factor(self.mean)})/{number(self.deviation)}"
        scaled = f"{number.product(self.gain[j], z)} + {number.factor(self.shift[j])}"
        steps = [Step(f"unit {j}", "z =", centered, number(z)), Step("", "a =", scaled, number(a))]
        if j > 0:
            return steps
        terms = " + ".join(map(number.factor, self.layer.x[self.row]))
        return [
            Step("row", "mean =", f"({terms})/{self.layer.units}", number(self.mean)),
            Step("", "deviation =", f"√({number(self.variance)} + {number(self.eps)})", number(self.deviation)),
            *steps,
        ]

    def delta(self, j: int, d_a: Array, number: Numbers) -> list[Step]:  # noqa: ARG002 - dL/da stands above
        """Return delta, which is dL/da."""
        return [Step("", "delta =", "dL/da", number(self.layer.trace.delta[self.row, j]))]

    def error(self, limit: int, number: Numbers) -> tuple[Array, list[str]]:  # noqa: ARG002 - the sums are named
        """Return (g − mean(g) − z mean(g · z)) / deviation with g = gain · delta."""
        z, delta = (part[self.row].astype(np.float64) for part in (self.layer.trace.z, self.layer.trace.delta))
        g = self.gain * delta
        mean, along = float(g.mean()), float((g * z).mean())
        rest = [f"{number.factor(mean)} − {number.product(z_i, along)})/{number(self.deviation)}" for z_i in z]
        workings = [f"({number.product(*p)} − {of_row}" for *p, of_row in zip(self.gain, delta, rest, strict=True)]
        return (g - mean - z * along) / self.deviation, workings

    def gradient(self, number: Numbers) -> Iterator[tuple[str, tuple[int, ...], str]]:
        """Yield d_gain = Σ_rows z · delta and d_shift = Σ_rows delta."""
        n, rest, shown = len(self.layer.x), self.rest, self.layer.shown
        z, delta = self.layer.trace.z[shown], self.layer.trace.delta[shown]
        for j in range(self.layer.units):
            yield "gain", (j,), " + ".join([*number.products(z[:, j], delta[:, j]), *rest])
        for j in range(self.layer.units):
            yield "shift", (j,), " + ".join([*map(number.factor, delta[:, j]), *rest]) if n > 1 else "delta"

    def line(self, i: int, j: int, number: Numbers) -> tuple[Attributes, str] | None:
        """Return the gain, as a line from each unit to itself, and faint lines through mean and deviation."""
        if i != j:
            faint: Attributes = {"stroke": INK, "stroke-opacity": 0.45, "stroke-dasharray": "1 5"}
            return faint, f"x[{i}] moves the mean and the deviation of the row, and so unit {j}"
        gain = float(self.gain[j])
        width = 0.8 + 4.2 * fraction(gain, greatest(self.gain))
        return {"stroke": color(gain), "stroke-width": width, "stroke-opacity": 0.6}, self.told("gain", (j,), number)


RULES: dict[type[Layer], type[Rule]] = {Dense: DenseRule, Dropout: DropoutRule, LayerNorm: LayerNormRule}


def rule_of(layer: LayerFacts) -> Rule:
    """Return the rule of a layer's kind."""
    return RULES[type(layer.option)](layer)
