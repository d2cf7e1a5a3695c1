"""The computation of a case, and the hash of its results."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

import chainrule
from chainrule.reference.losses import LOSSES

from .cases import Case, all_cases

if TYPE_CHECKING:
    from collections.abc import Iterator

EPOCHS = 7  # of three batches each: 21 updates


def hashes() -> dict[str, str]:
    """Return the hash of every case whose loss takes such targets, by name."""
    found = {case.name: hash_of(case) for case in all_cases() if not case.labels or takes_labels(case)}
    return found | {f"drop-in, {name}": value for name, value in drop_in()}


def takes_labels(case: Case) -> bool:
    """Tell whether the loss of a case takes labels."""
    return LOSSES[case.options["loss"]].takes_labels


def wave(shape: tuple[int, ...], start: int) -> np.ndarray:
    """Return numbers in [-1.2, 1.3) that look like noise, of whole numbers alone: the same everywhere."""
    i = np.arange(start, start + int(np.prod(shape)), dtype=np.uint64)
    i = (i * np.uint64(2_654_435_761) >> np.uint64(9)) % np.uint64(1000)
    return (i.astype(np.float64) / 400 - 1.2).reshape(shape)


def targets(case: Case, n: int, k: int) -> np.ndarray:
    """Return targets that the loss of the case takes."""
    loss = LOSSES[case.options["loss"]]()
    if case.labels:
        return np.arange(n) * 7 % k
    y = wave((n, loss.n_targets(k)), 17)
    if loss.takes_labels:
        return np.round(np.abs(y) * 8) / 8 + 0.125
    if all(map(loss.allows, (-0.7, 0.3, 2.0))):
        return y
    if loss.allows(3.0):
        return np.floor(np.abs(y) * 4)
    return np.where(y > 0, 1.0, -1.0 if loss.allows(-1.0) else 0.0)


def hash_of(case: Case) -> str:
    """Train, and hash the losses, the parameters, the moments, predictions, a gradient and a loss."""
    layers = case.layers
    network = chainrule.Network(layers, seed=3, n_threads=1, **case.options)
    n = 2 * case.batch_size + case.batch_size // 3 + 1
    x, y = wave((n, network.n_inputs), 1), targets(case, n, network.n_outputs)
    if case.labels is False and y.ndim == 2 and network.loss.takes_labels:
        y = y / y.sum(axis=1, keepdims=True)
    weight = np.arange(n) % 4 / 2.0 if case.weighted else None
    parts = []
    try:
        history = network.fit(x, y, epochs=EPOCHS, batch_size=case.batch_size, sample_weight=weight)
        parts += [np.asarray(history["loss"])]
    except chainrule.DivergenceError as error:
        parts += [np.frombuffer(str(error).encode(), np.uint8)]
    state = network.state_dict()
    parts += [value for value in state.values() if isinstance(value, np.ndarray)]
    gradient = network.gradient(x, y, sample_weight=weight, training=True)
    parts += [gradient.flat, network.predict(x), network.forward(x, training=True)]
    parts += [np.float64(gradient.loss), np.float64(network.evaluate(x, y, sample_weight=weight)["loss"])]
    return digest(parts)


def drop_in() -> Iterator[tuple[str, str]]:
    """Yield the hashes of fits of chainrule.sklearn: both solvers that draw rows, every activation, weights."""
    import warnings

    from chainrule.sklearn import MLPClassifier, MLPRegressor

    for kind in (MLPClassifier, MLPRegressor):
        for dtype in ("float32", "float64"):
            for solver, activation, sizes, batch_size, weighted in (
                ("adam", "relu", (16, 9), 23, False),
                ("adam", "tanh", (16,), 23, True),
                ("sgd", "logistic", (16, 9), 40, False),
                ("sgd", "identity", (140,), 40, True),
                ("adam", "relu", (140, 20), 300, False),
                ("sgd", "tanh", (16,), 700, False),
                ("lbfgs", "tanh", (16,), 200, False),
            ):
                n = 2 * batch_size + 7
                x, y = wave((n, 6), 1).astype(dtype), np.arange(n) * 7 % 3
                if kind is MLPRegressor:
                    y = (y + 0.5).astype(dtype)
                options = {"hidden_layer_sizes": sizes, "activation": activation, "solver": solver, "max_iter": 7}
                model = kind(**options, batch_size=batch_size, random_state=0, n_threads=1)
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    model.fit(x, y, sample_weight=np.arange(n) % 4 + 0.5 if weighted else None)
                parts = [*model.coefs_, *model.intercepts_, np.asarray(model.loss_), model.predict(x).astype(float)]
                name = f"{kind.__name__}, {solver}, {activation}, {sizes}, {dtype}, {batch_size} rows"
                yield name + ", weighted" * weighted, digest(parts)


def digest(parts: list[np.ndarray]) -> str:
    """Return the start of the SHA-256 of all bytes and shapes."""
    whole = hashlib.sha256()
    for part in parts:
        part = np.ascontiguousarray(part)
        whole.update(f"{part.dtype.str}{part.shape}".encode())
        whole.update(part.tobytes())
    return whole.hexdigest()[:8]
