"""The commands for tables from end to end, and one-line errors for wrong files and options."""

import io
import os
import re
import signal
import subprocess
import sys
from html import escape
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chainrule import Network, cli, registry
from chainrule.examples import EXAMPLES
from chainrule.tabular import TabularModel

from .command_line import assert_mistake, assert_one_line, call, flowers, run, trained_garden

QUICK = ("--epochs", 3, "--patience", 0, "--hidden", 4, "--no-report")


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def garden(tmp_path_factory):
    """Return a folder with garden.csv and the model of it."""
    return trained_garden(tmp_path_factory.mktemp("garden"))


@pytest.fixture(scope="module")
def pond(tmp_path_factory):
    """Return a folder with pond.csv, numbers without a header, and the model of it."""
    folder = tmp_path_factory.mktemp("pond")
    x = np.random.default_rng(0).normal(size=(80, 2))
    table = np.column_stack([x, 100 + 20 * x[:, 0] - 10 * x[:, 1]])
    np.savetxt(folder / "pond.csv", table, delimiter=",", fmt="%.4f")
    code = cli.main(["train", str(folder / "pond.csv"), "--target", "-1", "--out", str(folder / "model")])
    assert code == 0
    return folder


# ── train ──


def test_train_says_what_it_found_and_writes_model_and_report(garden, capsys, tmp_path):
    done = call(capsys, "train", garden / "garden.csv", "--target", "species")
    assert (done.code, done.err) == (0, "")
    rows = dict(line.split(maxsplit=1) for line in done.out.splitlines() if not line.startswith("held"))
    assert rows["data"].endswith("garden.csv: 60 rows, 4 columns, a header")
    assert rows["columns"] == "2 numeric and 1 categorical, 5 inputs"
    assert rows["target"] == "column 'species', classification (it holds words), 2 classes"
    assert set(rows["classes"].split(", ")) == {"iris: 40", "rose: 20"} or "iris: " in rows["classes"]
    assert re.search(r"^held out +12 rows +model +commonest class$", done.out, re.MULTILINE)
    score = re.search(r"^ +accuracy +(0\.\d{4}) +0\.\d{4}$", done.out, re.MULTILINE)
    assert float(score[1]) >= 0.75
    assert rows["model"].startswith("model.safetensors, trained on all 60 rows for ")
    assert rows["report"] == "model.html"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.html", "model.safetensors"]
    notes = TabularModel.load("model.safetensors").notes["held out"]
    assert notes.startswith(f"accuracy {score[1]}, balanced accuracy 0.")
    assert notes.endswith(" on 12 rows")


def test_train_measures_by_folds_and_on_another_file(garden, capsys):
    arguments = ["train", garden / "garden.csv", "--target", "species", "--folds", 3, "--test", garden / "garden.csv"]
    done = call(capsys, *arguments, *QUICK)
    assert done.code == 0
    assert re.search(r"^3 folds +60 rows .*\n +accuracy +0\.\d{4} ± 0\.\d{4} ", done.out, re.MULTILINE)
    assert re.search(r"^tested on +.*garden.csv\ntest +60 rows .*\n +accuracy +0\.\d{4} ", done.out, re.MULTILINE)
    assert "held out" not in done.out


def test_train_of_numbers_measures_in_their_unit(pond, capsys):
    done = call(capsys, "train", pond / "pond.csv", "--target", 3, "--no-report")
    assert "column 3, regression (it holds 80 different numbers)" in done.out
    assert re.search(r"^held out +16 rows +model +the mean$", done.out, re.MULTILINE)
    rmse, mae, r2 = (re.search(rf"^ +{name} +(\S+) +(\S+)$", done.out, re.MULTILINE) for name in ("RMSE", "MAE", "R²"))
    assert float(r2[1]) > 0.9
    assert float(r2[2]) == 0
    assert 0 < float(mae[1]) <= float(rmse[1]) < 10 < float(rmse[2])


def test_train_again_writes_the_same_bytes(garden, capsys):
    for name in ("first", "second"):
        done = call(capsys, "train", garden / "garden.csv", "--target", "species", "--out", name, "--seed", 5, *QUICK)
        assert done.code == 0
    assert Path("first").read_bytes() == Path("second").read_bytes()


def test_train_takes_options_with_fields(garden, capsys):
    options = ["--optimizer", "sgd:momentum=0.9,nesterov=TRUE", "--activation", "leaky_relu:negative_slope=0.2"]
    options += ["--learning-rate", 0.02, "--dropout", 0, "--l2", 0.001, "--batch-size", 7, "--init", "he_normal"]
    done = call(capsys, "train", garden / "garden.csv", "--target", "species", *options, *QUICK)
    assert done.code == 0
    network = TabularModel.load("model.safetensors").network
    assert (network.optimizer.momentum, network.optimizer.nesterov, network.learning_rate) == (0.9, True, 0.02)
    assert network.layers[0].activation.negative_slope == 0.2
    assert network.layers[0].l2 == 0.001
    assert network.step_count == 0, "what predicts needs no training state"


