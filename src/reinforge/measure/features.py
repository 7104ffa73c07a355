"""Features: coded rows as points whose Euclidean distance counts every column alike."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float

from reinforge.schema import Column, Schema

_ONE_HOT = 1 / np.sqrt(2)  # two rows with different levels are then 1 apart


@dataclass(frozen=True, kw_only=True)
class _Numeric:
    """One numeric column: an amount on the train range, and whether it is missing."""

    column: Column
    low: float
    width: float
    mean: float
    has_flag: bool

    @property
    def n_features(self) -> int:
        return 1 + self.has_flag

    def transform(self, values: np.ndarray) -> np.ndarray:
        missing = np.isnan(values)
        filled = np.where(missing, self.mean, values)
        scaled = np.clip((filled - self.low) / self.width, -1.0, 2.0)
        return np.column_stack([scaled, missing]) if self.has_flag else scaled[:, None]


@dataclass(frozen=True, kw_only=True)
class _Discrete:
    """One discrete column: a flag a level, one for all other levels, one for missing."""

    column: Column
    levels: np.ndarray  # coded positions that have a flag of their own

    @property
    def n_features(self) -> int:
        return len(self.levels) + 2

    def transform(self, values: np.ndarray) -> np.ndarray:
        known = values[:, None] == self.levels[None, :]
        missing = np.isnan(values)
        other = ~known.any(axis=1) & ~missing
        return np.column_stack([known, other, missing]) * _ONE_HOT


@dataclass(frozen=True, kw_only=True)
class FeatureEncoder:
    """Coded table -> points: numerics on the train range, one-hot / sqrt(2) for levels.

    A numeric that differs by the whole train range and a different level both add 1 to the squared
    distance. Missing is a level of its own; a missing amount stands at the train mean beside its
    flag. Amounts outside the train range are kept up to one range away and then clipped, so that a
    single wild value cannot swamp the other columns.
    """

    parts: tuple[_Numeric | _Discrete, ...]

    @classmethod
    def fit(cls, coded: pd.DataFrame, schema: Schema, *, max_levels: int = 64) -> "FeatureEncoder":
        """Learn ranges and levels from a coded table.

        Args:
            coded: The coded table that gives ranges and frequencies (the train part).
            schema: Its schema; `missing` says which numerics get a flag.
            max_levels: Levels with a flag of their own, the most frequent first; the rest share
                one.
        """
        parts: list[_Numeric | _Discrete] = []
        for column in schema.modelled:
            if column.name not in coded.columns:
                continue
            values = coded[column.name].to_numpy(dtype=float)
            present = values[~np.isnan(values)]
            if column.is_numeric:
                parts.append(_numeric(column, present, len(present) < len(values)))
            else:
                parts.append(_discrete(column, present, max_levels))
        return cls(parts=tuple(parts))

    @property
    def blocks(self) -> dict[str, slice]:
        """Where each column's features stand."""
        ends = np.cumsum([part.n_features for part in self.parts])
        return {
            part.column.name: slice(int(end) - part.n_features, int(end))
            for part, end in zip(self.parts, ends, strict=True)
        }

    def transform(self, coded: pd.DataFrame) -> Float[np.ndarray, "row feature"]:
        """The points of a coded table's rows.

        Args:
            coded: Coded rows with at least the columns that the encoder was fitted on.
        """
        columns = [
            part.transform(coded[part.column.name].to_numpy(dtype=float)) for part in self.parts
        ]
        if not columns:
            return np.zeros((len(coded), 0))
        return np.concatenate(columns, axis=1).astype(float)


def _numeric(column: Column, present: np.ndarray, has_missing: bool) -> _Numeric:
    low, high = (present.min(), present.max()) if len(present) else (0.0, 1.0)
    return _Numeric(
        column=column,
        low=float(low),
        width=float(high - low) or 1.0,
        mean=float(present.mean()) if len(present) else 0.0,
        has_flag=has_missing or column.missing,
    )


def _discrete(column: Column, present: np.ndarray, max_levels: int) -> _Discrete:
    n_levels = len(column.categories)
    counts = np.bincount(present.astype(int), minlength=n_levels)[:n_levels]
    kept = np.argsort(-counts, kind="stable")[:max_levels]
    return _Discrete(column=column, levels=np.sort(kept).astype(float))
