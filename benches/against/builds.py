"""The package of a commit and that of the working tree, each with its native module, in folders below target/against.

Nothing is installed: a process imports the package of the folder that its PYTHONPATH names. Both are built by one
command in one target folder, so that they share the dependencies. What a commit was built to is kept.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

from benches.peers.machine import ROOT

FOLDER = ROOT / "target" / "against"


def of_commit(revision: str) -> tuple[str, Path]:
    """Return the short name of a commit, and the folder with its package, built where it is not there yet."""
    commit = _run("git", "rev-parse", "--verify", f"{revision}^{{commit}}").decode().strip()
    folder = FOLDER / commit[:12]
    if not (folder / "chainrule").exists():
        shutil.rmtree(folder, ignore_errors=True)
        source = folder / "source"
        with tarfile.open(fileobj=io.BytesIO(_run("git", "archive", commit))) as files:
            files.extractall(source, filter="data")
        _build(source, folder)
        shutil.rmtree(source)
    return commit[:7], folder


def of_working_tree() -> Path:
    """Return the folder with the package of the working tree as it is now."""
    folder = FOLDER / "new"
    shutil.rmtree(folder, ignore_errors=True)
    _build(ROOT, folder)
    return folder


def _build(source: Path, folder: Path) -> None:
    """Compile the native module of a tree and put the package together."""
    print(f"building {folder.name} …", file=sys.stderr, flush=True)
    # As make has them: the module is not linked to libpython.
    env = {"PYO3_PYTHON": sys.executable, "PYO3_BUILD_EXTENSION_MODULE": "1"} | dict(os.environ)
    # Where cargo has nothing to compile it leaves the module of the other tree, which has the same name.
    for path in (FOLDER / "build" / "release").glob("lib_native.*"):
        path.unlink()
    command = ["cargo", "build", "--quiet", "--release", "--locked", "--package", "chainrule-py"]
    subprocess.run([*command, "--target-dir", FOLDER / "build"], cwd=source, env=env, check=True)
    (module,) = (path for path in (FOLDER / "build" / "release").glob("lib_native.*") if path.suffix != ".d")
    # Renamed at the end: a folder of that name is whole.
    unfinished = folder / "unfinished"
    ignored = shutil.ignore_patterns("__pycache__", "_native*.so")
    shutil.copytree(source / "python" / "chainrule", unfinished, ignore=ignored)
    shutil.copy(module, unfinished / "_native.abi3.so")
    unfinished.rename(folder / "chainrule")


def _run(*command: str) -> bytes:
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
