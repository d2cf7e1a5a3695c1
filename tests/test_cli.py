"""The command line: what it prints, its exit codes, and that a mistake is one line and never a traceback."""

import os
import subprocess
import sys

import numpy as np
import pytest

import chainrule
from chainrule import cli


def run(*arguments: str, **options) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "chainrule", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, **options)


def assert_one_line(text: str) -> None:
    assert text.endswith("\n")
    assert text.count("\n") == 1, text
    assert text.startswith("chainrule")


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
    assert "demo" in printed
    assert "info" in printed


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["dmeo"], "unknown command 'dmeo'; did you mean 'demo'? (known: demo, info)"),
        (["xyzzy"], "unknown command 'xyzzy' (known: demo, info)"),
        (["demo", "--epoch", "3"], "unknown option '--epoch'; did you mean '--epochs'?"),
        (["demo", "--ouy=x"], "unknown option '--ouy'; did you mean '--out'?"),
        (["--verion"], "unknown option '--verion'; did you mean '--version'?"),
        (["demo", "more"], "unexpected argument 'more'"),
        (["demo", "--epochs"], "argument --epochs: expected one argument"),
        (["demo", "--epochs", "many"], "'many' is not a whole number from 1 to "),
        (["demo", "--epochs", "0"], "'0' is not a whole number from 1 to "),
        (["demo", "--seed", "-1"], "'-1' is not a whole number from 0 to "),
    ],
)
def test_wrong_command_line_is_one_line_and_exit_code_2(arguments, told, capsys):
    with pytest.raises(SystemExit) as left:
        cli.main(arguments)
    assert left.value.code == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert_one_line(printed.err)
    assert told in printed.err
    assert "--help" in printed.err


def test_wrong_command_line_in_a_process_of_its_own():
    done = run("dmeo")
    assert done.returncode == 2
    assert done.stdout == ""
    assert_one_line(done.stderr)


def test_help_of_a_command_names_its_options(capsys):
    with pytest.raises(SystemExit) as left:
        cli.main(["demo", "--help"])
    assert left.value.code == 0
    printed = capsys.readouterr().out
    for option in ("--seed", "--seeds", "--epochs", "--out", "--no-plot", "--no-compare"):
        assert option in printed


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
    assert cli.main(arguments) == 1
    printed = capsys.readouterr().err
    assert_one_line(printed)
    assert told in printed
    assert "pip install chainrule[" in printed


def test_reader_who_has_enough_is_no_error():
    """``chainrule info | head -1`` ends quietly."""
    with subprocess.Popen(
        [sys.executable, "-m", "chainrule", "info"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_interrupt_is_one_line(monkeypatch, capsys):
    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "run_info", interrupted)
    assert cli.main(["info"]) == 130
    assert_one_line(capsys.readouterr().err)
