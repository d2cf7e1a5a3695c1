"""Times chainrule and its peers, prints the tables and records them in benches/record.

kernels: the matrix products of the Rust core, and the peak of the multiply-add units (needs cargo). steps: training
steps on each number of threads; float64 against float32; and more threads against one. calls: one `step` or `predict`
from Python. package: the time of the import and the size of the wheel.

Every peer does the same work in its own process: float32, the same sizes, first weights, batch size, optimizer and
loss, and a new shuffle each epoch (except with one batch of all rows). Before a peer is timed, its weights after a few
steps in a fixed order must equal those of textbook.py. Each round times all peers in turn, so a slow moment of the
machine affects all of them. A peer that is not installed is named and left out.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from . import kernels, package, record, table, variants
from .timing import PEERS, close, start, time_calls, time_steps
from .workloads import WORKLOADS

PARTS = ("kernels", "steps", "calls", "package")


def main() -> None:
    """Run the parts that the options name, print the tables and write the record."""
    options = parse()
    shape = ("64 64 64" if options.quick else "") if "kernels" in options.parts else "peak"
    products, peaks = kernels.measure(shape, options.seconds * 4)
    found = record.new("benches.peers", peaks) | {"rounds": options.rounds}
    text = []
    if "kernels" in options.parts:
        found["kernels"] = products
        text += ["## Matrix products\n", f"```\n{products}\n```" if products else "Left out: cargo was not found.", ""]
    if "steps" in options.parts:
        for threads in options.threads:
            text += steps(threads, options, found)
    if "calls" in options.parts:
        text += calls(options, found)
    if "package" in options.parts:
        text += of_package(options, found)
    report = "\n".join([*record.head("chainrule beside its peers", found), *text])
    record.write(options.record, "peers", found, report)


def steps(threads: int, options: argparse.Namespace, found: dict) -> list[str]:
    """Time the training steps on `threads` threads, add them to `found` and return the tables."""
    clients, left_out = start([*options.peers], threads, variants.on(threads))
    versions(clients, left_out, found)
    gflops, what = found["peak_gflops"].get(threads), "the multiply-add units"
    if not gflops:
        product = next((c for c in clients if c.module == "numpy"), None)
        gflops, what = (product("peak")["gflops"], "NumPy's product") if product else (100.0 * threads, "a guess")
    times, checks = time_steps(clients, options.workloads, options.rounds, options.seconds)
    close(clients)
    found[f"steps, {threads} threads"] = {"gflops": gflops, "peak_of": what, "us": times, "checks": checks}
    columns = [c.name for c in clients if not c.variant]
    caption = (
        f"Microseconds a step of `fit`, median (minimum) of {options.rounds} rounds. The floor goes by {what}, "
        f"{gflops:.0f} GFLOP/s.{compiling(checks)}"
    )
    text = [
        f"## Training step, {threads} thread{'s' * (threads > 1)}\n",
        f"{caption}\n",
        table.steps(times, columns, gflops, threads),
        "",
    ]
    for variant in (c.variant for c in clients if c.variant):
        text += [f"## {variant.title.format(threads=threads)}\n", table.ratio(times, variant, threads), ""]
    return text


def compiling(checks: dict) -> str:
    """Return a sentence on JAX's compile time, the length of its first epoch, which no other figure includes."""
    firsts = [check["first_epoch_s"] for of_row in checks.values() for name, check in of_row.items() if "JAX" in name]
    return f" Left out: JAX's first epochs, up to {max(firsts):.2g} s with compiling." if firsts else ""


def calls(options: argparse.Namespace, found: dict) -> list[str]:
    """Time single calls from Python, add them to `found` and return the tables."""
    clients, left_out = start([*options.peers, "onnx"], 1)
    versions(clients, left_out, found)
    times = time_calls(clients, options.rounds, options.seconds / 4)
    close(clients)
    found["calls"] = {"us": times}
    columns = [c.name for c in clients]
    return [
        "## `step` called from Python, 1 thread\n",
        "Microseconds, median (minimum).\n",
        table.calls(times, "step", [name for name in columns if "ONNX" not in name]),
        "",
        "## Inference from Python, 1 thread\n",
        table.calls(times, "predict", columns),
        "",
    ]


def of_package(options: argparse.Namespace, found: dict) -> list[str]:
    """Measure import and wheel, add them to `found` and return the table."""
    imports = package.import_times(options.rounds)
    rows = [
        [f"{line}, ms", table.cell(times), f"≤ {package.IMPORTS[line]:g}" if package.IMPORTS[line] else "–"]
        for line, times in imports.items()
    ]
    found["import_ms"] = imports
    if options.wheel:
        found["wheel_mb"] = package.wheel_size(options.wheel)
        rows.append(["wheel, MB", f"{found['wheel_mb']:.2f}", f"≤ {package.WHEEL:g}"])
    return ["## The package\n", table.markdown(["what", "median (minimum)", "goal"], rows), ""]


def versions(clients: list, left_out: dict[str, str], found: dict) -> None:
    """Record the peers that take part with their versions, and the missing ones with the reasons."""
    found["versions"] |= {c.name: c.version for c in clients if not c.variant}
    found["left_out"] |= left_out
    for module, why in left_out.items():
        print(f"{module}: left out ({why})", file=sys.stderr)


def parse() -> argparse.Namespace:
    """Read the options; argparse refuses unknown names."""
    parser = argparse.ArgumentParser(
        prog="python -m benches.peers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, metavar="PART", help=", ".join(PARTS))
    parser.add_argument(
        "--workloads", nargs="+", choices=WORKLOADS, default=WORKLOADS, metavar="NAME", help=", ".join(WORKLOADS)
    )
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=PEERS, metavar="NAME", help=", ".join(PEERS))
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2], metavar="N")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.1, help="about how long one timing takes")
    parser.add_argument("--wheel", type=Path, help="the built wheel, or its folder")
    parser.add_argument("--record", type=Path, default=record.FOLDER, help="folder for the record")
    parser.add_argument("--no-record", dest="record", action="store_const", const=None)
    parser.add_argument("--quick", action="store_true", help="does it run? two workloads, one short round, no record")
    if parser.parse_known_args()[0].quick:
        parser.set_defaults(rounds=1, seconds=0.01, record=None, workloads=["iris", "policy"])
    return parser.parse_args()


if __name__ == "__main__":
    main()
