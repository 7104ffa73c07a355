"""A world for the reinforcement benchmark: a small DiT, coloured identities, a reward for nothing.

The policy has the size and the shape of the shipped prior (6 layers, 4 heads of 48, 64 tokens, some
4.6 million weights); a short training on plain coloured pictures makes it a denoiser. An identity
is a colour, and the recogniser is the mean colour of a picture: it costs nothing beside a pass, so
that the time of a run is that of the trainer.
"""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from peers.environment import HOME
from reinforge.generators.pretrain import PretrainConfig, pretrain
from reinforge.generators.prior import Prior, load_prior, save_prior
from reinforge.randomness import torch_generator
from reinforge.systems.identity.bank import memory_bank
from reinforge.systems.identity.config import IdentityConfig
from reinforge.systems.identity.learner import Learner, new_learner

SIZE = 32
N_LABELS = 4
PRIOR_STEPS = 80
COLOURS = torch.tensor([[0.8, 0.5, 0.1], [0.8, 0.3, 0.3], [0.6, 0.5, 0.3], [0.6, 0.3, 0.1]])  # warm
N_REAL = 4  # pictures of each identity in the memory bank

COMMON: dict[str, Any] = {  # what both arms share: the task
    "trained": "all",
    "table_start": "prior",
    "cold_start_steps": 0,
    "n_denoising": 10,
    "eta": 1.0,
    "identities_per_batch": 2,
    "draws_per_identity": 4,
    "semantic_weight": 1.0,
    "coverage_weight": 0.0,
    "diversity_weight": 0.0,
    "privacy_weight": 0.0,
    "realism_weight": 0.0,
    "n_recent": 0,
    "reward_units": "batch",
    "branches": 1,
    "estimator": "score",
    "advantage": "group",
    "log_ratio": "mean",
    "clip_range": 1e-4,
    "kl_weight": 0.0,
    "n_epochs": 1,
    "max_grad_norm": 1.0,
    "average_decay": 0.0,
    "n_steps": 10_000,
}
ARMS: dict[str, dict[str, Any]] = {
    "peers": {  # every step, both halves of the guided pass with gradient, float32, step by step
        "window": "all",
        "guidance": 3.0,
        "guided_gradient": True,
        "precision": "float32",
        "micro_batch": 8,  # the draws of one step
        "objective": "ppo",
    },
    "reinforge": {
        "window": "random",
        "window_steps": 2,
        "guidance": 1.0,
        "guided_gradient": False,
        "precision": "auto",
        "micro_batch": 64,
        "objective": "dpok",
        "log_ratio": "sum",
        "clip_range": 0.2,
    },
}


def config_of(arm: str, **settings: Any) -> IdentityConfig:
    """Settings of an arm; a version without one of them has it fixed at that value."""
    wanted = {**COMMON, **ARMS[arm], **settings}
    return IdentityConfig(**{k: v for k, v in wanted.items() if k in IdentityConfig.model_fields})


def plain_pictures(index: int, n_images: int = 16) -> tuple[Tensor, Tensor]:
    """Pictures of one colour each, a little brighter to one side; labels say nothing."""
    random = torch_generator(0, "benchmark plain pictures", index)
    colour = torch.rand((n_images, 3, 1, 1), generator=random) * 1.6 - 0.8
    tilt = (torch.rand((n_images, 1, 1, 1), generator=random) - 0.5) * torch.linspace(-1, 1, SIZE)
    noise = 0.05 * torch.randn((n_images, 3, SIZE, SIZE), generator=random)
    label = torch.randint(N_LABELS, (n_images,), generator=random)
    return ((colour + 0.4 * tilt + noise + 1) * 127.5).clamp(0, 255), label


def prior() -> Prior:
    """The denoiser both arms start from: trained once, kept in `.venvs/cache`."""
    folder = Path(HOME) / "cache" / "rl-speed-prior"
    if not (folder / "prior.json").exists():
        config = PretrainConfig(
            size=SIZE,
            channels=3,
            patch=4,
            n_layers=6,
            n_heads=4,
            head_dim=48,
            n_steps=PRIOR_STEPS,
            batch_images=16,
            learning_rate=1e-3,
            average_decay=0.9,
            precision="float32",
        )
        made = pretrain(
            plain_pictures,
            N_LABELS,
            config=config,
            seed=0,
            trained_on="plain colours",
            data_digest="plain colours",
        )
        save_prior(made, folder)
    return load_prior(folder)


def mean_colour(pixels: Tensor) -> Tensor:
    """The recogniser: a picture's mean colour beside a constant, L2-normalised."""
    colour = (pixels / 127.5 - 1).mean((2, 3))
    return normalize(torch.cat([colour, torch.full_like(colour[:, :1], 0.2)], dim=1), dim=1)


def learner_of(config: IdentityConfig, *, seed: int) -> Learner:
    """A learner before its first update."""
    label = torch.arange(len(COLOURS)).repeat_interleave(N_REAL)
    shade = 0.05 * torch.randn((len(label), 3), generator=torch_generator(0, "benchmark shades"))
    colour = (COLOURS[label] + shade)[:, :, None, None].expand(-1, -1, SIZE, SIZE)
    pixels = ((colour + 1) * 127.5).clamp(0, 255)
    bank = memory_bank(mean_colour(pixels), label, len(COLOURS))
    return new_learner(prior(), pixels, label, bank, config=config, seed=seed)
