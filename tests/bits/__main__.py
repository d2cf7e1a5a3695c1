"""Prints the hashes of one instruction set as JSON, or writes those of all instruction sets of this processor."""

from __future__ import annotations

import json
import sys

from . import golden, runs

if __name__ == "__main__":
    if "--write" in sys.argv[1:]:
        golden.write()
    else:
        print(json.dumps(runs.hashes()))
