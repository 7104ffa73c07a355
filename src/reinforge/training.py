"""Repeat a step, keep its history, checkpoint, resume, stop. Knows no algorithm.

A run folder holds `history.jsonl` (one line a step) and `checkpoint/step-N/` (the state after N
steps: `state.safetensors` and `manifest.json`). Steps draw their randomness from
their number, so a run that was killed and resumed gives the same weights and the same history as
one that ran straight.
"""

import hashlib
import importlib.util
import json
import os
import shutil
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from reinforge.errors import InputError, ReinforgeError, ResourceError
from reinforge.files import disk_errors, fsync_folder, sha256_file, write_atomic, write_json
from reinforge.processes import ALONE, Processes

FORMAT = 1
UNFINISHED = "unfinished"  # name of a checkpoint while it is written
PATIENCE = 25  # steps in a row without a finite update before a run gives up


class Interrupted(ReinforgeError):
    """The user asked to stop; the state is saved and `--resume` goes on from it."""

    exit_code = 130


@runtime_checkable
class Trainee(Protocol):
    """What is trained: its state by name, and the way back."""

    def tensors(self) -> dict[str, Tensor]:
        """All state that training changes."""

    def load_tensors(self, state: dict[str, Tensor]) -> None:
        """Put saved state back."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a run keeps its checkpoints and history, and what it must be to be resumed."""

    folder: Path
    fingerprint: str  # of settings and data: a checkpoint of another run is refused
    every: int = 500  # steps between checkpoints; there is one at the end, too


def train(
    trainee: Trainee,
    step: Callable[[int], dict[str, Any]],
    n_steps: int,
    *,
    place: Place | None = None,
    resume: bool = False,
    on_step: Callable[[dict[str, Any]], None] | None = None,
    stop: Callable[[], bool] | None = None,
    processes: Processes = ALONE,
) -> list[dict[str, Any]]:
    """Run steps 0 to n_steps - 1, or those that are left.

    Of several processes the first one alone writes files and tells `on_step`; all resume from the
    same checkpoint, and stop when one of them is asked to.

    Args:
        trainee: Changed in place by `step`.
        step: Runs one step by its number and says what the history keeps; "update_taken" = 0 tells
            that the update was skipped because it was not finite.
        n_steps: Length of the whole run.
        place: Where to checkpoint; None keeps nothing.
        resume: Go on from the newest whole checkpoint, if there is one; False drops checkpoints
            that an earlier run left in the folder.
        on_step: Told each record.
        stop: Asked after each step.
        processes: That train together, each with the same arguments.

    Returns:
        The history of the whole run, a record a step.

    Raises:
        Interrupted: `stop` said so; the state was saved first.
        ReinforgeError: Updates stayed non-finite, or another process ended.
    """
    history = _begin(trainee, place, resume=resume, processes=processes)
    if not processes.is_first:
        place = on_step = None
    writer = _HistoryFile(place, history)
    n_skipped = 0
    try:
        for index in range(len(history), n_steps):
            record = {"step": index, **step(index)}
            n_skipped = 0 if record.pop("update_taken", 1.0) else n_skipped + 1
            if n_skipped >= PATIENCE:
                raise ReinforgeError(
                    f"training: {PATIENCE} updates in a row were not finite (step {index}); lower "
                    "learning_rate or the weight of a reward, and resume from the last checkpoint."
                )
            history.append(record)
            writer.append(record)
            if on_step is not None:
                on_step(record)
            asked = stop is not None and index + 1 < n_steps and stop()
            stopping = processes.any(asked)
            is_last = index + 1 == n_steps  # what comes after the training may be stopped, too
            if place is not None and (stopping or is_last or (index + 1) % place.every == 0):
                writer.flush()
                save_checkpoint(trainee, place, index + 1)
            if stopping:
                processes.barrier()  # a launcher kills the others when one of them ends
                raise Interrupted(
                    f"stopped after step {index + 1} of {n_steps}; the state is saved."
                )
    finally:
        writer.close()
    return history


def _begin(
    trainee: Trainee, place: Place | None, *, resume: bool, processes: Processes
) -> list[dict[str, Any]]:
    """The history to go on from; a run that starts afresh leaves no older checkpoint behind it."""
    if place is None:
        return []
    place.folder.mkdir(parents=True, exist_ok=True)
    if not resume:
        if processes.is_first:
            shutil.rmtree(place.folder / "checkpoint", ignore_errors=True)
        return []
    history = restore(trainee, place)
    _refuse_other_states(len(history), place, processes)
    return history


def _refuse_other_states(n_done: int, place: Place, processes: Processes) -> None:
    """All have read before one of them writes, and all have read the same."""
    found = processes.gather(torch.tensor([n_done])).tolist()
    if len(set(found)) > 1:
        raise InputError(
            f"{place.folder}: the processes see checkpoints of different steps "
            f"({', '.join(map(str, found))}); the run folder must lie on a disk that all share."
        )


