"""The numbers of an explanation: one step of a network on a batch.

    trace     z, a, slope, delta, d_w, d_b of the coming step, from the core
    network   L, w and b before the step and after it, and what the optimizer keeps of them
    loss      l and dl/da of the rows shown, by the formulas of `chainrule.reference`

All arrays are copies, so an explanation does not change when the network trains on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from chainrule import _arrays, _native
from chainrule.batch import read_batch
from chainrule.reference.config import activation_of
from chainrule.reference.options import integer

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from chainrule.batch import Batch
    from chainrule.engine import Engine
    from chainrule.records import LayerTrace
    from chainrule.reference.activations import Activation
    from chainrule.reference.layers import Layer
    from chainrule.reference.losses import Loss
    from chainrule.reference.optimizers import Optimizer

    from .writing import Numbers

    Array: TypeAlias = NDArray[Any]

LETTERS = {"weight": "w", "bias": "b"}  # how formulas write tensors; others go by their names
ROWS = 4  # of a batch, at most, whose losses and shares of a gradient are written out
TERMS = 12  # of a row's loss that are written out


@dataclass(frozen=True, eq=False)
class LayerFacts:
    """One layer: its option, its input, its trace, and its parameters before and after the step."""

    option: Layer
    trace: LayerTrace
    x: Array  # (n, n_in)
    row: int  # the row that is written out
    shown: list[int]  # the rows whose share of a gradient is
    tensors: dict[str, Array]  # by name
    after: dict[str, Array]  # likewise; empty if no step is possible
    kept: dict[str, dict[str, Array]]  # what the optimizer keeps of each tensor, by its name: m, v, …
    kept_after: dict[str, dict[str, Array]]

    @property
    def title(self) -> str:
        """The layer's name in headings."""
        return f"Layer {self.trace.index}: {self.trace.name}"

    @property
    def units(self) -> int:
        """Number of outputs."""
        return int(self.trace.z.shape[1])

    @property
    def w(self) -> Array:
        """The weights, (n_in, n_out); (0, 0) where there are none."""
        return self.tensors.get("weight", np.empty((0, 0)))

    @property
    def b(self) -> Array:
        """The biases, (n_out,); (0,) where there are none."""
        return self.tensors.get("bias", np.empty(0))

    @property
    def activation(self) -> Activation | None:
        """The activation function, or None if the layer has none."""
        return activation_of(self.option)

    @property
    def l2(self) -> float:
        """The factor of the layer's L2 penalty, 0 if it has none."""
        return float(getattr(self.option, "l2", 0.0))

    @property
    def coupled(self) -> bool:
        """Whether each a depends on every z of the layer, as in softmax."""
        return self.activation is not None and self.activation.name == "softmax"


@dataclass(frozen=True)
class RowLoss:
    """The loss of one row: its value l, its slope dl/da by output, and the prediction p = link(a)."""

    y: list[float]
    p: list[float]
    value: float
    slope: list[float]
    terms: list[float] | None  # one per output, if l is their sum or mean; else None
    only_class: int | None = None  # in a cross-entropy: the output whose y is 1 where all others are 0

    def working(self, number: Numbers) -> str:
        """Return l as the sum or the mean of its terms, or as −ln p of the only class."""
        if self.only_class is not None:
            return f"−ln {number(self.p[self.only_class])}"
        if self.terms is None or len(self.terms) == 1:
            return ""
        if len(self.terms) > TERMS:
            shown = f"Σ l over {len(self.terms):,} outputs"
        else:
            shown = " + ".join(map(number.factor, self.terms))
        return shown if close(math.fsum(self.terms), self.value) else f"({shown})/{len(self.terms)}"


class Names(NamedTuple):
    """What the inputs and the outputs are called; empty where they have no names."""

    inputs: Sequence[str] = ()
    outputs: Sequence[str] = ()

    def of_input(self, i: int) -> str:
        """Return an input's label."""
        return " ".join([f"input {i}", *self.inputs[i : i + 1]])

    def of_output(self, j: int) -> str:
        """Return an output's label."""
        return " ".join([f"output {j}", *self.outputs[j : j + 1]])


