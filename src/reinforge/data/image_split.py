"""Train and holdout of pictures: by identity to recognise new people, by image for known ones."""

import warnings
from dataclasses import replace
from typing import Literal

import numpy as np

from reinforge.data.picture_files import FilePictures, pixel_hash
from reinforge.errors import InputError
from reinforge.randomness import generator
from reinforge.records import ImageSet, PictureSplit

FEWEST_TO_HOLD = 4  # pictures of a person, of whom one or more is then held out
SHOWN = 5  # identities that a message names


def split_images(
    images: ImageSet,
    *,
    holdout: float | None = None,
    by: Literal["identity", "image"] = "identity",
    seed: int,
    per_identity: int | None = None,
) -> tuple[ImageSet, ImageSet]:
    """Part pictures into those that train and those that judge.

    Args:
        images: All pictures.
        holdout: Share that is held out, in (0, 1): of the identities, with all their pictures, or
            of each identity's pictures (at least one, and at least one trains); 0.2 if neither
            this nor `per_identity` is given.
        by: "identity": nobody is on both sides, each side has its own names and numbers. "image":
            everybody is on both sides, names and numbers stay.
        seed: Which ones; the same seed parts the same set alike.
        per_identity: By image: so many pictures of each identity train, all others are held out.

    Returns:
        Train and holdout, pictures in their old order.

    Raises:
        InputError: There are too few identities, or identities with too few pictures, named.
    """
    if per_identity is not None and (by != "image" or holdout is not None):
        raise InputError("per_identity= takes the place of holdout= and goes with by='image'.")
    if per_identity is not None and per_identity < 1:
        raise InputError(f"per_identity must be 1 or more, got {per_identity}.")
    holdout = 0.2 if holdout is None else holdout
    if not 0 < holdout < 1:
        raise InputError(f"holdout must lie in (0, 1), got {holdout}; 0.2 is usual.")
    if by == "identity":
        held = _identities_held(images, holdout, seed)
        parts = tuple(compact(subset(images, np.flatnonzero(part))) for part in (~held, held))
    elif by == "image":
        held = _pictures_held(images, holdout, per_identity, seed)
        parts = tuple(subset(images, np.flatnonzero(part)) for part in (~held, held))
    else:
        raise InputError(f"by={by!r} is not known; use 'identity' or 'image'.")
    train, judged = parts
    _warn_of_shared_pictures(train, judged)
    return train, judged


def split_pictures(
    images: ImageSet, *, unseen: float = 0.25, holdout: float = 0.2, seed: int
) -> PictureSplit:
    """Part pictures into those that train, others of the same people, and other people.

    Args:
        images: All pictures.
        unseen: Share of the people whom neither generator nor recognisers see; 0 leaves none out.
            People in whom two pictures cannot be compared are never among them.
        holdout: Share of the pictures of each of the others that judges the generator; people with
            fewer than `FEWEST_TO_HOLD` pictures, or 0, give none.
        seed: Which ones; the same seed parts the same set alike.

    Returns:
        The three parts; `holdout` and `unseen` are None where nothing is in them. The people of
        `train` and `holdout` have the same names and numbers.

    Raises:
        InputError: A share is out of range, or so few people would be left that nothing is learnt.
    """
    for name, share in (("unseen", unseen), ("holdout", holdout)):
        if not 0 <= share < 1:
            raise InputError(f"{name} must lie in [0, 1), got {share}.")
    counts = np.bincount(images.identity, minlength=len(images.names))
    comparable = np.flatnonzero(counts >= 2)
    n_unseen = min(round(unseen * int((counts > 0).sum())), len(comparable))
    if int((counts > 0).sum()) - n_unseen < 2:
        raise InputError(
            f"unseen={unseen} would leave fewer than 2 of {int((counts > 0).sum())} identities to "
            "learn; lower it, or add identities."
        )
    order = generator(seed, "images/unseen people").permutation(comparable)
    is_unseen = np.isin(images.identity, order[:n_unseen])
    known = compact(subset(images, np.flatnonzero(~is_unseen)))
    held = np.zeros(len(known), dtype=bool)
    for identity in np.unique(known.identity) if holdout > 0 else ():
        members = np.flatnonzero(known.identity == identity)
        if len(members) >= FEWEST_TO_HOLD:
            draws = generator(seed, "images/held pictures", int(identity))
            n_held = min(max(1, round(holdout * len(members))), len(members) - 2)
            held[draws.permutation(members)[:n_held]] = True
    parts = PictureSplit(
        train=subset(known, np.flatnonzero(~held)),
        holdout=subset(known, np.flatnonzero(held)) if held.any() else None,
        unseen=compact(subset(images, np.flatnonzero(is_unseen))) if n_unseen else None,
    )
    for judged in (parts.holdout, parts.unseen):
        if judged is not None:
            _warn_of_shared_pictures(parts.train, judged)
    return parts


