"""Frames at the door: what people hand over, made a table that all other rooms can rely on."""

import hashlib
import warnings
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from reinforge.data.alike import look_alikes
from reinforge.data.dtypes import is_object, refuse_rows
from reinforge.errors import InputError


def as_frame(source: Any) -> pd.DataFrame:
    """A clean DataFrame from whatever holds rows; what had to be changed is said in a warning.

    Names become text, an index is left out, columns of Python numbers become numbers, decimals
    become floats, and columns of mixed types become text.

    Args:
        source: A pandas or polars DataFrame, an Arrow table, a numpy array, a list of dicts, or a
            dict of columns.

    Returns:
        A frame with a plain row index that passes `check_frame`; `source` itself is not touched.

    Raises:
        InputError: It is no table, or `check_frame` refuses it.
    """
    frame = _as_pandas(source)
    _refuse_names(frame)
    frame = _without_index(_with_text_names(frame))
    changed = {}
    for name in frame.columns:
        column = frame[name]
        better = _plain_column(column)
        if better is not column:
            changed[name] = better
    if changed:
        frame = frame.assign(**changed)
    check_frame(frame)
    return frame


def check_frame(frame: pd.DataFrame) -> None:
    """Refuse what no system can work with: the error names the column, the rows and the remedy.

    Raises:
        InputError: Duplicate, nested or non-text column names; no column; no row; infinite values;
            a dtype that has no coded form (nested, bytes, complex, periods, times of day).
    """
    _refuse_names(frame)
    strange = [name for name in frame.columns if not isinstance(name, str)]
    if strange:
        raise InputError(
            f"column names must be text, and {strange[0]!r} is {type(strange[0]).__name__}; "
            "use frame.columns = frame.columns.map(str)."
        )
    if frame.shape[1] == 0:
        raise InputError("the table has no columns; at least one is needed.")
    if frame.shape[0] == 0:
        raise InputError("the table has 0 rows; give at least one row of values.")
    _warn_of_look_alikes(list(frame.columns))
    for name in frame.columns:
        _refuse_column(frame[name])


def frame_digest(frame: pd.DataFrame) -> str:
    """SHA-256 over names, dtypes and values in their order; equal tables have equal digests."""
    digest = hashlib.sha256()
    for name in frame.columns:
        column = frame[name]
        hashed = pd.util.hash_pandas_object(column, index=False).to_numpy()
        digest.update(
            f"{name}\0{column.dtype}\0{len(column)}\0".encode("utf-8", "backslashreplace")
        )
        digest.update(np.ascontiguousarray(hashed, dtype="<u8").tobytes())
    return digest.hexdigest()


def _as_pandas(source: Any) -> pd.DataFrame:
    if isinstance(source, pd.DataFrame):
        return source
    if isinstance(source, np.ndarray):
        return _from_array(source)
    if isinstance(source, str | bytes | pd.Series) or source is None or np.isscalar(source):
        hint = "read files with read_table(path)" if isinstance(source, str) else "give a DataFrame"
        raise InputError(f"a table was wanted, but {type(source).__name__} came; {hint}.")
    try:
        if isinstance(source, pa.Table) or hasattr(source, "__arrow_c_stream__"):
            return pa.table(source).to_pandas()
        if hasattr(source, "to_pandas"):
            return source.to_pandas()
        if isinstance(source, list) and source and not isinstance(source[0], dict | tuple | list):
            raise InputError(
                f"a list of dicts was wanted, but it holds {type(source[0]).__name__}."
            )
        return pd.DataFrame(source)
    except (TypeError, ValueError, pa.ArrowInvalid) as error:
        raise InputError(f"{type(source).__name__} cannot be read as a table: {error}") from error


def _from_array(values: np.ndarray) -> pd.DataFrame:
    if values.dtype.names is not None:
        return pd.DataFrame(values)
    if values.ndim != 2:
        raise InputError(f"a table has 2 dimensions, but the array has {values.ndim}; reshape it.")
    names = [f"column_{at + 1}" for at in range(values.shape[1])]
    return pd.DataFrame(values, columns=names).infer_objects()


def _refuse_names(frame: pd.DataFrame) -> None:
    if isinstance(frame.columns, pd.MultiIndex):
        raise InputError(
            "column names have several levels (MultiIndex); join them first, e.g. "
            "frame.columns = ['_'.join(map(str, name)) for name in frame.columns]."
        )
    twice = [name for name, count in Counter(frame.columns).items() if count > 1]
    if twice:
        raise InputError(f"column names occur twice: {', '.join(map(repr, twice))}; rename them.")


def _with_text_names(frame: pd.DataFrame) -> pd.DataFrame:
    """Every name as text; empty ones and such that no file can hold are replaced, and listed."""
    renamed = {}
    given = frame.columns.tolist()
    for at, name in enumerate(given):
        text = "" if name is None or name is pd.NA or name != name else str(name)
        if not isinstance(name, str) and isinstance(name, tuple):
            text = "_".join(map(str, name))
        if not text.strip():
            text = f"column_{at + 1}"
        text = text.encode("utf-8", "backslashreplace").decode("utf-8")
        if text != name or not isinstance(name, str):
            renamed[at] = text
    if not renamed:
        return frame
    names = [renamed.get(at, name) for at, name in enumerate(given)]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise InputError(f"as text, column names occur twice: {', '.join(map(repr, twice))}.")
    pairs = [f"{given[at]!r} to {text!r}" for at, text in list(renamed.items())[:10]]
    more = f" and {len(renamed) - 10} more" if len(renamed) > 10 else ""
    warnings.warn(f"columns renamed: {', '.join(pairs)}{more}", UserWarning, stacklevel=3)
    return frame.set_axis(names, axis=1)


