"""Cold start and reinforcement from beginning to end: learner, looks, history, checkpoints."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from reinforge.data.images import digest
from reinforge.generators.likeness import Feature
from reinforge.generators.prior import Prior
from reinforge.processes import Processes
from reinforge.randomness import number_from
from reinforge.recognition.frozen import Encoder
from reinforge.recognition.recogniser import as_pixels
from reinforge.records import ImageSet
from reinforge.systems.identity.bank import Bank, memory_bank, with_strangers
from reinforge.systems.identity.config import IdentityConfig
from reinforge.systems.identity.learner import Learner, new_learner
from reinforge.systems.identity.step import step
from reinforge.systems.identity.teacher import (
    Told,
    encoder_digest,
    encoder_of,
    is_encoder_of,
    tensors_digest,
    weights_digest,
)
from reinforge.systems.identity.watching import Watch
from reinforge.training import Place, train

# where and how much at once: rounding, not what is learnt
PLACE = {"device", "micro_batch", "gradient_checkpointing"}
POOL = "identity/strangers of reinforcement"  # what their seed is drawn for
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
    bank, described = taught(
        prior, images, recogniser, config=config, seed=seed, looseness=looseness
    )
    learner = new_learner(
        prior,
        as_pixels(images.pixels[np.arange(len(images))]),
        label,
        bank,
        config=config,
        seed=seed,
        device=processes.device,
        processes=processes,
        described=described,
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


def taught(
    prior: Prior,
    images: ImageSet,
    recogniser: Encoder,
    *,
    config: IdentityConfig,
    seed: int,
    looseness: float = 1.0,
) -> tuple[Bank, Feature | None]:
    """What the recogniser makes of the real pictures, and how the people are described to a prior.

    Where the encoder that describes rewards, too, strangers stand behind the learnt people in both:
    the reward knows what they ought to look like.

    Args:
        prior: As in `learn`.
        images: As in `learn`.
        recogniser: As in `learn`.
        config: As in `learn`.
        seed: As in `learn`.
        looseness: As in `learn`.

    Raises:
        InputError: The prior's encoder is not there.
    """
    label = torch.from_numpy(images.identity)
    feature = recogniser.embed_all(images)
    bank = memory_bank(feature, label.to(feature.device), len(images.names), looseness=looseness)
    if prior.likeness is None or config.table_start != "prior":
        return bank, None
    is_own = is_encoder_of(prior, recogniser)
    of = people_means(feature if is_own else encoder_of(prior).embed_all(images), images)
    if is_own and config.strangers and config.n_steps:
        strangers = prior.likeness.strangers(config.strangers, seed=number_from(seed, POOL))
        bank, of = with_strangers(bank, strangers), torch.cat([of, strangers.to(of)])
    return bank, of


def people_means(feature: torch.Tensor, images: ImageSet) -> Feature:
    """The mean of the features of each person's pictures."""
    feature, label = feature.cpu(), torch.from_numpy(images.identity)
    return torch.stack([feature[label == at].mean(0) for at in range(len(images.names))])


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
        *([] if prior.likeness is None else [tensors_digest(prior.likeness.tensors())]),
        encoder_digest(recogniser),
        digest(images),
    ]
    return hashlib.sha256(json.dumps(known).encode()).hexdigest()
