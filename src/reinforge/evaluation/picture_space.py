"""An embedding space: what an encoder makes of the sets of pictures."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from reinforge.errors import InputError
from reinforge.evaluation.picture_judged import PARTS, JudgedPictures
from reinforge.measure.spread import PerIdentity
from reinforge.recognition.frozen import Encoder
from reinforge.records import ImageSet


@dataclass(frozen=True, kw_only=True)
class Embedded:
    """Features of pictures, and whom they show or should show."""

    feature: Float[np.ndarray, "image feature"]  # rows of length 1
    identity: Int[np.ndarray, " image"]

    def __len__(self) -> int:
        """How many pictures."""
        return len(self.identity)

    def where(self, chosen: Bool[np.ndarray, " image"]) -> "Embedded":
        """Some of the pictures."""
        return Embedded(feature=self.feature[chosen], identity=self.identity[chosen])

    def rows(self, numbers: Int[np.ndarray, " row"]) -> "Embedded":
        """The pictures of these numbers."""
        return Embedded(feature=self.feature[numbers], identity=self.identity[numbers])

    def of(self, people: Int[np.ndarray, " person"]) -> "Embedded":
        """The pictures of some people."""
        return self.where(np.isin(self.identity, people))


@dataclass(frozen=True, kw_only=True)
class Space:
    """All sets in one embedding."""

    train: Embedded
    holdout: Embedded
    unseen: Embedded
    synthetic: Embedded
    newcomers: Embedded


def space_of(pictures: JudgedPictures, encoder: Encoder, *, name: str) -> Space:
    """Embed all sets.

    Raises:
        InputError: See `embedded`.
    """
    return Space(
        **{
            part: embedded(getattr(pictures, part), encoder, name=f"{name}, {part} pictures")
            for part in PARTS
        }
    )


def embedded(images: ImageSet, encoder: Encoder, *, name: str) -> Embedded:
    """Features of a set, brought to length 1.

    Args:
        images: The pictures.
        encoder: What embeds them.
        name: Of encoder and set, for messages.

    Raises:
        InputError: A feature is not finite or has no direction.
    """
    if not len(images):
        feature = np.empty((0, encoder.feature_dim))
        return Embedded(feature=feature, identity=images.identity)
    feature = encoder.embed_all(images).cpu().numpy().astype(np.float64)
    length = np.linalg.norm(feature, axis=1, keepdims=True)
    n_bad = int((~np.isfinite(length) | (length == 0)).sum())
    if n_bad:
        raise InputError(
            f"{name}: {n_bad:,} of {len(feature):,} features are zero or not finite; the encoder "
            "cannot judge these pictures: use another, or check what it wants (size, mean, std)."
        )
    return Embedded(feature=feature / length, identity=images.identity)


def both(*sets: Embedded) -> Embedded:
    """Several sets as one."""
    return Embedded(
        feature=np.concatenate([part.feature for part in sets]),
        identity=np.concatenate([part.identity for part in sets]),
    )


def by_person(
    value: Float[np.ndarray, " image"], identity: Int[np.ndarray, " image"]
) -> PerIdentity:
    """Mean of a number over each person's pictures."""
    known, place, count = np.unique(identity, return_inverse=True, return_counts=True)
    return PerIdentity(known, np.bincount(place, weights=value) / count)


def with_at_least(n: int, *sets: Embedded) -> Int[np.ndarray, " person"]:
    """People of whom every set has so many pictures."""
    found = None
    for part in sets:
        known, count = np.unique(part.identity, return_counts=True)
        enough = known[count >= n]
        found = enough if found is None else np.intersect1d(found, enough)
    return np.empty(0, dtype=np.int64) if found is None else found
