"""Coded tables: a frame as float64 amounts and positions of levels, and back without a loss.

A coded table holds the modelled columns of a schema, in its order. Numeric kinds are amounts
(datetimes in seconds since 1970-01-01 UTC, timedeltas in seconds), discrete kinds are positions in
`column.categories`; NaN is a missing value and `len(column.categories)` a level that the schema
does not know.
"""

from typing import Any

import numpy as np
import pandas as pd

from reinforge.data.dtypes import (
    can_hold_missing,
    dtype_of,
    is_object,
    is_temporal,
    is_text,
    numbers,
    numbers_as,
    refuse_rows,
    seconds,
    step_of_format,
    times_as,
)
from reinforge.errors import InputError
from reinforge.schema import Column, Scalar, Schema


def to_coded(frame: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """Amounts and positions of the modelled columns.

    Args:
        frame: Rows with at least the modelled columns; other dtypes than the schema's are read if
            their values mean the same (`1`, `1.0` and `"1"` for a level 1).
        schema: What the columns are.

    Returns:
        A float64 table with the index of `frame`.

    Raises:
        InputError: A modelled column is absent, or a value is no number or no date where one is
            due.
    """
    absent = [column.name for column in schema.modelled if column.name not in frame.columns]
    if absent:
        raise InputError(
            f"the table lacks {', '.join(map(repr, absent))}; add what the schema names."
        )
    coded = {column.name: encode(frame[column.name], column) for column in schema.modelled}
    return pd.DataFrame(coded, index=frame.index, columns=list(coded), dtype="float64")


def from_coded(coded: pd.DataFrame, schema: Schema, *, first_row: int = 0) -> pd.DataFrame:
    """The frame that a coded table stands for, in the dtypes and the order of the schema.

    Amounts are rounded to the column's decimals (integers to whole numbers) and clipped to its
    bounds. Constants and empty columns are filled in, identifiers with `remake` get made-up values
    numbered from `first_row`, other identifiers and text are left out.

    Args:
        coded: All modelled columns of `schema`, as `to_coded` gives them.
        schema: What the columns are.
        first_row: Position of the first row in the whole sample, so that chunks join without a
            seam.

    Raises:
        InputError: A modelled column is absent, or a missing value has no place in its dtype.
    """
    absent = [column.name for column in schema.modelled if column.name not in coded.columns]
    if absent:
        raise InputError(f"the coded table lacks {', '.join(map(repr, absent))}.")
    pieces = {}
    for column in schema.columns:
        if column.is_modelled:
            pieces[column.name] = decode(coded[column.name].to_numpy(dtype="float64"), column)
        elif column.kind in {"constant", "empty"} or column.remake:
            pieces[column.name] = _filled(column, len(coded), first_row)
    series = {name: _as_series(piece, coded.index) for name, piece in pieces.items()}
    return pd.DataFrame(series, index=coded.index, columns=list(pieces))


def _as_series(values: Any, index: pd.Index) -> pd.Series:
    """A column of just that dtype: pandas 3 would turn objects that are text into its own text."""
    values = values.array if isinstance(values, pd.Series) else values
    return pd.Series(values, index=index, dtype=values.dtype, copy=False)


def encode(series: pd.Series, column: Column) -> np.ndarray:
    """One column as float64 amounts or positions."""
    return amounts(series, column) if column.is_numeric else _positions(series, column)


def decode(values: np.ndarray, column: Column) -> Any:
    """One coded column in its own dtype."""
    if not can_hold_missing(column.dtype) and np.isnan(values).any():
        raise InputError(
            f"column {column.name!r} holds missing values, but its dtype {column.dtype} has no "
            "place "
            "for them; declare the column with `missing: true` and a nullable dtype such as Int64."
        )
    return _written(values, column) if column.is_numeric else _levels_at(values, column)


def amounts(series: pd.Series, column: Column) -> np.ndarray:
    """Amounts of a numeric column: numbers as they are, times in seconds."""
    if column.kind == "datetime" and is_text(series):
        form = column.datetime_format
        text = series.astype(object)
        parsed = pd.to_datetime(text, format=form or "ISO8601", errors="coerce", utc=True)
        wrong = (parsed.isna() & series.notna()).to_numpy()
        refuse_rows(series, wrong, f"no date of the form {form or 'YYYY-MM-DD'}")
        return seconds(parsed)
    if column.kind == "timedelta" and is_text(series):
        durations = pd.to_timedelta(series.astype(object), errors="coerce")
        refuse_rows(series, (durations.isna() & series.notna()).to_numpy(), "no duration")
        return seconds(durations)
    if column.kind in {"datetime", "timedelta"} and is_temporal(series) is not None:
        return seconds(series)
    return numbers(series)


def _written(values: np.ndarray, column: Column) -> Any:
    """Amounts, rounded and clipped, in the column's dtype."""
    values = _bounded(values, column)
    name = column.dtype
    textual = is_text(pd.Series([], dtype=dtype_of(name))) or name == "object"
    if column.kind == "datetime" and textual and column.datetime_format:
        return _dates_as_text(values, column)
    if column.kind in {"datetime", "timedelta"} and dtype_of(name).kind not in "iuf":
        step = step_of_format(column.datetime_format) if column.datetime_format else None
        if column.decimals == 0 and step is None:
            step = 1.0
        return times_as(values, name, step=step)
    if textual:
        return _numbers_as_text(values, column)
    return numbers_as(values, name)


def _bounded(values: np.ndarray, column: Column) -> np.ndarray:
    low = -np.inf if column.minimum is None else column.minimum
    high = np.inf if column.maximum is None else column.maximum
    if column.kind == "integer":
        values, low, high = np.rint(values), np.ceil(low), np.floor(high)
    elif column.decimals is not None:
        few = np.abs(values) < 1e15 / 10.0**column.decimals  # beyond it, rounding would overflow
        values = np.where(few, np.round(np.where(few, values, 0.0), column.decimals), values)
    return np.clip(values, low, high)


def _dates_as_text(values: np.ndarray, column: Column) -> pd.Series:
    form = str(column.datetime_format)
    step = step_of_format(form)
    codes, levels = pd.factorize(np.rint(values / step) * step if step >= 1 else values)
    text = times_as(np.asarray(levels), "datetime64[us]").dt.strftime(form)
    texts = pd.Series(text.to_numpy(dtype=object), dtype=dtype_of(column.dtype)).array
    return pd.Series(texts.take(codes, allow_fill=True), dtype=texts.dtype, copy=False)


def _numbers_as_text(values: np.ndarray, column: Column) -> pd.Series:
    codes, levels = pd.factorize(values)
    digits = 0 if column.kind == "integer" else column.decimals
    text = [repr(float(v)) if digits is None else f"{v:.{digits}f}" for v in levels]
    texts = pd.Series(text, dtype=dtype_of(column.dtype)).array
    return pd.Series(texts.take(codes, allow_fill=True), dtype=texts.dtype, copy=False)


def _key(level: object, *, as_text: bool) -> object:
    """What two spellings of one level have in common."""
    if as_text:
        if isinstance(level, float) and level.is_integer():
            return str(int(level))
        return str(level)
    if isinstance(level, str):
        truth = {"true": 1.0, "false": 0.0}.get(level.strip().lower())
        try:
            return float(level) if truth is None else truth
        except ValueError:
            return level
    return float(level) if isinstance(level, bool | int | float | np.number | np.bool_) else level


def _positions(series: pd.Series, column: Column) -> np.ndarray:
    """Positions in the categories; each distinct value is looked up once."""
    if is_temporal(series) is not None:
        series = pd.Series(seconds(series))
    if isinstance(series.dtype, pd.CategoricalDtype):
        codes, values = series.cat.codes.to_numpy(), series.cat.categories.tolist()
    else:
        codes, uniques = pd.factorize(series)
        values = pd.Index(uniques).tolist()
    as_text = any(isinstance(level, str) for level in column.categories)
    known = {_key(level, as_text=as_text): at for at, level in enumerate(column.categories)}
    unknown = len(column.categories)
    places = [known.get(_key(value, as_text=as_text), unknown) for value in values]
    return np.array([*places, np.nan], dtype="float64")[codes]  # the code of a missing value is -1


def levels_as(levels: tuple[Scalar, ...], name: str) -> Any:
    """Levels in the dtype `name` of their column (levels of times are seconds)."""
    inner = name[9:-1] if name.startswith("category[") else None
    if name == "category":
        return pd.Series(pd.Index(list(levels))).array
    dtype = dtype_of(inner or name)
    if name == "date" or dtype.kind in "mM":
        return times_as(np.array(levels, dtype="float64"), name).array
    if is_object(dtype):
        return pd.Series(list(levels), dtype=object).array
    return pd.Series(list(levels), dtype=dtype).array


def _levels_at(values: np.ndarray, column: Column) -> Any:
    """The levels at the coded positions; unknown levels come out as missing."""
    absent = np.isnan(values) | (values >= len(column.categories)) | (values < -0.5)
    codes = np.where(absent, -1.0, np.rint(values)).astype("int64")
    levels = levels_as(column.categories, column.dtype)
    if column.dtype.startswith("category"):
        dtype = pd.CategoricalDtype(pd.Index(levels), ordered=column.kind == "ordinal")
        return pd.Categorical.from_codes(codes, dtype=dtype)
    if absent.any() and not can_hold_missing(column.dtype):
        raise InputError(
            f"column {column.name!r} holds levels that its schema does not know, and its dtype "
            f"{column.dtype} has no place for a missing value; declare all levels under "
            "`categories`."
        )
    return levels.take(codes, allow_fill=bool(absent.any()))


def _filled(column: Column, n_rows: int, first_row: int) -> Any:
    """A column that needs no generator: constant, empty, or made-up identifiers."""
    if column.kind == "identifier":
        return _made_up(column, np.arange(first_row + 1, first_row + 1 + n_rows))
    if column.kind == "constant":
        levels = levels_as((column.value,), column.dtype)
        if column.dtype.startswith("category"):
            return pd.Categorical.from_codes(
                np.zeros(n_rows, dtype="int8"), categories=pd.Index(levels)
            )
        return levels.take(np.zeros(n_rows, dtype="int64"))
    if column.dtype.startswith("category"):
        return pd.Categorical([None] * n_rows)
    dtype = dtype_of(column.dtype)
    return pd.Series([np.nan if is_object(dtype) else None] * n_rows, dtype=dtype).array


def _made_up(column: Column, places: np.ndarray) -> Any:
    """Identifiers that name nobody: running numbers, or `synthetic-0000001` where they are text.

    Numbers that a small integer dtype cannot hold come as int64.
    """
    dtype = dtype_of("category" if column.dtype.startswith("category") else column.dtype)
    if dtype.kind in "iuf" and not is_text(pd.Series([], dtype=dtype)):
        numbers = pd.Series(numbers_as(places.astype("float64"), column.dtype)).array
        return numbers if np.array_equal(numbers.to_numpy(), places) else pd.Series(places).array
    text = pd.Series([f"synthetic-{place:07d}" for place in places.tolist()], dtype=object)
    return text.astype(dtype).array
