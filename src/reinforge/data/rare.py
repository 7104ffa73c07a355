"""What only few rows share has no place in a generator: schemas without it."""

import warnings

import pandas as pd

from reinforge.data.alike import warn_of_alike_levels
from reinforge.data.coded import encode
from reinforge.data.infer import infer_schema, refuse_text
from reinforge.data.text_forms import several_date_forms
from reinforge.errors import InputError
from reinforge.records import Split
from reinforge.schema import Column, Schema

MANY_RARE = 0.1  # of the rows: beyond it their rare levels are worth a warning


def private_schema(
    frame: pd.DataFrame, schema: Schema | dict[str, dict] | None, *, min_rows: int
) -> Schema:
    """The schema of training rows without what fewer than `min_rows` of them share.

    Levels that too few rows hold are left out (declared ones stay: they are the user's word, not
    the data's), and a column with values in too few rows becomes empty, with a warning.

    Args:
        frame: The training rows.
        schema: A whole schema, overrides, or None to infer everything.
        min_rows: The least number of rows behind anything that is kept.

    Raises:
        InputError: Free text, a column none of whose levels is held by enough rows, or too few
            rows altogether.
    """
    if len(frame) < min_rows:
        raise InputError(
            f"min_rows = {min_rows} is more than the {len(frame)} training rows; lower it."
        )
    if not isinstance(schema, Schema):
        schema = infer_schema(frame, overrides=schema, min_level_count=min_rows)
        _warn_of_rare(frame, schema, min_rows)
        warn_of_alike_levels(schema)
    refuse_text(schema)
    columns = tuple(_without_rare(frame, c, min_rows) for c in schema.columns)
    _refuse_levelless(frame, columns, min_rows)
    return Schema(columns=columns)


def _without_rare(frame: pd.DataFrame, column: Column, min_rows: int) -> Column:
    n_present = int(frame[column.name].notna().sum()) if column.name in frame.columns else 0
    if not column.is_modelled or column.name not in frame.columns:
        return column
    if n_present < min_rows:
        if n_present:
            warnings.warn(
                f"column {column.name!r} holds values in {n_present} rows, fewer than min_rows "
                f"({min_rows}); it is left empty.",
                stacklevel=5,
            )
        return Column(name=column.name, dtype=column.dtype, kind="empty", missing=True)
    return column


def _refuse_levelless(frame: pd.DataFrame, columns: tuple[Column, ...], min_rows: int) -> None:
    """Refuse columns without a level that may be learnt, all of them at once."""
    named = [
        column.name
        for column in columns
        if column.is_modelled and not column.is_numeric and not column.categories
    ]
    for name in named:
        forms = several_date_forms(frame[name])
        if forms:
            raise InputError(
                f"column {name!r} holds dates of several forms ({', '.join(forms)}); write all of "
                "them in one form, or drop the column."
            )
    if named:
        raise InputError(
            f"column {', '.join(map(repr, named))}: no level is held by at least {min_rows} rows, "
            "so none can be learnt without showing single people; group the levels, declare the "
            "column as an identifier, or drop it."
        )


def _warn_of_rare(frame: pd.DataFrame, schema: Schema, min_rows: int) -> None:
    """Say where many rows lose their level: what comes out is not spread as what went in."""
    for column in schema.modelled:
        if column.is_numeric or not column.categories:
            continue
        position = encode(frame[column.name], column)
        lost = int((position >= len(column.categories)).sum())
        if lost > MANY_RARE * len(frame):
            forms = several_date_forms(frame[column.name])
            cause = f" (dates of several forms: {', '.join(forms)})" if forms else ""
            warnings.warn(
                f"column {column.name!r}: {lost / len(frame):.0%} of the rows hold levels that "
                f"fewer than {min_rows} rows share{cause}; these are not learnt, and one of the "
                f"other {len(column.categories)} stands in their place. Group the levels, or drop "
                "the column.",
                stacklevel=4,
            )


def train_schema(split: Split, *, min_rows: int, declared: dict[str, dict] | None = None) -> Schema:
    """The schema of a split's training rows.

    Of the split's own schema, which has seen the holdout, only the user's word is taken: kinds,
    bounds, date forms, what is made up anew, and the order of ordered levels.

    Args:
        split: The table in parts.
        min_rows: Levels that fewer training rows hold are left out.
        declared: Column name -> fields that the user knows better; levels named here all stay.
    """
    told = ("kind", "minimum", "maximum", "datetime_format", "remake")
    fields = {c.name: {field: getattr(c, field) for field in told} for c in split.schema.columns}
    ordered = {c.name: c.categories for c in split.schema.columns if c.kind == "ordinal"}
    for name, levels in ordered.items():
        fields[name]["categories"] = levels
    for name, own in (declared or {}).items():
        before = fields.get(name, {})
        kept = before if own.get("kind", before.get("kind")) == before.get("kind") else {}
        fields[name] = {**kept, **own}
        if "categories" in own or not kept:
            ordered.pop(name, None)
    schema = infer_schema(split.train, overrides=fields, min_level_count=min_rows)
    schema = Schema(
        columns=tuple(
            _held(split.train[c.name], c, min_rows) if c.name in ordered else c
            for c in schema.columns
        )
    )
    _warn_of_rare(split.train, schema, min_rows)
    warn_of_alike_levels(schema)
    return schema


def _held(series: pd.Series, column: Column, min_rows: int) -> Column:
    """An ordered column with only those levels that enough rows hold."""
    position = pd.Series(encode(series, column)).dropna().astype(int)
    counts = position.value_counts()
    kept = tuple(x for k, x in enumerate(column.categories) if counts.get(k, 0) >= min_rows)
    return column.model_copy(update={"categories": kept})
