"""Pictures in NPZ files: as arrays, or as encoded files end to end.

Arrays: uint8 pictures (image, height, width[, channel]) under any name, with `labels` (of
`train_images`: `train_labels`); or `jpeg` (bytes, end to end) with `offsets`. Names of the labels
may lie in `names`, `identities` or `classes`; a camera and a group a picture in `camera`, `group`.
Object arrays are refused: reading them would run code.
"""

import itertools
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from reinforge.data.image_notes import warn_of_copies
from reinforge.data.image_reading import (
    Candidate,
    Reading,
    image_set,
    read_candidates,
)
from reinforge.data.picture import Wanted, refit
from reinforge.data.picture_files import pixel_hash
from reinforge.errors import InputError
from reinforge.records import ImageSet

MAX_UNPACKED = 64 * 2**30  # bytes of one file's arrays together
_NAMES = ("names", "identities", "classes")
_DAMAGE = (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, NotImplementedError)


def read_npz(path: Path, reading: Reading, *, array: str | None = None) -> ImageSet:
    """Read the pictures of an NPZ file into memory.

    Args:
        path: The file.
        reading: How encoded pictures are decoded, and size and channels of all.
        array: Which array holds the pictures, where there are several.

    Raises:
        InputError: It is no NPZ of pictures, which array is meant is open, or parts do not agree.
    """
    shapes = _shapes(path)
    chosen = _chosen(path, shapes, array)
    with np.load(path, allow_pickle=False) as arrays:
        try:
            parts = {
                name: arrays[name]
                for name in shapes
                if name in (chosen, "offsets", "files", "camera", "group", *_NAMES)
                or name == _labels_of(chosen)
            }
        except _DAMAGE as error:
            raise InputError(f"{path} is damaged: {error}.") from error
    encoded = _encoded(path, parts) if chosen == "jpeg" else None
    n_pictures = len(parts[chosen]) if encoded is None else len(encoded)
    candidates, order = _candidates(path, parts, _labels_of(chosen), n_pictures)
    if encoded is not None:
        full = [replace(c, content=e) for c, e in zip(candidates, encoded, strict=True)]
        return read_candidates(full, reading, where=path, order=order)
    pixels = _fitted(parts[chosen], reading.wanted, path)
    images = image_set(pixels, candidates, order=order)
    warn_of_copies([pixel_hash(picture) for picture in pixels], images, path)
    return images


def _shapes(path: Path) -> dict[str, tuple[tuple[int, ...], np.dtype]]:
    """Shape and type of every array, from their headers alone."""
    shapes = {}
    try:
        with zipfile.ZipFile(path) as archive:
            members = [item for item in archive.infolist() if item.filename.endswith(".npy")]
            n_bytes = sum(item.file_size for item in members)
            if n_bytes > MAX_UNPACKED:
                raise InputError(
                    f"{path} unpacks to {n_bytes:,} bytes; the cap is {MAX_UNPACKED:,}."
                )
            for item in members:
                with archive.open(item) as file:
                    version = np.lib.format.read_magic(file)
                    read = (
                        np.lib.format.read_array_header_1_0
                        if version == (1, 0)
                        else np.lib.format.read_array_header_2_0
                    )
                    shape, _, dtype = read(file)
                shapes[item.filename.removesuffix(".npy")] = (shape, dtype)
    except InputError:
        raise
    except _DAMAGE as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path} is no complete NPZ file: {reason}.") from error
    return shapes


def _chosen(
    path: Path, shapes: dict[str, tuple[tuple[int, ...], np.dtype]], array: str | None
) -> str:
    found: dict[str, tuple[int, ...]] = {
        name: shape
        for name, (shape, dtype) in shapes.items()
        if dtype == np.uint8 and (len(shape) == 3 or (len(shape) == 4 and shape[3] in (1, 3)))
    }
    if "jpeg" in shapes and "offsets" in shapes:
        found["jpeg"] = (shapes["offsets"][0][0] - 1,)
    shown = ", ".join(f"{name} {shape}" for name, shape in found.items())
    if array is not None and array not in found:
        raise InputError(f"{path} holds no pictures in array={array!r}; there are: {shown}.")
    if not found:
        raise InputError(
            f"{path} holds no pictures: a uint8 array (image, height, width[, 1 or 3]) was wanted, "
            f"or jpeg and offsets; there are {', '.join(shapes) or 'no arrays'}."
        )
    if array is None and len(found) > 1:
        raise InputError(f"{path} holds pictures in several arrays; give array= one of {shown}.")
    return array or next(iter(found))


