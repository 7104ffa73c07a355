"""The nouns that travel between rooms: a split of real data, a score, a stretch of experience."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pandas as pd

    from reinforge.schema import Schema

Better = Literal["higher", "lower", "near 0.5", "near 1"]


@dataclass(frozen=True, kw_only=True)
class Split:
    """Real rows in two parts: what the generator may see, and what judges it."""

    train: "pd.DataFrame"  # the only part that a generator sees
    holdout: "pd.DataFrame"
    schema: "Schema"  # kinds and levels over both parts: for judging, never given to a generator
    target: str | None = None  # the column that utility classifiers predict
    sensitive: tuple[str, ...] = ()  # columns whose groups are scored apart


@dataclass(frozen=True, kw_only=True)
class Score:
    """One number with its direction, interval and controls, or the reason why there is none."""

    name: str  # a name of the public interface, e.g. "membership_auc"
    group: str = "all"  # "all", "outliers", or "sex=F"
    value: float | None = None
    low: float | None = None  # 95 % interval
    high: float | None = None
    better: Better = "higher"
    n: int | None = None  # what the interval rests on: rows, or attacks really made
    meaning: str = ""  # one sentence for a reader who is no statistician
    baseline: dict[str, float] = field(
        default_factory=dict
    )  # control -> its value on the same score
    reason: str | None = None  # why there is no value
