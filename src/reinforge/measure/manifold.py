"""Density and coverage: do generated points lie where real points are, and everywhere they are?"""

import numpy as np
from jaxtyping import Bool, Float

from reinforge.measure.distances import SAME, blocks, nearest, squared_distances
from reinforge.measure.sampling import chance_of_none

_ROUNDING = 1e-9  # a row on the edge of a ball must not fall into it by rounding


def density_coverage(
    real: Float[np.ndarray, "row feature"],
    synthetic: Float[np.ndarray, "other feature"],
    *,
    k: int = 5,
) -> tuple[Float[np.ndarray, " other"], Float[np.ndarray, " row"]]:
    """Density and coverage of real k-neighbourhoods (Naeem et al., arXiv:2002.09797, eq. 4, 5).

    With B_i the open ball around real row i that ends at its k-th nearest other real row:
    density = 1/(k m) sum_j sum_i 1[synthetic j in B_i],
    coverage = 1/n sum_i 1[some synthetic in B_i].
    Open, as in the authors' code: a copy of real rows at distinct distances has density 1 exactly.
    A row with k exact twins has an empty ball.

    Args:
        real: n real points.
        synthetic: m generated points.
        k: Size of a neighbourhood, below n.

    Returns:
        k^-1 times the number of balls that hold each synthetic point (its mean is density), and 1
        for each real point whose ball holds one (its mean is coverage).

    Raises:
        ValueError: There are not more than k real points.
    """
    inner = _inner_radius(real, k)
    density, covered = np.empty(len(synthetic)), np.zeros(len(real), bool)
    for rows in blocks(len(synthetic), len(real)):
        inside = squared_distances(synthetic[rows], real) < inner
        density[rows] = inside.sum(axis=1) / k
        covered |= inside.any(axis=0)
    return density, covered.astype(float)


def own_neighbourhoods(
    real: Float[np.ndarray, "row feature"], synthetic: Float[np.ndarray, "other feature"], *, k: int
) -> Bool[np.ndarray, "other row"]:
    """Which generated pictures of a person lie in the balls of that person's real pictures.

    Args:
        real: One person's real pictures, more than k of them: then no ball reaches to the person
            next door, as it does where the k-th nearest of all real pictures is somebody else's.
        synthetic: Generated pictures of the same person.
        k: Size of a neighbourhood.

    Returns:
        Sum / (k m) is density: 1 on average for pictures from the real pictures' distribution,
        whatever n, m and k, since each is the nearest, second nearest, .. of n with equal chance.
        The share of rows with an entry is coverage.
    """
    return squared_distances(synthetic, real) < _inner_radius(real, k)


def coverage_of_some(inside: Bool[np.ndarray, "other row"], n_drawn: int) -> float:
    """Coverage that `n_drawn` of the generated pictures have on average: no draw, no luck."""
    n_inside = inside.sum(axis=0)
    return float(1 - chance_of_none(n_inside, len(inside), n_drawn).mean())


def coverage_of_perfect(n_real: int, n_drawn: int, *, k: int) -> float:
    """Coverage that pictures from the real pictures' own distribution have on average.

    1 - C(n-1+m-k, m) / C(n-1+m, m): a ball is missed if its k nearest of n-1+m are all real.
    """
    chance = chance_of_none(np.array([k]), n_real - 1 + n_drawn, n_drawn)
    return float(1 - chance[0])


def _inner_radius(real: Float[np.ndarray, "row feature"], k: int) -> Float[np.ndarray, " row"]:
    """Squared radii of the balls, a rounding smaller."""
    radius = nearest(real, real, k=k, leave_out_self=True)[0][:, -1] ** 2
    return radius * (1 - _ROUNDING) - SAME**2
