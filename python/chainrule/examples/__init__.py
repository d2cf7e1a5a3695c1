"""Worked examples that others have published, number by number: what the page prints beside what chainrule computes.

    mazur      2-2-2, every number of one step; 10,000 steps
    brownlee   2-1-2, forward and deltas; 2-2-2, twenty epochs on ten rows

Each has a function that builds its network, for the tests too, and one that walks through it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import brownlee, mazur

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: The text of each example, by name: ``print(EXAMPLES["mazur"]())``.
EXAMPLES: Mapping[str, Callable[[], str]] = {
    "mazur": mazur.walk,
    "brownlee": brownlee.walk,
}
