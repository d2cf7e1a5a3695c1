"""The machine of the measurements: processor, cores, clock, load, commit, and the peak rate of a matrix product."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]


def describe() -> dict:
    """Return the system's facts about the machine, its current load, and the commit measured."""
    fields: dict[str, str] = {}
    if (cpuinfo := Path("/proc/cpuinfo")).exists():
        for line in cpuinfo.read_text().splitlines():
            key, _, value = line.partition(":")
            fields.setdefault(key.strip(), value.strip())
    flags = fields.get("flags", "").split()
    return {
        "processor": fields.get("model name") or platform.processor() or platform.machine(),
        "family_model": f"{fields.get('cpu family', '?')}/{fields.get('model', '?')}",
        "clock_mhz": float(fields["cpu MHz"]) if "cpu MHz" in fields else None,
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "vectors": "avx512" if "avx512f" in flags else "avx2" if "avx2" in flags else "other",
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "commit": commit(),
    }


def commit() -> str | None:
    """Return the commit of the working tree, marked if files differ from it; None outside a repository."""
    if not shutil.which("git"):
        return None
    command = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or None


def peak_gflops(seconds: float = 1.0) -> float:
    """Return the best rate of a float32 matrix product of NumPy, in GFLOP/s, on the threads of this process."""
    n = 768
    a, b = (np.random.default_rng(0).standard_normal((n, n), dtype=np.float32) for _ in range(2))
    out, best, end = np.empty((n, n), np.float32), 0.0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        np.dot(a, b, out=out)
        best = max(best, 2 * n**3 / (time.perf_counter() - start) / 1e9)
    return best
