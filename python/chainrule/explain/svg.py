"""Elements of a drawing (SVG) as text, and their colors."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[Any]

Attributes: TypeAlias = dict[str, str | float]

NEGATIVE, POSITIVE = "#d55e00", "#0072b2"  # from the Okabe-Ito palette, distinct for every kind of color vision
INK = "currentColor"  # the color of the surrounding text


def element(name: str, attributes: Attributes, content: str = "") -> str:
    """Return one element; numbers are rounded to hundredths.

    >>> element("line", {"x1": 1 / 3, "stroke-width": 2, "stroke": "red"})
    '<line x1="0.33" stroke-width="2" stroke="red"/>'
    """
    given = "".join(f' {key}="{written(value)}"' for key, value in attributes.items())
    return f"<{name}{given}>{content}</{name}>" if content else f"<{name}{given}/>"


def written(value: str | float) -> str:
    """Return the value of an attribute."""
    return escape(value) if isinstance(value, str) else f"{round(value, 2):g}"


def text(x: float, y: float, content: str, kind: str = "value") -> str:
    """Return a text element; its class sets size and alignment."""
    return element("text", {"x": x, "y": y, "class": kind}, escape(content))


def title(content: str) -> str:
    """Return the tooltip of the enclosing element."""
    return element("title", {}, escape(content))


def color(value: float) -> str:
    """Return the color of the value's sign."""
    return NEGATIVE if value < 0 else POSITIVE


def greatest(array: Array) -> float:
    """Return the largest finite |value|, or 0 if there is none."""
    finite = np.abs(array[np.isfinite(array)])
    return float(finite.max(initial=0.0))


def fraction(value: float, largest: float) -> float:
    """Return |value| / largest in [0, 1]; a value that is not finite gives 1."""
    if not math.isfinite(value):
        return 1.0
    return min(abs(value) / largest, 1.0) if largest else 0.0
