"""Codes of digits in tables that were read apart: 01067 in one file, 10115 alone in the other."""

import numpy as np
import pandas as pd

from reinforge.data.dtypes import is_object, is_text, numbers


def codes_like(frame: pd.DataFrame, like: pd.DataFrame) -> pd.DataFrame:
    """The frame with its columns of digits written as in `like`: as numbers, or with their zeros.

    A file shows that its digits are codes by a zero in front; a smaller file of the same table
    may hold none. Columns that differ otherwise are left as they are.
    """
    if not frame.columns.is_unique:
        return frame
    changed = {}
    for name in like.columns.intersection(frame.columns):
        width = _width(like[name])
        if width and _is_number(frame[name]):
            changed[name] = _padded(frame[name], width, like[name].dtype)
        elif _is_number(like[name]) and _width(frame[name]):
            changed[name] = pd.Series(numbers(frame[name]), index=frame.index)
    return frame.assign(**{name: column for name, column in changed.items() if column is not None})


def _width(column: pd.Series) -> int:
    """How many digits all values of a text column have; 0 where they are no codes."""
    if not is_text(column):
        return 0
    levels = column.dropna().unique()
    widths = {len(text) if text.isascii() and text.isdecimal() else 0 for text in levels}
    return widths.pop() if len(widths) == 1 else 0


def _is_number(column: pd.Series) -> bool:
    return column.dtype.kind in "iuf" and not is_object(column.dtype) and not is_text(column)


def _padded(column: pd.Series, width: int, dtype: object) -> pd.Series | None:
    amounts = numbers(column)
    missing = np.isnan(amounts)
    whole = np.where(missing, 0, amounts)
    if (whole < 0).any() or (whole != np.rint(whole)).any() or (whole >= 10.0**width).any():
        return None
    text = [None if gap else f"{int(x):0{width}d}" for x, gap in zip(whole, missing, strict=True)]
    return pd.Series(text, index=column.index, dtype=dtype)  # type: ignore[call-overload]
