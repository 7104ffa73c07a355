"""Divergences and entropies in closed form: no draw needed, so their gradients are exact."""

import math

from jaxtyping import Float
from torch import Tensor


def gaussian_entropy(log_std: Float[Tensor, "*draw feature"]) -> Float[Tensor, "*draw feature"]:
    """Entropy of a normal: log s + (1 + log 2 pi) / 2, in nats; may be negative."""
    return log_std + 0.5 * (1.0 + math.log(2.0 * math.pi))


def categorical_entropy(log_share: Float[Tensor, "draw level"]) -> Float[Tensor, " draw"]:
    """Entropy of independent categorical columns, summed over them.

    H = -sum_k p_k log p_k over all levels of all columns.

    Args:
        log_share: Log-probabilities, normalised within each column, all columns' levels end to end.

    Returns:
        Nats, one a draw.
    """
    return -(log_share.exp() * log_share).sum(1)
