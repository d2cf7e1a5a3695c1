"""From a CSV file to a table of text, indexed by the line numbers of the file.

Every cell stays text here, so a later error can quote the cell as it is in the file and name its line. Python's csv
module reads the file. pandas would fill rows that are too short, and forget the line numbers.
"""

from __future__ import annotations

import csv
import io
import os
from typing import IO, TYPE_CHECKING

import pandas as pd

from .cells import LINE, is_number

if TYPE_CHECKING:
    from collections.abc import Iterator

SEPARATORS = (",", ";", "\t")
MOST_COLUMNS = 65_536


def read_csv(
    source: str | os.PathLike[str] | IO[bytes], *, sep: str | None = None, header: bool | None = None
) -> pd.DataFrame:
    r"""Read a CSV file into a table of text.

    The file is UTF-8, with or without a byte order mark. Lines end in ``\n``, ``\r\n`` or ``\r``. Cells quoted with
    ``"`` may hold separators, line breaks and doubled quotes (RFC 4180). Blanks around a cell are ignored, and empty
    lines are skipped. Every row must have as many cells as the first.

    Parameters
    ----------
    source : path or binary file
        The file to read.
    sep : str, optional
        The character between cells. None: whichever of ``,`` ``;`` and tab cuts the first line into the most cells.
    header : bool, optional
        Whether the first row names the columns. None: yes, unless one of its cells is a number.

    Returns
    -------
    pandas.DataFrame
        The cells as str objects. The index, named "line", holds the number of the line in which each row begins,
        counted from 1. The columns are named by the header (an empty name becomes ``column N``), or 1, 2, … without a
        header.

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
    text = decoded(source)
    rows = records(text, sep or sniffed(text))
    first_line, first = next(rows, (0, []))
    if not first:
        raise ValueError("there is nothing in it")
    if len(first) > MOST_COLUMNS:
        raise ValueError(f"line {first_line} has {len(first):,} cells, at most {MOST_COLUMNS:,} columns are read")
    if header is None:
        header = not any(map(is_number, first))
    names: list[str | int] = [*named(first)] if header else list(range(1, len(first) + 1))
    lines, cells = ([], []) if header else ([first_line], [first])
    known: dict[str, str] = {}  # equal cells share one str object, which saves memory
    for line, row in rows:
        if len(row) != len(first):
            raise ValueError(f"line {line} has {counted(len(row))}, but line {first_line} has {len(first)}")
        lines.append(line)
        cells.append([known.setdefault(cell, cell) for cell in row])
    if not cells:
        raise ValueError("there are no rows below its header (line 1 is taken as one: none of its cells is a number)")
    return pd.DataFrame(cells, columns=pd.Index(names, dtype=object), index=pd.Index(lines, name=LINE), dtype=object)


def decoded(source: str | os.PathLike[str] | IO[bytes]) -> str:
    """Return the text of a file; refuse binary files and other encodings."""
    if isinstance(source, str | os.PathLike):
        with open(source, "rb") as file:  # noqa: PTH123 - a str will do
            return decoded(file)
    # The first bytes are enough to recognize a binary file, even one without end, such as /dev/zero.
    start = source.read(65_536)
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ValueError("it is UTF-16 text; save it as UTF-8")
    if b"\0" in start:
        raise ValueError("it is a binary file, not CSV")
    content = start + source.read()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = content[error.start]
        raise ValueError(f"line {line} is not UTF-8 text (byte 0x{byte:02x}); save the file as UTF-8") from None
    if "\0" in text:
        raise ValueError("it is a binary file, not CSV")
    return text


def sniffed(text: str) -> str:
    """Return the separator that cuts the first line into the most cells; a comma if none occurs."""

    def width(sep: str) -> int:
        try:
            return len(next(records(text, sep), (0, []))[1])
        except ValueError:
            return 0

    return max(SEPARATORS, key=width)  # of equals the first


def records(text: str, sep: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each row that is not blank, with the number of its first line."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=sep, strict=True)
    while True:
        line = rows.line_num + 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            raise ValueError(f"line {line}: {reason(str(error))}") from None
        row = [cell.strip() for cell in row]
        if len(row) > 1 or any(row):
            yield line, row


def reason(error: str) -> str:
    """Return an error message of the csv module in plain words."""
    if "unexpected end of data" in error:
        return 'a quote (") is opened and never closed'
    if "expected after" in error:
        return 'there is text after a closing quote ("); a quote inside a quoted cell is written twice'
    if "field larger" in error:
        return f'a cell is longer than {csv.field_size_limit():,} characters; is a quote (") not closed?'
    return error


def named(first: list[str]) -> list[str]:
    """Return the names in a header; refuse equal ones."""
    names = [name or f"column {i}" for i, name in enumerate(first, start=1)]
    index_of: dict[str, int] = {}
    for i, name in enumerate(names, start=1):
        if name in index_of:
            raise ValueError(f"two columns are named {name!r}: the {ordinal(index_of[name])} and the {ordinal(i)}")
        index_of[name] = i
    return names


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
