"""What a policy update raises: surrogate, entropy, value head, column means; each a switch."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from reinforge.policy_gradient.advantage import group_relative, minus_baseline, standardised
from reinforge.policy_gradient.objective import (
    clipped_surrogate,
    importance_weighted,
    score_function,
)
from reinforge.systems.tabular.config import TabularConfig
from reinforge.systems.tabular.features import Draw
from reinforge.systems.tabular.learner import Learner
from reinforge.systems.tabular.policy import Distribution


class Rollout(NamedTuple):
    """One batch of drawn rows with what they earned, all without gradient."""

    draw: Draw
    log_prob: Float[Tensor, " draw"]
    reward: Float[Tensor, " draw"]
    advantage: Float[Tensor, " draw"]
    features: Float[Tensor, "draw feature"]


def objective(
    learner: Learner,
    now: Distribution,
    rollout: Rollout,
    real_features: Tensor,
    log: dict[str, float],
) -> Tensor:
    """What one pass over a rollout raises: surrogate, entropy, less value error and mean penalty.

    L = L_pi + b H - c_v (V - r)^2 - l_m penalty   (RLSyn's code: c_v 0.5, b 1e-3, l_m 0 or 0.2)
    """
    config, policy = learner.config, learner.policy
    now = policy.given(now, rollout.features)
    log_prob = policy.log_prob(now, rollout.draw)
    gain = surrogate(log_prob, rollout.log_prob, rollout.advantage, config)
    entropy = (policy.entropy(now) if config.closed_form_entropy else -log_prob).mean()
    log["entropy"] = float(entropy.detach())
    log["kl"] = float((rollout.log_prob - log_prob.detach()).mean())
    if config.entropy_weight > 0:
        gain = gain + config.entropy_weight * entropy
    if config.value_baseline:
        error = (now.value - rollout.reward).square().mean()
        log["value_loss"] = float(error.detach())
        gain = gain - config.value_weight * error
    if config.mean_matching > 0:
        penalty = mean_penalty(learner, now, rollout.features, real_features)
        gain = gain - config.mean_matching * penalty
    return gain


def advantages(reward: Tensor, before: Distribution, config: TabularConfig) -> Tensor:
    """How much better each row did than was to be expected of its latent."""
    if config.draws_per_latent > 1:
        return group_relative(reward.view(-1, config.draws_per_latent)).flatten()
    if config.value_baseline:
        return standardised(minus_baseline(reward, before.value))
    return standardised(reward)


def surrogate(
    log_prob: Tensor, old_log_prob: Tensor, advantage: Tensor, config: TabularConfig
) -> Tensor:
    """The objective that the settings name."""
    if config.estimator == "reinforce":
        return score_function(log_prob, advantage)
    if config.clip_range is None:
        return importance_weighted(log_prob, old_log_prob, advantage)
    return clipped_surrogate(log_prob, old_log_prob, advantage, clip_range=config.clip_range)


def mean_penalty(
    learner: Learner, after: Distribution, features: Tensor, real_features: Tensor
) -> Tensor:
    """Squared distance of the amounts' batch means from the real ones, averaged over columns.

    The released code computes it on rows that carry no gradient, which makes it a constant; with a
    gradient it is computed on the policy's own means.
    """
    n_gaussian = after.mean.shape[1]
    real_mean = real_features[:, :n_gaussian].mean(0)
    if learner.config.mean_matching_gradient:
        mean = (torch.tanh(after.mean) + 1) / 2 if learner.features.is_squashed else after.mean
    else:
        mean = features[:, :n_gaussian]
    return (mean.mean(0) - real_mean).square().mean()
