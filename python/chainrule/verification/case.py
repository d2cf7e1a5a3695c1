"""Checks of the core's results, for any network and any data, by comparison with other computations.

    native, float64       ─ layer by layer ─▶  chainrule.reference      formula for formula
    native, float64       ─ number by number ▶ central differences      the derivative of the core's own loss
    native, float64       ─ one update ──────▶ chainrule.reference      the optimizer
    native, own dtype     ─ layer by layer ─▶  native, float64          within what rounding can do (`rounding`)
    step                  ─ bit by bit ─────▶  gradient + apply_gradient

Every comparison works on copies in the current state of training, with the optimizer's moments and the dropout masks of
the coming step.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from chainrule import _arrays
from chainrule.batch import read_batch
from chainrule.describe import layer_name
from chainrule.reference.config import to_config
from chainrule.reference.network import Network as ReferenceNetwork
from chainrule.reference.options import LARGEST, integer

from . import differences, rounding
from .differences import Derivative, Tolerance, leave_kinks, meets_targets, sample
from .report import Check, Report

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from chainrule import _native
    from chainrule.engine import Engine

    Array: TypeAlias = NDArray[Any]

PER_LAYER_AND_UNIT = 1e-12  # relative error allowed, for each layer and each unit of the widest
UPDATE = 1e-13  # relative error of an optimizer's update: about ten operations per parameter
STEPS = 2  # of the fused check; in the second, the moments are not zero


def verify_engine(
    engine: Engine,
    X: object,
    y: object,
    sample_weight: object,
    *,
    call: str,
    n_parameters: object,
    n_rows: object,
    seed: object,
) -> Report:
    """Return the report of `verify`; `call` names the network in its title."""
    n_parameters = integer("n_parameters", n_parameters, 1, LARGEST)
    n_rows = integer("n_rows", n_rows, 1, LARGEST)
    seed = integer("seed", seed, 0, 2**63 - 1)
    x, target, weights = read_batch(engine.spec, X, y, sample_weight)
    shown = f"{min(n_rows, len(x))} of {len(x)} rows" if n_rows < len(x) else f"{len(x)} rows"
    with np.errstate(all="ignore"):  # an overflow appears as an error that is not finite, which fails every tolerance
        case = Case(engine, x[:n_rows], target[:n_rows], None if weights is None else weights[:n_rows])
        checks = [
            *case.against_reference(),
            *case.against_differences(n_parameters, seed),
            *case.update_against_reference(),
            *case.rounded_against_exact(),
            *case.fused_against_separate(),
        ]
    return Report(tuple(checks), f"{call} on {shown}, {engine.native.target}")


class Case:
    """A network with a batch, as float64 copies: the native and the reference network, and the trace of each layer."""

    def __init__(self, engine: Engine, x: Array, y: Array, sample_weight: Array | None) -> None:
        self.own = engine.copy()
        self.batch = x, y, sample_weight
        # X and y are first rounded to the network's dtype, so that float64 computes on the same numbers.
        exact = _arrays.cast(x, engine.dtype).astype(np.float64)
        exact_y = y if y.ndim == 1 else _arrays.cast(y, engine.dtype).astype(np.float64)
        self.batch64 = exact, exact_y, sample_weight
        self.engine = self.own.in_float64()
        self.native, self.spec = self.engine.native, self.engine.spec
        self.found = self.engine.trace(self.batch64)  # refuses an invalid batch
        loss, gradient = self.own.native.gradient(*self.batch, True)
        if not (np.isfinite(loss) and np.isfinite(gradient).all()):
            raise ValueError(
                f"the loss ({loss}) or its gradient is not finite in {engine.dtype} on this data: there is nothing to "
                "compare; scale X and y, or begin again with a smaller learning_rate"
            )
        self.reference = self.as_reference()
        self.row_weight = np.ones(len(x)) if sample_weight is None else sample_weight
        self.y_rows = np.array(self.spec.loss.targets(exact_y.tolist(), len(x), self.spec.n_outputs))
        in_training, outside = (self.native.forward(exact, training, None) for training in (True, False))
        self.trains_otherwise = not np.array_equal(in_training, outside)  # with dropout it does
        self.names = [f"layer {i} ({layer_name(layer)})" for i, layer in enumerate(self.spec.layers, start=1)]
        self.bounds64 = self.bounds("float64", self.native)

    def as_reference(self) -> ReferenceNetwork:
        """Return the same network in plain Python."""
        native = self.native
        reference = ReferenceNetwork.from_config(to_config(self.spec))
        reference.parameters = native.parameters().tolist()
        reference.buffers = [{name: row.tolist() for name, row in own.items()} for own in self.engine.buffers()]
        reference.state = {name: native.state(k).tolist() for k, name in enumerate(native.state_names)}
        reference.step_count, reference.epoch_count = native.step_count, native.epoch_count
        return reference

    def bounds(self, dtype: str, native: _native.Network) -> tuple[list[rounding.LayerBound], float]:
        """Return the bounds of rounding errors in `dtype` with the parameters of `native`, which is in float64."""
        engine = dataclasses.replace(self.engine, native=native)
        batch = self.batch64[0], self.y_rows, self.row_weight
        traces = self.found if native is self.native else engine.trace(self.batch64)
        return rounding.bounds(self.spec, engine.tensors(native.parameters()), batch, traces, dtype)

    # ── 1 ──

    def against_reference(self) -> Iterable[Check]:
        """Compare every quantity with the reference, in the order of the computation."""
        x, y, sample_weight = self.batch64
        lists = x.tolist(), y.tolist(), None if sample_weight is None else sample_weight.tolist()
        mine, others = list(map(named, self.found)), list(map(named, self.reference.trace(*lists)))
        bounds, loss_bound = list(map(named, self.bounds64[0])), self.bounds64[1]
        widest = max(self.spec.n_inputs, *(trace.z.shape[1] for trace in self.found))
        allowed = PER_LAYER_AND_UNIT * len(self.found) * widest

        def compare(l: int, *names: str) -> Check:
            errors = []
            for name in names:
                other = others[l][name].reshape(mine[l][name].shape)
                # Both have rounded: twice the bound.
                errors.append(relative(mine[l][name] - other, other, allowed, 2 * bounds[l][name]))
            worst = max(errors, key=Relative.severity)
            n = sum(mine[l][name].size for name in names)
            return Check(f"reference: {', '.join(names)}", self.names[l], worst.error, worst.tolerance, n)

        layers = range(len(self.found))
        for l in layers:
            yield compare(l, "z", "a")
            yield compare(l, "slope")
        loss = self.native.gradient(*self.batch64, True)[0]
        # With dropout, only `gradient` applies the coming step's masks. Otherwise the loss alone takes half the time.
        if self.trains_otherwise:
            other = self.reference.gradient(*lists, training=True).loss or 0.0
        else:
            other = self.reference.evaluate(*lists)["loss"]
        found = relative(np.array([loss - other]), np.array([other]), allowed, np.array([2 * loss_bound]))
        yield Check("reference: loss", "", found.error, found.tolerance, 1)
        for l in reversed(layers):
            yield compare(l, "delta")
            if self.found[l].gradients:
                yield compare(l, *(f"d_{name}" for name in self.found[l].gradients))
        flat = self.native.gradient(*self.batch64, True)[1]
        traced = [d.ravel() for trace in self.found for d in trace.gradients.values()]
        yield Check("gradient = trace", "", n_different(flat, np.concatenate(traced)), 0.0, flat.size)

    # ── 2 ──

    def against_differences(self, n_parameters: int, seed: int) -> Iterable[Check]:
        """Compare the gradient with central differences of the loss, layer by layer."""
        native = self.native.copy()

        def loss(flat: Array) -> float:
            native.set_parameters(flat)
            return native.gradient(*self.batch64, True)[0] if self.trains_otherwise else native.loss(*self.batch64)

        z = [trace.z for trace in self.found]
        on_kink = meets_targets(self.spec.loss, self.found[-1].a, self.y_rows)
        moved = leave_kinks(native, self.spec.layers, z, seed, on_kink=on_kink)
        name = "central differences" + (" nearby" if moved else "")
        gradient = native.gradient(*self.batch64, self.trains_otherwise)[1]
        bounds, loss_bound = self.bounds("float64", native) if moved else self.bounds64
        errors = np.concatenate([bound.ravel() for layer in bounds for bound in layer.gradients.values()])
        along = Derivative(native.parameters(), gradient, 4 * loss_bound, errors)
        for l, indices in sample(self.engine.layout, n_parameters, seed):
            found = differences.compare(loss, along, indices, Tolerance())
            yield Check(name, self.names[l], *found)

    # ── 3 ──

    def update_against_reference(self) -> Iterable[Check]:
        """Compare one update from the same gradient."""
        if not self.row_weight.sum() > 0.0:
            return  # a batch of zero weights updates nothing
        native = self.native.copy()
        gradient = native.gradient(*self.batch64, True)[1]
        native.apply_gradient(gradient)
        self.reference.apply_gradient(gradient.tolist())
        yield self.same_update("update: parameters", native.parameters(), self.reference.parameters)
        for k, name in enumerate(native.state_names):
            yield self.same_update(f"update: {name}", native.state(k), self.reference.state[name])

    def same_update(self, name: str, mine: Array, other: list[float]) -> Check:
        """Compare all parameters, or a moment of each."""
        reference = np.array(other)
        found = relative(mine - reference, reference, UPDATE, np.zeros_like(mine))
        return Check(name, "", found.error, found.tolerance, mine.size)

    # ── 4 ──

    def rounded_against_exact(self) -> Iterable[Check]:
        """Compare the network's own dtype with float64, in units of the bound of rounding."""
        if self.own.dtype == np.float64:
            return
        found = self.own.trace(self.batch)
        bounds, loss_bound = self.bounds(self.own.spec.dtype, self.native)
        name = f"rounding of {self.own.spec.dtype}"
        for l, (mine, exact, bound) in enumerate(zip(found, self.found, bounds, strict=True)):
            own, exactly, most = named(mine), named(exact), named(bound)
            errors = [in_units(own[quantity] - exactly[quantity], most[quantity]) for quantity in own]
            n = sum(array.size for array in own.values())
            yield Check(name, self.names[l], max(errors), 1.0, n)
        loss = self.own.native.gradient(*self.batch, True)[0] - self.native.gradient(*self.batch64, True)[0]
        yield Check(f"{name}: loss", "", in_units(np.array([loss]), np.array([loss_bound])), 1.0, 1)

    # ── 5 ──

    def fused_against_separate(self) -> Iterable[Check]:
        """Compare `step` with `gradient` and `apply_gradient`, bit by bit."""
        fused, separate = self.own.native.copy(), self.own.native.copy()
        n_wrong = n_compared = 0
        for _ in range(STEPS):
            other, gradient = separate.gradient(*self.batch, True)
            if not (np.isfinite(other) and np.isfinite(gradient).all()):
                break  # the network diverged in the first step
            loss = fused.step(*self.batch)
            if self.row_weight.sum() > 0.0:
                separate.apply_gradient(gradient)
            pairs = [(np.array([loss, fused.step_count]), np.array([other, separate.step_count]))]
            pairs += [(fused.parameters(), separate.parameters())]
            pairs += [(fused.state(k), separate.state(k)) for k in range(len(fused.state_names))]
            n_wrong += sum(n_different(a, b) for a, b in pairs)
            n_compared += sum(a.size for a, _ in pairs)
        yield Check("fused step", "", n_wrong, 0.0, n_compared)


