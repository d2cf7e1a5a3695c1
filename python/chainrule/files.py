"""Writing a file whole or not at all: beside its place under a temporary name, then renamed.

    .chainrule-XXXXXXXX.tmp ─ written, flushed to disk ─▶ renamed to the path

Readers see the old file or the new one, never a part. If anything fails, the old file stays. A process that is killed
leaves its temporary file behind; the next `write` to that folder removes it. A writer at work holds a lock on its own,
which tells the two apart. Model files are written in the same way, by rust/py/src/file.rs; each of the two removes what
the other left behind.
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
PREFIX, SUFFIX = ".chainrule-", ".tmp"
GENERATOR = '<meta name="generator" content="chainrule"/>'  # in the head of every page that chainrule writes


def write(path: str | os.PathLike[str], content: str | bytes) -> None:
    """Write text, as UTF-8 with its line ends unchanged, or bytes to a file, which is replaced only on success.

    A symbolic link stays, and the file that it names is replaced. The mode of an old file is kept, and its owner and
    extended attributes where the system allows that; one that is marked read-only is refused. What is not a regular
    file, such as a pipe or /dev/null, is written to directly.

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
            if old is not None:
                keep_attributes(path, old, temporary)
                temporary.chmod(old.st_mode & 0o7777)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            if fcntl is not None:
                temporary.replace(path)  # before the lock ends
        if fcntl is None:
            temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(path)
        raise
    sync_folder(path.parent)


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


def keep_attributes(path: Path, old: os.stat_result, new: Path) -> None:
    """Give a new file the owner and the extended attributes of the one at `path`, as far as the system allows it."""
    for owner in (old.st_uid, -1) if hasattr(os, "chown") else ():  # if not the owner, then the group alone
        with suppress(OSError):
            os.chown(new, owner, old.st_gid)
            break
    with suppress(OSError):  # the file system has none
        for name in os.listxattr(path) if hasattr(os, "listxattr") else ():
            with suppress(OSError):
                os.setxattr(new, name, os.getxattr(path, name))


def sync_folder(folder: Path) -> None:
    """Flush the folder, so that the new name is on disk; until then a power cut may bring back the old file."""
    if fcntl is None:
        return  # Windows opens no folders
    with suppress(OSError):  # some file systems cannot
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files of writers that were killed."""
    for path in folder.glob(f"{PREFIX}*{SUFFIX}"):
        if path.is_symlink() or not path.is_file():
            continue  # none of ours, and a pipe would be waited for
        with suppress(OSError):  # a writer holds its lock, it is another user's, or it is gone
            if fcntl is None:
                path.unlink()
                continue
            with path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()
