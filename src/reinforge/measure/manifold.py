"""Density and coverage: do generated points lie where real points are, and everywhere they are?"""

import numpy as np
from jaxtyping import Float

from reinforge.measure.distances import SAME, blocks, nearest, squared_distances

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
    radius = nearest(real, real, k=k, leave_out_self=True)[0][:, -1] ** 2
    inner = radius * (1 - _ROUNDING) - SAME**2
    density, covered = np.empty(len(synthetic)), np.zeros(len(real), bool)
    for rows in blocks(len(synthetic), len(real)):
        inside = squared_distances(synthetic[rows], real) < inner
        density[rows] = inside.sum(axis=1) / k
        covered |= inside.any(axis=0)
    return density, covered.astype(float)
