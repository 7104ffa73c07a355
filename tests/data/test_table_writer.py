"""Writing tables: whole or not there, bounded in memory, harmless in a spreadsheet."""

import errno
import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from reinforge.data.table_writer import TableWriter, harmless, without_formulas, write_table
from reinforge.data.tables import read_table
from reinforge.errors import InputError, ResourceError

FRAME = pd.DataFrame({
    "n": pd.array([1, None, -3], dtype="Int64"), "x": [0.5, -1.25, np.nan], "s": ["a", None, "ü"],
    "c": pd.Categorical(["u", "v", "u"]), "d": pd.to_datetime(["2020-01-01", None, "2021-05-05"]),
    "b": [True, False, True],
})  # fmt: skip


def _append_all(path, *frames):
    with TableWriter(path) as writer:
        for frame in frames:
            writer.append(frame)


def test_parquet_comes_back_equal_and_says_that_it_is_synthetic(tmp_path):
    path = tmp_path / "rows.parquet"
    write_table(FRAME, path)
    pd.testing.assert_frame_equal(read_table(path), FRAME)
    assert pq.read_schema(path).metadata[b"synthetic"] == b"true"


@pytest.mark.parametrize("ending", ["csv", "tsv"])
def test_text_files_hold_the_same_values(tmp_path, ending):
    path = tmp_path / f"rows.{ending}"
    write_table(FRAME, path)
    back = read_table(path)
    assert back["s"].fillna("-").tolist() == ["a", "-", "ü"]
    assert back["x"].tolist()[:2] == [0.5, -1.25]
    assert back["b"].tolist() == [True, False, True]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_appended_parts_make_the_file_of_the_whole(tmp_path, ending):
    whole, parts = tmp_path / f"whole.{ending}", tmp_path / f"parts.{ending}"
    write_table(FRAME, whole)
    with TableWriter(parts) as writer:
        for at in range(3):
            writer.append(FRAME.iloc[at : at + 1])
    assert writer.n_rows == 3
    pd.testing.assert_frame_equal(read_table(parts), read_table(whole))
    if ending == "csv":
        assert parts.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_no_rows_make_a_file_with_a_header(tmp_path, ending):
    path = tmp_path / f"rows.{ending}"
    write_table(FRAME.iloc[:0], path)
    with pytest.raises(InputError, match="has a header and 0 rows"):
        read_table(path)


def test_a_column_missing_in_the_first_part_may_hold_text_later(tmp_path):
    path = tmp_path / "rows.parquet"
    with TableWriter(path) as writer:
        writer.append(pd.DataFrame({"s": pd.Series([None, None], dtype=object)}))
        writer.append(pd.DataFrame({"s": pd.Series(["a", None], dtype=object)}))
    assert read_table(path)["s"].tolist()[2] == "a"


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+SUM(A1)", "'+SUM(A1)"),
        ("-2+3", "'-2+3"),
        ("@x", "'@x"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("-5", "-5"),
        ("+4.5", "+4.5"),
        ("a=b", "a=b"),
        ("", ""),
        (-5, -5),
        (None, None),
    ],
)
def test_only_text_that_a_spreadsheet_would_run_is_escaped(cell, written):
    assert harmless(cell) == written


def test_formulas_are_escaped_in_cells_levels_and_names_and_numbers_are_not_touched(tmp_path):
    frame = pd.DataFrame({
        "=name": ["=1+1", "ok"], "level": pd.Categorical(["@u", "v"]), "x": [-1.5, -2.0],
        "mixed": pd.Series(["-x", 3], dtype=object),
    })  # fmt: skip
    write_table(frame, tmp_path / "rows.csv")
    lines = (tmp_path / "rows.csv").read_text().splitlines()
    assert lines == ["'=name,level,x,mixed", "'=1+1,'@u,-1.5,'-x", "ok,v,-2.0,3"]
    assert frame["=name"].tolist() == ["=1+1", "ok"]


def test_columns_of_numbers_are_left_alone():
    assert without_formulas(FRAME)["x"] is not None
    pd.testing.assert_frame_equal(without_formulas(FRAME), FRAME)


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("old")
    with pytest.raises(InputError, match="columns"):
        _append_all(path, FRAME, FRAME[["n"]])
    assert [file.name for file in tmp_path.iterdir()] == ["rows.csv"]
    assert path.read_text() == "old"


def test_other_columns_in_a_later_part_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"columns \['n'\] follow after columns"):
        _append_all(tmp_path / "r.csv", FRAME, FRAME[["n"]])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["rows.xlsx", "rows", "rows.csv.gz"])
def test_an_unknown_ending_is_refused_before_any_work(tmp_path, name):
    with pytest.raises(InputError, match=r"written to .parquet, .csv or .tsv files"):
        TableWriter(tmp_path / name)


def test_a_folder_that_is_not_there_is_refused_before_any_work(tmp_path):
    with pytest.raises(InputError, match="cannot be written: there is no folder"):
        TableWriter(tmp_path / "none" / "rows.csv")


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_full_disk_names_the_file_and_leaves_the_old_one(tmp_path, monkeypatch, ending):
    path = tmp_path / f"rows.{ending}"
    path.write_text("old")

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("reinforge.data.table_writer.os.fsync", full)
    with pytest.raises(ResourceError, match=rf"rows.{ending}: the disk is full"):
        write_table(FRAME, path)
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="file size limits of Linux")
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_file_that_may_not_grow_is_a_full_disk(tmp_path, ending):
    code = f"""
    import resource, signal
    import numpy as np, pandas as pd
    from reinforge.data.table_writer import write_table
    from reinforge.errors import ResourceError
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    frame = pd.DataFrame({{"x": np.random.default_rng(0).normal(size=5000)}})
    try:
        write_table(frame, "rows.{ending}")
    except ResourceError as error:
        raise SystemExit(error.exit_code)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], cwd=tmp_path, check=False)
    assert done.returncode == 4
    assert list(tmp_path.iterdir()) == []
