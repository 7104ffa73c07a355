"""A prior from pictures on disk: of identities where they are told apart, else of no one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from reinforge.data.images import digest
from reinforge.errors import InputError
from reinforge.generators.pretrain import PretrainConfig, pretrain
from reinforge.generators.prior import Prior
from reinforge.randomness import generator
from reinforge.records import ImageSet

FEWEST_PICTURES = 8


def pretrain_images(
    images: ImageSet,
    *,
    config: PretrainConfig,
    seed: int,
    start: Prior | None = None,
    run_dir: str | Path | None = None,
    resume: bool = False,
    on_step: Callable[[dict[str, Any]], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Prior:
    """Train a prior on all pictures of a set.

    Where there are two identities or more, each with two pictures or more, each is a class, and
    all come equally often; else the prior is unconditional.

    Args:
        images: Of the size and channels of `config`.
        config: Shape and length.
        seed: Of weights and training.
        start: A prior to go on from.
        run_dir: Where checkpoints and history are kept.
        resume: Go on from the newest checkpoint there.
        on_step: Told each record.
        stop: Asked after each step.

    Raises:
        InputError: The pictures are too few, or of another size than `config` says.
    """
    require_pictures(images, config)
    label = labels_of(images)
    count = np.bincount(label)
    chance = 1 / count[label] / len(count)

    def batch(index: int) -> tuple[Tensor, Tensor]:
        chooser = generator(seed, "prior/pictures", index)
        chosen = np.sort(chooser.choice(len(label), size=config.batch_images, p=chance))
        pixels = images.pixels[chosen].transpose(0, 3, 1, 2).astype(np.float32)
        return torch.from_numpy(pixels), torch.from_numpy(label[chosen])

    return pretrain(
        batch,
        len(count),
        config=config,
        seed=seed,
        trained_on=described(images),
        data_digest=digest(images) + ("" if start is None else f" {start.trained_on}"),
        start=start,
        run_dir=run_dir,
        resume=resume,
        on_step=on_step,
        stop=stop,
    )


def require_pictures(images: ImageSet, config: PretrainConfig) -> None:
    """Refuse pictures that no prior of these settings learns from.

    Raises:
        InputError: They are too few, or of another size than `config` says.
    """
    wanted = (config.size, config.size, config.channels)
    if images.pixels.shape[1:] != wanted:
        raise InputError(f"prior: pictures are {images.pixels.shape[1:]}, wanted {wanted}.")
    if len(images) < FEWEST_PICTURES:
        raise InputError(
            f"prior: {len(images)} pictures are too few to learn from; at least {FEWEST_PICTURES}, "
            "and thousands to be of use."
        )


def labels_of(images: ImageSet) -> np.ndarray:
    """The class of each picture: its identity where each has two pictures or more, else 0."""
    present, label, counts = np.unique(images.identity, return_inverse=True, return_counts=True)
    is_known = len(present) >= 2 and counts.min() >= 2
    return label.astype(np.int64) if is_known else np.zeros(len(images), np.int64)


def described(images: ImageSet) -> str:
    """One line for the record: how many pictures, of how many; never a name."""
    n_classes = int(labels_of(images).max()) + 1
    of = f" of {n_classes} identities" if n_classes > 1 else ", unconditional"
    return f"{len(images)} pictures{of}"
