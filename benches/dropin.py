"""Times fits and predictions of chainrule.sklearn beside scikit-learn's: the same, on one thread, turn by turn.

Before a ratio is printed the results are compared: losses of fits, and predictions. The goals come from whole fits of
scikit-learn 1.9 and the time that their arithmetic takes; where that is the limit (digits, in float64) they are low.

``--adult FILE`` adds the census data of OpenML 1590 as CSV (train), one-hot, one hidden layer of 100, 20 epochs.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import sklearn
from scipy import sparse
from sklearn import datasets, neural_network
from threadpoolctl import threadpool_limits

from .peers import kernels, record

if TYPE_CHECKING:
    from collections.abc import Iterator

SAME = 1e-2  # relative difference of losses up to which two fits count as the same; L-BFGS amplifies rounding


WIDTHS = ((16,), (100,), (512, 512), (1024,), (2048, 2048))  # of the hidden layers whose predictions are timed
FEATURES = {16: 10, 100: 64, 512: 100, 1024: 784, 2048: 784}  # by the width of the first hidden layer
CALLS = {1: 100, 10: 40, 1000: 3}  # calls a round, by rows
DENSITY = 0.05  # of sparse rows: the share of numbers above THRESHOLD
THRESHOLD = 1.645


class Fit(NamedTuple):
    """A fit to time, and how many times as fast it should be."""

    estimator: str
    data: tuple[Any, Any]
    options: dict[str, Any]
    goal: float | None


def main() -> None:
    """Time all fits, print the table and write the record."""
    import chainrule

    options = parse()
    _, peaks = kernels.measure("peak")
    found = record.new("benches.dropin", peaks)
    found["versions"] = {"chainrule": chainrule.__version__, "scikit-learn": sklearn.__version__}
    found["fits"] = {}
    for name, fit in fits(options.adult).items():
        found["fits"][name] = timed(fit, options.rounds) | {"goal": fit.goal}
        print(f"  {name}", file=sys.stderr)
    found["predictions"] = {name: times for widths in WIDTHS for name, times in predictions(widths, options.rounds)}
    record.write(options.record, "dropin", found, report(found))


def fits(adult: Path | None) -> dict[str, Fit]:
    """Return the fits by name."""
    digits, iris, diabetes = (
        load(return_X_y=True) for load in (datasets.load_digits, datasets.load_iris, datasets.load_diabetes)
    )
    classifier, regressor = "MLPClassifier", "MLPRegressor"
    small = {"hidden_layer_sizes": (64, 64), "batch_size": 32, "max_iter": 20}
    tiny = {"hidden_layer_sizes": (16,), "batch_size": 16, "max_iter": 200}
    plain = {"solver": "sgd", "activation": "tanh", "hidden_layer_sizes": (50,), "max_iter": 50}
    found = {
        "digits default": Fit(classifier, digits, {"max_iter": 50}, 3.6),
        "digits (64, 64) batch 32": Fit(classifier, digits, small, 7),
        "iris default": Fit(classifier, iris, {}, 12),
        "iris (16,) batch 16": Fit(classifier, iris, tiny, 30),
        "diabetes default": Fit(regressor, diabetes, {}, 9),
        "digits sgd tanh (50,)": Fit(classifier, digits, plain, 4),
        "diabetes lbfgs": Fit(regressor, diabetes, {"solver": "lbfgs", "max_iter": 100}, 3),
    }
    if adult:
        found["adult one-hot (100,) 20 epochs"] = Fit(classifier, census(adult), {"max_iter": 20}, None)
    return found


def census(path: Path) -> tuple[Any, Any]:
    """Return X one-hot and standardised, and y."""
    import pandas as pd
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    table = pd.read_csv(path, skipinitialspace=True)
    y = table.pop(table.columns[-1])
    numbers = make_column_selector(dtype_include="number")
    words = make_column_selector(dtype_exclude="number")
    encoder = make_column_transformer((StandardScaler(), numbers), (OneHotEncoder(sparse_output=False), words))
    return encoder.fit_transform(table), y.to_numpy()


def model(fit: Fit, package: Any, **options: Any) -> Any:
    """Return the estimator of a fit, of scikit-learn or of chainrule.sklearn."""
    return getattr(package, fit.estimator)(random_state=0, **fit.options, **options)


def timed(fit: Fit, rounds: int) -> dict[str, Any]:
    """Return the times of both in seconds, turn by turn, and how far their last losses are apart."""
    import chainrule.sklearn

    times: dict[str, list[float]] = {"scikit-learn": [], "chainrule": []}
    losses = {}
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(rounds):
            for name, package in (("scikit-learn", neural_network), ("chainrule", chainrule.sklearn)):
                estimator = model(fit, package, **({"n_threads": 1} if name == "chainrule" else {}))
                start = time.perf_counter()
                estimator.fit(*fit.data)
                times[name].append(time.perf_counter() - start)
                losses[name] = estimator.loss_
    apart = abs(losses["chainrule"] / losses["scikit-learn"] - 1)
    if not apart < SAME:
        sys.exit(f"not the same fit: {losses}")
    return {"seconds": times, "apart": float(apart)}


def predictions(widths: tuple[int, ...], rounds: int) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield the median times of predictions of ten classes, in seconds, by rows."""
    import chainrule.sklearn

    rng = np.random.default_rng(0)
    X = rng.normal(size=(max(CALLS), FEATURES[widths[0]]))
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours = chainrule.sklearn.MLPClassifier(widths, max_iter=1, random_state=0, n_threads=1)
        ours.fit(X[:200], np.arange(200) % 10)
        models = {"scikit-learn": chainrule.sklearn.to_sklearn(ours), "chainrule": ours}
        for n, calls in CALLS.items():
            for kind, rows in (("dense", X[:n]), ("sparse", sparse.csr_array(np.where(X[:n] > THRESHOLD, X[:n], 0.0)))):
                times: dict[str, list[float]] = {name: [] for name in models}
                theirs, found = (model.predict_proba(rows) for model in models.values())
                if not np.allclose(theirs, found, rtol=1e-8, atol=1e-10):
                    sys.exit(f"not the same predictions: {widths}, {kind}, {n} rows")
                for _ in range(rounds * calls):
                    for name, model in models.items():
                        start = time.perf_counter()
                        model.predict(rows)
                        times[name].append(time.perf_counter() - start)
                yield (
                    f"{X.shape[1]}-{'-'.join(map(str, widths))}, {n:,} {kind}",
                    {name: statistics.median(several) for name, several in times.items()},
                )


