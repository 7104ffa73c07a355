"""Identical rows: how many synthetic rows are exact copies of train rows?

A larger train part would have more copies by its size alone. So train and holdout are also
compared at equal size, by the exact expectation over all random parts of the larger table.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from reinforge.evaluation.groups import Targets, sensitive_groups
from reinforge.evaluation.judged import Judged, thinned
from reinforge.evaluation.scoring import scored, too_small, unscored
from reinforge.evaluation.subsets import WORST, column_subsets, described
from reinforge.measure.intervals import wilson
from reinforge.measure.sampling import chance_of_none
from reinforge.records import Score

_AGREEING = 1_000  # rows a side whose agreements are counted
_RARE_PAIRS = 0.01  # equal pairs a real row up to which they count as independent


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


def identical_scores(judged: Judged) -> list[Score]:
    """`identical_share` for everybody, each sensitive group, and the worst subset of columns.

    The share of synthetic rows that equal a train row. "worst columns" is the subset (all columns
    but one,
    or a random half) with the largest excess of train over holdout: a copy hides behind one
    changed column.

    Args:
        judged: All rows; the cost is that of sorting them once a column.
    """
    hashes = _Hashes([judged.train, judged.holdout, judged.synthetic], judged.rng("identical"))
    names = tuple(judged.train.columns)
    marks = [hashes.of(table, names) for table in range(3)]
    rare = chance_of_full_agreement(judged)
    scores = [_identical(marks[0], marks[1], marks[2], group="all", rare=rare)]
    for group in sensitive_groups(judged):
        made = marks[2][group.synthetic]
        if reason := too_small(len(made), "synthetic rows"):
            scores.append(unscored("identical_share", reason, group=group.name))
        else:
            scores.append(_identical(marks[0], marks[1], made, group=group.name, rare=rare))
    return scores + _worst_identical(judged, hashes)


def _identical(
    train: np.ndarray,
    holdout: np.ndarray,
    synthetic: np.ndarray,
    *,
    group: str,
    note: str = "",
    confidence: float = 0.95,
    rare: float = 1.0,
) -> Score:
    share, equal_sized, fresh = identical_shares(train, holdout, synthetic)
    explained = min(_limit(train, holdout, synthetic), rare)
    limit = min(
        with_noise(explained, len(synthetic), confidence=confidence),
        pair_limit(train, holdout, len(synthetic), confidence=confidence),
    )
    note = (
        f"{round(share * len(synthetic))} of {len(synthetic)} rows. With equally many train and "
        f"holdout rows the shares are {equal_sized:.4f} and {fresh:.4f}. {note}"
    )
    return scored(
        "identical_share",
        wilson(share * len(synthetic), len(synthetic), confidence=confidence),
        group=group,
        baseline={"copy": 1.0, "train": equal_sized, "holdout": fresh, "limit": limit},
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


def chance_of_full_agreement(judged: Judged) -> float:
    """How likely a fresh record equals some train record, judging by how close others come.

    A small holdout without a single match cannot exclude a chance of 1 %. But each holdout person
    agrees
    with some train person in at most so many columns, and the tail of that number falls at least
    geometrically where columns are many: above its upper quartile q with mean excess e,
    P(all d columns) <= P(> q) exp(-(d - q) / 1.5 e); the factor 1.5 leaves room for error in e. It
    is 1 where some holdout person has a full match, for then matches happen by themselves.
    """
    train = thinned(judged.train, _AGREEING, judged.rng("identical/train")).to_numpy()
    holdout = thinned(judged.holdout, _AGREEING, judged.rng("identical/holdout")).to_numpy()
    best = np.array([_agreement(row, train) for row in holdout])
    quartile, n_columns = float(np.quantile(best, 0.75)), train.shape[1]
    beyond = best[best > quartile] - quartile
    if len(holdout) < 20 or best.max() >= n_columns:
        return 1.0
    excess = max(float(beyond.mean()) if len(beyond) else 0.0, 1.0)
    return 0.25 * float(np.exp(-(n_columns - quartile) / (1.5 * excess)))


def _agreement(row: np.ndarray, table: np.ndarray) -> int:
    """The most columns in which one row of the table equals `row`."""
    equal = (table == row) | (np.isnan(table) & np.isnan(row))
    return int(equal.sum(axis=1).max())


def _limit(train: np.ndarray, holdout: np.ndarray, synthetic: np.ndarray) -> float:
    """The share that luck can explain: were train people met as often as holdout people may be.

    The share x (upper Wilson limit of the holdout people met) / (share of train people met).
    """
    met = float(np.isin(train, synthetic).mean())
    fresh = wilson(float(np.isin(holdout, synthetic).sum()), len(holdout)).high
    if not met or fresh is None:
        return 0.0
    return min(1.0, float(np.isin(synthetic, train).mean()) * fresh / met)


def with_noise(share: float, n_rows: int, *, confidence: float = 0.95) -> float:
    """The share that `n_rows` rows show by luck if each has that chance (Wilson's test)."""
    z = float(stats.norm.ppf(0.5 + confidence / 2))
    return min(1.0, share + z * float(np.sqrt(share * (1 - share) / n_rows)))


def pair_limit(
    train: np.ndarray, holdout: np.ndarray, n_rows: int, *, confidence: float = 0.95
) -> float:
    """The share of rows that equal a train row by luck, from how few real rows equal each other.

    With x equal pairs among the N = n(n-1)/2 pairs of real rows, the equal pairs among M = n_rows
    n_train follow NegativeBinomial(x + 1, N/(N + M)) if synthetic rows meet train rows as real
    rows meet each other. So 8 copies can be seen where a small holdout alone cannot exclude 1 %.
    Pairs hang together where rows repeat, so that it is 1 beyond one pair a hundred rows.
    """
    counts = np.unique(np.concatenate([train, holdout]), return_counts=True)[1]
    n_real, n_equal = len(train) + len(holdout), int((counts * (counts - 1) // 2).sum())
    if n_equal > _RARE_PAIRS * n_real:
        return 1.0
    n_pairs, n_met = n_real * (n_real - 1) / 2, n_rows * len(train)
    law = stats.nbinom(n_equal + 1, n_pairs / (n_pairs + n_met))
    return min(1.0, float(law.ppf(0.5 + confidence / 2)) / n_rows)


def _occurrences(marks: np.ndarray, among: np.ndarray) -> np.ndarray:
    levels, counts = np.unique(among, return_counts=True)
    place = np.minimum(np.searchsorted(levels, marks), len(levels) - 1)
    return np.where(levels[place] == marks, counts[place], 0)


def outliers_copied(judged: Judged, group: Targets) -> Score:
    """`identical_share` of the outliers: share of outlying train people found among synthetic rows.

    The limit is that of all holdout people: a record far from all others is met by chance less
    often.
    """
    hashes = _Hashes([judged.train, judged.holdout, judged.synthetic], judged.rng("identical"))
    train, holdout, made = (hashes.of(t, tuple(judged.train.columns)) for t in range(3))
    members, others = train[group.train], holdout[group.holdout]
    if reason := too_small(len(members), "train records"):
        return unscored("identical_share", reason, group=group.name)
    found = int(np.isin(members, made).sum())
    anybody = wilson(float(np.isin(holdout, made).sum()), len(holdout)).high
    limit = min(1.0 if anybody is None else anybody, chance_of_full_agreement(judged))
    baseline = {"copy": 1.0, "limit": with_noise(limit, len(members))}
    if len(others):
        baseline["holdout"] = float(np.isin(others, made).mean())
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
