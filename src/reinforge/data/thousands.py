"""Numbers that are written with a mark between their thousands (`1,234.50`)."""

import re

import pandas as pd

from reinforge.data.dtypes import refuse_rows
from reinforge.data.text_forms import MOSTLY, mend_or_declare


def numbers_of_groups(frame: pd.DataFrame, *, mark: str, decimal: str) -> None:
    """Turn text columns whose values all are numbers, some with the mark, into numbers, in place.

    A mark counts between groups of three digits alone, so that 15.03.2024 stays a date.

    Args:
        frame: As it was read.
        mark: What parts the thousands.
        decimal: The decimal mark.

    Raises:
        InputError: Nine values in ten are such numbers and the others are not; names their rows.
    """
    group, point = re.escape(mark), re.escape(decimal)
    form = rf"\s*[+-]?(\d{{1,3}}({group}\d{{3}})+|\d+)({point}\d+)?\s*"
    for name in frame.columns:
        column = frame[name]
        if pd.api.types.is_string_dtype(column) and not column.isna().all():
            _turn(frame, column, form=form, mark=mark, decimal=decimal)


def _turn(frame: pd.DataFrame, column: pd.Series, *, form: str, mark: str, decimal: str) -> None:
    text = column.astype("string")
    fits = text.str.fullmatch(form).fillna(value=True).to_numpy(dtype=bool)
    is_there = column.notna().to_numpy()
    has_mark = text.str.contains(mark, regex=False).fillna(value=False).to_numpy(dtype=bool)
    if not (fits & has_mark).any() or fits[is_there].mean() < MOSTLY:
        return
    refuse_rows(
        column,
        ~fits,
        f"no number, though {(fits & is_there).sum()} of {is_there.sum()} values are",
        mend_or_declare(pd.Series(column[~fits].unique(), dtype=object)),
    )
    plain = text.str.replace(mark, "", regex=False).str.replace(decimal, ".", regex=False)
    amounts = pd.to_numeric(plain.str.strip()).to_numpy(dtype="float64", na_value=float("nan"))
    is_whole = is_there.all() and not plain.str.contains(".", regex=False).any()
    frame[column.name] = amounts.astype("int64") if is_whole else amounts
