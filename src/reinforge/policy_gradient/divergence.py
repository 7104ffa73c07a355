"""Divergences and entropies in closed form: no draw needed, so their gradients are exact."""

import math

from jaxtyping import Float, Int
from torch import Tensor

from reinforge.policy_gradient.log_prob import log_normaliser


def gaussian_entropy(log_std: Float[Tensor, "*draw feature"]) -> Float[Tensor, "*draw feature"]:
    """Entropy of a normal: log s + (1 + log 2 pi) / 2, in nats; may be negative."""
    return log_std + 0.5 * (1.0 + math.log(2.0 * math.pi))


def categorical_entropy(
    logits: Float[Tensor, "draw level"],
    column_of_level: Int[Tensor, " level"],
    n_columns: int,
) -> Float[Tensor, "draw column"]:
    """Entropy of each column's own levels, in nats (arguments as in `log_prob.categorical`).

    H = log sum_j exp(l_j) - sum_j p_j l_j
    """
    normaliser = log_normaliser(logits, column_of_level, n_columns)
    share = (logits - normaliser[:, column_of_level]).exp()
    expected = logits.new_zeros(logits.shape[0], n_columns).index_add(
        1, column_of_level, share * logits
    )
    return normaliser - expected
