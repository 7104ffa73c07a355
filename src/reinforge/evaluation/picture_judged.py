"""The sets of pictures that are judged together, checked and numbered alike."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Int

from reinforge.data.image_split import SHOWN, picture_hashes, subset
from reinforge.errors import InputError
from reinforge.evaluation.picture_levels import PictureLevel
from reinforge.randomness import generator
from reinforge.records import ImageSet, PictureSplit

PARTS = ("train", "holdout", "unseen", "synthetic", "newcomers")


@dataclass(frozen=True, kw_only=True)
class JudgedPictures:
    """Real and synthetic pictures; a person has one number in all of them."""

    train: ImageSet
    holdout: ImageSet  # holds no picture where none was given
    unseen: ImageSet
    synthetic: ImageSet
    newcomers: ImageSet  # who do not exist; holds no picture where none was given
    level: PictureLevel
    seed: int
    warnings: tuple[str, ...]

    def rng(self, stream: str) -> np.random.Generator:
        """The generator of one score's draws: no score depends on which others were computed."""
        return generator(self.seed, f"evaluate/pictures/{stream}")


def judged_pictures(
    split: PictureSplit,
    synthetic: ImageSet,
    *,
    newcomers: ImageSet | None = None,
    level: PictureLevel,
    seed: int,
) -> JudgedPictures:
    """Check the sets against each other, number people alike and keep what the level allows.

    Raises:
        InputError: There are no training or synthetic pictures, sizes differ, or a person is on
            the wrong side.
    """
    if not len(split.train):
        raise InputError("the split has no training pictures; there is nothing to compare with.")
    if not len(synthetic):
        raise InputError("there are no synthetic pictures; sample some of every training person.")
    given = {
        "train": split.train,
        "holdout": split.holdout or _nobody(split.train),
        "unseen": split.unseen or _nobody(split.train),
        "synthetic": synthetic,
        "newcomers": newcomers or _nobody(split.train),
    }
    _refuse_sizes(given)
    _refuse_strangers(given)
    numbered = _numbered(given)
    kept = {
        name: part
        if name == "train"
        else thinned_people(part, level.pictures, generator(seed, f"evaluate/pictures/cap {name}"))
        for name, part in numbered.items()
    }
    said = (*_capped(numbered, kept), *_shared(numbered), *_absent(numbered))
    return JudgedPictures(**kept, level=level, seed=seed, warnings=said)


def thinned_people(images: ImageSet, n_pictures: int, rng: np.random.Generator) -> ImageSet:
    """At most so many pictures, as evenly over people as their numbers allow, in their order."""
    if len(images) <= n_pictures:
        return images
    return subset(images, balanced(images.identity, n_pictures, rng))


def balanced(
    identity: Int[np.ndarray, " image"], n_pictures: int, rng: np.random.Generator
) -> Int[np.ndarray, " kept"]:
    """Numbers of pictures drawn in rounds, one of each person a round, in rising order."""
    order = rng.permutation(len(identity))
    by_person = order[np.argsort(identity[order], kind="stable")]
    _, start, count = np.unique(identity[by_person], return_index=True, return_counts=True)
    turn = np.arange(len(identity)) - np.repeat(start, count)
    chosen = by_person[np.lexsort((rng.permutation(len(identity)), turn))][:n_pictures]
    return np.sort(chosen).astype(np.int64)


def _nobody(images: ImageSet) -> ImageSet:
    return ImageSet(
        pixels=np.empty((0, *images.pixels.shape[1:]), dtype=np.uint8),
        identity=np.empty(0, dtype=np.int64),
        names=images.names,
    )


def _refuse_sizes(given: dict[str, ImageSet]) -> None:
    wanted = given["train"].pixels.shape[1:]
    for name, part in given.items():
        if len(part) and part.pixels.shape[1:] != wanted:
            size, other = (" x ".join(map(str, shape)) for shape in (part.pixels.shape[1:], wanted))
            raise InputError(
                f"{name} pictures are {size} and training pictures {other} (height x width x "
                "channel); read both with the same size= and channels=."
            )


def _people(images: ImageSet) -> set[str]:
    return {images.names[number] for number in np.unique(images.identity)}


def _refuse_strangers(given: dict[str, ImageSet]) -> None:
    known = _people(given["train"])
    for name, remedy in (
        ("holdout", "people without training pictures belong into unseen"),
        ("synthetic", "name people as the training pictures do"),
    ):
        strange = sorted(_people(given[name]) - known)
        if strange:
            raise InputError(f"{name}: no training picture of {_listed(strange)}; {remedy}.")
    both = sorted(_people(given["unseen"]) & known)
    if both:
        raise InputError(
            f"unseen: {_listed(both)} stand among the training people by name; hold other people "
            "out (split_images(..., by='identity')), or rename those who only share a name."
        )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:SHOWN])
    return shown if len(names) <= SHOWN else f"{shown} and {len(names) - SHOWN} more"


def _numbered(given: dict[str, ImageSet]) -> dict[str, ImageSet]:
    """People by their place among the training names; the others come after, part by part."""
    names = given["train"].names
    place = {name: at for at, name in enumerate(names)}
    numbered = {}
    for part, images in given.items():
        if part in ("unseen", "newcomers"):  # nobody else's, whatever they are called
            number = len(names) + np.arange(len(images.names))
            names = (*names, *images.names)
        else:
            number = np.array([place.get(name, -1) for name in images.names], dtype=np.int64)
        numbered[part] = replace(images, identity=number[images.identity], names=names)
    return numbered


def _capped(numbered: dict[str, ImageSet], kept: dict[str, ImageSet]) -> list[str]:
    return [
        f"Of {len(part):,} {name} pictures {len(kept[name]):,} were used, drawn evenly over people "
        "by seed."
        for name, part in numbered.items()
        if len(kept[name]) < len(part)
    ]


def _shared(numbered: dict[str, ImageSet]) -> list[str]:
    """Exact copies between parts: a release of real pictures, or controls that are none."""
    known = set(picture_hashes(numbered["train"]))
    count = {
        name: sum(hashed in known for hashed in picture_hashes(numbered[name]))
        for name in PARTS[1:]
    }
    said = []
    for name, what in (("synthetic", "synthetic pictures"), ("newcomers", "newcomers' pictures")):
        if count[name]:
            said.append(
                f"{count[name]:,} of {len(numbered[name]):,} {what} are training pictures: this is "
                "a release of real pictures."
            )
    for name in ("holdout", "unseen"):
        if count[name]:
            said.append(
                f"{count[name]:,} {name} pictures are training pictures: scores that rest on them "
                "mislead."
            )
    return said


def _absent(numbered: dict[str, ImageSet]) -> list[str]:
    said = []
    if not len(numbered["holdout"]):
        said.append(
            "There are no held-out pictures of the training people: fidelity is judged by the "
            "training pictures, and leakage has no control of the same people."
        )
    if not len(numbered["unseen"]):
        said.append("There are no unseen people, so there is no utility score.")
    people = len(np.unique(numbered["train"].identity))
    missing = people - len(np.unique(numbered["synthetic"].identity))
    if missing:
        said.append(f"{missing:,} of {people:,} training people have no synthetic picture.")
    return said