def named(layer: Any) -> dict[str, Array]:
    """Return what a trace, of either network, or its bound says of a layer, by name; "d_" and its name of a tensor."""
    found = {name: getattr(layer, name) for name in ("z", "a", "slope", "delta")}
    found |= {f"d_{name}": gradient for name, gradient in layer.gradients.items()}
    return {name: np.asarray(array) for name, array in found.items()}


class Relative(NamedTuple):
    """A relative error with its tolerance."""

    error: float
    tolerance: float

    def severity(self) -> float:
        """Return the error in units of the tolerance; NaN is worst."""
        ratio = self.error / self.tolerance if self.tolerance else self.error
        return ratio if ratio == ratio else float("inf")  # noqa: PLR0124 - NaN is not itself


def relative(difference: Array, reference: Array, allowed: float, bound: Array) -> Relative:
    """Return ‖difference‖ / ‖reference‖ with its tolerance, raised if rounding alone can cause a larger error."""
    error, size, most = norm(difference), norm(reference), norm(bound)
    if size == 0.0:
        return Relative(error, most)
    return Relative(error / size, max(allowed, most / size))


def norm(a: Array) -> float:
    """Return the Euclidean norm without overflow or underflow."""
    largest = float(np.abs(a).max(initial=0.0))
    return largest * float(np.linalg.norm(a / largest)) if 0.0 < largest < np.inf else largest


def in_units(difference: Array, bound: Array) -> float:
    """Return the largest |difference| / bound; 0 / 0 is 0."""
    if not difference.size:
        return 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.where(difference == 0.0, 0.0, np.abs(difference) / bound)
    return float(ratios.max())


def n_different(a: Array, b: Array) -> int:
    """Return the number of entries that differ in any bit."""
    bits = np.dtype(f"u{a.itemsize}")
    return int((a.view(bits) != b.view(bits)).sum())
