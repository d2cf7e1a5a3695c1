"""What every optimizer has: a learning rate, names for what it remembers, and the rule of one update."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from ..options import Option, check_number, from_dict, option
from ..schedules import SCHEDULES, Schedule
from ..vectors import Row

if TYPE_CHECKING:
    from typing import Self

State: TypeAlias = dict[str, Row]


@option
class Optimizer(Option):
    """Base of the optimizers."""

    learning_rate: float | Schedule

    def __post_init__(self) -> None:
        """Check the fields."""
        if not isinstance(self.learning_rate, Schedule):
            check_number(self, "learning_rate", "(0, inf)")

    @property
    def state_names(self) -> tuple[str, ...]:
        """The names of the rows that are kept from step to step; all start at zero."""
        raise NotImplementedError

    def update(self, w: Row, g: Row, state: State, t: int) -> tuple[Row, State]:
        """Return the parameters after step t, and the memory after it."""
        raise NotImplementedError

    @classmethod
    def read(cls, field: str, entry: object) -> object:
        """Return the value of a field from the config; the learning rate may be the dict of a schedule."""
        scheduled = field == "learning_rate" and isinstance(entry, dict)
        return from_dict(field, entry, SCHEDULES) if scheduled else entry

    def rate(self, t: int) -> float:
        """Return the learning rate of update t, counted from 1."""
        rate = self.learning_rate
        return rate.at(t) if isinstance(rate, Schedule) else rate

    def with_learning_rate(self, learning_rate: float | Schedule) -> Self:
        """Return the same optimizer with another learning rate."""
        from dataclasses import replace

        return replace(self, learning_rate=learning_rate)


def running_mean(old: Row, new: Row, decay: float) -> Row:
    """Return decay · old + (1 − decay) · new.

    >>> running_mean([1.0], [3.0], decay=0.75)
    [1.5]
    """
    return [decay * o + (1.0 - decay) * n for o, n in zip(old, new, strict=True)]


def squared(g: Row) -> Row:
    """Return g² of each number.

    >>> squared([-3.0])
    [9.0]
    """
    return [g_i * g_i for g_i in g]
