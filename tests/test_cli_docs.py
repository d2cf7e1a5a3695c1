"""The console sessions of docs/command-line.md run and print what the page says; the page names every command."""

import doctest
import re
import shlex
import subprocess
import sys
from pathlib import Path

from chainrule.cli import app

PAGE = (Path(__file__).parents[1] / "docs" / "command-line.md").read_text(encoding="utf-8")
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def test_console_sessions_print_what_the_page_says(tmp_path):
    sessions = re.findall(r"^```console\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    assert sessions
    for command, expected in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", "".join(sessions), flags=re.MULTILINE):
        program, *arguments = shlex.split(command)
        start = [sys.executable] if program == "python" else [sys.executable, "-m", "chainrule"]
        done = subprocess.run([*start, *arguments], capture_output=True, text=True, check=False, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, ""), command
        same = doctest.OutputChecker().check_output(expected, done.stdout, FLAGS)
        assert same, f"$ {command}\n{done.stdout}"
    assert (tmp_path / "predictions.csv").read_text().startswith("prediction,probability setosa,")


def test_page_names_every_command_and_option_of_train():
    named = set(re.findall(r"`(\w+)[^`\n]*`", PAGE))
    assert set(app.COMMANDS) <= named
    options = {option for parameter in app.group.get_command(None, "train").params for option in parameter.opts}
    assert {option for option in options if option not in PAGE} <= {"--report", "--out"}
