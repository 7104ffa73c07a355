"""Columns as arrays: dtypes by name, and amounts read from columns and put into them."""

import re
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from reinforge.errors import InputError

EXACT = 2.0**53  # the largest whole number up to which a float64 holds every whole number
DAY = 86_400.0
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_ARROW_STRING = "arrow_string"  # pandas gives ArrowDtype(string) the name of another dtype
_BOUNDS_S = {"s": 9.2e15, "ms": 9.2e15, "us": 9.2e12, "ns": 9.2e9}


def is_object(dtype: Any) -> bool:
    """Whether values of that dtype are Python objects."""
    return isinstance(dtype, np.dtype) and dtype.kind == "O"


def is_text(series: pd.Series) -> bool:
    """Whether all present values are strings, whatever the dtype."""
    if isinstance(series.dtype, pd.CategoricalDtype):
        return False
    if isinstance(series.dtype, pd.ArrowDtype):
        return pa.types.is_string(series.dtype.pyarrow_dtype) or pa.types.is_large_string(
            series.dtype.pyarrow_dtype
        )
    if isinstance(series.dtype, pd.StringDtype):
        return True
    return is_object(series.dtype) and pd.api.types.infer_dtype(series, skipna=True) == "string"


def is_temporal(series: pd.Series) -> str | None:
    """`"datetime"`, `"timedelta"` or None; a column of `datetime.date` objects counts as dates."""
    if isinstance(series.dtype, pd.ArrowDtype):
        arrow = series.dtype.pyarrow_dtype
        if pa.types.is_timestamp(arrow) or pa.types.is_date(arrow):
            return "datetime"
        return "timedelta" if pa.types.is_duration(arrow) else None
    if isinstance(series.dtype, pd.DatetimeTZDtype) or series.dtype.kind == "M":
        return "datetime"
    if series.dtype.kind == "m":
        return "timedelta"
    if is_object(series.dtype):
        inferred = pd.api.types.infer_dtype(series, skipna=True)
        return "datetime" if inferred in {"date", "datetime", "datetime64"} else None
    return None


def dtype_name(series: pd.Series) -> str:
    """The name that `dtype_of` turns back into the dtype of `series`.

    pandas' own names, but for four dtypes that it gives no name of their own: `"string[python]"`,
    `"arrow_string"`, `"date"` (objects of `datetime.date`) and `"category[int8]"` (levels of a
    dtype that pandas would not choose by itself).
    """
    dtype = series.dtype
    if isinstance(dtype, pd.StringDtype):
        return f"string[{dtype.storage}]" if dtype.na_value is pd.NA else "str"
    if isinstance(dtype, pd.ArrowDtype) and pa.types.is_string(dtype.pyarrow_dtype):
        return _ARROW_STRING
    if isinstance(dtype, pd.CategoricalDtype):
        levels = dtype.categories
        plain = pd.Index(levels.tolist()).dtype
        inner = "" if plain == levels.dtype else f"[{dtype_name(pd.Series(levels))}]"
        return f"category{inner}"
    if is_object(dtype):
        inferred = pd.api.types.infer_dtype(series, skipna=True)
        if inferred in {"integer", "floating", "mixed-integer-float"}:
            whole = inferred == "integer" and not series.isna().any()
            return "int64" if whole else "float64"
        return "date" if inferred == "date" else "object"
    return str(dtype)


def dtype_of(name: str) -> Any:
    """The dtype that `dtype_name` named; `"date"` and pandas 2's text come as object."""
    if name == "date":
        return np.dtype(object)
    if name.startswith("category"):
        return pd.CategoricalDtype()
    if name == _ARROW_STRING:
        return pd.ArrowDtype(pa.string())
    if name == "str":
        inferred = pd.Series(["text"]).dtype
        return inferred if isinstance(inferred, pd.StringDtype) else np.dtype(object)
    try:
        return pd.api.types.pandas_dtype(name)
    except (TypeError, NotImplementedError, ValueError) as error:
        raise InputError(f"dtype {name!r} is not one that pandas knows: {error}.") from error


def plain_times(series: pd.Series) -> pd.Series:
    """Arrow and object dates as numpy ones."""
    if isinstance(series.dtype, pd.ArrowDtype):
        values = series.array.__arrow_array__().to_pandas(date_as_object=False)
        return pd.Series(values.array, index=series.index)
    if is_object(series.dtype):
        return pd.to_datetime(series)
    return series


