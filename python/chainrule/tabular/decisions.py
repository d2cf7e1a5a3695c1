"""What each column of the training data is, decided here and nowhere else, and told in a table.

empty, row numbers, constant ─▶ left out        dates ─▶ their parts
numbers, however written     ─▶ one input       words ─▶ one input for each
anything else                ─▶ refused, with the option that decides
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from . import dates, notation
from .cells import column_name, listed, number_in
from .columns import MOST_CATEGORIES, Categorical, Numeric, numbers, ordered, refuse_gaps
from .dates import Dates
from .notation import PLAIN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .cells import Cells
    from .notation import Notation

Column = Numeric | Categorical | Dates

CONSTANT, EMPTY, INDEX, DROPPED = "never changes", "is empty", "numbers the rows", "as asked"
LEFT_OUT = (CONSTANT, EMPTY, INDEX)
FEWEST_COUNTED = 20  # rows: of fewer, numbers that count up may be chance
ID_NAMES = frozenset(["id", "index", "row", "rowid", "uuid", "guid", "key", "no", "nr"])


@dataclass(frozen=True)
class Decision:
    """What became of a column.

    Attributes
    ----------
    name : str or int
        The column.
    kind : str
        "numbers", "categories", "dates", "left out" or "target".
    what : str
        Its range, categories or parts, or the reason.
    inputs : int
        The number of inputs of the network that it gives.
    warning : str
        What is doubtful about it, or "".
    """

    name: str | int
    kind: str
    what: str
    inputs: int = 0
    warning: str = ""


@dataclass(frozen=True)
class Reading:
    """How columns are to be read, where the caller says so; None leaves it to the cells."""

    impute: bool = False
    decimal: str | None = None
    thousands: str | None = None
    date_format: str | None = None

    def notation_of(self, cells: Cells) -> Notation | None:
        """Return how the numbers of a column are written; None if it does not hold numbers."""
        if cells.declared:
            return PLAIN if cells.declared == "number" else None
        if cells.plain is not None and self.decimal is None and self.thousands is None:
            return PLAIN
        style = notation.found(cells.texts, self.decimal, self.thousands)
        if cells.plain is None:
            return style
        same = style is None or all(style.number(text) == number_in(text) for text in cells.texts)
        return PLAIN if same else style

    def form_of(self, cells: Cells) -> str | None:
        """Return how the dates of a column are written; None if it does not hold dates."""
        if cells.declared:
            return dates.TYPED if cells.declared == "date" else None
        return dates.form_of(cells.texts, self.date_format)


def decide(cells: Cells, place: int, reading: Reading, *, categorical: bool) -> tuple[Column | None, Decision]:
    """Return a column of the training data before its moments are learned, None if it is left out, and why.

    Raises
    ------
    AmbiguousError
        Its numbers or dates may be read in two ways.
    ValueError
        A cell is missing and gaps are refused; some cells are numbers and others are not; a number is not finite; a
        text column has too many categories.
    """
    name = cells.name
    gaps = int(cells.missing.sum())
    if gaps == len(cells):
        return None, Decision(name, "left out", EMPTY)
    if place == 0 and is_nameless(name) and are_row_numbers(cells):
        return None, Decision(name, "left out", INDEX)
    if gaps and not reading.impute:
        refuse_gaps(cells)
    filled = f", {gaps:,} gap{'s' * (gaps > 1)}" if gaps else ""
    if not categorical:
        style = reading.notation_of(cells)
        if style is not None:
            values = numbers(cells, style)
            least, most = float(np.nanmin(values)) + 0.0, float(np.nanmax(values)) + 0.0  # −0 is shown as 0
            if least == most and not gaps:
                return None, Decision(name, "left out", CONSTANT)
            what = f"{least:g} to {most:g}{f', {style}' if style != PLAIN else ''}{filled}"
            column = Numeric(name, 0.0, 1.0, 0.0 if reading.impute else None, style)
            return column, Decision(name, "numbers", what, 1, row_numbers(name, values))
    if cells.declared != "date" and len(cells.texts) + bool(gaps) < 2:
        return None, Decision(name, "left out", CONSTANT)
    form = None if categorical else reading.form_of(cells)
    if form is not None:
        values = dates.seconds(cells, form)
        if np.nanmin(values) == np.nanmax(values) and not gaps:
            return None, Decision(name, "left out", CONSTANT)
        of = dates.planned(cells, form, impute=reading.impute)
        first, last = (dates.shown(end, of.parts) for end in (np.nanmin(values), np.nanmax(values)))
        return of, Decision(name, "dates", f"{first} to {last}: {', '.join(of.parts)}{filled}", of.width)
    if not categorical and cells.declared != "category":
        refuse_mixed(cells)
        refuse_names(
            cells, f"--drop {quoted(name)} leaves it out, --categorical {quoted(name)} takes each as a category"
        )
    words = Categorical(name, ordered(cells.texts), bool(gaps), 0 if reading.impute and not gaps else None)
    return words, Decision(name, "categories", listed(words.categories, 4) + filled, words.width)


def together(problems: Sequence[str]) -> ValueError:
    """Return one error for all problems of a table."""
    if len(problems) == 1:
        return ValueError(problems[0])
    told = "; ".join(f"({i}) {problem}" for i, problem in enumerate(problems[:20], start=1))
    return ValueError(f"{len(problems)} problems: {told}{'; …' if len(problems) > 20 else ''}")


# ── Row numbers ──────────────────────────────────────────────────────────────────────────────────────────────────────


def is_nameless(name: str | int) -> bool:
    """Tell whether the first column of a table with a header has no name: `to_csv` writes an index so."""
    return name in ("", "column 1", "Unnamed: 0")


def are_row_numbers(cells: Cells) -> bool:
    """Tell whether a column holds whole numbers from 0 on, each different."""
    values = cells.plain
    if values is None or np.isnan(values).any() or values.min() < 0 or (values % 1).any():
        return False
    return len(np.unique(values)) == len(values)


def row_numbers(name: str | int, values: np.ndarray) -> str:
    """Return a warning if a column of numbers seems to identify rows, or ""."""
    n = len(values)
    words = str(name).casefold().replace("_", " ").replace("-", " ").split()
    named = isinstance(name, int) or bool(words and {words[0], words[-1]} & ID_NAMES)
    if not named or n < FEWEST_COUNTED or np.isnan(values).any() or (values % 1).any():
        return ""
    if (np.diff(values) == 1).all() or (isinstance(name, str) and len(np.unique(values)) == n):
        return f"{column_name(name)} seems to number the rows; --drop {quoted(name)} leaves it out"
    return ""


# ── Refusals ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def quoted(name: str | int) -> str:
    """Return a column's name as an argument of a shell."""
    return shlex.quote(str(name))


