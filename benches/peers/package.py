"""The cost of the package before it computes: the time of its import beyond NumPy's, and the size of its wheel."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from .client import environment
from .machine import ROOT

WHEEL = 1.5  # the goal, in megabytes
# Each line runs after the ones before it; its goal is in milliseconds. The package itself loads the compiled core
# alone; its Python modules are loaded with the first name used.
IMPORTS = {"import numpy": None, "import chainrule": 5.0, "from chainrule import Network": None}
CODE = """
import time
for line in {imports}:
    start = time.perf_counter()
    exec(line)
    print(1000 * (time.perf_counter() - start))
"""


def import_times(rounds: int) -> dict[str, list[float]]:
    """Return the milliseconds of each of IMPORTS, one after the other, each round in a fresh interpreter."""
    found: dict[str, list[float]] = {line: [] for line in IMPORTS}
    command = [sys.executable, "-c", CODE.format(imports=[*IMPORTS])]
    for _ in range(rounds + 1):
        done = subprocess.run(command, cwd=ROOT, env=environment(1), capture_output=True, text=True, check=True)
        for times, milliseconds in zip(found.values(), done.stdout.split(), strict=True):
            times.append(float(milliseconds))
    return {line: times[1:] for line, times in found.items()}  # the first read the files from disk


def wheel_size(wheel: Path) -> float:
    """Return the megabytes (10⁶ bytes) of a wheel, or of the newest wheel in a folder."""
    if wheel.is_dir():
        wheel = max(wheel.glob("chainrule-*.whl"), key=lambda path: path.stat().st_mtime)
    return wheel.stat().st_size / 1e6
