"""How likely was this draw: log-densities of the policies that the systems use.

Every function sums over nothing but what its name says, because sum or mean over entries is part
of the
method: a ratio of summed log-probabilities wants a clip range of 0.1 to 0.2, one of averaged ones
1e-4.
"""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

LOG_SQRT_TAU = 0.5 * math.log(2 * math.pi)


def gaussian(
    value: Float[Tensor, "draw feature"],
    mean: Float[Tensor, "draw feature"],
    log_std: Float[Tensor, "*draw feature"],
) -> Float[Tensor, "draw feature"]:
    """Log-density of independent normals, entry by entry.

    log N(x; m, s) = -((x - m) / s)^2 / 2 - log s - log sqrt(2 pi)

    Args:
        value: The draws, in the unit of `mean`.
        mean: Means.
        log_std: Natural logarithms of the standard deviations; may lack the draw axis.

    Returns:
        Log-densities in nats, one an entry.
    """
    standard = (value - mean) * torch.exp(-log_std)
    return -0.5 * standard.square() - log_std - LOG_SQRT_TAU


def tanh_correction(value: Float[Tensor, "draw feature"]) -> Float[Tensor, "draw feature"]:
    """What tanh takes off a log-density: log(1 - tanh(u)^2), stable for any size of u.

    With a = tanh(u), log p(a) = log p(u) - log(1 - tanh(u)^2)  (SAC, arXiv:1801.01290, appendix C).

    Args:
        value: The draws u before squashing.

    Returns:
        Corrections in nats, to be subtracted.
    """
    return 2.0 * (math.log(2.0) - value - torch.nn.functional.softplus(-2.0 * value))


def log_share(
    logits: Float[Tensor, "draw level"],
    column_of_level: Int[Tensor, " level"],
    n_columns: int,
) -> Float[Tensor, "draw level"]:
    """Log-probabilities of levels, many categorical columns end to end on one axis.

    log p(k) = l_k - log sum_j exp(l_j), the sum over the levels of k's own column.

    Args:
        logits: Unnormalised log-probabilities within +-80.
        column_of_level: The column that each level belongs to, rising.
        n_columns: Number of columns.

    Returns:
        Nats, one a level; the log-probability of a drawn level is picked by its position.
    """
    total = logits.new_zeros(logits.shape[0], n_columns)
    total = total.index_add(1, column_of_level, logits.exp())
    return logits - total.log().index_select(1, column_of_level)
