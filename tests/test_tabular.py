"""Tables: the kinds of columns, their encoding as inputs, the target, and errors that name the place."""

import io

import numpy as np
import pandas as pd
import pytest

from chainrule import Network
from chainrule.reference.losses import LOSSES
from chainrule.tabular import Settings, TabularModel, read_csv
from chainrule.tabular.cells import Cells
from chainrule.tabular.columns import Categorical, Numeric
from chainrule.tabular.targets import losses
from chainrule.tabular.training import HELD_BACK, parts

from .command_line import as_csv, flowers

FAST = {"epochs": 2, "patience": 0, "seed": 0, "hidden": (4,)}


def table(text: str) -> pd.DataFrame:
    return read_csv(io.BytesIO(text.encode()))


def model_of(text: str, target: str | int, **options) -> TabularModel:
    return TabularModel(**FAST | options).fit(table(text), target)


def columns_of(text: str, target: str = "y", **options):
    return TabularModel(**FAST | options).read(table(text), target).columns.inputs.columns


NUMBERS = "x,c,y\n1,red,0.5\n2,blue,1.5\n4,red,2.5\n"


@pytest.fixture(scope="module")
def garden():
    return pd.DataFrame(flowers())


@pytest.fixture(scope="module")
def model(garden):
    return TabularModel(seed=0).fit(garden, "species")


# ── Columns ──


def test_column_of_numbers_is_numeric_and_of_words_categorical():
    x, c = columns_of(NUMBERS)
    assert isinstance(x, Numeric)
    assert isinstance(c, Categorical)
    assert c.categories == ("blue", "red")


def test_inputs_are_standardized_and_one_hot():
    model = model_of(NUMBERS, "y")
    x = np.array([1.0, 2.0, 4.0])
    assert model.encode(table(NUMBERS)) == pytest.approx(
        np.column_stack([(x - x.mean()) / x.std(), [0, 1, 0], [1, 0, 1]]), abs=1e-6
    )
    assert model.inputs.input_names == ["column 'x'", "column 'c' = 'blue'", "column 'c' = 'red'"]


def test_categorical_column_of_numbers_has_them_in_order():
    (x, _) = columns_of("x,z,y\n10,1,1\n9,2,2\n10,3,3\n", categorical=["x"])
    assert x.categories == ("9", "10")


def test_constant_columns_are_left_out():
    data = TabularModel(**FAST).read(table("k,l,x,y\n1,a,1,0.5\n1.0,a,2,1.5\n"), "y")
    assert data.columns.inputs.constant == ("k", "l")
    assert [column.name for column in data.columns.inputs.columns] == ["x"]


def test_dropped_columns_may_hold_anything_then_and_later():
    model = model_of("name,x,y\nann,1,1\n,2,2.5\nbob,3,3\n", "y", drop=["name"])
    assert len(model.predict(table("x\n5\n6\n"))) == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x,y\n1,1\nabc,2\n3,3.5\n", "line 3, column 'x': 'abc' is not a number, but 2 other cells"),
        ("x,y\na,1\nb,2\n3,3.5\n", "line 4, column 'x': '3' is a number, but 2 other cells"),
        ("x,y\n1,1\n1e999,2\n", "line 3, column 'x': '1e999' is too large a number"),
        ("x,y\n1,1\n-inf,2\n", "line 3, column 'x': '-inf' is too large a number"),
        ("x,y\n1,1\n,2\n?,3\n", "line 3, column 'x' is missing, one of 2 in this column; train with --impute"),
        ("x,y\n1,1\nnan,2\n", "line 3, column 'x' is missing ('nan'); train with --impute"),
        ("x,y\n1,1\n1,2\n", "no column is left to learn from; 'x' never change"),
        ("x,y\n1,\n2,1\n", "line 2, column 'y': the target is missing"),
        ("x,y\n1,\n2,?\n", "the target, column 'y', is missing in all rows"),
        ("x,y\n1,3\n2,3\n", "the target, column 'y', is '3' in all rows"),
        ("x,y\n1,3\n2,3.0\n", "the target, column 'y', is '3' in all rows"),
        ("x,y\n1,3\n2,b\n3,4\n", "line 3, column 'y': 'b' is not a number, but others of the target are"),
        ("x,y\n1,1\n2,1e400\n", "line 3, column 'y': '1e400' is too large a number"),
        ("x,y\n1,5\n", "it has 1 row; two at least are needed"),
    ],
)
def test_column_that_cannot_be_used_is_refused_with_its_place(text, told):
    with pytest.raises(ValueError) as caught:
        model_of(text, "y")
    assert told in str(caught.value)


