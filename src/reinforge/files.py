"""Files that are whole or not there: written beside their place, then moved in."""

import contextlib
import errno
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reinforge.errors import ResourceError


def write_atomic(path: str | Path, content: bytes) -> None:
    """Write a file so that a kill at any moment leaves the old content or the new, never a part.

    Raises:
        ResourceError: The disk is full; the message names the file and the bytes wanted.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with disk_errors(path, len(content)):
        try:
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            fsync_folder(path.parent)
        finally:
            with contextlib.suppress(FileNotFoundError):
                temporary.unlink()


def write_json(path: str | Path, content: Any) -> None:
    """Write JSON atomically; NaN and infinities are refused: no JSON reader need take them."""
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    write_atomic(path, (text + "\n").encode("utf-8", errors="backslashreplace"))


def fsync_folder(folder: Path) -> None:
    """Make a rename durable (a rename is an entry of the folder, not of the file)."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_file(path: str | Path) -> str:
    """The SHA-256 digest of a file's content, as 64 hex digits."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def disk_errors(path: str | Path, n_bytes: int | None = None) -> Iterator[None]:
    """Turn a full disk into one clear line (exit code 4)."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            wanted = f" ({n_bytes:,} bytes wanted)" if n_bytes is not None else ""
            raise ResourceError(
                f"{path}: the disk is full{wanted}; free some space and run again with --resume."
            ) from error
        raise
