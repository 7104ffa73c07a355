"""Reading tables: every file that people have is read, or refused in one line with a remedy."""

import bz2
import gzip
import lzma
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from reinforge.data import bytes_in, tables
from reinforge.data.tables import read_table
from reinforge.errors import InputError

TEXT = "age,site,dose\n34,north,0.1\n51,south,2.25\n70,north,3.0\n"
FRAME = pd.DataFrame(
    {"age": [34, 51, 70], "site": ["north", "south", "north"], "dose": [0.1, 2.25, 3]}
)


def _file(folder: Path, content: str | bytes, name: str = "rows.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def _zip(folder: Path, **members: str) -> Path:
    with zipfile.ZipFile(folder / "rows.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return folder / "rows.zip"


GOOD = {
    "plain": (TEXT.encode(), "rows.csv"),
    "semicolon": (TEXT.replace(",", ";").encode(), "rows.csv"),
    "semicolon and decimal comma": (TEXT.replace(",", ";").replace(".", ",").encode(), "rows.csv"),
    "tab": (TEXT.replace(",", "\t").encode(), "rows.tsv"),
    "tab by another name": (TEXT.replace(",", "\t").encode(), "rows.txt"),
    "pipe": (TEXT.replace(",", "|").encode(), "rows.csv"),
    "byte-order mark": (TEXT.encode("utf-8-sig"), "rows.csv"),
    "UTF-16 with a mark": (TEXT.encode("utf-16"), "rows.csv"),
    "UTF-16 without a mark": (TEXT.encode("utf-16-le"), "rows.csv"),
    "UTF-16 big-endian": (TEXT.encode("utf-16-be"), "rows.csv"),
    "UTF-32": (TEXT.encode("utf-32"), "rows.csv"),
    "Windows newlines": (TEXT.replace("\n", "\r\n").encode(), "rows.csv"),
    "old Mac newlines": (TEXT.replace("\n", "\r").encode(), "rows.csv"),
    "no newline at the end": (TEXT.rstrip().encode(), "rows.csv"),
    "blank lines": (TEXT.replace("\n", "\n\n").encode(), "rows.csv"),
    "quoted": (TEXT.replace("north", '"north"').encode(), "rows.csv"),
    "gzip": (gzip.compress(TEXT.encode()), "rows.csv.gz"),
    "xz": (lzma.compress(TEXT.encode()), "rows.csv.xz"),
    "bzip2": (bz2.compress(TEXT.encode()), "rows.csv.bz2"),
    "packed without saying so": (gzip.compress(TEXT.encode()), "rows.csv"),
    "spaces in the path": (TEXT.encode(), "my rows.csv"),
}


@pytest.mark.parametrize("name", GOOD)
def test_every_form_of_the_same_table_reads_alike(tmp_path, name):
    content, file_name = GOOD[name]
    pd.testing.assert_frame_equal(read_table(_file(tmp_path, content, file_name)), FRAME)


def test_a_zip_of_one_table_is_read(tmp_path):
    pd.testing.assert_frame_equal(read_table(_zip(tmp_path, **{"rows.csv": TEXT})), FRAME)


def test_latin_1_is_read_when_it_is_named(tmp_path):
    path = _file(tmp_path, "name,x\nMüller,1\nJörg,2\n".encode("latin-1"))
    assert read_table(path, encoding="latin-1")["name"].tolist() == ["Müller", "Jörg"]


def test_quoted_newlines_and_separators_stay_in_their_cell(tmp_path):
    path = _file(tmp_path, 'note,x\n"two\nlines, and a comma",1\nplain,2\n')
    assert read_table(path)["note"].tolist() == ["two\nlines, and a comma", "plain"]


def test_a_header_name_with_a_newline_is_kept(tmp_path):
    assert list(read_table(_file(tmp_path, '"a\nb",c\n1,2\n')).columns) == ["a\nb", "c"]


def test_a_single_column_is_a_table(tmp_path):
    assert read_table(_file(tmp_path, "x\n1\n2\n"))["x"].tolist() == [1, 2]


def test_texts_for_missing_are_text_where_the_user_says_so(tmp_path):
    path = _file(tmp_path, "x,y\nNA,1\nNone,2\nnull,3\n?,4\n")
    assert read_table(path)["x"].isna().tolist() == [True, True, True, False]
    kept = read_table(path, keep_default_na=False, na_values=["?"])
    assert kept["x"].tolist()[:3] == ["NA", "None", "null"]
    assert kept["x"].isna().tolist() == [False, False, False, True]


def test_decimals_are_read_to_the_last_bit(tmp_path):
    amounts = [0.1 + 0.2, 1 / 3, 123456.789, 5e-324, 1.7976931348623157e308]
    path = _file(tmp_path, "x\n" + "\n".join(map(repr, amounts)) + "\n")
    assert read_table(path)["x"].tolist() == amounts


def test_zero_width_and_look_alike_letters_are_kept_apart(tmp_path):
    path = _file(tmp_path, "x\na\nа\na\u200b\n")
    assert read_table(path)["x"].nunique() == 3


def test_columns_without_a_name_are_named_aloud(tmp_path):
    with pytest.warns(UserWarning, match="columns without a name are called 'column_1'"):
        frame = read_table(_file(tmp_path, ",x\n1,2\n3,4\n"))
    assert list(frame.columns) == ["column_1", "x"]


BAD: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty: no header and no rows"),
    "blank": (b"\n \n", "is empty"),
    "header only": (b"a,b\n", "has a header and 0 rows; at least one row is needed"),
    "a field too many": (
        b"a,b\n1,2\n3,4,5\n",
        r"rows.csv, line 3: 3 fields where the header has 2",
    ),
    "a field too many everywhere": (
        b"a,b\n1,2,3\n4,5,6\n",
        r"line 2: 3 fields where the header has 2",
    ),
    "a field too few": (b"a,b\n1,2\n3\n4,5\n", r"line 3: 1 fields? where the header has 2"),
    "too few after a quoted newline": (
        b'a,b\n"x\ny",2\n3\n',
        r"line 4: 1 fields? where the header has 2",
    ),
    "latin-1": (
        "a,b\nMüller,1\n".encode("latin-1"),
        r"no utf-8 text \(byte 5 is 0xfc\); .*--encoding latin-1",
    ),
    "lone surrogate": (b"a,b\n\xed\xa0\x80,1\n", r"no utf-8 text \(byte 4 is 0xed\)"),
    "NUL": (b"a,b\n1,\x002\n", "holds a NUL byte at byte 6"),
    "names twice": (b"a,b,a\n1,2,3\n", "column names occur twice: 'a'; rename"),
    "open quote": (b'a,b\n1,2\n3,"4\n5,6\n', "a quote opened near line 3 is never closed"),
    "JSON": (b'[\n  {"a": 1}\n]\n', "holds JSON, no CSV; convert it with pandas.read_json"),
    "JSON on a line": (b'[{"a": 1, "b": 2}]', "holds JSON, no CSV"),
    "JSON lines": (b'{"a": 1, "b": 2}\n{"a": 3, "b": 4}\n', "holds JSON lines, no CSV"),
    "HTML": (b"<!DOCTYPE html><html></html>", "holds HTML or XML, no CSV"),
    "Excel 97": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 50,
        "is an old Excel workbook, no CSV; save",
    ),
    "Parquet": (b"PAR1" + b"\0" * 50, "is a Parquet file, no CSV; give it the ending .parquet"),
    "infinite": (
        b"a,b\n1,inf\n2,3\n",
        r"rows.csv: column 'b' holds 1 value that is infinite \(row 1",
    ),
    "damaged gzip": (gzip.compress(TEXT.encode())[:-12], "is damaged"),
    "damaged zip": (b"PK\x03\x04" + b"x" * 40, "is a damaged or locked archive"),
}