def _without_index(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows are numbered; an index that carries a name is data, and leaving it out is said aloud."""
    named = [name for name in frame.index.names if name is not None]
    if named or isinstance(frame.index, pd.MultiIndex):
        what = f" ({', '.join(map(repr, named))})" if named else ""
        message = f"the index{what} is ignored; use frame.reset_index() to keep it as a column"
        warnings.warn(message, UserWarning, stacklevel=3)
    return frame.reset_index(drop=True)


def _warn_of_look_alikes(names: list[str]) -> None:
    for one, other in look_alikes(names):
        message = f"columns {one!r} and {other!r} look alike; they are kept apart"
        warnings.warn(message, UserWarning, stacklevel=3)


def _plain_column(column: pd.Series) -> pd.Series:
    """The column in a dtype that has a coded form, or itself where it is in one (or in none)."""
    dtype = column.dtype
    if isinstance(dtype, pd.SparseDtype):
        return pd.Series(np.asarray(column), name=column.name)
    if isinstance(dtype, pd.ArrowDtype):
        if pa.types.is_decimal(dtype.pyarrow_dtype):
            _say(column, "decimals become floats")
            return column.astype("float64")
        if pa.types.is_dictionary(dtype.pyarrow_dtype):
            return pd.Series(column.array.__arrow_array__().to_pandas(), name=column.name)
    if isinstance(dtype, pd.CategoricalDtype) and not _plain_levels(dtype.categories):
        _say(column, f"levels of type {type(dtype.categories[0]).__name__} become text")
        return column.cat.rename_categories([str(level) for level in dtype.categories])
    return _plain_objects(column) if is_object(dtype) else column


def _plain_objects(column: pd.Series) -> pd.Series:
    inferred = pd.api.types.infer_dtype(column, skipna=True)
    if inferred in {"integer", "floating", "mixed-integer-float", "decimal"}:
        values = column.astype("float64") if inferred == "decimal" else pd.to_numeric(column)
        if is_object(values.dtype) or (inferred == "integer" and values.abs().max() >= 2.0**64):
            raise InputError(
                f"column {column.name!r} holds whole numbers beyond 64 bits; use text."
            )
        _say(column, "Python numbers become a numeric dtype")
        return values
    if inferred in {"mixed", "mixed-integer"} and not _refused_values(column):
        types = sorted({type(value).__name__ for value in column.dropna()})
        _say(column, f"mixed types ({', '.join(types)}) become text")
        return column.map(str, na_action="ignore")
    if inferred == "datetime64" or inferred == "datetime":
        try:
            return pd.to_datetime(column)
        except ValueError as error:
            raise InputError(
                f"column {column.name!r} mixes time zones; convert it with "
                "pd.to_datetime(utc=True)."
            ) from error
    return pd.to_timedelta(column) if inferred in {"timedelta", "timedelta64"} else column


def _say(column: pd.Series, what: str) -> None:
    warnings.warn(f"column {column.name!r}: {what}", UserWarning, stacklevel=5)


def _plain_levels(levels: pd.Index) -> bool:
    if len(levels) == 0 or levels.dtype.kind in "biuf":
        return True
    return pd.api.types.infer_dtype(levels, skipna=True) in {
        "string",
        "boolean",
        "integer",
        "floating",
    }


def _refused_values(column: pd.Series) -> set[str]:
    """Types inside an object column that have no coded form."""
    refused = (list, dict, set, frozenset, tuple, np.ndarray, bytes, bytearray, complex)
    return {type(value).__name__ for value in column.dropna() if isinstance(value, refused)}


def _refuse_column(column: pd.Series) -> None:
    what = _unsupported(column)
    if what is not None:
        raise InputError(
            f"column {column.name!r} holds {what}, which cannot be modelled; convert it to "
            "numbers, "
            "text or dates, or drop it."
        )
    dtype = column.dtype
    if dtype.kind == "f" or (isinstance(dtype, pd.ArrowDtype) and dtype.kind == "f"):
        values = column.to_numpy(dtype="float64", na_value=np.nan)
        refuse_rows(
            column,
            np.isinf(values),
            "infinite",
            "replace them, e.g. frame.replace([inf, -inf], nan) for missing",
        )


def _unsupported(column: pd.Series) -> str | None:
    """In words, what a column holds that has no coded form; None where it has one."""
    dtype = column.dtype
    if isinstance(dtype, pd.ArrowDtype):
        arrow = dtype.pyarrow_dtype
        lost = pa.types.is_nested(arrow) or pa.types.is_binary(arrow) or pa.types.is_time(arrow)
        return f"values of type {arrow}" if lost or pa.types.is_large_binary(arrow) else None
    if isinstance(dtype, pd.PeriodDtype | pd.IntervalDtype) or dtype.kind in "cSV":
        return f"values of dtype {dtype}"
    if isinstance(dtype, pd.CategoricalDtype):
        return None if _plain_levels(dtype.categories) else "categories that are no text or number"
    if not is_object(dtype):
        return None
    inferred = pd.api.types.infer_dtype(column, skipna=True)
    if inferred in {"string", "empty"}:
        return _unwritable(column)
    if inferred in {"boolean", "date", "datetime", "datetime64", "integer", "floating"}:
        return None
    refused = _refused_values(column)
    nested = refused - {"bytes", "bytearray", "complex"}
    if nested:
        return f"nested values ({', '.join(sorted(nested))})"
    return f"values of type {', '.join(sorted(refused))}" if refused else f"{inferred} values"


def _unwritable(column: pd.Series) -> str | None:
    try:
        pa.array(column, type=pa.large_string(), from_pandas=True)
    except (UnicodeEncodeError, pa.ArrowException):
        return "text that is no valid Unicode (lone surrogates)"
    return None
