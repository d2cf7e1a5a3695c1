"""Rounds over the running peers: each is checked first, then all are timed in turn."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

import numpy as np

from .client import Client
from .table import Times
from .variants import OURS, Variant
from .workloads import CALLS

# Seconds until idle threads sleep: OpenBLAS's threads spin for 2²⁸ cycles, those of Intel's OpenMP for 0.2 s.
SPINNING_SECONDS = 0.3
PEERS = (OURS, "numpy", "sklearn", "torch", "jax")


def start(modules: list[str], threads: int, variants: Sequence[Variant] = ()) -> tuple[list[Client], dict[str, str]]:
    """Start the workers; return them, and the reason for each missing peer."""
    clients = [Client(module, threads) for module in modules]
    if OURS in modules:
        clients += [Client(OURS, variant.threads or threads, variant) for variant in variants]
    return [c for c in clients if not c.missing], {c.module: c.missing for c in clients if c.missing}


def close(clients: list[Client]) -> None:
    """End the workers."""
    for client in clients:
        client.close()


def time_steps(clients: list[Client], names: list[str], rounds: int, seconds: float) -> tuple[Times, dict]:
    """Check all peers on each workload, then time them round by round; return the times and the checks' results."""
    times: Times = {}
    checks: dict = {}
    for name in names:
        print(f"{name} …", file=sys.stderr, flush=True)
        checks[name] = {
            c.name: c("setup", name=name, dtype=c.variant.dtype if c.variant else "float32", seconds=seconds)
            for c in clients
        }
        times[name] = in_turn(clients, "time", rounds)
    return times, checks


def time_calls(clients: list[Client], rounds: int, seconds: float) -> Times:
    """Check the steps and compare the predictions of all peers, then time the calls round by round."""
    times: Times = {}
    for name, call in CALLS.items():
        print(f"{name} …", file=sys.stderr, flush=True)
        able = [c for c in clients if c.module != "onnx" or call.kind == "predict"]
        answers = {c.name: c("setup_call", name=name, seconds=seconds)["answer"] for c in able}
        if call.kind == "predict":
            first = np.array(next(iter(answers.values())))
            for peer, answer in answers.items():
                wrong = float(np.abs(np.array(answer) - first).max())
                assert wrong < 1e-4, f"{peer} predicts something else: {wrong:.1e}"
        times[name] = in_turn(able, "time_call", rounds)
    return times


def in_turn(clients: list[Client], command: str, rounds: int) -> dict[str, list[float]]:
    """Ask each client in turn, in reverse order every other round, after a pause until other clients' threads sleep."""
    found: dict[str, list[float]] = {c.name: [] for c in clients}
    rest = SPINNING_SECONDS if any(client.threads > 1 for client in clients) else 0.02
    for turn in range(rounds):
        for client in clients[:: 1 if turn % 2 else -1]:
            time.sleep(rest)
            found[client.name].append(client(command)["us"])
    return found
