"""The reward's own slope at an action: what a gradient can know that a score cannot.

The score function learns from noise alone which of some thousand entries of an action earned the
reward; a recogniser that can be differentiated says so for each entry. From the state that an
action leads to, the network guesses the finished picture in one pass (Tweedie's formula), and the
reward of the guess is a critic Q(s, a) whose slope moves the policy's mean: the reparameterised
gradient of an on-policy critic (SVG(0), arXiv:1510.09142; interpolated with the score function in
arXiv:1706.00387). The guess is the finished picture itself at the last trained step, and rougher
the noisier the step.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from reinforge.systems.identity.chain import Chain, times
from reinforge.systems.identity.policy import Policy

Judged = Callable[[Tensor, Tensor], Tensor]  # pictures in 0..255 and identities -> rewards


def slope_of_reward(
    policy: Policy,
    chain: Chain,
    action: Float[Tensor, "draw channel height width"],
    label: Int[Tensor, " draw"],
    position: Int[Tensor, " draw"],
    judged: Judged,
) -> Float[Tensor, "draw channel height width"]:
    """Gradient of the reward of the guessed picture by the action; none flows into the weights.

    Args:
        policy: Guesses the finished picture.
        chain: How pictures are denoised.
        action: States that trained steps led to.
        label: Identity of each.
        position: The trained step of each; one is left after it at least.
        judged: The reward, differentiable.

    Returns:
        Reward units a unit of the state.
    """
    time_after = times(policy, chain)[position + 1]
    with torch.enable_grad():
        action = action.detach().requires_grad_(True)
        predicted = policy.predict(action, time_after, label, guidance=chain.guidance)
        clean, _ = policy.schedule.clean_and_noise(action, predicted, time_after)
        reward = judged(policy.codec.decode(clean).clamp(0, 255), label)
        return torch.autograd.grad(reward.sum(), action)[0]
