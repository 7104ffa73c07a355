"""Spread and recognition of identities: how varied, and how much themselves, are their pictures?

Every measure gives one number an identity, since pictures of one person do not vary independently:
an interval is made over identities, never over pictures.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import stats

from reinforge.measure.distances import blocks
from reinforge.measure.intervals import Estimate, from_influence, t_interval, wilson

_SAME_COSINE = 1e-9  # references nearer to the best than this are tied with it: rounding


@dataclass(frozen=True)
class PerIdentity:
    """One number an identity, in rising order of the identities' numbers."""

    identity: Int[np.ndarray, " identity"]
    value: Float[np.ndarray, " identity"]

    def mean(self, *, confidence: float = 0.95) -> Estimate:
        """Mean over identities, each counting the same, with Student's interval over them."""
        return t_interval(self.value, confidence=confidence)

    def share(self, *, confidence: float = 0.95) -> Estimate:
        """The mean of shares: Student's interval in [0, 1], or Wilson's where all are 0 or all 1.

        Identities that are all recognised do not differ, so Student's interval would have no width.
        """
        estimate = self.mean(confidence=confidence)
        if estimate.value in (0.0, 1.0):
            n = len(self.value)
            return wilson(estimate.value * n, n, confidence=confidence)
        if estimate.low is None or estimate.high is None:
            return estimate
        return Estimate(estimate.value, max(0.0, estimate.low), min(1.0, estimate.high), estimate.n)


def intra_identity_diversity(
    feature: Float[np.ndarray, "draw feature"], identity: Int[np.ndarray, " draw"]
) -> PerIdentity:
    """Mean cosine distance 1 - cos(f_i, f_j) over the pairs of an identity's pictures.

    Computed as the trace of the covariance of f/|f|, which it equals:
    mean_{i<j} |u_i - u_j|^2 / 2 = tr Cov u for unit vectors u.

    Args:
        feature: One vector a picture, of any length above 0.
        identity: Whose picture it is.

    Raises:
        ValueError: An identity has one picture only, or a vector is zero or not finite.
    """
    return covariance_trace(_unit(feature, "feature"), identity)


def covariance_trace(
    feature: Float[np.ndarray, "draw feature"], identity: Int[np.ndarray, " draw"]
) -> PerIdentity:
    """Trace of each identity's covariance, sum_i |f_i - mean f|^2 / (n-1): S_g of arXiv:2604.07884.

    Args:
        feature: One vector a picture, in the unit in which the trace is wanted; for unit vectors
            the trace is `intra_identity_diversity`.
        identity: Whose picture it is.

    Raises:
        ValueError: An identity has one picture only, or a vector is not finite.
    """
    _refuse_not_finite(feature, "feature")
    known, place, count = np.unique(identity, return_inverse=True, return_counts=True)
    if count.size == 0 or count.min() < 2:
        lonely = f"identity {known[count.argmin()]} has 1" if count.size else "there are 0"
        raise ValueError(f"a spread needs 2 pictures of every identity, but {lonely}; give more.")
    wide = feature.astype(np.float64)
    centre = _sum_by(wide, place, len(known)) / count[:, None]
    squared = np.sum((wide - centre[place]) ** 2, axis=1)
    return PerIdentity(known, np.bincount(place, weights=squared) / (count - 1))


