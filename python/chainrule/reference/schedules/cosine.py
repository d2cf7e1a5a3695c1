"""A rate that falls along half a cosine."""

from __future__ import annotations

import math
from typing import ClassVar

from ..options import LARGEST, check_count, check_number, integer, option
from .base import Schedule


@option
class Cosine(Schedule):
    """A linear rise of the rate over `warmup` updates, then a fall along half a cosine until update `steps`.

    rate · (t / warmup) for t <= warmup, then with k = t − 1 − warmup
    end + (rate − end) · (1 + cos(pi · k / (steps − warmup))) / 2, and end for t > steps.
    Without warmup this is torch's CosineAnnealingLR with T_max=steps, up to its end.

    Parameters
    ----------
    rate : float
        The highest rate, > 0.
    steps : int
        The horizon: updates of the rise and the fall together.
    warmup : int, default 0
        Updates of the rise, less than steps.
    end : float, default 0.0
        The rate after `steps` updates, in [0, rate].

    Examples
    --------
    >>> schedule = Cosine(0.5, steps=6, warmup=2)
    >>> [round(schedule.at(t), 3) for t in range(1, 9)]
    [0.25, 0.5, 0.5, 0.427, 0.25, 0.073, 0.0, 0.0]
    """

    rate: float
    steps: int
    warmup: int = 0
    end: float = 0.0

    name: ClassVar[str] = "cosine"

    def __post_init__(self) -> None:
        """Check the fields."""
        check_number(self, "rate", "(0, inf)")
        check_count(self, "steps")
        object.__setattr__(self, "warmup", integer("warmup", self.warmup, 0, LARGEST))
        if self.warmup >= self.steps:
            raise ValueError(f"warmup must be less than steps, not {self.warmup} of {self.steps}")
        check_number(self, "end", f"[0, {self.rate!r}]")

    def at(self, t: int) -> float:
        """Return the rate of update t, counted from 1."""
        if t <= self.warmup:
            return self.rate * (t / self.warmup)
        if t > self.steps:
            return self.end
        done = (t - 1 - self.warmup) / (self.steps - self.warmup)
        return self.end + (self.rate - self.end) * (1.0 + math.cos(math.pi * done)) / 2.0