def test_train_reads_standard_input(garden, capsys, monkeypatch):
    content = (garden / "garden.csv").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert call(capsys, "train", "-", "--target", "species", *QUICK).code == 0
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert call(capsys, "predict", "model.safetensors", "-").out.count("\n") == 61
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a\n")))
    assert_mistake(call(capsys, "predict", "model.safetensors", "-"), "standard input: there are no rows")


@pytest.mark.parametrize("kind", ["activation", "optimizer", "init"])
def test_train_takes_every_option_by_name(garden, capsys, kind):
    for name in registry()[kind]:
        done = call(capsys, "train", garden / "garden.csv", "--target", "species", f"--{kind}", name, *QUICK)
        assert (done.code, done.err) == (0, ""), name


class Resources(HTMLParser):
    """Collects what a page refers to."""

    def __init__(self):
        super().__init__()
        self.found, self.tags, self.text = [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.found += [value for name, value in attributes if name in ("src", "href")]

    def handle_data(self, data):
        self.text.append(data)


def test_report_needs_nothing_beside_it(garden, pond):
    for folder, pictures in ((garden, 1), (pond, 2)):
        page = Resources()
        page.feed((folder / "model.html").read_text(encoding="utf-8"))
        assert len(page.found) == pictures
        assert all(source.startswith("data:image/png;base64,") for source in page.found)
        assert not {"script", "link", "iframe"} & set(page.tags)
        assert "Score: held out" in page.text


def test_report_shows_words_of_the_data_as_words(capsys):
    nasty = "<script>alert(1)</script>"
    rows = [{"x": i % 7, nasty: "$a_b^{" if i % 2 else nasty} for i in range(40)]
    pd.DataFrame(rows).to_csv("n.csv", index=False)
    done = call(capsys, "train", "n.csv", "--target", nasty, "--epochs", 2, "--report", "folder")
    assert done.code == 0, done.err
    page = Resources()
    page.feed(Path("folder/report.html").read_text(encoding="utf-8"))
    assert "script" not in page.tags
    assert any(nasty in text for text in page.text)


def test_report_of_many_classes_says_why_it_has_no_picture(capsys):
    pd.DataFrame({"x": range(400), "y": [f"c{i % 200}" for i in range(400)]}).to_csv("m.csv", index=False)
    done = call(capsys, "train", "m.csv", "--target", "y", "--epochs", 1, "--report", "r.html")
    assert done.code == 0, done.err
    assert "No confusion matrix: there are 200 classes" in Path("r.html").read_text(encoding="utf-8")


def test_interrupted_training_is_one_line_and_writes_nothing(garden, tmp_path):
    command = [sys.executable, "-m", "chainrule", "train", garden / "garden.csv", "--target", "species"]
    command += ["--patience", "0", "--epochs", "100000000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline().startswith("data"), "it is under way"
            process.send_signal(signal.SIGINT)
            _, error = process.communicate(timeout=30)
        finally:
            process.kill()  # it would train for months
    assert process.returncode == 130
    assert_one_line(error)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="a pseudo-terminal")
def test_progress_is_shown_on_a_terminal_only(garden):
    import pty
    import termios

    command = [sys.executable, "-m", "chainrule", "train", garden / "garden.csv", "--target", "species", "--no-report"]
    command += [
        "--patience",
        "0",
        "--epochs",
        "20000",
        "--batch-size",
        "64",
    ]  # a fraction of a second, in which the line is written over
    quiet = subprocess.run(command, capture_output=True, text=True, check=True)
    assert quiet.stderr == ""
    terminal, other_end = pty.openpty()
    termios.tcsetwinsize(other_end, (24, 100))  # a terminal without height shows no bar
    os.set_blocking(terminal, False)
    try:
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=other_end, check=True)
        shown = os.read(terminal, 100_000).decode()
    finally:
        os.close(other_end)
        os.close(terminal)
    assert "held out, all rows: epoch " in shown
    assert "\n" not in shown.rstrip("\r\n")


