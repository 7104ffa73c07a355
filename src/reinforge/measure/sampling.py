"""Equal-sized comparison without drawing: what a random part of a larger table would have shown."""

import numpy as np
from jaxtyping import Float, Int
from scipy.special import gammaln


def chance_of_none(
    count: Int[np.ndarray, " case"], n_rows: int, n_drawn: int
) -> Float[np.ndarray, " case"]:
    """P(no marked row among `n_drawn` of `n_rows`) for `count` marked rows (hypergeometric).

    C(n - c, m) / C(n, m); 0 where the unmarked rows do not suffice.
    """
    left = n_rows - count - n_drawn
    possible = left >= 0
    log_chance = (
        gammaln(n_rows - count + 1)
        - gammaln(np.where(possible, left, 0) + 1)
        - gammaln(n_rows + 1)
        + gammaln(n_rows - n_drawn + 1)
    )
    return np.where(possible, np.exp(np.minimum(log_chance, 0.0)), 0.0)
