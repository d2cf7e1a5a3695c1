"""How many times as long the new build takes: ratios of pairs of timings, and the interval of their median.

The two timings of a pair follow each other at once, so that a slow moment of the machine falls on both. Their ratio has
no known distribution. The interval of its median needs none: of n ratios in order r_1 ≤ … ≤ r_n,

    P(r_k ≤ median ≤ r_{n+1−k}) ≥ 1 − 2 P(B < k),    B binomial of n and ½,

for each ratio is below the median with probability ½ at most. The largest k that leaves CONFIDENCE is taken.
"""

from __future__ import annotations

from math import comb, inf
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CONFIDENCE = 0.95
WIDTH = 0.02  # of an interval that is narrow enough
SLOWER = 1.02  # a row fails where the whole interval lies above
FEWEST = 20  # pairs, for few ratios can lie close to each other by chance


class Pair(NamedTuple):
    """Microseconds of both builds, one right after the other."""

    old: float
    new: float


class Row(NamedTuple):
    """A row of the table with all of its timings."""

    name: str
    pairs: list[Pair]

    @property
    def ratios(self) -> list[float]:
        """New over old, pair by pair."""
        return [pair.new / pair.old for pair in self.pairs]

    @property
    def verdict(self) -> str:
        """Tell what the interval says."""
        low, high = interval(self.ratios)
        if low > SLOWER:
            return "FAIL"
        if not is_narrow(low, high):
            return "unresolved"
        return "slower" if low > 1 else "faster" if high < 1 else "same"


def interval(values: Sequence[float], confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return two of the values, between which their median lies; without bounds where they are too few to tell."""
    n, k, tail = len(values), 0, 0.0
    while k < n and 2 * (tail := tail + comb(n, k) / 2**n) <= 1 - confidence:
        k += 1
    ordered = sorted(values)
    return (ordered[k - 1], ordered[n - k]) if k else (-inf, inf)


def is_narrow(low: float, high: float) -> bool:
    """Tell whether an interval is narrow enough, for ratios far above 1 as a part of them."""
    return high - low <= WIDTH * max(1, low)


def measure(name: str, old: Callable[[], float], new: Callable[[], float], most: int) -> Row:
    """Time pairs until the interval is narrow or there are `most`; in the middle two of four the new build is first."""
    row = Row(name, [])
    while len(row.pairs) < most:
        if len(row.pairs) % 4 in {1, 2}:
            after = new()
            row.pairs.append(Pair(old(), after))
        else:
            row.pairs.append(Pair(old(), new()))
        low, high = interval(row.ratios)
        if len(row.pairs) >= FEWEST and is_narrow(low, high):
            break
    return row


def cells(row: Row) -> list[str]:
    """Return the medians of times and ratios, the interval and the number of pairs as text."""
    low, high = interval(row.ratios)
    old, new = median(pair.old for pair in row.pairs), median(pair.new for pair in row.pairs)
    times = [f"{time:,.0f}" if time >= 1000 else f"{time:.3g}" for time in (old, new)]
    return [row.name, *times, f"{median(row.ratios):.3f}", f"{low:.3f} … {high:.3f}", str(len(row.pairs))]
