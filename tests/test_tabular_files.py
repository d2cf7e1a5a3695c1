"""Model files of tables: a loaded model predicts the same to the bit, and invalid files are refused."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule import Network, _native
from chainrule.tabular import TabularModel

from .command_line import flowers

FAST = {"epochs": 2, "patience": 0, "seed": 0, "hidden": (4,)}


@pytest.fixture(scope="module")
def garden():
    return pd.DataFrame(flowers())


@pytest.fixture(scope="module")
def saved(garden, tmp_path_factory):
    """Return a model with its file."""
    model = TabularModel(**FAST, impute=True).fit(garden, "species")
    model.notes = {"data": "garden ✿"}
    path = tmp_path_factory.mktemp("model") / "garden.safetensors"
    model.save(path)
    return model, path


def header_of(path):
    tensors, metadata = _native.read_tensors(path)
    return tensors, json.loads(metadata["chainrule"])


def test_loaded_model_is_the_one_that_was_saved(saved, garden):
    model, path = saved
    loaded = TabularModel.load(path)
    assert (loaded.inputs, loaded.target, loaded.notes) == (model.inputs, model.target, model.notes)
    assert np.array_equal(loaded.predict_proba(garden), model.predict_proba(garden))
    assert loaded.evaluate(garden) == model.evaluate(garden)


def test_loaded_model_predicts_to_the_bit_in_another_process(saved, garden, tmp_path):
    model, path = saved
    garden.to_pickle(tmp_path / "garden.pkl")
    code = (
        "import sys, numpy, pandas; from chainrule.tabular import TabularModel\n"
        "model = TabularModel.load(sys.argv[1]); table = pandas.read_pickle(sys.argv[2])\n"
        "numpy.save(sys.argv[3], model.predict_proba(table))"
    )
    arguments = [path, tmp_path / "garden.pkl", tmp_path / "p.npy"]
    subprocess.run([sys.executable, "-c", code, *map(str, arguments)], check=True, timeout=60)
    assert np.load(tmp_path / "p.npy").tobytes() == model.predict_proba(garden).tobytes()


def test_numbers_are_kept_to_the_bit(tmp_path):
    frame = pd.DataFrame({"x": np.random.default_rng(0).normal(1e5, 1 / 3, 30), "y": np.arange(30) / 7})
    model = TabularModel(**FAST).fit(frame, "y")
    model.save(tmp_path / "m")
    loaded = TabularModel.load(tmp_path / "m")
    assert (loaded.inputs, loaded.target) == (model.inputs, model.target)
    assert loaded.predict(frame).tobytes() == model.predict(frame).tobytes()


words = st.text(st.characters(codec="utf-8"), min_size=1, max_size=6)


@given(
    name=words,
    categories=st.lists(words, min_size=2, max_size=6, unique=True),
    labels=st.lists(words, min_size=2, max_size=4, unique=True),
)
def test_any_words_are_kept(tmp_path_factory, name, categories, labels):
    n = 24
    frame = pd.DataFrame(
        {
            name: [categories[i % len(categories)] for i in range(n)],
            f"{name}!": [labels[i % len(labels)] for i in range(n)],
        }
    )
    model = TabularModel(task="classification", categorical=[name], impute=True, **FAST)
    try:
        model.fit(frame, f"{name}!")
    except ValueError:
        return  # too few are left when blanks and what stands for a gap are gone
    path = tmp_path_factory.mktemp("words") / "m"
    model.save(path)
    loaded = TabularModel.load(path)
    assert (loaded.inputs, loaded.target) == (model.inputs, model.target)
    assert np.array_equal(loaded.predict_proba(frame), model.predict_proba(frame))
    assert set(loaded.predict(frame)) <= {label.strip() for label in labels}


def test_each_loader_names_the_other(saved, tmp_path):
    _, path = saved
    with pytest.raises(ValueError, match=r"garden.safetensors: its format is 'chainrule.tabular'.*TabularModel.load"):
        Network.load(path)
    Network([1, 1], seed=0).save(tmp_path / "net")
    with pytest.raises(ValueError, match=r"net: its format is 'chainrule.network'.*chainrule.Network.load"):
        TabularModel.load(tmp_path / "net")


def test_model_that_is_not_fitted_cannot_be_saved(tmp_path):
    with pytest.raises(ValueError, match="not fitted"):
        TabularModel().save(tmp_path / "m")
    assert list(tmp_path.iterdir()) == []


def change(header, *path_and_value):
    """Set or delete what stands at a path in nested dicts and lists."""
    *path, last, value = path_and_value
    for key in path:
        header = header[key]
    if value is DELETE:
        del header[last]
    else:
        header[last] = value


DELETE = object()
HUGE = 10**400


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (("format", None), "its format is None"),
        (("format_version", 3), "reads up to 2"),
        (("format_version", "1"), "format_version must be an integer"),
        (("columns", DELETE), "its metadata lacks 'columns'"),
        (("code", "import os"), "'code' is unknown"),
        (("names", []), "names must be of one type"),
        (("names", ["length", "width", "color", 4]), "names must be of one type"),
        (("names", ["length"] * 4), "each different"),
        (("names", {}), "names must be of type list"),
        (("names", [True]), "names must hold str or int"),
        (("names", ["length", "width", "species"]), "names lacks 'color'"),
        (("target_name", "length"), "differ"),
        (("missing", [1]), "missing must hold str"),
        (("left_out", [["length", "is empty"]]), "a column appears twice"),
        (("left_out", ["length"]), "left_out[0] must be a name and a reason"),
        (("left_out", [["length", "magic"]]), "left_out[0] must be a name and a reason"),
        (("columns", []), "columns must hold one column at least"),
        (("columns", 0, 5), "columns[0] must be an object with a kind"),
        (("columns", 0, "kind", "magic"), "columns[0] must be an object with a kind"),
        (("columns", 0, "mean", float("nan")), "columns[0].mean must be a number up to 1e+150"),
        (("columns", 0, "mean", HUGE), "columns[0].mean must be a number up to 1e+150"),
        (("columns", 0, "mean", "0"), "columns[0].mean must be a number"),
        (("columns", 0, "mean", True), "columns[0].mean must be a number"),
        (("columns", 0, "scale", 0), "columns[0].scale must be > 0"),
        (("columns", 0, "scale", -1.0), "columns[0].scale must be > 0"),
        (("columns", 0, "fill", []), "columns[0].fill must be a number"),
        (("columns", 0, "name", None), "columns[0].name must be a text or a number"),
        (("columns", 0, "more", 1), "key of columns[0] 'more' is unknown"),
        (("columns", 2, "categories", []), "columns[2].categories must be different texts"),
        (("columns", 2, "categories", ["a", "a", "b"]), "columns[2].categories must be different texts"),
        (("columns", 2, "categories", [1, 2, 3]), "categories must hold str"),
        (("columns", 2, "categories", ["a", "b"]), "the network has 5 inputs, but its columns make 4"),
        (("columns", 2, "gap", 1), "gap must be of type bool"),
        (("columns", 2, "fill", 3), "columns[2].fill must be the index of a category"),
        (("columns", 2, "fill", -1), "columns[2].fill must be the index of a category"),
        (("columns", 2, "gap", True), "columns[2].fill must be the index of a category, or null if gap is true"),
        (("target", "task", "magic"), "target must have a task"),
        (("target", []), "target must be of type dict"),
        (("target", "labels", ["iris"]), "target.labels must be different texts, two at least"),
        (("target", "labels", ["a", "b", "c"]), "the network has 2 outputs, its target needs 3"),
        (("target", "label_type", "pickle"), "target.label_type must be one of"),
        (("target", "label_type", "integer"), "invalid literal for int()"),
        (("target", {"task": "regression", "name": "species", "mean": 0.0, "scale": 1.0}), "does not fit regression"),
        (("target", {"task": "regression", "name": "species", "mean": 0.0, "scale": 0.0}), "target.scale must be > 0"),
        (("notes", {"a": 1}), "notes and reading must hold texts"),
        (("reading", {"sep": 1}), "notes and reading must hold texts"),
        (("reading", {"header": "x"}), "reading must hold no more than sep and encoding"),
        (("config", "n_inputs", 10**9), "layers.0.weight must have shape"),
        (("config", "loss", {"name": "mse"}), "loss is 'mse', which does not fit classification"),
    ],
)
def test_file_that_is_not_right_is_refused_with_the_reason(saved, tmp_path, changes, told):
    tensors, header = header_of(saved[1])
    change(header, *changes)
    path = tmp_path / "changed"
    _native.write_tensors(path, tensors, {"chainrule": json.dumps(header)})
    with pytest.raises(ValueError) as caught:
        TabularModel.load(path)
    assert str(caught.value).startswith(str(path))
    assert told in str(caught.value)


def test_file_of_version_1_is_read(saved, garden, tmp_path):
    model, path = saved
    tensors, header = header_of(path)
    header = {**header, "format_version": 1, "constant": [], "names": [*header["names"], "k"]}
    del header["left_out"], header["reading"]
    header["constant"] = ["k"]
    for column in header["columns"]:
        column.pop("notation", None)
    old = tmp_path / "old"
    _native.write_tensors(old, tensors, {"chainrule": json.dumps(header)})
    loaded = TabularModel.load(old)
    assert np.array_equal(loaded.predict_proba(garden), model.predict_proba(garden))
    assert loaded.inputs.left_out == (("k", "never changes"),)
    loaded.save(tmp_path / "new")
    assert TabularModel.load(tmp_path / "new").inputs == loaded.inputs


@pytest.fixture(scope="module")
def dated(tmp_path_factory):
    """Return the file of a model of dates and prices."""
    frame = pd.DataFrame({"d": pd.date_range("2024", periods=40), "p": [f"${i}.5" for i in range(40)]})
    model = TabularModel(**FAST).fit(frame.assign(y=np.arange(40) / 7), "y")
    path = tmp_path_factory.mktemp("dated") / "m"
    model.save(path)
    return path


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (("columns", 0, "parts", []), "columns[0].parts must be some of year"),
        (("columns", 0, "parts", ["century"] * 4), "columns[0].parts must be some of year"),
        (("columns", 0, "parts", ["day"]), "one mean and one scale for each part"),
        (("columns", 0, "means", ["a"]), "columns[0].means must be a number"),
        (("columns", 0, "scales", [0]), "columns[0].scales must be > 0"),
        (("columns", 0, "fill", 1e100), "columns[0].fill must be the seconds of a date"),
        (("columns", 0, "form", 3), "form must be of type str"),
        (("columns", 1, "notation", 3), "columns[1].notation must be an object or null"),
        (("columns", 1, "notation", "decimal", "x"), "columns[1].notation must have marks"),
        (("columns", 1, "notation", "thousands", "."), "columns[1].notation must have marks"),
        (("columns", 1, "notation", "prefix", 1), "prefix must be of type str"),
        (("columns", 1, "notation", "more", 1), "'more' is unknown"),
        (("target", "notation", []), "target.notation must be an object or null"),
    ],
)
def test_file_of_dates_and_notations_that_is_not_right_is_refused(dated, tmp_path, changes, told):
    tensors, header = header_of(dated)
    change(header, *changes)
    _native.write_tensors(tmp_path / "m", tensors, {"chainrule": json.dumps(header)})
    with pytest.raises(ValueError) as caught:
        TabularModel.load(tmp_path / "m")
    assert told in str(caught.value)


def test_tensors_that_do_not_belong_there_are_refused(saved, tmp_path):
    tensors, header = header_of(saved[1])
    _native.write_tensors(tmp_path / "m", {**tensors, "evil": np.zeros(3)}, {"chainrule": json.dumps(header)})
    with pytest.raises(ValueError, match="key 'evil' is unknown"):
        TabularModel.load(tmp_path / "m")


@given(st.data())
def test_file_with_any_part_replaced_loads_or_is_a_value_error(saved, tmp_path_factory, data):
    tensors, header = header_of(saved[1])
    places = [(header, key) for key in header]
    for column in header["columns"]:
        places += [(column, key) for key in column]
    places += [(header["target"], key) for key in header["target"]]
    part, key = data.draw(st.sampled_from(places))
    anything = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
    part[key] = data.draw(anything | st.lists(anything, max_size=3) | st.dictionaries(st.text(max_size=3), anything))
    path = tmp_path_factory.mktemp("any") / "m"
    _native.write_tensors(path, tensors, {"chainrule": json.dumps(header)})
    try:
        loaded = TabularModel.load(path)
    except ValueError as error:
        assert str(error).startswith(str(path))
        return
    frame = pd.DataFrame([["1"] * len(loaded.inputs.names)], columns=loaded.inputs.names)
    try:
        loaded.predict(frame, unknown="ignore")
    except ValueError as error:
        assert "column" in str(error)
