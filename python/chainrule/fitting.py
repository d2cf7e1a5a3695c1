"""Training over epochs: check all arguments, then for each epoch train, validate and call the callbacks.

    begin_fit ─▶ snapshot ─▶ train_epoch ─▶ metrics, validation ─▶ callbacks ─▶ … ─▶ end_fit
                    ▲             │ the loss became NaN, or X has a NaN
                    └── restore ──┘

The core trains a whole epoch in one call. Nothing is locked between two calls, so callbacks may predict, evaluate,
save, read the weights and set the learning rate. The history, the progress bar and the callbacks are all called after
each epoch in the same way (`Listener`).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from . import metrics
from ._native import DivergenceError
from .batch import WEIGHTS_CANCEL, read_batch, weights_cancel
from .history import History
from .progress import bar
from .reference.options import LARGEST, integer, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from . import _native
    from .batch import Batch
    from .engine import Engine

    Callback = Callable[[Any, int, dict[str, float]], object]  # takes the network, the epoch and its numbers
    Listener = Callable[[int, dict[str, float]], object]


class Plan(NamedTuple):
    """The checked arguments of one fit."""

    epochs: int
    batch_size: int
    shuffle: bool
    data: Batch
    validation: Batch | None
    metrics: dict[str, metrics.Metric]
    callbacks: tuple[Callback, ...]


def plan(
    engine: Engine,
    X: object,
    y: object,
    sample_weight: object,
    *,
    epochs: object,
    batch_size: object,
    shuffle: object,
    validation_data: object,
    metric_names: Iterable[object],
    callbacks: object,
) -> Plan:
    """Check every argument of `fit` before anything changes."""
    plan = Plan(
        epochs=integer("epochs", epochs, 1, LARGEST),
        batch_size=integer("batch_size", batch_size, 1, LARGEST),
        shuffle=flag("shuffle", shuffle),
        data=read_batch(engine.spec, X, y, sample_weight),
        validation=None if validation_data is None else validation(engine, validation_data),
        metrics=metrics.choose(metric_names, engine.spec),
        callbacks=callables(callbacks),
    )
    if weights_cancel(plan.batch_size, plan.data[2]):
        warnings.warn(WEIGHTS_CANCEL, stacklevel=4)
    return plan


def run(engine: Engine, plan: Plan, progress: bool | None, network: object) -> History:
    """Train as planned; pass `network` to the callbacks."""
    if progress is not None:
        progress = flag("progress", progress)
    history, bar_of_epochs = History(), bar(progress, plan.epochs)
    listeners: list[Listener] = [history.append, *(partial(callback, network) for callback in plan.callbacks)]
    if bar_of_epochs is not None:
        listeners.insert(1, bar_of_epochs.update)
    try:
        in_turn(engine.native, lambda: train(engine, plan, listeners))
    finally:
        if bar_of_epochs is not None:
            bar_of_epochs.close()
    return history


def in_turn(native: _native.Network, change: Callable[[], object]) -> None:
    """Run `change` between begin_fit and end_fit, and reach end_fit wherever Ctrl-C strikes."""
    # Python may raise KeyboardInterrupt after any call. So begin_fit is inside the try block, and end_fit is the first
    # call in the finally block.
    refused = False
    try:
        try:
            native.begin_fit()
        except RuntimeError:
            refused = True  # another fit is running, which this call must not end
            raise
        change()
    finally:
        if not refused:
            try:  # noqa: SIM105 - suppress() would be a call
                native.end_fit()
            except RuntimeError:  # interrupted before begin_fit
                pass


def train(engine: Engine, plan: Plan, listeners: Sequence[Listener]) -> None:
    """Train epoch by epoch. Every listener is called after each epoch; a true answer of one ends the fit."""
    native = engine.native
    x, y, sample_weight = plan.data
    for _ in range(plan.epochs):
        before = native.snapshot()
        try:
            loss = native.train_epoch(x, y, sample_weight, plan.batch_size, plan.shuffle)
        except DivergenceError as error:
            go_back(native, before)
            raise diverged(native, error) from None
        except ValueError as error:
            go_back(native, before)
            raise first_wrong(native, plan.data, error) from None
        except Exception:  # not KeyboardInterrupt, which keeps the weights of the last step
            go_back(native, before)
            raise
        logs = {"loss": loss}
        if plan.metrics:
            logs.update(measure(native, plan.metrics, plan.data))
        if plan.validation is not None:
            logs["val_loss"] = native.loss(*plan.validation)
            values = measure(native, plan.metrics, plan.validation)
            logs.update({f"val_{name}": value for name, value in values.items()})
        answers = [listener(native.epoch_count, dict(logs)) for listener in listeners]  # call all, then look
        if any(map(is_true, answers)):
            break


def is_true(answer: object) -> bool:
    """Tell whether a callback's answer ends the fit: any true value does, NumPy's too."""
    try:
        return bool(answer)
    except ValueError:  # an array of several values is neither true nor false
        raise TypeError(f"a callback must return True to end the fit, or None; it returned {shown(answer)}") from None


def go_back(native: _native.Network, before: _native.Snapshot) -> None:
    """Restore the network's state before the epoch."""
    with suppress(ValueError):  # the state was not finite even then, and the core refuses it
        native.restore(before)


