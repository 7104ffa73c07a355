"""Pictures of identities from wherever they lie: folders, tables, packs."""

import hashlib
import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from reinforge.data.image_folders import (
    REID_PARTS,
    detect_layout,
    folder_candidates,
    known_layout,
)
from reinforge.data.image_packs import read_npz
from reinforge.data.image_pairs import Pairs, read_pairs, read_rfw
from reinforge.data.image_reading import OnRejected, Progress, Reading, read_candidates
from reinforge.data.image_reid import read_reid, reid_candidates
from reinforge.data.image_split import (
    picture_hashes,
    require_identities,
    split_images,
    split_pictures,
    with_at_least,
)
from reinforge.data.image_table import manifest_candidates, table_candidates
from reinforge.data.image_writer import write_images
from reinforge.data.picture import Channels, Fit, Wanted
from reinforge.data.picture_files import FilePictures
from reinforge.errors import InputError
from reinforge.records import ImageSet

__all__ = [
    "FilePictures",
    "Pairs",
    "detect_layout",
    "digest",
    "read_images",
    "read_pairs",
    "read_reid",
    "read_rfw",
    "require_identities",
    "split_images",
    "split_pictures",
    "with_at_least",
    "write_images",
]

_log = logging.getLogger(__name__)


def read_images(
    path: str | Path,
    *,
    layout: str = "auto",
    size: int | tuple[int, int] | None = None,
    fit: Fit = "crop",
    channels: Channels = "auto",
    max_rejected: float = 0.05,
    array: str | None = None,
    columns: Mapping[str, str] | None = None,
    progress: Progress | None = None,
    on_rejected: OnRejected | None = None,
) -> ImageSet:
    """Read pictures of identities, check every one, and leave out those that are no good.

    Sets of up to 2 GiB are held in memory; larger ones stay on disk and are decoded when asked for.

    Args:
        path: A folder of pictures, a table of their paths, or an NPZ file.
        layout: How they are laid out, a word of `detect_layout`, or "auto".
        size: Height and width, or one number for both; None asks that all pictures agree.
        fit: How another aspect ratio is met: cut the middle, or stretch.
        channels: 1 (grey), 3 (RGB), or "auto": 1 where all pictures are grey.
        max_rejected: Share of the pictures that may be left out, in [0, 1).
        array: Of an NPZ with several image arrays, the one to take.
        columns: Of a table with other names: path, identity, camera or group -> column.
        progress: Told what is being done and the share done.
        on_rejected: Told each picture that is left out, and why.

    Returns:
        Pictures of one size; of a whole re-identification set its training part.

    Raises:
        InputError: Nothing is there, the layout is open, sizes differ and none was asked for, or
            too many pictures are no good.
    """
    path = Path(path)
    found = known_layout(layout, path)
    _refuse_idle(found, array, columns)
    _log.info("%s: pictures laid out as %r", path, found)
    reading = Reading(
        wanted=Wanted(
            size=(size, size) if isinstance(size, int) else size, fit=fit, channels=channels
        ),
        max_rejected=max_rejected,
        progress=progress,
        on_rejected=on_rejected,
    )
    if found == "npz":
        return read_npz(path, reading, array=array)
    if found == "table":
        candidates = table_candidates(path, columns)
    elif found == "manifest":
        candidates = manifest_candidates(path)
    elif found == "market":
        inside = path / REID_PARTS["train"]
        candidates = reid_candidates(inside if inside.is_dir() else path)
    else:
        candidates = folder_candidates(path, found)
    return read_candidates(candidates, reading, where=path)


def digest(images: ImageSet) -> str:
    """SHA-256 over names, identities, cameras, groups and pixels, in their order.

    Equal sets have equal digests, wherever they lie and whether in memory or on disk.
    """
    told = hashlib.sha256()
    for text in (*images.names, "", *(images.group or ())):
        told.update(text.encode("utf-8", "surrogatepass") + b"\0")
    for numbers in (images.identity, images.camera):
        told.update(b"-" if numbers is None else np.asarray(numbers, dtype="<i8").tobytes())
    for hashed in picture_hashes(images):
        told.update(hashed)
    return told.hexdigest()


def _refuse_idle(layout: str, array: str | None, columns: Mapping[str, str] | None) -> None:
    """A setting that would change nothing is a mistake."""
    if array is not None and layout != "npz":
        raise InputError(f"array= is for NPZ files; the pictures are laid out as {layout!r}.")
    if columns is not None and layout != "table":
        raise InputError(f"columns= is for tables; the pictures are laid out as {layout!r}.")