@pytest.mark.parametrize("name", BAD)
def test_every_bad_file_is_refused_in_one_line(tmp_path, name):
    content, message = BAD[name]
    path = _file(tmp_path, content)
    with pytest.raises(InputError, match=message) as caught:
        read_table(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_excel_workbook_is_refused_with_a_hint(tmp_path):
    path = _zip(tmp_path, **{"[Content_Types].xml": "<x/>", "xl/workbook.xml": "<x/>"})
    with pytest.raises(InputError, match="is an Excel workbook, no CSV; save the sheet as CSV"):
        read_table(path.rename(tmp_path / "rows.csv"))


def test_an_archive_of_several_tables_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds 2 files; a packed table holds one"):
        read_table(_zip(tmp_path, **{"a.csv": TEXT, "b.csv": TEXT}))


def test_a_path_that_is_no_file_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"none.csv does not exist; give a CSV"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(InputError, match="is a directory; give a CSV"):
        read_table(tmp_path)


def test_a_file_without_permission_is_refused(tmp_path, monkeypatch):
    def denied(self, *args, **kwargs):
        raise PermissionError(13, "Permission denied")

    path = _file(tmp_path, TEXT)
    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(InputError, match="cannot be read: no permission; check its access rights"):
        read_table(path)


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, bz2.compress])
def test_a_decompression_bomb_stops_at_the_cap(tmp_path, monkeypatch, pack):
    monkeypatch.setattr(bytes_in, "FREE_BYTES", 2**20)
    path = _file(tmp_path, pack(b"0" * 40_000_000), "rows.csv.gz")
    with pytest.raises(InputError, match="decompresses to more than"):
        read_table(path)


