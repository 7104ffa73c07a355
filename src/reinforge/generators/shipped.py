"""The prior that comes with the package: faces of nobody, drawn by code, 32 px, RGB."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from reinforge.data.drawn import draw_pictures
from reinforge.generators.pretrain import PretrainConfig, pretrain
from reinforge.generators.prior import Prior, load_prior
from reinforge.randomness import generator
from reinforge.settings import validated

FOLDER = Path(__file__).parent / "drawn_32"
WORLD = 2604  # the seed of the faces it was trained on; a demo draws those of another world
N_IDENTITIES = 1000
SETTINGS = {"mirror": False}  # of `PretrainConfig`: no picture comes twice, so none is mirrored


def shipped_prior() -> Prior:
    """Load it."""
    return load_prior(FOLDER)


def train_shipped(
    *,
    config: PretrainConfig | None = None,
    seed: int = 0,
    run_dir: str | Path | None = None,
    resume: bool = False,
    on_step: Callable[[dict[str, Any]], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Prior:
    """The recipe: every step draws pictures that were never seen, of a thousand drawn faces."""
    config = config or validated(PretrainConfig, SETTINGS)
    size = config.size

    def batch(index: int) -> tuple[Tensor, Tensor]:
        chooser = generator(seed, "prior/drawn", index)
        identity = chooser.integers(N_IDENTITIES, size=config.batch_images)
        picture = chooser.integers(1_000_000, size=config.batch_images)
        pixels = draw_pictures(identity, picture, size=size, seed=WORLD)
        channels_first = torch.from_numpy(pixels.transpose(0, 3, 1, 2).astype(np.float32))
        return channels_first, torch.from_numpy(identity)

    return pretrain(
        batch,
        N_IDENTITIES,
        config=config,
        seed=seed,
        trained_on=f"{N_IDENTITIES} faces drawn by code (world {WORLD}), of no real person",
        data_digest=f"drawn {WORLD} {N_IDENTITIES} {size}",
        run_dir=run_dir,
        resume=resume,
        on_step=on_step,
        stop=stop,
    )
