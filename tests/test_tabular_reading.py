"""Reading CSV: cells keep their text and line numbers, and errors name the line."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.tabular import read_csv


def read(content: bytes | str, **options):
    return read_csv(io.BytesIO(content.encode() if isinstance(content, str) else content), **options)


def test_header_is_what_holds_no_number():
    assert read("a,b\n1,2\n").columns.tolist() == ["a", "b"]
    assert read("1,b\n1,2\n").columns.tolist() == [1, 2]
    assert read("a,b\nc,d\n", header=False).columns.tolist() == [1, 2]
    assert read("2020,2021\n1,2\n", header=True).columns.tolist() == ["2020", "2021"]
    assert len(read("a,-1e5\nb,2\n")) == 2, "a number in the first row: no header"
    assert len(read("a,?\nb,2\n")) == 1, "a gap is no number"


@pytest.mark.parametrize("sep", [",", ";", "\t"])
def test_separator_is_found(sep):
    table = read(f"a{sep}b{sep}c\n1{sep}2,5{sep}3\n" if sep != "," else "a,b,c\n1,2;5,3\n")
    assert table.shape == (1, 3)


def test_separator_inside_quotes_does_not_count():
    assert read('"a;b;c",d\n1,2\n').columns.tolist() == ["a;b;c", "d"]


def test_separator_that_is_given_is_used():
    assert read("a|b\n1|2\n", sep="|").iloc[0].tolist() == ["1", "2"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_counted_whatever_ends_them(end):
    table = read(end.join(["a,b", "1,2", "", '"x' + end + 'y",3', "4,5", ""]))
    assert table.index.tolist() == [2, 4, 6]
    assert table.index.name == "line"
    assert table["b"].tolist() == ["2", "3", "5"]


def test_cells_stay_text_without_the_blanks_around():
    assert read('a , b\n 007 ,"x ""y"", z"\n').iloc[0].tolist() == ["007", 'x "y", z']


def test_byte_order_mark_is_no_part_of_a_name():
    assert read(b"\xef\xbb\xbfa,b\n1,2\n").columns.tolist() == ["a", "b"]


def test_empty_name_is_the_column_number():
    assert read(",a\n0,1\n").columns.tolist() == ["column 1", "a"]


def test_last_line_needs_no_end():
    assert len(read("a,b\n1,2\n3,4")) == 2


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "nothing in it"),
        (b"\n\n\n", "nothing in it"),
        (b"a,b\n", "no rows below its header"),
        (b"a,b\n1,2\n3\n", "line 3 has 1 cell, but line 1 has 2"),
        (b"a,b\n1,2\n\n3,4,5\n", "line 4 has 3 cells, but line 1 has 2"),
        (b'a,b\n"x\ny",2\n1\n', "line 4 has 1 cell"),
        (b"a,b,a\n1,2,3\n", "two columns are named 'a': the 1st and the 3rd"),
        (b'a,b\n1,"2\n3,4\n', 'line 2: a quote (") is opened and never closed'),
        (b'a,b\n1,"2"x\n', "line 2: there is text after a closing quote"),
        (b"a,b\n1,\xe9\n", "line 2 is not UTF-8 text (byte 0xe9)"),
        (b"\xff\xfea\x00,\x00b\x00", "UTF-16"),
        (b"PK\x03\x04\x00\x00", "it is a zip file that cannot be unpacked"),
        (b"a,b\n" + b"1,2\n" * 50_000 + b"\x00", "binary file"),
        (b'a,b\n"' + b"x" * 200_000 + b'",1\n', "line 2: a cell is longer than"),
        (b"," * 70_000 + b"\n", "at most 65,536 columns"),
    ],
)
def test_what_is_no_table_is_refused_with_the_reason(content, told):
    with pytest.raises(ValueError) as caught:
        read(content)
    assert told in str(caught.value)


def test_file_without_end_is_refused_at_its_start():
    with pytest.raises(ValueError, match="binary"):
        read_csv("/dev/zero")


def test_file_that_is_not_there_is_an_error_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_csv(tmp_path / "none.csv")
    with pytest.raises(IsADirectoryError):
        read_csv(tmp_path)


cells = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)


@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=5))
def test_what_the_csv_module_writes_is_read_back(rows):
    file = io.StringIO(newline="")
    writer = csv.writer(file, quoting=csv.QUOTE_ALL)
    writer.writerows(rows)
    table = read(file.getvalue(), header=False, sep=",")
    assert table.to_numpy().tolist() == [[cell.strip() for cell in row] for row in rows]


@given(st.binary(max_size=60))
def test_any_bytes_are_a_table_or_a_value_error(content):
    try:
        table = read(content)
    except ValueError:
        return
    assert table.index.is_monotonic_increasing
    assert all(isinstance(cell, str) for cell in table.to_numpy().ravel())
