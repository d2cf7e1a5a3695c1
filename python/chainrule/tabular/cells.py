"""A column as codes of its distinct texts: its missing cells, its numbers, and the position of a cell.

    "red", "7", "", "red"   ─▶   codes 0 1 −1 0   texts "red" "7"

Every question about a column is answered once per distinct text, not once per row.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from numpy.typing import NDArray

LINE = "line"  # the name of an index that holds the line numbers of a file
# The texts of a missing cell, in any case. "none" and "-" are not among them, since they may be real values.
MISSING = ("", "?", "NA", "N/A", "#N/A", "NaN", "NULL", "<NA>")


@dataclass(frozen=True)
class Cells:
    """One column of n rows.

    Attributes
    ----------
    name : str or int
        The column's name; an int without a header.
    codes : (n,) int
        For each row the index of its text in `texts`, or −1 if the cell is missing.
    texts : tuple of str
        The distinct texts, in the order of their first rows.
    rows : pandas.Index
        The labels of the rows.
    """

    name: str | int
    codes: NDArray[np.intp]
    texts: tuple[str, ...]
    rows: pd.Index

    @classmethod
    def of(cls, column: pd.Series, name: str | int, missing: Collection[str] = MISSING) -> Cells:
        """Return a column of any table, text or not; `missing` are the texts of a missing cell."""
        codes, values = pd.factorize(column, use_na_sentinel=True)
        gaps = {text.casefold() for text in missing}
        index_of: dict[str, int] = {}
        # Texts that differ only in surrounding blanks are the same. Missing cells have no text.
        texts = [text_of(value) for value in values]
        moved = [-1 if text.casefold() in gaps else index_of.setdefault(text, len(index_of)) for text in texts]
        return cls(name, np.array([*moved, -1], dtype=np.intp)[codes], tuple(index_of), column.index)

    @property
    def missing(self) -> NDArray[np.bool_]:
        """A mask of the missing cells, (n,)."""
        return self.codes < 0

    def first(self, code: int) -> int:
        """Return the first row that holds texts[code]; for −1, the first missing cell."""
        return int(np.argmax(self.codes == code))

    def numbers(self) -> list[float | None]:
        """Return each distinct text as a number, or None if it is not one."""
        return [number_in(text) for text in self.texts]

    def at(self, row: int) -> str:
        """Return a cell's name in messages: "line 7, column 'age'"."""
        label = self.rows[row]
        where = f"line {label}" if self.rows.name == LINE else f"row {label!s}"
        return f"{where}, {column_name(self.name)}"


def number_in(text: str) -> float | None:
    """Return the number in a text: infinite if it is too large, None if the text is not a number (NaN is not).

    >>> number_in("-1.5e3"), number_in("1e999"), number_in("1_000"), number_in("1,5")
    (-1500.0, inf, None, None)
    """
    if "_" in text or not text.isascii():  # float() accepts 1_000 and the digits of every script
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return None if math.isnan(number) else number


def is_number(text: str) -> bool:
    """Tell whether a text is a number."""
    return number_in(text) is not None


def text_of(value: Any) -> str:
    """Return a cell of a table as the text in a CSV file; 2.0 is "2", since gaps turn integer columns into floats."""
    if isinstance(value, float | np.floating) and abs(float(value)) < 2**53 and float(value).is_integer():
        value = int(value)
    return str(value).strip()


def column_name(name: str | int) -> str:
    """Return a column's name in messages: its name, or its number without a header.

    >>> column_name("age"), column_name(3)
    ("column 'age'", 'column 3')
    """
    return f"column {name!r}"


def listed(items: Iterable[object], most: int = 8) -> str:
    """Return the first items, separated by commas.

    >>> listed("abc", most=2)
    "'a', 'b', … (3 in all)"
    """
    items = list(items)
    shown = ", ".join(repr(item) for item in items[:most])
    return shown if len(items) <= most else f"{shown}, … ({len(items)} in all)"
