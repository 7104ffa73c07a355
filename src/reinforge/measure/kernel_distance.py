"""Kernel and Frechet distance: how far the cloud of generated features lies from the real one."""

import warnings

import numpy as np
from jaxtyping import Float, Int
from scipy import stats
from scipy.linalg import svdvals

from reinforge.measure.distances import blocks
from reinforge.measure.intervals import Estimate

_DEGREE, _COEF = 3, 1.0  # KID's kernel: (x.y/d + 1)^3


def kernel_inception_distance(
    real: Float[np.ndarray, "row feature"], synthetic: Float[np.ndarray, "other feature"]
) -> float:
    """KID: unbiased squared maximum mean discrepancy (Binkowski et al., arXiv:1801.01401, sec. 4).

    1/(n(n-1)) sum_{i!=j} k(x_i, x_j) + 1/(m(m-1)) sum_{i!=j} k(y_i, y_j) - 2/(nm) sum k(x_i, y_j),
    k(x, y) = (x.y/d + 1)^3, over all points. Points are independent draws; then equal distributions
    have mean 0, so that a value below 0 is luck and no error. Several pictures of each person are
    not independent: use `kid_over_identities`.

    Args:
        real: n feature vectors of real pictures, unscaled, by any embedding.
        synthetic: m feature vectors of generated pictures, by the same embedding.

    Raises:
        ValueError: A cloud has fewer than 2 points, or one that is not finite.
    """
    real, synthetic = _checked(real, synthetic)
    n, m = len(real), len(synthetic)
    within_real = (_kernel_sum(real, real) - _self_kernel(real).sum()) / (n * (n - 1))
    within_made = (_kernel_sum(synthetic, synthetic) - _self_kernel(synthetic).sum()) / (
        m * (m - 1)
    )
    return float(within_real + within_made - 2 * _kernel_sum(real, synthetic) / (n * m))


def kid_of_subsets(
    real: Float[np.ndarray, "row feature"],
    synthetic: Float[np.ndarray, "other feature"],
    *,
    generator: np.random.Generator,
    n_subsets: int = 100,
    subset_size: int = 1000,
) -> tuple[float, float]:
    """KID as other packages print it: mean and standard deviation over random subsets.

    The mean estimates what `kernel_inception_distance` gives without a draw; the deviation is that
    of one subset's KID, and no interval of the mean.

    Args:
        real: Feature vectors of real pictures.
        synthetic: Feature vectors of generated pictures.
        generator: Source of the subsets.
        n_subsets: Number of subsets; each is drawn without replacement.
        subset_size: Points of each cloud in a subset, at most the smaller cloud's number.

    Raises:
        ValueError: A cloud is smaller than a subset, or a subset smaller than 2.
    """
    smaller = min(len(real), len(synthetic))
    if not 2 <= subset_size <= smaller:
        raise ValueError(
            f"subset_size must lie in [2, {smaller}], the smaller cloud's size, got {subset_size}."
        )
    values = []
    for _ in range(n_subsets):
        chosen = generator.permutation(len(real))[:subset_size]
        other = generator.permutation(len(synthetic))[:subset_size]
        values.append(kernel_inception_distance(real[chosen], synthetic[other]))
    return float(np.mean(values)), float(np.std(values))


def kid_over_identities(
    real: Float[np.ndarray, "row feature"],
    synthetic: Float[np.ndarray, "other feature"],
    *,
    real_identity: Int[np.ndarray, " row"],
    synthetic_identity: Int[np.ndarray, " other"],
    confidence: float = 0.95,
) -> Estimate:
    """KID of pictures drawn identity by identity, with an interval over identities.

    mean_{a,b} [K(x_a, x_b) + K(y_a, y_b) - 2 K(x_a, y_b)], where K is the kernel's mean over the
    pairs of identities a and b, pairs of a picture with itself left out. It is unbiased for the
    distance of the two mixtures of identities, each counting the same. Plain KID is not: with n
    pictures a person its sums over i != j hold too few pairs of one person, and fresh real pictures
    of the same people fall far below 0.

    Interval: delete-one-identity jackknife, error^2 = (g-1)/g sum_j (KID_j - mean)^2, times
    Student's quantile.

    Args:
        real: Feature vectors of real pictures.
        synthetic: Feature vectors of generated pictures.
        real_identity: Identity of each real picture.
        synthetic_identity: Identity of each generated picture, in the same numbers.
        confidence: Coverage of the interval, in (0, 1).

    Returns:
        The distance; n is the number of identities.

    Raises:
        ValueError: There are fewer than 3 identities, or one has fewer than 2 pictures on a side.
    """
    real, synthetic = _checked(real, synthetic)
    names = np.union1d(real_identity, synthetic_identity)
    x, y = ((part[:, None] == names) * 1.0 for part in (real_identity, synthetic_identity))
    _refuse_few(names, np.minimum(x.sum(axis=0), y.sum(axis=0)))
    mean = (
        _means(real, real, x, x, leave_out_self=True)
        + _means(synthetic, synthetic, y, y, leave_out_self=True)
        - 2 * _means(real, synthetic, x, y)
    )
    g = len(names)
    left = mean.sum() - mean.sum(axis=0) - mean.sum(axis=1) + np.diag(mean)  # without identity j
    values = left / (g - 1) ** 2
    error = np.sqrt((g - 1) / g * np.sum((values - values.mean()) ** 2))
    reach = float(stats.t.ppf(0.5 + confidence / 2, g - 1) * error)
    value = float(mean.mean())
    return Estimate(value, value - reach, value + reach, g)


