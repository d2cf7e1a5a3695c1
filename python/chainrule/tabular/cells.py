"""A column as codes of its distinct texts: its missing cells, its numbers, and the position of a cell.

    "red", "7", "", "red", "7.0"   ─▶   codes 0 1 −1 0 1   texts "red" "7"

Every question about a column of text is answered once per distinct text, not once per row. Cells that are numbers are
compared as numbers, since "1", "1.0" and the number 1 come from the same table read in different ways.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from numpy.typing import NDArray

LINE = "line"  # the name of an index that holds the line numbers of a file
# The texts of a missing cell, in any case. "none" and "-" are not among them, since they may be real values.
MISSING = ("", "?", "NA", "N/A", "#N/A", "NaN", "NULL", "<NA>")


@dataclass(frozen=True, eq=False)
class Cells:
    """One column of n rows.

    Attributes
    ----------
    name : str or int
        The column's name; an int without a header.
    column : pandas.Series
        The cells as they were given, and the labels of their rows.
    gaps : frozenset of str
        The texts of a missing cell, casefolded.
    declared : {"number", "date", "category", ""}
        What the column's type says that it holds; "" for texts and objects, whose content says it.
    """

    name: str | int
    column: pd.Series
    gaps: frozenset[str]
    declared: str

    @classmethod
    def of(cls, column: pd.Series, name: str | int, missing: Collection[str] = MISSING) -> Cells:
        """Return a column of any table; `missing` are the texts of a missing cell, in addition to the empty one."""
        column, declared = typed(column, name)
        return cls(name, column, frozenset(text.casefold() for text in ("", *missing)), declared)

    def __len__(self) -> int:
        return len(self.column)

    @cached_property
    def plain(self) -> NDArray[np.float64] | None:
        """The numbers, (n,), NaN where a cell is missing; None if a cell that is present is not a plain number."""
        if self.declared == "number":
            values = self.column.to_numpy(dtype=np.float64, na_value=np.nan)
            marks = [number for text in self.gaps if (number := number_in(text)) is not None]
            return np.where(np.isin(values, marks), np.nan, values) if marks else values
        if self.declared == "date":
            return None
        codes, texts = self._distinct
        numbers = floats(texts)
        return None if numbers is None else np.append(numbers, np.nan)[codes]

    @cached_property
    def _distinct(self) -> tuple[NDArray[np.intp], list[str]]:
        """The distinct texts as written, without those of gaps, and the index of each row's text, −1 for a gap."""
        try:
            codes, values = pd.factorize(self.column, use_na_sentinel=True)
            texts = [text_of(value) for value in values]
        except TypeError:
            row = next(i for i, value in enumerate(self.column) if is_compound(value))
            kind = type(self.column.iloc[row]).__name__
            raise ValueError(f"{self.at(row)} is of type {kind}, neither a text nor a number") from None
        if any(text.casefold() in self.gaps for text in texts):
            kept = [text for text in texts if text.casefold() not in self.gaps]
            moved = np.full(len(texts) + 1, -1, np.intp)
            moved[:-1][[text.casefold() not in self.gaps for text in texts]] = np.arange(len(kept))
            return moved[codes], kept
        return codes, texts

    @cached_property
    def _coded(self) -> tuple[NDArray[np.intp], tuple[str, ...]]:
        """Codes and texts; cells that are equal as `canonical` says have one code and the text of the first."""
        codes, texts = self._distinct
        index_of: dict[str, int] = {}
        kept: list[str] = []
        moved = np.empty(len(texts) + 1, np.intp)
        moved[-1] = -1
        for i, text in enumerate(texts):
            moved[i] = index_of.setdefault(canonical(text), len(index_of))
            if len(index_of) > len(kept):
                kept.append(text)
        return moved[codes], tuple(kept)

    @property
    def codes(self) -> NDArray[np.intp]:
        """For each row the index of its text in `texts`, (n,), or −1 if the cell is missing."""
        return self._coded[0]

    @property
    def texts(self) -> tuple[str, ...]:
        """The distinct texts, in the order of their first rows."""
        return self._coded[1]

    @cached_property
    def missing(self) -> NDArray[np.bool_]:
        """A mask of the missing cells, (n,)."""
        if self.declared == "date":
            return np.asarray(self.column.isna(), dtype=np.bool_)
        return self._distinct[0] < 0 if self.plain is None or not self.declared else np.isnan(self.plain)

    def first(self, code: int) -> int:
        """Return the first row that holds texts[code]; for −1, the first missing cell."""
        return int(np.argmax(self.missing if code < 0 else self.codes == code))

    def gap(self) -> str:
        """Return the first missing cell in messages: " ('NA')", or "" if it is empty."""
        value = self.column.iloc[self.first(-1)]
        text = "" if pd.isna(value) else text_of(value)
        return f" ({text!r})" if text else ""

    def at(self, row: int) -> str:
        """Return a cell's name in messages: "line 7, column 'age'"."""
        label = self.column.index[row]
        where = f"line {label}" if self.column.index.name == LINE else f"row {label!s}"
        return f"{where}, {column_name(self.name)}"


