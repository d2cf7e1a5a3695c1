"""An explanation as text: sections and parts under headings, calculations in aligned lines."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

from chainrule.describe import aligned

from .writing import Step, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .writing import Section

WIDTH = 100  # longer calculations are wrapped


def render(title: str, notes: Sequence[str], sections: Sequence[Section]) -> str:
    """Return the explanation as text."""
    lines = [title, *paragraphs(notes)]
    for section in sections:
        lines += ["", section.title.upper(), *paragraphs(section.notes)]
        for part in section.parts:
            lines += ["", f"  {part.title}"]
            for block in part.blocks:
                lines += table(block) if isinstance(block, Table) else steps(block)
    return "\n".join(lines)


def paragraphs(notes: Sequence[str]) -> Iterator[str]:
    """Return the notes, wrapped."""
    for note in notes:
        yield from wrapped(note)


def table(block: Table) -> Iterator[str]:
    """Return a table as lines."""
    for line in aligned([block.header, *block.rows], right=range(1, len(block.header))):
        yield f"    {line}"


def steps(block: Sequence[Step]) -> Iterator[str]:
    """Return calculations as lines, the = signs of a block aligned."""
    label = max((len(step.label) for step in block), default=0)
    left = max((len(step.left) for step in block), default=0)
    for step in block:
        start = f"    {step.label:<{label}}  {step.left:>{left}} "
        calculation = " = ".join(filter(None, [step.working, step.value]))
        yield from wrapped(calculation, start, " " * len(start))


def wrapped(text: str, first: str = "", rest: str = "") -> list[str]:
    """Return a text wrapped between words; a minus sign is not a place to break."""
    return wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False, break_long_words=False
    )
