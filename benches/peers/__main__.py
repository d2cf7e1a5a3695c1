"""Times training steps and single calls of chainrule beside its peers, and records them in benches/record.

Every peer does the same work in its own process: float32, the same sizes, first weights, batch size, optimizer and
loss, a fresh shuffle each epoch. Before it is timed, its weights after a few steps in a fixed order must be those of
textbook.py. Rounds go through the peers in turn, so that a slow moment of the machine falls on all of them.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
import time
from pathlib import Path

import numpy as np

from . import table
from .client import ROOT, Client
from .machine import describe
from .workloads import WORKLOADS

PEERS = ("chainrule", "numpy", "sklearn", "torch", "jax")
CALLS = {
    # name: (kind, sizes, loss, rows)
    "step 8-64-64-4 adam, 1 row": ("step", (8, 64, 64, 4), "mse", 1),
    "step 8-64-64-4 adam, 32 rows": ("step", (8, 64, 64, 4), "mse", 32),
    "predict 4-16-3, 1 row": ("predict", (4, 16, 3), "cross_entropy", 1),
    "predict 8-64-64-4, 1 row": ("predict", (8, 64, 64, 4), "mse", 1),
    "predict 784-128-10, 1 row": ("predict", (784, 128, 10), "cross_entropy", 1),
    "predict 8-64-64-4, 256 rows": ("predict", (8, 64, 64, 4), "mse", 256),
    "predict 64-100-10, 256 rows": ("predict", (64, 100, 10), "cross_entropy", 256),
    "predict 784-128-10, 256 rows": ("predict", (784, 128, 10), "cross_entropy", 256),
}


def main() -> None:
    """Run what the options ask for, print the tables and write the record."""
    options = parse()
    started = dt.datetime.now(dt.UTC)
    record: dict = {"date": f"{started:%Y-%m-%dT%H:%MZ}", "machine": describe(), "rounds": options.rounds}
    text = []
    for threads in options.threads:
        clients = start([*options.peers], threads)
        record["versions"] = {c.name: c.version for c in clients} | record.get("versions", {})
        gflops = max((c("peak")["gflops"] for c in clients if c.module == "numpy"), default=100.0 * threads)
        times, checks = time_steps(clients, options)
        columns = [c.name for c in clients]
        record[f"steps, {threads} threads"] = {"peak_gflops": gflops, "us": times, "checks": checks}
        text += [
            f"## Training step, {threads} thread{'s' * (threads > 1)}\n",
            f"Microseconds, median (minimum) of {options.rounds} rounds; peak {gflops:.0f} GFLOP/s.\n",
            table.steps(times, columns, gflops),
            "",
        ]
        close(clients)
    if options.calls:
        clients = start([*options.peers, "onnx"], 1)
        record["versions"] |= {c.name: c.version for c in clients}
        times = time_calls(clients, options)
        record["calls"] = {"us": times}
        text += ["## One call from Python, 1 thread\n", table.calls(times, [c.name for c in clients]), ""]
        close(clients)
    machine = record["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    head = (
        f"# chainrule beside its peers, {started:%Y-%m-%d}\n\n"
        f"{machine['processor']} (family/model {machine['family_model']}), {machine['cores']} cores, "
        f"{machine['vectors']}, {machine['clock_mhz'] or '?'} MHz, {machine['system']}, Python {machine['python']}. "
        f"{versions}.\nCommand: `python -m benches.peers {' '.join(sys.argv[1:])}`. JAX's compile time is left out.\n"
    )
    report = "\n".join([head, *text])
    print(report)
    if options.record:
        options.record.mkdir(parents=True, exist_ok=True)
        name = f"{started:%Y-%m-%d}-peers"
        (options.record / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n")
        (options.record / f"{name}.md").write_text(report)


def parse() -> argparse.Namespace:
    """Read the options; names that do not exist are refused by argparse."""
    parser = argparse.ArgumentParser(prog="python -m benches.peers", description=__doc__)
    parser.add_argument("--workloads", nargs="+", choices=WORKLOADS, default=list(WORKLOADS), metavar="NAME")
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=PEERS, metavar="NAME")
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.1, help="about how long one timing takes")
    parser.add_argument("--no-calls", dest="calls", action="store_false", help="only training steps")
    parser.add_argument("--record", type=Path, default=ROOT / "benches" / "record", help="folder for the record")
    parser.add_argument("--no-record", dest="record", action="store_const", const=None)
    return parser.parse_args()


def start(modules: list[str], threads: int) -> list[Client]:
    """Start the workers; a peer that is not installed is left out, and said so."""
    clients = []
    for module in modules:
        client = Client(module, threads)
        if client.missing:
            print(f"{module}: left out ({client.missing})", file=sys.stderr)
        else:
            clients.append(client)
    return clients


def close(clients: list[Client]) -> None:
    """End the workers."""
    for client in clients:
        client.close()


def time_steps(clients: list[Client], options: argparse.Namespace) -> tuple[table.Times, dict]:
    """Check all peers on each workload, then time them round by round."""
    times: table.Times = {}
    checks: dict = {}
    for name in options.workloads:
        print(f"{name} …", file=sys.stderr, flush=True)
        checks[name] = {c.name: c("setup", name=name, seconds=options.seconds) for c in clients}
        times[name] = rounds(clients, "time", options)
    return times, checks


def time_calls(clients: list[Client], options: argparse.Namespace) -> table.Times:
    """Compare the predictions of all peers, then time the calls round by round."""
    times: table.Times = {}
    for name, (kind, sizes, loss, rows) in CALLS.items():
        print(f"{name} …", file=sys.stderr, flush=True)
        able = [c for c in clients if c.module != "onnx" or kind == "predict"]
        arguments = {"kind": kind, "sizes": sizes, "loss": loss, "rows": rows, "seconds": options.seconds / 4}
        answers = {c.name: c("setup_call", **arguments)["answer"] for c in able}
        if kind == "predict":
            first = np.array(next(iter(answers.values())))
            for peer, answer in answers.items():
                wrong = float(np.abs(np.array(answer) - first).max())
                assert wrong < 1e-4, f"{peer} predicts something else: {wrong:.1e}"
        times[name] = rounds(able, "time_call", options)
    return times


def rounds(clients: list[Client], command: str, options: argparse.Namespace) -> dict[str, list[float]]:
    """Ask each client in turn, the order reversed every other round, and rest a little: threads of others spin on."""
    found: dict[str, list[float]] = {c.name: [] for c in clients}
    for turn in range(options.rounds):
        for client in clients[:: 1 if turn % 2 else -1]:
            time.sleep(0.02)
            found[client.name].append(client(command)["us"])
    return found


if __name__ == "__main__":
    main()
