"""One iteration of RLSyn: draw, reward, advantage, update; then the discriminator learns.

RLSyn, arXiv:2512.21395, algorithm 1.
"""

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from reinforge.policy_gradient.advantage import group_relative, minus_baseline, standardised
from reinforge.policy_gradient.log_prob import log_normaliser
from reinforge.policy_gradient.objective import (
    clipped_surrogate,
    importance_weighted,
    score_function,
)
from reinforge.policy_gradient.update import ascend
from reinforge.randomness import torch_generator
from reinforge.systems.tabular.config import TabularConfig
from reinforge.systems.tabular.discriminator import discriminator_loss
from reinforge.systems.tabular.learner import Learner
from reinforge.systems.tabular.policy import Distribution, Draw

# the user's rewards of whole rows, added to realism, with what the history keeps of them
ExtraReward = Callable[[Draw, int], tuple[Tensor, dict[str, float]]]


def step(
    learner: Learner, real: Draw, index: int, *, seed: int, extra: ExtraReward | None = None
) -> dict[str, float]:
    """Run iteration `index`; all its randomness is a function of (seed, index).

    Args:
        learner: Changed in place.
        real: The encoded training rows.
        index: The iteration, counted from 0.
        seed: The fit's seed.
        extra: The user's rewards, in units of the discriminator's logit.

    Returns:
        What the history keeps of this iteration.
    """
    config = learner.config
    generator = torch_generator(seed, "tabular/step", index)
    _set_learning_rate(learner, index)
    real_features = learner.features.of_draw(real)
    if config.estimator == "reparameterised":
        log = update_by_reparameterisation(learner, real_features, generator)
    else:
        log = update_by_policy_gradient(learner, real_features, index, generator, extra)
    if config.realism == "discriminator":
        log |= update_discriminator(learner, real_features, index, generator)
    average_weights(learner, index)
    return log


def update_by_policy_gradient(
    learner: Learner,
    real_features: Tensor,
    index: int,
    generator: torch.Generator,
    extra: ExtraReward | None,
) -> dict[str, float]:
    """Draw rows, score them, and raise the probability of those that did better than expected."""
    config, policy = learner.config, learner.policy
    with torch.no_grad():
        noise = latents(config, generator)
        before = policy(noise)
        draw = policy.draw(before, generator)
        features = learner.features.of_draw(draw)
        reward = realism(learner, features, real_features, generator)
        added, told = extra(draw, index) if extra is not None else (torch.zeros(()), {})
        total = reward + added
        old_log_prob = policy.log_prob(before, draw)
    slope = None
    if config.control_variate:
        slope, linear = linear_part(learner, before, features)
        scale = float(total.std()) + 1e-8
        residual = total - linear
        advantage = (residual - residual.mean()) / scale
    else:
        advantage = advantages(total, before, config)
    log: dict[str, float] = {}
    for _ in range(config.n_epochs if config.estimator == "ppo" else 1):

        def objective() -> Tensor:
            after = policy(noise)
            log_prob = policy.log_prob(after, draw)
            gain = surrogate(log_prob, old_log_prob, advantage, config)
            if slope is not None:
                gain = gain + (slope * expected_features(learner, after)).sum(1).mean() / scale
            entropy = policy.entropy(after) if config.closed_form_entropy else -log_prob
            log["entropy"] = float(entropy.detach().mean())
            log["kl"] = float((old_log_prob - log_prob.detach()).mean())
            gain = gain + config.entropy_weight * entropy.mean()
            if config.value_baseline:
                error = (after.value - total).square().mean()
                log["value_loss"] = float(error.detach())
                gain = gain - config.value_weight * error
            if config.mean_matching > 0:
                gain = gain - config.mean_matching * mean_penalty(
                    learner, after, features, real_features
                )
            return gain

        _, log["update_taken"] = ascend(
            learner.policy_optimizer, objective, max_grad_norm=config.max_grad_norm
        )
    return {
        "reward": float(total.mean()),
        "reward_std": float(total.std()),
        "realism": float(reward.mean()),
        **told,
        **log,
    }


def expected_features(learner: Learner, distribution: Distribution) -> Tensor:
    """Features of the expected row: means of amounts, probabilities of levels."""
    policy, logits = learner.policy, distribution.logits
    normaliser = log_normaliser(logits, policy.column_of_level, policy.n_columns)
    share = (logits - normaliser[:, policy.column_of_level]).exp()
    return learner.features(distribution.mean, share)


def linear_part(
    learner: Learner, before: Distribution, features: Tensor
) -> tuple[Tensor, Tensor]:
    """The discriminator's first-order expansion around each latent's expected row.

    D(x) is about D(m) + g (x - m), m = E[x | z], g = grad D(m). Its expectation under the policy is
    known, so it can leave the score function and come back as an exact gradient: an unbiased
    estimator of lower variance (MuProp, arXiv:1511.05176, eq. 7; Q-Prop, arXiv:1611.02247).

    Returns:
        The slopes g and the expansion at the drawn rows.
    """
    expected = expected_features(learner, before).detach().requires_grad_(True)
    logit = learner.discriminator(expected)
    (slope,) = torch.autograd.grad(logit.sum(), expected)
    linear = logit.detach() + (slope * (features - expected.detach())).sum(1)
    return slope, linear


