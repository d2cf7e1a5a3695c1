"""A short run of the demonstration: it learns, verifies, compares and draws."""

import re

import pytest

from chainrule import Network, cli, demo, plots

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def digits():
    return demo.load()


def test_demo_prints_its_report_and_writes_its_plots(tmp_path, capsys):
    assert cli.main(["demo", "--seeds", "2", "--epochs", "10", "--out", str(tmp_path / "plots")]) == 0
    printed = capsys.readouterr()
    assert printed.err == "", "no progress where there is no terminal"
    scores = [float(score) for score in re.findall(r"seed \d+ +(0\.\d{4})", printed.out)]
    assert len(scores) == 2
    assert min(scores) > 0.9
    mean = float(re.search(r"mean +(0\.\d{4})", printed.out)[1])
    assert mean == pytest.approx(sum(scores) / 2, abs=1e-4)
    assert "gradients of the network of seed 0, on 32 digits held out" in printed.out
    assert re.search(r"chainrule +\d+\.\d{3} s +accuracy 0\.\d{4}", printed.out)
    assert re.search(r"scikit-learn \S+ +\d+\.\d{3} s +accuracy 0\.\d{4}", printed.out)
    for name in ("loss.png", "confusion.png"):
        path = tmp_path / "plots" / name
        assert f"wrote {path}" in printed.out
        assert path.read_bytes().startswith(PNG)


def test_demo_leaves_out_what_is_not_wanted(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["demo", "--seed", "7", "--seeds", "1", "--epochs", "1", "--no-plot", "--no-compare"]) == 0
    printed = capsys.readouterr().out
    assert "seed 7" in printed
    assert "MLPClassifier" not in printed
    assert "wrote" not in printed
    assert list(tmp_path.iterdir()) == []


def test_digits_held_out_are_a_fifth_of_each_class(digits):
    assert digits.x.shape == (1437, 64)
    assert digits.x_held_out.shape == (360, 64)
    assert digits.x.min() == 0
    assert digits.x.max() == 1
    for digit in range(10):
        share = (digits.y_held_out == digit).sum() / ((digits.y == digit).sum() + (digits.y_held_out == digit).sum())
        assert share == pytest.approx(0.2, abs=0.01)


def test_five_seeds_reach_97_percent_of_the_digits_held_out(digits):
    _, _, scores, _ = demo.train(digits, range(5), epochs=60)
    assert sum(scores) / 5 >= 0.97


def test_demo_draws_every_seed_and_every_digit_held_out(digits, tmp_path, monkeypatch):
    drawn = {}
    monkeypatch.setattr(plots, "save", lambda display, path: drawn.setdefault(path.name, display))
    networks, histories, scores, _ = demo.train(digits, range(2), epochs=2)
    list(demo.draw(digits, networks[0], histories, tmp_path))
    table = drawn["confusion.png"].confusion_matrix
    assert table.sum() == 360
    assert table.trace() == round(scores[0] * 360)
    assert f"{table.trace()} of 360" in drawn["confusion.png"].ax_.get_title(loc="left")
    assert drawn["loss.png"].columns["val_loss"].tolist() == [history.val_loss for history in histories]
    assert "median of 2 seeds" in drawn["loss.png"].ax_.get_title(loc="left")


def test_demo_fails_where_the_gradients_are_not_right(monkeypatch):
    monkeypatch.setattr(Network, "verify", lambda *arguments: "")
    assert cli.main(["demo", "--seeds", "1", "--epochs", "1", "--no-plot", "--no-compare"]) == 1