def test_column_of_texts_that_hardly_repeat_is_refused_unless_asked_for():
    frame = pd.DataFrame({"name": [f"n{i}" for i in range(30)], "x": range(30), "y": np.arange(30) / 7})
    with pytest.raises(ValueError, match=r"column 'name' has 30 different texts in 30 rows.*--drop name"):
        TabularModel(**FAST).fit(frame, "y")
    assert TabularModel(**FAST, categorical=["name"]).fit(frame, "y").inputs.width == 31


def test_largest_numbers_can_be_learned():
    frame = pd.DataFrame({"x": [1e150, -1e150, 0.0], "y": [-1e150, 1e150, 3.0]})
    model = TabularModel(**FAST).fit(frame, "y")
    assert np.isfinite([*model.predict(frame), *model.evaluate(frame).values()]).all()


def test_number_too_far_from_the_training_data_is_refused_with_its_place():
    with pytest.raises(ValueError, match=r"line 3, column 'x': 1e\+100 is too far from the training data"):
        model_of(NUMBERS, "y").predict(table("x,c\n1,red\n1e100,red\n"))


# ── Gaps ──


GAPS = "x,c,d,y\n1,a,p,1\n3,a,p,2\n?,b,q,3\n9,,p,4\n"


def test_gap_is_the_median_or_a_category_of_its_own():
    model = model_of(GAPS, "y", impute=True)
    x, c, d = model.inputs.columns
    assert x.fill == 3.0
    assert (c.categories, c.gap, c.fill) == (("a", "b"), True, None)
    assert (d.categories, d.gap, d.fill) == (("p", "q"), False, 0)
    filled = model.encode(table("x,c,d\n,,\n3,a,p\n"))
    assert filled[0, 0] == filled[1, 0]
    assert filled[:, 1:].tolist() == [[0, 0, 1, 1, 0], [1, 0, 0, 1, 0]]


def test_gap_is_refused_later_where_it_was_not_to_be_filled():
    with pytest.raises(ValueError, match="line 2, column 'x' is missing"):
        model_of(NUMBERS, "y").predict(table("x,c\n,red\n"))
    with pytest.raises(ValueError, match="line 2, column 'c' is missing"):
        model_of(NUMBERS, "y").predict(table("x,c\n1,n/a\n"))


def test_texts_of_gaps_can_be_chosen():
    text = "country,x,y\nNA,1,1\nDE,-999,2\nNA,3,3\n"
    model = model_of(text, "y", impute=True, missing=["-999"])
    assert model.inputs.columns[0].categories == ("DE", "NA")
    assert model.inputs.columns[1].fill == 2.0


@pytest.mark.parametrize("value", [None, float("nan"), pd.NA, pd.NaT])
def test_gap_of_a_table_is_a_gap(value):
    frame = pd.DataFrame({"x": [1, 2, value, 4], "y": [1.5, 2, 3, 4]}, dtype=object)
    with pytest.raises(ValueError, match="row 2, column 'x' is missing"):
        TabularModel(**FAST).fit(frame, "y")
    assert TabularModel(**FAST, impute=True).fit(frame, "y").inputs.columns[0].fill == 2.0


# ── Matching another table ──


def test_columns_are_found_by_name_whatever_their_order(model, garden):
    other = garden[["color", "species", "width", "length"]].assign(more=1)
    assert np.array_equal(model.predict(other), model.predict(garden))
    assert model.inputs.extra_names(other) == ["more"]


def test_columns_that_are_missing_are_named(model, garden):
    with pytest.raises(ValueError, match="lacks the columns 'length', 'color'; it has 'width', 'species'"):
        model.predict(garden[["width", "species"]])


def test_table_without_header_is_refused_where_names_are_known(model, garden):
    with pytest.raises(ValueError, match="has no header"):
        model.predict(garden.set_axis([1, 2, 3, 4], axis=1))