def refuse_mixed(cells: Cells) -> None:
    """Refuse a column of numbers and text: cells of the rarer kind may be mistakes, or stand for gaps."""
    is_text = np.array([not notation.is_like_number(text) for text in cells.texts])
    count = np.bincount(cells.codes[~cells.missing], minlength=len(is_text))
    n_text, n_numbers = int(count[is_text].sum()), int(count[~is_text].sum())
    if not n_numbers:
        return
    name = quoted(cells.name)
    keep = f"--categorical {name} takes all of them as categories, --drop {name} leaves the column out"
    if not n_text:
        two = listed(cells.texts, 3)
        raise ValueError(
            f"{column_name(cells.name)} holds numbers that are not all written alike, such as {two}; {keep}"
        )
    odd = int(np.argmax(is_text if n_text <= n_numbers else ~is_text))
    text = cells.texts[odd]
    usual, what = ("numbers", "not a number") if n_text <= n_numbers else ("no numbers", "a number")
    raise ValueError(
        f"{cells.at(cells.first(odd))}: {text!r} is {what}, but {max(n_text, n_numbers):,} other cells of this column "
        f"are {usual}; --missing {shlex.quote(text)} says that it stands for a missing cell, {keep}"
    )


def refuse_names(cells: Cells, advice: str) -> None:
    """Refuse a column of texts that hardly repeat: nothing general can be learned from names or document numbers."""
    n = int((~cells.missing).sum())
    many = len(cells.texts)
    if many > MOST_CATEGORIES or (many > 20 and many > n / 2):
        raise ValueError(
            f"{column_name(cells.name)} has {many:,} different texts in {n:,} rows, such as {cells.texts[0]!r}; "
            f"{advice}"
        )
