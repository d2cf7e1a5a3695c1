"""Reading CSV: cells keep their text and line numbers, and errors name the line."""

import bz2
import csv
import gzip
import io
import lzma
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.tabular import read_csv, read_table, reading, sources


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


@pytest.mark.parametrize(
    ("source", "told"),
    [(None, "not from None"), ([1, 2], r"not from \[1, 2\]"), (io.StringIO("a\n1\n"), "binary mode")],
)
def test_what_is_no_file_is_a_type_error(source, told):
    with pytest.raises(TypeError, match=told):
        read_csv(source)


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


# ── The two parsers ──

pieces = st.sampled_from(
    [
        "1",
        "2.5",
        "a",
        "é",
        ",",
        " ",
        "\n",
        "\r",
        "\r\n",
        '"',
        '""',
        ",1",
        "1\n",
        "x\n",
        '"a\n"',
        "NA",
        "\t",
        "00",
        "nan",
    ]
)


@given(st.lists(pieces, max_size=14).map("".join), st.integers(1, 3))
def test_pandas_reads_what_the_csv_module_reads_or_nothing(text, n):
    content = text.encode()
    quick = reading.quick(content, 0, 1, ",", n, text=False)
    if quick is None:
        return
    careful = reading.careful(content, 0, 1, ",", "line 1", n)
    assert quick.index.tolist() == careful.index.tolist()
    assert quick.to_numpy().tolist() == careful.to_numpy().tolist()


def test_usual_files_are_read_by_pandas():
    for text in ("1,2\n3,4\n", "1,2\r\n3,4", '"a, b",2\n3,"x\ny"\n', "1,\n,4\n\n\n"):
        assert reading.quick(text.encode(), 0, 1, ",", 2, text=False) is not None, text


def test_column_of_very_many_numbers_becomes_numbers_and_others_stay_text():
    rows = "".join(f"{i / 7!r},{i % 1000:04},{i or ''},w{i}\n" for i in range(3000))
    table = read("a,b,c,d\n" + rows)
    assert [table[name].dtype.kind for name in "abcd"] == ["f", "O", "f", "O"]
    assert table["a"].tolist() == [i / 7 for i in range(3000)], "to the bit"
    assert table["b"][2] == "0000"
    assert table["c"].isna().tolist() == [True] + [False] * 2999
    assert read("a,b,c,d\n" + rows, text=True)["a"].tolist() == [repr(i / 7) for i in range(3000)]


def test_word_below_many_numbers_keeps_the_column_text():
    table = read("a\n" + "".join(f"0{i}\n" for i in range(6000)) + "end\n")
    assert table["a"].tolist()[::6000] == ["00", "end"]


def test_all_rows_of_a_wrong_length_are_told():
    with pytest.raises(ValueError, match=r"line 3 has 1 cell, line 5 has 3 cells, but line 1 has 2"):
        read("a,b\n1,2\n1\n3,4\n1,2,3\n")
    with pytest.raises(ValueError, match=r"\(and 5 more lines\), but line 1 has 2"):
        read("a,b\n" + "1\n" * 10)


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("a|b\n1|2\n", (1, 2)),
        ("price, net;b\n1,5;2\n2;3\n", (2, 2)),
        ("1,5;2,5\n3,5;4,5\n", (2, 2)),
        ("a;b;c\n1,5;2,5;3\n", (1, 3)),
        ('a,"b;c;d"\n1,2\n3,4\n', (2, 2)),
    ],
)
def test_separator_is_the_one_that_gives_a_table(text, shape):
    assert read(text).shape == shape


# ── Encodings, packed files, other formats ──


def test_encoding_that_is_given_is_used():
    assert read("größe,b\n1,2\n".encode("cp1252"), encoding="cp1252").columns.tolist() == ["größe", "b"]
    assert read("a,b\n1,é\n".encode("utf-16"), encoding="utf-16")["b"].tolist() == ["é"]
    with pytest.raises(ValueError, match=r"it is UTF-16 text; --encoding utf-16"):
        read("a,b\n1,2\n".encode("utf-16"))
    with pytest.raises(ValueError, match=r"line 2 is not UTF-8 text .*--encoding"):
        read("a,b\n1,é\n".encode("cp1252"))
    with pytest.raises(ValueError, match="it is not text in the encoding 'utf-8'"):
        read(b"a\n\xe9\n", encoding="utf-8")
    for unknown in ("klingon", "hex", "a\0b", "\N{SNOWMAN}"):
        with pytest.raises(ValueError, match=r"encoding .* is unknown"):
            read("a\n1\n", encoding=unknown)


def zipped(content: bytes, *names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, lambda text: zipped(text, "t.csv")])
def test_packed_file_is_unpacked_whatever_its_name(pack, tmp_path):
    packed = pack(b"a,b\n1,2\n")
    assert read(packed)["b"].tolist() == ["2"]
    (tmp_path / "t.csv").write_bytes(pack(packed))
    assert read_table(tmp_path / "t.csv")["b"].tolist() == ["2"]
    with pytest.raises(ValueError, match=r"unpacked|more than|text after|line"):
        read(packed[: len(packed) // 2])


def test_zip_file_of_several_files_is_refused():
    with pytest.raises(ValueError, match="a zip file must hold one table, and this one holds 2 files"):
        read(zipped(b"a\n1\n", "a.csv", "b.csv"))


def test_what_is_too_large_is_refused_packed_or_not(monkeypatch):
    monkeypatch.setattr(sources, "MOST_BYTES", 100_000)
    monkeypatch.setattr(sources, "PIECE", 1000)
    text = b"a\n" + b"1\n" * 100_000
    for content in (text, gzip.compress(text), zipped(gzip.compress(text), "a.csv.gz")):
        with pytest.raises(
            ValueError, match=r"it holds more than .* GiB, the most that is read: reading takes up to 20"
        ):
            read(content)


def test_memory_that_does_not_suffice_is_told_with_the_size():
    with (
        pytest.raises(MemoryError, match=r"read 3 MiB, which takes up to 20 times as much"),
        sources.memory_named(3 << 20),
    ):
        raise MemoryError


def test_json_lines_are_read_with_their_types():
    table = read_table(io.BytesIO(b'{"a": 1, "b": "01"}\n{"a": 2.5, "b": "x"}\n'))
    assert table.to_dict("list") == {"a": [1.0, 2.5], "b": ["01", "x"]}
    assert read("{a,b\n1,2\n").columns.tolist() == ["{a", "b"]


@pytest.mark.parametrize("content", [b"PAR1 no", b"ARROW1\0\0 no", b"\xd0\xcf\x11\xe0 no", b'{"a": 1}\n{"a"\n'])
def test_damaged_file_of_another_format_is_a_value_error(content):
    try:
        read_table(io.BytesIO(content))
    except (ValueError, ImportError) as error:
        assert str(error)
    else:
        pytest.fail("it was read")
