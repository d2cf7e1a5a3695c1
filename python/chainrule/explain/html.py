"""An explanation as HTML: the drawing, then the sections of the text as collapsible tables.

It is one element without scripts or external resources. It inherits the page's colors and font, so it is readable on
light and dark backgrounds.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from chainrule.files import GENERATOR
from chainrule.reference import markup
from chainrule.reference.markup import paragraph

from .drawing import drawing
from .writing import Step, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .facts import Facts
    from .writing import Numbers, Part, Section

STYLE = """
& h3 { font-size: 17px; font-weight: 600; margin: 0 0 4px; }
& h4 { font-size: 13px; font-weight: 600; margin: 14px 0 4px; }
& summary { cursor: pointer; font-size: 15px; font-weight: 600; padding: 8px 0 4px; }
& details { border-top: 1px solid rgba(128, 128, 128, 0.35); padding-bottom: 10px; }
& .figure { overflow-x: auto; }
& svg { max-width: 100%; height: auto; margin: 8px 0; font: 12px system-ui, sans-serif; }
& svg text { fill: currentColor; text-anchor: middle; }
& svg .head { font-weight: 600; font-size: 13px; }
& svg .note { font-size: 11px; opacity: 0.75; }
& svg .name { font-size: 9px; opacity: 0.75; }
& svg .big { font-size: 22px; }
& svg .side { text-anchor: start; }
& svg .end { text-anchor: end; }
& .left { text-align: right; padding-right: 6px; }
& .begins th, & .begins td { padding-top: 5px; }
& .value { font-weight: 600; }
""".replace("&", markup.ROOT)


def page(title: str, body: str) -> str:
    """Return a complete page that follows the system's light or dark mode."""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"/>{GENERATOR}'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
        f'<meta name="color-scheme" content="light dark"/><title>{escape(title)}</title></head>'
        f'<body style="font-family: system-ui, sans-serif; margin: 24px">\n{body}\n</body></html>\n'
    )


def fragment(facts: Facts, number: Numbers, heading: tuple[str, Sequence[str]], sections: Sequence[Section]) -> str:
    """Return the explanation as one <div>."""
    title, (call, *notes) = heading
    return markup.shown_in(
        f"<h3>{escape(title)}</h3><p><code>{escape(call)}</code></p>",
        *map(paragraph, notes),
        f'<div class="figure">{drawing(facts, number)}</div>',
        *map(section, sections),
        style=STYLE,
    )


def section(of: Section) -> str:
    """Return a stage of the step as a collapsible element."""
    return "".join(
        [
            f'<details open="open"><summary>{escape(of.title)}</summary>',
            *map(paragraph, of.notes),
            *map(part, of.parts),
            "</details>",
        ]
    )


def part(of: Part) -> str:
    """Return the text and tables about one layer."""
    return "".join([f"<h4>{escape(of.title)}</h4>", *map(block, of.blocks)])


def block(of: list[Step] | Table) -> str:
    """Return numbers in columns, or calculations in lines."""
    if isinstance(of, Table):
        return markup.table(of.header, of.rows, right=range(1, len(of.header)))
    return steps(of)


def steps(block: Sequence[Step]) -> str:
    """Return calculations, one per row."""
    rows = []
    for step in block:
        begins = ' class="begins"' if step.label else ""
        equals = escape(step.working) + " = " * bool(step.working and step.value)
        rows.append(
            f'<tr{begins}><th>{escape(step.label)}</th><td class="left">{escape(step.left)}</td>'
            f'<td>{equals}<span class="value">{escape(step.value)}</span></td></tr>'
        )
    return f'<div class="scroll"><table>{"".join(rows)}</table></div>'
