"""Schedules: rates that change from update to update, such as `Adam(schedules.Cosine(1e-3, steps=1000))`."""

# ruff: noqa: F403 - the package lists its names in `__all__`

from .reference.schedules import *
from .reference.schedules import __all__  # noqa: F401 - the same names
