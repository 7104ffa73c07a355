"""Synthetic people beside the real ones: further classes, half of every batch.

Who was described to a generator has a name that says more than "somebody else": the description.
In a loss by cosine it is the class's prototype and stays it, so that a recogniser learns whom a
newcomer looks like as well, as far as the pictures show who was described (a student that learns
from a teacher's features, arXiv:1412.6550; here the teacher's features came first, and pictures
were drawn to them).
"""

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
from reinforge.recognition.network import Network
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

    def put_prototypes(self, network: Network) -> None:
        """Descriptions, where there are any, as the prototypes of their classes.

        A prototype longer than a description ends in zeros: cosines stay what they were.

        Raises:
            InputError: Descriptions are longer than prototypes.
        """
        described = self.images.described
        if described is None or network.kind != "face":
            return
        require_room(described.shape[1], len(network.prototypes))
        with torch.no_grad():
            n_features = described.shape[1]
            own = network.prototypes[:, -len(described) :]
            own.zero_()
            own[:n_features] = torch.from_numpy(described).T.to(own)


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


def require_room(n_described: int, n_features: int) -> None:
    """Refuse descriptions that are longer than the recogniser's feature.

    Raises:
        InputError: As above.
    """
    if n_described > n_features:
        raise InputError(
            f"newcomers are described by {n_described} numbers and the recogniser's feature has "
            f"{n_features}; raise final.embedding_dim, or leave descriptions out "
            "(final.described=false)."
        )


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
