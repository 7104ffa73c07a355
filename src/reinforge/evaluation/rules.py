"""Rules: how often rows break what the user knows must hold."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from reinforge.errors import InputError
from reinforge.records import Split

Rule = tuple[str, Callable[[pd.DataFrame], np.ndarray]]  # label, True where a row breaks the rule


def rule_rates(
    split: Split, synthetic: pd.DataFrame, rules: Sequence[Rule]
) -> list[dict[str, Any]]:
    """Share of train, holdout and synthetic rows that break each rule."""
    tables = {"train": split.train, "holdout": split.holdout, "synthetic": synthetic}
    return [
        {"rule": label, **{name: _rate(label, broken, table) for name, table in tables.items()}}
        for label, broken in rules
    ]


def _rate(label: str, broken: Callable[[pd.DataFrame], np.ndarray], table: pd.DataFrame) -> float:
    flags = np.asarray(broken(table))
    if flags.shape != (len(table),) or flags.dtype != bool:
        raise InputError(
            f"rule {label!r} must give one True or False a row ({len(table)} of them), "
            f"got {flags.dtype} of shape {flags.shape}."
        )
    return float(flags.mean())