def ratio_to_real(
    synthetic: PerIdentity, real: PerIdentity, *, confidence: float = 0.95
) -> Estimate:
    """Mean of the generated over mean of the real, over the generated ones' identities.

    r = sum_i s_i / sum_i t_i; identity i moves it by (s_i - r t_i) / sum t, which gives the
    interval. A mean of ratios would be ruled by the identity whose real pictures differ least.

    Args:
        synthetic: The generated pictures' measure.
        real: The real pictures' measure; identities that were not generated are left out.
        confidence: Coverage of the interval, in (0, 1).

    Returns:
        1 where generated pictures spread as real ones do; no interval for a single identity.

    Raises:
        ValueError: A generated identity has no real measure, or the real measure is 0 everywhere.
    """
    _refuse_unknown(synthetic.identity, real.identity)
    paired = real.value[np.searchsorted(real.identity, synthetic.identity)]
    if not paired.sum() > 0:
        raise ValueError("real pictures of every identity are all equal: no ratio to their spread.")
    ratio = float(synthetic.value.sum() / paired.sum())
    if len(paired) < 2:
        return Estimate(ratio, n=len(paired))
    influence = (synthetic.value - ratio * paired) / paired.sum()
    return from_influence(ratio, influence, bounds=(0.0, np.inf), confidence=confidence)


def ratio_of_means(
    synthetic: PerIdentity, real: PerIdentity, *, confidence: float = 0.95
) -> Estimate:
    """Mean of the generated over mean of the real, of other identities than the generated ones.

    r = mean s / mean t; identity i of s moves it by (s_i - mean s) / (n mean t), identity j of t by
    -r (t_j - mean t) / (m mean t), which gives the interval.

    Args:
        synthetic: The generated pictures' measure.
        real: The real pictures' measure.
        confidence: Coverage of the interval, in (0, 1).

    Raises:
        ValueError: The real measure is 0 everywhere.
    """
    usual = float(real.value.mean())
    if not usual > 0:
        raise ValueError("real pictures of every identity are all equal: no ratio to their spread.")
    ratio = float(synthetic.value.mean()) / usual
    if min(len(synthetic.value), len(real.value)) < 2:
        return Estimate(ratio, n=len(synthetic.value))
    own = (synthetic.value - synthetic.value.mean()) / (len(synthetic.value) * usual)
    others = -ratio * (real.value - usual) / (len(real.value) * usual)
    influence = np.concatenate([own, others])
    estimate = from_influence(ratio, influence, bounds=(0.0, np.inf), confidence=confidence)
    return replace(estimate, n=len(synthetic.value))


def centroid_accuracy(
    feature: Float[np.ndarray, "draw feature"],
    identity: Int[np.ndarray, " draw"],
    *,
    real: Float[np.ndarray, "row feature"],
    real_identity: Int[np.ndarray, " row"],
) -> PerIdentity:
    """Closed-set accuracy: share of pictures whose nearest class mean by cosine is their own.

    A class mean is the mean of the real pictures' unit vectors. Chance is 1 / identities of `real`.

    Args:
        feature: One vector a picture to be recognised; the judge's, never the reward's.
        identity: Whose picture it should be.
        real: Vectors of the real pictures that make the class means. Pictures judged as a control
            should not be among them.
        real_identity: Whose they are.

    Raises:
        ValueError: An identity has no real picture, or a vector is zero or not finite.
    """
    known, place = np.unique(real_identity, return_inverse=True)
    sums = _sum_by(_unit(real, "real"), place, len(known))
    return gallery_accuracy(feature, identity, gallery=sums, gallery_identity=known)


def gallery_accuracy(
    feature: Float[np.ndarray, "draw feature"],
    identity: Int[np.ndarray, " draw"],
    *,
    gallery: Float[np.ndarray, "row feature"],
    gallery_identity: Int[np.ndarray, " row"],
) -> PerIdentity:
    """Rank-1: share of pictures whose nearest gallery picture by cosine is of their identity.

    Where several are equally near, the share of them that is right counts.

    Args:
        feature: One vector a picture to be recognised; the judge's, never the reward's.
        identity: Whose picture it should be.
        gallery: Vectors of reference pictures.
        gallery_identity: Whose they are.

    Raises:
        ValueError: An identity is not in the gallery, or a vector is zero or not finite.
    """
    _refuse_unknown(identity, gallery_identity)
    queries, references = _unit(feature, "feature"), _unit(gallery, "gallery")
    right = np.empty(len(queries))
    for rows in blocks(len(queries), len(references)):
        same = identity[rows, None] == gallery_identity
        right[rows] = _share_right(queries[rows] @ references.T, same)
    known, place, count = np.unique(identity, return_inverse=True, return_counts=True)
    return PerIdentity(known, np.bincount(place, weights=right) / count)