def test_train_prints_what_becomes_of_each_column_and_the_report_shows_it(capsys):
    frame = pd.DataFrame(flowers())
    frame.insert(0, "day", pd.date_range("2024-03-01", periods=60).strftime("%d.%m.%Y"))
    frame["price"] = [f"{i},50 €" for i in range(60)]
    frame.to_csv("p.csv", sep=";")
    done = call(capsys, "train", "p.csv", "--target", "species", "--epochs", 2)
    assert (done.code, done.err) == (0, "")
    for told in (
        "  column 1  left out    numbers the rows\n",
        "  day       dates       2024-03-01 to 2024-04-29: month, day, weekday, seconds\n",
        "  price     numbers     0.5 to 59.5, with decimal ',' and '€'\n",
        "  color     categories  'blue', 'red', 'white'\n",
    ):
        assert told in done.out
    page = Resources()
    page.feed(Path("model.html").read_text(encoding="utf-8"))
    assert {"numbers the rows", "0.5 to 59.5, with decimal ',' and '€'"} <= set(page.text)
    assert "numeric with decimal ',' and '€'" in call(capsys, "info", "model.safetensors").out
    assert call(capsys, "predict", "model.safetensors", "p.csv").code == 0


def test_separator_and_encoding_of_training_are_remembered(capsys):
    text = "größe~y\n" + "".join(f"{i}~{'é' if i % 3 else 'ü'}\n" for i in range(40))
    Path("t.csv").write_bytes(text.encode("cp1252"))
    reading = ("--sep", "~", "--encoding", "cp1252")
    assert call(capsys, "train", "t.csv", "--target", "y", *reading, *QUICK).code == 0
    assert TabularModel.load("model.safetensors").reading == {"sep": "~", "encoding": "cp1252"}
    done = call(capsys, "predict", "model.safetensors", "t.csv")
    assert (done.code, done.err) == (0, "")
    Path("u.csv").write_text(text, encoding="utf-8")
    assert call(capsys, "predict", "model.safetensors", "u.csv", "--encoding", "utf-8").out == done.out


def test_marks_of_numbers_can_be_said(capsys):
    Path("t.csv").write_text("a;b;y\n" + "".join(f"{i + 1},000;{i}.250;{i % 2}\n" for i in range(40)))
    assert_mistake(
        call(capsys, "train", "t.csv", "--target", "y", "--drop", "b", *QUICK), "may be 1000 or 1; --decimal ','"
    )
    done = call(capsys, "train", "t.csv", "--target", "y", "--thousands", ".", "--decimal", ",", *QUICK)
    assert "  a  numbers     1 to 40, with decimal ',' and thousands '.'" in done.out
    assert "  b  numbers     250 to 39250, with decimal ',' and thousands '.'" in done.out
    same = call(capsys, "predict", "model.safetensors", "t.csv").out
    Path("plain.csv").write_text("a,b\n" + "".join(f"{i + 1}.0,{i * 1000 + 250}\n" for i in range(40)))
    assert call(capsys, "predict", "model.safetensors", "plain.csv", "--decimal", ".", "--thousands", "").out == same
    for option, value in (("--decimal", ";"), ("--thousands", "x"), ("--encoding", "klingon")):
        done = call(capsys, "train", "t.csv", "--target", "y", option, value)
        assert_mistake(done, f"'{option}'", code=2)


def test_several_columns_are_dropped_and_rows_without_a_target_left_out(capsys):
    rows = [{"a": i, "b,c": f"n{i}", "d": f"m{i}", "y": "" if i % 4 == 0 else i / 7} for i in range(60)]
    pd.DataFrame(rows).to_csv("t.csv", index=False)
    train = ("train", "t.csv", "--target", "y", *QUICK)
    assert_mistake(call(capsys, *train, "--drop", "b,c", "--drop", "d"), "the target is missing, and in 14 more rows")
    for drop in (("--drop", "b,c", "--drop", "d"), ("--drop", "2,d"), ("--drop", "2, 3")):
        done = call(capsys, *train, *drop, "--drop-missing-target")
        assert done.code == 0, done.err
        assert "rows        45; 15 without a target left out" in done.out
        assert "trained on all 45 rows" in done.out
    assert_mistake(call(capsys, *train, "--drop", "d,e"), "there is no column 'e'", code=2)


def test_column_that_numbers_rows_is_remarked_upon(capsys):
    pd.DataFrame({"id": range(100, 160), "a": np.arange(60) % 7, "y": ["p", "q"] * 30}).to_csv("t.csv", index=False)
    done = call(capsys, "train", "t.csv", "--target", "y", *QUICK)
    assert done.code == 0
    assert done.err == "chainrule train: column 'id' seems to number the rows; --drop id leaves it out\n"


def test_predictions_have_every_digit(capsys):
    rows = [{"a": i, "b": i % 7, "y": 1_700_000_000 + 3 * i + i % 7} for i in range(60)]
    pd.DataFrame(rows).to_csv("t.csv", index=False)
    assert call(capsys, "train", "t.csv", "--target", "y", *QUICK).code == 0
    out = call(capsys, "predict", "model.safetensors", "t.csv").out.splitlines()[1:]
    exact = TabularModel.load("model.safetensors").predict(pd.read_csv("t.csv"))
    assert [float(line) for line in out] == exact.tolist()


