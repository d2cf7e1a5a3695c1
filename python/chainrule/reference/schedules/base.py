"""What every schedule has: the rate of each update."""

from __future__ import annotations

from ..options import Option


class Schedule(Option):
    """Base of the schedules: a rate as a pure function of the update, without a state of its own."""

    def at(self, t: int) -> float:
        """Return the rate of update t, counted from 1."""
        raise NotImplementedError  # each schedule has a formula of its own