def test_a_file_above_the_cap_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(bytes_in, "MAX_BYTES", 10)
    with pytest.raises(InputError, match="is larger than 10 bytes; give it as Parquet"):
        read_table(_file(tmp_path, TEXT))


def test_a_huge_cell_is_read_below_the_cap_and_refused_above(tmp_path):
    frame = read_table(_file(tmp_path, "a,b\n1," + "x" * tables.MAX_CELL + "\n2,y\n"))
    assert frame["b"].str.len().max() == tables.MAX_CELL
    path = _file(tmp_path, "a,b\n1,y\n2," + "x" * 10_000_000 + "\n")
    with pytest.raises(
        InputError, match=r"column 'b' holds a cell of 10,000,000 characters \(row 2;"
    ):
        read_table(path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sep": ","}, r"has one column with --sep ','; try --sep ';'"),
        ({"sep": ";;"}, "--sep takes one character, got ';;'"),
        ({"encoding": "utf-99"}, "encoding 'utf-99' is not known; try utf-8 or latin-1"),
        ({"encoding": "ascii"}, r"is no ascii text \(byte 5 is 0xc3\)"),
    ],
)
def test_a_wrong_option_is_refused_with_the_right_one(tmp_path, options, message):
    path = _file(tmp_path, "a;b\nMüller;1\n")
    with pytest.raises(InputError, match=message):
        read_table(path, **options)


def test_tab_may_be_given_by_name(tmp_path):
    path = _file(tmp_path, TEXT.replace(",", "\t"))
    for sep in ("\t", "\\t", "tab"):
        pd.testing.assert_frame_equal(read_table(path, sep=sep), FRAME)


def _parquet(folder: Path, **columns: pa.Array) -> Path:
    pq.write_table(pa.table(columns), folder / "rows.parquet")
    return folder / "rows.parquet"


def test_parquet_gives_the_frame_that_was_written(tmp_path):
    frame = FRAME.assign(
        site=pd.Categorical(FRAME["site"]),
        when=pd.to_datetime(["2020-01-01", "2021-05-05", None]).tz_localize("Europe/Berlin"),
        dose=pd.array([1, None, 3], dtype="Int8"),
    )
    frame.to_parquet(tmp_path / "rows.parquet")
    pd.testing.assert_frame_equal(read_table(tmp_path / "rows.parquet"), frame)


@pytest.mark.filterwarnings("ignore:column 'x'")
@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (pa.array(["a", "b"]).dictionary_encode(), "category"),
        (pa.array([1, 2], pa.timestamp("ns", "UTC")), "datetime64[ns, UTC]"),
        (pa.array(["1.25", "2.00"]).cast(pa.decimal128(5, 2)), "float64"),
    ],
)
def test_parquet_types_without_a_dtype_of_their_own_are_read(tmp_path, values, dtype):
    assert str(read_table(_parquet(tmp_path, x=values))["x"].dtype) == dtype


