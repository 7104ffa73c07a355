"""How deep an evaluation goes: the caps on rows and attacks of the two levels."""

from dataclasses import dataclass
from typing import Literal

from reinforge.errors import InputError

LevelName = Literal["quick", "full"]


@dataclass(frozen=True, kw_only=True)
class Level:
    """What one level computes, and on how many rows at most."""

    name: str
    real_rows: int  # of train and holdout each, for everything that grows faster than linear
    synthetic_rows: int  # for fidelity and utility
    attack_rows: int  # synthetic rows that attackers search
    n_attacks: int  # targets of each attack that draws targets
    jackknife_groups: int
    slow_controls: bool  # controls that cost as much as the score
    attack_groups: bool  # the drawn attacks again for outliers and sensitive groups
    subset_rows: int  # rows a side for attacks on subsets of columns


LEVELS = {
    "quick": Level(
        name="quick",
        real_rows=5_000,
        synthetic_rows=5_000,
        attack_rows=10_000,
        n_attacks=500,
        jackknife_groups=5,
        slow_controls=False,
        attack_groups=False,
        subset_rows=500,
    ),
    "full": Level(
        name="full",
        real_rows=20_000,
        synthetic_rows=20_000,
        attack_rows=100_000,
        n_attacks=5_000,
        jackknife_groups=20,
        slow_controls=True,
        attack_groups=True,
        subset_rows=5_000,
    ),
}


def level_of(name: str) -> Level:
    """The level of that name."""
    if name not in LEVELS:
        raise InputError(f"level must be 'quick' or 'full', got {name!r}.")
    return LEVELS[name]
