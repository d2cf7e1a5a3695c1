"""Published worked examples: each number that the page prints, beside the number that chainrule computes.

    mazur      2-2-2, every number of one step; 10,000 steps
    brownlee   2-1-2, forward and deltas; 2-2-2, twenty epochs on ten rows

Each module has a function that builds its network, which the tests use too, one that returns the comparison, and
`step_in_full`, which explains a step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import brownlee, mazur

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .comparison import Example

#: Each example by name: ``print(EXAMPLES["mazur"]())``.
EXAMPLES: Mapping[str, Callable[[], Example]] = {
    "mazur": mazur.walk,
    "brownlee": brownlee.walk,
}
