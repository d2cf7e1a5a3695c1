"""What each column of a table becomes: numbers however they are written, dates, categories, row numbers, or refused."""

import datetime as dt
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.tabular import TabularModel, read_csv
from chainrule.tabular.columns import Categorical, Numeric
from chainrule.tabular.dates import Dates, form_of, part_of
from chainrule.tabular.notation import Notation, found

FAST = {"epochs": 2, "patience": 0, "seed": 0, "hidden": (4,)}
N = 40


def table(cell, y=lambda i: "yes" if i % 3 else "no", sep=";") -> pd.DataFrame:
    """Return a table read from CSV with a column x of cell(i), and a target."""
    rows = [f"{cell(i)}{sep}{y(i)}\n" for i in range(N)]
    return read_csv(io.BytesIO(f"x{sep}y\n{''.join(rows)}".encode()), sep=sep)


def column_of(frame: pd.DataFrame, **options):
    (column,) = TabularModel(**FAST, **options).read(frame, "y").columns.inputs.columns
    return column


def values_of(frame: pd.DataFrame, **options):
    return TabularModel(**FAST, **options).read(frame, "y").columns.values[0]  # noqa: PD011 - no pandas object


def told(frame: pd.DataFrame, **options) -> str:
    with pytest.raises(ValueError) as caught:
        TabularModel(**FAST, **options).read(frame, "y")
    return str(caught.value)


# ── Numbers as they are written ──

WRITTEN = {
    "decimal comma": (lambda i: f"{i},25", lambda i: i + 0.25),
    "thousands and decimal": (lambda i: f"{i + 1},200.50", lambda i: 1000 * (i + 1) + 200.5),
    "points and comma": (lambda i: f"{i + 1}.200,50 €", lambda i: 1000 * (i + 1) + 200.5),
    "apostrophes": (lambda i: f"1'{i + 200}.5", lambda i: 1000 + i + 200.5),
    "narrow blanks": (lambda i: f"1\u202f{i + 200},5", lambda i: 1000 + i + 200.5),
    "dollars": (lambda i: f"${i}.5", lambda i: i + 0.5),
    "minus before the currency": (lambda i: f"-${i}.5", lambda i: -i - 0.5),
    "currency code": (lambda i: f"EUR {i}", lambda i: i),
    "percent": (lambda i: f"{i}%", lambda i: i),
    "unit": (lambda i: f"{i} kg", lambda i: i),
    "minus sign": (lambda i: f"−{i},5", lambda i: -i - 0.5),
}


@pytest.mark.parametrize("way", WRITTEN)
def test_numbers_are_read_however_they_are_written(way):
    write, number = WRITTEN[way]
    expected = [number(i) for i in range(N)]
    frame = table(write)
    assert isinstance(column_of(frame), Numeric)
    assert values_of(frame).tolist() == pytest.approx(expected)
    target = TabularModel(**FAST).read(table(lambda i: i, write), "y")
    assert target.target.task == "regression"
    assert target.y.tolist() == pytest.approx(expected)


def test_model_reads_later_numbers_as_those_of_its_training(tmp_path):
    frame = table(lambda i: f"{i},5 €")
    model = TabularModel(**FAST).fit(frame, "y")
    model.save(tmp_path / "m")
    loaded = TabularModel.load(tmp_path / "m")
    assert loaded.inputs == model.inputs
    assert np.array_equal(loaded.encode(frame), model.encode(frame))
    plain = pd.DataFrame({"x": [i + 0.5 for i in range(N)]})
    assert np.array_equal(loaded.encode(plain), model.encode(frame))
    with pytest.raises(ValueError, match=r"line 2, column 'x': '1.5' is not a number with decimal ',' and '€'"):
        loaded.encode(read_csv(io.BytesIO(b"x\n1.5\n")))
    loaded.set_marks(decimal=".")
    assert np.array_equal(loaded.encode(read_csv(io.BytesIO(b"x\n1.5\n"))), loaded.encode(plain[1:2]))


def test_number_that_may_be_two_is_refused_unless_something_decides():
    frame = table(lambda i: f"{i + 1},000")
    assert "'1,000' may be 1000 or 1; --decimal ',' or --thousands ',' (decimal=" in told(frame)
    assert values_of(frame, thousands=",")[1] == 2000
    assert values_of(frame, decimal=",")[1] == 2
    assert "--decimal" in told(table(lambda i: i, lambda i: f"{i + 1},000"))


