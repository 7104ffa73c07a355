"""The recogniser that rewards: trained on the scarce pictures, or brought along; then frozen."""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from reinforge.data.images import digest
from reinforge.errors import InputError
from reinforge.files import write_json
from reinforge.generators.prior import Prior
from reinforge.processes import Processes
from reinforge.randomness import number_from
from reinforge.recognition.config import PRESETS, RecogniserConfig, resolve_recogniser
from reinforge.recognition.ensemble import Ensemble
from reinforge.recognition.frozen import Encoder, load_encoder
from reinforge.recognition.recogniser import Recogniser
from reinforge.records import ImageSet
from reinforge.systems.identity.calibration import Calibration, calibrate, leave_one_out
from reinforge.systems.identity.phase import Told, train_phase

PHASE = "recogniser"
TRAINED = "trained.json"  # written when the training is over: what it was a training of
AUTO = "auto"  # the encoder of the prior where it has one, else a preset
AUTO_PRESET = "small"


def recogniser_config(recogniser: str, settings: Mapping[str, Any]) -> RecogniserConfig | None:
    """How a recogniser is trained; None where it is a frozen one at a path.

    Args:
        recogniser: A preset, a path, or "auto".
        settings: Any field of `RecogniserConfig`, over the preset.

    Raises:
        InputError: Neither a preset nor a path that exists, or settings for one that is frozen.
    """
    if recogniser == AUTO:
        return resolve_recogniser(AUTO_PRESET, **settings)
    if recogniser in PRESETS:
        return resolve_recogniser(recogniser, **settings)
    if not Path(recogniser).exists():
        raise InputError(
            f"recogniser {recogniser!r} is neither a preset ({', '.join(PRESETS)}) nor a file or "
            "folder that is there."
        )
    if settings:
        raise InputError(
            f"recogniser {recogniser!r} is trained already, so that its setting "
            f"{next(iter(settings))!r} would change nothing; leave it out."
        )
    return None


FEWEST_MISSED = 2  # pictures on which a calibration rests


def trained_teacher(
    images: ImageSet,
    *,
    n: int,
    config: RecogniserConfig,
    seed: int,
    place: Path | None,
    resume: bool,
    on_step: Told | None,
    stop: Callable[[], bool] | None,
    processes: Processes,
) -> tuple[Recogniser | Ensemble, list[dict[str, Any]]]:
    """Train n recognisers from first weights and in an order of their own, and take their mean.

    Other arguments, results and errors are those of `trained_recogniser`. The members lie in
    numbered folders of `place`; a recogniser that is alone lies there itself.
    """
    common: dict[str, Any] = {
        "config": config,
        "resume": resume,
        "on_step": on_step,
        "stop": stop,
        "processes": processes,
    }
    if n == 1:
        return trained_recogniser(images, seed=seed, place=place, **common)
    members, history = [], []
    for number in range(1, n + 1):
        member, told = trained_recogniser(
            images,
            seed=number_from(seed, "identity/member", number),
            place=place and place / str(number),
            phase=f"{PHASE} {number} of {n}",
            **common,
        )
        members.append(member)
        history += told
    teacher = Ensemble(members)
    if place is not None and processes.is_first:
        teacher.save(place)
    return teacher, history


def trained_recogniser(
    images: ImageSet,
    *,
    config: RecogniserConfig,
    seed: int,
    place: Path | None,
    resume: bool,
    on_step: Told | None,
    stop: Callable[[], bool] | None,
    processes: Processes,
    phase: str = PHASE,
) -> tuple[Recogniser, list[dict[str, Any]]]:
    """Train a recogniser, or go on with it, or take the one that was finished before.

    Args:
        images: Of all identities.
        config: How.
        seed: Of the run.
        place: Its folder, with its own checkpoints until it is done; None keeps nothing.
        resume: Go on with what lies there.
        on_step: Told each record, with its phase.
        stop: Asked after each step.
        processes: That learn together; each trains it by itself, and the first one's is taken.
        phase: What the training is called in its records.

    Returns:
        The recogniser, and a record a step.

    Raises:
        InputError: What lies there is of other settings or other pictures.
        Interrupted: `stop` said so; the state was saved first.
    """
    known = _fingerprint(images, config, seed)
    is_trained = place is not None and resume and (place / TRAINED).is_file()
    processes.barrier()  # all have looked before one of them writes
    if place is not None and is_trained:
        return _finished(place, known, processes, phase)
    if place is not None and processes.is_first and not resume:
        shutil.rmtree(place, ignore_errors=True)
    history: list[dict[str, Any]] = []

    def told(record: dict[str, Any]) -> None:
        history.append({key: value for key, value in record.items() if key not in ("done", "of")})
        if on_step is not None:
            on_step(record)

    recogniser = train_phase(
        phase,
        images,
        config=config,
        on_step=told,
        seed=seed,
        run_dir=place,
        resume=resume,
        stop=stop,
        device=processes.device,
        processes=processes,
    )
    processes.copy_first(recogniser.network.state_dict().values())
    if place is None or not processes.is_first:
        return recogniser, history
    recogniser.save(place)
    write_json(place / TRAINED, known)
    shutil.rmtree(place / "checkpoint", ignore_errors=True)
    return recogniser, _history(place, phase)


