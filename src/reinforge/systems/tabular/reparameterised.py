"""The ablation that is no policy gradient: the discriminator's gradient through the sample."""

import torch
from torch import Tensor

from reinforge.policy_gradient.update import ascend
from reinforge.systems.tabular.learner import Learner
from reinforge.systems.tabular.objective import mean_penalty


def update_by_reparameterisation(
    learner: Learner, noise: Tensor, real_features: Tensor, generator: torch.Generator
) -> tuple[dict[str, float], Tensor]:
    """The ablation that is no policy gradient: the discriminator's gradient through the sample.

    Amounts are m + s u; levels are straight-through Gumbel-softmax draws at temperature 0.5
    (arXiv:1611.01144); the loss is the non-saturating one, softplus(-D).
    """
    config, policy = learner.config, learner.policy
    now = policy(noise)
    amount = now.mean + now.log_std.exp() * policy.deviates(now.mean.shape, generator)
    features = learner.features(amount, _straight_through(learner, now.log_share, generator))
    logit = learner.discriminator(features)
    gain = -torch.nn.functional.softplus(-logit).mean()
    if config.mean_matching > 0:
        gain = gain - config.mean_matching * mean_penalty(learner, now, features, real_features)
    _, taken = ascend(learner.policy_optimizer, gain, max_grad_norm=config.max_grad_norm)
    reward = logit.detach()
    log = {"reward": float(reward.mean()), "reward_std": float(reward.std())}
    log |= {"realism": log["reward"], "entropy": float(policy.entropy(now).detach().mean())}
    return {**log, "update_taken": taken}, features.detach()


def _straight_through(
    learner: Learner, log_share: Tensor, generator: torch.Generator, temperature: float = 0.5
) -> Tensor:
    policy = learner.policy
    uniform = torch.rand(log_share.shape, generator=generator).clamp_min(1e-9)
    gumbel = -torch.log(-torch.log(uniform).clamp_max(-1e-9))
    relaxed = ((log_share + gumbel) / temperature).clamp(-60.0, 60.0)
    total = relaxed.new_zeros(len(log_share), policy.n_columns).index_add(
        1, policy.column_of_level, relaxed.exp()
    )
    soft = relaxed.exp() / total[:, policy.column_of_level]
    best = relaxed.new_zeros(len(log_share), policy.n_columns).scatter_reduce(
        1, policy.column_of_level.expand_as(soft), soft.detach(), "amax"
    )
    hard = (soft.detach() >= best[:, policy.column_of_level]).float()
    return hard + soft - soft.detach()
