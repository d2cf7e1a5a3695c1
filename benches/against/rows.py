"""What is compared: the rows of the tables of steps and calls, the drop-in's fits, and steps with one option more."""

from __future__ import annotations

from typing import NamedTuple

from benches import dropin
from benches.peers.table import title
from benches.peers.workloads import CALLS, EXTRAS, WORKLOADS


class Timed(NamedTuple):
    """A row: its name, what `Worker.setup` prepares for it, and the threads of the process."""

    name: str
    kind: str
    key: str
    threads: int = 1


def table() -> list[Timed]:
    """Return the rows of the tables."""
    steps = [
        Timed(f"fit {title(key)}, {threads} thread{'s' * (threads > 1)}", "epochs", key, threads)
        for threads in (1, 2)
        for key in WORKLOADS
    ]
    return [
        *steps,
        *(Timed(key, "calls", key) for key in CALLS),
        *(Timed(f"drop-in {key}", "whole_fits", key) for key in dropin.fits(None)),
    ]


def extras() -> list[list[Timed]]:
    """Return rows that are in no table, in groups: a plain step, then steps with one option more each."""
    return [[Timed(f"fit {workload.name}", "epochs", workload.name) for workload in group] for group in EXTRAS]
