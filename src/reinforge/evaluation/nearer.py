"""Nearer to train: are synthetic rows drawn towards the rows that the generator saw?

Train and holdout are compared at equal size, by the exact expectation over all random parts of the
larger table: no draw, no noise of a draw.
"""

import numpy as np

from reinforge.evaluation.groups import sensitive_groups
from reinforge.evaluation.judged import Judged, thinned
from reinforge.evaluation.levels import Level
from reinforge.evaluation.scoring import scored, too_small, unscored
from reinforge.evaluation.subsets import WORST, column_subsets, described
from reinforge.measure.distances import blocks, squared_distances
from reinforge.measure.intervals import Estimate, wilson
from reinforge.measure.sampling import chance_of_none
from reinforge.records import Score


def dcr_scores(judged: Judged, *, level: Level) -> list[Score]:
    """`dcr_share`: synthetic rows nearer to train than to equally many holdout rows; ties half.

    For everybody, each sensitive group, and the worst subset of columns. 0.5 is balance, `copy`
    the most that this split can show: with train n and holdout m rows about 0.5 + m/(2n).
    """
    encoder = judged.encoder()
    tables = (judged.train, judged.holdout, judged.synthetic)
    train, holdout, synthetic = (encoder.transform(table) for table in tables)
    nearer, owner = nearer_to_train(synthetic, train, holdout)
    copied = encoder.transform(thinned(judged.train, 1_000, judged.rng("dcr/copy")))
    ceiling = float(nearer_to_train(copied, train, holdout)[0].mean())
    scores = [_dcr(nearer, owner, "all", ceiling)]
    for group in sensitive_groups(judged):
        rows = group.synthetic
        if reason := too_small(int(rows.sum()), "synthetic rows"):
            scores.append(unscored("dcr_share", reason, group=group.name))
        else:
            scores.append(_dcr(nearer[rows], owner[rows], group.name, None))
    return scores + _worst_dcr(judged, (train, holdout, synthetic), level)


def nearer_to_train(
    synthetic: np.ndarray, train: np.ndarray, holdout: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """P(nearer to train) of each synthetic row at equal sizes, and its nearest real row.

    Returns:
        The probability, 0.5 for ties, and the number of the nearest real row (train rows come
        first).
    """
    size = min(len(train), len(holdout))
    nearer, owner = np.empty(len(synthetic)), np.empty(len(synthetic), dtype=np.int64)
    for rows in blocks(len(synthetic), len(train) + len(holdout)):
        to_train = squared_distances(synthetic[rows], train)
        to_holdout = squared_distances(synthetic[rows], holdout)
        owner[rows] = np.concatenate([to_train, to_holdout], axis=1).argmin(axis=1)
        if len(train) >= len(holdout):
            nearer[rows] = _wins(to_train, to_holdout.min(axis=1), size)
        else:
            nearer[rows] = 1 - _wins(to_holdout, to_train.min(axis=1), size)
    return nearer, owner


def _wins(larger: np.ndarray, rival: np.ndarray, size: int) -> np.ndarray:
    """P(the best of `size` random columns of `larger` is below `rival`) + P(equal)/2."""
    slack = 1e-9 * (1 + rival)
    below = np.sum(larger < (rival - slack)[:, None], axis=1)
    up_to = np.sum(larger <= (rival + slack)[:, None], axis=1)
    none_below = chance_of_none(below, larger.shape[1], size)
    return 1 - (none_below + chance_of_none(up_to, larger.shape[1], size)) / 2


def _dcr(
    nearer: np.ndarray,
    owner: np.ndarray,
    group: str,
    ceiling: float | None,
    *,
    note: str = "",
    confidence: float = 0.95,
) -> Score:
    """The share, with an interval for the real rows' luck: few real rows own most synthetic ones.

    The effective number of draws is 1 / sum of squared shares of synthetic rows that each real row
    owns.
    """
    share = np.bincount(owner) / len(owner)
    n_effective = 1 / float((share**2).sum())
    value = float(nearer.mean())
    interval = wilson(value * n_effective, n_effective, confidence=confidence)
    estimate = Estimate(value, interval.low, interval.high, len(nearer))
    baseline = {"holdout": 0.5} | ({} if ceiling is None else {"copy": ceiling})
    limit = "" if ceiling is None else f"With this split even a full copy shows only {ceiling:.3f}."
    return scored(
        "dcr_share",
        estimate,
        group=group,
        baseline=baseline,
        note=" ".join(part for part in (limit, note) if part),
    )


def _worst_dcr(
    judged: Judged, points: tuple[np.ndarray, np.ndarray, np.ndarray], level: Level
) -> list[Score]:
    subsets = column_subsets(judged, "dcr")
    if not subsets:
        return []
    train, holdout, synthetic = points
    rows = judged.rng("dcr/rows").permutation(len(synthetic))[: level.subset_rows]
    where = judged.encoder().blocks
    results = []
    for subset in subsets:
        kept = np.concatenate([np.arange(where[name].start, where[name].stop) for name in subset])
        results.append(
            nearer_to_train(synthetic[np.ix_(rows, kept)], train[:, kept], holdout[:, kept])
        )
    worst = int(np.argmax([nearer.mean() for nearer, _ in results]))
    note = f"Compared on {described(subsets[worst], judged)}, the worst of {len(subsets)} subsets."
    confidence = 1 - 0.05 / len(subsets)
    return [_dcr(*results[worst], WORST, None, note=note, confidence=confidence)]
