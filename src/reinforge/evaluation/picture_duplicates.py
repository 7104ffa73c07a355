"""Near-duplicates: synthetic pictures that look all but the same as a training picture."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8, UInt64

from reinforge.evaluation.picture_judged import JudgedPictures
from reinforge.evaluation.picture_scoring import Found, picture_score
from reinforge.evaluation.picture_space import by_person
from reinforge.measure.picture_hash import nearest_hash, perceptual_hash
from reinforge.measure.spread import PerIdentity
from reinforge.records import ImageSet, Score

FEW_BITS = 4  # of 63; on aligned faces 98 % of copies with noise of 10 levels, and no stranger
_BATCH = 512  # pictures decoded at once


@dataclass(frozen=True, kw_only=True)
class HashedReal:
    """The real pictures, hashed once for all sets that are compared with them."""

    train: UInt64[np.ndarray, " training"]
    controls: dict[str, Found]  # share of near-duplicates among held-out and unseen pictures


def hashed_real(pictures: JudgedPictures) -> HashedReal:
    """Hash the training pictures, and look for them among those that nothing was trained on."""
    train = np.concatenate([perceptual_hash(pixels) for pixels in _batches(pictures.train)])
    controls: dict[str, Found] = {
        name: _shares(part, train).mean()
        for name, part in (("holdout", pictures.holdout), ("unseen", pictures.unseen))
        if len(part)
    }
    return HashedReal(train=train, controls=controls)


def near_duplicates(part: ImageSet, real: HashedReal, *, name: str = "near_duplicates") -> Score:
    """Share of a part's pictures within few bits of a training picture, as they are or mirrored.

    No embedding can be blind to such a copy. The controls are the same share of held-out and of
    unseen pictures: shots taken a moment apart look all but the same, too.

    Args:
        part: Generated pictures.
        real: What they are compared with.
        name: Of the score.
    """
    note = f"Within {FEW_BITS} of 63 bits."
    return picture_score(name, _shares(part, real.train).share(), baseline=real.controls, note=note)


def _shares(part: ImageSet, train: UInt64[np.ndarray, " training"]) -> PerIdentity:
    """Share of each person's pictures that are near-duplicates."""
    fewest = [
        np.minimum(*(nearest_hash(perceptual_hash(p), train) for p in (pixels, pixels[:, :, ::-1])))
        for pixels in _batches(part)
    ]
    return by_person((np.concatenate(fewest) <= FEW_BITS).astype(float), part.identity)


def _batches(images: ImageSet) -> Iterator[UInt8[np.ndarray, "image height width channel"]]:
    """The pixels, some hundred pictures read at a time."""
    for start in range(0, len(images), _BATCH):
        yield images.pixels[np.arange(start, min(start + _BATCH, len(images)))]
