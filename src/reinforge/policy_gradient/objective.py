"""Objectives to be maximised: what turns advantages into a gradient."""

import torch
from jaxtyping import Float
from torch import Tensor


def clipped_surrogate(
    log_prob: Float[Tensor, " draw"],
    old_log_prob: Float[Tensor, " draw"],
    advantage: Float[Tensor, " draw"],
    *,
    clip_range: float,
) -> Float[Tensor, ""]:
    """PPO's pessimistic bound on the improvement.

    mean_d min(rho A, clip(rho, 1 - e, 1 + e) A), rho = exp(log_prob - old_log_prob)
    (PPO, arXiv:1707.06347, eq. 7). A draw whose ratio has left the band on the side that its
    advantage favours earns no further gradient; on the other side it still does.

    Args:
        log_prob: Under the policy that is trained; summed over the parts of an action.
        old_log_prob: Under the policy that drew, without gradient.
        advantage: One a draw, without gradient.
        clip_range: e, the largest |rho - 1| that still earns gradient.

    Returns:
        The surrogate, in advantage units.
    """
    ratio = torch.exp(log_prob - old_log_prob)
    clipped = ratio.clamp(1 - clip_range, 1 + clip_range)
    return torch.minimum(ratio * advantage, clipped * advantage).mean()


def clamped_surrogate(
    log_prob: Float[Tensor, " draw"],
    old_log_prob: Float[Tensor, " draw"],
    advantage: Float[Tensor, " draw"],
    *,
    clip_range: float,
) -> Float[Tensor, ""]:
    """DPOK's surrogate as its authors' code has it: mean_d A clamp(rho, 1 - e, 1 + e).

    There is no minimum with the unclamped term (arXiv:2305.16381): a draw whose ratio has left the
    band earns no gradient on either side, also where PPO would pull it back.

    Args:
        log_prob: Under the policy that is trained.
        old_log_prob: Under the policy that drew, without gradient.
        advantage: One a draw, without gradient.
        clip_range: e, in the unit of the log-densities: 1e-4 for means over entries, 0.2 for sums.

    Returns:
        The surrogate, in advantage units.
    """
    ratio = torch.exp(log_prob - old_log_prob)
    return (ratio.clamp(1 - clip_range, 1 + clip_range) * advantage).mean()


def importance_weighted(
    log_prob: Float[Tensor, " draw"],
    old_log_prob: Float[Tensor, " draw"],
    advantage: Float[Tensor, " draw"],
) -> Float[Tensor, ""]:
    """The unclipped surrogate mean_d rho A (PPO, arXiv:1707.06347, eq. 6); arguments as above."""
    return (torch.exp(log_prob - old_log_prob) * advantage).mean()


def score_function(
    log_prob: Float[Tensor, " draw"], advantage: Float[Tensor, " draw"]
) -> Float[Tensor, ""]:
    """REINFORCE: its gradient is mean_d A grad log pi (Williams 1992, eq. 11).

    Args:
        log_prob: Under the policy that is trained, which is the one that drew.
        advantage: One a draw, without gradient.

    Returns:
        mean_d log_prob A; its value means nothing, its gradient is unbiased on the first pass only.
    """
    return (log_prob * advantage).mean()
