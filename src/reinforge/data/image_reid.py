"""Person re-identification sets: train, query and gallery by the rules of Market-1501.

Names start with IDENTITY_cCAMERA (Market-1501, DukeMTMC-reID, CUHK03-NP). Identity -1 is junk (a
detection that is neither right nor wrong) and is left out everywhere. Identity 0 is a distractor:
nobody's picture, kept in the gallery, where it can only be a wrong match, and left out elsewhere.
"""

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np

from reinforge.data.image_folders import REID_PARTS, market_candidates
from reinforge.data.image_reading import Candidate, OnRejected, Progress, Reading, read_candidates
from reinforge.data.picture import Channels, Fit, Wanted
from reinforge.errors import InputError
from reinforge.records import ImageSet

GALLERY = "gallery"


def read_reid(
    root: str | Path,
    *,
    size: int | tuple[int, int] | None = (256, 128),
    fit: Fit = "stretch",
    channels: Channels = "auto",
    max_rejected: float = 0.05,
    progress: Progress | None = None,
    on_rejected: OnRejected | None = None,
) -> dict[str, ImageSet]:
    """Read the three parts of a re-identification set.

    Args:
        root: The folder of `bounding_box_train`, `query` and `bounding_box_test`.
        size: Height and width, or one number for both; None asks that all pictures agree.
        fit: People are stretched to a size, as the field does; "crop" cuts instead.
        channels: 1, 3, or what the pictures have.
        max_rejected: Share of a part's pictures that may be left out.
        progress: Told what is being done and the share done.
        on_rejected: Told each picture that is left out, and why.

    Returns:
        "train", "query" and "gallery"; query and gallery share their `names`, so that equal
        numbers mean the same person.

    Raises:
        InputError: A part is missing or too many of its pictures are no good.
    """
    root = Path(root)
    wanted = Wanted(size=(size, size) if isinstance(size, int) else size, fit=fit)
    parts = {}
    for part, folder in REID_PARTS.items():
        if not (root / folder).is_dir():
            raise InputError(
                f"{root / folder} does not exist; a re-identification set has the folders "
                f"{', '.join(REID_PARTS.values())} (of CUHK03-NP give one version, e.g. labeled)."
            )
        reading = Reading(
            wanted=replace(wanted, channels=channels),
            max_rejected=max_rejected,
            progress=progress,
            on_rejected=on_rejected,
        )
        parts[part] = read_candidates(reid_candidates(root / folder), reading, where=root / folder)
    _refuse_other_shapes(parts, root)
    both = tuple(sorted(set(parts["query"].names) | set(parts[GALLERY].names)))
    for part in ("query", GALLERY):
        parts[part] = renamed(parts[part], both)
    _warn_of_shared_people(parts, root)
    return parts


def reid_candidates(folder: Path) -> list[Candidate]:
    """The pictures of one part; distractors stay in a folder `bounding_box_test` alone."""
    candidates = market_candidates(folder)
    if folder.name == REID_PARTS[GALLERY]:
        return candidates
    kept = [
        candidate for candidate in candidates if candidate.identity.strip("0") or candidate.refused
    ]
    n_distractors = len(candidates) - len(kept)
    if n_distractors:
        message = (
            f"{folder}: {n_distractors} pictures of identity 0 (distractors) are left out; rename "
            "them if 0 is a person"
        )
        warnings.warn(message, UserWarning, stacklevel=3)
    return kept


def renamed(images: ImageSet, names: tuple[str, ...]) -> ImageSet:
    """The same pictures numbered by a longer list of names."""
    position = {name: at for at, name in enumerate(names)}
    moved = np.asarray([position[name] for name in images.names], dtype="int64")
    return replace(images, identity=moved[images.identity], names=names)


def _refuse_other_shapes(parts: dict[str, ImageSet], root: Path) -> None:
    shapes = {part: images.pixels.shape[1:] for part, images in parts.items()}
    if len(set(shapes.values())) > 1:
        raise InputError(
            f"{root}: the parts differ in height, width or channels ({shapes}); give size= and "
            "channels=."
        )


def _warn_of_shared_people(parts: dict[str, ImageSet], root: Path) -> None:
    shared = sorted(set(parts["train"].names) & set(parts["query"].names))
    if shared:
        message = (
            f"{root}: {len(shared)} identities are in train and in query, e.g. {shared[0]!r}: the "
            "test says nothing about new people"
        )
        warnings.warn(message, UserWarning, stacklevel=3)
