"""The benchmark's end of a worker: starts one peer in a clean environment with a given number of threads."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from .machine import ROOT
from .variants import Variant

# Some machines set these for the sake of old libraries; they make a current NumPy slow.
UNSET = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


def environment(threads: int) -> dict[str, str]:
    """Return this process's variables with every thread count set and nothing that slows a peer."""
    env = {key: value for key, value in os.environ.items() if key not in UNSET}
    counts = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "CHAINRULE_NUM_THREADS")
    env |= dict.fromkeys(counts, str(threads))
    env |= {"JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": "", "PYTHONWARNINGS": "ignore"}
    return env


class Client:
    """One running worker; calling a command waits for its answer."""

    worker = "benches.peers.worker"
    is_pinned = True

    def __init__(self, module: str, threads: int, variant: Variant | None = None) -> None:
        self.module, self.threads, self.variant = module, threads, variant
        self.process = subprocess.Popen(
            [sys.executable, "-m", self.worker, module, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment(threads) | dict(variant.variables if variant else {}),
        )
        # A peer that was promised one thread gets one core: XLA's own flags leave it two. Without them, and on one
        # core, it is faster (policy 53 against 67 microseconds).
        if self.is_pinned and hasattr(os, "sched_setaffinity"):
            cores = sorted(os.sched_getaffinity(0))
            os.sched_setaffinity(self.process.pid, cores[-threads:])
        self.hello = hello = self.answer()
        self.missing: str | None = hello.get("missing")
        self.name: str = hello.get("name", module) + (f" {variant.remark}" if variant else "")
        self.version: str | None = hello.get("version")

    def __call__(self, command: str, **arguments: object) -> dict:
        """Send one command and return its answer."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([command, arguments]) + "\n")
        self.process.stdin.flush()
        return self.answer()

    def answer(self) -> dict:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"the worker of {self.module} on {self.threads} threads stopped; its error is above")
        return json.loads(line)

    def close(self) -> None:
        """End the worker."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()
