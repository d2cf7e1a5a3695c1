"""Writing a file whole or not at all: beside its place under a temporary name, then renamed.

    .chainrule-out-XXXXXXXX.tmp ─ written, flushed to disk ─▶ renamed to the path

Readers see the old file or the new one, never a part. If anything fails, the old file stays. A process that is killed
leaves its temporary file behind; the next `write` to that folder removes it. A writer at work holds a lock on its own,
which tells the two apart. Model files are written in the same way, by rust/py/src/file.rs.
"""

from __future__ import annotations

import errno
import os
import secrets
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any, BinaryIO

# Windows has no such locks, and needs none: an open file cannot be removed there.
fcntl: Any = import_module("fcntl") if os.name == "posix" else None
PREFIX, SUFFIX = ".chainrule-out-", ".tmp"
GENERATOR = '<meta name="generator" content="chainrule"/>'  # in the head of every page that chainrule writes


def write(path: str | os.PathLike[str], content: str | bytes) -> None:
    """Write text, as UTF-8 with its line ends unchanged, or bytes to a file, which is replaced only on success.

    A symbolic link stays, and the file that it names is replaced. Mode and owner of an old file are kept, and one that
    is marked read-only is refused. What is not a regular file, such as a pipe or /dev/null, is written to directly.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    if isinstance(content, str):
        content = content.encode("utf-8", "backslashreplace")  # a lone surrogate has no bytes
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():
        path.write_bytes(content)
        return
    old = path.stat() if path.exists() else None
    if old is not None and not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    remove_leftovers(path.parent)
    temporary, file = beside(path)
    try:
        with file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            if old is not None:
                with suppress(OSError, AttributeError):  # not allowed, or Windows
                    os.chown(temporary, old.st_uid, old.st_gid)
                temporary.chmod(old.st_mode & 0o7777)
            if fcntl is not None:
                temporary.replace(path)  # before the lock ends
        if fcntl is None:
            temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(path)
        raise


def beside(path: Path) -> tuple[Path, BinaryIO]:
    """Return a new file in the folder of `path`, open and locked, with the mode that the umask gives to new files."""
    while True:
        temporary = path.with_name(f"{PREFIX}{secrets.token_hex(4)}{SUFFIX}")
        try:
            file = temporary.open("xb")
        except FileExistsError:
            continue
        if fcntl is None:
            return temporary, file
        with suppress(OSError):  # some network drives have no locks
            fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file.fileno()).st_nlink:
            return temporary, file
        file.close()  # another process took it for a leftover before it was locked


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files of writers that were killed."""
    for path in folder.glob(f"{PREFIX}*{SUFFIX}"):
        with suppress(OSError):  # a writer holds its lock, it is another user's, or it is gone
            if fcntl is None:
                path.unlink()
                continue
            with path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()
