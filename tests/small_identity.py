"""An identity system for the tests of its public face: 8 x 8 grey pictures, seconds to train."""

import numpy as np
import torch

from reinforge.generators.codec import PixelCodec
from reinforge.generators.diffusion import NoiseSchedule
from reinforge.generators.dit import new_dit
from reinforge.generators.pretrain import SCHEDULE
from reinforge.generators.prior import Prior
from reinforge.records import ImageSet

SMALL = {  # 5 steps of cold start and 5 of reinforcement, checkpoints after 4 and 8
    "cold_start_steps": 5,
    "n_steps": 5,
    "n_denoising": 3,
    "window_steps": 1,
    "identities_per_batch": 2,
    "draws_per_identity": 4,
    "branches": 2,
    "cold_start_images": 4,
    "checkpoint_every": 4,
    "watch_every": 2,
    "precision": "float32",
    "device": "cpu",
    "learning_rate": 1e-3,
    "critic_first_steps": 2,
    "critic_steps": 1,
    "n_recognisers": 1,
}
RECOGNISER = {
    "n_steps": 5,
    "width": 8,
    "embedding_dim": 8,
    "identities_per_batch": 3,
    "checkpoint_every": 2,
}
FLAGS = [
    part
    for section, settings in (("model", SMALL), ("recogniser", RECOGNISER))
    for key, value in settings.items()
    for part in ("--set", f"{section}.{key}={value}")
]
NAMES = ("anna", "ben", "o'hara, jr")


def small_prior(seed=0, *, n_classes=1):
    """A pixel DiT of one block whose weights all matter (adaLN-Zero would hide them)."""
    transformer = new_dit(
        size=8,
        channels=1,
        patch=4,
        n_layers=1,
        n_heads=1,
        head_dim=16,
        n_classes=n_classes,
        seed=seed,
    )
    generator = torch.Generator().manual_seed(seed)
    for parameter in transformer.parameters():
        parameter.data += 0.1 * torch.randn(parameter.shape, generator=generator)
    return Prior(
        transformer=transformer.eval(),
        codec=PixelCodec(scale=0.5, channels=1),
        schedule=NoiseSchedule.from_config(SCHEDULE),
        trained_on="nothing",
    )


def small_pictures(counts=(3, 3, 3), *, names=NAMES, side=8, channel=1, seed=0):
    """Each identity is a pattern of four blocks; its pictures differ by light and noise."""
    rng = np.random.default_rng(seed)
    pattern = rng.integers(60, 200, (len(counts), 2, 2, channel))
    pattern = pattern.repeat(side // 2, axis=1).repeat(side // 2, axis=2)
    identity = np.repeat(np.arange(len(counts)), counts).astype(np.int64)
    light = rng.integers(-30, 30, (len(identity), 1, 1, 1))
    noise = rng.normal(0, 8, (len(identity), side, side, channel))
    pixels = np.clip(pattern[identity] + light + noise, 0, 255).astype(np.uint8)
    return ImageSet(pixels=pixels, identity=identity, names=tuple(names))
