"""An explanation as HTML: the drawing, then the sections of the text as collapsible tables.

It is one element without scripts or external resources. It inherits the page's colors and font, so it is readable on
light and dark backgrounds.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from .drawing import drawing
from .writing import Step, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .facts import Facts
    from .writing import Numbers, Part, Section

STYLE = """
.chainrule-step { color: inherit; font-size: 13px; line-height: 1.45; max-width: 1100px; }
.chainrule-step h3 { font-size: 17px; margin: 0 0 4px; }
.chainrule-step h4 { font-size: 13px; margin: 14px 0 4px; }
.chainrule-step p { margin: 2px 0; max-width: 85ch; opacity: 0.8; }
.chainrule-step code { font-size: 12px; background: none; color: inherit; padding: 0; }
.chainrule-step summary { cursor: pointer; font-size: 15px; font-weight: 600; padding: 8px 0 4px; }
.chainrule-step details { border-top: 1px solid rgba(128, 128, 128, 0.35); padding-bottom: 10px; }
.chainrule-step .figure, .chainrule-step .scroll { overflow-x: auto; }
.chainrule-step svg { max-width: 100%; height: auto; margin: 8px 0; font: 12px system-ui, sans-serif; }
.chainrule-step svg text { fill: currentColor; text-anchor: middle; }
.chainrule-step svg .head { font-weight: 600; font-size: 13px; }
.chainrule-step svg .note { font-size: 11px; opacity: 0.75; }
.chainrule-step svg .name { font-size: 9px; opacity: 0.75; }
.chainrule-step svg .big { font-size: 22px; }
.chainrule-step svg .side { text-anchor: start; }
.chainrule-step svg .end { text-anchor: end; }
.chainrule-step table { border-collapse: collapse; margin: 0; font: 12px ui-monospace, Menlo, Consolas, monospace; }
.chainrule-step tr, .chainrule-step th, .chainrule-step td { background: none; border: 0; color: inherit; }
.chainrule-step th, .chainrule-step td { padding: 1px 14px 1px 0; text-align: left; vertical-align: top;
  font-weight: normal; white-space: nowrap; }
.chainrule-step th { opacity: 0.75; }
.chainrule-step .numbers td, .chainrule-step .numbers thead th, .chainrule-step .left { text-align: right; }
.chainrule-step .left { padding-right: 6px; }
.chainrule-step .begins > * { padding-top: 5px; }
.chainrule-step .value { font-weight: 600; }
"""


def page(title: str, body: str) -> str:
    """Return a complete page that follows the system's light or dark mode."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"/>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
        f'<meta name="color-scheme" content="light dark"/><title>{escape(title)}</title></head>'
        f'<body style="font-family: system-ui, sans-serif; margin: 24px">\n{body}\n</body></html>\n'
    )


def fragment(facts: Facts, number: Numbers, heading: tuple[str, Sequence[str]], sections: Sequence[Section]) -> str:
    """Return the explanation as one <div>."""
    title, (call, *notes) = heading
    return "".join(
        [
            f'<div class="chainrule-step"><style>{escape(STYLE, quote=False)}</style><h3>{escape(title)}</h3>',
            f"<p><code>{escape(call)}</code></p>",
            *map(paragraph, notes),
            f'<div class="figure">{drawing(facts, number)}</div>',
            *map(section, sections),
            "</div>",
        ]
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
    blocks = [table(block) if isinstance(block, Table) else steps(block) for block in of.blocks]
    return "".join([f"<h4>{escape(of.title)}</h4>", *(f'<div class="scroll">{block}</div>' for block in blocks)])


def paragraph(note: str) -> str:
    """Return a sentence."""
    return f"<p>{escape(note)}</p>"


def table(block: Table) -> str:
    """Return numbers in columns."""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in block.header)
    rows = "".join(
        f"<tr><th>{escape(row[0])}</th>{''.join(f'<td>{escape(cell)}</td>' for cell in row[1:])}</tr>"
        for row in block.rows
    )
    return f'<table class="numbers"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def steps(block: Sequence[Step]) -> str:
    """Return calculations, one per row."""
    rows = []
    for step in block:
        begins = ' class="begins"' if step.label else ""
        equals = f"{escape(step.working)} = " if step.working else ""
        rows.append(
            f'<tr{begins}><th>{escape(step.label)}</th><td class="left">{escape(step.left)}</td>'
            f'<td>{equals}<span class="value">{escape(step.value)}</span></td></tr>'
        )
    return f"<table>{''.join(rows)}</table>"