def test_old_timestamps_of_parquet_are_read(tmp_path):
    stamps = pa.array([1, 2], pa.timestamp("ns"))
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"x": stamps}), path, use_deprecated_int96_timestamps=True)
    assert read_table(path)["x"].dt.year.tolist() == [1970, 1970]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (pa.array([[1], [2]]), "list<"),
        (pa.array([{"a": 1}, {"a": 2}]), "struct<"),
        (pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())), "map<"),
        (pa.array([b"a", b"b"]), "binary"),
        (pa.array([1, 2], pa.time32("s")), "time32"),
    ],
)
def test_parquet_columns_that_no_table_holds_are_refused_by_name(tmp_path, values, kind):
    with pytest.raises(InputError, match=rf"column 'x' is of type {kind}.*flatten it"):
        read_table(_parquet(tmp_path, x=values))


@pytest.mark.parametrize("content", [b"", b"no parquet at all", None])
def test_a_broken_parquet_file_is_refused(tmp_path, content):
    path = _parquet(tmp_path, x=pa.array(np.arange(1000)))
    path.write_bytes(path.read_bytes()[:-100] if content is None else content)
    with pytest.raises(InputError, match=r"rows.parquet is no complete Parquet file"):
        read_table(path)


def test_parquet_with_a_name_twice_is_refused(tmp_path):
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    pq.write_table(table, tmp_path / "rows.parquet")
    with pytest.raises(InputError, match="column names occur twice: 'a'"):
        read_table(tmp_path / "rows.parquet")


def _column(folder, cells, sep=";"):
    rows = "".join(f"{cell}{sep}1.5\n" for cell in cells)
    return read_table(_file(folder, f"it{sep}other\n{rows}"))["it"].tolist()


def test_digits_of_one_width_with_a_zero_in_front_stay_text(tmp_path):
    assert _column(tmp_path, ["01067", "10115", "", "80331"])[:2] == ["01067", "10115"]
    assert _column(tmp_path, ["'00'", "07", "12"])[1:] == ["07", "12"]


@pytest.mark.parametrize(
    "cells", [["0", "1", "0"], ["07", "8", "12"], ["0.5", "01", "02"], ["10", "20", "30"]]
)
def test_other_digits_are_numbers(tmp_path, cells):
    assert _column(tmp_path, cells) == [float(cell) for cell in cells]


def test_days_with_points_are_no_numbers_where_points_part_thousands(tmp_path):
    rows = "".join(f"{1 + k:02d}.03.2024;{k}.{k:03d},50;{k}\n" for k in range(1, 28))
    frame = read_table(_file(tmp_path, f"day;cost;n\n{rows}"), thousands=".")
    assert frame["day"].tolist()[:2] == ["02.03.2024", "03.03.2024"]
    assert frame["cost"].tolist()[:2] == [1001.5, 2002.5]
    assert frame["n"].tolist()[:2] == [1, 2]


def test_a_word_among_numbers_with_marks_is_refused_with_its_row(tmp_path):
    cells = [f"{k}.{k:03d},50" for k in range(1, 30)]
    cells[0], cells[11] = "", "k.A."
    rows = "".join(f"{cell};1\n" for cell in cells)
    with pytest.raises(
        InputError, match=r"rows\.csv: column 'cost' holds 1 value .* \(row 12;.*'k.A.'"
    ):
        read_table(_file(tmp_path, f"cost;n\n{rows}"), thousands=".")


def test_commas_between_thousands_are_no_decimal_commas(tmp_path):
    rows = "".join(f"{cell};1\n" for cell in ["950", "1,200", "12,750"])
    frame = read_table(_file(tmp_path, f"it;other\n{rows}"))
    assert frame["it"].tolist() == ["950", "1,200", "12,750"]
    frame = read_table(_file(tmp_path, f"it;other\n{rows}"), thousands=",")
    assert frame["it"].tolist() == [950, 1200, 12750]
    quoted = 'it,other\n"950",1\n"1,200",1\n"12,750",1\n'
    frame = read_table(_file(tmp_path, quoted), thousands=",")
    assert frame["it"].tolist() == [950, 1200, 12750]
    frame = read_table(_file(tmp_path, "it;other\n0,250;1\n1,200;1\n3;1\n"))
    assert frame["it"].tolist() == [0.25, 1.2, 3.0]
