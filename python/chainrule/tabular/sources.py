"""From a file, packed or not, to a table: which format it has is seen from its bytes, not from its name.

    gzip, bzip2, xz, zstd, zip ─▶ unpacked ─▶ Parquet, Arrow, Excel, JSON lines ─▶ pandas
                                          └─▶ CSV text ─▶ UTF-8 ─▶ `reading`

Files are read in pieces up to `MOST_BYTES`, packed and unpacked, so a stream without an end is refused.
"""

from __future__ import annotations

import codecs
import io
import json
import os
from contextlib import contextmanager
from importlib import import_module
from typing import IO, TYPE_CHECKING, Any

import pandas as pd

from chainrule.reference.options import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PANDAS_2 = pd.__version__.startswith("2.")
MOST_BYTES = 2**30
MEMORY = 20  # times the size of a file: the most that reading it takes, of one digit a line
PIECE = 2**20
# The first bytes of a packed file, with the module that opens it.
PACKED = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ\0": "lzma", b"\x28\xb5\x2f\xfd": "zstandard"}
ZIP = b"PK\x03\x04"
# The first bytes of a file of another format, with the function of pandas that reads it.
FORMATS = {b"PAR1": "read_parquet", b"ARROW1\0\0": "read_feather", b"\xd0\xcf\x11\xe0": "read_excel"}
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

Source = str | os.PathLike[str] | IO[bytes]


def read_table(
    source: Source,
    *,
    sep: str | None = None,
    header: bool | None = None,
    encoding: str | None = None,
    text: bool = False,
) -> pd.DataFrame:
    r"""Read a table from a file: CSV, Parquet, Arrow (Feather), Excel or JSON lines.

    The format is seen from the first bytes. gzip, bzip2, xz, zstd and zip files are unpacked. Parquet and Arrow need
    pyarrow, Excel needs openpyxl, and zstd needs zstandard.

    Parameters
    ----------
    source, sep, header, encoding, text
        As in `read_csv`. `sep`, `encoding` and `text` count for CSV only, `header` for CSV and Excel.

    Returns
    -------
    pandas.DataFrame
        CSV as by `read_csv`. The others with the types that they hold, as pandas reads them.

    Raises
    ------
    OSError, ValueError
        As in `read_csv`.
    ImportError
        The library for the format is missing; the message names it.

    Examples
    --------
    >>> import io
    >>> read_table(io.BytesIO(b'{"a": 1, "b": "x"}\n{"a": 2, "b": "y"}\n'))["a"].tolist()
    [1, 2]
    """
    content = unpacked(source, text=encoding is not None)
    with memory_named(len(content)):
        of_format = format_of(content)
        if of_format is not None:
            return read_format(of_format, content, header)
        from .reading import csv_table

        return csv_table(as_utf8(content, encoding), sep, header, text=text)


def unpacked(source: Source, *, text: bool = False) -> bytes:
    """Return the bytes of a file, unpacked; refuse a binary file of no known format, unless it is `text`."""
    if isinstance(source, str | os.PathLike):
        with open(source, "rb") as file:  # noqa: PTH123 - a str will do
            return unpacked(file, text=text)
    if not hasattr(source, "read"):
        raise TypeError(f"a table is read from a path or from a binary file, not from {shown(source)}")
    content = pieces(source, text=text)
    for start, module in PACKED.items():
        if content.startswith(start):
            with opened(module, content) as file:
                return unpacked(file, text=text)
    if content.startswith(ZIP) and not is_excel(content):
        import zipfile

        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                names = [name for name in archive.namelist() if not name.endswith("/") and "__MACOSX" not in name]
                if len(names) != 1:
                    raise ValueError(f"a zip file must hold one table, and this one holds {len(names)} files")
                with archive.open(names[0]) as file:
                    return unpacked(file, text=text)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            raise ValueError(f"it is a zip file that cannot be unpacked: {error}") from None
    return content


def pieces(file: IO[bytes], *, text: bool) -> bytes:
    """Return what a file holds, up to MOST_BYTES; refuse a binary file at its first piece that is not text."""
    held: list[bytes] = []
    size, known = 0, text
    while piece := file.read(PIECE):
        if not isinstance(piece, bytes):
            raise TypeError(f"the file must be opened in binary mode; it holds {type(piece).__name__}")
        if not held:
            known = known or piece.startswith((ZIP, *PACKED, *FORMATS))
            if not known and piece.startswith(UTF_16):
                raise ValueError("it is UTF-16 text; --encoding utf-16 (encoding='utf-16' in Python) reads it")
        if not known and b"\0" in piece:
            raise ValueError("it is a binary file, not CSV")
        held.append(piece)
        size += len(piece)
        if size > MOST_BYTES:
            raise ValueError(
                f"it holds more than {MOST_BYTES / 2**30:g} GiB, the most that is read: reading takes up to {MEMORY} "
                "times that in memory; give a part of its rows"
            )
    return b"".join(held)


