"""Verification: are two pictures of one person? Accuracy over folds, TAR at FAR, per group."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from reinforge.errors import InputError
from reinforge.measure.intervals import Estimate, t_interval, wilson
from reinforge.measure.ranking import auc_interval, tpr_at_fpr

Similarity = Float[np.ndarray, " pair"]
Same = Bool[np.ndarray, " pair"]


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What a set of pairs says of an encoder."""

    accuracy: Estimate  # mean over folds, with Student's interval
    fold_accuracy: Float[np.ndarray, " fold"]
    threshold: float  # mean over folds
    tar: Estimate  # true accepts at the false accepts asked for
    auc: Estimate
    n_pairs: int
    right: Bool[np.ndarray, " pair"]  # pairs called right at their fold's threshold


def pair_similarity(
    feature: Float[np.ndarray, "image feature"], pairs: Int[np.ndarray, "pair 2"]
) -> Similarity:
    """Cosine of the two pictures of each pair, from features of length 1."""
    return np.einsum("pf,pf->p", feature[pairs[:, 0]], feature[pairs[:, 1]])


def verify(
    similarity: Similarity,
    same: Same,
    *,
    n_folds: int = 10,
    far: float = 0.01,
    fold: Int[np.ndarray, " pair"] | None = None,
) -> Verification:
    """Accuracy at a threshold found on the other folds, TAR at a FAR, and AUC.

    Args:
        similarity: Higher means more alike.
        same: Which pairs are of one person.
        n_folds: 10 in the protocol of LFW (Huang et al. 2007).
        far: Share of pairs of two people that may be accepted.
        fold: Of each pair, 0 .. n_folds - 1; None: `folds_in_order`.

    Raises:
        InputError: Fewer pairs of either kind than folds, or a similarity that is no number.
    """
    refuse_pairs(similarity, same, n_folds=n_folds)
    fold = folds_in_order(same, n_folds=n_folds) if fold is None else fold
    accuracy, threshold, right = [], [], np.zeros(len(same), dtype=bool)
    for held_out in range(n_folds):
        own = fold == held_out
        cut = best_threshold(similarity[~own], same[~own])
        threshold.append(cut)
        right[own] = (similarity[own] > cut) == same[own]
        accuracy.append(float(np.mean(right[own])))
    found, _ = tpr_at_fpr(similarity[same], similarity[~same], fpr=far)
    return Verification(
        accuracy=t_interval(np.array(accuracy)),
        fold_accuracy=np.array(accuracy),
        threshold=float(np.mean(threshold)),
        tar=wilson(found, int(same.sum())),
        auc=auc_interval(same, similarity),
        n_pairs=len(same),
        right=right,
    )


def verify_groups(
    similarity: Similarity,
    same: Same,
    group: tuple[str, ...],
    *,
    n_folds: int = 10,
    far: float = 0.01,
) -> dict[str, Verification]:
    """`verify` for the pairs of each group by themselves, as RFW does (arXiv:1812.00194).

    Args:
        similarity: Of all pairs.
        same: Which pairs are of one person.
        group: Of each pair.
        n_folds: In every group.
        far: In every group.

    Returns:
        A row a group, groups in the order of their names.
    """
    of_pair = np.array(group)
    return {
        name: verify(similarity[of_pair == name], same[of_pair == name], n_folds=n_folds, far=far)
        for name in sorted(set(group))
    }


def accuracy_gap(groups: dict[str, Verification]) -> float:
    """Accuracy of the best served group less that of the worst served."""
    accuracy = [row.accuracy.value for row in groups.values()]
    return max(accuracy) - min(accuracy)


def folds_in_order(same: Same, *, n_folds: int) -> Int[np.ndarray, " pair"]:
    """Fold k takes the k-th stretch of the pairs of each kind.

    For lists that repeat (300 of one person, 300 of two) ten times, as LFW's, these are the
    published folds; a list that has all of one kind first is still divided evenly.
    """
    fold = np.empty(len(same), dtype=np.int64)
    for kind in (same, ~same):
        n = int(kind.sum())
        fold[kind] = np.arange(n) * n_folds // max(n, 1)
    return fold


def best_threshold(similarity: Similarity, same: Same) -> float:
    """The cut above which pairs are called the same with fewest errors.

    Cuts lie halfway between neighbouring similarities; of equally good ones the middle one is
    taken.
    """
    order = np.argsort(similarity, kind="stable")
    value, kind = similarity[order].astype(np.float64), same[order]
    # right[i]: pairs called right when the i lowest are refused
    right = np.append(0, np.cumsum(~kind)) + kind.sum() - np.append(0, np.cumsum(kind))
    ends = np.concatenate([[value[0] - 1e-6], value, [value[-1] + 1e-6]])
    cut = (ends[:-1] + ends[1:]) / 2
    possible = np.append(True, np.append(np.diff(value) > 0, True))
    best = np.flatnonzero(possible & (right == right[possible].max()))
    return float(cut[best[len(best) // 2]])


def refuse_pairs(similarity: Similarity, same: Same, *, n_folds: int) -> None:
    """Refuse pairs that no fold can be made of.

    Raises:
        InputError: See `verify`.
    """
    n_same, n_other = int(same.sum()), int((~same).sum())
    if min(n_same, n_other) < n_folds or n_folds < 2:
        raise InputError(
            f"verification needs at least {max(n_folds, 2)} pairs of one person and as many of "
            f"two, one a fold; got {n_same} and {n_other}."
        )
    if not np.isfinite(similarity).all():
        raise InputError("verification: a similarity is NaN or infinite; check the encoder.")
