"""Helpers of the command-line tests: running it in this process or in its own, and small tables."""

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

from chainrule import cli


class Done(NamedTuple):
    code: int
    out: str
    err: str


def run(*arguments: object, **options) -> subprocess.CompletedProcess:
    """Run the command line in a process of its own."""
    command = [sys.executable, "-m", "chainrule", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, **options)


def call(capsys, *arguments: object) -> Done:
    """Run the command line in this process."""
    code = cli.main([str(argument) for argument in arguments])
    return Done(code, *capsys.readouterr())


def assert_one_line(text: str) -> None:
    assert text.endswith("\n")
    assert text.count("\n") == 1, text
    assert text.startswith("chainrule")


def assert_mistake(done: Done, *told: str, code: int = 1) -> None:
    """Assert that a command has failed with one line that says so much, and has printed nothing."""
    assert done.code == code, done
    assert done.out == ""
    assert_one_line(done.err)
    for text in told:
        assert text in done.err


def flowers(n: int = 60, seed: int = 0) -> list[dict[str, object]]:
    """Return rows of two numbers, a color and a species that follows from all of them."""
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(n):
        length, width = rng.normal(5, 1), rng.normal(3, 1)
        color = str(rng.choice(["red", "white", "blue"]))
        species = "iris" if length + (color == "blue") * 2 > width + 2.5 else "rose"
        rows.append({"length": round(length, 3), "width": round(width, 3), "color": color, "species": species})
    return rows


def as_csv(rows, sep: str = ",", *, header: bool = True, end: str = "\n") -> str:
    """Return rows as CSV; no cell needs quotes."""
    lines = [sep.join(map(str, rows[0]))] if header else []
    return end.join([*lines, *(sep.join(map(str, row.values())) for row in rows), ""])


def trained_garden(folder: Path, *options: object) -> Path:
    """Write garden.csv and the model of it to the folder, and return the folder."""
    (folder / "garden.csv").write_text(as_csv(flowers()))
    train = ["train", folder / "garden.csv", "--target", "species", "--out", folder / "model", *options]
    assert cli.main([str(word) for word in train]) == 0
    return folder
