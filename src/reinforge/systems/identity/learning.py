"""Cold start and reinforcement from beginning to end: learner, looks, history, checkpoints."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from reinforge.data.images import digest
from reinforge.generators.prior import Prior
from reinforge.processes import Processes
from reinforge.recognition.frozen import Encoder
from reinforge.recognition.recogniser import as_pixels
from reinforge.records import ImageSet
from reinforge.systems.identity.bank import memory_bank
from reinforge.systems.identity.config import IdentityConfig
from reinforge.systems.identity.learner import Learner, new_learner
from reinforge.systems.identity.step import step
from reinforge.systems.identity.teacher import Told, encoder_digest, weights_digest
from reinforge.systems.identity.watching import Watch
from reinforge.training import Place, train

# where and how much at once: rounding, not what is learnt
PLACE = {"device", "micro_batch", "gradient_checkpointing"}
COLD_START, REINFORCEMENT = "cold start", "reinforcement"


def learn(
    prior: Prior,
    images: ImageSet,
    recogniser: Encoder,
    *,
    config: IdentityConfig,
    seed: int,
    processes: Processes,
    looseness: float = 1.0,
    folder: Path | None = None,
    resume: bool = False,
    on_step: Told | None = None,
    stop: Callable[[], bool] | None = None,
) -> tuple[Learner, list[dict[str, Any]]]:
    """Put identities into a prior and reinforce it.

    Args:
        prior: Stays as it is.
        images: Of the prior's size, as `training_set` makes them.
        recogniser: Rewards.
        config: How.
        seed: Of the run.
        processes: That learn together.
        looseness: Of the recogniser, as `calibrated` measures it.
        folder: Where checkpoints, history and the sheet of pictures are kept.
        resume: Go on from the newest checkpoint there.
        on_step: Told each record, with how far its phase is.
        stop: Asked after each step.

    Returns:
        The learner at its last step, and a record a step.
    """
    label = torch.from_numpy(images.identity)
    feature = recogniser.embed_all(images)
    known_as = label.to(feature.device)
    bank = memory_bank(feature, known_as, len(images.names), looseness=looseness)
    learner = new_learner(
        prior,
        as_pixels(images.pixels[np.arange(len(images))]),
        label,
        bank,
        config=config,
        seed=seed,
        device=processes.device,
        processes=processes,
    )
    watch = Watch(learner, recogniser.embed, names=images.names, seed=seed, folder=folder)

    def one(index: int) -> dict[str, Any]:
        record: dict[str, Any] = step(learner, recogniser.embed, index, seed=seed)
        phase = COLD_START if index < config.cold_start_steps else REINFORCEMENT
        is_due = processes.is_first and watch.due(index)
        return {"phase": phase, **record, **(watch(index) if is_due else {})}

    def told(record: dict[str, Any]) -> None:
        if on_step is not None:
            on_step({**record, **_progress(record, config)})

    place = None
    if folder is not None:
        known = _fingerprint(prior, images, recogniser, config, seed)
        place = Place(folder=folder, fingerprint=known, every=config.checkpoint_every)
    history = train(
        learner,
        one,
        config.total_steps,
        place=place,
        resume=resume,
        on_step=told,
        stop=stop,
        processes=processes,
    )
    return learner, history


def _progress(record: dict[str, Any], config: IdentityConfig) -> dict[str, int]:
    """How far the phase of a record is."""
    done = record["step"] + 1
    if record["phase"] == COLD_START:
        return {"done": done, "of": config.cold_start_steps}
    return {"done": done - config.cold_start_steps, "of": config.n_steps}


def _fingerprint(
    prior: Prior, images: ImageSet, recogniser: Encoder, config: IdentityConfig, seed: int
) -> str:
    """What a checkpoint belongs to; where it is learnt makes no difference."""
    known = [
        seed,
        config.model_dump(mode="json", exclude=PLACE),
        weights_digest(prior.transformer),
        encoder_digest(recogniser),
        digest(images),
    ]
    return hashlib.sha256(json.dumps(known).encode()).hexdigest()
