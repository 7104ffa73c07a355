"""Pictures that stay on disk: decoded when asked for, and refused when a file has changed."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reinforge.data.picture import MAX_BYTES, UnreadablePictureError, Wanted, decode
from reinforge.errors import InputError


@dataclass(frozen=True, kw_only=True)
class SeenFile:
    """A file as it was when it was first looked at."""

    path: Path
    n_bytes: int
    modified_ns: int

    def read(self) -> bytes:
        """The content, if size and time of change are those noted.

        Raises:
            InputError: The file is gone, cannot be read, or is another one by now.
        """
        try:
            with self.path.open("rb") as file:
                now = os.fstat(file.fileno())
                content = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise InputError(
                f"{self.path} was there at the start and cannot be read now ({error.strerror}); "
                "put it back and go on with --resume, or start again without it."
            ) from error
        if (now.st_size, now.st_mtime_ns) != (self.n_bytes, self.modified_ns):
            raise InputError(
                f"{self.path} changed since the start ({self.n_bytes:,} bytes then, "
                f"{now.st_size:,} now); put the old file back and go on with --resume, or start "
                "again."
            )
        return content


def look_at(path: Path) -> SeenFile:
    """Note size and time of change of a file.

    Raises:
        UnreadablePictureError: It is missing, no file, not readable or too large.
    """
    try:
        found = path.stat()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UnreadablePictureError(f"cannot be opened: {reason}") from error
    if not path.is_file():
        raise UnreadablePictureError("no regular file")
    if not os.access(path, os.R_OK):
        raise UnreadablePictureError("no permission to read it")
    if found.st_size > MAX_BYTES:
        raise UnreadablePictureError(f"{found.st_size:,} bytes, more than {MAX_BYTES:,}")
    return SeenFile(path=path, n_bytes=found.st_size, modified_ns=found.st_mtime_ns)


class FilePictures:
    """Pictures of one size in files (see `reinforge.records.Pictures`)."""

    def __init__(
        self, files: Sequence[SeenFile], *, wanted: Wanted, hashes: Sequence[bytes]
    ) -> None:
        """Nothing is read here.

        Args:
            files: One a picture.
            wanted: Size and channels, both fixed.
            hashes: `pixel_hash` of each picture.
        """
        if wanted.size is None or wanted.channels == "auto":
            raise InputError("pictures that stay on disk need a fixed size and number of channels.")
        self.files = tuple(files)
        self.hashes = tuple(hashes)
        self.wanted = wanted
        self._shape = (len(self.files), *wanted.size, wanted.channels)

    @property
    def shape(self) -> tuple[int, ...]:
        """(image, height, width, channel)."""
        return self._shape

    def __len__(self) -> int:
        """How many pictures."""
        return len(self.files)

    def __getitem__(self, numbers: Any) -> np.ndarray:
        """Decode the pictures of these numbers (an array, a mask or a slice), in their order.

        Raises:
            InputError: A file is gone or changed since it was first looked at.
        """
        chosen = np.arange(len(self.files))[numbers]
        if chosen.ndim == 0:
            return self._decoded(int(chosen))
        pixels = np.empty((len(chosen), *self._shape[1:]), dtype="uint8")
        for place, number in enumerate(chosen):
            pixels[place] = self._decoded(int(number))
        return pixels

    def only(self, numbers: np.ndarray) -> "FilePictures":
        """The pictures of these numbers, still on disk."""
        return FilePictures(
            [self.files[number] for number in numbers],
            wanted=self.wanted,
            hashes=[self.hashes[number] for number in numbers],
        )

    def _decoded(self, number: int) -> np.ndarray:
        file = self.files[number]
        try:
            return decode(file.read(), self.wanted).pixels
        except UnreadablePictureError as error:
            raise InputError(f"{file.path} cannot be read any more: {error}.") from error


def pixel_hash(pixels: np.ndarray) -> bytes:
    """What identifies a decoded picture: SHA-256 over its shape and pixels."""
    shape = ",".join(map(str, pixels.shape)).encode()
    return hashlib.sha256(shape + b"\0" + np.ascontiguousarray(pixels).tobytes()).digest()