def test_columns_without_header_are_found_by_place():
    model = model_of("1,0.5,7\n2,1.5,6\n4,2.5,9\n", 2)
    whole, inputs_alone = table("1,0.5,7\n3,0,8\n"), table("1,7\n3,8\n")
    assert np.array_equal(model.predict(whole), model.predict(inputs_alone))
    for text in ("1\n", "1,2,3,4\n"):
        with pytest.raises(ValueError, match=r"it has \d columns?, but the model was trained on 3"):
            model.predict(table(text))
    with pytest.raises(ValueError, match="lacks the target, column 2"):
        model.evaluate(inputs_alone)


def test_unknown_category_is_refused_or_counts_as_none(model, garden):
    other = garden.assign(color=["green", *garden["color"][1:]])
    with pytest.raises(ValueError, match=r"row 0, column 'color': 'green' is a category that the training data did"):
        model.predict(other)
    assert model.encode(other, unknown="ignore")[0, 2:].tolist() == [0, 0, 0]
    assert np.array_equal(model.predict(other, unknown="ignore")[1:], model.predict(garden)[1:])
    with pytest.raises(ValueError, match="unknown must be 'error' or 'ignore'"):
        model.predict(other, unknown="whatever")


def test_unknown_class_is_refused_where_it_is_measured(model, garden):
    with pytest.raises(ValueError, match=r"row 59, column 'species': 'oak' is a class that the training data did not"):
        model.evaluate(garden.assign(species=[*garden["species"][:-1], "oak"]))


def test_word_in_a_numeric_column_is_refused(model, garden):
    with pytest.raises(ValueError, match="row 1, column 'width': 'wide' is not a number"):
        model.predict(garden.assign(width=["1", "wide", *["2"] * 58]))


# ── Target ──


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (["a", "b"] * 3, "classification"),
        ([1, 2, 3] * 2, "classification"),
        ([1, 2, 3], "regression"),  # each once: it numbers the rows
        (list(range(10)) * 2, "classification"),
        (list(range(11)) * 2, "regression"),
        ([0.5, 1.5] * 4, "regression"),
        ([True, False] * 4, "classification"),
        ([1.0, 2.0] * 4, "classification"),
    ],
)
def test_task_follows_from_the_target(values, task):
    frame = pd.DataFrame({"x": np.arange(len(values)), "y": values})
    assert TabularModel(**FAST).read(frame, "y").target.task == task


def test_task_that_is_asked_for_is_done():
    frame = pd.DataFrame({"x": range(6), "y": [1, 2, 3] * 2})
    regression = TabularModel(task="regression", **FAST).fit(frame, "y")
    assert set(regression.evaluate(frame)) == {"r2", "rmse", "mae", "loss"}
    frame["y"] /= 2
    assert TabularModel(task="classification", **FAST).fit(frame, "y").target.labels == ("0.5", "1", "1.5")
    with pytest.raises(ValueError, match="task must be 'classification' or 'regression', not 'x'"):
        TabularModel(task="x", **FAST).fit(frame, "y")


@pytest.mark.parametrize("labels", [["no", "yes"], [10, 9], [False, True], ["x", "7"]])
def test_labels_are_given_back_as_they_were(labels):
    frame = pd.DataFrame({"x": [0.0, 1.0] * 20, "y": labels * 20})
    predicted = TabularModel(task="classification", epochs=40, patience=0, seed=0).fit(frame, "y").predict(frame)
    assert predicted.tolist() == frame["y"].tolist()


def test_numbers_are_predicted_in_their_own_unit():
    x = np.linspace(0, 1, 80)
    frame = pd.DataFrame({"x": x, "y": 1e6 + 5e4 * x})
    model = TabularModel(seed=0, dropout=0.0).fit(frame, "y")
    assert model.predict(frame) == pytest.approx(frame["y"], abs=5e3)
    measured = model.evaluate(frame)
    assert measured["r2"] > 0.9
    assert measured["mae"] == pytest.approx(np.abs(model.predict(frame) - frame["y"]).mean())


