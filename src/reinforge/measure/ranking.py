"""Ranking: how well a score puts positives above negatives, with exact intervals."""

import numpy as np
from jaxtyping import Bool, Float
from scipy import stats

from reinforge.measure.intervals import LOOKED_AT, Estimate, from_influence


def auc_influence(
    positive: Bool[np.ndarray, " row"], score: Float[np.ndarray, " row"]
) -> tuple[float, Float[np.ndarray, " row"]]:
    """Area under the ROC curve and each row's influence on it (DeLong 1988, Biometrics 44:837).

    A = P(score+ > score-) + P(score+ = score-)/2; a positive's influence is (V10 - A)/n+, where
    V10 is the
    share of negatives that it beats, a negative's (V01 - A)/n-. Their squares sum to DeLong's
    variance.

    Args:
        positive: Which rows are positive; both kinds must occur.
        score: Higher means more positive.

    Raises:
        ValueError: All rows are of one kind.
    """
    n_positive = int(positive.sum())
    n_negative = len(positive) - n_positive
    if not n_positive or not n_negative:
        raise ValueError("an AUC needs positives and negatives; all rows are of one kind.")
    rank = stats.rankdata(score)
    beaten = (rank[positive] - stats.rankdata(score[positive])) / n_negative
    missed = 1 - (rank[~positive] - stats.rankdata(score[~positive])) / n_positive
    auc = float(beaten.mean())
    influence = np.empty(len(positive))
    influence[positive] = (beaten - auc) / n_positive
    influence[~positive] = (missed - auc) / n_negative
    return auc, influence


def auc_interval(
    positive: Bool[np.ndarray, " row"],
    score: Float[np.ndarray, " row"],
    *,
    confidence: float = 0.95,
) -> Estimate:
    """AUC with DeLong's interval, or Newcombe's where DeLong's has no width (at 0 and 1)."""
    auc, influence = auc_influence(positive, score)
    estimate = from_influence(auc, influence, bounds=(0.0, 1.0), confidence=confidence)
    if np.any(influence != 0):
        return estimate
    n_positive = int(positive.sum())
    low, high = newcombe_auc(auc, n_positive, len(positive) - n_positive, confidence=confidence)
    return Estimate(auc, low, high, len(positive))


def paired_auc(
    member: Float[np.ndarray, " row"],
    stranger: Float[np.ndarray, " row"],
    *,
    confidence: float = 0.95,
) -> Estimate:
    """AUC of beliefs about the same rows, once where a row is a member and once where it is none.

    What makes a row easy to guess either way then stands on both sides, so the interval is a
    fraction of that of two samples: a row's influence is the sum of its two (DeLong 1988).

    Args:
        member: How firmly each row is believed to be a member, where it is one.
        stranger: The same where it is none.
        confidence: Coverage of the interval, in (0, 1).
    """
    n_rows = len(member)
    is_member = np.repeat([True, False], n_rows)
    auc, influence = auc_influence(is_member, np.concatenate([member, stranger]))
    both = influence[:n_rows] + influence[n_rows:]
    return from_influence(auc, both, bounds=(0.0, 1.0), confidence=confidence)


def newcombe_auc(
    auc: float, n_positive: int, n_negative: int, *, confidence: float = 0.95
) -> tuple[float, float]:
    """Score-type interval that keeps a width at 0 and 1 (Newcombe 2006, Stat. Med. 25:559).

    All A with |auc - A| <= z sqrt(V(A)), V(A) = A(1-A)[1 + m(1-A)/(2-A) + mA/(1+A)]/(n+ n-),
    m = (n+ + n-)/2 - 1.
    """
    z = float(stats.norm.ppf(0.5 + confidence / 2))
    grid = np.linspace(0.0, 1.0, 10_001)
    m = (n_positive + n_negative) / 2 - 1
    spread = grid * (1 - grid) * (1 + m * (1 - grid) / (2 - grid) + m * grid / (1 + grid))
    inside = grid[np.abs(auc - grid) <= z * np.sqrt(spread / (n_positive * n_negative)) + 1e-12]
    return float(min(inside.min(), auc)), float(max(inside.max(), auc))


