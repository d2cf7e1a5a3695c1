"""Schedules: a rate that changes from update to update.

base      what every schedule has
cosine    along half a cosine: Cosine
"""

from .base import Schedule as Schedule
from .cosine import Cosine

# The kinds, in the order of the core, where a constant rate is one too; here it is a plain number.
__all__ = ("Cosine",)
SCHEDULES: dict[str, type[Schedule]] = {kind.name: kind for kind in map(globals().__getitem__, __all__)}
