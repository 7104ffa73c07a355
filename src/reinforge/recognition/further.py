"""Synthetic people beside the real ones: further classes, half of every batch."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int

from reinforge.data.images import require_identities
from reinforge.errors import InputError
from reinforge.randomness import number_from, torch_generator
from reinforge.recognition.augment import augment
from reinforge.recognition.config import RecogniserConfig
from reinforge.recognition.lookahead import Views
from reinforge.recognition.recogniser import as_pixels
from reinforge.recognition.sampler import pk_batch
from reinforge.records import ImageSet

TURNS = "identity/newcomers in batches"  # what their order is drawn for


@dataclass(frozen=True, kw_only=True)
class Further:
    """Pictures of people who have no real ones, numbered behind the real people."""

    images: ImageSet
    label: Int[np.ndarray, " image"]  # class of each
    n_beside: int  # real people: no batch takes more newcomers than that


def new_classes(newcomers: ImageSet | None, images: ImageSet, *, n_known: int) -> Further | None:
    """The further classes of a training, or None where there are none.

    Args:
        newcomers: Their pictures.
        images: The real ones.
        n_known: Identities with real pictures.

    Raises:
        InputError: Of another size than the real ones, or somebody is in both.
    """
    if newcomers is None:
        return None
    if tuple(newcomers.pixels.shape[1:]) != tuple(images.pixels.shape[1:]):
        raise InputError(
            f"newcomers are {newcomers.pixels.shape[1:]} (height, width, channel) and the real "
            f"pictures {images.pixels.shape[1:]}; bring both to one size and colour first."
        )
    both = set(newcomers.names) & set(images.names)
    if both:
        raise InputError(
            f"newcomers: {min(both)!r} has real pictures; pictures of real people are given as "
            "synthetic ones, newcomers are somebody else."
        )
    require_identities(newcomers, n_identities=1, n_pictures=1)
    return Further(images=newcomers, label=n_known + newcomers.identity, n_beside=n_known)


def further_views(
    further: Further, index: int, config: RecogniserConfig, device: torch.device, *, seed: int
) -> Views:
    """As many newcomers as a batch has real people, with as many views of each."""
    chosen = pk_batch(
        further.images.identity,
        index,
        n_identities=min(config.identities_per_batch, further.n_beside),
        n_pictures=config.pictures_per_identity,
        seed=number_from(seed, TURNS),
    )
    generator = torch_generator(seed, "identity/views of newcomers", index)
    pixels = as_pixels(further.images.pixels[chosen])
    return Views(
        pixels=augment(pixels, config, generator=generator).to(device),
        label=torch.from_numpy(further.label[chosen]).to(device),
        weight=torch.ones(len(chosen), device=device),
    )