def typed(column: pd.Series, name: str | int) -> tuple[pd.Series, str]:
    """Return a column with NumPy's types where it can be, and what its type says that it holds.

    pandas chooses the type `str` by itself, so it says nothing; the type "string" is what somebody asked for.
    """
    dtype: Any = column.dtype
    api = pd.api.types
    if isinstance(dtype, pd.SparseDtype):
        column = column.sparse.to_dense()
        dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype) or api.is_bool_dtype(dtype):
        return column, "category"
    if api.is_datetime64_any_dtype(dtype):
        return column, "date"
    if api.is_timedelta64_dtype(dtype):
        return column.dt.total_seconds(), "number"
    if api.is_complex_dtype(dtype):
        raise ValueError(f"{column_name(name)} holds complex numbers; give their parts as columns")
    if isinstance(dtype, np.dtype) and dtype.kind in "iuf":
        return column.astype(dtype.newbyteorder("=")), "number"
    if api.is_numeric_dtype(dtype):
        return column, "number"
    if isinstance(dtype, pd.PeriodDtype):
        return column.dt.to_timestamp(), "date"
    if isinstance(dtype, pd.ArrowDtype):
        return arrow_typed(column)
    if isinstance(dtype, pd.StringDtype):
        return column, "category" if dtype.na_value is pd.NA else ""
    return column, ""


def arrow_typed(column: pd.Series) -> tuple[pd.Series, str]:
    """Return a column of one of Arrow's types that is neither a number nor a time stamp."""
    kind = column.dtype.type.__name__
    if kind in ("date", "datetime"):
        return pd.to_datetime(column.astype(object)), "date"
    if kind == "timedelta":
        return pd.to_timedelta(column.astype(object)).dt.total_seconds(), "number"
    return column.astype(object), "category" if kind == "str" else ""


# ── Texts and numbers ────────────────────────────────────────────────────────────────────────────────────────────────


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


def floats(texts: list[str]) -> NDArray[np.float64] | None:
    """Return texts as numbers, or None if one is not a number: `number_in` for all at once.

    >>> floats(["1", "2.5"]), floats(["1", "nan"]), floats(["1_0"])
    (array([1. , 2.5]), None, None)
    """
    try:
        numbers = np.array(texts, dtype=object).astype(np.float64)
    except ValueError:
        return None
    together = "".join(texts)
    return None if np.isnan(numbers).any() or "_" in together or not together.isascii() else numbers


def canonical(text: str) -> str:
    """Return the form of a text by which cells are compared.

    >>> canonical("1.0"), canonical("01"), canonical("0.10"), canonical("TRUE"), canonical("red")
    ('1', '1', '0.1', 'True', 'red')
    """
    number = number_in(text)
    if number is None:
        return text.capitalize() if text.casefold() in ("true", "false") else text
    if math.isinf(number):
        return text
    if number.is_integer() and abs(number) >= 2**53:
        try:
            return str(int(text))  # a float would make different ones equal
        except ValueError:
            pass
    return text_of(number)


def indices(known: Iterable[str], texts: Iterable[str], absent: int) -> list[int]:
    """Return the index in `known` of each text, compared as `canonical` says; `absent` if it is not there.

    >>> indices(["1.0", "b"], ["b", "1", "c"], -1)
    [1, 0, -1]
    """
    index_of: dict[str, int] = {}
    for i, text in enumerate(known):
        index_of.setdefault(canonical(text), i)
    return [index_of.get(canonical(text), absent) for text in texts]


def text_of(value: Any) -> str:
    """Return a cell of a table as the text in a CSV file; 2.0 is "2", since gaps turn integer columns into floats."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, float | np.floating) and abs(float(value)) < 2**53 and float(value).is_integer():
        value = int(value)
    if is_compound(value):
        raise TypeError(f"{type(value).__name__} is not one value")
    return str(value).strip()


def is_compound(value: object) -> bool:
    """Tell whether a cell holds several values, or bytes, which are no text."""
    return hasattr(value, "__iter__") and not isinstance(value, str)


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
