"""A network in words: table and plan of `summary`, and the names of layers in messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .reference.config import activation_of
from .reference.describe import layer_rows
from .reference.options import required_fields

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from . import _native
    from .reference.config import Spec
    from .reference.layers import Layer

BATCHES = (1, 32, 256, 1024)  # rows of the steps that `plan` tells of


def layer_name(layer: Layer) -> str:
    """Return a layer in a few words.

    >>> from chainrule import Dense, Dropout
    >>> layer_name(Dense(100, "relu")), layer_name(Dropout(0.5))
    ('Dense 100 relu', 'Dropout 0.5')
    """
    words = [type(layer).__name__, *(f"{getattr(layer, field):g}" for field in required_fields(layer))]
    activation = activation_of(layer)
    return " ".join([*words, activation.name] if activation else words)


def summary(spec: Spec) -> str:
    """Return a table of the layers with their output shapes and parameter counts."""
    told = f"loss {spec.loss.name}, optimizer {spec.optimizer.name}, {spec.dtype}, seed {spec.seed}"
    return "\n".join([*aligned(layer_rows(spec), right={4}), told])


def plan(native: _native.Network, spec: Spec, batches: Sequence[int] = BATCHES) -> str:
    """Return the way that training steps take, for batches of some sizes; equal ways share a line."""
    ways: dict[str, list[str]] = {}
    for n in batches:
        ways.setdefault(native.route(n, spec.loss.takes_labels), []).append(f"{n:,}")
    rows = [(f"  {', '.join(n)} {'row' if n == ['1'] else 'rows'}", way) for way, n in ways.items()]
    return "\n".join(["steps", *aligned(rows)])


def aligned(rows: Sequence[Sequence[str]], right: Container[int] = ()) -> list[str]:
    """Return the rows as lines with aligned columns; the columns in `right` are aligned to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if j in right else cell.ljust(width)
            for j, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
