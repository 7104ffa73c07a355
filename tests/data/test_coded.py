"""Coded tables: exact round trips over dtypes and shapes of data, bounds, decimals, made-up ids."""

import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reinforge.data.coded import from_coded, to_coded
from reinforge.data.infer import infer_schema
from reinforge.errors import InputError
from reinforge.schema import Column, Schema

_STAMPS = pd.to_datetime(["2020-02-29 23:59:58", "1969-12-31 00:00:01", "2024-03-31 01:30:00"])
_TEXT = ["ä", "b b", "c"]
_NULLABLE = ["Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64"]
_NUMPY = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
_ARROW = ["int8[pyarrow]", "int64[pyarrow]", "uint16[pyarrow]", "double[pyarrow]", "float[pyarrow]"]

DTYPES: dict[str, pd.Series] = {
    **{name: pd.Series([3, 7, 100], dtype=name) for name in [*_NUMPY, *_NULLABLE, *_ARROW]},
    **{
        name: pd.Series([0.5, -1.25, 3.0], dtype=name)
        for name in ["float16", "float32", "float64", "Float32", "Float64", "double[pyarrow]"]
    },
    "bool": pd.Series([True, False, True]),
    "boolean": pd.Series([True, False, True], dtype="boolean"),
    "bool[pyarrow]": pd.Series([True, False, True], dtype="bool[pyarrow]"),
    "bool object": pd.Series([True, False, True], dtype=object),
    "text": pd.Series(_TEXT),
    "object": pd.Series(_TEXT, dtype=object),
    "string[python]": pd.Series(_TEXT, dtype="string[python]"),
    "string[pyarrow]": pd.Series(_TEXT, dtype="string[pyarrow]"),
    "arrow string": pd.Series(_TEXT, dtype=pd.ArrowDtype(pa.string())),
    "large_string[pyarrow]": pd.Series(_TEXT, dtype=pd.ArrowDtype(pa.large_string())),
    "category": pd.Series(pd.Categorical(_TEXT)),
    "category of int8": pd.Series(pd.Categorical(np.array([1, 2, 9], dtype="int8"))),
    "category of floats": pd.Series(pd.Categorical([0.5, 2.0, 9.0])),
    "category of booleans": pd.Series(pd.Categorical([True, False, True])),
    "ordered category": pd.Series(
        pd.Categorical(_TEXT, categories=["c", "b b", "ä"], ordered=True)
    ),
    **{
        f"datetime64[{unit}]": pd.Series(_STAMPS).astype(f"datetime64[{unit}]")
        for unit in ("s", "ms", "us", "ns")
    },
    "days": pd.Series(pd.to_datetime(["2020-02-29", "1969-12-31", "2200-01-01"])),
    "days in a zone": pd.Series(
        pd.to_datetime(["2020-03-29", "2020-10-25", "2024-03-31"])
    ).dt.tz_localize("Europe/Berlin"),
    "minutes": pd.Series(
        pd.to_datetime(["2020-02-29 10:01", "1969-12-31 00:00", "2024-01-01 00:00"])
    ),
    "zone": pd.Series(_STAMPS).dt.tz_localize("America/New_York"),
    "utc microseconds": pd.Series(
        pd.to_datetime(["2020-02-29 23:59:58.123456", "1950-01-01"], format="ISO8601")
    ).dt.tz_localize("UTC"),
    "timestamp[us][pyarrow]": pd.Series(_STAMPS).astype("timestamp[us][pyarrow]"),
    "timestamp in a zone [pyarrow]": pd.Series(_STAMPS)
    .dt.tz_localize("UTC")
    .astype("timestamp[ms, tz=UTC][pyarrow]"),
    "date32[day][pyarrow]": pd.Series(
        [datetime.date(2020, 2, 29), datetime.date(1900, 1, 1)], dtype="date32[day][pyarrow]"
    ),
    "date objects": pd.Series(
        [datetime.date(2020, 2, 29), datetime.date(1900, 1, 1)], dtype=object
    ),
    "timedelta64[ns]": pd.Series(pd.to_timedelta(["1 day", "-3 min", "5 s"])),
    "duration[ms][pyarrow]": pd.Series(pd.to_timedelta(["1 day", "-3 min", "5 s"])).astype(
        "duration[ms][pyarrow]"
    ),
    "dates as text": pd.Series(["2020-02-29", "1969-12-31", "9999-12-31"]),
    "german dates": pd.Series(["29.02.2020", "31.12.1969", "01.01.2000"]),
    "times as text": pd.Series(["2020-02-29T10:00:00Z", "1969-12-31T23:59:59Z"]),
    "times with an offset": pd.Series(["2020-02-29 10:00:00+01:00", "1969-12-31 23:59:59+01:00"]),
    "numbers as text": pd.Series([f"{x}.50" for x in range(30)], dtype=object),
    "whole numbers as text": pd.Series([str(x % 29 * 7) for x in range(60)]),
    "yes and no": pd.Series(["yes", "no", "yes"]),
}