class _HistoryFile:
    """`history.jsonl`, cut back to what the checkpoint knows and then appended to."""

    def __init__(self, place: Place | None, history: list[dict[str, Any]]) -> None:
        self._file = None
        self._events = _event_writer(place, len(history))
        if place is not None:
            self.path = place.folder / "history.jsonl"
            write_atomic(self.path, "".join(map(_line, history)).encode())
            self._file = self.path.open("a", encoding="utf-8")

    def append(self, record: dict[str, Any]) -> None:
        if self._file is not None:
            with disk_errors(self.path):
                self._file.write(_line(record))
        if self._events is not None:
            for name, value in record.items():
                if isinstance(value, int | float):  # words stay in the history alone
                    self._events.add_scalar(name, value, record["step"])

    def flush(self) -> None:
        if self._file is not None:
            with disk_errors(self.path):
                self._file.flush()
                os.fsync(self._file.fileno())

    def close(self) -> None:
        if self._file is not None:
            with disk_errors(self.path):
                self._file.close()
        if self._events is not None:
            self._events.close()


def _event_writer(place: Place | None, n_done: int) -> Any:
    """TensorBoard events beside the history, for users who have installed its package."""
    if place is None or importlib.util.find_spec("tensorboard") is None:
        return None
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(place.folder / "tensorboard"), purge_step=n_done)


def _line(record: dict[str, Any]) -> str:
    return json.dumps(record) + "\n"


def save_checkpoint(trainee: Trainee, place: Place, n_done: int) -> None:
    """Save the state after `n_done` steps; the checkpoint before the last one is dropped.

    It gets its name when it is whole, so that a kill at any moment leaves no part of one by that
    name. The manifest holds the digest of the state: what is damaged later is told by it.
    """
    whole = place.folder / "checkpoint" / f"step-{n_done:08d}"
    folder = whole.with_name(UNFINISHED)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)  # as far as it could be cleared
    state = {name: tensor.detach().contiguous() for name, tensor in trainee.tensors().items()}
    write_atomic(folder / "state.safetensors", save(state))
    manifest = {
        "format": FORMAT,
        "steps_done": n_done,
        "fingerprint": place.fingerprint,
        "sha256": sha256_file(folder / "state.safetensors"),
    }
    write_json(folder / "manifest.json", manifest)
    shutil.rmtree(whole, ignore_errors=True)  # a damaged one of an earlier run
    with disk_errors(whole):
        folder.rename(whole)
    fsync_folder(whole.parent)
    for old in sorted(whole.parent.glob("step-*"))[:-2]:
        shutil.rmtree(old, ignore_errors=True)


def restore(trainee: Trainee, place: Place) -> list[dict[str, Any]]:
    """Load the newest whole checkpoint and the history up to it; [] where there is none.

    Raises:
        InputError: The checkpoint is of other settings or other data, or of a newer format.
    """
    for folder in sorted((place.folder / "checkpoint").glob("step-*"), reverse=True):
        whole = _read_whole(folder, place.folder / "history.jsonl")
        if whole is None:
            warnings.warn(
                f"{folder}: the checkpoint is damaged; going back to the one before.",
                stacklevel=4,
            )
            continue
        manifest, content, history = whole
        _refuse_other_run(folder, manifest, place)
        try:
            trainee.load_tensors(load(content))
        except (SafetensorError, RuntimeError, KeyError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise InputError(f"{folder}: the state does not fit this run ({reason}).") from error
        return history
    return []


def _read_whole(
    folder: Path, history_file: Path
) -> tuple[dict[str, Any], bytes, list[dict[str, Any]]] | None:
    """Manifest, state and history of one checkpoint; None where any of them is not whole."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        is_newer = manifest["format"] > FORMAT
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if is_newer:
        raise InputError(
            f"{folder}: written by a newer reinforge (format {manifest['format']}); upgrade it."
        )
    try:
        content = (folder / "state.safetensors").read_bytes()
        history = _history_until(history_file, manifest["steps_done"])
        is_whole = hashlib.sha256(content).hexdigest() == manifest["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return (manifest, content, history) if is_whole else None


def _refuse_other_run(folder: Path, manifest: dict[str, Any], place: Place) -> None:
    if manifest.get("fingerprint") != place.fingerprint:
        raise InputError(
            f"{folder}: the checkpoint belongs to other settings or other data; use the same ones, "
            "or start afresh with --overwrite."
        )


def _history_until(path: Path, n_steps: int) -> list[dict[str, Any]]:
    lines = path.read_text(encoding="utf-8").splitlines()[:n_steps]
    if len(lines) < n_steps:
        raise ValueError("the history is shorter than the checkpoint")
    return [json.loads(line) for line in lines]


def memory_errors(error: RuntimeError, remedy: str) -> ResourceError | None:
    """What torch says when memory runs out, as one clear line; None for any other error."""
    text = str(error)
    if "can't allocate memory" in text or "out of memory" in text:
        return ResourceError(f"memory ran out ({text.splitlines()[0]}); {remedy}")
    return None