def first_wrong(native: _native.Network, data: Batch, error: ValueError) -> ValueError:
    """Return the error about the first bad row of the data; an epoch, which shuffles, may find another one first."""
    try:
        native.loss(*data)
    except ValueError as first:
        return first
    return error


def evaluate(native: _native.Network, batch: Batch, chosen: dict[str, metrics.Metric]) -> dict[str, float]:
    """Return the loss and the metrics of a batch."""
    return {"loss": native.loss(*batch), **measure(native, chosen, batch)}


def measure(native: _native.Network, chosen: dict[str, metrics.Metric], batch: Batch) -> dict[str, float]:
    """Return the metrics of a batch; without metrics, do not predict."""
    if not chosen:
        return {}
    x, y, sample_weight = batch
    return metrics.compute(chosen, y, native.predict(x, None), sample_weight)


def diverged(native: _native.Network, error: DivergenceError) -> DivergenceError:
    """Return the error with the network's state added to its message."""
    told = DivergenceError(
        f"{error} (the network is back in its state after {native.epoch_count} epochs; "
        f"its learning_rate is {native.learning_rate:g})"
    )
    told.epoch, told.batch = error.epoch, error.batch
    return told


def validation(engine: Engine, validation_data: Any) -> Batch:
    """Check validation_data including its values, so that no error comes after the first epoch."""
    if not isinstance(validation_data, tuple | list) or len(validation_data) not in (2, 3):
        got = f"{len(validation_data)} of them" if isinstance(validation_data, tuple | list) else shown(validation_data)
        raise TypeError(f"validation_data must be (X, y) or (X, y, sample_weight), not {got}")
    try:
        batch = read_batch(engine.spec, *validation_data)
        engine.native.loss(*batch)
    except TypeError as error:
        raise TypeError(f"validation_data: {error}") from None
    except ValueError as error:
        raise ValueError(f"validation_data: {error}") from None
    return batch


def callables(callbacks: object) -> tuple[Callback, ...]:
    """Return the callbacks as a tuple; the argument is one callback, a sequence or None."""
    several = isinstance(callbacks, Iterable) and not callable(callbacks) and not isinstance(callbacks, memoryview)
    found: list[Callback] = []
    for callback in callbacks if several else (callbacks,):  # type: ignore[attr-defined] # it is iterable
        if not callable(callback):
            raise TypeError(f"callbacks must be functions of (network, epoch, logs), not {shown(callbacks)}")
        found.append(callback)
    return tuple(found)


def flag(name: str, value: object) -> bool:
    """Return the value as a bool; refuse anything but True and False."""
    if isinstance(value, bool) or type(value).__name__ in ("bool", "bool_"):  # NumPy's two names
        return bool(value)
    raise TypeError(f"{name} must be True or False, not {shown(value)}")
