"""Cold start: the class table learns the identities by the ordinary denoising loss."""

import math

import torch
from torch import Tensor

from reinforge.generators.denoising import asked_of, squared_error
from reinforge.processes import take_common_step
from reinforge.randomness import torch_generator
from reinforge.systems.identity.chain import slices
from reinforge.systems.identity.learner import Learner

N_RISING = 20  # steps in which the rates rise


def start_cold(learner: Learner, index: int, *, seed: int) -> dict[str, float]:
    """One step of imitation.

    Every identity is drawn equally often, however many pictures it has: a class table's row learns
    from its own pictures alone. Each of several processes takes its share of the pictures.
    """
    config, policy = learner.config, learner.policy
    generator = torch_generator(seed, "identity/cold start", index)
    chosen = balanced_pictures(learner.real_label, config.cold_start_images, generator)
    clean = learner.real_state[chosen]
    if config.mirror:
        is_mirrored = torch.rand(len(chosen), generator=generator) < 0.5
        clean = torch.where(is_mirrored[:, None, None, None], learner.mirrored[chosen], clean)
    _set_rates(learner, index)
    asked = asked_of(
        policy.schedule,
        clean.to(policy.device),
        learner.real_label[chosen].to(policy.device),
        null_label=policy.n_identities,
        label_drop=config.label_drop,
        generator=generator,
    ).part(learner.processes.share(len(chosen)))
    optimizer, told = learner.cold_start_optimizer, 0.0
    optimizer.zero_grad(set_to_none=True)
    for part in slices(len(asked.label), config.micro_batch):
        error = squared_error(policy.transformer, asked.part(part), precision=policy.precision)
        loss = error * (len(asked.label[part]) / len(chosen))
        loss.backward()
        told += float(loss.detach())
    told, _, taken = take_common_step(
        learner.processes, optimizer, told, max_grad_norm=config.max_grad_norm
    )
    return {"denoising_loss": told, "update_taken": float(taken)}


def balanced_pictures(label: Tensor, n_draws: int, generator: torch.Generator) -> Tensor:
    """Numbers of pictures drawn with replacement, every identity with the same chance."""
    count = torch.bincount(label)
    chance = 1.0 / count[label].double()
    return torch.multinomial(chance, n_draws, replacement=True, generator=generator)


def _set_rates(learner: Learner, index: int) -> None:
    """A short linear rise, then half a cosine down to a twentieth."""
    config = learner.config
    rise = min(1.0, (index + 1) / N_RISING)
    turn = (1 + math.cos(math.pi * index / config.cold_start_steps)) / 2
    rates = (config.cold_start_learning_rate, config.table_learning_rate)
    for group, rate in zip(learner.cold_start_optimizer.param_groups, rates, strict=True):
        group["lr"] = rate * rise * (0.05 + 0.95 * turn)