def _labels_of(chosen: str) -> str:
    """`train_labels` for `train_images`, `labels` for any other array."""
    stem, _, last = chosen.rpartition("_")
    return f"{stem}_labels" if stem and last in ("images", "pixels", "x") else "labels"


def _encoded(path: Path, parts: dict[str, np.ndarray]) -> list[bytes]:
    raw, offsets = parts["jpeg"], parts["offsets"]
    whole = raw.dtype == np.uint8 and raw.ndim == 1 and offsets.ndim == 1
    if not whole or offsets.dtype.kind not in "iu" or len(offsets) < 2:
        raise InputError(f"{path}: jpeg must be bytes (uint8), offsets whole numbers, one more.")
    edges = offsets.astype("int64")
    if edges[0] < 0 or edges[-1] > len(raw) or (np.diff(edges) < 0).any():
        raise InputError(f"{path}: offsets must rise and stay within the {len(raw):,} jpeg bytes.")
    return [raw[start:stop].tobytes() for start, stop in itertools.pairwise(edges)]


def _candidates(
    path: Path, parts: dict[str, np.ndarray], labels: str, n_pictures: int
) -> tuple[list[Candidate], list[str]]:
    for name in (labels, "camera", "group", "files"):
        if name == labels and name not in parts:
            raise InputError(f"{path} has no array {labels!r}, which tells each identity.")
        if name in parts and parts[name].shape != (n_pictures,):
            raise InputError(
                f"{path}: {name} has shape {parts[name].shape} for {n_pictures} pictures."
            )
    identities, order = _identities(path, parts, labels)
    files = [str(name) for name in parts.get("files", np.arange(n_pictures))]
    cameras = [int(camera) for camera in parts["camera"]] if "camera" in parts else None
    groups = [str(group) for group in parts["group"]] if "group" in parts else None
    candidates = [
        Candidate(
            source=f"{path}#{files[at]}",
            identity=identities[at],
            camera=None if cameras is None else cameras[at],
            group=None if groups is None else groups[at],
        )
        for at in range(n_pictures)
    ]
    return candidates, order


def _identities(
    path: Path, parts: dict[str, np.ndarray], labels: str
) -> tuple[list[str], list[str]]:
    """The name of each picture's identity, and all names in the order of their labels."""
    numbers = parts[labels]
    if numbers.dtype.kind in "US":
        return [str(name) for name in numbers.astype("U")], []
    if numbers.dtype.kind not in "iu" or (len(numbers) and numbers.min() < 0):
        raise InputError(f"{path}: {labels} must be whole numbers from 0, or text.")
    names = next((parts[name] for name in _NAMES if name in parts), None)
    if names is None:
        return [str(number) for number in numbers], [str(number) for number in np.unique(numbers)]
    if len(numbers) and numbers.max() >= len(names):
        raise InputError(f"{path}: label {numbers.max()} has no name among {len(names)}.")
    texts = [str(name) for name in names]
    if len(set(texts)) != len(texts):
        raise InputError(f"{path}: two identities have the same name; make names unique.")
    return [texts[number] for number in numbers], texts


def _fitted(pixels: np.ndarray, wanted: Wanted, path: Path) -> np.ndarray:
    if len(pixels) == 0:
        raise InputError(f"{path} holds no pictures.")
    pixels = pixels[..., None] if pixels.ndim == 3 else pixels
    has_size = wanted.size is None or wanted.size == pixels.shape[1:3]
    if has_size and wanted.channels in ("auto", pixels.shape[3]):
        return pixels
    return np.stack([refit(picture, wanted) for picture in pixels])
