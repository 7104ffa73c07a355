"""The schema of a table: kinds guessed from the values (see `kinds`); the user's word wins."""

from collections.abc import Mapping

import pandas as pd

from reinforge.data.frames import check_frame
from reinforge.data.kinds import guess_column
from reinforge.data.overrides import declared_column, load_overrides, refuse_unknown_names
from reinforge.errors import InputError
from reinforge.schema import Schema

__all__ = ["describe", "infer_schema", "load_overrides", "refuse_text"]


def infer_schema(
    frame: pd.DataFrame, *, overrides: dict[str, dict] | None = None, min_level_count: int = 1
) -> Schema:
    """What each column of a table is.

    Args:
        frame: The rows, as `read_table` or `as_frame` gives them.
        overrides: Column name -> fields of `Column` that the user knows better, as from
            `load_overrides`.
        min_level_count: Levels held by fewer rows are left out of `categories`, so that a saved
            schema shows no rare value; booleans and declared levels are kept.

    Raises:
        InputError: A column cannot be modelled, or an override fits no column or no value.
    """
    check_frame(frame)
    declared = overrides or {}
    refuse_unknown_names(declared, list(frame.columns))
    return Schema(
        columns=tuple(
            declared_column(frame[name], declared[name], min_level_count=min_level_count)
            if name in declared
            else guess_column(frame[name], min_level_count=min_level_count)
            for name in frame.columns
        )
    )


def describe(schema: Schema, *, looked_up: Mapping[str, str] | None = None) -> list[dict]:
    """What was inferred, a row a column: kind, dtype, details, missing, and what happens to it.

    Args:
        schema: Of the table.
        looked_up: Columns that are looked up -> the column that decides each.
    """
    sources = looked_up or {}
    fate = {
        "constant": "written back",
        "empty": "written back",
        "text": "refused: drop it or declare it",
    }
    rows = []
    for column in schema.columns:
        action = "learnt" if column.is_modelled else fate.get(column.kind, "")
        if column.kind == "identifier":
            action = "made up anew" if column.remake else "left out"
        if column.name in sources:
            action = f"looked up from {sources[column.name]}"
        rows.append(
            {
                "column": column.name,
                "kind": column.kind,
                "dtype": column.dtype,
                "details": _details(column.model_dump()),
                "missing": column.missing,
                "action": action,
            }
        )
    return rows


def _details(fields: dict) -> str:
    parts = []
    levels = fields["categories"]
    if levels:
        shown = ", ".join(str(level) for level in levels[:5])
        parts.append(f"{len(levels)} levels: {shown}" + (", ..." if len(levels) > 5 else ""))
    if fields["minimum"] is not None:
        parts.append(f"at least {fields['minimum']:g}")
    if fields["maximum"] is not None:
        parts.append(f"at most {fields['maximum']:g}")
    if fields["decimals"] is not None:
        parts.append(f"{fields['decimals']} decimal{'' if fields['decimals'] == 1 else 's'}")
    if fields["datetime_format"]:
        parts.append(fields["datetime_format"])
    return "; ".join(parts)


def refuse_text(schema: Schema) -> None:
    """Refuse free text, which no generator here can learn without repeating people's own words."""
    named = [repr(column.name) for column in schema.columns if column.kind == "text"]
    if named:
        raise InputError(
            f"free text cannot be learnt, and column {', '.join(named)} holds it; drop it, or "
            "declare "
            "it as categorical or identifier in the schema file."
        )
