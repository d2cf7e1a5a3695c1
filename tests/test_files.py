"""Files are written whole or not at all, by `chainrule.files.write`."""

import os
import signal
import stat
import subprocess
import sys

import pytest

from chainrule import Network, files

posix = pytest.mark.skipif(os.name != "posix", reason="modes, links and locks of POSIX")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("content", ["", "a\r\nb\n", "größe 中国 🦀", "\udcff", b"\0\xff"])
def test_write_puts_every_byte_there(tmp_path, content):
    files.write(tmp_path / "a", content)
    expected = content if isinstance(content, bytes) else content.encode("utf-8", "backslashreplace")
    assert (tmp_path / "a").read_bytes() == expected
    files.write(str(tmp_path / "a"), "again")
    assert (tmp_path / "a").read_text() == "again"
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch, error):
    (tmp_path / "a").write_text("old")

    def full(_):
        raise error

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(type(error)):
        files.write(tmp_path / "a", "new")
    assert (tmp_path / "a").read_text() == "old"
    assert names(tmp_path) == ["a"]


def test_write_to_no_folder_or_to_a_folder_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        files.write(tmp_path / "none" / "a", "new")
    with pytest.raises(IsADirectoryError):
        files.write(tmp_path, "new")
    assert names(tmp_path) == []


@posix
def test_write_keeps_the_mode_of_an_old_file_and_gives_a_new_one_the_usual_mode(tmp_path):
    (tmp_path / "old").write_text("")
    (tmp_path / "old").chmod(0o640)
    (tmp_path / "usual").write_text("")
    for name in ("old", "new"):
        files.write(tmp_path / name, "x")
    mode = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert mode["old"] == 0o640
    assert mode["new"] == mode["usual"]


@posix
def test_write_through_a_link_keeps_the_link(tmp_path):
    for target in ("there", "to be"):
        (tmp_path / "link").unlink(missing_ok=True)
        (tmp_path / "link").symlink_to(target)
        (tmp_path / "there").write_text("old")
        files.write(tmp_path / "link", "new")
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / target).read_text() == "new"


@posix
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="nothing is read-only to root")
def test_write_refuses_a_file_that_is_marked_read_only(tmp_path):
    (tmp_path / "a").write_text("old")
    (tmp_path / "a").chmod(0o444)
    with pytest.raises(PermissionError):
        files.write(tmp_path / "a", "new")
    assert (tmp_path / "a").read_text() == "old"


@posix
def test_write_to_a_pipe_goes_through_it(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        files.write(tmp_path / "pipe", "through")
        assert os.read(reader, 100) == b"through"
    finally:
        os.close(reader)
    files.write(os.devnull, "gone")
    assert names(tmp_path) == ["pipe"]


@posix
def test_write_removes_what_a_killed_writer_left_but_not_what_one_at_work_holds(tmp_path):
    code = (
        "import os, time\nfrom chainrule import files\n"
        "os.fsync = lambda _: (print('written', flush=True), time.sleep(60))\nfiles.write('theirs', 'x')"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout.readline() == "written\n"
        files.write(tmp_path / "mine", "x")
        (held,) = (path for path in tmp_path.iterdir() if path.name != "mine")
        writer.send_signal(signal.SIGKILL)
    assert held.exists()
    (tmp_path / ".chainrule-notes.txt").write_text("somebody's own")
    files.write(tmp_path / "mine", "y")
    assert names(tmp_path) == [".chainrule-notes.txt", "mine"]


@posix
@pytest.mark.parametrize("left_by", ["model", "text"])
def test_each_writer_removes_what_the_other_left(tmp_path, left_by):
    leftover = tmp_path / f"{files.PREFIX}12345678{files.SUFFIX}"
    leftover.write_text("a part")
    if left_by == "text":
        Network([1, 1], seed=0).save(tmp_path / "model")
    else:
        files.write(tmp_path / "model", "x")
    assert names(tmp_path) == ["model"]


@posix
def test_what_looks_left_behind_but_is_no_file_stays(tmp_path):
    os.mkfifo(tmp_path / ".chainrule-pipe.tmp")
    (tmp_path / ".chainrule-link.tmp").symlink_to("a")
    (tmp_path / ".chainrule-folder.tmp").mkdir()
    files.write(tmp_path / "a", "x")
    assert names(tmp_path) == [".chainrule-folder.tmp", ".chainrule-link.tmp", ".chainrule-pipe.tmp", "a"]


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="no extended attributes here")
def test_write_keeps_owner_and_extended_attributes(tmp_path):
    path = tmp_path / "a"
    path.write_text("old")
    attributes = {"user.note": b"mine", "user.empty": b"", "user.long": b"x" * 1000}
    try:
        for name, value in attributes.items():
            os.setxattr(path, name, value)
    except OSError:
        attributes = {}  # this file system has none
    if os.geteuid() == 0:
        os.chown(path, 1234, 5678)
    path.chmod(0o604)
    old = path.stat()
    files.write(path, "new")
    new = path.stat()
    assert (new.st_uid, new.st_gid, new.st_mode) == (old.st_uid, old.st_gid, old.st_mode)
    assert {name: os.getxattr(path, name) for name in os.listxattr(path) if name in attributes} == attributes
    assert path.read_text() == "new"


@posix
def test_write_flushes_the_file_and_then_its_folder(tmp_path, monkeypatch):
    flushed, fsync = [], os.fsync

    def spy(descriptor):
        flushed.append((stat.S_ISDIR(os.fstat(descriptor).st_mode), (tmp_path / "a").exists()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", spy)
    files.write(tmp_path / "a", "x")
    assert flushed == [(False, False), (True, True)]
