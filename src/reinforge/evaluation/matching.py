"""Whether a synthetic table has the real table's columns and kinds of values."""

import pandas as pd
from pandas.api import types

from reinforge.errors import InputError
from reinforge.schema import Schema


def check_columns(real: pd.DataFrame, synthetic: pd.DataFrame, schema: Schema) -> None:
    """Refuse a synthetic table whose columns or kinds of values differ; order does not matter.

    Columns that no generator learns (identifiers, text, constants, empty ones) may be absent.

    Raises:
        InputError: All differences in one line.
    """
    wanted = {column.name for column in schema.modelled}
    lacking = [name for name in wanted if name not in synthetic.columns]
    extra = [name for name in synthetic.columns if name not in set(schema.names)]
    doubled = sorted({str(name) for name in synthetic.columns[synthetic.columns.duplicated()]})
    differing = [
        f"holds {_family(synthetic[name])} in {name!r} where {_family(real[name])} is due"
        for name in schema.names
        if name in wanted and name in synthetic.columns and name not in doubled
        if not _alike(_family(real[name]), _family(synthetic[name]))
    ]
    faults = []
    if lacking:
        faults.append("lacks " + ", ".join(repr(n) for n in schema.names if n in lacking))
    if extra:
        faults.append("adds " + ", ".join(repr(name) for name in extra))
    if doubled:
        faults.append("repeats " + ", ".join(repr(name) for name in doubled))
    if faults or differing:
        raise InputError(
            "the synthetic table does not match the real one: it "
            + "; ".join(faults + ([", ".join(differing)] if differing else []))
            + ". Give it the real table's columns and dtypes, or leave out what it was not to hold "
            "(--drop, or before splitting)."
        )


def _alike(real: str, synthetic: str) -> bool:
    return real == synthetic or "empty" in (real, synthetic)


def _family(values: pd.Series) -> str:
    """Number, text, date, duration: what a dtype means, whichever library made it."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.cat.categories.to_series()
    if values.isna().all():
        return "empty"
    if types.is_datetime64_any_dtype(values.dtype):
        return "date"
    if types.is_timedelta64_dtype(values.dtype):
        return "duration"
    if types.is_bool_dtype(values.dtype) or types.is_numeric_dtype(values.dtype):
        return "number"
    inferred = types.infer_dtype(values, skipna=True)
    if inferred in {"boolean", "integer", "floating", "mixed-integer-float", "decimal"}:
        return "number"
    if inferred in {"datetime", "datetime64", "date"}:
        return "date"
    return "duration" if inferred in {"timedelta", "timedelta64"} else "text"