def found_among(
    feature: Float[np.ndarray, "draw feature"],
    identity: Int[np.ndarray, " draw"],
    *,
    n_people: int | None = None,
) -> PerIdentity:
    """Share of pictures nearer to the mean of their identity's others than to anybody else's.

    With k of the N - 1 others at least as near, none of them is among m - 1 drawn at random with
    the chance C(N - 1 - k, m - 1) / C(N - 1, m - 1), so that the share among m people is known
    from all N, and sets of different size can be compared.

    Args:
        feature: One vector a picture.
        identity: Whose it is; each with two pictures or more.
        n_people: m, the identity itself included; None: all.

    Raises:
        ValueError: An identity has one picture only, there are fewer than m, or a vector is zero or
            not finite.
    """
    known, place, count = np.unique(identity, return_inverse=True, return_counts=True)
    n_known = len(known)
    n_people = n_known if n_people is None else n_people
    if not 1 <= n_people <= n_known:
        raise ValueError(f"found among {n_people:,} people wants as many, got {n_known:,}.")
    if n_known and count.min() < 2:
        raise ValueError(f"identity {known[count.argmin()]} has one picture; give 2 or more.")
    units = _unit(feature, "feature")
    total = _sum_by(units, place, n_known)
    means = total / np.linalg.norm(total, axis=1, keepdims=True)
    found = np.empty(len(units))
    for rows in blocks(len(units), n_known):
        own = total[place[rows]] - units[rows]
        own /= np.linalg.norm(own, axis=1, keepdims=True)
        cosine = units[rows] @ means.T
        cosine[np.arange(len(cosine)), place[rows]] = -np.inf
        nearer = cosine >= np.sum(own * units[rows], axis=1, keepdims=True) - _SAME_COSINE
        found[rows] = stats.hypergeom.pmf(0, n_known - 1, nearer.sum(axis=1), n_people - 1)
    return PerIdentity(known, np.bincount(place, weights=found) / count)


def _share_right(
    cosine: Float[np.ndarray, "draw row"], same: Bool[np.ndarray, "draw row"]
) -> Float[np.ndarray, " draw"]:
    nearest = cosine >= cosine.max(axis=1, keepdims=True) - _SAME_COSINE
    return (nearest & same).sum(axis=1) / nearest.sum(axis=1)


def _sum_by(
    feature: Float[np.ndarray, "draw feature"], place: Int[np.ndarray, " draw"], n_identities: int
) -> Float[np.ndarray, "identity feature"]:
    total = np.zeros((n_identities, feature.shape[1]))
    np.add.at(total, place, feature)
    return total


def _unit(feature: np.ndarray, name: str) -> np.ndarray:
    _refuse_not_finite(feature, name)
    wide = feature.astype(np.float64)
    length = np.linalg.norm(wide, axis=1, keepdims=True)
    if not length.all():
        n_zero = int((length == 0).sum())
        raise ValueError(f"{n_zero:,} {name} vectors are zero and have no direction; drop them.")
    return wide / length


def _refuse_not_finite(feature: np.ndarray, name: str) -> None:
    n_bad = int((~np.isfinite(feature)).any(axis=1).sum())
    if n_bad:
        raise ValueError(f"{n_bad:,} {name} vectors are not finite; mend or drop their pictures.")


def _refuse_unknown(identity: np.ndarray, reference: np.ndarray) -> None:
    strange = np.setdiff1d(identity, reference)
    if strange.size or not len(identity):
        what = f"lack identity {strange[0]}" if strange.size else "meet no picture"
        raise ValueError(f"the references {what}; give references for every judged identity.")
