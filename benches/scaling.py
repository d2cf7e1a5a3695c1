"""Times a step over batch sizes and widths, on one thread and more; draws the picture and lists cliffs.

The network has two layers of equal width, ReLU, squared error and Adam; the step is ``net.step(X, y)`` from Python.
Drawn is its time by floating-point operation of its matrix products, of which it has B (6 W − 2 n₀ n₁). Rounds go over
all points, so that a slow moment of the machine does not stay with one of them; the minimum of the rounds counts. What
looks like a cliff is measured again.

A cliff is a neighbor along a line that is more than 1.5 times as slow per operation: a larger one always, a smaller one
only where it takes longer altogether (by a tenth, to be sure), for what a call costs weighs more on a smaller step; and
a step that more threads make so much slower.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

import chainrule
from chainrule.plots.display import NOTE, PALETTE, tidy

from .peers import kernels, record
from .peers.machine import ROOT
from .peers.workloads import STANDSTILL, Workload

CLIFF, SURELY = 1.5, 1.1
# Powers of two, halfway between them, and one to either side of a vector's length and of its multiples.
WIDTHS = (8, 10, 12, 15, 16, 17, 24, 31, 32, 33, 37, 48, 63, 64, 65, 96, 100, 127, 128, 129, 192, 255, 256, 257, 384)
WIDTHS += (511, 512, 513, 768, 1000, 1023, 1024, 1025, 1536, 2047, 2048)
BATCHES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 17, 24, 31, 32, 33, 48, 63, 64, 65, 96, 127, 128, 129, 192, 255, 256)
BATCHES += (257, 384, 512, 513, 768, 1024, 1025, 1536, 2048, 3072, 4096)
LINES = {"width": (1, 16, 128, 1024), "batch": (8, 64, 512, 2048)}  # batch sizes drawn by width, widths drawn by batch
QUICK = {"width": (8, 16, 17, 64), "batch": (1, 16, 64)}

Point = tuple[int, int]  # width, batch
Lines = dict[tuple[str, int], list[Point]]  # what runs along it, what stays; its points from small to large
Times = dict[int, dict[Point, float]]  # threads, then point, then microseconds


def main() -> None:
    """Time all points, list the cliffs, draw, and write the record."""
    options = parse()
    lines = grid(quick=options.quick)
    _, peaks = kernels.measure("peak")
    found = record.new("benches.scaling", peaks) | {"versions": {"chainrule": chainrule.__version__}}
    times: Times = {threads: {} for threads in options.threads}
    points = sorted({point for line in lines.values() for point in line})
    for turn in range(options.rounds):
        measure(points, times, options.seconds, f"round {turn + 1} of {options.rounds}")
    for turn in range(options.rounds):  # a slow moment of the machine can look like a cliff
        if again := {point for pair in cliffs(times, lines) for point in (pair.slow, pair.fast)}:
            measure(sorted(again), times, options.seconds, f"again {turn + 1}")
    left = cliffs(times, lines)
    found["us"] = {
        threads: [{"width": width, "batch": batch, "us": us} for (width, batch), us in of_points.items()]
        for threads, of_points in times.items()
    }
    found["cliffs"] = [{"ratio": pair.ratio, "what": pair.text} for pair in left]
    text = [
        f"Cliffs, over {CLIFF} times as slow per operation as a neighbor: {len(left) or 'none'}.",
        "",
        *(f"- {pair.ratio:.2f}× {pair.text}" for pair in left),
        "",
        f"The worst: {worst(times, lines)}.",
        "",
    ]
    report = "\n".join([*record.head("Time of a step over batch sizes and widths", found), *text])
    record.write(options.record, "scaling", found, report)
    if options.plot:
        draw(times, lines, peaks, options.plot)


def grid(*, quick: bool) -> Lines:
    """Return the lines along "width", each at one batch size, and along "batch", each at one width."""
    widths, batches = (QUICK["width"], QUICK["batch"]) if quick else (WIDTHS, BATCHES)
    by_width = {("width", b): [(w, b) for w in widths] for b in LINES["width"][: 2 if quick else None]}
    by_batch = {("batch", w): [(w, b) for b in batches] for w in LINES["batch"][: 2 if quick else None]}
    return by_width | by_batch


def flop(point: Point) -> float:
    """Return the operations of one step."""
    width, batch = point
    return Workload("scaling", (width, width, width), batch, batch, "adam", "mse").flop


def measure(points: list[Point], times: Times, seconds: float, name: str) -> None:
    """Time each point on each number of threads; the least of all its times stays, in microseconds."""
    print(f"{name}: {len(points)} points …", file=sys.stderr, flush=True)
    for point in points:
        width, batch = point
        rng = np.random.default_rng(0)
        x, y = (rng.standard_normal((batch, width), dtype=np.float32) for _ in range(2))
        for threads, of_points in times.items():
            slow = chainrule.Adam(learning_rate=STANDSTILL)
            net = chainrule.Network([width, width, width], optimizer=slow, seed=0, n_threads=threads)
            of_points[point] = min(of_points.get(point, np.inf), step_time(net, x, y, seconds))


def step_time(net: chainrule.Network, x: np.ndarray, y: np.ndarray, seconds: float) -> float:
    """Return the microseconds of one step: the best of four looks that share the seconds, after as long a warm-up."""
    step, clock = net.step, time.perf_counter
    count, end = 0, clock() + seconds
    while clock() < end or not count:
        step(x, y)
        count += 1
    count = -(-count // 4)
    best, end = np.inf, clock() + seconds
    while clock() < end or best == np.inf:
        start = clock()
        for _ in range(count):
            step(x, y)
        best = min(best, (clock() - start) / count)
    return 1e6 * best


class Pair(NamedTuple):
    """Two points beside one another: how many times as slow per operation the first is, and the pair in words."""

    ratio: float
    slow: Point
    fast: Point
    text: str


def neighbors(times: Times, lines: Lines) -> Iterator[Pair]:
    """Yield the pairs of neighbors on a line, on each number of threads."""
    for threads, of_points in times.items():
        for line in lines.values():
            for small, large in itertools.pairwise(line):
                ratio = (of_points[large] / flop(large)) / (of_points[small] / flop(small))
                yield Pair(ratio, large, small, f"{words(large)} after {words(small)}, {plural(threads)}")
                if of_points[small] > SURELY * of_points[large]:
                    yield Pair(1 / ratio, small, large, f"{words(small)} before {words(large)}, {plural(threads)}")


def more_threads(times: Times) -> Iterator[Pair]:
    """Yield the points on more threads beside themselves on the fewest."""
    fewest = min(times)
    for threads, of_points in times.items():
        if threads > fewest:
            for point, us in of_points.items():
                text = f"{words(point)} on {plural(threads)} instead of {fewest}"
                yield Pair(us / times[fewest][point], point, point, text)


def cliffs(times: Times, lines: Lines) -> list[Pair]:
    """Return the pairs that are more than `CLIFF` apart, the worst first."""
    both = itertools.chain(neighbors(times, lines), more_threads(times))
    return sorted({pair for pair in both if pair.ratio > CLIFF}, reverse=True)


def worst(times: Times, lines: Lines) -> str:
    """Return in words the worst neighbor, and the point that loses most by more threads, cliffs or not."""
    ends = [max(pairs, default=None) for pairs in (neighbors(times, lines), more_threads(times))]
    return "; ".join(f"{end.ratio:.2f}× {end.text}" for end in ends if end)


def words(point: Point) -> str:
    """Return a point in words."""
    return f"width {point[0]} batch {point[1]}"


def plural(threads: int) -> str:
    """Return a number of threads in words."""
    return f"{threads} thread{'s' * (threads > 1)}"


def draw(times: Times, lines: Lines, peaks: dict[int, float], path: Path) -> None:
    """Draw picoseconds by operation against width and against batch size, a style of line a number of threads."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.5), layout="constrained")
    styles = dict(zip(times, ("-", "--", ":", "-."), strict=False))
    for ax, along, stays in zip(figure.subplots(1, 2, sharey=True), LINES, reversed(LINES), strict=True):
        some = [(fixed, line) for (kind, fixed), line in lines.items() if kind == along]
        for color, (fixed, line) in zip(PALETTE, some, strict=False):
            x = [point[0 if along == "width" else 1] for point in line]
            for threads, of_points in times.items():
                y = [1e6 * of_points[point] / flop(point) for point in line]
                label = f"{stays} {fixed}" if threads == min(times) else None
                ax.plot(x, y, styles[threads], color=color, label=label, linewidth=1.5 if label else 1)
        for threads in times:
            if threads in peaks:
                ax.axhline(1000 / peaks[threads], color=NOTE, linestyle=styles[threads], linewidth=0.8)
        ax.set_xscale("log", base=2)
        ax.set_yscale("log")
        ax.xaxis.set_major_formatter("{x:.0f}")
        ax.set_xlabel({"width": "width of the layers", "batch": "batch size"}[along])
        tidy(ax, "both")
        ax.legend(frameon=False)
    figure.axes[0].set_ylabel("picoseconds by floating-point operation")
    styled = ", ".join(
        f"{plural(threads)} {style}"
        for threads, style in zip(times, ("solid", "dashed", "dotted", "dash-dotted"), strict=False)
    )
    figure.suptitle(f"A training step with Adam: {styled}; gray: the peak of the multiply-add units", fontsize="medium")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100)
    with Image.open(path) as picture:  # in 64 colors, which lines do not miss, a third as large
        picture.convert("RGB").quantize(64, dither=Image.Dither.NONE).save(path, optimize=True)


def parse() -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(
        prog="python -m benches.scaling", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2], metavar="N")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.01, help="about how long one timing takes")
    parser.add_argument("--plot", type=Path, default=ROOT / "docs" / "scaling.png", help="where the picture goes")
    parser.add_argument("--record", type=Path, default=record.FOLDER, help="folder for the record")
    parser.add_argument("--no-record", dest="record", action="store_const", const=None)
    parser.add_argument(
        "--quick", action="store_true", help="does it run? few points, one round, no record, no picture"
    )
    if parser.parse_known_args()[0].quick:
        parser.set_defaults(rounds=1, record=None, plot=None)
    return parser.parse_args()


if __name__ == "__main__":
    main()
