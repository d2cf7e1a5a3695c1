"""The file of hashes: per case, one for the instruction sets with fused multiply-add and one for the portable set."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from chainrule import _native

ROOT = Path(__file__).parents[2]
FILE = ROOT / "tests" / "golden" / "bits.json"


def column(isa: str) -> str:
    """Return the column of an instruction set: all that have fused multiply-add give the same bits."""
    return "portable" if isa == "portable" else "fma"


def measured(isa: str) -> dict[str, str]:
    """Return the hashes of an instruction set, computed in a process of its own."""
    environment = {**os.environ, "CHAINRULE_TARGET": isa}
    command = [sys.executable, "-m", "tests.bits"]
    process = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if process.returncode:
        raise RuntimeError(process.stderr)
    found: dict[str, str] = json.loads(process.stdout)
    return found


def expected(isa: str) -> dict[str, str]:
    """Return the hashes that an instruction set must have."""
    found = json.loads(FILE.read_text())
    return {case: hashes[column(isa)] for case, hashes in found.items()}


def write() -> None:
    """Compute the hashes of all instruction sets of this processor and write them."""
    sets = _native.targets()
    with ThreadPoolExecutor(2) as pool:
        found = dict(zip(sets, pool.map(measured, sets), strict=True))
    fma = [found[isa] for isa in sets if isa != "portable"]
    if any(other != fma[0] for other in fma):
        different = [case for case, value in fma[0].items() if any(other[case] != value for other in fma)]
        raise SystemExit(f"instruction sets with fused multiply-add differ: {different}")
    rows = ({"fma": fma[0][case], "portable": value} for case, value in found["portable"].items())
    lines = (f"{json.dumps(case)}: {json.dumps(row)}" for case, row in zip(found["portable"], rows, strict=True))
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")
