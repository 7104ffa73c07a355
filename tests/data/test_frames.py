"""Frames at the door: what is taken, what is changed and said, what is refused."""

import datetime
import decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from reinforge.data.frames import as_frame, check_frame, frame_digest
from reinforge.data.infer import infer_schema
from reinforge.errors import InputError

ROWS = [{"age": 34, "sex": "f"}, {"age": 51, "sex": "m"}]


class _ArrowStream:
    """What polars and others hand over: a table that only speaks Arrow."""

    def __arrow_c_stream__(self, requested_schema=None):
        return pa.table({"age": [34, 51], "sex": ["f", "m"]}).__arrow_c_stream__(requested_schema)


class _ToPandas:
    def to_pandas(self):
        return pd.DataFrame(ROWS)


@pytest.mark.parametrize(
    "source",
    [
        ROWS,
        {"age": [34, 51], "sex": ["f", "m"]},
        pd.DataFrame(ROWS),
        pa.table(pd.DataFrame(ROWS)),
        _ArrowStream(),
        _ToPandas(),
        np.array([(34, "f"), (51, "m")], dtype=[("age", "i8"), ("sex", "O")]),
    ],
    ids=[
        "list of dicts",
        "dict of lists",
        "pandas",
        "arrow",
        "arrow stream",
        "to_pandas",
        "records",
    ],
)
def test_all_containers_give_the_same_frame(source):
    pd.testing.assert_frame_equal(as_frame(source), pd.DataFrame(ROWS), check_dtype=False)


def test_a_numpy_matrix_gets_numbered_columns():
    assert list(as_frame(np.eye(3)).columns) == ["column_1", "column_2", "column_3"]


@pytest.mark.parametrize(
    "dtype", ["float32", "Float32", "float[pyarrow]", "float64", "double[pyarrow]"]
)
def test_the_same_amounts_in_any_dtype_give_the_same_kind(dtype):
    frame = pd.DataFrame({"x": pd.Series([0.5, 1.25, 7.0], dtype=dtype)})
    column = infer_schema(as_frame(frame))["x"]
    assert (column.kind, column.decimals, column.minimum) == ("continuous", 2, 0.0)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("rows.csv", r"a table was wanted, but str came; read files with read_table"),
        (3, "a table was wanted, but int came"),
        (None, "a table was wanted, but NoneType came"),
        (pd.Series([1]), "a table was wanted, but Series came"),
        (np.zeros(3), "a table has 2 dimensions, but the array has 1"),
        ([1, 2], "a list of dicts was wanted, but it holds int"),
        ({"a": [1], "b": [1, 2]}, "dict cannot be read as a table"),
        (pd.DataFrame(), "the table has no columns"),
        (pd.DataFrame({"a": []}), "the table has 0 rows"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "column names occur twice: 'a'; rename"),
        (pd.DataFrame([[1, 2]], columns=["1", 1]), "as text, column names occur twice: '1'"),
        (
            pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])),
            r"\(MultiIndex\); join them",
        ),
        (
            pd.DataFrame({"x": [1.0, np.inf, -np.inf]}),
            r"'x' holds 2 values that are infinite \(row 2, 3;",
        ),
        (
            pd.DataFrame({"x": pd.array([1.0, np.inf], dtype="Float32")}),
            r"1 value that is infinite \(row 2",
        ),
        (pd.DataFrame({"x": [[1], [2]]}), r"'x' holds nested values \(list\)"),
        (pd.DataFrame({"x": [{"a": 1}, None]}), r"'x' holds nested values \(dict\)"),
        (pd.DataFrame({"x": [b"a", b"b"]}), "'x' holds values of type bytes"),
        (pd.DataFrame({"x": [1 + 2j]}), "'x' holds values of dtype complex128"),
        (pd.DataFrame({"x": pd.period_range("2020", periods=2, freq="M")}), r"dtype period\[M\]"),
        (pd.DataFrame({"x": pd.interval_range(0, 2)}), "'x' holds values of dtype interval"),
        (pd.DataFrame({"x": [datetime.time(3), datetime.time(4)]}), "'x' holds time values"),
        (
            pd.DataFrame({"x": pd.array([[1], [2]], dtype=pd.ArrowDtype(pa.list_(pa.int64())))}),
            "list<",
        ),
        (pd.DataFrame({"x": pd.Series(["a", "\ud800"], dtype=object)}), "no valid Unicode"),
        (pd.DataFrame({"x": [10**30, 2]}), "'x' holds whole numbers beyond 64 bits"),
    ],
)
def test_what_is_no_usable_table_is_refused_by_name(source, message):
    with pytest.raises(InputError, match=message):
        as_frame(source)


