"""Training a network on a table: first with rows held back to find the best number of epochs, then on all rows.

    rows ─ a tenth held back ─▶ epochs until its loss has not been smaller for `patience` of them ─▶ best epoch e
    all rows, the same seed ─▶ e epochs ─▶ the network

The second training uses every row, because a small table has none to spare.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.extras import install

from .targets import Classes

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from chainrule.history import History
    from chainrule.network import Network

    from .inputs import Inputs, TrainingRows
    from .settings import Settings
    from .targets import Target

    Array = NDArray[Any]
    # Called after each epoch with the stage of the training, the epoch and its numbers.
    Watch = Callable[[str, int, dict[str, float]], object]

HELD_BACK = 0.1
FEWEST_ROWS = 20  # with fewer rows none are held back, since two rows say little


@dataclass(frozen=True)
class Fitted:
    """A trained network, with the encoding of its inputs and targets.

    `history` is that of the training with rows held back, if there was one.
    """

    network: Network
    inputs: Inputs
    target: Target
    history: History
    epochs: int


def fit(
    data: TrainingRows,
    y: Array,
    target: Target,
    settings: Settings,
    rows: Array,
    weights: Array | None,
    stage: str,
    watch: Watch | None,
) -> Fitted:
    """Train on some rows of the training data; `weights` are the sample weights of all rows."""
    epochs, history = settings.epochs, None
    if settings.patience and len(rows) >= FEWEST_ROWS:
        held_back, others = parts(y, target, rows, HELD_BACK, settings.seed)
        history, epochs = until_no_better(data, y, target, settings, others, held_back, weights, stage, watch)
    network, x, targets, inputs, learned = prepared(data, y, target, settings, rows)
    whole = network.fit(
        x[rows],
        targets[rows],
        sample_weight=None if weights is None else weights[rows],
        epochs=epochs,
        batch_size=settings.batch_size_for(len(rows)),
        callbacks=told(watch, f"{stage}, all rows"),
        progress=False,
    )
    return Fitted(network, inputs, learned, history or whole, epochs)


def until_no_better(
    data: TrainingRows,
    y: Array,
    target: Target,
    settings: Settings,
    rows: Array,
    held_back: Array,
    weights: Array | None,
    stage: str,
    watch: Watch | None,
) -> tuple[History, int]:
    """Train on `rows` until the loss of the rows held back stops falling; return the best epoch.

    Where that loss is never a finite number, no epoch is best: all are made, their number is returned, and it warns.
    """
    network, x, targets, _, _ = prepared(data, y, target, settings, rows)
    least, best = float("inf"), 0

    def stop(_: Network, epoch: int, logs: dict[str, float]) -> bool:
        nonlocal least, best
        if logs["val_loss"] < least:
            least, best = logs["val_loss"], epoch
        return best > 0 and epoch - best >= settings.patience

    history = network.fit(
        x[rows],
        targets[rows],
        sample_weight=None if weights is None else weights[rows],
        epochs=settings.epochs,
        batch_size=settings.batch_size_for(len(rows)),
        validation_data=(x[held_back], targets[held_back], *([] if weights is None else [weights[held_back]])),
        callbacks=[*told(watch, stage), stop],
        progress=False,
    )
    if not best:
        warnings.warn(
            f"{stage}: the loss of the rows held back was never a finite number, so no epoch is best and all "
            f"{len(history):,} were made; their targets may lie far from the others",
            stacklevel=2,
        )
    return history, best or len(history)


def prepared(
    data: TrainingRows, y: Array, target: Target, settings: Settings, rows: Array
) -> tuple[Network, Array, Array, Inputs, Target]:
    """Return an untrained network, X and y of all rows, and inputs and target as learned from `rows` alone."""
    inputs, x = data.learn(rows)
    loss = settings.loss_for(target)
    learned = target.learn(y[rows], loss)
    return settings.network(inputs.width, learned), x, learned.encode(y, loss), inputs, learned


def told(watch: Watch | None, stage: str) -> list[Callable[[Network, int, dict[str, float]], object]]:
    """Return the callback that calls `watch`, or none without a `watch`."""
    if watch is None:
        return []

    def callback(_: Network, epoch: int, logs: dict[str, float]) -> None:
        watch(stage, epoch, logs)

    return [callback]


def balanced(y: Array, rows: Array, weights: Array | None) -> Array:
    """Return the weights of all rows times n / (k · n_c), the sizes n_c of the classes c being those of `rows`.

    >>> balanced(np.array([0, 0, 0, 1]), np.arange(4), None).round(3).tolist()
    [0.667, 0.667, 0.667, 2.0]
    """
    w = np.ones(len(y)) if weights is None else weights
    size = np.bincount(y[rows], weights=w[rows], minlength=int(y.max()) + 1)
    share = np.where(size > 0.0, size, np.inf)  # a class without rows has no weight
    result: Array = w * (size.sum() / ((size > 0.0).sum() * share))[y]
    return result


# ── Splits ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def parts(y: Array, target: Target, rows: Array, share: float, seed: int) -> tuple[Array, Array]:
    """Return a random share of the rows, and the others; classes are split in proportion if possible."""
    n = max(1, round(share * len(rows)))
    classes = y[rows] if isinstance(target, Classes) else None
    if classes is not None:
        count = np.bincount(classes)
        count = count[count > 0]
        if count.min() < 2 or min(n, len(rows) - n) < len(count):
            classes = None
    split = model_selection().train_test_split
    others, drawn = split(rows, test_size=n, random_state=seed % 2**32, stratify=classes)
    return drawn, others


def folds(y: Array, target: Target, k: int, seed: int) -> list[tuple[Array, Array]]:
    """Return k pairs of training and test rows; classes are split in proportion if each has k rows."""
    of = model_selection()
    in_proportion = isinstance(target, Classes) and np.bincount(y).min() >= k
    splitter = (of.StratifiedKFold if in_proportion else of.KFold)(k, shuffle=True, random_state=seed % 2**32)
    return list(splitter.split(y, y))


def model_selection() -> Any:
    """Import and return sklearn.model_selection."""
    try:
        from sklearn import model_selection
    except ImportError as missing:
        raise ImportError(f"splitting rows needs scikit-learn: {install('cli')}") from missing
    return model_selection