# ── predict ──


def test_predict_writes_a_line_for_each_row(garden, capsys):
    done = call(capsys, "predict", garden / "model", garden / "garden.csv")
    assert (done.code, done.err) == (0, "")
    header, *lines = done.out.splitlines()
    assert header == "prediction"
    model = TabularModel.load(garden / "model")
    assert lines == model.predict(pd.read_csv(garden / "garden.csv")).tolist()


def test_predict_adds_probabilities(garden, capsys):
    done = call(capsys, "predict", garden / "model", garden / "garden.csv", "--probabilities", "--out", "p.csv")
    assert (done.code, done.out) == (0, "")
    table = pd.read_csv("p.csv")
    assert table.columns.tolist() == ["prediction", "probability iris", "probability rose"]
    p = table.iloc[:, 1:].to_numpy()
    assert p.sum(axis=1) == pytest.approx(1.0, abs=1e-6)
    exact = TabularModel.load(garden / "model").predict_proba(pd.read_csv(garden / "garden.csv"))
    assert np.array_equal(p.astype(np.float32), exact), "nine digits are a float32 to the bit"


def test_predict_of_another_process_has_the_same_bytes(pond):
    first, second = (run("predict", pond / "model", pond / "pond.csv") for _ in range(2))
    assert first.returncode == 0, first.stderr
    assert first.stdout == second.stdout
    assert len(first.stdout.splitlines()) == 81


def test_predict_takes_columns_in_any_order_and_says_what_it_ignores(garden, capsys):
    frame = pd.read_csv(garden / "garden.csv")
    frame.assign(more=1)[["color", "more", "width", "length"]].to_csv("o.csv", index=False, sep=";")
    done = call(capsys, "predict", garden / "model", "o.csv")
    assert done.code == 0
    assert done.err == "chainrule predict: ignored, as the training data did not have them: 'more'\n"
    assert done.out == call(capsys, "predict", garden / "model", garden / "garden.csv").out


def test_predict_quotes_labels_that_need_it(capsys):
    pd.DataFrame({"x": [0, 1] * 20, "y": ['a,"b"', "c\nd"] * 20}).to_csv("q.csv", index=False)
    assert call(capsys, "train", "q.csv", "--target", "y", "--no-report").code == 0
    out = call(capsys, "predict", "model.safetensors", "q.csv").out
    assert set(pd.read_csv(io.StringIO(out))["prediction"]) == {'a,"b"', "c\nd"}


def test_predict_reads_a_header_where_the_training_data_had_one(pond, capsys):
    numbers = pond / "pond.csv"
    Path("h.csv").write_text("a,b,c\n" + numbers.read_text())
    assert_mistake(call(capsys, "predict", pond / "model", "h.csv"), "line 1, column 1: 'a' is not a number")
    done = call(capsys, "predict", pond / "model", "h.csv", "--header")
    assert done.out == call(capsys, "predict", pond / "model", numbers).out


# ── evaluate, verify, explain, info ──


def test_evaluate_prints_the_metrics(garden, pond, capsys):
    done = call(capsys, "evaluate", garden / "model", garden / "garden.csv")
    head, accuracy, *_ = done.out.splitlines()
    assert head.split() == ["measured", "60", "rows", "model", "commonest", "class"]
    assert accuracy.split()[0] == "accuracy"
    assert float(accuracy.split()[1]) > 0.8
    done = call(capsys, "evaluate", pond / "model", pond / "pond.csv")
    assert [line.split()[0] for line in done.out.splitlines()] == ["measured", "RMSE", "MAE", "R²"]


@pytest.mark.parametrize("with_data", [False, True])
def test_verify_holds(garden, pond, capsys, with_data):
    for folder in (garden, pond):
        data = list(folder.glob("*.csv")) if with_data else []
        done = call(capsys, "verify", folder / "model", *data)
        assert done.code == 0, done.out
        assert re.search(r"all \d+ checks hold", done.out)


def test_verify_that_fails_has_exit_code_1(garden, capsys, monkeypatch):
    from chainrule.verification.report import Check, Report

    report = Report((Check("gradient", "", 1.0, 0.1, 1),), "a network")
    monkeypatch.setattr(Network, "verify", lambda *_, **__: report)
    done = call(capsys, "verify", garden / "model")
    assert done.code == 1
    assert "FAILED" in done.out


@pytest.mark.parametrize("loss", registry()["loss"])
def test_verify_and_info_take_a_network_file(capsys, loss):
    net = Network([3, 4, 2], loss=loss, seed=0)
    net.save("net")
    assert call(capsys, "verify", "net").code == 0
    assert net.summary(plan=True) in call(capsys, "info", "net").out
    assert_mistake(call(capsys, "verify", "net", "x.csv"), "net knows no columns: leave DATA out", code=2)
    assert_mistake(call(capsys, "predict", "net", "x.csv"), "it is read by chainrule.Network.load")