def seconds(series: pd.Series) -> np.ndarray:
    """Seconds since 1970 UTC of a datetime column, seconds of a timedelta one; NaN = missing.

    A float64 counts microseconds until 2106; finer parts of a second are lost.
    """
    series = plain_times(series)
    if isinstance(series.dtype, pd.DatetimeTZDtype):
        series = series.dt.tz_convert("UTC").dt.tz_localize(None)
    values = series.to_numpy()
    unit = np.datetime_data(values.dtype)[0]
    ticks, per = values.astype("int64"), _PER_SECOND[unit]
    amounts = (ticks // per).astype("float64") + (ticks % per) / per
    amounts[np.isnat(values)] = np.nan
    return amounts


def numbers(series: pd.Series) -> np.ndarray:
    """A numeric column as float64, NaN where missing; text that is no number is refused by row."""
    if isinstance(series.dtype, pd.CategoricalDtype):
        series = series.astype(series.cat.categories.dtype)
    if series.dtype.kind in "biuf" and not is_text(series) and not is_object(series.dtype):
        return series.to_numpy(dtype="float64", na_value=np.nan)
    read = pd.Series(pd.to_numeric(series.astype(object), errors="coerce"))
    amounts = read.to_numpy(dtype="float64", na_value=np.nan)
    refuse_rows(series, np.isnan(amounts) & ~series.isna().to_numpy(), "no number")
    return amounts


def refuse_rows(series: pd.Series, wrong: np.ndarray, what: str, remedy: str = "") -> None:
    """Raise an InputError that names the column and the first rows where `wrong` holds.

    Rows are counted by the index where it is one of whole numbers, so a column without its missing
    values still names the table's own rows.
    """
    counts = pd.api.types.is_integer_dtype(series.index)
    rows = series.index.to_numpy()[wrong] if counts else np.flatnonzero(wrong)
    if len(rows):
        shown = ", ".join(str(row + 1) for row in rows[:5]) + (", ..." if len(rows) > 5 else "")
        count = "1 value that is" if len(rows) == 1 else f"{len(rows):,} values that are"
        raise InputError(
            f"column {series.name!r} holds {count} {what} (row {shown}; the first row is 1)"
            + (f"; {remedy}." if remedy else ".")
        )


def numbers_as(values: np.ndarray, name: str) -> Any:
    """Amounts in the dtype `name`; whole-number dtypes saturate at their limits."""
    dtype, missing = dtype_of(name), np.isnan(values)
    plain = _numpy_dtype(dtype)
    if plain.kind in "iu":
        limits = np.iinfo(plain)
        filled = np.where(missing, 0.0, np.rint(values))
        numbers = np.clip(filled, max(limits.min, -EXACT), min(limits.max, EXACT)).astype(plain)
    elif plain.kind == "f":
        limit = float(np.finfo(plain).max)
        numbers = np.clip(values, -limit, limit).astype(plain)
    else:
        raise InputError(f"amounts cannot be written as dtype {name!r}; use a numeric dtype.")
    if isinstance(dtype, pd.ArrowDtype):
        return pd.arrays.ArrowExtensionArray(
            pa.array(numbers, mask=missing, type=dtype.pyarrow_dtype)
        )
    if isinstance(dtype, np.dtype):
        return numbers
    kind = pd.arrays.FloatingArray if plain.kind == "f" else pd.arrays.IntegerArray
    return kind(numbers, missing)


def _numpy_dtype(dtype: Any) -> np.dtype:
    if isinstance(dtype, pd.ArrowDtype):
        return np.dtype(dtype.pyarrow_dtype.to_pandas_dtype())
    return dtype if isinstance(dtype, np.dtype) else np.dtype(getattr(dtype, "numpy_dtype", object))


def can_hold_missing(name: str) -> bool:
    """Whether a column of that dtype has a place for a missing value."""
    dtype = dtype_of(name)
    return not (isinstance(dtype, np.dtype) and dtype.kind in "biu")


def times_as(values: np.ndarray, name: str, *, step: float | None = None) -> pd.Series:
    """Seconds as a datetime or timedelta column of dtype `name`.

    Args:
        values: Seconds (datetimes: since 1970-01-01 UTC), NaN = missing.
        name: A datetime or timedelta dtype, `"date"`, or `"object"` (pandas timestamps).
        step: Round to multiples of so many seconds of local wall time; None keeps microseconds.
    """
    dtype = dtype_of(name)
    zone, unit, letter = _zone_unit(dtype)
    local = step is not None and step > 1 and zone is not None
    times = _ticks(values, None if local else step, unit, letter)
    result = pd.Series(times)
    if zone is not None:
        result = result.dt.tz_localize("UTC").dt.tz_convert(zone)
        if local:
            result = _rounded_in_zone(result, float(step or 1), unit)
    if name == "date":
        return result.dt.date.astype(object).where(result.notna(), np.nan)
    return result.astype(dtype) if result.dtype != dtype else result


def _ticks(values: np.ndarray, step: float | None, unit: str, letter: str) -> np.ndarray:
    missing = np.isnan(values)
    filled = np.clip(np.where(missing, 0.0, values), -_BOUNDS_S[unit], _BOUNDS_S[unit])
    if step is not None and step >= 1:
        filled = np.rint(filled / step) * step
    whole = np.floor(filled)
    per = _PER_SECOND[unit]
    part = np.rint((filled - whole) * 1e6) / 1e6
    ticks = whole.astype("int64") * per + np.rint(part * per).astype("int64")
    times = ticks.view(f"{letter}8[{unit}]")
    times[missing] = np.array("NaT", dtype=times.dtype)
    return times


def _rounded_in_zone(times: pd.Series, step: float, unit: str) -> pd.Series:
    zone = times.dt.tz
    wall = seconds(times.dt.tz_localize(None))
    wall_times = pd.Series(_ticks(wall, step, unit, "M"))
    return wall_times.dt.tz_localize(
        zone, ambiguous=np.ones(len(wall), dtype=bool), nonexistent="shift_forward"
    )


def _zone_unit(dtype: Any) -> tuple[Any, str, str]:
    """Time zone, unit and numpy letter that a temporal dtype is written with."""
    if isinstance(dtype, pd.DatetimeTZDtype):
        return dtype.tz, dtype.unit, "M"
    if isinstance(dtype, pd.ArrowDtype):
        arrow = dtype.pyarrow_dtype
        if pa.types.is_duration(arrow):
            return None, arrow.unit, "m"
        if pa.types.is_timestamp(arrow):
            return arrow.tz, arrow.unit, "M"
        return None, "s", "M"
    if dtype.kind in "mM":
        return None, np.datetime_data(dtype)[0], dtype.kind
    return None, "us", "M"


def step_of_format(form: str) -> float:
    """Seconds between neighbours that a strftime form tells apart (a month counts as a day)."""
    for mark, step in (("%f", 1e-6), ("%S", 1.0), ("%M", 60.0), ("%H", 3600.0), ("%I", 3600.0)):
        if mark in form:
            return step
    return 1.0 if re.search("%[Tcs]", form) else DAY
