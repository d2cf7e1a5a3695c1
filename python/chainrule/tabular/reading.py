"""From a CSV file to a table indexed by the line numbers of the file.

    bytes ─▶ separator, header ─▶ pandas' parser, where nothing in the file can be read in two ways
                             └──▶ Python's csv module, which names the line of whatever is wrong

A column stays text as it is in the file, so a label is given back as it was and an error quotes the cell. Only a column
with very many different numbers becomes numbers at once: it holds neither labels nor categories, and text would take
several times its memory and time. pandas alone would fill rows that are too short, and forget the line numbers.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from array import array
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from .cells import LINE, is_number
from .columns import MOST_CATEGORIES
from .notation import is_like_number
from .sources import as_utf8, check_encoding, memory_named, unpacked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .sources import Source

SEPARATORS = (",", ";", "\t", "|")
MOST_COLUMNS = 65_536
SAMPLE = 65_536  # bytes from which the separator is chosen
PREVIEW = 5_000  # rows from which text is told from numbers
CHUNK = 4_096  # rows that the csv module reads at a time
NAMED_ROWS = 5  # of the wrong ones, in one message
# Before pandas 3.1, decimals are rounded otherwise unless it is told to read them as Python does.
EXACT = {"float_precision": "round_trip"} if [*map(int, pd.__version__.split(".")[:2])] < [3, 1] else {}
BREAK = re.compile(rb"\r\n?|\n")
PLAIN = re.compile(r"[+-]?\d+(?:[.,]\d+)*|\D*")  # a cell that holds one number, or none


def read_csv(
    source: Source,
    *,
    sep: str | None = None,
    header: bool | None = None,
    encoding: str | None = None,
    text: bool = False,
) -> pd.DataFrame:
    r"""Read a CSV file into a table.

    The file is text, and may be packed by gzip, bzip2, xz, zstd or zip. Lines end in ``\n``, ``\r\n`` or ``\r``. Cells
    quoted with ``"`` may hold separators, line breaks and doubled quotes (RFC 4180). Blanks around a cell are ignored,
    and empty lines are skipped. Every row must have as many cells as the first. Reading takes up to about twenty times
    the size of the file in memory, and at most 1 GiB of text is read.

    Parameters
    ----------
    source : path or binary file
        The file to read.
    sep : str, optional
        The character between cells. None: the one of ``,`` ``;`` tab and ``|`` that gives a table, in which all rows
        have as many cells.
    header : bool, optional
        Whether the first row names the columns. None: yes, unless one of its cells is a number.
    encoding : str, optional
        The encoding of the text. None: UTF-8, with or without a byte order mark.
    text : bool, default False
        Whether every cell stays text. So it must be where numbers have points between thousands and no other mark.

    Returns
    -------
    pandas.DataFrame
        The cells as str objects; a column with more than 1,000 different numbers as numbers, NaN where a cell is empty.
        The index, named "line", holds the number of the line in which each row begins, counted from 1. The columns are
        named by the header (an empty name becomes ``column N``), or 1, 2, … without a header.

    Raises
    ------
    OSError
        The file cannot be read.
    ValueError
        The file is not such a table: it is not text, a row has too few or too many cells, two columns have the same
        name, or there are no rows. The message names the line.

    Examples
    --------
    >>> table = read_csv(io.BytesIO(b"size;name\n1,5;a\n2;b\n"))
    >>> table["name"].tolist(), table.index.tolist()
    (['a', 'b'], [2, 3])
    >>> read_csv(io.BytesIO(b"1,a\n2,b\n")).columns.tolist()
    [1, 2]
    """
    if encoding is not None:
        encoding = check_encoding(encoding)
    content = unpacked(source, text=encoding is not None)
    with memory_named(len(content)):
        return csv_table(as_utf8(content, encoding), sep, header, text=text)


def csv_table(content: bytes, sep: str | None, header: bool | None, *, text: bool) -> pd.DataFrame:
    """Return the table in a text of CSV, UTF-8."""
    try:
        return rows_and_names(content, sep, header, text=text)
    except UnicodeDecodeError:
        raise not_utf8(content) from None


def rows_and_names(content: bytes, sep: str | None, header: bool | None, *, text: bool) -> pd.DataFrame:
    """Return the table; a UnicodeDecodeError passes."""
    first = len(content) - len(content.lstrip(b" \r\n"))
    if first == len(content):
        raise ValueError("there is nothing in it")
    start = max(content.rfind(end, 0, first) for end in (b"\n", b"\r")) + 1  # blanks before a cell are in its line
    line = breaks(content, 0, start) + 1
    sep = sep or chosen_separator(content[start : start + SAMPLE])
    row, below = first_row(content, start, line, sep)
    n, origin = len(row), f"line {line}"
    if header is None:
        header = not any(is_number(cell) or is_like_number(cell) for cell in row)
    names: list[str | int] = [*named(row)] if header else list(range(1, n + 1))
    if header:
        for end in itertools.islice(BREAK.finditer(content, start), below - line):
            start = end.end()
        if b"\n" not in content[start - 1 : start] and b"\r" not in content[start - 1 : start]:
            start = len(content)  # the file ends in its header
        line = below
    frame = quick(content, start, line, sep, n, text=text) if sep.isascii() else None
    if frame is None:
        frame = careful(content, start, line, sep, origin, n)
    if not len(frame):
        raise ValueError(
            f"there are no rows below its header ({origin} is taken as one: none of its cells is a number)"
        )
    return frame.set_axis(pd.Index(names, dtype=object), axis=1)


# ── The first row ────────────────────────────────────────────────────────────────────────────────────────────────────


def chosen_separator(sample: bytes) -> str:
    r"""Return the separator by which most rows have as many cells as the first; of equals, one that cuts no number.

    `1,5;2,5` cut at its commas would leave `5;2`. If that does not decide, the one with the most cells is taken.

    >>> chosen_separator(b"a, b;c\n1,5;2,5\n2;3\n"), chosen_separator(b"1,5;2,5\n3,5;4,5\n"), chosen_separator(b"x")
    (';', ';', ',')
    """
    text = sample.decode(errors="ignore")

    def order(sep: str) -> tuple[float, float, int]:
        rows: list[list[str]] = []
        try:
            rows.extend(row for row in csv.reader(io.StringIO(text, newline=""), delimiter=sep) if row)
        except csv.Error:
            return 0.0, 0.0, 0
        if not rows:
            return 0.0, 0.0, 0
        if len(rows) > 1 and len(sample) == SAMPLE:
            rows.pop()  # it may be cut off
        width = len(rows[0])
        if width < 2:
            return 0.0, 0.0, 0
        cells = [cell.strip() for row in rows for cell in row]
        whole = sum(PLAIN.fullmatch(cell) is not None for cell in cells) / len(cells)
        return sum(len(row) == width for row in rows) / len(rows), whole, width

    return max(SEPARATORS, key=order)  # of equals the first


def first_row(content: bytes, start: int, line: int, sep: str) -> tuple[list[str], int]:
    """Return the cells of the first row, and the number of the line below it."""
    end = BREAK.search(content, start)
    stop = len(content) if end is None else end.start()
    n = content.count(sep.encode(), start, stop) + 1
    if n <= MOST_COLUMNS or b'"' in content[start:stop]:
        for _, below, row in records(content, start, line, sep):
            n = len(row)
            if n <= MOST_COLUMNS:
                return row, below
            break
        else:
            raise ValueError("there is nothing in it")
    raise ValueError(f"line {line} has {n:,} cells, at most {MOST_COLUMNS:,} columns are read")


def named(first: list[str]) -> list[str]:
    """Return the names in a header; refuse equal ones."""
    names = [name or f"column {i}" for i, name in enumerate(first, start=1)]
    index_of: dict[str, int] = {}
    for i, name in enumerate(names, start=1):
        if name in index_of:
            raise ValueError(f"two columns are named {name!r}: the {ordinal(index_of[name])} and the {ordinal(i)}")
        index_of[name] = i
    return names


# ── The rows below ───────────────────────────────────────────────────────────────────────────────────────────────────


def quick(content: bytes, start: int, line: int, sep: str, n: int, *, text: bool) -> pd.DataFrame | None:
    r"""Return the rows by pandas' parser; None if it cannot read them, or may read them otherwise than the csv module.

    Without quotes, a row of n cells has n − 1 separators and ends in a line break. If both counts are right and pandas
    found no row that is too long, then no row is too short, no line is blank and the lines are numbered 1, 2, 3, …
    With quotes the csv module reads along and counts. pandas loses cells after a blank line that ends in ``\r`` alone.
    """
    if content.count(b"\r") != content.count(b"\r\n"):
        return None
    stop = len(content)
    while stop > start and content[stop - 1] in b"\r\n":
        stop -= 1

    def parsed(**options: Any) -> pd.DataFrame:
        file = io.BytesIO(content)
        file.seek(start)
        return pd.read_csv(
            file, sep=sep, header=None, names=range(n), keep_default_na=False, engine="c", **EXACT, **options
        )

    try:
        wide = []
        if not text:
            first = parsed(nrows=PREVIEW, na_values=[""])
            wide = [i for i in range(n) if is_wide(first[i])]
        frame = parsed(dtype=dict.fromkeys(set(range(n)) - set(wide), object), na_values={i: [""] for i in wide})
        other = [i for i in wide if frame[i].dtype.kind not in "iuf"]  # there is text below the preview
        if other:
            frame[other] = parsed(usecols=other, dtype=object, na_values=[])[other]
    except UnicodeDecodeError:
        raise
    except ValueError:  # of pandas: too many cells, or no rows
        return None
    if not isinstance(frame.index, pd.RangeIndex):  # too many cells in the first row
        return None
    lines: pd.Index
    if b'"' not in content:
        rows, separators = breaks(content, start, stop) + 1, content.count(sep.encode(), start, stop)
        if (rows, separators) != (len(frame), len(frame) * (n - 1)):
            return None
        lines = pd.RangeIndex(line, line + len(frame), name=LINE)
    else:
        found = array("q")
        try:
            for at, _, row in records(content, start, line, sep):
                if len(row) != n:
                    return None
                found.append(at)
        except ValueError:
            return None
        if len(found) != len(frame):
            return None
        lines = pd.Index(np.array(found, dtype=np.int64), name=LINE)
    for i in set(range(n)) - set(wide) | set(other):
        frame[i] = np.array(list(map(str.strip, frame[i].tolist())), dtype=object)
    if n == 1 and (frame[0].isna() | (frame[0] == "")).any():  # a blank row, if it is not a gap
        return None
    return frame.set_axis(lines, axis=0)


def is_wide(column: pd.Series) -> bool:
    """Tell whether a column holds more different numbers than there may be categories or classes."""
    return column.dtype.kind in "iuf" and column.nunique() > MOST_CATEGORIES


def careful(content: bytes, start: int, line: int, sep: str, origin: str, n: int) -> pd.DataFrame:
    """Return the rows by the csv module, all text; refuse rows with another number of cells than the first."""
    lines = array("q")
    columns: list[list[Any]] = [[] for _ in range(n)]
    wrong: list[tuple[int, int]] = []
    n_wrong = 0
    rows = records(content, start, line, sep)
    known: dict[str, str] = {}  # equal cells share one str object, which saves memory
    while chunk := list(itertools.islice(rows, CHUNK)):
        odd = [(at, len(row)) for at, _, row in chunk if len(row) != n]
        n_wrong += len(odd)
        wrong += odd[: NAMED_ROWS - len(wrong)]
        if wrong:
            continue
        lines.extend(at for at, _, _ in chunk)
        if len(known) > CHUNK:
            known.clear()
        for column, cells in zip(columns, zip(*(row for _, _, row in chunk), strict=True), strict=True):
            column.append(np.array([known.setdefault(cell, cell) for cell in cells], dtype=object))
    if wrong:
        told = ", ".join(f"line {at} has {counted(width)}" for at, width in wrong)
        more = f" (and {n_wrong - len(wrong):,} more lines)" if n_wrong > len(wrong) else ""
        raise ValueError(f"{told}{more}, but {origin} has {n}")
    table: dict[int, Any] = {i: np.concatenate(column) if column else [] for i, column in enumerate(columns)}
    return pd.DataFrame(table, index=pd.Index(np.array(lines, dtype=np.int64), name=LINE), dtype=object)


def records(content: bytes, start: int, line: int, sep: str) -> Iterator[tuple[int, int, list[str]]]:
    """Yield each row that is not blank from `start` on, with the number of its first line and of the line below it."""
    file = io.BytesIO(content)
    file.seek(start)
    rows = csv.reader(io.TextIOWrapper(file, "utf-8", newline=""), delimiter=sep, strict=True)
    while True:
        at = line + rows.line_num
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            raise ValueError(f"line {at}: {reason(str(error))}") from None
        row = [cell.strip() for cell in row]
        if len(row) > 1 or any(row):
            yield at, line + rows.line_num, row


def reason(error: str) -> str:
    """Return an error message of the csv module in plain words."""
    if "unexpected end of data" in error:
        return 'a quote (") is opened and never closed'
    if "expected after" in error:
        return 'there is text after a closing quote ("); a quote inside a quoted cell is written twice'
    if "field larger" in error:
        return f'a cell is longer than {csv.field_size_limit():,} characters; is a quote (") not closed?'
    return error


def breaks(content: bytes, start: int, stop: int) -> int:
    """Return the number of line breaks."""
    n = content.count(b"\n", start, stop)
    cr = content.count(b"\r", start, stop)
    return n + cr - content.count(b"\r\n", start, stop) if cr else n


def not_utf8(content: bytes) -> ValueError:
    """Return the error for text that is not UTF-8."""
    try:
        content.decode()
    except UnicodeDecodeError as error:
        line, byte = breaks(content, 0, error.start) + 1, content[error.start]
    return ValueError(
        f"line {line} is not UTF-8 text (byte 0x{byte:02x}); --encoding (encoding in Python) says what it is, such as "
        "cp1252"
    )


def counted(n: int) -> str:
    """Return "1 cell" or "3 cells"."""
    return f"{n} cell" + "s" * (n != 1)


def ordinal(i: int) -> str:
    """Return an index, counted from 0, as an ordinal number.

    >>> ordinal(2), ordinal(13)
    ('2nd', '13th')
    """
    suffix = "th" if i % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(i % 10, "th")
    return f"{i}{suffix}"