def test_info_of_a_model_tells_which_way_its_steps_take(garden, capsys):
    told = call(capsys, "info", garden / "model").out
    model = TabularModel.load(garden / "model")
    assert model.network.summary() in told
    assert model.notes["batch size"] == "8"
    assert re.search(r"^steps\n  8 rows  (in one kernel|layer by layer)[^\n]*$", told.rstrip(), re.MULTILINE)


@pytest.mark.parametrize("note", [None, "0", "x", "²", "9" * 30])
def test_info_of_a_model_without_a_batch_size_tells_of_some(garden, capsys, note):
    model = TabularModel.load(garden / "model")
    model.notes.pop("batch size")
    if note is not None:
        model.notes["batch size"] = note
    model.save("other")
    assert model.network.summary(plan=True) in call(capsys, "info", "other").out


def test_explain_shows_a_row_and_its_step(garden, capsys):
    done = call(capsys, "explain", garden / "model", garden / "garden.csv", "--row", 2)
    assert done.code == 0, done.err
    assert done.out.startswith("One training step on line 3 of garden.csv\n")
    model, frame = TabularModel.load(garden / "model"), pd.read_csv(garden / "garden.csv")
    x = model.encode(frame.iloc[[1]])
    inputs = re.findall(r"input \d (.*\S) +x = (\S+)$", done.out, re.MULTILINE)
    assert [float(value) for _, value in inputs] == pytest.approx(x[0].tolist(), rel=1e-5)
    assert [f"column {name}" for name, _ in inputs] == model.inputs.input_names
    alone = str(model.network.explain(x, model.encode_target(frame.iloc[[1]])))
    assert done.out.partition("UPDATE")[2].strip() == alone.partition("UPDATE")[2].strip()


def test_explain_chooses_the_row_that_the_network_would(garden, capsys):
    model, frame = TabularModel.load(garden / "model"), pd.read_csv(garden / "garden.csv")
    explanation = model.network.explain(model.encode(frame), model.encode_target(frame))
    row = explanation._facts.row
    told = call(capsys, "explain", garden / "model", garden / "garden.csv").out
    assert told.startswith(f"One training step on line {int(row) + 2} of garden.csv\n")
    assert told == call(capsys, "explain", garden / "model", garden / "garden.csv", "--row", int(row) + 1).out


@pytest.mark.parametrize("name", EXAMPLES)
def test_explain_shows_a_published_example(name, capsys):
    assert call(capsys, "explain", "--example", name).out == f"{EXAMPLES[name]()}\n"


def test_explain_writes_pages(garden, pond, capsys):
    for folder, outputs in ((garden, ["rose"]), (pond, [])):
        (data,) = folder.glob("*.csv")
        done = call(capsys, "explain", folder / "model", data, "--html", "step.html")
        assert (done.code, done.out) == (0, "")
        page = Path("step.html").read_text(encoding="utf-8")
        assert page.startswith("<!doctype html>")
        assert re.search(f"<title>One training step on line \\d+ of {data.name}</title>", page)
        for name in (*TabularModel.load(folder / "model").inputs.input_names, *outputs):
            assert escape(name.removeprefix("column ") if folder == garden else name) in page
    for name in EXAMPLES:
        assert call(capsys, "explain", "--example", name, "--html", "example.html").code == 0
        page = Path("example.html").read_text(encoding="utf-8")
        assert EXAMPLES[name]()._repr_html_() in page
        assert "<svg " in page


def test_explain_names_the_classes(capsys):
    labels = ["a", "b", "<c>"]
    pd.DataFrame({"x": range(30), "y": labels * 10}).to_csv("three.csv", index=False)
    assert call(capsys, "train", "three.csv", "--target", "y", "--no-report").code == 0
    done = call(capsys, "explain", "model.safetensors", "three.csv", "--row", 3)
    table = re.findall(r"^ +output (\d) (\S+) +\S+ +\S+ +(\d)", done.out, re.MULTILINE)
    assert sorted(name for _, name, _ in table) == sorted(labels)
    assert [name for _, name, y in table if y == "1"] == ["<c>"]
    assert call(capsys, "explain", "model.safetensors", "three.csv", "--html", "c.html").code == 0
    assert "&lt;c&gt;" in Path("c.html").read_text(encoding="utf-8")


def test_explain_knows_the_examples_there_are():
    from chainrule.cli import explain

    assert set(explain.EXAMPLES) == set(EXAMPLES)


