"""What the figures were measured on: processor, cores, clock, and the peak rate of a matrix product."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path

import numpy as np


def describe() -> dict:
    """Return processor, cores and clock as far as the system tells."""
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
    }


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
