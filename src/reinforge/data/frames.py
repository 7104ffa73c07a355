"""Frames at the door: what people hand over, made a table that the rest can rely on."""

import pandas as pd

from reinforge.errors import InputError


def check_frame(frame: pd.DataFrame) -> None:
    """Refuse what no table may hold."""
    if frame.columns.has_duplicates:
        twice = frame.columns[frame.columns.duplicated()].unique().tolist()
        raise InputError(f"column names occur twice: {twice}; rename them.")


def as_frame(data: object) -> pd.DataFrame:
    """A DataFrame from whatever holds rows."""
    return data if isinstance(data, pd.DataFrame) else pd.DataFrame(data)