def test_info_says_what_a_model_holds(garden, capsys):
    done = call(capsys, "info", garden / "model")
    assert done.code == 0
    for told in (
        "garden.csv: 60 rows",
        "column 'species', classification",
        "'iris', 'rose'",
        "column 'length': numeric, mean ",
        "column 'color': categorical: 'blue', 'red', 'white'",
        "cross_entropy",
    ):
        assert told in done.out


# ── What is wrong ──

TRAIN = ("train", "{garden}/garden.csv", "--target", "species")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["train"], "Missing argument 'DATA'"),
        (["train", "{garden}/garden.csv"], "say what to predict by --target: 'length', 'width', 'color', 'species'"),
        ([*TRAIN[:3], "specie"], "there is no column 'specie'; did you mean 'species'?"),
        ([*TRAIN[:3], "5"], "there is no column 5: they are counted from 1 to 4"),
        ([*TRAIN[:3], "0"], "there is no column 0"),
        ([*TRAIN[:3], "-5"], "there is no column -5"),
        ([*TRAIN[:3], ""], "there is no column ''"),
        ([*TRAIN, "--drop", "colour"], "'--drop': there is no column 'colour'; did you mean 'color'?"),
        ([*TRAIN, "--drop", "-1"], "species is the target"),
        ([*TRAIN, "--categorical", "x"], "'--categorical': there is no column 'x'"),
        ([*TRAIN, "--task", "clasification"], "'--task': choice 'clasification' is unknown; did you mean 'classi"),
        ([*TRAIN, "--loss", "mse"], "loss 'mse' does not fit classification of 2 classes"),
        ([*TRAIN, "--loss", "crossentropy"], "did you mean 'cross_entropy'?"),
        ([*TRAIN, "--optimizer", "adamm"], "optimizer 'adamm' is unknown; did you mean 'adam'?"),
        ([*TRAIN, "--optimizer", "sgd:momentu=1"], "field of sgd 'momentu' is unknown; did you mean 'momentum'?"),
        ([*TRAIN, "--optimizer", "sgd:momentum"], "'momentum' must be momentum=VALUE"),
        ([*TRAIN, "--optimizer", "sgd:momentum=x"], "momentum must be a number, not 'x'"),
        ([*TRAIN, "--optimizer", "sgd:nesterov=1"], "nesterov must be true or false, not '1'"),
        ([*TRAIN, "--optimizer", "sgd:momentum=2"], "momentum must be a number in [0, 1)"),
        ([*TRAIN, "--activation", "tanhh"], "did you mean 'tanh'?"),
        ([*TRAIN, "--activation", "tanh:x=1"], "tanh has no fields, such as 'x'"),
        ([*TRAIN, "--init", "he"], "init 'he' is unknown"),
        ([*TRAIN, "--hidden", "64;32"], "'64;32' is not units separated by commas"),
        ([*TRAIN, "--hidden", "0"], "'0' is not units"),
        ([*TRAIN, "--hidden", ""], "'' is not units"),
        ([*TRAIN, "--learning-rate", "0"], "'0' is not a number in (0, inf)"),
        ([*TRAIN, "--learning-rate", "nan"], "'nan' is not a number in (0, inf)"),
        ([*TRAIN, "--dropout", "1"], "'1' is not a number in [0, 1)"),
        ([*TRAIN, "--l2", "-1"], "'-1' is not a number in [0, inf)"),
        ([*TRAIN, "--epochs", "0"], "0 is not in the range"),
        ([*TRAIN, "--epochs", "1e3"], "'1e3' is not a valid integer"),
        ([*TRAIN, "--epochs", "9" * 30], "epochs must be an integer from 1 to"),
        ([*TRAIN, "--batch-size", "0"], "0 is not in the range"),
        ([*TRAIN, "--patience", "-1"], "-1 is not in the range"),
        ([*TRAIN, "--seed", "9" * 30], "seed must be an integer from 0 to"),
        ([*TRAIN, "--folds", "1"], "1 is not in the range"),
        ([*TRAIN, "--folds", "61"], "'--folds': there are only 60 rows"),
        ([*TRAIN, "--sep", ",,"], "',,' is not one character"),
        ([*TRAIN, "--unknown", "ignor"], "did you mean 'ignore'?"),
        ([*TRAIN, "--out", "{garden}/garden.csv"], "garden.csv' would be written over"),
        ([*TRAIN, "--out", "m.html"], "'m.html' would be written over"),
        ([*TRAIN, "--header=yes"], "Option '--header' does not take a value"),
        ([*TRAIN, "--report", "r.pdf"], "a report is a .html file, or report.html in a folder, not .pdf"),
        ([*TRAIN, "--weight", "species"], "'--weight': species is the target"),
        ([*TRAIN, "--weight", "wide"], "'--weight': there is no column 'wide'; did you mean 'width'?"),
        ([*TRAIN, "--class-weight", "balance"], "did you mean 'balanced'?"),
        (["predict", "{garden}/model"], "Missing argument 'DATA'"),
        (["predict", "{garden}/garden.csv", "{garden}/model"], "MODEL comes first: chainrule predict {garden}/model"),
        (["evaluate", "{garden}/garden.csv", "{garden}/model"], "MODEL comes first: chainrule evaluate {garden}/model"),
        (["explain", "{garden}/garden.csv", "{garden}/model"], "MODEL comes first: chainrule explain {garden}/model"),
        (["verify", "{garden}/garden.csv", "{garden}/model"], "MODEL comes first: chainrule verify {garden}/model"),
        (["predict", "{garden}/model", "{garden}/garden.csv", "--keep", "colour"], "did you mean 'color'?"),
        (["predict", "{pond}/model", "{pond}/pond.csv", "--probabilities"], "the model predicts numbers"),
        (["predict", "{pond}/model", "{pond}/pond.csv", "--out", "{pond}/model"], "would be written over"),
        (["explain", "{garden}/model"], "give MODEL and DATA, or --example"),
        (["explain", "{garden}/model", "{garden}/garden.csv", "--row", "61"], "has only 60 rows"),
        (["explain", "{garden}/model", "{garden}/garden.csv", "--row", "0"], "0 is not in the range"),
        (["explain", "--example", "mazzur"], "did you mean 'mazur'?"),
        (["explain", "{garden}/model", "--example", "mazur"], "--example cannot be combined"),
    ],
)
def test_wrong_command_line_is_one_line_and_exit_code_2(garden, pond, capsys, tmp_path, arguments, told):
    arguments = [argument.format(garden=garden, pond=pond) for argument in arguments]
    told = told.replace("{garden}", str(garden))
    assert_mistake(call(capsys, *arguments), told, f"(see chainrule {arguments[0]} --help)", code=2)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["train", "none.csv", "--target", "y"], "No such file or directory: 'none.csv'"),
        (["train", "{garden}", "--target", "y"], "Is a directory"),
        (["train", "{garden}/model", "--target", "y"], "model: it is a model, not a table"),
        ([*TRAIN, "--out", "none/model"], "No such folder: 'none'"),
        ([*TRAIN, "--out", "{garden}"], "Is a directory"),
        ([*TRAIN, "--report", "{garden}/garden.csv/r"], "garden.csv"),
        ([*TRAIN, "--test", "none.csv"], "No such file or directory: 'none.csv'"),
        ([*TRAIN, "--test", "{pond}/pond.csv"], "pond.csv: it lacks the columns 'length', 'width', 'color'"),
        (["predict", "none", "{garden}/garden.csv"], "No such file or directory: 'none'"),
        (["predict", "{garden}", "{garden}/garden.csv"], "directory"),
        (
            ["predict", "{garden}/garden.csv", "{garden}/garden.csv"],
            "garden.csv is not a chainrule model: it is a text",
        ),
        (["evaluate", "{garden}/model", "{pond}/model"], "model: it is a model, not a table"),
        (["predict", "{garden}/model", "none.csv"], "No such file or directory: 'none.csv'"),
        (["predict", "{garden}/model", "{pond}/pond.csv"], "pond.csv: it lacks the columns"),
        (["predict", "{garden}/model", "{pond}/pond.csv", "--no-header"], "it has no header"),
        (["predict", "{pond}/model", "{garden}/garden.csv"], "it has 4 columns, but the model was trained on 3"),
        (["predict", "{garden}/model", "{garden}/garden.csv", "--out", "none/p.csv"], "No such folder: 'none'"),
        (["evaluate", "{pond}/model", "{garden}/garden.csv"], "it has 4 columns"),
        (["verify", "{garden}/garden.csv"], "is not a chainrule model"),
        (["info", "none"], "No such file or directory: 'none'"),
        (["explain", "{garden}/model", "{pond}/pond.csv"], "it lacks the columns"),
    ],
)
def test_file_that_is_missing_or_another_is_one_line_and_exit_code_1(garden, pond, capsys, tmp_path, arguments, told):
    arguments = [argument.format(garden=garden, pond=pond) for argument in arguments]
    assert_mistake(call(capsys, *arguments), told, f"chainrule {arguments[0]}: ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "d.csv: there is nothing in it"),
        (b"x,y\n", "d.csv: there are no rows"),
        (b"x,y\n1,2\n1\n", "d.csv: line 3 has 1 cell, but line 1 has 2"),
        (b"x,y,x\n1,2,3\n", "d.csv: two columns are named 'x'"),
        (b'x,y\n"1,2\n', "d.csv: line 2: a quote"),
        (b"x,y\n1,\xff\n", "d.csv: line 2 is not UTF-8"),
        (bytes(range(256)), "d.csv: it is a binary file"),
        (b"x,y\n1,2\n", "d.csv: it has 1 row; two at least are needed"),
        (b"x,y\n1,2\n?,3\n", "d.csv: line 3, column 'x' is missing"),
        (b"x,y\n1,2\nnan,3\n", "d.csv: line 3, column 'x' is missing"),
        (b"x,y\n1,2\ninf,3\n", "d.csv: line 3, column 'x': 'inf' is too large a number"),
        (b"x,y\n1,2\n1e999,3\n", "d.csv: line 3, column 'x': '1e999' is too large a number"),
        (b"x,y\n1,2\na,3\n", "d.csv: line 3, column 'x': 'a' is not a number"),
        (b"x,y\n1,\n2,\n", "d.csv: the target, column 'y', is missing in all rows"),
        (b"x,y\n1,2\n2,\n", "d.csv: line 3, column 'y': the target is missing"),
        (b"x,y\n1,2\n2,2\n", "d.csv: the target, column 'y', is '2' in all rows"),
        (b"x,y\n1,2\n1,3\n", "d.csv: no column is left to learn from"),
        (b"y\n1\n2\n", "d.csv: no column is left to learn from"),
    ],
)
def test_table_that_cannot_be_learned_from_is_one_line(capsys, tmp_path, content, told):
    (tmp_path / "d.csv").write_bytes(content)
    assert_mistake(call(capsys, "train", "d.csv", "--target", "y", *QUICK), told)


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffx,y\r\n1,2\r\n3,5\r\n2,4\r\n",
        'größe,"ein ""Name"""\n1,2\n3,5\n2,4\n',
        '"x\ny",z\n1,2\n3,5\n2,4\n',
        "1e150,1\n-1e150,2\n0,4\n",
        "1,1e150\n2,-1e150\n3,5\n",
        "0.1;2\n0.2;3\n0.4;1",
        "x,y\n1,猫\n2,犬\n3,猫\n",
    ],
)
def test_table_that_is_odd_but_right_is_learned(capsys, tmp_path, content):
    (tmp_path / "d.csv").write_text(content, encoding="utf-8", newline="")
    done = call(capsys, "train", "d.csv", "--target", -1, *QUICK)
    assert (done.code, done.err) == (0, "")
    done = call(capsys, "predict", "model.safetensors", "d.csv")
    assert (done.code, done.err) == (0, "")
    assert len(done.out.splitlines()) == 4