def _round_trip(frame: pd.DataFrame) -> pd.DataFrame:
    schema = Schema.model_validate_json(infer_schema(frame).model_dump_json())
    coded = to_coded(frame, schema)
    assert (coded.dtypes == "float64").all()
    assert tuple(coded.columns) == tuple(column.name for column in schema.modelled)
    return from_coded(coded, schema)


def _with_missing(series: pd.Series) -> pd.Series:
    if isinstance(series.dtype, np.dtype) and series.dtype.kind in "biu":
        pytest.skip(f"dtype {series.dtype} has no place for a missing value")
    return pd.concat([series, series, pd.Series([None], dtype=series.dtype)], ignore_index=True)


@pytest.mark.parametrize("name", DTYPES)
def test_every_supported_dtype_comes_back_equal(name):
    frame = pd.DataFrame({"x": DTYPES[name]})
    pd.testing.assert_frame_equal(_round_trip(frame), frame)


@pytest.mark.parametrize("name", DTYPES)
def test_every_dtype_with_missing_values_comes_back_equal(name):
    series = _with_missing(DTYPES[name])
    if series.dtype == object:
        series = series.where(series.notna(), np.nan)
    frame = pd.DataFrame({"x": series})
    pd.testing.assert_frame_equal(_round_trip(frame), frame)


@pytest.mark.parametrize("name", DTYPES)
def test_a_constant_of_every_dtype_comes_back_equal(name):
    series = DTYPES[name].iloc[[0, 0, 0]].reset_index(drop=True)
    if isinstance(series.dtype, pd.CategoricalDtype):
        if series.dtype.ordered:
            series = pd.Series(pd.Categorical(series.astype(str)))
        series = series.cat.remove_unused_categories()
    frame = pd.DataFrame({"x": series})
    assert infer_schema(frame)["x"].kind == "constant"
    pd.testing.assert_frame_equal(_round_trip(frame), frame)


@pytest.mark.parametrize("name", DTYPES)
def test_a_column_of_missing_values_comes_back_in_its_dtype(name):
    series = _with_missing(DTYPES[name]).iloc[[-1, -1]].reset_index(drop=True)
    if series.dtype == object:
        series = pd.Series([np.nan, np.nan], dtype=object)
    if isinstance(series.dtype, pd.CategoricalDtype):
        series = series.cat.remove_categories(list(series.cat.categories)).cat.as_unordered()
    frame = pd.DataFrame({"x": series})
    assert infer_schema(frame)["x"].kind == "empty"
    back = _round_trip(frame)
    assert back["x"].isna().all()
    if not isinstance(series.dtype, pd.CategoricalDtype) and name != "date objects":
        assert back["x"].dtype == series.dtype


