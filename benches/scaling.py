"""Times a step over batch sizes and widths, on one and more threads; draws the plot and lists cliffs.

The network has two layers of equal width, ReLU, squared error and Adam; the step is ``net.step(X, y)`` from Python. The
plot shows its time per floating-point operation of its matrix products, of which it has B (6 W − 2 n₀ n₁). Each round
times all points, so a slow moment of the machine does not affect one point alone, and the minimum of the rounds counts.
Apparent cliffs are measured again.

A cliff is a point more than 1.5 times as slow per operation as its neighbor on a line. A larger neighbor always counts.
A smaller one counts only if its total time is longer too (by a tenth), since the overhead of a call weighs more on a
smaller step. A step that is that much slower on more threads is a cliff too.
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
# Powers of two, the values halfway between them, and the neighbors of multiples of the vector length.
WIDTHS = (8, 10, 12, 15, 16, 17, 24, 31, 32, 33, 37, 48, 63, 64, 65, 96, 100, 127, 128, 129, 192, 255, 256, 257, 384)
WIDTHS += (511, 512, 513, 768, 1000, 1023, 1024, 1025, 1536, 2047, 2048)
BATCHES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 17, 24, 31, 32, 33, 48, 63, 64, 65, 96, 127, 128, 129, 192, 255, 256)
BATCHES += (257, 384, 512, 513, 768, 1024, 1025, 1536, 2048, 3072, 4096)
LINES = {"width": (1, 16, 128, 1024), "batch": (8, 64, 512, 2048)}  # batch sizes drawn by width, widths drawn by batch
QUICK = {"width": (8, 16, 17, 64), "batch": (1, 16, 64)}

Point = tuple[int, int]  # width, batch
Lines = dict[tuple[str, int], list[Point]]  # (the varying quantity, the fixed value): points from small to large
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
    """Return the lines along "width", one per batch size, and along "batch", one per width."""
    widths, batches = (QUICK["width"], QUICK["batch"]) if quick else (WIDTHS, BATCHES)
    by_width = {("width", b): [(w, b) for w in widths] for b in LINES["width"][: 2 if quick else None]}
    by_batch = {("batch", w): [(w, b) for b in batches] for w in LINES["batch"][: 2 if quick else None]}
    return by_width | by_batch


def flop(point: Point) -> float:
    """Return the floating-point operations of one step."""
    width, batch = point
    return Workload("scaling", (width, width, width), batch, batch, "adam", "mse").flop


def measure(points: list[Point], times: Times, seconds: float, name: str) -> None:
    """Time each point on each number of threads, and keep the minimum of all its times, in microseconds."""
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
    """Return the microseconds of one step: the best of four timings that share `seconds`, after an equal warm-up."""
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
    """Two neighboring points: the ratio of their times per operation, and the pair in words."""

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
    """Yield each point on more threads, compared with itself on the fewest."""
    fewest = min(times)
    for threads, of_points in times.items():
        if threads > fewest:
            for point, us in of_points.items():
                text = f"{words(point)} on {plural(threads)} instead of {fewest}"
                yield Pair(us / times[fewest][point], point, point, text)


def cliffs(times: Times, lines: Lines) -> list[Pair]:
    """Return the pairs whose ratio exceeds `CLIFF`, the worst first."""
    both = itertools.chain(neighbors(times, lines), more_threads(times))
    return sorted({pair for pair in both if pair.ratio > CLIFF}, reverse=True)


def worst(times: Times, lines: Lines) -> str:
    """Return in words the worst neighbor, and the point that loses most through more threads, cliffs or not."""
    ends = [max(pairs, default=None) for pairs in (neighbors(times, lines), more_threads(times))]
    return "; ".join(f"{end.ratio:.2f}× {end.text}" for end in ends if end)


def words(point: Point) -> str:
    """Return a point in words."""
    return f"width {point[0]} batch {point[1]}"


def plural(threads: int) -> str:
    """Return a number of threads in words."""
    return f"{threads} thread{'s' * (threads > 1)}"


def draw(times: Times, lines: Lines, peaks: dict[int, float], path: Path) -> None:
    """Draw picoseconds per operation against width and against batch size, one line style per number of threads."""
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
    with Image.open(path) as picture:  # 64 colors are enough for lines, and a third of the size
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
