"""What commands put out: files that are never lost unasked, text without control characters, and predictions."""

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from chainrule import Network
from chainrule.cli import writing
from chainrule.tabular import TabularModel

from .command_line import assert_mistake, call, run, trained_garden

QUICK = ("--epochs", 2, "--patience", 0, "--hidden", 3)
ESCAPE = "\x1b]0;title\x07\x1b[2J"


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def garden(tmp_path_factory):
    """Return a folder with garden.csv and the model of it."""
    return trained_garden(tmp_path_factory.mktemp("garden"), *QUICK, "--quiet")


# ── Files ──


def test_train_replaces_its_own_model_and_report(garden, capsys):
    for epochs in (2, 3):
        assert call(capsys, "train", garden / "garden.csv", "--target", "species", *QUICK, "--epochs", epochs).code == 0
    assert TabularModel.load("model.safetensors").notes["epochs"] == "3"
    assert "3 of at most 3" in Path("model.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["model.safetensors", "model.html"])
def test_train_refuses_to_replace_a_file_of_somebody_else(garden, capsys, name):
    Path(name).write_text("mine")
    train = ["train", garden / "garden.csv", "--target", "species", *QUICK]
    told = f"'{name}' exists, and chainrule did not write it; --force replaces it"
    assert_mistake(call(capsys, *train), told, code=2)
    assert Path(name).read_text() == "mine"
    assert call(capsys, *train, "--force").code == 0
    assert TabularModel.load("model.safetensors")


def test_safetensors_of_another_library_are_somebody_elses(garden, capsys):
    header = b'{"__metadata__":{"format":"pt"}}'
    Path("model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    done = call(capsys, "train", garden / "garden.csv", "--target", "species", *QUICK)
    assert_mistake(done, "chainrule did not write it", code=2)


def test_model_of_save_is_chainrules(garden, capsys):
    Network([1, 1], seed=0).save("model.safetensors")
    assert call(capsys, "train", garden / "garden.csv", "--target", "species", *QUICK).code == 0


def test_empty_file_holds_nothing_to_lose(garden, capsys):
    Path("p.csv").touch()
    assert call(capsys, "predict", garden / "model", garden / "garden.csv", "--out", "p.csv").code == 0


def test_predict_refuses_to_replace_a_file_unless_forced(garden, capsys):
    predict = ["predict", garden / "model", garden / "garden.csv", "--out", "p.csv"]
    Path("p.csv").write_text("mine")
    assert_mistake(call(capsys, *predict), "'p.csv' exists, and chainrule did not write it", code=2)
    assert Path("p.csv").read_text() == "mine"
    assert call(capsys, *predict, "--force").code == 0
    assert Path("p.csv").read_text().startswith("prediction\n")


@pytest.mark.parametrize("name", ["garden.csv", "model"])
def test_input_is_not_replaced_even_if_forced(garden, capsys, name):
    before = (garden / name).read_bytes()
    predict = ["predict", garden / "model", garden / "garden.csv", "--out", garden / name, "--force"]
    assert_mistake(call(capsys, *predict), "would be written over", code=2)
    train = ["train", garden / "garden.csv", "--test", garden / "model", "--target", "species", "--force"]
    assert_mistake(call(capsys, *train, "--out", garden / name), "would be written over", code=2)
    assert (garden / name).read_bytes() == before


def test_explain_replaces_its_own_page_only(garden, capsys):
    explain = ["explain", garden / "model", garden / "garden.csv", "--html", "e.html"]
    assert [call(capsys, *explain).code for _ in range(2)] == [0, 0]
    assert call(capsys, "explain", "--example", "mazur", "--html", "e.html").code == 0
    Path("e.html").write_text("<html>mine</html>")
    assert_mistake(call(capsys, *explain), "chainrule did not write it", code=2)
    assert call(capsys, *explain, "--force").code == 0


@pytest.mark.skipif(os.name != "posix", reason="a device")
def test_out_may_be_a_device(garden, capsys):
    assert call(capsys, "predict", garden / "model", garden / "garden.csv", "--out", os.devnull).code == 0


def test_report_says_when_and_how_it_was_made_without_the_path_in_its_title(garden, capsys):
    train = ["train", garden / "garden.csv", "--target", "species", *QUICK, "--out", "a model"]
    assert call(capsys, *train).code == 0
    page = Path("a model.html").read_text(encoding="utf-8")
    assert "<title>species from garden.csv</title>" in page
    assert re.search(r"<th>written</th><td>20\d\d-\d\d-\d\d \d\d:\d\d", page)
    assert "garden.csv --target species --epochs 2 --patience 0 --hidden 3 --out &#x27;a model&#x27;</td>" in page
    assert "<tr><th>learning rate</th><td>0.001</td></tr>" in page
    assert "prefers-color-scheme: dark" in page


@pytest.mark.parametrize("label", ["$0-$50k", "$5^$", "_x", "日本", "🦀", "e\u0301", "<b>&amp;"])
def test_class_names_of_any_script_are_told_as_they_are(capsys, label):
    table = pd.DataFrame({"a": np.arange(40) * 7 % 11, "y": [label, "b"] * 20})
    table.to_csv("t.csv", index=False)
    done = call(capsys, "train", "t.csv", "--target", "y", *QUICK)  # a warning would be an error here
    assert (done.code, done.err) == (0, "")
    assert label in done.out
    page = Path("model.html").read_text(encoding="utf-8")
    assert f"<th>{label.replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;')}</th>" in page


# ── Text on a terminal ──


@pytest.mark.parametrize("character", [*map(chr, range(32)), "\x7f", "\x9b", "\u202e", "\u2028", "\ufeff", "\ud800"])
def test_printable_writes_out_what_is_not_shown(character):
    assert writing.printable(f"a{character}b").isprintable()
    assert writing.printable(f"a{character}b") != f"a{character}b"


@pytest.mark.parametrize("text", ["größe", "中国", "\u00a0 \u3000", "👩\u200d🔬", "می\u200cخواهم", "e\u0301"])
def test_printable_leaves_what_is_shown(text):
    assert writing.printable(text) == text


def test_hostile_labels_names_and_notes_are_printed_without_control_characters(capsys):
    table = pd.DataFrame({f"a{ESCAPE}": np.arange(40) * 7 % 11, "c": ["u", f"v{ESCAPE}"] * 20})
    table["y"] = ["x", f"y{ESCAPE}", "x", "x"] * 10
    table.to_csv("d.csv", index=False)
    model = ["train", "d.csv", "--target", "y", *QUICK, "--no-report"]
    said = [call(capsys, *model), call(capsys, "info", "model.safetensors")]
    loaded = TabularModel.load("model.safetensors")
    loaded.notes[f"note{ESCAPE}"] = f"{ESCAPE}\nline"
    loaded.save("model.safetensors")
    said += [
        call(capsys, "info", "model.safetensors"),
        call(capsys, "evaluate", "model.safetensors", "d.csv"),
        call(capsys, "explain", "model.safetensors", "d.csv"),
        call(capsys, "train", "d.csv", "--target", ESCAPE),
        call(capsys, "train", "d.csv", "--target", "y", "--drop", ESCAPE),
        call(capsys, "predict", "model.safetensors", f"{ESCAPE}.csv"),
        call(capsys, ESCAPE),
        call(capsys, "train", "d.csv", f"--{ESCAPE}"),
    ]
    table.assign(y="new\x1b").to_csv("e.csv", index=False)
    said += [call(capsys, "evaluate", "model.safetensors", "e.csv")]
    table.assign(c="new\x1b").to_csv("e.csv", index=False)
    said += [call(capsys, "predict", "model.safetensors", "e.csv")]
    table.rename(columns={"c": "\x1b"}).to_csv("e.csv", index=False)
    said += [call(capsys, "predict", "model.safetensors", "e.csv")]
    for done in said:
        assert not set(done.out + done.err) & set(map(chr, [*range(10), *range(11, 32), 127, 0x9B])), done
    assert r"y\x1b]0;title\x07\x1b[2J: 10" in said[0].out


@pytest.mark.skipif(os.name != "posix", reason="a pseudo-terminal")
def test_predictions_are_raw_in_a_file_and_escaped_on_a_terminal(capsys):
    import pty

    pd.DataFrame({"a": np.arange(40) * 7 % 11, "y": ["x\x1b", "y\x1b"] * 20}).to_csv("d.csv", index=False)
    assert call(capsys, "train", "d.csv", "--target", "y", *QUICK, "--no-report").code == 0
    predict = [sys.executable, "-m", "chainrule", "predict", "model.safetensors", "d.csv"]
    piped = subprocess.run(predict, capture_output=True, check=True).stdout
    assert piped.count(b"\x1b") == 40
    terminal, other_end = pty.openpty()
    try:
        subprocess.run(predict, stdout=other_end, check=True)
        shown = os.read(terminal, 10_000)
    finally:
        os.close(other_end)
        os.close(terminal)
    assert b"\x1b" not in shown
    assert shown.count(b"\\x1b") == 40


def test_output_that_has_no_such_letters_escapes_them():
    pd.DataFrame({"a": np.arange(40) * 7 % 11, "y": ["日本", "中国"] * 20}).to_csv("d.csv", index=False)
    latin = os.environ | {"PYTHONIOENCODING": "latin-1"}
    done = run("train", "d.csv", "--target", "y", *QUICK, "--no-report", env=latin)
    assert (done.returncode, done.stderr) == (0, "")
    assert r"\u65e5\u672c: 20" in done.stdout
    done = subprocess.run(
        [sys.executable, "-m", "chainrule", "predict", "model.safetensors", "d.csv"],
        capture_output=True,
        check=True,
        env=latin,
    )
    assert set(done.stdout.decode("utf-8").split()) <= {"prediction", "日本", "中国"}


# ── predict ──


def test_predict_keeps_columns_by_name_or_number(garden, capsys):
    done = call(capsys, "predict", garden / "model", garden / "garden.csv", "--keep", "color", "--keep", 1)
    table, data = pd.read_csv(io.StringIO(done.out)), pd.read_csv(garden / "garden.csv")
    assert table.columns.tolist() == ["color", "length", "prediction"]
    assert table[["color", "length"]].equals(data[["color", "length"]])


def test_predict_appends_to_the_columns_of_the_table(garden, capsys):
    done = call(capsys, "predict", garden / "model", garden / "garden.csv", "--append", "--probabilities")
    table, data = pd.read_csv(io.StringIO(done.out)), pd.read_csv(garden / "garden.csv")
    assert table.columns.tolist() == [*data.columns, "prediction", "probability iris", "probability rose"]
    assert table[data.columns].equals(data)


def test_predict_refuses_two_columns_of_one_name(garden, capsys):
    pd.read_csv(garden / "garden.csv").assign(prediction=1).to_csv("p.csv", index=False)
    done = call(capsys, "predict", garden / "model", "p.csv", "--append", "--quiet")
    assert_mistake(done, "'--append': p.csv has a column named 'prediction' already", code=2)


def test_predict_writes_lines_of_json(garden, capsys):
    predict = ["predict", garden / "model", garden / "garden.csv", "--keep", "color", "--probabilities"]
    rows = [json.loads(line) for line in call(capsys, *predict, "--json").out.splitlines()]
    table = pd.read_csv(io.StringIO(call(capsys, *predict).out))
    assert rows == table.to_dict("records")


def test_predict_to_standard_output_by_name(garden, capsys):
    plain = call(capsys, "predict", garden / "model", garden / "garden.csv")
    assert call(capsys, "predict", garden / "model", garden / "garden.csv", "--out", "-") == plain


def test_predict_escapes_formulas_where_asked(capsys):
    labels = ["=1+1", "+a", "-b", "@x", "plain", "x=1"]
    pd.DataFrame({"a": np.arange(60), "=b": labels * 10, "y": labels * 10}).to_csv("f.csv", index=False)
    assert call(capsys, "train", "f.csv", "--target", "y", "--task", "classification", *QUICK, "--no-report").code == 0
    predict = ["predict", "model.safetensors", "f.csv", "--keep", "=b", "--keep", "a"]
    raw = pd.read_csv(io.StringIO(call(capsys, *predict).out), dtype=str)
    safe = pd.read_csv(io.StringIO(call(capsys, *predict, "--escape-formulas").out), dtype=str)
    assert raw["=b"].tolist()[0] == "=1+1"
    assert safe.columns.tolist() == ["'=b", "a", "prediction"]
    for before, after in zip(raw.to_numpy().ravel(), safe.to_numpy().ravel(), strict=True):
        assert after == (f"'{before}" if before[0] in "=+-@" else before)


def test_predict_keeps_every_digit(capsys):
    table = pd.DataFrame({"a": range(200), "y": [1_700_000_000 + 3 * i for i in range(200)]})
    table.to_csv("t.csv", index=False)
    assert call(capsys, "train", "t.csv", "--target", "y", *QUICK, "--no-report").code == 0
    printed = call(capsys, "predict", "model.safetensors", "t.csv").out.splitlines()[1:]
    assert [float(line) for line in printed] == TabularModel.load("model.safetensors").predict(table).tolist()


def test_quiet_says_nothing_but_results(garden, capsys):
    frame = pd.read_csv(garden / "garden.csv").assign(more=1)
    frame.to_csv("o.csv", index=False)
    done = call(capsys, "predict", garden / "model", "o.csv", "--quiet")
    assert (done.code, done.err) == (0, "")
    assert done.out.count("\n") == 61
    done = call(capsys, "train", garden / "garden.csv", "--target", "species", *QUICK, "--quiet")
    assert done == (0, "", "")


# ── Completion ──


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_gives_the_script_that_click_documents(shell):
    done = run(env=os.environ | {"_CHAINRULE_COMPLETE": f"{shell}_source"})
    assert done.returncode == 0, done.stderr
    assert f"_CHAINRULE_COMPLETE={shell}_complete" in done.stdout


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("chainrule tr", ["train"]),
        ("chainrule train --optimizer ada", ["adagrad", "adam", "adamw"]),
        ("chainrule train --tas", ["--task"]),
        ("chainrule train --task re", ["regression"]),
        ("chainrule explain --example m", ["mazur"]),
    ],
)
def test_completion_knows_commands_options_and_names(words, expected):
    ask = {"_CHAINRULE_COMPLETE": "zsh_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    done = run(env=os.environ | ask)
    found = done.stdout.split("\n")[1::3]
    assert set(expected) <= set(found)
    assert all(name.startswith(words.split()[-1]) for name in found)
