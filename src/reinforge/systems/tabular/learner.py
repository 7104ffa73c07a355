"""Everything that changes while a table is learnt, as named tensors that a checkpoint can hold."""

import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter

from reinforge.learner_state import load_named_tensors, named_tensors
from reinforge.randomness import torch_generator
from reinforge.systems.tabular.cold_start import Encoder
from reinforge.systems.tabular.config import FilledConfig
from reinforge.systems.tabular.discriminator import Discriminator
from reinforge.systems.tabular.features import Draw, Features
from reinforge.systems.tabular.heads import Actions, Layout
from reinforge.systems.tabular.policy import Policy


@dataclass(kw_only=True)
class Learner:
    """Policy, its running average, discriminator, and both optimizers."""

    config: FilledConfig
    layout: Layout
    policy: Policy
    averaged: Policy  # the weights that sample
    discriminator: Discriminator
    features: Features
    policy_optimizer: torch.optim.Adam
    discriminator_optimizer: torch.optim.Adam
    encoder: Encoder  # of the cold start
    encoder_optimizer: torch.optim.Adam  # of the cold start: encoder and policy
    always_shown: tuple[int, ...] = ()  # heads that the cold start's encoder sees of every row
    never_shown: tuple[int, ...] = ()  # and of none

    def tensors(self) -> dict[str, Tensor]:
        """All state by name (what a checkpoint holds)."""
        return named_tensors(*self._parts())

    def load_tensors(self, state: dict[str, Tensor]) -> None:
        """Put saved state back (the inverse of `tensors`)."""
        load_named_tensors(state, *self._parts())

    def _parts(self) -> tuple[dict[str, torch.nn.Module], dict[str, torch.optim.Optimizer]]:
        modules: dict[str, torch.nn.Module] = {
            "policy": self.policy,
            "averaged": self.averaged,
            "discriminator": self.discriminator,
            "encoder": self.encoder,
        }
        optimizers: dict[str, torch.optim.Optimizer] = {
            "policy_optimizer": self.policy_optimizer,
            "discriminator_optimizer": self.discriminator_optimizer,
            "encoder_optimizer": self.encoder_optimizer,
        }
        return modules, optimizers


def new_policy(config: FilledConfig, layout: Layout, *, seed: int) -> Policy:
    """A policy with its first weights."""
    return Policy(
        layout,
        noise_dim=config.noise_dim,
        hidden=config.hidden,
        n_layers=config.n_layers,
        deviation=config.deviation,
        initial_log_std=config.initial_log_std,
        is_correlated=config.correlated,
        generator=torch_generator(seed, "tabular/policy weights"),
    )


def new_learner(
    config: FilledConfig, layout: Layout, *, seed: int, target: str | None = None
) -> Learner:
    """A learner at step 0.

    Args:
        config: The settings.
        layout: The heads.
        seed: Of all first weights.
        target: A column for which the others will be used. The cold start's encoder always sees
            it, because a rare class would else be hidden in most of its few rows; but never where
            it is drawn last, so that it follows what was drawn and not what the latent knew.
    """
    target_heads = () if target is None else layout.heads_of(target)
    is_last = layout.drawn_last is not None
    policy = new_policy(config, layout, seed=seed)
    features = Features(layout)
    discriminator = Discriminator(
        features.width,
        hidden=config.discriminator_hidden,
        generator=torch_generator(seed, "tabular/discriminator weights"),
    )
    encoder = Encoder(
        features.width,
        noise_dim=config.noise_dim,
        hidden=config.hidden,
        generator=torch_generator(seed, "tabular/encoder weights"),
    )
    return Learner(
        config=config,
        layout=layout,
        policy=policy,
        averaged=copy.deepcopy(policy).requires_grad_(False),
        discriminator=discriminator,
        features=features,
        policy_optimizer=_policy_optimizer(config, policy, n_heads=len(layout.heads)),
        discriminator_optimizer=torch.optim.Adam(
            discriminator.parameters(), lr=config.discriminator_learning_rate, fused=True
        ),
        encoder=encoder,
        encoder_optimizer=_imitation_optimizer(config, encoder, policy),
        always_shown=() if is_last else target_heads,
        never_shown=target_heads if is_last else (),
    )


def _policy_optimizer(config: FilledConfig, policy: Policy, *, n_heads: int) -> torch.optim.Adam:
    """Adam; a logit that sums over what all heads drew would move as many times as fast."""
    last = [] if policy.last is None else [*policy.last.parameters()]
    groups: list[dict[str, Any]] = [
        {"params": _trained_without(last, policy), "share": 1.0},
        {"params": last, "share": 1 / n_heads},
    ]
    return torch.optim.Adam(groups, lr=config.learning_rate, fused=True)


def _imitation_optimizer(
    config: FilledConfig, encoder: Encoder, policy: Policy
) -> torch.optim.Adam:
    """Adam; weights that tie a column to others directly start from 0 and have farther to go."""
    direct = [*policy.direct_weights()]
    groups: list[dict[str, Any]] = [
        {"params": [*encoder.parameters(), *_trained_without(direct, policy)]},
        {"params": direct, "lr": config.direct_learning_rate or config.cold_start_learning_rate},
    ]
    return torch.optim.Adam(groups, lr=config.cold_start_learning_rate, fused=True)


def _trained_without(left_out: list[Parameter], policy: Policy) -> list[Parameter]:
    """The policy's trained weights, but for some."""
    apart = {id(weight) for weight in left_out}
    return [p for p in policy.parameters() if p.requires_grad and id(p) not in apart]


def as_draw(actions: Actions) -> Draw:
    """Encoded rows as tensors."""
    return Draw(amount=torch.from_numpy(actions.amount), level=torch.from_numpy(actions.level))
