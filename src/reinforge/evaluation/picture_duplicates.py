"""Near-duplicates: synthetic pictures that look all but the same as a training picture."""

import numpy as np
from jaxtyping import Bool, UInt64

from reinforge.evaluation.picture_judged import JudgedPictures
from reinforge.evaluation.picture_scoring import Found, picture_score
from reinforge.evaluation.picture_space import by_person
from reinforge.measure.picture_hash import nearest_hash, perceptual_hash
from reinforge.records import ImageSet, Score

FEW_BITS = 4  # of 63; on aligned faces 98 % of copies with noise of 10 levels, and no stranger
_BATCH = 512  # pictures decoded at once


def near_duplicates(
    pictures: JudgedPictures, part: ImageSet | None = None, *, name: str = "near_duplicates"
) -> Score:
    """Share of a part's pictures within few bits of a training picture, as they are or mirrored.

    No embedding can be blind to such a copy. The controls are the same share of held-out and of
    unseen pictures: shots taken a moment apart look all but the same, too.

    Args:
        pictures: All sets.
        part: One of them, the synthetic pictures if not given.
        name: Of the score.
    """
    part = pictures.synthetic if part is None else part
    train = _hashes(pictures.train)
    shares = by_person(_duplicated(part, train).astype(float), part.identity)
    controls: dict[str, Found] = {}
    for control in ("holdout", "unseen"):
        real: ImageSet = getattr(pictures, control)
        if len(real):
            near = _duplicated(real, train).astype(float)
            controls[control] = by_person(near, real.identity).mean()
    note = f"Within {FEW_BITS} of 63 bits."
    return picture_score(name, shares.share(), baseline=controls, note=note)


def _duplicated(
    images: ImageSet, train: UInt64[np.ndarray, " training"]
) -> Bool[np.ndarray, " image"]:
    fewest = [nearest_hash(_hashes(images, mirrored=turned), train) for turned in (False, True)]
    return np.minimum(*fewest) <= FEW_BITS


def _hashes(images: ImageSet, *, mirrored: bool = False) -> UInt64[np.ndarray, " image"]:
    step = -1 if mirrored else 1
    return np.concatenate(
        [
            perceptual_hash(
                images.pixels[np.arange(start, min(start + _BATCH, len(images)))][:, :, ::step]
            )
            for start in range(0, len(images), _BATCH)
        ]
    )
