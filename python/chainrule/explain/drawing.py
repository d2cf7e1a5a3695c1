"""A network as a drawing (SVG): layers from left to right, one row's numbers in and beside the units.

    unit     a circle around its a. The fill shows delta: orange if negative, blue if positive; inputs have none
    weight   a line whose width shows |w| within its layer; orange if negative, blue if positive; dashed if untrained

A wide layer shows its first and last units, a deep network its first and last layers. Fills are translucent, and text
and outlines take the color of the surrounding text, so the drawing is readable on light and dark backgrounds. A <title>
is shown when the pointer rests on its element.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from .rules import rule_of
from .svg import INK, NEGATIVE, POSITIVE, Attributes, color, element, fraction, greatest, text, title
from .writing import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from .facts import Facts, LayerFacts
    from .writing import Numbers

    Array: TypeAlias = NDArray[Any]

UNITS, OUTPUTS, LAYERS = 7, 10, 8  # the most that are drawn; a gap counts as one
RADIUS, DOWN, ACROSS = 26, 64, 190  # radius of a circle, vertical and horizontal distance between circles
TOP, BOTTOM = 64, 64  # margins, with room for headings and the legend
LEFT, RIGHT = 80, 130  # and for names, predictions and targets
NAME, LETTER = 24, 6.5  # letters of a name that are shown, and room for each
LEGEND = 490  # width of the legend
STRONGEST = 0.7  # opacity of the largest delta, low enough to read the number in the circle


class Column(NamedTuple):
    """One layer of the drawing."""

    layer: LayerFacts | None  # None: the inputs
    values: Array  # the numbers in the circles
    units: list[int | None]  # None: a gap
    x: float


def drawing(facts: Facts, number: Numbers) -> str:
    """Return the network as one <svg> element."""
    left = max(LEFT, RADIUS + 20 + room(facts.names.inputs))
    columns = placed(facts, left)
    deepest = max(len(column.units) for column in columns if column)
    right = max(RIGHT, RADIUS + 20 + room(facts.names.outputs))
    width = max(left + ACROSS * (len(columns) - 1) + right, LEGEND)
    height = TOP + DOWN * deepest + BOTTOM
    middle = TOP + DOWN * deepest / 2
    strongest = max(greatest(layer.trace.delta[facts.row]) for layer in facts.layers)
    parts: list[str] = []
    for before, column in pairwise(columns):
        if before and column:
            parts += lines(before, column, middle, number)
    for at, column in enumerate(columns):
        if column:
            parts += circles(facts, column, middle, strongest, number)
        else:
            x, hidden = left + ACROSS * at, len(facts.layers) + 1 - (LAYERS - 1)
            parts += [text(x, middle, "⋯", "big"), text(x, middle + 22, f"{hidden:,} more layers", "note")]
    parts += legend(strongest, height - BOTTOM + 24)
    size: Attributes = {"viewBox": f"0 0 {width} {height}", "width": width}
    named: Attributes = {"xmlns": "http://www.w3.org/2000/svg", "role": "img", "aria-label": facts.call}
    return element("svg", named | size, "".join(parts))


def room(names: Sequence[str]) -> float:
    """Return the room that the longest name takes."""
    return LETTER * max((len(shortened(name)) for name in names), default=0)


def shortened(name: str) -> str:
    """Return a name that is not too long.

    >>> shortened("age"), shortened("a column with a name that is far too long")
    ('age', 'a column with a name th…')
    """
    return name if len(name) <= NAME else f"{name[: NAME - 1]}…"


def placed(facts: Facts, left: float) -> list[Column | None]:
    """Return the columns from left to right, None for a gap."""
    row = facts.row
    every: list[tuple[LayerFacts | None, Array]] = [(None, facts.layers[0].x[row])]
    every += [(layer, layer.trace.a[row]) for layer in facts.layers]
    columns: list[Column | None] = []
    for at, index in enumerate(ends(len(every), LAYERS)):
        if index is None:
            columns.append(None)
        else:
            layer, values = every[index]
            most = OUTPUTS if index == len(every) - 1 else UNITS
            columns.append(Column(layer, values, ends(len(values), most), left + ACROSS * at))
    return columns


def ends(n: int, most: int) -> list[int | None]:
    """Return the indices 0 … n − 1; of more than `most`, the first and last ones with a gap (None) between.

    >>> ends(3, 5), ends(100, 5)
    ([0, 1, 2], [0, 1, None, 98, 99])
    """
    if n <= most:
        return list(range(n))
    first, last = most // 2, (most - 1) // 2
    return [*range(first), None, *range(n - last, n)]


def height_of(column: Column, slot: int, middle: float) -> float:
    """Return the y coordinate of a slot in a vertically centered column."""
    return middle + DOWN * (slot - (len(column.units) - 1) / 2)


def lines(before: Column, column: Column, middle: float, number: Numbers) -> Iterator[str]:
    """Return the lines between two columns."""
    layer = column.layer
    if layer is None:
        return
    rule = rule_of(layer)
    for to, j in enumerate(column.units):
        for start, i in enumerate(before.units):
            found = rule.line(i, j, number) if i is not None and j is not None else None
            if found is not None:
                rims = (before.x, height_of(before, start, middle)), (column.x, height_of(column, to, middle))
                yield line(rims, *found)


def line(between: tuple[tuple[float, float], tuple[float, float]], shown: Attributes, told: str) -> str:
    """Return a line between the rims of two circles."""
    (x1, y1), (x2, y2) = between
    length = math.hypot(x2 - x1, y2 - y1)
    dx, dy = RADIUS * (x2 - x1) / length, RADIUS * (y2 - y1) / length
    ends: Attributes = {"x1": x1 + dx, "y1": y1 + dy, "x2": x2 - dx, "y2": y2 - dy}
    return element("line", ends | shown, title(told))


def circles(facts: Facts, column: Column, middle: float, strongest: float, number: Numbers) -> Iterator[str]:
    """Return the heading and the units of a column."""
    layer, n = column.layer, len(column.values)
    yield text(column.x, 24, "input" if layer is None else f"layer {layer.trace.index}", "head")
    yield text(column.x, 42, count(n, "feature") if layer is None else layer.trace.name, "note")
    for slot, j in enumerate(column.units):
        y = height_of(column, slot, middle)
        if j is None:
            hidden = n - (len(column.units) - 1)
            yield text(column.x, y - 4, "⋮", "big") + text(column.x, y + 18, f"{hidden:,} more", "note")
            continue
        filled: Attributes = {"fill": "none"}
        if layer is None:
            told = f"{facts.names.of_input(j)}: x[{j}] = {number(column.values[j])}"
        else:
            trace, slope = layer.trace, rule_of(layer).slope
            z, factor, delta = (float(array[facts.row, j]) for array in (trace.z, trace.slope, trace.delta))
            told = (
                f"layer {trace.index}, unit {j}: z = {number(z)}, a = {number(column.values[j])}, "
                f"{slope} = {number(factor)}, delta = {number(delta)}"
            )
            filled = fill(delta, strongest)
        circle: Attributes = {"cx": column.x, "cy": y, "r": RADIUS}
        rim: Attributes = {"stroke": INK, "stroke-opacity": 0.55, "pointer-events": "all"}
        name = f"x[{j}]" if layer is None else f"unit {j}"
        inside = text(column.x, y + 3, brief(float(column.values[j]))) + text(column.x, y + 15, name, "name")
        yield element("g", {}, title(told) + element("circle", circle | filled | rim) + inside)
        if layer is None:
            yield from (
                text(column.x - RADIUS - 10, y + 4, shortened(name), "end") for name in facts.names.inputs[j : j + 1]
            )
        if layer is facts.layers[-1]:
            yield from beside(facts, j, column.x + RADIUS + 10, y)


def beside(facts: Facts, j: int, x: float, y: float) -> Iterator[str]:
    """Return the texts beside output j: its name, its prediction, if that differs from a, and its target."""
    row = facts.rows[facts.row]
    told = [shortened(name) for name in facts.names.outputs[j : j + 1]]
    told += [] if facts.option.link.name == "identity" else [f"p = {brief(row.p[j])}"]
    told += [f"y = {brief(row.y[j])}"] if j < len(row.y) else []
    for at, content in enumerate(told):
        yield text(x, y + 4 + 16 * (at - (len(told) - 1) / 2), content, "side")


def legend(strongest: float, y: float) -> Iterator[str]:
    """Return the legend of the colors."""
    steps, width, left = 16, 16, 96
    yield text(left - 12, y + 11, "delta", "end")
    for k in range(steps + 1):
        share = 2 * k / steps - 1
        shown = fill(math.copysign(share * share, share), 1.0)
        box: Attributes = {"x": left + width * k, "y": y, "width": width, "height": 14}
        yield element("rect", box | shown)
    whole = width * (steps + 1)
    frame: Attributes = {"x": left, "y": y, "width": whole, "height": 14}
    yield element("rect", frame | {"fill": "none", "stroke": INK, "stroke-opacity": 0.3})
    for share in (-1.0, -0.25, 0.0, 0.25, 1.0) if strongest else (0.0,):
        x = left + whole / 2 + math.copysign(math.sqrt(abs(share)), share) * width * steps / 2
        yield text(x, y + 28, f"{share * strongest:.2g}", "note")
    x = left + whole + 36.0
    for at, (stroke, told) in enumerate(((POSITIVE, "w > 0"), (NEGATIVE, "w < 0"))):
        middle = y + 2 + 18 * at
        yield element("line", {"x1": x, "y1": middle, "x2": x + 28, "y2": middle, "stroke": stroke, "stroke-width": 3})
        yield text(x + 36, middle + 4, told, "side")


def fill(delta: float, strongest: float) -> Attributes:
    """Return a unit's fill: the color shows delta's sign, the opacity its size.

    The opacity grows with √|delta|. Deltas of early layers are often much smaller, and would be invisible otherwise.
    """
    return {"fill": color(delta), "fill-opacity": STRONGEST * math.sqrt(fraction(delta, strongest))}


def brief(value: float) -> str:
    """Return a number short enough for a circle.

    >>> [brief(x) for x in (0.59327, -0.0001234, 12345.6, -0.5)]
    ['0.593', '-1e-04', '1e+04', '-0.5']
    """
    for written in (f"{value + 0.0:.3g}", f"{value:.2g}", f"{value:.0e}"):
        if len(written) <= 6 or written.startswith(("inf", "nan")):
            return written
    return written
