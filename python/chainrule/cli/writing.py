"""What a command puts out: text on the terminal, without control characters, and files, of which none is lost unasked.

Class labels, column names and notes come from files that may be hostile. So everything that is printed goes through
`say`. A file that exists is replaced only if chainrule wrote it, or with --force; an input never is.
"""

from __future__ import annotations

import errno
import os
import sys
import unicodedata
from typing import TYPE_CHECKING, Any

import click

from chainrule import files

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    Command = Callable[..., Any]

JOINERS = "\u200c\u200d"  # join letters of Persian and the parts of an emoji; they move nothing else
MODEL = b'{"__metadata__":{"chainrule":'  # the header of a model file, after its length of eight bytes


# ── Text ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def printable(text: str, keep: str = "") -> str:
    r"""Return a text with every character that is not shown, such as an escape sequence, written out.

    >>> printable("\x1b]0;title\x07 größe 中国 \u202e"), printable("a\nb"), printable("a\nb", keep="\n")
    ('\\x1b]0;title\\x07 größe 中国 \\u202e', 'a\\nb', 'a\nb')
    """
    if text.isprintable():
        return text
    return "".join(c if is_shown(c) or c in keep else c.encode("unicode_escape").decode("ascii") for c in text)


def is_shown(character: str) -> bool:
    """Tell whether a character is a letter, a sign or a space; marks that turn the direction of text are none."""
    return character.isprintable() or character in JOINERS or unicodedata.category(character) == "Zs"


def columns_of(text: str) -> int:
    """Return the columns of a terminal that a printable text takes: two for a wide letter, none for a mark on one.

    >>> columns_of("abc"), columns_of("日本"), columns_of("e\u0301")
    (3, 4, 1)
    """
    if text.isascii():
        return len(text)
    free = ("Mn", "Me", "Cf")
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return wide + sum(unicodedata.category(c) not in free for c in text)


def say(text: object = "", *, error: bool = False) -> None:
    """Print lines on standard output or standard error."""
    click.echo(printable(str(text), keep="\n"), err=error)


def rows(table: Mapping[str, str], width: int = 0) -> None:
    """Print names with their values, one a line, or several where a value has several."""
    width = max(width, *map(len, table))
    for name, value in table.items():
        first, *others = value.split("\n")
        say(f"{printable(name):<{width}}  {printable(first)}".rstrip())
        for line in others:
            say(f"{'':<{width}}  {printable(line)}".rstrip())


def remark(text: str) -> None:
    """Print a remark, which is no error, on standard error, unless --quiet is given."""
    ctx = click.get_current_context()
    if not ctx.params.get("quiet"):
        say(f"{ctx.command_path}: {printable(text)}", error=True)


def quiet_option(command: Command) -> Command:
    """Add the option to print nothing but results and errors."""
    return click.option("--quiet", "-q", is_flag=True, help="Print no remarks and no progress.")(command)


# ── Files ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def force_option(command: Command) -> Command:
    """Add the option to replace files that chainrule did not write."""
    return click.option("--force", is_flag=True, help="Replace an existing file that chainrule did not write.")(command)


def check_writable(path: Path, *inputs: Path, force: bool) -> None:
    """Refuse a path that cannot be written, that is another file of the call, or that holds somebody's own file.

    It is called before the work begins.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "Is a directory", str(path))
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "No such folder", str(path.parent))
    if path.exists() and not path.is_file():
        return  # a pipe or a device takes what it gets
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(errno.EACCES, "Permission denied", str(path.parent))
    for other in inputs:
        if path == other or (path.exists() and other.exists() and path.samefile(other)):
            raise click.UsageError(f"{str(path)!r} would be written over", click.get_current_context())
    if path.exists() and path.stat().st_size and not force and not (is_model(path) or is_page(path)):
        raise click.UsageError(
            f"{str(path)!r} exists, and chainrule did not write it; --force replaces it", click.get_current_context()
        )


def is_model(path: Path) -> bool:
    """Tell whether a file is a model that chainrule wrote."""
    return head(path)[8:].startswith(MODEL)


def is_page(path: Path) -> bool:
    """Tell whether a file is a report or an explanation that chainrule wrote."""
    return files.GENERATOR.encode() in head(path)


def head(path: Path) -> bytes:
    """Return the first bytes of a regular file; nothing where there is none."""
    if not path.is_file():
        return b""
    with path.open("rb") as file:
        return file.read(1024)


def utf8_or_escaped() -> None:
    """Let standard output and error escape what their encoding lacks, rather than fail."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
