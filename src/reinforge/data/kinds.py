"""One column's kind, guessed from its values.

Every column is of the first kind that fits:

1. `empty` (nothing but missing values), `constant` (one value, never missing; with missing values
   it is a categorical of one level).
2. By dtype: booleans; datetimes; timedeltas; ordered categories are `ordinal`, others
   `categorical`.
3. Numbers: 0 and 1 alone are `boolean` and keep their dtype; whole numbers are `integer`, also
   where they come as floats; all others are `continuous`, with the decimals that they carry. Few
   levels do not make a number a category: declare it where it is one.
4. Text: yes/no, true/false, y/n, t/f, on/off are `boolean`; dates of one form `datetime`; numbers
   in one plain form numeric; sentences `text`; contacts and near-unique text `identifier`; the rest
   `categorical`.

Identifiers are told from measurements so: a whole number is an identifier if its values are
distinct, and measurements spread over the same range would repeat themselves (chance of no repeat
below 1e-9), or if they rise by one from row to row, or if the name says so (`patient_id`, `MRN`)
and at least half of the values are distinct. A column of floats with decimals never is one.
"""

import re

import numpy as np
import pandas as pd

from reinforge.data import text_forms
from reinforge.data.dtypes import (
    DAY,
    EXACT,
    dtype_name,
    is_temporal,
    is_text,
    numbers,
    plain_times,
    seconds,
)
from reinforge.errors import InputError
from reinforge.schema import Column, Kind, Scalar

MAX_LEVELS = 1_000
MIN_ROWS_FOR_IDENTIFIER = 20
NEAR_UNIQUE = 0.95
MAX_DECIMALS = 10
_ID_NAMES = frozenset(
    {"id", "ids", "uuid", "guid", "mrn", "ssn", "identifier", "key", "index", "uid"}
)
_ID_OF = frozenset({"no", "nr", "nbr", "num", "number", "code"})
_OWNERS = frozenset(
    {"patient", "person", "subject", "record", "row", "case", "account", "customer"}
)


def guess_column(series: pd.Series, *, min_level_count: int = 1) -> Column:
    """Kind, levels, natural bounds and decimals of one column.

    Args:
        series: A column with a text name.
        min_level_count: Levels held by fewer rows are left out of `categories`.

    Raises:
        InputError: The column cannot be modelled as it is; the text says what to do.
    """
    present = series.dropna()
    name, dtype, missing = str(series.name), dtype_name(series), len(present) < len(series)
    if present.empty:
        return Column(name=name, dtype=dtype, kind="empty", missing=len(series) > 0)
    levels = _levels(present)
    if len(levels) == 1:
        only = scalar(levels.index[0])
        if missing:
            ordered = isinstance(series.dtype, pd.CategoricalDtype) and series.cat.ordered
            kind: Kind = "ordinal" if ordered else "categorical"
            kept = (only,) if len(present) >= min_level_count else ()
            return Column(name=name, dtype=dtype, kind=kind, categories=kept, missing=True)
        return Column(name=name, dtype=dtype, kind="constant", value=only)
    found = _by_values(present, levels, min_level_count)
    return Column(name=name, dtype=dtype, missing=missing, **found)


def _levels(present: pd.Series) -> pd.Series:
    """Rows a level; levels of times are seconds."""
    if is_temporal(present) is not None:
        present = pd.Series(seconds(present))
    elif present.dtype.kind == "f":
        present = pd.Series(numbers(present))
    counts = present.value_counts(sort=False)
    return counts[counts > 0]


def scalar(level: object) -> Scalar:
    """A level as the plain Python value that a schema holds."""
    if isinstance(level, np.generic):
        level = level.item()
    if isinstance(level, bool | int | float | str):
        return level
    raise InputError(f"level {level!r} is no text, number or boolean; convert it to text first.")


def _by_values(present: pd.Series, levels: pd.Series, min_level_count: int) -> dict:
    if isinstance(present.dtype, pd.CategoricalDtype):
        return _by_levels(present, levels, min_level_count)
    if is_text(present):
        return _by_text(present, levels, min_level_count)
    temporal = is_temporal(present)
    if temporal is not None:
        return time_details(present, temporal)
    if _is_boolean(present):
        return {"kind": "boolean", "categories": (False, True)}
    return _by_numbers(present, levels)


def _is_boolean(present: pd.Series) -> bool:
    if present.dtype == object:
        return pd.api.types.infer_dtype(present, skipna=True) == "boolean"
    return present.dtype.kind == "b"


def _by_levels(present: pd.Series, levels: pd.Series, min_level_count: int) -> dict:
    """Category dtype: the levels in their declared order, unused ones left out."""
    ordered = bool(present.cat.ordered)
    if not ordered and _is_text_identifier(present, levels):
        return {"kind": "identifier", "remake": True}
    text_forms.refuse_many_levels(present, len(levels), MAX_LEVELS)
    held = [level for level in present.cat.categories if levels.get(level, 0) >= min_level_count]
    kept = tuple(scalar(level) for level in held)
    return {"kind": "ordinal" if ordered else "categorical", "categories": kept}


def _by_type(level: Scalar) -> tuple[str, Scalar]:
    return (type(level).__name__, level)


