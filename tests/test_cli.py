"""The command line: its output, its exit codes, and errors in one line without a traceback."""

import os
import re
import subprocess
import sys

import click
import numpy as np
import pytest

import chainrule
from chainrule import cli
from chainrule.cli import app

from .command_line import assert_mistake, assert_one_line, call, run


def test_info_shows_versions_target_and_options(capsys):
    assert cli.main(["info"]) == 0
    printed = capsys.readouterr()
    rows = dict(line.split(maxsplit=1) for line in printed.out.splitlines())
    assert rows["chainrule"] == chainrule.__version__
    assert rows["numpy"] == np.__version__
    for kind, names in chainrule.registry().items():
        if kind in ("activation", "optimizer", "init", "layer"):
            assert rows[f"{kind}s"] == ", ".join(names)
    assert rows["losses"] == ", ".join(chainrule.registry()["loss"])
    assert "portable" in rows["target"]
    assert printed.err == ""


def test_info_shows_a_target_that_was_chosen():
    done = run("info", env=os.environ | {"CHAINRULE_TARGET": "portable"})
    assert done.returncode == 0, done.stderr
    assert "target            portable (usable" in done.stdout
    assert "CHAINRULE_TARGET  portable" in done.stdout


def test_target_that_does_not_exist_is_one_line():
    done = run("info", env=os.environ | {"CHAINRULE_TARGET": "abacus"})
    assert done.returncode == 1
    assert_one_line(done.stderr)
    assert "abacus" in done.stderr


def test_version_is_printed(capsys):
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"chainrule {chainrule.__version__}\n"


def test_no_command_prints_help(capsys):
    assert cli.main([]) == 0
    printed = capsys.readouterr().out
    for command in app.COMMANDS:
        assert re.search(rf"^  {command} ", printed, re.MULTILINE)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["dmeo"], "command 'dmeo' is unknown; did you mean 'demo'? (known: train, predict"),
        (["xyzzy"], "command 'xyzzy' is unknown (known: train, predict"),
        (["demo", "--epoch", "3"], "option '--epoch' is unknown; did you mean '--epochs'?"),
        (["demo", "--ouy=x"], "option '--ouy' is unknown; did you mean '--out'?"),
        (["--verion"], "option '--verion' is unknown; did you mean '--version'?"),
        (["train", "x.csv", "--lr", "1"], "option '--lr' is unknown; did you mean '--learning-rate'?"),
        (["train", "x.csv", "--batch_size", "1"], "option '--batch_size' is unknown; did you mean '--batch-size'?"),
        (["info", "--xyzzy"], "option '--xyzzy' is unknown; known are --help"),
        (["demo", "-x"], "option '-x' is unknown"),
        (["demo", "more"], "unexpected extra argument (more)"),
        (["demo", "--epochs"], "Option '--epochs' requires an argument"),
        (["demo", "--epochs", "many"], "'many' is not a valid integer"),
        (["demo", "--epochs", "0"], "0 is not in the range"),
        (["demo", "--seed", "-1"], "-1 is not in the range"),
    ],
)
def test_wrong_command_line_is_one_line_and_exit_code_2(arguments, told, capsys):
    assert_mistake(call(capsys, *arguments), told, "--help", code=2)


@pytest.mark.parametrize("name", app.COMMANDS)
def test_every_option_that_is_misspelled_has_its_name_told(name, capsys):
    command = app.group.get_command(click.Context(app.group), name)
    options = [option for parameter in command.params for option in parameter.opts if option.startswith("--")]
    for option in options:
        told = f"option '{option}x' is unknown; did you mean '{option}'?"
        assert_mistake(call(capsys, name, f"{option}x"), told, code=2)


@pytest.mark.parametrize("name", app.COMMANDS)
def test_every_command_explains_itself(name, capsys):
    done = call(capsys, name, "--help")
    assert done.code == 0
    assert done.out.startswith(f"Usage: chainrule {name} ")
    assert "-h, --help" in done.out


def test_wrong_command_line_in_a_process_of_its_own():
    done = run("dmeo")
    assert done.returncode == 2
    assert done.stdout == ""
    assert_one_line(done.stderr)


def test_folder_that_cannot_be_written_is_one_line(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert cli.main(["demo", "--epochs", "1", "--out", str(tmp_path / "file" / "plots")]) == 1
    assert_one_line(capsys.readouterr().err)


@pytest.mark.parametrize(
    ("module", "arguments", "told"),
    [("sklearn.datasets", ["demo", "--no-plot"], "scikit-learn"), ("matplotlib.figure", ["demo"], "matplotlib")],
)
def test_missing_package_names_the_extra(module, arguments, told, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, module, None)
    assert_mistake(call(capsys, *arguments), told, "pip install 'chainrule[")


@pytest.mark.parametrize(
    ("module", "arguments", "told"),
    [
        ("click", ["info"], "chainrule: the command line needs click: pip install 'chainrule[cli]'"),
        ("pandas", ["train", "x.csv"], "chainrule train: tables need pandas: pip install 'chainrule[cli]'"),
        ("pandas", ["predict", "m", "x.csv"], "chainrule predict: tables need pandas: pip install 'chainrule[cli]'"),
        ("matplotlib", ["train", "x.csv"], "chainrule train: plots need matplotlib: pip install 'chainrule[plot]'"),
        (
            "sklearn",
            ["train", "x.csv", "--target", "b", "--no-report"],
            "needs scikit-learn: pip install 'chainrule[cli]'",
        ),
    ],
)
def test_missing_extra_is_one_line_and_exit_code_1(module, arguments, told, tmp_path):
    (tmp_path / "x.csv").write_text("a,b\n" + "1,2\n2,1\n3,7\n" * 10)
    code = f"import sys; sys.modules[{module!r}] = None; from chainrule.cli import main; sys.exit(main({arguments!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 1
    assert_one_line(done.stderr)
    assert told in done.stderr


@pytest.mark.parametrize("arguments", [["info"], ["--version"], ["--help"]])
def test_what_needs_no_table_runs_without_pandas(arguments):
    code = f"import sys; sys.modules['pandas'] = None; from chainrule.cli import main; sys.exit(main({arguments!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_reader_who_has_enough_is_no_error():
    """``chainrule info | head -1`` ends quietly."""
    with subprocess.Popen(
        [sys.executable, "-m", "chainrule", "info"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_interrupt_is_one_line(monkeypatch, capsys):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr("chainrule.cli.info.installation", interrupted)
    assert cli.main(["info"]) == 130
    assert_one_line(capsys.readouterr().err)