def frechet_distance(
    real: Float[np.ndarray, "row feature"], synthetic: Float[np.ndarray, "other feature"]
) -> float:
    """Squared Frechet distance of two Gaussians, the formula of FID (Heusel, arXiv:1706.08500).

    |mu - mu'|^2 + tr S + tr S' - 2 tr (S S')^(1/2). With centred points X, Y the last trace is the
    sum of the singular values of X Y^T / sqrt((n-1)(m-1)): no matrix root, and no root of a
    rounding error where S is singular.

    Biased: it shrinks as points are added, so compare equal numbers of points only, or use KID.

    Args:
        real: n feature vectors of real pictures.
        synthetic: m feature vectors of generated pictures.

    Raises:
        ValueError: A cloud has fewer than 2 points, or one that is not finite.
    """
    real, synthetic = _checked(real, synthetic)
    smaller, n_features = min(len(real), len(synthetic)), real.shape[1]
    if smaller <= n_features:
        warnings.warn(
            f"Frechet distance of {smaller:,} points in {n_features:,} dimensions: the covariance "
            "is singular and the value mostly bias; give more points or use KID.",
            stacklevel=2,
        )
    shift = real.mean(axis=0) - synthetic.mean(axis=0)
    spread, other = _covariance_factor(real), _covariance_factor(synthetic)
    overlap = svdvals(spread @ other.T).sum()
    return float(shift @ shift + (spread**2).sum() + (other**2).sum() - 2 * overlap)


def _checked(real: np.ndarray, synthetic: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    for name, points in (("real", real), ("synthetic", synthetic)):
        if len(points) < 2:
            raise ValueError(f"a distance needs 2 {name} points, got {len(points)}; give more.")
        if not np.isfinite(points).all():
            n_bad = int((~np.isfinite(points)).any(axis=1).sum())
            raise ValueError(f"{n_bad:,} {name} feature vectors are not finite; mend or drop them.")
    return real.astype(np.float64), synthetic.astype(np.float64)


def _kernel(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    return (points @ others.T / points.shape[1] + _COEF) ** _DEGREE


def _self_kernel(points: np.ndarray) -> np.ndarray:
    return (np.einsum("rf,rf->r", points, points) / points.shape[1] + _COEF) ** _DEGREE


def _kernel_sum(points: np.ndarray, others: np.ndarray) -> float:
    rows = blocks(len(points), len(others))
    return float(sum(_kernel(points[some], others).sum() for some in rows))


def _means(
    points: np.ndarray,
    others: np.ndarray,
    member: np.ndarray,
    other_member: np.ndarray,
    *,
    leave_out_self: bool = False,
) -> Float[np.ndarray, "identity identity"]:
    """Mean of the kernel over the pairs of pictures of each pair of identities."""
    total = np.zeros((member.shape[1], other_member.shape[1]))
    for rows in blocks(len(points), len(others)):
        total += member[rows].T @ (_kernel(points[rows], others) @ other_member)
    n_pairs = np.outer(member.sum(axis=0), other_member.sum(axis=0))
    if leave_out_self:
        total -= np.diag(_self_kernel(points) @ member)
        n_pairs -= np.diag(member.sum(axis=0))
    return total / n_pairs


def _refuse_few(
    names: Int[np.ndarray, " identity"], n_pictures: Float[np.ndarray, " identity"]
) -> None:
    if len(names) < 3 or n_pictures.min() < 2:
        poorest = int(n_pictures.argmin())
        raise ValueError(
            "KID over identities needs 3 identities and 2 real and 2 generated pictures of each, "
            f"got {len(names)}, and {int(n_pictures[poorest])} of identity {names[poorest]}; give "
            "more, or leave it out."
        )


def _covariance_factor(
    points: Float[np.ndarray, "row feature"],
) -> Float[np.ndarray, "rank feature"]:
    """A with A^T A = the unbiased covariance, of as few rows as there are points or features."""
    centred = (points - points.mean(axis=0)) / np.sqrt(len(points) - 1)
    return (
        np.asarray(np.linalg.qr(centred, mode="r")) if len(centred) > centred.shape[1] else centred
    )
