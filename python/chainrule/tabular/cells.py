"""A column as its distinct texts: what is missing, what is a number, and where something stands.

    "red", "7", "", "red"   ─▶   codes 0 1 −1 0   texts "red" "7"

Whatever is asked of a column is asked once a distinct text and not once a row.
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

LINE = "line"  # the name of an index that holds lines of a file
# What stands for a missing cell, whatever its case. "none" and "-" are left out: they may be a word of the data's own.
MISSING = ("", "?", "NA", "N/A", "#N/A", "NaN", "NULL", "<NA>")


@dataclass(frozen=True)
class Cells:
    """One column of n rows.

    Attributes
    ----------
    name : str or int
        Of the column; an int where there is no header.
    codes : (n,) int
        Which of `texts` a row holds, −1 where the cell is missing.
    texts : tuple of str
        The distinct texts, in the order of their first rows.
    rows : pandas.Index
        What the rows are called.
    """

    name: str | int
    codes: NDArray[np.intp]
    texts: tuple[str, ...]
    rows: pd.Index

    @classmethod
    def of(cls, column: pd.Series, name: str | int, missing: Collection[str] = MISSING) -> Cells:
        """Return a column of any table, of text or not; `missing` are the texts that stand for no value."""
        codes, values = pd.factorize(column, use_na_sentinel=True)
        gaps = {text.casefold() for text in missing}
        index_of: dict[str, int] = {}
        # A text that differs from another in blanks alone is the same; one that stands for nothing has no index.
        texts = [text_of(value) for value in values]
        moved = [-1 if text.casefold() in gaps else index_of.setdefault(text, len(index_of)) for text in texts]
        return cls(name, np.array([*moved, -1], dtype=np.intp)[codes], tuple(index_of), column.index)

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Which cells are missing, (n,)."""
        return self.codes < 0

    def first(self, code: int) -> int:
        """Return the first row that holds texts[code], or that is missing for −1."""
        return int(np.argmax(self.codes == code))

    def numbers(self) -> list[float | None]:
        """Return each distinct text as a number, None where it is none."""
        return [number_in(text) for text in self.texts]

    def at(self, row: int) -> str:
        """Return how a message calls a cell: "line 7, column 'age'"."""
        label = self.rows[row]
        where = f"line {label}" if self.rows.name == LINE else f"row {label!s}"
        return f"{where}, {column_name(self.name)}"


def number_in(text: str) -> float | None:
    """Return the number that a text is, infinite where it is too large, None where it is none (NaN is none).

    >>> number_in("-1.5e3"), number_in("1e999"), number_in("1_000"), number_in("1,5")
    (-1500.0, inf, None, None)
    """
    if "_" in text or not text.isascii():  # float() takes 1_000 and the digits of every script
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
    """Return a cell of a table as a CSV file would hold it; 2.0 is 2, as a gap makes floats of whole numbers."""
    if isinstance(value, float | np.floating) and abs(float(value)) < 2**53 and float(value).is_integer():
        value = int(value)
    return str(value).strip()


def column_name(name: str | int) -> str:
    """Return how a message calls a column: its name, or its number where there is no header.

    >>> column_name("age"), column_name(3)
    ("column 'age'", 'column 3')
    """
    return f"column {name!r}"


def listed(items: Iterable[object], most: int = 8) -> str:
    """Return a few of the items with commas between them.

    >>> listed("abc", most=2)
    "'a', 'b', … (3 in all)"
    """
    items = list(items)
    shown = ", ".join(repr(item) for item in items[:most])
    return shown if len(items) <= most else f"{shown}, … ({len(items)} in all)"