@dataclass(frozen=True, eq=False)
class Facts:
    """One step of a network on a batch of n rows."""

    call: str  # the network's constructor call
    names: Names
    layers: tuple[LayerFacts, ...]
    option: Loss
    optimizer: Optimizer
    step: int  # counted from 1, as in the optimizers' formulas
    row_weights: Array  # (n,)
    row: int  # the row that is written out
    shown: list[int]  # it and the first others, in order
    rows: dict[int, RowLoss]  # of the rows shown
    fixed: Collection[str]  # the tensors that the step leaves as they are
    loss: float
    loss_after: float | None  # of the same batch with the same masks; None if no step is possible

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.row_weights)

    @property
    def share(self) -> float:
        """The share of L that the row written out has: w_i / Σ w."""
        whole = float(self.row_weights.sum())
        return float(self.row_weights[self.row]) / whole if whole else 0.0

    @property
    def penalties(self) -> list[tuple[int, float, float]]:
        """Index, l2 and ½ · l2 · Σ w² of each layer that has one."""
        found = []
        for layer in self.layers:
            if layer.l2:
                squares = float(np.square(layer.w, dtype=np.float64).sum())
                found.append((layer.trace.index, layer.l2, 0.5 * layer.l2 * squares))
        return found


def gather(
    engine: Engine,
    X: object,
    y: object,
    sample_weight: object,
    *,
    call: str,
    row: object = None,
    names: Names | None = None,
    fixed: Collection[str] = (),
) -> Facts:
    """Return the numbers of the network's coming step. The network is not changed."""
    spec, native = engine.current, engine.native
    batch = read_batch(spec, *as_rows(X, y, sample_weight))
    x, target, weights = batch
    row = row if row is None else integer("row", row, 0, len(x) - 1)
    with np.errstate(all="ignore"):  # a diverged network can be explained too; its infinities are shown
        traces = engine.trace(batch)
        row = telling(x, traces) if row is None else row
        shown = sorted([row, *[i for i in range(min(ROWS, len(x))) if i != row][: ROWS - 1]])
        after = stepped(engine, batch, fixed)
        outputs = traces[-1].a
        return Facts(
            call=call,
            names=Names(*map(printable, named(X, spec.n_inputs) if names is None else names)),
            layers=layers_of(engine, after, x, traces, row, shown),
            option=spec.loss,
            optimizer=spec.optimizer,
            step=native.step_count + 1,
            row_weights=np.ones(len(x)) if weights is None else weights.copy(),
            row=row,
            shown=shown,
            rows={i: row_loss(spec.loss, outputs[i], target[i], spec.n_outputs) for i in shown},
            fixed=fixed,
            loss=native.gradient(*batch, True)[0],
            loss_after=None if after is None else after.native.gradient(*batch, True)[0],
        )


def printable(names: Sequence[str]) -> list[str]:
    r"""Return the names in one line each.

    >>> printable(["größe", "a\nb"])
    ['größe', "'a\\nb'"]
    """
    return [name if name.isprintable() else repr(name) for name in names]


def telling(x: Array, traces: Sequence[LayerTrace]) -> int:
    """Return the row with the fewest zeros in inputs, activations and deltas, the first of several.

    The products of zeros would show little. Each layer counts alike, however many units it has.
    """
    arrays = [x, *(array for trace in traces for array in (trace.a, trace.delta))]
    return int(sum(np.count_nonzero(array, axis=1) / array.shape[1] for array in arrays).argmax())


def stepped(engine: Engine, batch: Batch, fixed: Collection[str]) -> Engine | None:
    """Return the network after the step, but for the tensors that are fixed; None if no step is possible."""
    after = engine.copy()
    try:
        after.native.step(*batch)
    except _native.DivergenceError:
        return None
    if fixed:
        before, new = engine.native.parameters(), after.native.parameters()
        for tensor in engine.layout.tensors:
            if tensor.name in fixed:
                new[tensor.at] = before[tensor.at]
        after.native.set_parameters(new)
    after.native.step_count = engine.native.step_count  # so that the loss has the same dropout masks
    return after