@pytest.mark.parametrize(("other", "second"), [("1.5", 2000), ("1,5", 2), ("7", None)])
def test_other_columns_decide_what_a_comma_is(other, second):
    rows = "".join(f"{i + 1},000;{other if i else '3'};{'ab'[i % 2]}\n" for i in range(N))
    frame = read_csv(io.BytesIO(f"x;z;y\n{rows}".encode()))
    if second is None:
        assert "may be" in told(frame)
    else:
        assert values_of(frame)[1] == second


@pytest.mark.parametrize(
    ("cell", "what"),
    [
        (lambda i: f"{'$€'[i % 2]}{i}", "holds numbers that are not all written alike, such as '$0', '€1'"),
        (lambda i: "free" if i == 5 else f"${i}", "line 7, column 'x': 'free' is not a number, but 39 other cells"),
        (lambda i: f"id{i}", "has 40 different texts in 40 rows"),
    ],
)
def test_what_is_nearly_a_number_is_refused(cell, what):
    assert what in told(table(cell))
    assert "--task classification" in told(table(lambda i: i, cell))


@pytest.mark.parametrize(
    "cell",
    [
        lambda i: f"{i % 4 * 10}-{i % 4 * 10 + 9}",
        lambda i: f"1.{i % 3}.{i % 2}",
        lambda i: ["1st", "2nd", "3rd"][i % 3],
        lambda i: f"Q{i % 4}",
        lambda i: f"2010-{i % 4 + 11}" if i % 4 > 1 else f"20{10 + i % 4}-11",
    ],
)
def test_texts_with_digits_that_are_no_numbers_stay_categories(cell):
    assert isinstance(column_of(table(cell)), Categorical)


@given(
    st.lists(st.decimals(-(10**9), 10**9, places=2), min_size=1, max_size=8),
    st.sampled_from([(".", ","), (",", "."), (",", " "), (".", "'"), (".", ""), (",", "")]),
    st.sampled_from([("", ""), ("$", ""), ("", "%"), ("", "kg"), ("US$", ""), ("", "EUR")]),
)
def test_any_number_is_read_back_from_its_notation(numbers, marks, affixes):
    (decimal, thousands), (prefix, suffix) = marks, affixes
    texts = [
        prefix + f"{number:,.2f}".replace(",", "T").replace(".", decimal).replace("T", thousands) + suffix
        for number in numbers
    ]
    exact = Notation(decimal, thousands, prefix, suffix)
    assert [exact.number(text) for text in texts] == [float(number) for number in numbers]
    notation = found(texts)  # two decimals never make a group of three, so it is clear
    assert [notation.number(text) for text in texts] == [float(number) for number in numbers]


# ── Dates ──


def stamps():
    start = dt.datetime(2023, 11, 5, 6, 30, tzinfo=dt.UTC)
    return [start + dt.timedelta(days=13 * i, hours=i) for i in range(N)]


FORMS = [
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M:%SZ",
    "%d.%m.%Y %H:%M",
    "%m/%d/%Y %I:%M %p",
    "%d %b %Y %H:%M",
    "%Y/%m/%d %H:%M",
]


@pytest.mark.parametrize("form", FORMS)
def test_dates_give_their_parts_however_they_are_written(form):
    frame = table(lambda i: stamps()[i].strftime(form))
    column = column_of(frame)
    assert column.parts == ("year", "month", "day", "weekday", "time", "seconds")
    seconds = values_of(frame)
    assert seconds.tolist() == [stamp.timestamp() for stamp in stamps()]
    for part in ("year", "month", "day"):
        assert part_of(seconds, part).tolist() == [getattr(stamp, part) for stamp in stamps()]
    assert part_of(seconds, "weekday").tolist() == [stamp.weekday() for stamp in stamps()]
    assert part_of(seconds, "time").tolist() == [stamp.hour * 3600 + stamp.minute * 60 for stamp in stamps()]
    x = TabularModel(**FAST).fit(frame, "y").encode(frame)
    assert x.mean(axis=0) == pytest.approx(0, abs=1e-5)
    assert x.std(axis=0) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("kind", ["naive", "zone", "seconds", "object", "period"])