def _shape(shape: str, kind: str, n: int) -> np.ndarray:
    """Columns of the sizes and shapes that break encoders: constant, rare, skewed, unique, ..."""
    rng = np.random.default_rng(5)
    values = {
        "random": rng.integers(-50, 50, n),
        "constant": np.full(n, 7),
        "almost constant": np.where(np.arange(n) == n // 2, 8, 7),
        "skewed": np.floor(np.exp(rng.normal(3, 2, n))),
        "unique": rng.permutation(10 * n)[:n],
        "zero inflated": rng.integers(1, 90, n) * (rng.random(n) < 0.1),
        "bimodal": np.where(rng.random(n) < 0.5, 10, 1000) + rng.integers(0, 5, n),
        "huge": rng.integers(0, 9, n) * 1e12,
    }[shape]
    if kind == "continuous":
        return values + 0.25
    if kind == "integer":
        return values.astype("float64")
    return np.array([f"level {value % 90:.0f}" for value in values], dtype=object)


@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("n", [40, 3_000])
@pytest.mark.parametrize("kind", ["continuous", "integer", "text"])
@pytest.mark.parametrize(
    "shape",
    [
        "random",
        "constant",
        "almost constant",
        "skewed",
        "unique",
        "zero inflated",
        "bimodal",
        "huge",
    ],
)
def test_every_shape_of_data_comes_back_equal(shape, kind, n, missing):
    values = pd.Series(_shape(shape, kind, n))
    values[np.random.default_rng(1).random(n) < missing] = np.nan
    frame = pd.DataFrame({"x": values})
    schema = infer_schema(
        frame,
        overrides={"x": {"kind": "integer"}} if (shape, kind) == ("unique", "integer") else None,
    )
    back = from_coded(to_coded(frame, schema), schema)
    pd.testing.assert_frame_equal(back, frame)


@pytest.mark.parametrize("value", [1e308, -1e308, 5e-324, 1e-300, 2.0**53, 1.0 / 3.0])
def test_extreme_floats_come_back_to_the_last_bit(value):
    frame = pd.DataFrame({"x": [value, 0.0, 1.5, value]})
    assert _round_trip(frame)["x"].tolist() == frame["x"].tolist()


_columns = st.one_of(
    st.lists(st.one_of(st.none(), st.integers(-(2**52), 2**52)), min_size=6, max_size=6).map(
        lambda values: pd.Series(values, dtype="Int64")
    ),
    st.lists(st.floats(allow_infinity=False, width=64), min_size=6, max_size=6).map(
        lambda values: pd.Series(values, dtype="float64")
    ),
    st.lists(st.floats(allow_infinity=False, allow_nan=True, width=32), min_size=6, max_size=6).map(
        lambda values: pd.Series(values, dtype="float32")
    ),
    st.lists(
        st.one_of(
            st.none(), st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=4)
        ),
        min_size=6,
        max_size=6,
    ).map(lambda values: pd.Series(values, dtype="string")),
    st.lists(st.one_of(st.none(), st.booleans()), min_size=6, max_size=6).map(
        lambda values: pd.Series(values, dtype="boolean")
    ),
    st.lists(
        st.one_of(
            st.none(), st.datetimes(datetime.datetime(1930, 1, 1), datetime.datetime(2099, 1, 1))
        ),
        min_size=6,
        max_size=6,
    ).map(lambda values: pd.Series(values, dtype="datetime64[us]")),
    st.lists(st.sampled_from(["low", "mid", "high"]), min_size=6, max_size=6).map(
        lambda values: pd.Series(pd.Categorical(values)).cat.remove_unused_categories()
    ),
)


@settings(max_examples=150, deadline=None)
@given(columns=st.lists(_columns, min_size=1, max_size=4))
def test_any_table_comes_back_equal(columns):
    frame = pd.DataFrame({f"c{at}": column for at, column in enumerate(columns)})
    pd.testing.assert_frame_equal(_round_trip(frame), frame, rtol=0, atol=0)


def test_amounts_and_positions_match_a_hand_computation():
    frame = pd.DataFrame(
        {
            "day": pd.to_datetime(["1970-01-02", None]),
            "wait": pd.to_timedelta(["90 s", "1 min"]),
            "site": ["north", "south"],
            "dose": pd.array([None, 3], dtype="Int64"),
        }
    )
    schema = infer_schema(frame)
    overrides = {"dose": {"kind": "integer"}, "day": {"kind": "datetime"}}
    coded = to_coded(frame, infer_schema(frame, overrides=overrides))
    assert coded["day"].tolist()[0] == 86_400.0
    assert np.isnan(coded["day"].tolist()[1])
    assert coded["wait"].tolist() == [90.0, 60.0]
    assert coded["site"].tolist() == [0.0, 1.0]
    assert coded["dose"].tolist()[1] == 3.0
    assert schema["site"].categories == ("north", "south")