@pytest.mark.parametrize("loss", losses("regression"))
def test_every_loss_for_numbers_learns(loss):
    frame = pd.DataFrame({"x": np.linspace(-1, 1, 64), "y": np.linspace(1, 3, 64)})
    model = TabularModel(loss=loss, dropout=0.0, epochs=300, patience=0, learning_rate=0.01, seed=0).fit(frame, "y")
    assert model.evaluate(frame)["r2"] > 0.9
    assert model.predict(frame).shape == (64,)


@pytest.mark.parametrize("loss", losses("classification", n_classes=2))
def test_every_loss_for_classes_learns(loss):
    frame = pd.DataFrame({"x": np.linspace(-1, 1, 64), "y": ["low"] * 32 + ["up"] * 32})
    model = TabularModel(loss=loss, dropout=0.0, epochs=100, patience=0, learning_rate=0.01, seed=0).fit(frame, "y")
    assert model.evaluate(frame)["accuracy"] > 0.95
    p = model.predict_proba(frame)
    assert p.shape == (64, 2)
    assert p.sum(axis=1) == pytest.approx(1.0, abs=1e-5)
    assert (model.predict(frame) == np.array(["low", "up"])[p.argmax(axis=1)]).all()


@pytest.mark.parametrize("loss", LOSSES)
def test_loss_that_does_not_fit_is_refused(loss):
    for task, values in (("regression", np.arange(12) / 7), ("classification", ["a", "b", "c"] * 4)):
        frame = pd.DataFrame({"x": range(12), "y": values})
        if loss not in losses(task, n_classes=3):
            with pytest.raises(ValueError, match=f"loss '{loss}' does not fit {task}"):
                TabularModel(loss=loss, **FAST).fit(frame, "y")


def test_probabilities_are_of_classes_only():
    with pytest.raises(ValueError, match="probabilities are of classes"):
        model_of(NUMBERS, "y").predict_proba(table(NUMBERS))


# ── Training ──


def test_same_seed_is_the_same_model(garden):
    first, second = (TabularModel(seed=3).fit(garden, "species").network.parameters for _ in range(2))
    assert np.array_equal(first, second)


def test_training_ends_when_rows_held_back_get_no_better(garden):
    model = TabularModel(seed=0, patience=5).fit(garden, "species")
    losses = model.history["val_loss"]
    assert len(losses) - 5 == int(np.argmin(losses)) + 1 == model.epochs
    assert model.network.epoch_count == model.epochs


def test_a_loss_of_rows_held_back_that_is_never_finite_makes_every_epoch():
    x = np.random.default_rng(0).normal(size=60)
    frame = pd.DataFrame({"x": x, "y": x})
    model = TabularModel(seed=0, patience=2, epochs=7)
    held_back, _ = parts(model.read(frame, "y").y, None, np.arange(60), HELD_BACK, 0)
    frame.loc[held_back[:2], "y"] = 1e20  # its square is beyond float32; a single one would be refused
    with pytest.warns(UserWarning, match="^training: the loss .* was never a finite number.* all 7 "):
        model.fit(frame, "y")
    assert model.history["val_loss"] == [float("inf")] * 7
    assert model.epochs == model.network.epoch_count == 7


def test_without_patience_every_epoch_is_made(garden):
    model = TabularModel(**FAST).fit(garden, "species")
    assert (model.epochs, len(model.history), "val_loss" in model.history) == (2, 2, False)


def test_score_is_of_rows_that_were_not_trained_on(garden):
    model = TabularModel(seed=0)
    held_out = model.held_out(garden, "species", share=0.25)
    assert len(held_out.y_true) == 15
    folds = model.cross_validated(garden, "species", folds=4)
    assert len(folds.parts) == 4
    assert sorted(folds.y_true) == sorted(garden["species"])
    accuracy = np.mean([part["accuracy"] for part in folds.parts])
    assert folds.mean["accuracy"] == pytest.approx(accuracy)
    assert (folds.y_true == folds.y_pred).mean() == pytest.approx(accuracy)
    assert accuracy > 0.75
    with pytest.raises(ValueError, match="not fitted"):
        _ = model.network


@pytest.mark.parametrize("folds", [0, 1, 61])
def test_wrong_number_of_folds_is_refused(garden, folds):
    with pytest.raises(ValueError, match="folds must be from 2 to the number of rows, which is 60"):
        TabularModel(**FAST).cross_validated(garden, "species", folds=folds)


