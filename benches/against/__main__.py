"""Times the working tree beside a commit, row by row of the tables; ends with 1 where a row is slower.

Both are built for release and each runs in a process of its own that stays alive. Timings alternate in pairs, until the
95 % interval of the median of new / old is at most 0.02 wide. A row fails where all of the interval is above 1.02,
three times in new processes. It is unresolved where the interval stays wider: the machine was too busy, or --max-pairs
too few.

--extra adds steps with l2, sample weights, RAdam or dropout, beside the commit and beside the plain step of the working
tree itself.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time

import numpy as np

from benches.peers.client import Client
from benches.peers.table import markdown
from benches.peers.variants import OURS, Variant

from . import builds, ratios, rows

SAME = 1e-2  # relative difference up to which two answers count as the same: L-BFGS and ReLU amplify rounding
REST = 0.002  # seconds until the threads of the other process sleep
# In processes of their own: where memory happens to lie makes a call of some microseconds up to 3 % slower, for as long
# as the process lives.
TRIES = 3
DROPOUT = 1.3  # the goal of a step with dropout over a plain one


class Process(Client):
    """A worker with one of the builds.

    Both timings of a pair are on one core, those of the next pair on the next core: where something else keeps one of
    them busy, two processes that each stay on their own differ by a half.
    """

    worker = "benches.against.worker"
    is_pinned = False

    def __init__(self, folder: object, threads: int) -> None:
        variant = Variant("", "", lambda *_: 1, variables={"PYTHONPATH": str(folder)})
        super().__init__(OURS, threads, variant)
        self.timings = 0
        assert self.hello["folder"] == str(folder), f"{self.hello['folder']} is not {folder}"

    def us(self) -> float:
        """Time what is set up."""
        if self.threads > 1:
            time.sleep(REST)
        if hasattr(os, "sched_setaffinity"):  # of the thread that calls alone, not of those that help it
            cores = sorted(os.sched_getaffinity(0))
            os.sched_setaffinity(self.process.pid, {cores[self.timings % len(cores)]})
        self.timings += 1
        return self("time")["us"]


def main() -> None:
    """Build, compare what the options ask for and print the tables."""
    options = parse()
    commit, old = builds.of_commit(options.commit)
    new = builds.of_working_tree()
    groups = rows.extras() if options.extra else []
    timed = [row for row in [*rows.table(), *(row for group in groups for row in group)] if options.rows(row.name)]
    found = [confirmed(row, old, new, options) for row in timed]
    head = ["row, µs a step, call or fit", commit, "new", f"new / {commit}", "95 %", "pairs"]
    print(f"## The working tree against {commit}\n")
    print(markdown([*head, "verdict"], [[*ratios.cells(row), row.verdict] for row in found]))
    cliffs = [(group[0], row) for group in groups for row in group[1:] if options.rows(row.name)]
    if cliffs:
        steps = [compared(plain, row, new, new, options) for plain, row in cliffs]
        goals = [f"≤ {DROPOUT}" if "dropout" in row.name else "–" for row in steps]
        print("\n## One option more, in the working tree alone\n")
        head[1:4] = ["plain", "with it", "with it / plain"]
        print(markdown([*head, "goal"], [[*ratios.cells(row), goal] for row, goal in zip(steps, goals, strict=True)]))
    failed = [row.name for row in found if row.verdict == "FAIL"]
    if failed:
        sys.exit(f"slower than {commit}: {'; '.join(failed)}")


def confirmed(row: rows.Timed, old: object, new: object, options: argparse.Namespace) -> ratios.Row:
    """Compare the builds on a row; one that fails is tried again."""
    for _ in range(TRIES):
        found = compared(row, row, old, new, options)
        if found.verdict != "FAIL":
            break
    return found


def compared(
    old_row: rows.Timed, new_row: rows.Timed, old: object, new: object, options: argparse.Namespace
) -> ratios.Row:
    """Set up both processes, compare what they compute where it is the same row, and time pairs."""
    print(f"{new_row.name} …", file=sys.stderr, flush=True)
    processes = [Process(folder, row.threads) for folder, row in ((old, old_row), (new, new_row))]
    setups = [
        process("setup", kind=row.kind, name=row.key, seconds=options.seconds)
        for process, row in zip(processes, (old_row, new_row), strict=True)
    ]
    if old_row is new_row and "dropout" not in new_row.name:  # masks are drawn otherwise than before 2026-11-30
        expected, got = (np.array(setup["answer"]) for setup in setups)
        apart = np.linalg.norm(got - expected) / np.linalg.norm(expected)
        assert apart < SAME, f"{new_row.name}: the builds compute different numbers, {apart:.1e} apart"
    for process in processes:
        process("repeat", count=setups[0]["count"])
    row = ratios.measure(new_row.name, *(process.us for process in processes), options.max_pairs)
    for process in processes:
        process.close()
    return row


def parse() -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(
        prog="python -m benches.against", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("commit", nargs="?", default="HEAD", help="what to compare with; HEAD where none is named")
    parser.add_argument(
        "--rows",
        type=lambda pattern: re.compile(pattern).search,
        default="",
        metavar="PATTERN",
        help="only the rows whose name this expression matches",
    )
    parser.add_argument("--max-pairs", type=int, default=301)
    parser.add_argument("--seconds", type=float, default=0.005, help="about how long one timing takes")
    parser.add_argument("--extra", action="store_true", help="rows that are in no table, and what their options cost")
    return parser.parse_args()


if __name__ == "__main__":
    main()