def _by_text(present: pd.Series, levels: pd.Series, min_level_count: int) -> dict:
    words = pd.Series(levels.index, dtype=object)
    if text_forms.is_boolean_text(words.tolist()):
        return {"kind": "boolean", "categories": tuple(sorted(words, key=str.lower))}
    form = text_forms.date_form(present)
    if form is not None:
        return {"kind": "datetime", "datetime_format": form}
    places = text_forms.number_decimals(present)
    if places is not None and len(levels) > 20:
        found = _by_numbers(pd.Series(numbers(present), name=present.name), levels)
        return found | ({"decimals": places} if found["kind"] == "continuous" else {})
    text_forms.refuse_grouped_numbers(present)
    text_forms.refuse_decimal_commas(present)
    if len(levels) >= 0.5 * len(present) and text_forms.is_prose(words):
        return {"kind": "text"}
    if _is_text_identifier(present, levels):
        return {"kind": "identifier", "remake": True}
    text_forms.refuse_many_levels(present, len(levels), MAX_LEVELS)
    return {"kind": "categorical", "categories": kept_levels(levels, min_level_count)}


def kept_levels(levels: pd.Series, min_level_count: int) -> tuple[Scalar, ...]:
    """Levels held by enough rows, in rising order."""
    kept = [scalar(level) for level in levels.index[levels >= min_level_count]]
    return tuple(sorted(kept, key=_by_type))


def _is_text_identifier(present: pd.Series, levels: pd.Series) -> bool:
    rows = len(present)
    if rows < MIN_ROWS_FOR_IDENTIFIER:
        return False
    distinct = len(levels) / rows
    if distinct >= NEAR_UNIQUE or (distinct >= 0.5 and is_id_name(str(present.name))):
        return True
    words = pd.Series(levels.index, dtype=object)
    all_text = words.map(lambda level: isinstance(level, str)).all()
    return distinct >= 0.5 and bool(all_text) and text_forms.looks_like_contacts(words)


def is_id_name(name: str) -> bool:
    """Whether a name says that its column names people or rows: `patient_id`, `caseNumber`."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
    tokens = [part.lower() for part in parts]
    if not tokens:
        return False
    return tokens[-1] in _ID_NAMES or (
        tokens[-1] in _ID_OF and len(tokens) > 1 and tokens[-2] in _OWNERS
    )


def _by_numbers(present: pd.Series, levels: pd.Series) -> dict:
    amounts = numbers(present)
    values = set(np.unique(amounts).tolist()) if len(levels) == 2 else set()
    if values == {0.0, 1.0}:
        return {"kind": "boolean", "categories": tuple(scalar(x) for x in sorted(levels.index))}
    whole = bool(np.all(np.rint(amounts) == amounts))
    if whole and _is_number_identifier(present, amounts, len(levels)):
        return {"kind": "identifier", "remake": True}
    return number_details(present, amounts, whole)


def number_details(present: pd.Series, amounts: np.ndarray, whole: bool) -> dict:
    """Integer or continuous, the natural bound and the decimals."""
    natural = {"minimum": 0.0} if amounts.min() >= 0 else {}
    large = np.abs(amounts).max() > EXACT
    if large and present.dtype.kind in "iu":
        raise InputError(
            f"column {present.name!r} holds whole numbers beyond 2^53, which lose digits as "
            "amounts; "
            "declare it as an identifier or categorical, or divide it by a unit."
        )
    if whole and not large:
        return {"kind": "integer", **natural}
    return {"kind": "continuous", "decimals": decimals_of(amounts, present.dtype), **natural}


def decimals_of(amounts: np.ndarray, dtype: object = None) -> int | None:
    """Digits after the point that all amounts carry; None where they carry more than a few."""
    single = str(dtype).lower().partition("[")[0]
    single = {"float": "float32", "halffloat": "float16"}.get(single, single)
    exact = single if single in {"float16", "float32"} else "float64"
    limit = {"float16": 3, "float32": 6}.get(exact, MAX_DECIMALS)
    largest = np.abs(amounts).max()
    for places in range(limit + 1):
        if largest >= 1e15 / 10.0**places:
            return None
        rounded = np.round(amounts, places)
        if np.array_equal(rounded.astype(exact), amounts.astype(exact)):
            return places
    return None


def _is_number_identifier(present: pd.Series, amounts: np.ndarray, n_levels: int) -> bool:
    rows = len(amounts)
    if rows < MIN_ROWS_FOR_IDENTIFIER:
        return False
    if is_id_name(str(present.name)):
        return n_levels >= 0.5 * rows
    if n_levels < rows:
        return False
    if np.all(np.diff(amounts) == 1):
        return True
    spread = float(amounts.max() - amounts.min()) + 1
    return bool(rows * (rows - 1) / (2 * spread) > -np.log(1e-9))


def time_details(present: pd.Series, kind: str) -> dict:
    """Resolution of a datetime or timedelta column: days, minutes, seconds or parts of them."""
    amounts = seconds(present)
    whole = bool(np.all(np.rint(amounts) == amounts))
    natural = {"minimum": 0.0} if kind == "timedelta" and amounts.min() >= 0 else {}
    found = {"kind": kind, "decimals": 0 if whole else 6, **natural}
    if not whole:
        milli = np.array_equal(np.round(amounts, 3), np.round(amounts, 6))
        return found | {"decimals": 3 if milli else 6}
    wall = amounts
    times = plain_times(present)
    if isinstance(times.dtype, pd.DatetimeTZDtype):
        wall = seconds(times.dt.tz_localize(None))
    if kind == "datetime":
        for step, form in ((DAY, "%Y-%m-%d"), (60.0, "%Y-%m-%d %H:%M")):
            if np.all(wall % step == 0):
                return found | {"datetime_format": form}
    return found
