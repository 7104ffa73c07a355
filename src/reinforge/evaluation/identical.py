"""Identical rows: how many synthetic rows are exact copies of train rows?

A larger train part would have more copies by its size alone. So train and holdout are also
compared at equal size, by the exact expectation over all random parts of the larger table.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from reinforge.evaluation.groups import Targets, sensitive_groups
from reinforge.evaluation.judged import Judged
from reinforge.evaluation.scoring import scored, too_small, unscored
from reinforge.evaluation.subsets import WORST, column_subsets, described
from reinforge.measure.intervals import wilson
from reinforge.measure.sampling import chance_of_none
from reinforge.records import Score


class _Hashes:
    """A 64-bit mark of each row for any subset of columns: equal rows, equal marks."""

    def __init__(self, tables: Sequence[pd.DataFrame], rng: np.random.Generator) -> None:
        self.parts: dict[str, list[np.ndarray]] = {}
        ends = np.cumsum([len(table) for table in tables])[:-1]
        for name in tables[0].columns:
            stacked = np.concatenate([table[name].to_numpy() for table in tables])
            place = np.unique(stacked, return_inverse=True)[1]
            mark = rng.integers(0, 2**64, size=int(place.max()) + 1, dtype=np.uint64)
            self.parts[name] = np.split(mark[place], ends)

    def of(self, table: int, columns: Sequence[str]) -> np.ndarray:
        return np.add.reduce([self.parts[name][table] for name in columns])


def identical_scores(judged: Judged, targets: list[Targets]) -> list[Score]:
    """`identical_share`: synthetic rows that equal a train row, and what fresh rows would give.

    For everybody and each sensitive group it is the share of synthetic rows; for "outliers" the
    share of
    outlying train people who occur among the synthetic rows; for "worst columns" the share on the
    subset of columns (all but one, or a random half) with the largest excess over the holdout.

    Args:
        judged: The whole tables, or a part whose train and holdout rows `targets` mark.
        targets: The groups of people.
    """
    hashes = _Hashes([judged.train, judged.holdout, judged.synthetic], judged.rng("identical"))
    names = tuple(judged.train.columns)
    marks = [hashes.of(table, names) for table in range(3)]
    scores = [_identical(*marks, group="all")]
    for group in sensitive_groups(judged):
        made = marks[2][group.synthetic]
        if reason := too_small(len(made), "synthetic rows"):
            scores.append(unscored("identical_share", reason, group=group.name))
        else:
            scores.append(_identical(marks[0], marks[1], made, group=group.name))
    scores += [_outliers_copied(marks, t) for t in targets if t.name == "outliers"]
    return scores + _worst_identical(judged, hashes)


def _identical(
    train: np.ndarray,
    holdout: np.ndarray,
    synthetic: np.ndarray,
    *,
    group: str,
    note: str = "",
    confidence: float = 0.95,
) -> Score:
    share, equal_sized, fresh = identical_shares(train, holdout, synthetic)
    note = (
        f"{round(share * len(synthetic))} of {len(synthetic)} rows. With equally many train and "
        f"holdout rows the shares are {equal_sized:.4f} and {fresh:.4f}. {note}"
    )
    return scored(
        "identical_share",
        wilson(share * len(synthetic), len(synthetic), confidence=confidence),
        group=group,
        baseline={"copy": 1.0, "train": equal_sized, "holdout": fresh},
        note=note.strip(),
    )


def identical_shares(
    train: np.ndarray, holdout: np.ndarray, synthetic: np.ndarray
) -> tuple[float, float, float]:
    """Share of synthetic marks found in train, and in equal-sized parts of train and of holdout."""
    counts = [_occurrences(synthetic, real) for real in (train, holdout)]
    size = min(len(train), len(holdout))
    equal = [
        float(np.mean(1 - chance_of_none(count, len(real), size)))
        for count, real in zip(counts, (train, holdout), strict=True)
    ]
    return float(np.mean(counts[0] > 0)), equal[0], equal[1]


def _occurrences(marks: np.ndarray, among: np.ndarray) -> np.ndarray:
    levels, counts = np.unique(among, return_counts=True)
    place = np.minimum(np.searchsorted(levels, marks), len(levels) - 1)
    return np.where(levels[place] == marks, counts[place], 0)


def _outliers_copied(marks: list[np.ndarray], group: Targets) -> Score:
    members, others = marks[0][group.train], marks[1][group.holdout]
    if reason := too_small(len(members), "train records"):
        return unscored("identical_share", reason, group=group.name)
    found = int(np.isin(members, marks[2]).sum())
    baseline = {"copy": 1.0}
    if len(others):
        baseline["holdout"] = float(np.isin(others, marks[2]).mean())
    return scored(
        "identical_share",
        wilson(found, len(members)),
        group=group.name,
        baseline=baseline,
        note=f"Here: share of outlying train people found among synthetic rows ({found} of them).",
    )


def _worst_identical(judged: Judged, hashes: _Hashes) -> list[Score]:
    subsets = column_subsets(judged, "identical")
    if not subsets:
        return []

    def excess(subset: tuple[str, ...]) -> float:
        _, equal_sized, fresh = identical_shares(*(hashes.of(t, subset) for t in range(3)))
        return equal_sized - fresh

    worst = max(subsets, key=excess)
    return [
        _identical(
            *(hashes.of(t, worst) for t in range(3)),
            group=WORST,
            note=f"Compared on {described(worst, judged)}, the worst of {len(subsets)} subsets.",
            confidence=1 - 0.05 / len(subsets),
        )
    ]
