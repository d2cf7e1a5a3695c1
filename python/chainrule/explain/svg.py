"""Elements of a drawing (SVG) as text."""

from __future__ import annotations

from html import escape
from typing import TypeAlias

Attributes: TypeAlias = dict[str, str | float]


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
    """Return a text; its class decides size and side."""
    return element("text", {"x": x, "y": y, "class": kind}, escape(content))


def title(content: str) -> str:
    """Return what is shown where the pointer rests on the element that holds it."""
    return element("title", {}, escape(content))