@contextmanager
def opened(module: str, content: bytes) -> Iterator[IO[bytes]]:
    """Open a packed file; errors of its library become ValueError."""
    library: Any = imported(module, "a .zst file")
    damaged: tuple[type[Exception], ...] = (EOFError, OSError)
    damaged += tuple(
        getattr(library, name) for name in ("LZMAError", "ZstdError", "BadGzipFile") if hasattr(library, name)
    )
    try:
        with library.open(io.BytesIO(content), "rb") as file:
            yield file
    except damaged as error:
        raise ValueError(f"it is packed by {module} and cannot be unpacked: {error}") from None


def imported(module: str, what: str) -> Any:
    """Import a library that a format needs."""
    try:
        return import_module(module)
    except ImportError as missing:
        raise ImportError(f"reading {what} needs {module}: pip install {module}") from missing


# ── Formats other than CSV ───────────────────────────────────────────────────────────────────────────────────────────


def format_of(content: bytes) -> str | None:
    """Return the function of pandas that reads these bytes; None for CSV."""
    for start, function in FORMATS.items():
        if content.startswith(start):
            return function
    if content.startswith(ZIP):
        return "read_excel"
    return "read_json" if is_json_lines(content) else None


def is_excel(content: bytes) -> bool:
    """Tell whether a zip file is an Excel workbook."""
    return b"xl/workbook" in content


def is_json_lines(content: bytes) -> bool:
    """Tell whether the first line is a JSON object."""
    if content.lstrip()[:1] != b"{":
        return False
    try:
        return isinstance(json.loads(content.lstrip().split(b"\n", 1)[0]), dict)
    except ValueError:
        return False


def read_format(function: str, content: bytes, header: bool | None) -> pd.DataFrame:
    """Return the table that a function of pandas reads."""
    options: dict[str, Any] = {}
    if function == "read_json":
        options = {
            "lines": True,
            "dtype": False,
            "precise_float": True,
            **({"convert_dates": False} if PANDAS_2 else {}),
        }
    elif function == "read_excel":
        options = {"header": None if header is False else 0, "keep_default_na": False, "na_values": [""]}
    read: Callable[..., pd.DataFrame] = getattr(pd, function)
    try:
        frame = read(io.BytesIO(content), **options)
    except (ImportError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - of any library
        raise ValueError(f"pandas.{function} cannot read it: {error}") from None
    if not len(frame):
        raise ValueError("there are no rows in it")
    if header is False:
        return frame.set_axis(range(1, len(frame.columns) + 1), axis=1)
    return frame.set_axis([str(name) for name in frame.columns], axis=1)


# ── Text ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def as_utf8(content: bytes, encoding: str | None) -> bytes:
    """Return text as UTF-8 without a byte order mark; refuse bytes that are not in the encoding."""
    if encoding is not None:
        try:
            content = content.decode(encoding).encode()
        except UnicodeError as error:
            raise ValueError(f"it is not text in the encoding {encoding!r}: {error}") from None
        if b"\0" in content:
            raise ValueError(f"in the encoding {encoding!r} it holds NUL, so it is no text")
    return content.removeprefix(codecs.BOM_UTF8)


def check_encoding(encoding: str) -> str:
    """Return the name of an encoding of text; refuse an unknown one.

    >>> check_encoding("Latin-1")
    'iso8859-1'
    """
    try:
        "".encode(encoding)
        return codecs.lookup(encoding).name
    except (LookupError, ValueError, TypeError):
        raise ValueError(f"encoding {encoding!r} is unknown; utf-8, utf-16, latin-1 and cp1252 are common") from None


@contextmanager
def memory_named(size: int) -> Iterator[None]:
    """Name the size of the file in a MemoryError."""
    try:
        yield
    except MemoryError:
        raise MemoryError(
            f"there is not enough memory to read {size / 2**20:,.0f} MiB, which takes up to {MEMORY} times as much"
        ) from None
