"""From named pictures to an image set: each is decoded once, and what is no good is left out."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import numpy as np

from reinforge.data.image_notes import (
    shown,
    warn_of_animated,
    warn_of_copies,
    warn_of_rejected,
)
from reinforge.data.picture import Picture, UnreadablePictureError, Wanted, decode
from reinforge.data.picture_files import FilePictures, SeenFile, look_at, pixel_hash
from reinforge.errors import InputError
from reinforge.records import ImageSet, Pictures

MEMORY_BYTES = 2 * 2**30  # a decoded set up to this size is held in memory

Progress = Callable[[str, float], None]  # what is being done, and the share done
OnRejected = Callable[[str, str], None]  # a picture's name, and why it is left out


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A picture that has not been looked at: a file, or encoded bytes out of a pack."""

    source: str  # its name in messages
    identity: str
    file: Path | None = None
    content: bytes | None = None
    camera: int | None = None
    group: str | None = None
    sha256: str | None = None  # what the content must hash to, where something says so
    refused: str | None = None  # why it is no picture of the set, where its name tells


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How pictures are read."""

    wanted: Wanted
    max_rejected: float = 0.05  # largest share of pictures that may be left out
    progress: Progress | None = None
    on_rejected: OnRejected | None = None

    def __post_init__(self) -> None:
        """Refuse a share that is none."""
        if not 0 <= self.max_rejected < 1:
            raise InputError(f"max_rejected must lie in [0, 1), got {self.max_rejected}.")


def read_candidates(
    candidates: Sequence[Candidate],
    reading: Reading,
    *,
    where: Path,
    order: Sequence[str] = (),
    tell_copies: bool = True,
) -> ImageSet:
    """Decode all candidates, leave out those that are no good, and say so in one warning.

    Args:
        candidates: At least one.
        reading: How.
        where: The folder or file that they come from, for messages.
        order: Names of identities that come first, in this order; others follow sorted.
        tell_copies: Whether exact copies among the pictures are worth a warning.

    Returns:
        Pictures in the order of the candidates.

    Raises:
        InputError: Too many are no good, or they differ in size and none was asked for.
    """
    if not candidates:
        raise InputError(f"{where} holds no pictures; give JPEG, PNG, BMP, GIF, WebP, TIFF or PNM.")
    kept = _Kept(len(candidates), reading)
    rejected: dict[str, str] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Pillow, on files that are read or refused anyway
        for at, candidate in enumerate(candidates):
            try:
                kept.add(at, candidate, *_decoded(candidate, reading.wanted))
            except UnreadablePictureError as error:
                rejected[candidate.source] = str(error)
                _stop_if_too_many(rejected, at + 1, len(candidates), reading, where)
            if reading.progress is not None and (at % 64 == 0 or at + 1 == len(candidates)):
                reading.progress("read", (at + 1) / len(candidates))
    for source, reason in rejected.items():
        if reading.on_rejected is not None:
            reading.on_rejected(source, reason)
    chosen = [candidates[at] for at in kept.numbers]
    pictures, hashes = kept.pictures()
    images = image_set(pictures, chosen, order=order)
    warn_of_rejected(rejected, {c.identity for c in candidates}, len(candidates), images, where)
    warn_of_animated([candidates[at].source for at in kept.animated], where)
    if tell_copies:
        warn_of_copies(hashes, images, where)
    return images


def image_set(
    pictures: Pictures, candidates: Sequence[Candidate], *, order: Sequence[str] = ()
) -> ImageSet:
    """The record of pictures whose candidates are told in the same order."""
    present = {candidate.identity for candidate in candidates}
    first = [name for name in order if name in present]
    names = (*first, *sorted(present - set(first)))
    position = {name: at for at, name in enumerate(names)}
    cameras = [candidate.camera for candidate in candidates]
    groups = [candidate.group for candidate in candidates]
    numbers = [position[candidate.identity] for candidate in candidates]
    return ImageSet(
        pixels=pictures,
        identity=np.asarray(numbers, dtype="int64"),
        names=names,
        camera=None if None in cameras else np.asarray(cameras, dtype="int64"),
        group=tuple(group for group in groups if group is not None) if None not in groups else None,
        sources=tuple(candidate.source for candidate in candidates),
    )


def _decoded(candidate: Candidate, wanted: Wanted) -> tuple[Picture, SeenFile | None]:
    if candidate.refused is not None:
        raise UnreadablePictureError(candidate.refused)
    seen, content = None, candidate.content
    if candidate.file is not None:
        seen = look_at(candidate.file)
        content = seen.read()
    if content is None:
        raise UnreadablePictureError("nothing to read")
    if candidate.sha256 is not None and sha256(content).hexdigest() != candidate.sha256:
        raise UnreadablePictureError("not the file that the manifest names (SHA-256 differs)")
    return decode(content, wanted), seen


class _Kept:
    """Pictures that were good, in memory while they fit there."""

    def __init__(self, n_candidates: int, reading: Reading) -> None:
        self.n_candidates = n_candidates
        self.wanted = reading.wanted  # with the size of the first picture, once there is one
        self.numbers: list[int] = []
        self.animated: list[int] = []
        self.files: list[SeenFile] = []
        self.hashes: list[bytes] = []
        self.channels: list[int] = []
        self.first = ""
        self.array: np.ndarray | None = None

    def add(
        self, number: int, candidate: Candidate, picture: Picture, file: SeenFile | None
    ) -> None:
        pixels = picture.pixels
        if not self.numbers:
            self._begin(candidate, pixels, file)
        if pixels.shape[:2] != self.wanted.size:
            raise InputError(_sizes_differ(self.first, candidate.source, self.wanted, pixels))
        if self.array is not None:
            self.array[len(self.numbers)] = pixels  # one channel is repeated
        if file is not None:
            self.files.append(file)
        self.hashes.append(pixel_hash(pixels))
        self.channels.append(pixels.shape[2])
        self.numbers.append(number)
        if picture.is_animated:
            self.animated.append(number)

    def _begin(self, candidate: Candidate, pixels: np.ndarray, file: SeenFile | None) -> None:
        """The first good picture tells the size, and with it whether all fit into memory."""
        self.first = candidate.source
        height, width = pixels.shape[:2]
        self.wanted = replace(self.wanted, size=(height, width))
        n_channels = 1 if self.wanted.channels == 1 else 3
        shape = (self.n_candidates, height, width, n_channels)
        if file is None or np.prod(shape, dtype="float64") <= MEMORY_BYTES:
            self.array = np.empty(shape, dtype="uint8")  # pages are taken as they are filled

    def pictures(self) -> tuple[Pictures, list[bytes]]:
        """The good pictures with one number of channels for all, and their hashes."""
        is_grey = max(self.channels) == 1
        wanted = replace(self.wanted, channels=1 if is_grey else 3)
        pictures: Pictures
        if self.array is not None:
            pictures = self.array[: len(self.numbers)]
            if is_grey and pictures.shape[3] == 3:
                pictures = np.ascontiguousarray(pictures[..., :1])
        else:
            pictures = FilePictures(self.files, wanted=wanted, hashes=self.hashes)
        hashes = self.hashes
        if min(self.channels) != max(self.channels):  # a grey one among colours has three by now
            again = [at for at, n_channels in enumerate(self.channels) if n_channels == 1]
            for at in again:
                hashes[at] = pixel_hash(pictures[np.array([at])][0])
            if isinstance(pictures, FilePictures):
                pictures = FilePictures(self.files, wanted=wanted, hashes=hashes)
        return pictures, hashes


def _sizes_differ(first: str, other: str, wanted: Wanted, pixels: np.ndarray) -> str:
    height, width = wanted.size or (0, 0)
    return (
        f"pictures differ in size: {first!r} has {height} x {width}, {other!r} "
        f"{pixels.shape[0]} x {pixels.shape[1]} (height x width); give size=, e.g. "
        f"size={min(height, width)} or size=({height}, {width})."
    )


def _stop_if_too_many(
    rejected: dict[str, str], n_seen: int, n_all: int, reading: Reading, where: Path
) -> None:
    if len(rejected) > reading.max_rejected * n_all:
        raise InputError(
            f"{where}: {len(rejected)} of the first {n_seen} pictures (of {n_all}) cannot be used, "
            f"more than max_rejected={reading.max_rejected:g} of all; mend or remove them: "
            f"{shown(rejected)}."
        )