def report(found: dict[str, Any]) -> str:
    """Return the table."""
    lines = record.head("Fits and predictions beside scikit-learn", found)
    lines += [
        "Float64, one thread, milliseconds, medians (minima); the ratio is of medians.",
        "",
        "| fit | scikit-learn | chainrule | times as fast | goal | losses apart |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, fit in found["fits"].items():
        theirs, ours = (np.array(fit["seconds"][who]) * 1e3 for who in ("scikit-learn", "chainrule"))
        ratio = statistics.median(theirs) / statistics.median(ours)
        goal = "–" if fit["goal"] is None else f"≥ {fit['goal']:g}"
        figures = " | ".join(f"{statistics.median(times):,.1f} ({min(times):,.1f})" for times in (theirs, ours))
        lines.append(f"| {name} | {figures} | {ratio:.1f} | {goal} | {fit['apart']:.0e} |")
    lines += [
        "",
        "Predictions of ten classes, float64, one thread, microseconds a call, medians. In sparse rows",
        f"{DENSITY:.0%} of the numbers are not zero. The goal is ≥ 1 everywhere.",
        "",
        "| layers, rows | scikit-learn | chainrule | times as fast |",
        "|---|---:|---:|---:|",
    ]
    for name, times in found["predictions"].items():
        theirs, ours = (times[who] * 1e6 for who in ("scikit-learn", "chainrule"))
        lines.append(f"| {name} | {theirs:,.0f} | {ours:,.0f} | {theirs / ours:.2f} |")
    return "\n".join([*lines, ""])


def parse() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benches.dropin", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--adult", type=Path, metavar="FILE", help="the census data as CSV")
    parser.add_argument(
        "--record", type=Path, metavar="FOLDER", nargs="?", const=record.FOLDER, help="keep the figures"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