def tpr_at_fpr(
    member: Float[np.ndarray, " member"], non_member: Float[np.ndarray, " other"], *, fpr: float
) -> tuple[int, int]:
    """Members above the threshold that at most `fpr` of the non-members exceed.

    Returns:
        Number of members strictly above the threshold, and of false alarms allowed, k = floor(fpr
        n).
    """
    threshold, n_allowed = threshold_at_fpr(non_member, fpr=fpr)
    return int(np.sum(member > threshold)), n_allowed


def threshold_at_fpr(non_member: Float[np.ndarray, " other"], *, fpr: float) -> tuple[float, int]:
    """The (k+1)-th largest score, k = floor(fpr n): at most k of the n lie strictly above it.

    Returns:
        The threshold, and k.
    """
    n_allowed = int(np.floor(fpr * len(non_member) + 1e-9))
    if n_allowed >= len(non_member):
        return -np.inf, n_allowed
    return float(np.sort(non_member)[::-1][n_allowed]), n_allowed


def weighted_tpr_at_fpr(
    member: Float[np.ndarray, " member"],
    non_member: Float[np.ndarray, " other"],
    *,
    member_weight: Float[np.ndarray, " member"],
    non_member_weight: Float[np.ndarray, " other"],
    fpr: float,
) -> float:
    """The share that `tpr_at_fpr` counts, with each row counted as often as its weight says.

    For resampling: a row that was drawn twice weighs 2. Not a number where a side weighs nothing.
    """
    order = np.argsort(-non_member, kind="stable")
    above = np.cumsum(non_member_weight[order])
    total, of_members = float(above[-1]), float(member_weight.sum())
    if total <= 0 or of_members <= 0:
        return float("nan")
    at = int(np.argmax(above > fpr * total + 1e-9))
    found = member_weight[member > non_member[order][at]].sum()
    return float(found / of_members)


def weighted_auc(
    positive: Bool[np.ndarray, " row"],
    score: Float[np.ndarray, " row"],
    weight: Float[np.ndarray, " row"],
) -> float:
    """`auc_influence`'s area with each row counted as often as its weight says.

    Sum over pairs of w+ w- (1[score+ > score-] + 1[score+ = score-]/2) / (sum w+ sum w-); not a
    number where a side weighs nothing.
    """
    _, level = np.unique(score, return_inverse=True)
    up = np.bincount(level, weights=weight * positive)
    down = np.bincount(level, weights=weight * ~positive)
    total = up.sum() * down.sum()
    beaten = np.cumsum(down) - down / 2
    return float(up @ beaten / total) if total > 0 else float("nan")


def chance_true_positives(
    n_member: int, n_non_member: int, n_allowed: int, *, confidence: float = LOOKED_AT
) -> tuple[float, float]:
    """What `tpr_at_fpr` gives an attack that knows nothing: its mean and upper limit, as shares.

    Members above the (k+1)-th largest of n non-members follow BetaBinomial(k + 1, n - k).
    """
    law = stats.betabinom(n_member, n_allowed + 1, max(n_non_member - n_allowed, 1))
    return (n_allowed + 1) / (n_non_member + 1), float(law.ppf(confidence)) / n_member


def roc_curve(
    positive: Bool[np.ndarray, " row"], score: Float[np.ndarray, " row"], *, n_points: int = 101
) -> tuple[list[float], list[float]]:
    """False and true positive rates, at most `n_points` of them.

    Four in ten at k false alarms among n negatives, k = 1 .. n/10 in steps that grow, since a leak
    of few people shows at few false alarms alone; the others are evenly spaced.
    """
    order = np.argsort(-score, kind="stable")
    last = np.append(np.diff(score[order]) != 0, True)
    n_negative = max(int((~positive).sum()), 1)
    tpr = np.append(0.0, np.cumsum(positive[order])[last] / max(int(positive.sum()), 1))
    fpr = np.append(0.0, np.cumsum(~positive[order])[last] / n_negative)
    few = np.unique(np.geomspace(1, max(n_negative / 10, 1), int(0.4 * n_points)).round())
    even = np.linspace(0.0, 1.0, n_points - len(few))
    grid = np.unique(np.append(even, few / n_negative))
    return grid.tolist(), np.interp(grid, fpr, tpr).round(6).tolist()
