"""What every rule for initial weights has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..options import Option

if TYPE_CHECKING:
    from ..rng import Stream
    from ..vectors import Matrix


class Init(Option):
    """Base of the rules for initial weights; a rule that draws each weight by itself defines only `draw`."""

    def draw(self, stream: Stream, n_in: int, n_out: int) -> float:
        """Return the next weight."""
        raise NotImplementedError

    def weights(self, stream: Stream, n_in: int, n_out: int) -> Matrix:
        """Return w of shape (n_in, n_out), drawn row by row."""
        return [[self.draw(stream, n_in, n_out) for _ in range(n_out)] for _ in range(n_in)]
