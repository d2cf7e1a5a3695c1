"""One build of chainrule in its own process, by the protocol of the peers: `setup` and `repeat` once, then `time`.

Epochs of `fit` count by their steps, single calls and whole fits as one.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

import chainrule
from benches.peers.worker import CHECKED_STEPS, Worker, repetitions, serve
from benches.peers.workloads import BY_NAME, CALLS, first_weights

SAMPLE = 1000  # numbers of an answer that are compared


class Prepared(NamedTuple):
    """What is timed, a function that takes how often, and numbers that both builds must agree on."""

    call: Callable[[int], object]
    steps: int
    answer: np.ndarray


class Build(Worker):
    """chainrule as PYTHONPATH has it."""

    def hello(self) -> dict:
        return super().hello() | {"folder": str(Path(chainrule.__file__).parents[1])}

    def setup(self, kind: str, name: str, seconds: float) -> dict:
        """Prepare a row, warm it up and choose how often a timing repeats it; return that, and what it computes."""
        self.prepared: Prepared = getattr(self, kind)(name)
        self.prepared.call(1)
        count = repetitions(lambda: self.prepared.call(1), seconds)
        answer = np.ravel(self.prepared.answer).astype(float)
        return {"count": count, "answer": answer[:: len(answer) // SAMPLE + 1].tolist()}

    def repeat(self, count: int) -> dict:
        """Repeat the row so often in each timing."""
        self.count = count
        return {}

    def time(self) -> dict:
        """Time the row and return microseconds a step, call or fit."""
        start = time.perf_counter()
        self.prepared.call(self.count)
        return {"us": (time.perf_counter() - start) / (self.count * self.prepared.steps) * 1e6}

    def epochs(self, name: str) -> Prepared:
        """Prepare epochs of a workload. The answer is how far the first steps move the parameters."""
        workload = BY_NAME[name]
        self.make(dataclasses.replace(workload, stands_still=False), check=False)
        before = [array for pair in zip(*first_weights(workload), strict=True) for array in pair]
        after = self.peer.few_steps(CHECKED_STEPS)
        self.make(workload, check=False)
        moved = [np.ravel(a.astype(float) - b) for a, b in zip(after, before, strict=True)]
        return Prepared(self.peer.fit, workload.steps, np.concatenate(moved))

    def calls(self, name: str) -> Prepared:
        """Prepare `step` or `predict`. The answer is the loss or the prediction."""
        call = CALLS[name]
        self.make(call.workload, check=False)
        return Prepared(again(function := getattr(self.peer, f"{call.kind}_on")(call.rows)), 1, function())

    def whole_fits(self, name: str) -> Prepared:
        """Prepare a fit of chainrule.sklearn from its first weights. The answer is the loss that it ends with."""
        import chainrule.sklearn
        from benches import dropin

        fit = dropin.fits(None)[name]
        model = dropin.model(fit, chainrule.sklearn, n_threads=self.threads)
        return Prepared(again(lambda: model.fit(*fit.data)), 1, model.fit(*fit.data).loss_)


def again(function: Callable[[], object]) -> Callable[[int], None]:
    """Return a loop over a function."""

    def call(count: int) -> None:
        for _ in range(count):
            function()

    return call


if __name__ == "__main__":
    serve(Build)