def calibrated(
    images: ImageSet,
    *,
    config: RecogniserConfig,
    seed: int,
    place: Path | None,
    resume: bool,
    on_step: Told | None,
    stop: Callable[[], bool] | None,
    processes: Processes,
) -> Calibration | None:
    """Train a second recogniser that misses pictures, and see what it makes of them.

    Arguments are those of `trained_recogniser`. None where too few identities have three pictures.
    """
    kept, missed = leave_one_out(images, seed=seed)
    if len(missed) < FEWEST_MISSED:
        return None
    recogniser, _ = trained_recogniser(
        images.subset(kept),
        config=config,
        seed=seed,
        place=place,
        resume=resume,
        on_step=on_step,
        stop=stop,
        processes=processes,
        phase="calibration",
    )
    label = torch.from_numpy(images.identity)
    with torch.no_grad():
        return calibrate(
            recogniser.embed_all(images.subset(kept)).cpu(),
            label[kept],
            recogniser.embed_all(images.subset(missed)).cpu(),
            label[missed],
        )


def _finished(
    place: Path, known: dict[str, Any], processes: Processes, phase: str
) -> tuple[Recogniser, list[dict[str, Any]]]:
    """The recogniser whose training was over before."""
    try:
        is_same = json.loads((place / TRAINED).read_text(encoding="utf-8")) == known
    except ValueError:
        raise InputError(f"{place / TRAINED}: damaged, no JSON; delete {place}.") from None
    if not is_same:
        raise InputError(
            f"{place}: the recogniser was trained with other settings or other pictures; use the "
            "same ones, or start afresh with --overwrite."
        )
    return Recogniser.load(place).to(processes.device), _history(place, phase)


def weights_digest(network: nn.Module) -> str:
    """SHA-256 over all weights and buffers, in the order of their names."""
    return tensors_digest(network.state_dict())


def tensors_digest(tensors: Mapping[str, torch.Tensor]) -> str:
    """SHA-256 over named tensors, in the order of their names."""
    told = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        told.update(name.encode() + b"\0")
        flat = tensor.detach().cpu().contiguous().flatten().view(torch.uint8)
        told.update(flat.numpy().tobytes())
    return told.hexdigest()


def encoder_of(prior: Prior, *, device: torch.device | str = "cpu") -> Encoder:
    """The encoder whose features describe people to the prior, on a device.

    Raises:
        InputError: It is not there.
    """
    if prior.encoder is None:
        raise InputError(
            "the prior draws people by likeness, and the encoder that sees it is gone; restore "
            "encoder/ in its folder, or set table_start=zero."
        )
    return load_encoder(prior.encoder, device=device)


def is_encoder_of(prior: Prior, recogniser: Encoder) -> bool:
    """Whether a recogniser is the encoder whose features describe people to the prior."""
    if prior.likeness is None or prior.encoder is None:
        return False
    return encoder_digest(recogniser) == encoder_digest(load_encoder(prior.encoder))


def encoder_digest(encoder: Encoder) -> str:
    """What tells an encoder from others: its weights, or its class where it shows none."""
    network = getattr(encoder, "network", None)
    return weights_digest(network) if isinstance(network, nn.Module) else type(encoder).__qualname__


def _fingerprint(images: ImageSet, config: RecogniserConfig, seed: int) -> dict[str, Any]:
    return {
        "config": config.model_dump(mode="json"),
        "seed": seed,
        "pictures": digest(images),
    }


def _history(place: Path, phase: str) -> list[dict[str, Any]]:
    lines = (place / "history.jsonl").read_text(encoding="utf-8").splitlines()
    return [{"phase": phase, **json.loads(line)} for line in lines]
