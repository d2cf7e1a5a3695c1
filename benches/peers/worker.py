"""One peer in its own process, so that its threads and variables are its own: JSON commands in, JSON answers out."""

from __future__ import annotations

import dataclasses
import importlib
import json
import sys
import time

import numpy as np

from .machine import peak_gflops
from .textbook import error
from .workloads import BY_NAME, CALLS, Workload

CHECKED_STEPS = 3
# As a part of the way that the parameters moved. float32 leaves 1e-6 to 1e-4; a hidden unit so close to ReLU's kink
# that rounding decides its side adds some 1e-3 in the widest network.
TOLERANCE = {"float32": 5e-3, "float64": 1e-9}


def repetitions(call, seconds: float) -> int:
    """Return how many calls take about `seconds`."""
    count = 1
    while True:
        start = time.perf_counter()
        for _ in range(count):
            call()
        elapsed = time.perf_counter() - start
        if elapsed > seconds / 4:
            return max(1, round(count * seconds / elapsed))
        count *= 4


class Worker:
    """Holds one peer on one workload between commands."""

    def __init__(self, module: str, threads: int) -> None:
        self.module, self.threads = importlib.import_module(f".{module}_peer", __package__), threads

    def hello(self) -> dict:
        return {"name": self.module.NAME, "version": self.module.VERSION}

    def peak(self) -> dict:
        return {"gflops": peak_gflops()}

    def make(self, workload: Workload, *, check: bool) -> float:
        """Make the peer for a workload; return how wrong its parameters are after a few steps, where that is checked.

        A peer may allow itself more than TOLERANCE, and says why beside its own.
        """
        wrong = 0.0
        if check:
            rows = max(workload.rows, CHECKED_STEPS * workload.batch)
            checked = dataclasses.replace(workload, rows=rows, stands_still=False)
            wrong = error(checked, self.module.Peer(checked, self.threads).few_steps(CHECKED_STEPS), CHECKED_STEPS)
            allowed = getattr(self.module, "TOLERANCE", TOLERANCE[workload.dtype])
            assert wrong < allowed, f"{self.module.NAME} is wrong on {workload.name}: {wrong:.1e}"
        self.workload, self.peer = workload, self.module.Peer(workload, self.threads)
        return wrong

    def setup(self, name: str, dtype: str, seconds: float) -> dict:
        """Check the peer's answer, warm it up and choose how many epochs one timing takes."""
        wrong = self.make(dataclasses.replace(BY_NAME[name], dtype=dtype), check=True)
        start = time.perf_counter()
        self.peer.fit(1)
        first = time.perf_counter() - start
        self.epochs = repetitions(lambda: self.peer.fit(1), seconds)
        return {"error": wrong, "first_epoch_s": first, "epochs": self.epochs}

    def time(self) -> dict:
        """Time one fit and return microseconds a step."""
        start = time.perf_counter()
        self.peer.fit(self.epochs)
        return {"us": (time.perf_counter() - start) / (self.epochs * self.workload.steps) * 1e6}

    def setup_call(self, name: str, seconds: float) -> dict:
        """Prepare `step`, checked, or `predict`, whose answer comes back to be compared."""
        call = CALLS[name]
        predicts = call.kind == "predict"
        self.make(call.workload, check=not predicts)
        self.call = getattr(self.peer, f"{call.kind}_on")(call.rows)
        answer = np.asarray(self.call()).reshape(call.rows, -1).tolist() if predicts else None
        self.count = repetitions(self.call, seconds)
        return {"answer": answer}

    def time_call(self) -> dict:
        """Time the prepared call and return microseconds a call."""
        call, count = self.call, self.count
        start = time.perf_counter()
        for _ in range(count):
            call()
        return {"us": (time.perf_counter() - start) / count * 1e6}


def serve(kind: type[Worker]) -> None:
    """Answer one JSON line for each JSON line; the first tells of the peer or why it is missing."""
    answers, sys.stdout = sys.stdout, sys.stderr
    try:
        worker = kind(sys.argv[1], int(sys.argv[2]))
    except ImportError as missing:
        print(json.dumps({"missing": str(missing)}), file=answers, flush=True)
        return
    print(json.dumps(worker.hello()), file=answers, flush=True)
    for line in sys.stdin:
        command, arguments = json.loads(line)
        print(json.dumps(getattr(worker, command)(**arguments)), file=answers, flush=True)


if __name__ == "__main__":
    serve(Worker)