def test_a_level_that_the_schema_does_not_know_gets_the_number_after_the_last():
    schema = Schema(
        columns=(Column(name="s", kind="categorical", dtype="object", categories=("a", "b")),)
    )
    coded = to_coded(pd.DataFrame({"s": ["b", "z", None]}), schema)
    assert coded["s"].tolist()[:2] == [1.0, 2.0]
    assert np.isnan(coded["s"].tolist()[2])
    assert from_coded(coded, schema)["s"].isna().tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("categories", "values"),
    [
        ((0, 1), [0.0, 1.0]),
        ((0, 1), ["0", "1"]),
        ((0, 1), [False, True]),
        ((False, True), ["False", "True"]),
        (("0", "1"), [0, 1]),
        (("0", "1"), [0.0, 1.0]),
        ((1.5, 2.0), ["1.5", "2"]),
    ],
)
def test_levels_that_mean_the_same_in_another_dtype_are_known(categories, values):
    column = Column(name="s", kind="categorical", dtype="object", categories=categories)
    coded = to_coded(pd.DataFrame({"s": values}), Schema(columns=(column,)))
    assert coded["s"].tolist() == [0.0, 1.0]


def test_generated_amounts_are_rounded_and_kept_in_their_bounds():
    columns = (
        Column(name="n", kind="integer", dtype="uint8", minimum=0.0),
        Column(name="x", kind="continuous", dtype="float64", decimals=1, maximum=2.0),
        Column(name="d", kind="datetime", dtype="datetime64[ns]", datetime_format="%Y-%m-%d"),
    )
    coded = pd.DataFrame(
        {"n": [-3.2, 4.6, 900.0], "x": [0.26, 5.0, -1.04], "d": [1e30, 40_000.0, 0.0]}
    )
    frame = from_coded(coded, Schema(columns=columns))
    assert frame["n"].tolist() == [0, 5, 255]
    assert frame["x"].tolist() == [0.3, 2.0, -1.0]
    assert frame["d"].astype(str).tolist()[1:] == ["1970-01-01", "1970-01-01"]
    assert frame["d"].dt.year.iloc[0] == 2261 or frame["d"].dt.year.iloc[0] == 2262


def test_made_up_identifiers_go_on_where_the_last_chunk_ended():
    columns = (
        Column(name="id", kind="identifier", dtype="int64", remake=True),
        Column(name="mrn", kind="identifier", dtype="object", remake=True),
        Column(name="mail", kind="identifier", dtype="object"),
        Column(name="note", kind="text", dtype="object"),
    )
    frame = from_coded(pd.DataFrame(index=range(2)), Schema(columns=columns), first_row=5)
    assert frame["id"].tolist() == [6, 7]
    assert frame["mrn"].tolist() == ["synthetic-0000006", "synthetic-0000007"]
    assert list(frame.columns) == ["id", "mrn"]


def test_chunks_decode_to_the_same_rows_as_the_whole():
    frame = pd.DataFrame({"id": range(50), "x": np.arange(50) % 7 + 0.5, "s": list("abcde") * 10})
    schema = infer_schema(frame)
    coded = to_coded(frame, schema)
    whole = from_coded(coded, schema)
    parts = [from_coded(coded[at : at + 20], schema, first_row=at) for at in (0, 20, 40)]
    pd.testing.assert_frame_equal(pd.concat(parts), whole)


def test_no_rows_decode_to_an_empty_frame_with_all_dtypes():
    frame = pd.DataFrame({"n": [1, 5, 9], "s": ["a", "b", "a"], "k": [1, 1, 1]})
    schema = infer_schema(frame)
    back = from_coded(to_coded(frame, schema).iloc[:0], schema)
    assert len(back) == 0
    assert back.dtypes.tolist() == frame.dtypes.tolist()


def test_a_missing_value_without_a_place_in_its_dtype_is_refused():
    schema = Schema(columns=(Column(name="n", kind="integer", dtype="int64"),))
    with pytest.raises(InputError, match="column 'n' holds missing values, but its dtype int64"):
        from_coded(pd.DataFrame({"n": [1.0, np.nan]}), schema)


def test_text_where_numbers_are_due_is_refused_by_row():
    schema = Schema(columns=(Column(name="n", kind="integer", dtype="int64"),))
    with pytest.raises(InputError, match=r"column 'n' holds 1 value that is no number \(row 2;"):
        to_coded(pd.DataFrame({"n": ["1", "x", None]}), schema)


def test_a_table_without_a_modelled_column_is_refused_by_name():
    schema = Schema(columns=(Column(name="n", kind="integer", dtype="int64"),))
    with pytest.raises(InputError, match="lacks 'n'"):
        to_coded(pd.DataFrame({"m": [1]}), schema)