def latents(config: TabularConfig, generator: torch.Generator) -> Tensor:
    """Z ~ N(0, I); with several draws a latent, each latent stands that many times in a row."""
    n_latents = math.ceil(config.batch_rows / config.draws_per_latent)
    noise = torch.randn((n_latents, config.noise_dim), generator=generator)
    return noise.repeat_interleave(config.draws_per_latent, dim=0)


def realism(
    learner: Learner, features: Tensor, real_features: Tensor, generator: torch.Generator
) -> Tensor:
    """How real each drawn row looks, by the reward that the settings name."""
    from reinforge.systems.tabular import distributional

    config = learner.config
    if config.realism == "discriminator":
        logit = learner.discriminator(features)
        return logit if config.reward_scale == "logit" else torch.sigmoid(logit)
    batch = real_features[random_rows(len(real_features), len(features), generator)]
    return getattr(distributional, config.realism)(features, batch, generator=generator)


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


def update_by_reparameterisation(
    learner: Learner, real_features: Tensor, generator: torch.Generator
) -> dict[str, float]:
    """The ablation that is no policy gradient: the discriminator's gradient through the sample.

    Amounts are m + s e; levels are straight-through Gumbel-softmax draws at temperature 0.5
    (arXiv:1611.01144); the loss is the non-saturating one, softplus(-D).
    """
    config, policy = learner.config, learner.policy
    noise = latents(config, generator)
    log: dict[str, float] = {}

    def objective() -> Tensor:
        after = policy(noise)
        error = torch.randn(after.mean.shape, generator=generator)
        one_hot = _straight_through(learner, after.logits, generator)
        features = learner.features(after.mean + after.log_std.exp() * error, one_hot)
        logit = learner.discriminator(features)
        log["reward"] = log["realism"] = float(logit.detach().mean())
        log["reward_std"] = float(logit.detach().std())
        log["entropy"] = float(policy.entropy(after).detach().mean())
        gain = -torch.nn.functional.softplus(-logit).mean()
        if config.mean_matching > 0:
            gain = gain - config.mean_matching * mean_penalty(
                learner, after, features, real_features
            )
        return gain

    _, log["update_taken"] = ascend(learner.policy_optimizer, objective)
    return log


def _straight_through(
    learner: Learner, logits: Tensor, generator: torch.Generator, temperature: float = 0.5
) -> Tensor:
    policy = learner.policy
    uniform = torch.rand(logits.shape, generator=generator).clamp_min(1e-9)
    gumbel = -torch.log(-torch.log(uniform).clamp_max(-1e-9))
    relaxed = ((logits + gumbel) / temperature).clamp(-60.0, 60.0)
    total = relaxed.new_zeros(len(logits), policy.n_columns).index_add(
        1, policy.column_of_level, relaxed.exp()
    )
    soft = relaxed.exp() / total[:, policy.column_of_level]
    best = relaxed.new_zeros(len(logits), policy.n_columns).scatter_reduce(
        1, policy.column_of_level.expand_as(soft), soft.detach(), "amax"
    )
    hard = (soft.detach() >= best[:, policy.column_of_level]).float()
    return hard + soft - soft.detach()


def update_discriminator(
    learner: Learner, real_features: Tensor, index: int, generator: torch.Generator
) -> dict[str, float]:
    """Tell real rows from freshly drawn ones, some updates an iteration."""
    config = learner.config
    loss = 0.0
    for k in range(config.discriminator_steps):
        with torch.no_grad():
            noise = torch.randn((config.batch_rows, config.noise_dim), generator=generator)
            draw = learner.policy.draw(learner.policy(noise), generator)
            fake = learner.features.of_draw(draw)
        real = real_features[random_rows(len(real_features), config.batch_rows, generator)]
        is_penalised = (index * config.discriminator_steps + k) % config.r1_every == 0
        weight = config.r1_weight * config.r1_every if is_penalised else 0.0
        objective = partial(_discriminator_gain, learner, real, fake, weight)
        value, _ = ascend(learner.discriminator_optimizer, objective)
        loss -= value / config.discriminator_steps
    return {"discriminator_loss": loss}


def _discriminator_gain(learner: Learner, real: Tensor, fake: Tensor, r1_weight: float) -> Tensor:
    return -discriminator_loss(learner.discriminator, real, fake, r1_weight=r1_weight)


def random_rows(n_rows: int, n_draws: int, generator: torch.Generator) -> Tensor:
    """Row numbers drawn with replacement."""
    return torch.randint(n_rows, (n_draws,), generator=generator)


def average_weights(learner: Learner, index: int) -> None:
    """Keep the plain mean of the policy's weights over the last part of training.

    Averages damp the circling of two nets that chase each other (arXiv:1806.04498).
    """
    config = learner.config
    first = int((config.average_from or 0.0) * config.n_steps)
    count = index - first
    share = 1.0 if config.average_from is None or count <= 0 else 1.0 / (count + 1)
    with torch.no_grad():
        for mean, weight in zip(
            learner.averaged.parameters(), learner.policy.parameters(), strict=True
        ):
            mean.lerp_(weight, share)


def _set_learning_rate(learner: Learner, index: int) -> None:
    config = learner.config
    decay = config.final_learning_rate
    turn = (1 + math.cos(math.pi * index / config.n_steps)) / 2
    for optimizer, rate in (
        (learner.policy_optimizer, config.learning_rate),
        (learner.discriminator_optimizer, config.discriminator_learning_rate),
    ):
        for group in optimizer.param_groups:
            group["lr"] = rate * (decay + (1 - decay) * turn)
