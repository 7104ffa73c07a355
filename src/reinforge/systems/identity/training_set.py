"""The real pictures as the training wants them: of the prior's size, of enough identities."""

import logging
from dataclasses import replace
from typing import Any, cast

import numpy as np

from reinforge.data.image_split import SHOWN, compact
from reinforge.data.images import require_identities
from reinforge.data.picture import Wanted, refit
from reinforge.errors import InputError
from reinforge.generators.prior import Prior
from reinforge.records import ImageSet

_log = logging.getLogger(__name__)


def training_set(images: ImageSet, prior: Prior) -> ImageSet:
    """Check the pictures, and bring them to the prior's size and channels.

    Args:
        images: At least two identities, most of them with two pictures or more.
        prior: Says size and channels.

    Raises:
        InputError: There are too few identities, or most have a single picture.
    """
    images = compact(images)
    require_identities(images, n_pictures=1)
    counts = np.bincount(images.identity, minlength=len(images.names))
    single = np.flatnonzero(counts == 1)
    some = ", ".join(repr(images.names[at]) for at in single[:SHOWN])
    if 2 * len(single) > len(counts):
        raise InputError(
            f"{len(single)} of {len(counts)} identities have a single picture (e.g. {some}), so "
            "nothing says how much one varies; give most of them two pictures or more."
        )
    if len(single):
        _log.warning(
            "%d of %d identities have a single picture (%s): how much they vary is taken from the "
            "others.",
            len(single),
            len(counts),
            some,
        )
    return _fitted(images, prior)


def kind_of(prior: Prior) -> str:
    """What pictures a prior draws, in words."""
    side = prior.picture_size
    return f"{side} x {side} pixels, {'grey' if prior.codec.channels == 1 else 'RGB'}"


def _fitted(images: ImageSet, prior: Prior) -> ImageSet:
    side, channels = prior.picture_size, prior.codec.channels
    _, height, width, own = images.pixels.shape
    if (height, width, own) == (side, side, channels):
        return images
    _log.info(
        "%d pictures of %d x %d pixels, %s, are brought to %s, as the prior has them",
        len(images),
        height,
        width,
        "grey" if own == 1 else "RGB",
        kind_of(prior),
    )
    wanted = Wanted(size=(side, side), channels=cast(Any, channels))
    pixels = np.empty((len(images), side, side, channels), np.uint8)
    for number in range(len(images)):
        pixels[number] = refit(images.pixels[np.array([number])][0], wanted)
    return replace(images, pixels=pixels)
