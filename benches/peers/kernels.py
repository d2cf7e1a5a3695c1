"""The kernels alone: runs the bench of rust/kernels, and reads the peak of the multiply-add units from its output."""

from __future__ import annotations

import re
import shutil
import subprocess

from .machine import ROOT

COMMAND = ("cargo", "bench", "--quiet", "--package", "chainrule-kernels", "--bench", "product", "--")


def measure(shape: str = "", seconds: float = 0.4) -> tuple[str, dict[int, float]]:
    """Return the output of the bench, and the GFLOP/s of the units by number of threads; nothing without cargo.

    ``shape`` selects products whose name contains it, such as "64 64 64"; "peak" selects none. ``seconds``: for each.
    """
    if not shutil.which(COMMAND[0]):
        return "", {}
    done = subprocess.run([*COMMAND, shape, str(seconds)], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    peaks = re.findall(r"^peak of (\d+) threads: ([\d.]+) GFLOP/s$", done.stdout, flags=re.MULTILINE)
    return done.stdout.strip(), {int(threads): float(rate) for threads, rate in peaks}