def test_classes_of_one_row_can_be_split():
    frame = pd.DataFrame({"x": range(24), "y": ["a"] * 22 + ["b", "c"]})
    assert len(TabularModel(**FAST).cross_validated(frame, "y", folds=3).y_true) == 24
    assert TabularModel(epochs=3, seed=0).fit(frame, "y").target.labels == ("a", "b", "c")


def test_one_of_two_rows_can_be_held_out():
    data = TabularModel(**FAST).read(pd.DataFrame({"x": [1, 2], "y": [1.5, 2]}), "y")
    assert len(TabularModel(**FAST).held_out(data).y_true) == 1


def test_means_of_a_fold_are_of_its_training_rows_alone():
    data = TabularModel(**FAST).read(pd.DataFrame({"x": [0.0, 2.0, 100.0], "y": [1.5, 2, 3]}), "y")
    inputs, _ = data.columns.learn(np.array([0, 1]))
    assert (inputs.columns[0].mean, inputs.columns[0].scale) == (1.0, 1.0)


def test_settings_make_the_network(garden):
    settings = {
        "hidden": (7,),
        "activation": "relu",
        "l2": 0.1,
        "dropout": 0.0,
        "optimizer": "sgd",
        "init": "he_normal",
    }
    network = TabularModel(epochs=1, patience=0, seed=0, learning_rate=0.5, **settings).fit(garden, "species").network
    assert isinstance(network, Network)
    assert [layer.units for layer in network.layers] == [7, 2]
    assert network.layers[0].l2 == network.layers[1].l2 == 0.1
    assert network.learning_rate == 0.5
    assert len(TabularModel(epochs=1, hidden=(), seed=0).fit(garden, "species").network.layers) == 1


@pytest.mark.parametrize(
    ("settings", "kind", "told"),
    [
        ({"hiden": (3,)}, TypeError, "did you mean 'hidden'"),
        ({"hidden": "64"}, TypeError, "hidden must be a sequence"),
        ({"hidden": (0,)}, ValueError, "hidden, a number of units,"),
        ({"dropout": 1.0}, ValueError, r"dropout must be a number in \[0, 1\)"),
        ({"learning_rate": 0}, ValueError, "learning_rate"),
        ({"patience": -1}, ValueError, "patience"),
        ({"loss": "mes"}, ValueError, "did you mean 'mse'"),
        ({"drop": "name"}, TypeError, "drop must be a sequence of names"),
        ({"missing": [1]}, TypeError, "missing must hold texts, not 1"),
    ],
)
def test_wrong_setting_is_refused(settings, kind, told):
    with pytest.raises(kind, match=told):
        TabularModel(**settings)


def test_seed_is_drawn_where_none_is_given():
    assert Settings().seed != Settings().seed


@pytest.mark.parametrize(
    ("frame", "target", "kind", "told"),
    [
        ([[1, 2]], "y", TypeError, "must be a pandas.DataFrame"),
        (pd.DataFrame(), "y", ValueError, "no columns"),
        (pd.DataFrame({"a": [1], 2: [3]}), "a", TypeError, "all be str"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "a", ValueError, "two columns are named 'a'"),
        (pd.DataFrame({"rings": [1, 2], "x": [1, 2]}), "ring", ValueError, "no column 'ring'; did you mean 'rings'"),
        (pd.DataFrame({"x": [1, 2]}), None, TypeError, "target must name the column"),
    ],
)
def test_what_is_no_table_with_a_target_is_refused(frame, target, kind, told):
    with pytest.raises(kind, match=told):
        TabularModel(**FAST).fit(frame, target)


def test_column_cannot_be_target_and_dropped():
    with pytest.raises(ValueError, match="is the target and cannot be dropped"):
        model_of(NUMBERS, "y", drop=["y"])


def test_csv_and_table_give_the_same_model(garden):
    by_file = TabularModel(**FAST).fit(table(as_csv(flowers())), "species")
    by_table = TabularModel(**FAST).fit(garden, "species")
    assert np.array_equal(by_file.network.parameters, by_table.network.parameters)


def test_texts_that_differ_in_blanks_are_one():
    cells = Cells.of(pd.Series([" a", "a ", None, "?"]), "c")
    assert cells.texts == ("a",)
    assert cells.codes.tolist() == [0, 0, -1, -1]
