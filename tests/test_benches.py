"""The benches run, check the results that they time, and name missing peers; cliffs are found."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benches import scaling
from benches.against import ratios
from benches.peers import table
from benches.peers.textbook import error
from benches.peers.workloads import CALLS, WORKLOADS, Workload, first_weights

ROOT = Path(__file__).parents[1]


def bench(module: str, *arguments: str) -> str:
    """Return what a bench prints, run where neither cargo nor git is found."""
    command = [sys.executable, "-m", module, "--quick", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | {"PATH": ""}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_steps_are_timed_beside_numpy_and_recorded(tmp_path):
    text = bench("benches.peers", "--parts", "steps", "--workloads", "iris", "--threads", "1", "--peers", "chainrule",
                 "numpy", "--record", str(tmp_path))  # fmt: skip
    assert "| iris 4-16-3 " in text
    assert "× NumPy by hand" in text
    (file,) = tmp_path.glob("*-peers.json")
    record = json.loads(file.read_text())
    assert set(record["steps, 1 threads"]["us"]["iris"]) >= {"chainrule", "NumPy by hand", "chainrule float64"}
    assert record["peak_gflops"] == {}
    assert file.with_suffix(".md").read_text() in text


def test_calls_and_package_have_a_row_each():
    text = bench("benches.peers", "--parts", "kernels", "calls", "package", "--peers", "chainrule")
    assert all(f"| {name} " in text for name in CALLS)
    assert "cargo was not found" in text
    assert "| from chainrule import Network, ms " in text


def test_scaling_draws_and_records(tmp_path):
    text = bench("benches.scaling", "--record", str(tmp_path), "--plot", str(tmp_path / "new" / "plot.png"))
    assert "The worst: " in text
    assert (tmp_path / "new" / "plot.png").read_bytes().startswith(b"\x89PNG")
    (file,) = tmp_path.glob("*-scaling.json")
    assert {len(points) for points in json.loads(file.read_text())["us"].values()} == {10}


def test_answers_are_compared_with_the_textbook():
    workload = Workload("any", (3, 4, 2), 5, 20, "adam", "cross_entropy", activation="tanh")
    weights, biases = first_weights(workload)
    unmoved = [array for pair in zip(weights, biases, strict=True) for array in pair]
    assert error(workload, unmoved, 3) == pytest.approx(1)


def test_ratios_and_goals_are_those_of_the_table():
    times = {"policy": {"chainrule": [10.0, 38.0, 50.0], "torch": [380.0], "JAX": [76.0]}}
    row = table.steps(times, ["chainrule", "torch", "numpy"], 116.0, 1).splitlines()[-1]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[2:9] == ["38 (10)", "380 (380)", "–", "≤ 19", "0.50", "2.00× JAX", "≥ 3.1×"]
    assert cells[9:] == ["16.9", "0.45"]


def test_floor_is_shared_by_threads():
    for workload in WORKLOADS.values():
        assert workload.floor(200.0, 2) == pytest.approx(workload.floor(100.0) / 2)


@pytest.mark.parametrize(("n", "k"), [(6, 1), (10, 2), (20, 6), (50, 18), (100, 40)])
def test_interval_of_the_median_is_that_of_the_sign_test(n, k):
    """Of n in order the k-th and the k-th from the end: P(B < k) ≤ 0.025 < P(B < k + 1), B binomial of n and ½."""
    assert ratios.interval(range(n, 0, -1)) == (k, n + 1 - k)


def test_interval_of_too_few_has_no_bounds():
    assert ratios.interval([1.0] * 5) == (-math.inf, math.inf)


def row(low: float, middle: float, high: float) -> ratios.Row:
    """Return ten pairs, whose interval is the second and the ninth ratio."""
    return ratios.Row("any", [ratios.Pair(2.0, 2 * ratio) for ratio in (0.1, low, *[middle] * 6, high, 9.0)])


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (row(1.021, 1.03, 1.035), "FAIL"),
        (row(1.021, 1.2, 3.0), "FAIL"),
        (row(1.02, 1.03, 1.035), "slower"),
        (row(1.019, 1.1, 1.2), "unresolved"),
        (row(0.995, 1.0, 1.005), "same"),
        (row(0.97, 0.98, 0.985), "faster"),
        (row(0.5, 0.6, 0.7), "unresolved"),
    ],
)
def test_a_row_fails_where_all_of_its_interval_is_slower(found, verdict):
    assert found.verdict == verdict


def test_pairs_are_timed_in_turns_until_the_interval_is_narrow():
    calls = []

    def build(name, *us):
        return lambda: calls.append(name) or us[calls.count(name) % len(us)]

    found = ratios.measure("any", build("old", 10.0), build("new", 10.3), 301)
    assert calls[:8] == ["old", "new", "new", "old", "new", "old", "old", "new"]
    assert len(found.pairs) == ratios.FEWEST
    assert ratios.cells(found) == ["any", "10", "10.3", "1.030", "1.030 … 1.030", "20"]
    assert found.verdict == "FAIL"
    noisy = ratios.measure("any", build("old", 10.0), build("new", 8.0, 12.0), 31)
    assert len(noisy.pairs) == 31
    assert noisy.verdict == "unresolved"


def line(*us: float) -> tuple[scaling.Times, scaling.Lines]:
    """Return times on one thread along batches 1, 2, 4, …, given in microseconds by row."""
    points = [(8, 2**i) for i in range(len(us))]
    return {1: {point: point[1] * time for point, time in zip(points, us, strict=True)}}, {("batch", 8): points}


def test_cliffs_are_found_upward_and_downward():
    assert scaling.cliffs(*line(7, 4, 2, 2.9, 2)) == []
    (up,) = scaling.cliffs(*line(2, 2, 3.1, 3.1))
    assert (up.slow, up.fast, up.ratio) == ((8, 4), (8, 2), pytest.approx(1.55))
    # The second step takes longer than the third, which does twice the work: no cost of a call explains that.
    assert [pair.slow for pair in scaling.cliffs(*line(5, 5, 2))] == [(8, 2)]


def test_cliffs_are_found_where_threads_make_it_slower():
    times, lines = line(2, 2)
    times[2] = {(8, 1): 3.2, (8, 2): 4.0}
    assert [pair.text for pair in scaling.cliffs(times, lines) if pair.slow == pair.fast] == [
        "width 8 batch 1 on 2 threads instead of 1"
    ]