def subset(images: ImageSet, numbers: np.ndarray) -> ImageSet:
    """The pictures of these numbers; those on disk stay there."""
    if not isinstance(images.pixels, FilePictures):
        return images.subset(numbers)
    shell = replace(images, pixels=np.empty((len(images), 0, 0, 1), dtype="uint8"))
    return replace(shell.subset(numbers), pixels=images.pixels.only(numbers))


def compact(images: ImageSet) -> ImageSet:
    """The same pictures with names of identities that have one, numbered anew."""
    used, numbers = np.unique(images.identity, return_inverse=True)
    names = tuple(images.names[number] for number in used)
    return replace(images, identity=numbers.astype("int64"), names=names)


def with_at_least(images: ImageSet, n_pictures: int) -> ImageSet:
    """The identities that have so many pictures, numbered anew.

    Raises:
        InputError: None has.
    """
    counts = np.bincount(images.identity, minlength=len(images.names))
    kept = np.flatnonzero(counts[images.identity] >= n_pictures)
    if not len(kept):
        raise InputError(
            f"no identity has {n_pictures} pictures; the most that one has is {counts.max()}."
        )
    return compact(subset(images, kept))


def require_identities(images: ImageSet, *, n_identities: int = 2, n_pictures: int = 2) -> None:
    """Refuse a set from which batches of identities with several pictures each cannot be drawn.

    Args:
        images: The set.
        n_identities: How many a batch needs (P of a PK sampler).
        n_pictures: How many pictures each identity needs at least.

    Raises:
        InputError: There are too few; the message names identities and the remedy.
    """
    counts = np.bincount(images.identity, minlength=len(images.names))
    n_present = int((counts > 0).sum())
    if n_present < n_identities:
        raise InputError(
            f"too few identities: {n_present}, wanted {n_identities} at least; add some "
            "(one folder each)."
        )
    _refuse_small(images, counts, n_pictures, "training compares pictures of one identity")


def _identities_held(images: ImageSet, holdout: float, seed: int) -> np.ndarray:
    present = np.unique(images.identity)
    if len(present) < 2:
        raise InputError(
            f"too few identities: {len(present)}, wanted 2 at least for a split by identity; use "
            "by='image'."
        )
    n_held = min(max(1, round(holdout * len(present))), len(present) - 1)
    order = generator(seed, "images/split").permutation(present)
    return np.isin(images.identity, order[:n_held])


def _pictures_held(
    images: ImageSet, holdout: float, per_identity: int | None, seed: int
) -> np.ndarray:
    counts = np.bincount(images.identity, minlength=len(images.names))
    needed = 2 if per_identity is None else per_identity + 1
    _refuse_small(images, counts, needed, "a split by image leaves some of each on both sides")
    held = np.ones(len(images), dtype=bool)
    for identity in np.unique(images.identity):
        members = np.flatnonzero(images.identity == identity)
        n_held = min(max(1, round(holdout * len(members))), len(members) - 1)
        n_train = len(members) - n_held if per_identity is None else per_identity
        order = generator(seed, "images/split", int(identity)).permutation(members)
        held[order[:n_train]] = False
    return held


def _refuse_small(images: ImageSet, counts: np.ndarray, needed: int, why: str) -> None:
    small = np.flatnonzero((counts > 0) & (counts < needed))
    if len(small):
        shown = ", ".join(f"{images.names[at]!r} ({counts[at]})" for at in small[:SHOWN])
        raise InputError(
            f"{len(small)} identities have fewer than {needed} pictures: {shown}; {why}. Add "
            f"pictures, or drop them with with_at_least(images, {needed})."
        )


def picture_hashes(images: ImageSet) -> list[bytes]:
    """What identifies each picture by its pixels."""
    if isinstance(images.pixels, FilePictures):
        return list(images.pixels.hashes)
    return [pixel_hash(images.pixels[np.array([at])][0]) for at in range(len(images))]


def _warn_of_shared_pictures(train: ImageSet, judged: ImageSet) -> None:
    seen = {hashed: at for at, hashed in enumerate(picture_hashes(train))}
    both = [(seen[h], at) for at, h in enumerate(picture_hashes(judged)) if h in seen]
    if both:
        left, right = both[0]
        named = ""
        if train.sources and judged.sources:
            named = f", e.g. {train.sources[left]!r} and {judged.sources[right]!r}"
        warnings.warn(
            f"{len(both)} pictures of the holdout are exact copies of training pictures{named}: "
            "scores that rest on them mislead",
            UserWarning,
            stacklevel=3,
        )