cells = st.sampled_from(["0", "1", "2.5", "-3", "a", "b", "", "?", "1e200", "inf", "x y", '"', '"q"', "é", "1,2"])


@given(
    table=st.lists(st.lists(cells, min_size=1, max_size=3), max_size=12),
    sep=st.sampled_from([",", ";"]),
    options=st.lists(
        st.sampled_from(
            [
                "--impute",
                "--header",
                "--no-header",
                "--task=regression",
                "--task=classification",
                "--folds=2",
                "--drop=1",
            ]
        ),
        unique=True,
    ),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_table_is_learned_or_one_line(capsys, tmp_path, table, sep, options):
    (tmp_path / "any.csv").write_text("\n".join(sep.join(row) for row in table), encoding="utf-8")
    done = call(capsys, "train", "any.csv", "--target", -1, *options, *QUICK)
    assert done.code in (0, 1, 2)
    if done.code:
        assert_one_line(done.err)
        return
    assert done.err == ""
    done = call(capsys, "predict", "model.safetensors", "any.csv")
    assert (done.code, done.err) == (0, "")
    assert call(capsys, "evaluate", "model.safetensors", "any.csv").code == 0
    assert call(capsys, "verify", "model.safetensors", "any.csv").code == 0


def test_training_that_diverges_is_one_line(pond, capsys):
    arguments = ["train", pond / "pond.csv", "--target", 3, "--optimizer", "sgd", "--learning-rate", 1e30]
    done = call(capsys, *arguments, "--activation", "relu", "--epochs", 50, "--no-report")
    assert done.code == 1
    assert_one_line(done.err)
    assert "learning_rate is 1e+30" in done.err


def test_unknown_category_is_one_line_or_ignored(garden, capsys):
    Path("u.csv").write_text("length,width,color\n5,3,red\n5,3,green\n")
    assert_mistake(
        call(capsys, "predict", garden / "model", "u.csv"),
        "u.csv: line 3, column 'color': 'green' is a category that the training data did not have",
        "(known: 'blue', 'red', 'white')",
        "--unknown ignore",
    )
    assert call(capsys, "predict", garden / "model", "u.csv", "--unknown", "ignore").code == 0


def test_reader_who_has_enough_is_no_error(garden):
    command = [sys.executable, "-m", "chainrule", "predict", garden / "model", garden / "garden.csv"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0
