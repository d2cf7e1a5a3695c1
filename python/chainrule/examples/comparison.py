"""A published example as text: the number on the page, the number chainrule computes, and whether they agree."""

from __future__ import annotations

from decimal import Decimal
from textwrap import wrap
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from chainrule.describe import aligned

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH = 100
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


Part: TypeAlias = "str | Sequence[Line]"


def same(printed: str, computed: float) -> bool:
    """Tell whether a number equals the printed one, within one unit of its last digit or the rounding of a double.

    >>> same("0.138498562", 0.13849856162855695), same("0.291027924", 0.29102777369359933)
    (True, False)
    """
    number = Decimal(printed)
    unit = Decimal(1).scaleb(int(number.as_tuple().exponent))
    return abs(Decimal(computed) - number) <= max(unit, ROUNDING * abs(number))


def document(title: str, source: str, *parts: Part) -> str:
    """Return the heading, then the texts and tables in order; no blank line separates a table from the text before."""
    lines = [title, source]
    for part in parts:
        if isinstance(part, str):
            lines += ["", *wrap(part, WIDTH)]
        else:
            rows = [("", "page", "chainrule", ""), *(line.cells for line in part)]
            lines += [f"  {line}" for line in aligned(rows)]
    return "\n".join(lines)
