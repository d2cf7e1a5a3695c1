"""The demonstration behind ``chainrule demo``: handwritten digits, learned, verified, plotted and compared.

scikit-learn brings the 1,797 digits (8 x 8 pixels, UCI "Optical Recognition of Handwritten Digits"), the stratified
hold-out and the network to compare with; nothing is fetched.
"""

from __future__ import annotations

import os
import sys
import time
import warnings
from contextlib import nullcontext
from dataclasses import dataclass
from statistics import fmean, median
from typing import TYPE_CHECKING, Any

import numpy as np

from . import Adam, History, Network, __version__
from .extras import install

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from numpy.typing import NDArray

HIDDEN, BATCH, LEARNING_RATE = 100, 32, 1e-3
VERIFIED_ROWS = 32
ROUNDS = 3  # of the comparison, interleaved


@dataclass(frozen=True)
class Digits:
    """Pixels in [0, 1], (n, 64), and labels 0 … 9, (n,); a fifth is held out, each digit in proportion."""

    x: NDArray[np.float32]
    y: NDArray[np.int64]
    x_held_out: NDArray[np.float32]
    y_held_out: NDArray[np.int64]


def load() -> Digits:
    """Return scikit-learn's digits, split always in the same way.

    Raises
    ------
    ImportError
        scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split
    except ImportError as missing:
        raise ImportError(f"the demo needs scikit-learn: {install('demo')}") from missing
    x, y = load_digits(return_X_y=True)
    x, x_held_out, y, y_held_out = train_test_split(
        (x / 16).astype(np.float32), y.astype(np.int64), test_size=0.2, stratify=y, random_state=0
    )
    return Digits(x, y, x_held_out, y_held_out)


def network(seed: int, n_threads: int | None = None) -> Network:
    """Return the network of the demo: 64-100-10, ReLU, cross-entropy, Adam."""
    return Network(
        [64, HIDDEN, 10],
        activation="relu",
        loss="cross_entropy",
        optimizer=Adam(learning_rate=LEARNING_RATE),
        seed=seed,
        n_threads=n_threads,
    )


def run(*, seed: int = 0, seeds: int = 5, epochs: int = 60, compare: bool = True, out: Path | None = None) -> bool:
    """Train one network per seed, print the accuracies, and write plots to the folder `out` unless it is None.

    Parameters
    ----------
    seed : int
        First seed; the others follow it. A seed decides weights and shuffles; the hold-out is always the same.
    seeds : int
        Number of networks, >= 1.
    epochs : int
        Passes over the training data, >= 1.
    compare : bool
        Whether to train scikit-learn's MLPClassifier on the same task.
    out : Path, optional
        Folder of the plots; created if it does not exist.

    Returns
    -------
    bool
        Whether the gradients are right.

    Raises
    ------
    ImportError
        scikit-learn is missing, or `out` is given and matplotlib is missing.
    OSError
        The plots cannot be written.
    """
    digits = load()
    if out is not None:  # fail before the work, not after it
        from . import plots

        plots.axes()
        out.mkdir(parents=True, exist_ok=True)
    steps = -(-len(digits.x) // BATCH)
    print(
        f"chainrule {__version__}: {len(digits.x)} handwritten digits to learn, {len(digits.x_held_out)} held out\n"
        f"network 64-{HIDDEN}-10, ReLU, cross-entropy, Adam, {epochs} epochs of {steps} steps\n"
    )
    networks, histories, scores, seconds = train(digits, range(seed, seed + seeds), epochs)
    print("accuracy on the digits held out")
    for net, score in zip(networks, scores, strict=True):
        print(f"  seed {net.seed:<4} {score:.4f}")
    print(f"  mean      {fmean(scores):.4f}")
    print(f"  trained in {seconds:.1f} s, evaluated after each epoch\n")

    print(f"gradients of the network of seed {seed}, on {VERIFIED_ROWS} digits held out")
    report = networks[0].verify(digits.x_held_out[:VERIFIED_ROWS], digits.y_held_out[:VERIFIED_ROWS])
    print(indent(str(report)) + "\n")

    if compare:
        print(beside_sklearn(digits, seed, epochs))
    if out is not None:
        for path in draw(digits, networks[0], histories, out):
            print(f"wrote {path}")
    return bool(report)


def train(digits: Digits, seeds: range, epochs: int) -> tuple[list[Network], list[History], list[float], float]:
    """Train one network per seed; return the networks, their histories and accuracies, and the seconds taken."""
    networks, histories, scores = [], [], []
    start = time.perf_counter()
    with progress(len(seeds) * epochs) as bar:
        for seed in seeds:
            net = network(seed)
            history = net.fit(
                digits.x,
                digits.y,
                epochs=epochs,
                batch_size=BATCH,
                validation_data=(digits.x_held_out, digits.y_held_out),
                metrics=("accuracy",),
                callbacks=[tick(bar)] if bar is not None else [],
                progress=False,
            )
            networks.append(net)
            histories.append(history)
            scores.append(history["val_accuracy"][-1])
    return networks, histories, scores, time.perf_counter() - start


def progress(total: int) -> AbstractContextManager[Any]:
    """Return a tqdm progress bar if tqdm is installed and stderr is a terminal, else a null context."""
    if not sys.stderr.isatty():
        return nullcontext()
    try:
        from tqdm import tqdm
    except ImportError:
        return nullcontext()
    return tqdm(total=total, unit="epoch", leave=False)


def tick(bar: Any) -> Any:
    """Return a callback that moves the bar by one epoch and shows the loss."""

    def after_epoch(net: Network, epoch: int, logs: dict[str, float]) -> None:  # noqa: ARG001 - the form of a callback
        bar.set_postfix(seed=net.seed, loss=f"{logs['loss']:.4f}", refresh=False)
        bar.update()

    return after_epoch


def beside_sklearn(digits: Digits, seed: int, epochs: int) -> str:
    """Return the text of the comparison: both in float32 on one thread, alternating, medians of the rounds."""
    import sklearn
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier
    from threadpoolctl import threadpool_limits  # scikit-learn depends on it

    def ours() -> float:
        net = network(seed, n_threads=1)
        net.fit(digits.x, digits.y, epochs=epochs, batch_size=BATCH, progress=False)
        return net.evaluate(digits.x_held_out, digits.y_held_out, metrics=("accuracy",))["accuracy"]

    def theirs() -> float:
        model = MLPClassifier(
            (HIDDEN,),
            activation="relu",
            solver="adam",
            alpha=0,
            batch_size=BATCH,
            learning_rate_init=LEARNING_RATE,
            max_iter=epochs,
            tol=0,
            n_iter_no_change=epochs + 1,  # both make every epoch
            random_state=seed,
        )
        return float(model.fit(digits.x, digits.y).score(digits.x_held_out, digits.y_held_out))

    times: dict[str, list[float]] = {"chainrule": [], f"scikit-learn {sklearn.__version__}": []}
    scores: dict[str, float] = {}
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # early stopping is off, as intended
        for _ in range(ROUNDS):
            for name, fit in zip(times, (ours, theirs), strict=True):
                start = time.perf_counter()
                scores[name] = fit()
                times[name].append(time.perf_counter() - start)
    lines = [f"beside MLPClassifier: same sizes, batch, optimizer and epochs, one thread, median of {ROUNDS} rounds"]
    lines += [f"  {name:<20} {median(t):7.3f} s   accuracy {scores[name]:.4f}" for name, t in times.items()]
    fast, slow = (median(t) for t in times.values())
    lines.append(f"  chainrule is {slow / fast:.1f} times as fast")
    if "OPENBLAS_CORETYPE" in os.environ:
        lines.append("  (OPENBLAS_CORETYPE is set here; scikit-learn may be faster without it)")
    return "\n".join(lines) + "\n"


def draw(digits: Digits, net: Network, histories: list[History], out: Path) -> Iterator[Path]:
    """Write the loss curve of all seeds and the confusion matrix of one network; yield the paths."""
    from .plots import ConfusionMatrixDisplay, LossCurveDisplay, save

    runs = f", median of {len(histories)} seeds" if len(histories) > 1 else ""
    loss = LossCurveDisplay.from_history(histories)
    loss.ax_.set_title(f"Handwritten digits: cross-entropy by epochs{runs}", loc="left")
    confusion = ConfusionMatrixDisplay.from_network(net, digits.x_held_out, digits.y_held_out)
    right, n = int(np.trace(confusion.confusion_matrix)), len(digits.y_held_out)
    confusion.ax_.set_title(f"{right} of {n} digits held out are right", loc="left")
    for name, display in (("loss.png", loss), ("confusion.png", confusion)):
        save(display, out / name)
        yield out / name


def indent(text: str) -> str:
    """Return the text with every line indented by two spaces."""
    return "\n".join(f"  {line}" if line else line for line in text.splitlines())
