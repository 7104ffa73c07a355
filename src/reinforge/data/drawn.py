"""Identities drawn by code: cartoon faces of no real person, as many as a number can name."""

import numpy as np
from jaxtyping import Int, UInt8

from reinforge.data.drawn_face import draw_faces
from reinforge.data.drawn_traits import identity_traits, picture_nuisance
from reinforge.errors import InputError
from reinforge.records import ImageSet

PIXELS_AT_ONCE = 2**16  # a block of float32 that stays in the cache


def draw_identities(
    n_identities: int, per_identity: int, *, size: int = 32, seed: int, nuisance: float = 1.0
) -> ImageSet:
    """Draw a set of pictures, identity by identity.

    An identity is its shapes and colours; pose, light, expression and scene change from picture to
    picture. A picture depends on seed, identity, index and size alone: a larger set begins with
    the pictures of a smaller one.

    Args:
        n_identities: How many faces; they are numbered from 0.
        per_identity: Pictures of each.
        size: Height and width in pixels, at least 16.
        seed: Of the whole world of faces.
        nuisance: How far pictures of one identity differ; 0 leaves the scene alone to change.

    Raises:
        InputError: A number out of range.
    """
    if n_identities < 1 or per_identity < 1:
        raise InputError(
            f"drawn identities: at least 1 identity and 1 picture of it, got {n_identities} and "
            f"{per_identity}."
        )
    identity = np.repeat(np.arange(n_identities), per_identity)
    index = np.tile(np.arange(per_identity), n_identities)
    return ImageSet(
        pixels=draw_pictures(identity, index, size=size, seed=seed, nuisance=nuisance),
        identity=identity,
        names=tuple(f"drawn-{number:05d}" for number in range(n_identities)),
        sources=tuple(f"drawn-{i:05d}/{k}" for i, k in zip(identity, index, strict=True)),
    )


def draw_pictures(
    identity: Int[np.ndarray, " image"],
    index: Int[np.ndarray, " image"],
    *,
    size: int = 32,
    seed: int,
    nuisance: float = 1.0,
) -> UInt8[np.ndarray, "image height width channel"]:
    """Draw one picture a pair of numbers, for whom a set is too small: a stream of fresh faces.

    Args:
        identity: Which face.
        index: Which picture of it.
        size: Height and width in pixels, at least 16.
        seed: Of the whole world of faces.
        nuisance: How far pictures of one identity differ, 0 to 1.5.

    Raises:
        InputError: A number out of range.
    """
    if size < 16 or not 0 <= nuisance <= 1.5:
        raise InputError(
            f"drawn identities: size must be at least 16 and nuisance lie in [0, 1.5], got {size} "
            f"and {nuisance}."
        )
    pictures = np.empty((len(identity), size, size, 3), np.uint8)
    at_once = max(1, PIXELS_AT_ONCE // size**2)
    for start in range(0, len(identity), at_once):
        block = slice(start, start + at_once)
        who = identity_traits(identity[block], seed=seed)
        now = picture_nuisance(identity[block], index[block], seed=seed, nuisance=nuisance)
        pictures[block] = draw_faces(who, now, size=size)
    return pictures
