"""The demonstration, short: it learns, verifies, compares and draws."""

import re

import pytest

from chainrule import History, Network, cli, demo, plots

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


def test_confusion_of_the_demo_counts_every_digit_held_out(digits, tmp_path, monkeypatch):
    drawn = {}
    monkeypatch.setattr(plots, "save", lambda ax, path: drawn.setdefault(path.name, ax))
    networks, histories, scores, _ = demo.train(digits, range(1), epochs=2)
    list(demo.draw(digits, networks[0], histories, tmp_path))
    cells = {text.get_position(): int(text.get_text()) for text in drawn["confusion.png"].texts}
    assert sum(cells.values()) == 360
    assert sum(count for (x, y), count in cells.items() if x == y) == round(scores[0] * 360)


def history_of(*losses: float, validation: bool = True) -> History:
    history = History()
    for epoch, loss in enumerate(losses, start=1):
        history.append(epoch, {"loss": loss} | ({"val_loss": loss * 2} if validation else {}))
    return history


def test_loss_curve_draws_what_the_history_has():
    ax = plots.loss_curve(history_of(1.0, 0.5, 0.25))
    lines = {line.get_label(): list(line.get_ydata()) for line in ax.get_lines()}
    assert lines == {"training": [1.0, 0.5, 0.25], "validation": [2.0, 1.0, 0.5]}
    assert ax.get_yscale() == "log"


def test_loss_curve_draws_the_median_of_several_runs():
    ax = plots.loss_curve([history_of(1.0), history_of(3.0), history_of(2.0)])
    assert [list(line.get_ydata()) for line in ax.get_lines() if line.get_label() == "training"] == [[2.0]]


def test_loss_curve_without_validation_or_with_a_loss_of_zero():
    ax = plots.loss_curve(history_of(1.0, 0.0, validation=False))
    assert len(ax.get_lines()) == 1
    assert ax.get_yscale() == "linear"


@pytest.mark.parametrize("runs", [[], History(), [history_of(1.0), history_of(1.0, 2.0)]])
def test_loss_curve_refuses_what_it_cannot_draw(runs):
    with pytest.raises(ValueError, match=r"epoch|length"):
        plots.loss_curve(runs)


@pytest.mark.parametrize("counts", [[], [1, 2], [[1, 2]], [[[1]]]])
def test_confusion_refuses_what_is_no_square_table(counts):
    with pytest.raises(ValueError, match="square"):
        plots.confusion(counts)


def test_plots_save_by_suffix(tmp_path):
    ax = plots.loss_curve(Network([1, 1], seed=0).fit([[0.0]], [1.0], epochs=2))
    plots.save(ax, tmp_path / "loss.svg")
    assert "<svg" in (tmp_path / "loss.svg").read_text()


def test_demo_fails_where_the_gradients_are_not_right(monkeypatch):
    monkeypatch.setattr(Network, "verify", lambda *arguments: "")
    assert cli.main(["demo", "--seeds", "1", "--epochs", "1", "--no-plot", "--no-compare"]) == 1
