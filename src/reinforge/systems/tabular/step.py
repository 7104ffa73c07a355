"""One iteration of RLSyn: draw, reward, advantage, update; then the discriminator learns.

RLSyn, arXiv:2512.21395, algorithm 1.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from reinforge.policy_gradient.update import ascend
from reinforge.randomness import torch_generator
from reinforge.systems.tabular.cold_start import imitate
from reinforge.systems.tabular.config import FilledConfig
from reinforge.systems.tabular.discriminator import discriminator_loss
from reinforge.systems.tabular.features import Draw
from reinforge.systems.tabular.learner import Learner
from reinforge.systems.tabular.objective import Rollout, advantages, objective
from reinforge.systems.tabular.reparameterised import update_by_reparameterisation

SHARE_ROWS = 4096  # drawn to see how often levels come

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
    real_features = learner.features.of_draw(real)
    if index < config.cold_start_steps:
        return start_cold(learner, real, real_features, generator)
    if index == config.cold_start_steps and config.cold_start_steps:
        set_shares_of_last(learner, real, generator)
    if index < config.steps_before:
        return update_discriminator(learner, real_features, index, generator)
    index -= config.steps_before
    _set_learning_rate(learner, index)
    if config.estimator == "reparameterised":
        log, drawn = update_by_reparameterisation(
            learner, latents(config, generator), real_features, generator
        )
    else:
        log, drawn = update_by_policy_gradient(learner, real_features, index, generator, extra)
    if config.realism == "discriminator":
        log |= update_discriminator(learner, real_features, index, generator, drawn=drawn)
    average_weights(learner, index)
    return log


def start_cold(
    learner: Learner, real: Draw, real_features: Tensor, generator: torch.Generator
) -> dict[str, float]:
    """One step of imitation."""
    config = learner.config
    chosen = random_rows(len(real_features), config.batch_rows, generator)
    rows = Draw(amount=real.amount[chosen], level=real.level[chosen])
    features = real_features[chosen]
    seen = learner.features.partly_hidden(
        features,
        config.hidden_from_encoder,
        generator,
        always_shown=learner.always_shown,
        never_shown=learner.never_shown,
    )
    return imitate(
        learner.policy,
        learner.encoder,
        learner.encoder_optimizer,
        rows,
        features,
        seen,
        kl_weight=config.cold_start_kl,
        generator=generator,
    )


def set_shares_of_last(learner: Learner, real: Draw, generator: torch.Generator) -> None:
    """After imitation: the levels of the column drawn last come as often as in the real rows."""
    last = learner.policy.last
    if last is None:
        return
    with torch.no_grad():
        noise = torch.randn((SHARE_ROWS, learner.config.noise_dim), generator=generator)
        distribution = learner.policy(noise)
        draw = learner.policy.draw_apart(distribution, generator)
    levels = real.level[:, last.column] - last.first
    counts = torch.bincount(levels, minlength=last.end - last.first)
    features = learner.features.of_draw(draw)
    last.set_shares(distribution.log_share, features, counts / counts.sum())


def update_by_policy_gradient(
    learner: Learner,
    real_features: Tensor,
    index: int,
    generator: torch.Generator,
    extra: ExtraReward | None,
) -> tuple[dict[str, float], Tensor]:
    """Draw rows, score them, and raise the probability of those that did better than expected.

    Returns:
        What the history keeps, and the features of the drawn rows.
    """
    config, policy = learner.config, learner.policy
    noise = latents(config, generator)
    before = policy(noise)  # its graph serves the first pass, when the policy is still the same
    with torch.no_grad():
        draw = policy.draw(before, generator)
        features = learner.features.of_draw(draw)
        reward = realism(learner, features, real_features, generator)
        added, told = extra(draw, index) if extra is not None else (torch.zeros(()), {})
        total = reward + added
        advantage = advantages(total, before, config)
        old_log_prob = policy.log_prob(policy.given(before, features), draw)
    rollout = Rollout(draw, old_log_prob, total, advantage, features)
    log: dict[str, float] = {}
    for epoch in range(config.n_epochs if config.estimator == "ppo" else 1):
        now = before if epoch == 0 else policy(noise)
        gain = objective(learner, now, rollout, real_features, log)
        _, log["update_taken"] = ascend(
            learner.policy_optimizer, gain, max_grad_norm=config.max_grad_norm
        )
    kept = {"reward": float(total.mean()), "reward_std": float(total.std())}
    return {**kept, "realism": float(reward.mean()), **told, **log}, features


def latents(config: FilledConfig, generator: torch.Generator) -> Tensor:
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


def update_discriminator(
    learner: Learner,
    real_features: Tensor,
    index: int,
    generator: torch.Generator,
    *,
    drawn: Tensor | None = None,
) -> dict[str, float]:
    """Tell real rows from drawn ones, some updates an iteration.

    Args:
        learner: Its discriminator is changed.
        real_features: Features of all real rows.
        index: Counts iterations, for the lazy penalty.
        generator: Picks real rows and draws fresh ones.
        drawn: Features of rows just drawn, which serve the first update.
    """
    config = learner.config
    loss = 0.0
    for k in range(config.discriminator_steps):
        fake = drawn if k == 0 and drawn is not None else fresh_rows(learner, generator)
        real = real_features[random_rows(len(real_features), config.batch_rows, generator)]
        is_penalised = (index * config.discriminator_steps + k) % config.r1_every == 0
        weight = config.r1_weight * config.r1_every if is_penalised else 0.0
        value = discriminator_loss(learner.discriminator, real, fake, r1_weight=weight)
        ascend(learner.discriminator_optimizer, -value)
        loss += float(value.detach()) / config.discriminator_steps
    return {"discriminator_loss": loss}


def fresh_rows(learner: Learner, generator: torch.Generator) -> Tensor:
    """Features of newly drawn rows, without gradient."""
    with torch.no_grad():
        distribution = learner.policy(latents(learner.config, generator))
        return learner.features.of_draw(learner.policy.draw(distribution, generator))


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
            group["lr"] = group.get("share", 1.0) * rate * (decay + (1 - decay) * turn)
