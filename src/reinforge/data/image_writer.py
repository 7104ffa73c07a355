"""Pictures into a folder: PNG files in one folder an identity, and a manifest that names them."""

import hashlib
import io
import json
import os
import re
from pathlib import Path

import numpy as np
from PIL import Image

from reinforge.data.image_folders import MANIFEST, is_ignored
from reinforge.errors import InputError
from reinforge.files import disk_errors, write_atomic
from reinforge.records import ImageSet

MAX_NAME = 100  # characters of a folder's name
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def write_images(images: ImageSet, folder: str | Path) -> None:
    """Write every picture as PNG, in one folder an identity, and `manifest.jsonl`.

    The manifest has a line a picture: file, identity (its name as it is), sha256 of the file, and
    camera and group where there are any. It is written last: a folder without one is not whole.

    Args:
        images: The pictures.
        folder: New or empty.

    Raises:
        InputError: The folder holds something, or cannot be made.
        ResourceError: The disk is full.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_taken = any(folder.iterdir())
    except OSError as error:
        raise InputError(f"{folder} cannot be made: {error.strerror}; give another one.") from error
    if is_taken or not os.access(folder, os.W_OK):
        raise InputError(f"{folder} holds something or cannot be written; give a new folder.")
    places = folder_names(images.names)
    lines, counts = [], np.zeros(len(places), dtype="int64")
    for number in range(len(images)):
        identity = int(images.identity[number])
        counts[identity] += 1
        name = f"{places[identity]}/{counts[identity]:05d}.png"
        content = _png(images.pixels[np.array([number])][0])
        with disk_errors(folder / name, len(content)):
            (folder / places[identity]).mkdir(exist_ok=True)
            (folder / name).write_bytes(content)
        line: dict[str, str | int] = {
            "file": name,
            "identity": images.names[identity],
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        if images.camera is not None:
            line["camera"] = int(images.camera[number])
        if images.group is not None:
            line["group"] = images.group[number]
        lines.append(json.dumps(line) + "\n")
    write_atomic(folder / MANIFEST, "".join(lines).encode())


def folder_names(names: tuple[str, ...]) -> list[str]:
    """A folder's name for each identity that every file system can hold, no two alike.

    A name that is safe stays as it is; others lose what is not, and get 8 digits of their hash.
    """
    taken: set[str] = set()
    places = []
    for name in names:
        place = re.sub(r"[^\w.-]+", "_", name, flags=re.ASCII)[:MAX_NAME]
        is_safe = place == name and name.strip(". ") == name and not _DEVICES.fullmatch(name)
        if not is_safe or not name or is_ignored(name) or place.lower() in taken:
            mark = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
            place = f"{place.strip('._') or 'identity'}-{mark}"
        taken.add(place.lower())
        places.append(place)
    return places


def _png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(file, format="PNG")
    return file.getvalue()
