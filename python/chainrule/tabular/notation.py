"""How the numbers of a column are written: "1,5", "1.234,50 €", "$1,200", "5%", "9 kg".

    prefix   digits with thousands and decimal marks   suffix        the same in every cell
      $                    1,200.50                      kg

A notation is found by trying: one that reads every cell is taken if no other gives other numbers. "1,200" alone may be
1.2 or 1200, which the caller has to decide.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from chainrule.names import DecimalMark, ThousandsMark

from .cells import number_in

if TYPE_CHECKING:
    from collections.abc import Iterable

DECIMAL = get_args(DecimalMark)
THOUSANDS = get_args(ThousandsMark)
MARKS = "".join(THOUSANDS)
CELL = re.compile(
    rf"(?P<sign>[+−-]?) *(?P<prefix>[^\W\d_]{{0,3}}[^\w\s.,'’+−-]? ?)(?P<inner>[+−-]?)"
    rf"(?P<digits>[.,]?[0-9](?:[0-9{MARKS}]*[0-9])?[.,]?(?:[eE][+-]?[0-9]+)?)(?P<suffix>\s*[^0-9]{{0,12}})"
)
CODES = frozenset(["USD", "EUR", "GBP", "CHF", "JPY", "CNY", "INR", "CAD", "AUD", "SEK", "NOK", "DKK", "PLN", "BRL"])


class AmbiguousError(ValueError):
    """A column may be read in two ways."""


@dataclass(frozen=True)
class Notation:
    """How the numbers of a column are written.

    Attributes
    ----------
    decimal, thousands : str
        The marks; `thousands` may be "".
    prefix, suffix : str
        What stands before and after each number, without blanks.

    Examples
    --------
    >>> Notation(",", ".", suffix="€").number("-1.234,50 €")
    -1234.5
    """

    decimal: str = "."
    thousands: str = ""
    prefix: str = ""
    suffix: str = ""

    def number(self, text: str) -> float | None:
        """Return the number in a text; None if the text is not one in this notation."""
        if self == PLAIN:
            return number_in(text)
        cell = CELL.fullmatch(text)
        if cell is None or (cell["prefix"].strip(), cell["suffix"].strip()) not in (
            (self.prefix, self.suffix),
            ("", ""),
        ):
            return None
        return self.digits(cell["sign"] or cell["inner"], cell["digits"])

    def digits(self, sign: str, digits: str) -> float | None:
        """Return the number of a sign and digits with marks."""
        whole, mark, rest = digits.partition(self.decimal)
        if self.thousands and self.thousands in whole:
            first, *groups = whole.split(self.thousands)
            if not 1 <= len(first) <= 3 or any(len(group) != 3 for group in groups):
                return None
            whole = first + "".join(groups)
        if "." in whole or "." in rest:
            return None
        return number_in(f"{sign.replace('−', '-')}{whole}{'.' if mark else ''}{rest}")

    def __str__(self) -> str:
        """Return the notation in words.

        >>> str(Notation(",", "", suffix="€")), str(PLAIN)
        ("with decimal ',' and '€'", '')
        """
        said = [f"decimal {self.decimal!r}"] if self.decimal != "." else []
        said += [f"thousands {self.thousands!r}"] if self.thousands else []
        said += [repr(affix) for affix in (self.prefix, self.suffix) if affix]
        return f"with {' and '.join(said)}" if said else ""


PLAIN = Notation()


def found(texts: Iterable[str], decimal: str | None = None, thousands: str | None = None) -> Notation | None:
    """Return the notation in which all texts are numbers, or None if there is none; the marks may be given.

    Raises
    ------
    AmbiguousError
        Two notations read the texts as different numbers.

    Examples
    --------
    >>> [str(found(texts)) for texts in (["$1,200.50", "$7"], ["1,5", "12,25"], ["a1", "a2"])]
    ["with thousands ',' and '$'", "with decimal ','", 'None']
    """
    cells = []
    affixes: set[tuple[str, str]] = set()
    for text in texts:
        cell = CELL.fullmatch(text)
        if cell is None:
            return None
        affixes.add((cell["prefix"].strip(), cell["suffix"].strip()))
        if len(affixes) > 1:
            return None
        cells.append(cell)
    ((prefix, suffix),) = affixes or {("", "")}
    if prefix and not is_currency(prefix):
        return None  # "id7" is no number
    readings: dict[tuple[float, ...], Notation] = {}
    seen = {"", "."}.union(*(cell["digits"] for cell in cells))
    decimals = seen.intersection(DECIMAL) if decimal is None else [decimal]
    groups = seen.intersection(THOUSANDS) if thousands is None else [thousands]
    for mark, group in itertools.product(sorted(decimals, reverse=True), sorted(groups)):
        if mark == group:
            continue
        notation = Notation(mark, group, prefix, suffix)
        numbers = []
        for cell in cells:
            number = notation.digits(cell["sign"] or cell["inner"], cell["digits"])
            if number is None:
                break
            numbers.append(number)
        else:
            readings.setdefault(tuple(numbers), notation)
    if len(readings) > 1:
        first, second = itertools.islice(readings, 2)
        odd = next(i for i, (a, b) in enumerate(zip(first, second, strict=True)) if a != b)
        comma = "," if "," in cells[odd].group() else "."
        raise AmbiguousError(
            f"{cells[odd].group()!r} may be {first[odd]:g} or {second[odd]:g}; --decimal {comma!r} or --thousands "
            f"{comma!r} (decimal= or thousands= in Python) decides"
        )
    return next(iter(readings.values()), None)


def is_currency(text: str) -> bool:
    """Tell whether a text is a currency, such as $, US$ or EUR."""
    letters, sign = text[:-1], text[-1:]
    return text.upper() in CODES or (bool(sign) and unicodedata.category(sign) == "Sc" and f"{letters}x".isalpha())


def is_like_number(text: str) -> bool:
    """Tell whether a text is a number in some notation, alone or with a currency or a percent sign.

    >>> [is_like_number(text) for text in ("1.5", "1,5", "$7", "5%", "3rd", "10-19", "1.2.3")]
    [True, True, True, True, False, False, False]
    """
    cell = CELL.fullmatch(text)
    if cell is None:
        return number_in(text) is not None
    prefix, suffix = cell["prefix"].strip(), cell["suffix"].strip()
    if (prefix and not is_currency(prefix)) or not (suffix in ("", "%") or is_currency(suffix)):
        return False
    try:
        return found([cell["digits"]]) is not None
    except AmbiguousError:
        return True


def check_marks(decimal: str | None = None, thousands: str | None = None) -> None:
    """Refuse marks that no number is written with."""
    if decimal is not None and decimal not in DECIMAL:
        raise ValueError(f"decimal must be '.' or ',', not {decimal!r}")
    if thousands is not None and thousands not in THOUSANDS:
        raise ValueError(f"thousands must be one of {', '.join(map(repr, THOUSANDS))}, not {thousands!r}")
    if thousands and thousands == decimal:
        raise ValueError(f"decimal and thousands must differ, not both be {thousands!r}")
