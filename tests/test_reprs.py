"""What the prompt and a notebook show of a network and of its results."""

import json
import pickle

import numpy as np
import pandas as pd
import pytest

from chainrule import Dropout, History, LayerNorm, Network, Report, reference
from chainrule.verification.report import Check

from .markup import tree_of

LAYERS = [2, 3, LayerNorm(), Dropout(0.5), 1]
X, Y = [[1.0, 2.0], [3.0, 4.0]], [1.0, 0.0]


def net():
    return Network(LAYERS, activation="tanh", dtype="float64", seed=0)


def report():
    return Report((Check("a < b", "layer 1", 0.0, 0.1, 5), Check("step", "", float("nan"), 0.1, 5, 2)), "<title>")


SHOWN = {
    "network": net,
    "reference": lambda: reference.Network(LAYERS, seed=0),
    "history": lambda: net().fit(X, Y, epochs=3, metrics=["mae"]),
    "history of reference": lambda: reference.Network(LAYERS, seed=0).fit(X, Y, validation_data=(X, Y)),
    "no history": History,
    "trace": lambda: net().trace(X, Y),
    "layer of a trace": lambda: net().trace(X, Y)[1],
    "report": report,
    "explanation": lambda: net().explain(X, Y),
}


@pytest.mark.parametrize("name", SHOWN)
def test_notebook_shows_a_result_as_html_without_scripts(name):
    shown = SHOWN[name]()
    root = tree_of(shown._repr_html_())
    assert (root.tag, root.get("class")) == ("div", "chainrule")
    assert root.find("style") is not None
    assert "object at 0x" not in repr(shown)


# ── History ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_history_is_what_pandas_and_json_take():
    history = net().fit(X, Y, epochs=4, metrics=["mae"])
    frame = pd.DataFrame(history)
    assert frame.columns.tolist() == ["epoch", "loss", "mae"]
    assert frame["loss"].tolist() == history.loss
    assert pd.DataFrame(reference.Network([2, 1], seed=0).fit(X, Y, epochs=2)).shape == (2, 2)
    assert json.loads(json.dumps(history)) == dict(history)
    assert {**history} == dict(history.items())
    again = pickle.loads(pickle.dumps(history))  # noqa: S301 - made here
    assert again == history
    assert type(again) is History
    assert not History()
    assert pd.DataFrame(History()).empty


def test_history_has_a_number_of_every_epoch_in_every_column():
    history = History()
    history.append(1, {"mae": 2.0})
    history.append(2, {"loss": 0.5, "r2": 0.25})
    expected = {"epoch": [1, 2], "loss": [np.nan, 0.5], "mae": [2.0, np.nan], "r2": [np.nan, 0.25]}
    pd.testing.assert_frame_equal(pd.DataFrame(history), pd.DataFrame(expected))
    assert repr(history) == "History(2 epochs, last: loss=0.5, mae=nan, r2=0.25)"


def test_notebook_shows_the_first_and_the_last_epochs():
    history = History()
    for epoch in range(1, 12):
        history.append(10**6 + epoch, {"loss": 1 / epoch})
    assert "⋮" not in history._repr_html_()
    for epoch in range(12, 1001):
        history.append(10**6 + epoch, {"loss": 1 / epoch})
    epochs = [row[0].text for row in tree_of(history._repr_html_()).iter("tr")]
    assert epochs == [
        "epoch",
        *(f"100000{i}" for i in range(1, 6)),
        "⋮",
        *(f"1000{i}" for i in range(996, 1000)),
        "1001000",
    ]


# ── Networks ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_reference_network_shows_how_it_is_built():
    made = reference.Network([2, 3, 1], activation="tanh", optimizer="sgd", seed=0)
    assert repr(made) == "reference.Network([2, 3, 1], activation='tanh', optimizer='sgd', seed=0)"
    made.learning_rate = 0.5
    assert "optimizer=SGD(learning_rate=0.5)" in repr(made)
    again = eval(repr(made), {"reference": reference, "SGD": reference.SGD})  # noqa: S307 - made above
    assert again.config == made.config


def test_notebook_shows_the_layers_of_a_network():
    for made in (net(), reference.Network(LAYERS, activation="tanh", seed=0)):
        rows = [[cell.text for cell in row] for row in tree_of(made._repr_html_()).iter("tr")]
        assert rows[2] == ["1", "Dense", "(n, 3)", "tanh", "9"]
        assert rows[3] == ["2", "LayerNorm", "(n, 3)", None, "6"]
        assert rows[-1] == [None, "total", None, None, "19"]


# ── Trace and report ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_trace_shows_small_arrays_and_the_range_of_large_ones():
    made = Network([2, 20, 1], dtype="float64", init="zeros", optimizer="sgd", seed=0)
    trace = made.trace(X, Y)
    assert isinstance(trace, list)
    hidden, output = repr(trace).split("LayerTrace of layer 2")
    assert "  z              2 x 20  from 0 to 0\n" in hidden
    assert "  delta           2 x 1  [[-1], [0]]\n" in output
    assert "  update_bias         1  [0.01]" in output
    assert repr(trace[0]) == hidden.rstrip("\n")


def test_trace_shows_numbers_that_are_not_finite():
    made = Network([2, 1], dtype="float64", seed=0)
    made.weights = [np.full((2, 1), 1e308)]
    assert "[[inf], [inf]]" in repr(made.trace(X, Y))


def test_report_shows_its_table():
    shown = report()
    assert repr(shown) == str(shown)
    assert repr(shown).splitlines()[-1] == "FAILED: 1 of 2 checks, first step"
    text = "".join(tree_of(shown._repr_html_()).itertext())
    assert "a < b" in text
    assert text.endswith("FAILED: 1 of 2 checks, first step")
