"""A published example: the number on the page, the number chainrule computes, and whether they agree."""

from __future__ import annotations

from decimal import Decimal
from html import escape
from textwrap import wrap
from typing import TYPE_CHECKING, NamedTuple

from chainrule import files
from chainrule.describe import aligned
from chainrule.reference import markup

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from chainrule.explain import Explanation

WIDTH = 100
HEADER = ("", "page", "chainrule", "")
# Pages round some numbers, truncate others and compute on with both, so one unit of the last printed digit is allowed.
# If a page prints all digits of a double, the last ones depend on the order of summation.
ROUNDING = Decimal("1e-12")


class Line(NamedTuple):
    """One number."""

    quantity: str
    printed: str  # the number on the page; "" if it has none
    computed: float

    @property
    def cells(self) -> tuple[str, ...]:
        """The row of the table, with at least as many digits as the page prints."""
        if not self.printed:
            return self.quantity, "", f"{self.computed:.12g}", ""
        digits = max(12, len(Decimal(self.printed).as_tuple().digits))
        verdict = "same" if same(self.printed, self.computed) else "differs"
        return self.quantity, self.printed, f"{self.computed:.{digits}g}", verdict


def same(printed: str, computed: float) -> bool:
    """Tell whether a number equals the printed one, within one unit of its last digit or the rounding of a double.

    >>> same("0.138498562", 0.13849856162855695), same("0.291027924", 0.29102777369359933)
    (True, False)
    """
    number = Decimal(printed)
    unit = Decimal(1).scaleb(int(number.as_tuple().exponent))
    return abs(Decimal(computed) - number) <= max(unit, ROUNDING * abs(number))


class Example:
    """A published example: texts and tables in order, and its step in full.

    It prints as text. A notebook shows it as HTML, with the step and a drawing; `save` writes that as a page.
    """

    def __init__(self, title: str, source: str, *parts: str | Sequence[Line], again: str, step: Explanation) -> None:
        self.title, self.source, self.parts = title, source, parts
        self.again, self.step = again, step  # the code that shows the step, and what it shows

    def __str__(self) -> str:
        """Return the text; no blank line separates a table from the text before. Code shows the step in full."""
        lines = [self.title, self.source]
        for part in (*self.parts, f"A step in full: {self.again}"):
            if isinstance(part, str):
                lines += ["", *wrap(part, WIDTH)]
            else:
                lines += [f"  {line}" for line in aligned([HEADER, *(line.cells for line in part)])]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """Return the same as HTML, with the step in full and a drawing."""
        parts = [
            markup.paragraph(part) if isinstance(part, str) else markup.table(HEADER, [line.cells for line in part])
            for part in (self.source, *self.parts)
        ]
        heading = f"<h3>{escape(self.title)}</h3>"
        compared = markup.shown_in(heading, *parts, style=f"{markup.ROOT} p {{ margin: 10px 0 4px; }}")
        return f"<div>{compared}<hr/>{self.step._repr_html_()}</div>"

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the notebook's view as a self-contained HTML page; an existing file is replaced."""
        from chainrule.explain.html import page

        files.write(path, page(self.title, self._repr_html_()))