@pytest.mark.parametrize("name", [1, None, ("a", "b")])
def test_the_schema_takes_names_of_text_only(name):
    frame = pd.DataFrame({"x": [1, 2]})
    frame.columns = pd.Index([name], dtype=object, tupleize_cols=False)
    with pytest.raises(InputError, match="column names must be text"):
        check_frame(frame)


@pytest.mark.parametrize(
    ("name", "text"),
    [(1, "1"), (None, "column_1"), ("", "column_1"), ("  ", "column_1"), (("a", 2), "a_2"),
     (2.5, "2.5"), ("\ud800", "\\ud800")],
)  # fmt: skip
def test_names_that_are_no_text_are_renamed_aloud(name, text):
    frame = pd.DataFrame({"x": [1, 2]})
    frame.columns = pd.Index([name], dtype=object, tupleize_cols=False)
    with pytest.warns(UserWarning, match="columns renamed"):
        assert list(as_frame(frame).columns) == [text]


HOSTILE = [
    "a\nb",
    "it's",
    'say "x"',
    "a/b",
    "../../etc",
    "😀",
    "\u202ertl",
    "x" * 300,
    "<script>",
    "_id",
    "__row__",
    "a,b",
    "=cmd",
    "select",
    "class",
]


def test_hostile_names_are_left_as_they_are():
    frame = pd.DataFrame({name: [at, at + 1] for at, name in enumerate(HOSTILE)})
    assert list(as_frame(frame).columns) == HOSTILE
    assert infer_schema(frame).names == tuple(HOSTILE)


@pytest.mark.parametrize("pair", [("age", "Age"), ("age", "age "), ("é", "e\u0301")])
def test_names_that_look_alike_are_kept_apart_with_a_warning(pair):
    frame = pd.DataFrame({pair[0]: [1, 2], pair[1]: [3, 5]})
    with pytest.warns(UserWarning, match="look alike; they are kept apart"):
        assert list(as_frame(frame).columns) == list(pair)


def test_a_named_index_is_ignored_aloud_and_a_plain_one_silently():
    frame = pd.DataFrame({"x": [1, 2]}, index=[7, 7])
    assert as_frame(frame).index.tolist() == [0, 1]
    with pytest.warns(UserWarning, match=r"the index \('who'\) is ignored; use frame.reset_index"):
        as_frame(frame.rename_axis("who"))


@pytest.mark.parametrize(
    ("values", "said", "expected"),
    [
        ([1, 2], "Python numbers", [1, 2]),
        ([1, 2.5], "Python numbers", [1.0, 2.5]),
        ([decimal.Decimal("1.25"), decimal.Decimal("2")], "Python numbers", [1.25, 2.0]),
        ([1, "a"], r"mixed types \(int, str\) become text", ["1", "a"]),
        ([True, "a"], r"mixed types \(bool, str\) become text", ["True", "a"]),
    ],
)
def test_columns_of_objects_get_one_type_aloud(values, said, expected):
    with pytest.warns(UserWarning, match=said):
        frame = as_frame(pd.DataFrame({"x": pd.Series(values, dtype=object)}))
    assert frame["x"].tolist() == expected


def test_bins_of_a_cut_become_text_levels_aloud():
    frame = pd.DataFrame({"x": pd.cut(pd.Series([1, 5, 9]), [0, 4, 10])})
    with pytest.warns(UserWarning, match="levels of type Interval become text"):
        clean = as_frame(frame)
    assert infer_schema(clean)["x"].categories == ("(0, 4]", "(4, 10]")


def test_the_frame_that_was_given_is_not_touched():
    frame = pd.DataFrame({"x": pd.Series([1, "a"], dtype=object, index=[5, 6])})
    before = frame.copy()
    with pytest.warns(UserWarning, match="mixed types"):
        as_frame(frame)
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame.assign(age=[34, 52]),
        lambda frame: frame.iloc[::-1],
        lambda frame: frame[["sex", "age"]],
        lambda frame: frame.rename(columns={"age": "Age"}),
        lambda frame: frame.astype({"age": "float64"}),
        lambda frame: frame.iloc[:1],
    ],
)
def test_the_digest_changes_with_every_part_of_the_content(change):
    frame = pd.DataFrame(ROWS)
    assert frame_digest(frame) == frame_digest(frame.copy())
    assert frame_digest(change(frame)) != frame_digest(frame)
