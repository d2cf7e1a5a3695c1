"""Where memory is short, a call raises MemoryError and the process goes on."""

from __future__ import annotations

import subprocess
import sys

import pytest

resource = pytest.importorskip("resource")
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a limit of the address space")

START = """
import resource, sys, numpy as np
from chainrule import Network, _native
def limit(kib):
    now = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + (kib << 10), resource.RLIM_INFINITY))
def tries(call, spares):
    call()  # what a process allocates once
    for spare in spares:
        limit(spare)
        try: call()
        except MemoryError: pass
        finally: limit(1 << 22)
"""

CASES = {
    "trace of a deep network": """
net = Network([64] + [8] * 300 + [10], seed=0); X, y = np.zeros((50, 64), "f4"), np.zeros((50, 10), "f4")
tries(lambda: net.trace(X, y), [0, 64, 200, 400, 1000, 2000, 3000, 5000, 8000])
""",
    "trace of many rows": """
net = Network([8, 8, 1], loss="mse", seed=0); X, y = np.zeros((200_000, 8), "f4"), np.zeros((200_000, 1), "f4")
tries(lambda: net.trace(X, y), range(0, 60_000, 2500))
""",
    "trace of a wide network": """
net = Network([1000, 1000], optimizer="sgd", seed=0); X = np.zeros((4, 1000), "f4")
tries(lambda: net.trace(X, X), range(0, 40_000, 1500))
""",
    "header of many tensors": """
import json, struct, tempfile
path = tempfile.mktemp()
entries = (f'"{i:x}":{{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}' for i in range(200_000))
text = ("{" + ",".join(entries) + "}").encode()
open(path, "wb").write(struct.pack("<Q", len(text)) + text)
tries(lambda: _native.read_tensors(path), range(0, 600_000, 30_000))
tensors = {f"{i:x}": np.zeros(1, "f4") for i in range(40_000)}
tries(lambda: _native.write_tensors(path, tensors, {"text": "x" * 1_000_000}), range(0, 120_000, 10_000))
""",
}


@pytest.mark.parametrize("name", CASES)
def test_short_memory_is_a_memory_error(name):
    done = subprocess.run(
        [sys.executable, "-c", START + CASES[name]], capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stderr[-500:]
