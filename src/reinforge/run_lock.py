"""One run, one process: a lock that the kernel frees when its holder dies, however it dies."""

import contextlib
import errno
import fcntl
import json
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from reinforge.errors import InputError
from reinforge.files import disk_errors

LOCK = ".lock"  # lies in the folder while a process writes there


@contextlib.contextmanager
def locked(folder: Path, *, note: Callable[[str], None]) -> Iterator[None]:
    """Hold the folder for this process; make it if need be, and leave no empty one behind.

    Args:
        folder: The run's folder.
        note: Told when the lock of a dead process is taken over.

    Raises:
        InputError: Another process holds it, or the place is not writable.
    """
    made = _make(folder)
    try:
        descriptor = _take_lock(folder / LOCK, note)
        try:
            yield
        finally:
            (folder / LOCK).unlink(missing_ok=True)
            os.close(descriptor)
    finally:
        for place in made:
            with contextlib.suppress(OSError):  # not empty: the run has begun
                place.rmdir()


def _make(path: Path) -> list[Path]:
    """Make a folder; the ones that were not there before, innermost first."""
    made = [place for place in (path, *path.parents) if not place.exists()]
    try:
        with disk_errors(path):
            path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{path}: cannot be made ({error.strerror}); choose another --out."
        ) from None
    return made


def _take_lock(path: Path, note: Callable[[str], None]) -> int:
    """Lock the file: the kernel frees it when its holder dies, however it dies."""
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise InputError(
                f"{path.parent}: not writable ({error.strerror}); choose another --out."
            ) from None
        holder = _holder(descriptor)
        if not _flock(descriptor, holder):
            os.close(descriptor)
            raise InputError(
                f"{path.parent}: in use by {_named(holder)}; wait for it or choose another --out."
            )
        if _still_there(path, descriptor):
            break
        os.close(descriptor)
    if holder and holder.get("host") != socket.gethostname():
        os.close(descriptor)
        raise InputError(
            f"{path.parent}: in use by {_named(holder)}; if it is gone, delete {path}."
        )
    if holder:
        note(f"{path.parent}: took over the lock of {_named(holder)}, which is gone.")
    os.ftruncate(descriptor, 0)
    mine = {"pid": os.getpid(), "host": socket.gethostname()}
    os.pwrite(descriptor, json.dumps(mine).encode(), 0)
    return descriptor


def _flock(descriptor: int, holder: dict[str, Any]) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return False
        return not _is_alive(holder)  # a file system without locks: trust the process number
    return True


def _still_there(path: Path, descriptor: int) -> bool:
    """Whether the file that we locked is the one that others will find."""
    with contextlib.suppress(FileNotFoundError):
        return path.stat().st_ino == os.fstat(descriptor).st_ino
    return False


def _holder(descriptor: int) -> dict[str, Any]:
    with contextlib.suppress(ValueError):
        content = json.loads(os.pread(descriptor, 4096, 0) or b"{}")
        return content if isinstance(content, dict) else {}
    return {}


def _named(holder: dict[str, Any]) -> str:
    return f"process {holder.get('pid', '?')} on {holder.get('host', '?')}"


def _is_alive(holder: dict[str, Any]) -> bool:
    pid = holder.get("pid")
    if not isinstance(pid, int) or pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