def test_types_of_dates_are_dates(kind):
    dates = pd.date_range("2024-01-30", periods=N, freq="D")
    typed = {
        "naive": dates,
        "zone": dates.tz_localize("UTC").tz_convert("Asia/Tokyo"),
        "seconds": dates.astype("datetime64[s]"),
        "object": [date.date() for date in dates],
        "period": dates.to_period("D"),
    }[kind]
    frame = pd.DataFrame({"x": typed, "y": ["a", "b"] * (N // 2)})
    assert column_of(frame).parts == ("month", "day", "weekday", "seconds")
    assert values_of(frame).tolist() == [date.timestamp() for date in dates.tz_localize("UTC")]


def test_model_of_dates_is_kept_in_a_file_and_reads_text_and_types(tmp_path):
    frame = table(lambda i: f"{i % 28 + 1}.{i % 12 + 1}.2024")
    model = TabularModel(**FAST).fit(frame, "y")
    model.save(tmp_path / "m")
    loaded = TabularModel.load(tmp_path / "m")
    assert loaded.inputs == model.inputs
    typed = pd.DataFrame({"x": pd.to_datetime([f"2024-{i % 12 + 1:02}-{i % 28 + 1:02}" for i in range(N)])})
    assert np.array_equal(loaded.encode(typed), model.encode(frame))
    with pytest.raises(ValueError, match=r"line 3, column 'x': '2024' is not a date in the form '%d.%m.%Y'"):
        loaded.encode(read_csv(io.BytesIO(b"x\n1.2.2024\n2024\n")))


def test_times_of_the_day_and_time_spans_are_numbers_of_seconds():
    column = column_of(table(lambda i: f"{i % 24}:{i:02}"))
    assert (type(column), column.parts) == (Dates, ("time",))
    frame = pd.DataFrame({"x": pd.to_timedelta(np.arange(N), unit="h"), "y": ["a", "b"] * (N // 2)})
    assert values_of(frame)[:2].tolist() == [0.0, 3600.0]


def test_day_or_month_first_is_found_or_refused():
    assert form_of(["1/2/2024", "13/2/2024"]) == "%d/%m/%Y"
    assert form_of(["1/2/2024", "2/13/2024"]) == "%m/%d/%Y"
    frame = table(lambda i: f"{i % 12 + 1}/{(i + 1) % 11 + 1}/2024")
    assert "may be 2024-02-01 or 2024-01-02; --date-format '%d/%m/%Y'" in told(frame)
    assert column_of(frame, date_format="%m/%d/%Y").form == "%m/%d/%Y"


def test_gap_of_a_date_is_the_median():
    days = pd.to_datetime([None, "2024-01-01", "2024-01-03", "2024-02-09"] * 5)
    model = TabularModel(**FAST, impute=True).fit(pd.DataFrame({"x": days, "y": [0.5, 1, 2, 3] * 5}), "y")
    x = model.encode(pd.DataFrame({"x": pd.to_datetime([None, "2024-01-03"])}))
    assert np.array_equal(x[0], x[1])


def test_dates_are_no_target():
    frame = pd.DataFrame({"x": range(N), "y": pd.date_range("2024", periods=N)})
    assert "the target, column 'y', holds dates" in told(frame)
    assert "the target, column 'y', holds dates" in told(table(lambda i: i, lambda i: f"2024-01-{i % 28 + 1:02}"))


# ── Row numbers, empty columns ──


@pytest.mark.parametrize("order", ["sorted", "shuffled"])
def test_row_numbers_of_pandas_are_left_out_with_a_reason(order):
    frame = pd.DataFrame({"x": np.arange(N) % 7, "y": ["a", "b"] * (N // 2)})
    frame = frame.sample(frac=1, random_state=0) if order == "shuffled" else frame
    text = io.BytesIO(frame.to_csv().encode())
    for saved in (read_csv(text), pd.read_csv(io.BytesIO(text.getvalue()))):
        data = TabularModel(**FAST).read(saved, "y")
        first, x, target = data.decisions
        assert (first.kind, first.what) == ("left out", "numbers the rows")
        assert (x.kind, x.what, target.kind) == ("numbers", "0 to 6", "target")


def test_column_that_identifies_rows_warns():
    frame = pd.DataFrame({"x": np.arange(N) % 7, "customer_id": np.arange(N) * 3 + 100, "y": ["a", "b"] * (N // 2)})
    with pytest.warns(UserWarning, match=r"column 'customer_id' seems to number the rows; --drop customer_id leaves"):
        TabularModel(**FAST).read(frame, "y")
    TabularModel(**FAST, drop=["customer_id"]).read(frame, "y")
    TabularModel(**FAST).read(frame.rename(columns={"customer_id": "height"}), "y")


@pytest.mark.parametrize("empty", [None, float("nan"), pd.NaT, "", "?"])
def test_empty_column_is_left_out(empty):
    frame = pd.DataFrame({"x": range(N), "e": pd.Series([empty] * N, dtype=object), "y": ["a", "b"] * (N // 2)})
    data = TabularModel(**FAST).read(frame, "y")
    assert data.columns.inputs.left_out == (("e", "is empty"),)


# ── Types of a frame ──


@pytest.mark.parametrize("dtype", ["category", "string", "bool", "boolean"])
def test_type_of_a_column_is_taken_at_its_word(dtype):
    values = pd.Series([i % 2 for i in range(N)]).astype("str" if dtype == "string" else int).astype(dtype)
    frame = pd.DataFrame({"x": values, "y": np.arange(N) / 7})
    assert isinstance(column_of(frame), Categorical)
    assert TabularModel(**FAST).read(frame.rename(columns={"x": "y", "y": "x"}), "y").target.task == "classification"


@pytest.mark.parametrize("dtype", [">f8", ">i4", "float16", "Int64", "Float32", "uint8", "Sparse[float]"])
def test_every_type_of_number_is_a_number(dtype):
    frame = pd.DataFrame({"x": pd.Series(range(N)).astype(dtype), "y": ["a", "b"] * (N // 2)})
    assert values_of(frame).tolist() == list(range(N))
    assert len(TabularModel(**FAST).fit(frame, "y").predict(frame)) == N


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ([[1]] * N, "row 0, column 'x' is of type list"),
        ([1] * 3 + [{2}] * (N - 3), "row 3, column 'x' is of type set"),
        ([b"a", b"b"] * (N // 2), "row 0, column 'x' is of type bytes"),
        (np.arange(N) * 1j, "column 'x' holds complex numbers"),
    ],
)
def test_cells_that_are_no_single_value_are_refused(values, what):
    assert what in told(pd.DataFrame({"x": values, "y": ["a", "b"] * (N // 2)}))


LABELS = {
    "float": [0.0, 1.0],
    "Float64": pd.array([0.0, 1.0], dtype="Float64"),
    "Int64": pd.array([3, 4], dtype="Int64"),
    "category of int": pd.Categorical([3, 4]),
    "category of text": pd.Categorical(["01", "02"]),
    "object of bool": np.array([False, True], dtype=object),
    "object of int": np.array([3, 4], dtype=object),
    "boolean": pd.array([False, True], dtype="boolean"),
    "text of numbers": np.array(["01", "1.50"], dtype=object),
}


@pytest.mark.parametrize("kind", LABELS)
def test_labels_come_back_in_the_type_they_came_in(kind, tmp_path):
    pair = pd.Series(LABELS[kind])
    y = pd.concat([pair] * (N // 2), ignore_index=True)
    frame = pd.DataFrame({"x": [0.0, 1.0] * (N // 2), "y": y})
    model = TabularModel(task="classification", epochs=40, patience=0, seed=0).fit(frame, "y")
    model.save(tmp_path / "m")
    for used in (model, TabularModel.load(tmp_path / "m")):
        predicted = used.predict(frame).tolist()
        assert predicted == frame["y"].tolist()
        assert [type(label) for label in predicted[:2]] == [type(label) for label in frame["y"].tolist()[:2]]


@pytest.mark.parametrize(
    ("one", "two"), [("1.0", "2.0"), ("01", "02"), ("TRUE", "FALSE"), ("0.10", "0.20"), ("1e3", "2")]
)
def test_model_of_a_file_takes_the_frame_that_pandas_reads(one, two):
    text = ("x,k,y\n" + "".join(f"{i},{(one, two)[i % 2]},{('no', 'yes')[i % 2]}\n" for i in range(N))).encode()
    model = TabularModel(**FAST, categorical=["k"]).fit(read_csv(io.BytesIO(text)), "y")
    frame = pd.read_csv(io.BytesIO(text))
    assert np.array_equal(model.encode(frame), model.encode(read_csv(io.BytesIO(text))))


def test_large_whole_numbers_stay_different():
    frame = pd.DataFrame({"x": range(N), "y": [str(2**60 + i % 2) for i in range(N)]})
    assert len(TabularModel(**FAST, task="classification").read(frame, "y").target.labels) == 2


# ── Rows without a target, far targets, several problems ──


def test_rows_without_a_target_are_left_out_if_asked():
    frame = table(lambda i: i, lambda i: "" if i % 4 == 0 else "ab"[i % 2])
    assert "line 2, column 'y': the target is missing, and in 9 more rows; --drop-missing-target" in told(frame)
    data = TabularModel(**FAST, drop_missing_target=True).read(frame, "y")
    assert (data.n, data.n_dropped) == (30, 10)


def test_text_of_a_gap_is_named():
    frame = table(lambda i: i, lambda i: ["NA", "DE", "FR"][i % 3])
    assert "the target is missing ('NA')" in told(frame)
    assert "--missing TEXT" in told(frame)
    assert TabularModel(**FAST, missing=["?"]).read(frame, "y").target.labels == ("DE", "FR", "NA")


@pytest.mark.parametrize("gap", ["-", ".", "None", "-nan", "NaT", "#DIV/0!"])
def test_odd_text_among_numbers_may_be_a_gap(gap):
    frame = table(lambda i: gap if i % 9 == 0 else i)
    assert f"line 2, column 'x': {gap!r} is not a number, but 35 other cells" in told(frame)
    assert "says that it stands for a missing cell" in told(frame)
    assert isinstance(column_of(frame, missing=[gap], impute=True), Numeric)


def test_far_target_is_refused_whatever_the_seed():
    frame = table(lambda i: i, lambda i: 1e60 if i == 3 else i)
    for seed in range(3):
        with pytest.raises(ValueError, match=r"line 5, column 'y': '1e\+60' is too far from the other targets"):
            TabularModel(**FAST | {"seed": seed}).fit(frame, "y")


def test_all_problems_are_one_message():
    text = "a,b,c,y\n" + "".join(f"{'z' if i == 3 else i},n{i},{'' if i == 5 else i},{i % 2}\n" for i in range(N))
    message = told(read_csv(io.BytesIO(text.encode())))
    assert message.startswith("3 problems: (1) line 5, column 'a': 'z' is not a number")
    for part in ("(2) column 'b' has 40 different texts", "(3) line 7, column 'c' is missing"):
        assert part in message


def test_decisions_tell_every_column_once_and_the_target_last():
    frame = pd.DataFrame({"n": range(N), "w": ["a", "b"] * (N // 2), "c": 1, "d": 2, "y": np.arange(N) / 3})
    model = TabularModel(**FAST, drop=["d"]).fit(frame, "y")
    told = {of.name: (of.kind, of.what, of.inputs) for of in model.decisions}
    assert told == {
        "n": ("numbers", "0 to 39", 1),
        "w": ("categories", "'a', 'b'", 2),
        "c": ("left out", "never changes", 0),
        "d": ("left out", "as asked", 0),
        "y": ("target", "regression: it holds 40 different numbers", 0),
    }
    assert sum(of.inputs for of in model.decisions) == model.inputs.width


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"decimal": ";"}, "decimal must be '.' or ','"),
        ({"thousands": "x"}, "thousands must be one of"),
        ({"decimal": ",", "thousands": ","}, "must differ"),
    ],
)
def test_wrong_marks_are_refused(options, what):
    with pytest.raises(ValueError, match=what):
        TabularModel(**options)


# ── Tables of other libraries ──


class Foreign:
    """A table that offers `to_pandas`, as those of polars and Arrow do."""

    def __init__(self, frame, error=None):
        self.frame, self.error = frame, error

    def to_pandas(self):
        if self.error is not None:
            raise self.error
        return self.frame


def test_table_of_another_library_is_converted():
    frame = table(lambda i: i)
    assert len(TabularModel(**FAST).fit(Foreign(frame), "y").predict(Foreign(frame))) == N
    with pytest.raises(ImportError, match="Foreign is read by pyarrow: pip install pyarrow"):
        TabularModel(**FAST).fit(Foreign(frame, ModuleNotFoundError("no", name="pyarrow")), "y")
    with pytest.raises(TypeError, match="must have columns with names"):
        TabularModel(**FAST).fit(Foreign(frame["x"]), "y")


def test_parameters_of_the_model_are_those_of_the_settings():
    import dataclasses
    import inspect

    from chainrule.tabular import Settings

    parameters = inspect.signature(TabularModel).parameters
    for field in dataclasses.fields(Settings):
        assert parameters[field.name].default == field.default
