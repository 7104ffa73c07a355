"""Verification: pairs of pictures and whether both show one person, in folds."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int64

from reinforge.data.image_bin import read_packed_pairs
from reinforge.data.image_folders import detect_layout, folder_candidates
from reinforge.data.image_reading import Candidate, Progress, Reading, read_candidates
from reinforge.data.picture import Channels, Fit, Wanted
from reinforge.errors import InputError
from reinforge.records import ImageSet

N_FOLDS = 10  # of LFW and of the sets made like it
MAX_LINES = 50_000_000  # bytes of a pairs file


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Pairs of pictures of one image set."""

    left: Int64[np.ndarray, " pair"]  # numbers of pictures
    right: Int64[np.ndarray, " pair"]
    same: Bool[np.ndarray, " pair"]  # whether both show the same person
    fold: Int64[np.ndarray, " pair"]  # 0 to 9: accuracy is measured on one by the others' threshold

    def __len__(self) -> int:
        """How many pairs."""
        return len(self.same)


def read_pairs(
    path: str | Path,
    images: ImageSet | None = None,
    *,
    size: int | tuple[int, int] | None = None,
    fit: Fit = "crop",
    channels: Channels = "auto",
    progress: Progress | None = None,
) -> tuple[ImageSet, Pairs]:
    """Read a verification set.

    Args:
        path: A `pairs.txt` as LFW's (lines `name 1 4` and `name 2 other 3`, with or without a line
            of counts at the start); an `.npz` with an array `pairs` (left, right, same); or the
            `.bin` of encoded pairs that the face community packs, which is read as data: nothing
            in it is run.
        images: The pictures that a text or NPZ speaks of. A `.bin` holds its own.
        size: Of the pictures of a `.bin`, see `read_images`; so are `fit` and `channels`.
        fit: Crop or stretch.
        channels: 1, 3 or "auto".
        progress: Told what is being done and the share done.

    Returns:
        The pictures and the pairs. What a `.bin` tells of identities is which pictures are one
        person's in a pair; its names are numbers of pairs, not of people.

    Raises:
        InputError: The file is of another form, or names a picture that is not there.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path} does not exist; give pairs.txt, a .bin or an .npz.")
    if path.suffix.lower() == ".bin":
        wanted = Wanted(
            size=(size, size) if isinstance(size, int) else size, fit=fit, channels=channels
        )
        return _from_bin(path, Reading(wanted=wanted, max_rejected=0.0, progress=progress))
    if images is None:
        raise InputError(f"{path} names pictures of a set; read that set and give it as images=.")
    if path.suffix.lower() == ".npz":
        return images, _from_npz(path, images)
    return images, _from_text(path, images)


def read_rfw(
    root: str | Path,
    *,
    size: int | tuple[int, int] | None = None,
    fit: Fit = "crop",
    channels: Channels = "auto",
    max_rejected: float = 0.0,
    progress: Progress | None = None,
) -> dict[str, tuple[ImageSet, Pairs]]:
    """Read groups of people with a verification set each, as RFW has four.

    Args:
        root: A folder with `data/GROUP/IDENTITY/*.jpg` and `txts/GROUP/GROUP_pairs.txt` (RFW as
            published), with `GROUP/IDENTITY/*.jpg` and `GROUP/pairs.txt`, or with `GROUP.bin` or
            `GROUP_test.bin`.
        size: See `read_images`; so are `fit`, `channels`, `max_rejected` and `progress`.
        fit: Crop or stretch.
        channels: 1, 3 or "auto".
        max_rejected: Share of pictures that may be left out; a pair must not need them.
        progress: Told what is being done and the share done.

    Returns:
        Group -> pictures and pairs.

    Raises:
        InputError: There are no groups, or one lacks its pairs.
    """
    root = Path(root)
    wanted = Wanted(
        size=(size, size) if isinstance(size, int) else size, fit=fit, channels=channels
    )
    reading = Reading(wanted=wanted, max_rejected=max_rejected, progress=progress)
    packs = sorted(root.glob("*.bin"))
    if packs:
        return {pack.stem.removesuffix("_test"): _from_bin(pack, reading) for pack in packs}
    pictures = root / "data" if (root / "data").is_dir() else root
    groups = sorted(folder for folder in pictures.glob("*") if folder.is_dir())
    groups = [folder for folder in groups if folder.name != "txts" and folder.name[0] != "."]
    if not groups:
        raise InputError(
            f"{root} holds no groups; as RFW has it, data/African/IDENTITY/*.jpg and "
            "txts/African/African_pairs.txt were wanted."
        )
    return {folder.name: _group(folder, root, reading) for folder in groups}


def _group(folder: Path, root: Path, reading: Reading) -> tuple[ImageSet, Pairs]:
    name = folder.name
    places = (
        *(root / "txts" / name / f"{name}_pairs.txt", root / f"{name}_pairs.txt"),
        *(folder / f"{name}_pairs.txt", folder / "pairs.txt"),
    )
    file = next((place for place in places if place.is_file()), None)
    if file is None:
        raise InputError(f"{folder} has no pairs; {places[0]} or {places[-1]} was wanted.")
    inside = folder / "images" if (folder / "images").is_dir() else folder
    if detect_layout(inside) != "folders":
        raise InputError(f"{inside}: one folder an identity was wanted.")
    told = [replace(c, group=name) for c in folder_candidates(inside, "folders")]
    images = read_candidates(told, reading, where=inside)
    return images, _from_text(file, images)


def _from_text(path: Path, images: ImageSet) -> Pairs:
    if path.stat().st_size > MAX_LINES:
        raise InputError(f"{path} is larger than {MAX_LINES:,} bytes; is it a list of pairs?")
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is no UTF-8 text; LFW-style pairs were wanted.") from error
    first = 0
    n_folds = N_FOLDS
    if lines and re.fullmatch(r"\s*\d+(\s+\d+)?\s*", lines[0]):
        counts, first = lines[0].split(), 1
        n_folds = int(counts[0]) if len(counts) == 2 else N_FOLDS
    number_of = _numbers(images)
    found: list[tuple[int, int, bool]] = []
    for at, line in enumerate(lines[first:], start=first + 1):
        if line.strip():
            found.append(_pair(line, number_of, f"{path}, line {at}"))
    return _folded(found, n_folds, path)


def _pair(line: str, number_of: dict[tuple[str, int], int], where: str) -> tuple[int, int, bool]:
    # names may hold spaces where tabs part the fields
    fields = [field.strip() for field in (line.split("\t") if "\t" in line else line.split())]
    if len(fields) == 3:
        fields = [fields[0], fields[1], fields[0], fields[2]]
    elif len(fields) != 4:
        raise InputError(f"{where}: 'name 1 2' or 'name 1 other 2' was wanted, got {line[:60]!r}.")
    ends = []
    for name, number in ((fields[0], fields[1]), (fields[2], fields[3])):
        if not number.isdecimal():
            raise InputError(f"{where}: {number[:20]!r} is no number of a picture.")
        if (name, int(number)) not in number_of:
            raise InputError(
                f"{where}: there is no picture {int(number)} of {name!r} (a file "
                f"{name}/{name}_{int(number):04d}.*); give the whole set."
            )
        ends.append(number_of[name, int(number)])
    return ends[0], ends[1], fields[0] == fields[2]


def _numbers(images: ImageSet) -> dict[tuple[str, int], int]:
    """(Identity, number at the end of the file's name) -> number of the picture."""
    numbers: dict[tuple[str, int], int] = {}
    for at, source in enumerate(images.sources):
        told = re.search(r"(\d+)(\.\w+)?$", source)
        if told:
            numbers.setdefault((images.names[images.identity[at]], int(told[1])), at)
    return numbers


def _from_npz(path: Path, images: ImageSet) -> Pairs:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            pairs = arrays["pairs"]
    except (OSError, ValueError, EOFError, KeyError) as error:
        raise InputError(f"{path} holds no array 'pairs' that can be read: {error}.") from error
    if pairs.ndim != 2 or pairs.shape[1] != 3 or pairs.dtype.kind not in "iu":
        raise InputError(f"{path}: pairs must be whole numbers (pair, 3), got {pairs.shape}.")
    if pairs.size and not (0 <= pairs[:, :2].min() and pairs[:, :2].max() < len(images)):
        raise InputError(f"{path}: pairs name pictures beyond the {len(images)} of the set.")
    wrong = (images.identity[pairs[:, 0]] == images.identity[pairs[:, 1]]) != (pairs[:, 2] != 0)
    if wrong.any():
        raise InputError(
            f"{path}: pair {int(wrong.argmax())} and {int(wrong.sum()) - 1} more disagree with the "
            "labels of the pictures; were some left out when the set was read?"
        )
    return _folded([(int(a), int(b), bool(c)) for a, b, c in pairs], N_FOLDS, path, mixed=False)


def _from_bin(path: Path, reading: Reading) -> tuple[ImageSet, Pairs]:
    encoded, same = read_packed_pairs(path)
    identities = []
    for at, is_same in enumerate(same):
        left = f"pair {at}"
        identities += [left, left if is_same else f"{left}, other"]
    candidates = [
        Candidate(source=f"{path}#{at}", identity=identity, content=content)
        for at, (identity, content) in enumerate(zip(identities, encoded, strict=True))
    ]
    # a person's picture stands in many pairs, so copies are no news here
    images = read_candidates(candidates, reading, where=path, order=identities, tell_copies=False)
    found = [(2 * at, 2 * at + 1, is_same) for at, is_same in enumerate(same)]
    return images, _folded(found, N_FOLDS, path)


def _folded(
    found: Sequence[tuple[int, int, bool]], n_folds: int, path: Path, *, mixed: bool = True
) -> Pairs:
    """Folds are equal runs of lines; where genuine and impostor pairs lie apart, runs of each."""
    if not found:
        raise InputError(f"{path} holds no pairs.")
    left, right, same = (np.asarray(part) for part in zip(*found, strict=True))
    fold = np.arange(len(same)) * n_folds // len(same)
    if not mixed:
        for kind in (True, False):
            members = np.flatnonzero(same == kind)
            fold[members] = np.arange(len(members)) * n_folds // max(len(members), 1)
    return Pairs(
        left=left.astype("int64"),
        right=right.astype("int64"),
        same=same.astype("bool"),
        fold=fold.astype("int64"),
    )
