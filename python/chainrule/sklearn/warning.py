"""Warnings that come from where scikit-learn's come, so that its users' filters (``module="sklearn"``) match them."""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType


def warn(message: str | Warning, category: type[Warning] | None = None) -> None:
    """Warn from the nearest frame of scikit-learn on the stack, or from the caller if there is none."""
    level = 2
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - warnings has no other way to find a module's frame
    while frame is not None and not frame.f_globals.get("__name__", "").startswith("sklearn."):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=2 if frame is None else level)
