"""Advantages: how much better a draw did than the draws it is compared with."""

from jaxtyping import Float
from torch import Tensor


def standardised(reward: Float[Tensor, " draw"], *, eps: float = 1e-8) -> Float[Tensor, " draw"]:
    """Centre on the batch mean and divide by the batch's standard deviation.

    A[d] = (r[d] - mean(r)) / (std(r) + eps), std with Bessel's correction, as PPO codes have it.

    Args:
        reward: Higher is better, any unit.
        eps: Added to the standard deviation, in reward units.

    Returns:
        Advantages in standard deviations; equal rewards give 0.

    Raises:
        ValueError: Fewer than two draws.
    """
    if reward.shape[0] < 2:
        raise ValueError(f"standardised needs at least 2 draws, got {reward.shape[0]}.")
    return (reward - reward.mean()) / (reward.std() + eps)


def minus_baseline(
    reward: Float[Tensor, " draw"], baseline: Float[Tensor, " draw"]
) -> Float[Tensor, " draw"]:
    """Take off what the value head expected of each state: A = r - V(s).

    In a one-step problem this is the whole of generalised advantage estimation
    (arXiv:1506.02438, with an episode of one step).

    Args:
        reward: Higher is better.
        baseline: The value head's forecast for the same draws, same unit, without gradient.

    Returns:
        Advantages in reward units.
    """
    return reward - baseline


def group_relative(
    reward: Float[Tensor, "prompt draw"], *, eps: float = 1e-6
) -> Float[Tensor, "prompt draw"]:
    """Score each draw against the other draws for its prompt.

    A[p, d] = (r[p, d] - mean_d r[p]) / (std_d r[p] + eps)   (GRPO, arXiv:2402.03300, sec. 4.1.2)

    Args:
        reward: Higher is better, any unit; a row holds the draws for one prompt (or one latent).
        eps: Added to the biased standard deviation, in reward units.

    Returns:
        Advantages in standard deviations of their row; a row of equal rewards gives 0.

    Raises:
        ValueError: A row holds fewer than two draws.
    """
    if reward.shape[1] < 2:
        raise ValueError(
            f"group_relative needs at least 2 draws per prompt, got {reward.shape[1]}; "
            "set draws_per_latent to 2 or more."
        )
    centred = reward - reward.mean(dim=1, keepdim=True)
    return centred / (reward.std(dim=1, keepdim=True, correction=0) + eps)
