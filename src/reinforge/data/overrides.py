"""The user's word on columns: a schema file or a dict, checked before it replaces a guess."""

import datetime
import difflib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from pydantic import ValidationError

from reinforge.data.coded import amounts, decode, encode
from reinforge.data.dtypes import dtype_name, is_temporal, is_text, numbers, refuse_rows, seconds
from reinforge.data.kinds import (
    decimals_of,
    guess_column,
    kept_levels,
    scalar,
    time_details,
)
from reinforge.data.text_forms import date_form
from reinforge.errors import InputError
from reinforge.schema import DISCRETE_KINDS, Column

MAX_BYTES = 5_000_000
MAX_ALIASES = 50


def load_overrides(path: str | Path) -> dict[str, dict]:
    """Read a schema file: YAML or JSON, `column: {kind: ..., ...}`, or a saved schema.json.

    Raises:
        InputError: The file is missing, too large, no YAML, full of aliases, or not of that shape.
    """
    path = Path(path)
    text = _text_of(path)
    try:
        n_aliases = sum(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text))
        if n_aliases > MAX_ALIASES:
            raise InputError(f"{path} holds {n_aliases} YAML aliases; {MAX_ALIASES} is the limit.")
        content = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (yaml.YAMLError, json.JSONDecodeError) as error:
        problem = " ".join(str(error).split())
        raise InputError(f"{path} is no valid YAML or JSON: {problem}.") from error
    content = {} if content is None else content
    if isinstance(content, dict) and set(content) == {"columns"}:
        content = content["columns"]
    if isinstance(content, list) and all(isinstance(x, dict) and "name" in x for x in content):
        content = {x["name"]: {k: v for k, v in x.items() if k != "name"} for x in content}
    if not isinstance(content, dict) or not all(isinstance(x, dict) for x in content.values()):
        raise InputError(
            f"{path} should map column names to fields, e.g. `age: {{kind: integer}}`."
        )
    return {str(name): fields for name, fields in content.items()}


def _text_of(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path} is larger than {MAX_BYTES:,} bytes; a schema file is small.")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot read the schema file {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is no UTF-8 text (byte {error.start}); save it as UTF-8."
        ) from error


def nearest(name: str, known: list[str]) -> str:
    """A hint for a name that is not there."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(map(repr, known[:20]))}."


def refuse_unknown_names(declared: dict[str, dict], columns: list[str]) -> None:
    """Refuse overrides for columns that are not there, with the nearest name."""
    for name in declared:
        if name not in columns:
            raise InputError(
                f"the schema names column {name!r}, which is not there; {nearest(name, columns)}"
            )


def declared_column(series: pd.Series, fields: dict, *, min_level_count: int = 1) -> Column:
    """A column as the user declares it; what was left open is read off the values.

    Raises:
        InputError: A field or kind is misspelt, or values do not fit the declaration.
    """
    name = str(series.name)
    known = [field for field in Column.model_fields if field != "name"]
    for field in fields:
        if field not in known:
            raise InputError(f"column {name!r}: no field {field!r}; {nearest(str(field), known)}")
    fields = {k: _plain(v, k) for k, v in fields.items() if v is not None}
    kind = fields.get("kind")
    try:
        if kind is None:
            found = guess_column(series, min_level_count=min_level_count).model_dump()
        else:
            found = {
                "name": name,
                "dtype": dtype_name(series),
                "missing": bool(series.isna().any()),
            }
            draft = Column(**found | fields)
            found |= _details(series, draft, min_level_count)
        column = Column.model_validate(found | fields)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        got = first.get("input")
        raise InputError(
            f"column {name!r}: {where} = {got!r} is not valid: {first['msg']}."
        ) from error
    _refuse_outsiders(series, column)
    if column.kind in DISCRETE_KINDS and "categories" in fields:
        unknown = encode(series, column) >= len(column.categories)
        refuse_rows(series, unknown, "not among the declared categories", "add them, or mend them")
    if column.is_modelled:
        head = series.head(50)
        decode(encode(head, column), column)  # what cannot be written back is refused now
    return column


def _plain(value: object, field: str) -> object:
    """Dates as seconds, lists as tuples."""
    if field in {"minimum", "maximum"} and isinstance(value, str | datetime.date):
        try:
            return pd.Timestamp(value).timestamp()
        except ValueError as error:
            raise InputError(f"{field} = {value!r} is neither a number nor a date.") from error
    if field == "categories" and isinstance(value, list | tuple):
        return tuple(scalar(level) for level in value)
    return value


def _details(series: pd.Series, draft: Column, min_level_count: int) -> dict:
    """Levels, decimals, form or value of a column whose kind the user declared."""
    present = series.dropna()
    if present.empty:
        return {}
    if draft.kind in DISCRETE_KINDS and not draft.categories:
        return {"categories": _levels_of(present, draft, min_level_count)}
    if draft.kind == "datetime" and is_text(series) and draft.datetime_format is None:
        form = date_form(series)
        if form is None:
            raise InputError(
                f"column {draft.name!r} is declared as datetime, but no one form fits all its "
                "values; "
                "give it as datetime_format, e.g. '%d.%m.%Y'."
            )
        return {"datetime_format": form}
    if draft.kind == "timedelta" and is_temporal(present) != "timedelta":
        raise InputError(
            f"column {draft.name!r} is declared as timedelta, but its dtype is {draft.dtype}; "
            "convert "
            "it with pd.to_timedelta, or declare it as continuous in seconds."
        )
    if draft.kind in {"datetime", "timedelta"} and is_temporal(present):
        return time_details(present, draft.kind)
    if draft.kind == "continuous":
        values = amounts(present, draft)
        natural = {"minimum": 0.0} if values.min() >= 0 else {}
        return {"decimals": decimals_of(values, present.dtype), **natural}
    if draft.kind == "integer":
        return {"minimum": 0.0} if amounts(present, draft).min() >= 0 else {}
    if draft.kind == "constant" and draft.value is None:
        return {"value": guess_column(present).value}
    return {}


def _levels_of(present: pd.Series, draft: Column, min_level_count: int) -> tuple:
    if isinstance(present.dtype, pd.CategoricalDtype):
        counts = present.value_counts(sort=False)
        least = 1 if draft.kind == "boolean" else min_level_count
        return tuple(scalar(x) for x in present.cat.categories if counts[x] >= max(least, 1))
    if is_temporal(present):
        present = pd.Series(seconds(present))
    elif present.dtype.kind == "f":
        present = pd.Series(numbers(present))
    counts = present.value_counts(sort=False)
    return kept_levels(counts, 1 if draft.kind == "boolean" else min_level_count)


def _refuse_outsiders(series: pd.Series, column: Column) -> None:
    """Refuse values outside declared levels or bounds, by row."""
    if column.is_numeric:
        values = amounts(series, column)
        low = -np.inf if column.minimum is None else column.minimum
        high = np.inf if column.maximum is None else column.maximum
        refuse_rows(series, (values < low) | (values > high), f"outside [{low:g}, {high:g}]")
        if column.kind == "integer":
            refuse_rows(series, np.abs(values - np.rint(values)) > 0, "no whole number")
