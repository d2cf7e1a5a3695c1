"""The progress bar of `fit`: tqdm's if it is installed, else one line that is overwritten."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

SECONDS_BETWEEN_LINES = 0.1


class Bar(Protocol):
    """A progress bar, updated after each epoch and closed at the end."""

    def update(self, _: int, logs: Mapping[str, float]) -> None:
        """One more epoch, with its numbers."""

    def close(self) -> None:
        """No more epochs."""


def bar(progress: bool | None, epochs: int) -> Bar | None:
    """Return a bar, or None for no bar. If `progress` is None, a terminal on standard error decides."""
    if progress is None:
        progress = sys.stderr is not None and sys.stderr.isatty()
    if not progress:
        return None
    try:
        from tqdm import tqdm
    except ImportError:
        return Line(epochs)
    return Tqdm(tqdm(total=epochs, unit="epoch", dynamic_ncols=True))


class Tqdm:
    """tqdm's bar, followed by the numbers of the last epoch."""

    def __init__(self, inner: object) -> None:
        self.inner: object = inner

    def update(self, _: int, logs: Mapping[str, float]) -> None:
        """One more epoch, with its numbers."""
        inner = self.inner
        inner.set_postfix_str(text(logs), refresh=False)  # type: ignore[attr-defined] # a tqdm, kept as object
        inner.update()  # type: ignore[attr-defined] # likewise

    def close(self) -> None:
        """No more epochs."""
        self.inner.close()  # type: ignore[attr-defined] # likewise


class Line:
    """One line on standard error, overwritten at most ten times a second."""

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs
        self.done = 0
        self.next_time = 0.0
        self.width = 0

    def update(self, _: int, logs: Mapping[str, float]) -> None:
        """One more epoch, with its numbers."""
        self.done += 1
        now = time.monotonic()
        if now < self.next_time and self.done < self.epochs:
            return
        self.next_time = now + SECONDS_BETWEEN_LINES
        line = f"epoch {self.done}/{self.epochs}  {text(logs)}"
        sys.stderr.write("\r" + line.ljust(self.width))
        sys.stderr.flush()
        self.width = len(line)

    def close(self) -> None:
        """No more epochs."""
        if self.width:
            sys.stderr.write("\n")
            sys.stderr.flush()


def text(logs: Mapping[str, float]) -> str:
    """Return the numbers of an epoch as one line.

    >>> text({"loss": 0.25, "val_loss": 0.5})
    'loss 0.25, val_loss 0.5'
    """
    return ", ".join(f"{name} {value:.4g}" for name, value in logs.items())