def layers_of(
    engine: Engine, after: Engine | None, x: Array, traces: Sequence[LayerTrace], row: int, shown: list[int]
) -> tuple[LayerFacts, ...]:
    """Return the layers with their inputs: a copy of X, or the activations of the layer before."""
    layers, came_in = [], _arrays.cast(x.copy(), engine.dtype)
    nothing: list[dict[str, Array]] = [{} for _ in traces]
    before, kept = engine.tensors(engine.native.parameters()), kept_of(engine)
    new = nothing if after is None else engine.tensors(after.native.parameters())
    kept_after = {} if after is None else kept_of(after)
    for l, (option, trace) in enumerate(zip(engine.spec.layers, traces, strict=True)):
        layers.append(
            LayerFacts(
                option,
                trace,
                came_in,
                row,
                shown,
                before[l],
                new[l],
                {name: tensors[l] for name, tensors in kept.items()},
                {name: tensors[l] for name, tensors in kept_after.items()},
            )
        )
        came_in = trace.a
    return tuple(layers)


def kept_of(engine: Engine) -> dict[str, list[dict[str, Array]]]:
    """Return what the optimizer keeps, by its name, of each layer and tensor."""
    return {name: engine.tensors(engine.native.state(k)) for k, name in enumerate(engine.native.state_names)}


def named(X: object, n_inputs: int) -> Names:
    """Return the names of a table's columns, if they are names.

    >>> import pandas as pd
    >>> named(pd.DataFrame({"age": [1], "height": [2]}), 2), named(pd.DataFrame([[1, 2]]), 2)
    (Names(inputs=['age', 'height'], outputs=()), Names(inputs=(), outputs=()))
    """
    columns = list(getattr(X, "columns", ()))
    return Names(columns) if len(columns) == n_inputs and all(isinstance(name, str) for name in columns) else Names()


def as_rows(X: object, y: object, sample_weight: object) -> tuple[object, object, object]:
    """Return a single sample (1-D X) as a batch of one row, and a batch unchanged."""
    x = _arrays.as_array(X, "X")
    if x.ndim != 1:
        return x, y, sample_weight
    target = _arrays.as_array(y, "y")
    # A single number is a label or the target of one output; several numbers are a row of targets.
    if y is not None and (target.ndim == 0 or (target.ndim == 1 and len(target) != 1)):
        y = target.reshape(1, -1) if target.ndim else target.reshape(1)
    if sample_weight is not None and _arrays.as_array(sample_weight, "sample_weight").ndim == 0:
        sample_weight = [sample_weight]
    return x.reshape(1, -1), y, sample_weight


def row_loss(loss: Loss, a: Array, y: Any, n_outputs: int) -> RowLoss:
    """Return the loss of one row of outputs."""
    outputs = a.tolist()
    try:
        (targets,) = loss.targets([y.tolist()], 1, n_outputs)
        value, slope = loss.value(outputs, targets), loss.slope(outputs, targets)
        one_hot = loss.name == "cross_entropy" and sorted(targets)[-2:] == [0.0, 1.0] and sum(targets) == 1.0
        only = targets.index(1.0) if one_hot else None
        return RowLoss(targets, loss.link.value(outputs), value, slope, terms(loss, outputs, targets, value), only)
    except (OverflowError, ValueError, ZeroDivisionError):  # the outputs are not finite, or too large for the formula
        nothing = [float("nan")] * n_outputs
        return RowLoss(np.ravel(y).tolist(), nothing, float("nan"), nothing, None)


def terms(loss: Loss, a: list[float], y: list[float], value: float) -> list[float] | None:
    """Return the loss of each output alone, or None if the row's loss is neither their sum nor their mean."""
    if loss.least_outputs > 1 or len(a) != len(y):
        return None  # one output alone has no loss
    alone = [loss.value([a_j], [y_j]) for a_j, y_j in zip(a, y, strict=True)]
    whole = math.fsum(alone)
    return alone if close(whole, value) or close(whole / len(alone), value) else None


def letter(name: str) -> str:
    """Return how formulas write a tensor.

    >>> letter("weight"), letter("gain")
    ('w', 'gain')
    """
    return LETTERS.get(name, name)


def close(p: float, q: float) -> bool:
    """Tell whether two sums of the same terms are equal up to rounding."""
    return math.isclose(p, q, rel_tol=1e-12, abs_tol=1e-300)
