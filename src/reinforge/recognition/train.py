"""Train a recogniser on the pictures that there are."""

import copy
import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from reinforge.learner_state import load_named_tensors, named_tensors
from reinforge.policy_gradient.update import ascend
from reinforge.processes import ALONE, Processes
from reinforge.randomness import torch_generator
from reinforge.recognition.augment import augment
from reinforge.recognition.config import RecogniserConfig
from reinforge.recognition.further import Further, further_views, new_classes
from reinforge.recognition.lookahead import Views
from reinforge.recognition.losses import Loss, loss_of
from reinforge.recognition.mixed_batch import Mixture, added_views, new_mixture
from reinforge.recognition.mixing import MixingConfig
from reinforge.recognition.network import Network
from reinforge.recognition.recogniser import Recogniser, as_pixels
from reinforge.recognition.sampler import pk_batch, require_pk
from reinforge.recognition.start import start_network
from reinforge.records import ImageSet
from reinforge.training import Place, train


@dataclass(kw_only=True)
class Learner:
    """Network, its running mean and the optimizer: all that training changes."""

    network: Network
    averaged: Network  # the weights that recognise
    optimizer: torch.optim.Optimizer

    def tensors(self) -> dict[str, Tensor]:
        """All state by name (what a checkpoint holds)."""
        return named_tensors(*self._parts())

    def load_tensors(self, state: dict[str, Tensor]) -> None:
        """Put saved state back (the inverse of `tensors`)."""
        load_named_tensors(state, *self._parts())

    def _parts(self) -> tuple[dict[str, Network], dict[str, torch.optim.Optimizer]]:
        networks = {"network": self.network, "averaged": self.averaged}
        return networks, {"optimizer": self.optimizer}


def train_recogniser(
    images: ImageSet,
    *,
    config: RecogniserConfig,
    seed: int,
    synthetic: ImageSet | None = None,
    mixing: MixingConfig | None = None,
    newcomers: ImageSet | None = None,
    run_dir: str | Path | None = None,
    resume: bool = False,
    on_step: Callable[[dict[str, Any]], None] | None = None,
    stop: Callable[[], bool] | None = None,
    device: torch.device | str = "cpu",
    processes: Processes = ALONE,
) -> Recogniser:
    """Train on all pictures of a set.

    Args:
        images: Every identity with its pictures.
        config: `resolve_recogniser("small")` and its like.
        seed: Of first weights, batches and augmentation.
        synthetic: Pictures that stand beside the real ones of each batch, of the same names and
            size; those of identities without real pictures are never drawn.
        mixing: How they are chosen and weighed; None: the defaults.
        newcomers: Synthetic pictures of other people, who have no real ones, of the same size. They
            are further classes: each step takes as many of them as of those with real pictures.
            With mixing of newcomers, it says which pictures, and `synthetic` is left aside.
        run_dir: Where checkpoints and history are kept; None keeps nothing.
        resume: Go on from the newest checkpoint in `run_dir`.
        on_step: Told each record.
        stop: Asked after each step.
        device: Where to train.
        processes: That train the same thing each for itself, with the same arguments: the first one
            writes, all go on from the same checkpoint and stop together.

    Returns:
        The recogniser, in eval mode, its weights without gradient.

    Raises:
        InputError: The set or a setting cannot be trained with; said before work starts.
    """
    config = config.for_pictures(images.pixels.shape)
    is_mined = config.kind == "reid" and config.triplet_weight > 0
    require_pk(images.identity, images.names, least_pictures=2 if is_mined else 1)
    present, label = np.unique(images.identity, return_inverse=True)
    further = new_classes(newcomers, images, n_known=len(present))
    mixture = new_mixture(images, synthetic, mixing, config=config, seed=seed, further=further)
    n_classes = len(present) + (0 if further is None else len(further.images.names))
    network, architecture = start_network(config, n_classes, seed=seed)
    if further is not None:
        further.put_prototypes(network)
    learner = new_learner(network.to(device), config)
    loss = loss_of(config, learner.network)

    def step(index: int) -> dict[str, float]:
        return train_step(
            learner,
            loss,
            images,
            label,
            index,
            config=config,
            seed=seed,
            mixture=mixture,
            further=further,
        )

    place = None
    if run_dir is not None:
        fingerprint = _fingerprint(config, images, seed, mixture, further)
        place = Place(folder=Path(run_dir), fingerprint=fingerprint, every=config.checkpoint_every)
    train(
        learner,
        step,
        config.n_steps,
        place=place,
        resume=resume,
        on_step=on_step,
        stop=stop,
        processes=processes,
    )
    others = () if further is None else further.images.names
    place_of_others = len(images.names) + np.arange(len(others))
    return Recogniser(
        learner.averaged,
        config=config,
        names=(*images.names, *others),
        present=np.concatenate([present, place_of_others]).astype(np.int64),
        architecture=architecture,
    )


def new_learner(network: Network, config: RecogniserConfig) -> Learner:
    """A learner at step 0."""
    trained = [p for p in network.parameters() if p.requires_grad]
    rate, decay = config.learning_rate, config.weight_decay
    optimizer: torch.optim.Optimizer
    if config.optimizer == "sgd":
        optimizer = torch.optim.SGD(trained, lr=rate, momentum=config.momentum, weight_decay=decay)
    elif config.optimizer == "adam":
        optimizer = torch.optim.Adam(trained, lr=rate, weight_decay=decay)
    else:
        optimizer = torch.optim.AdamW(trained, lr=rate, weight_decay=decay)
    averaged = copy.deepcopy(network).eval().requires_grad_(False)
    return Learner(network=network, averaged=averaged, optimizer=optimizer)


def train_step(
    learner: Learner,
    loss: Loss,
    images: ImageSet,
    label: np.ndarray,
    index: int,
    *,
    config: RecogniserConfig,
    seed: int,
    mixture: Mixture | None = None,
    further: Further | None = None,
) -> dict[str, float]:
    """Batch, views, loss, update, running mean; its randomness is a function of (seed, index)."""
    network = learner.network
    chosen = pk_batch(
        label,
        index,
        n_identities=config.identities_per_batch,
        n_pictures=config.pictures_per_identity,
        seed=seed,
    )
    generator = torch_generator(seed, "identity/recogniser step", index)
    device = network.prototypes.device
    batch = _real_views(images, label, chosen, config, device, generator)
    is_mixed = mixture is not None and mixture.n_newcomers is not None  # it brings newcomers
    if further is not None and not is_mixed:
        batch = batch.beside(further_views(further, index, config, device, seed=seed))
    n_own = len(batch.label)
    set_learning_rate(learner.optimizer, index, config)
    weight: Tensor | None = None
    record: dict[str, float] = {}
    if mixture is not None and mixture.mixing.is_used(index, config.n_steps):
        factor = learning_rate_factor(index, config)
        added, record = added_views(batch, mixture, network, loss, index, rate_factor=factor)
        batch = batch.beside(added)
        weight = batch.weight
    network.train()
    before, behind = network(batch.pixels, generator=generator)
    value = loss(before, behind, batch.label, weight)
    _, taken = ascend(learner.optimizer, -value)
    if further is not None:
        further.put_prototypes(network)
    update_average(learner, index, config)
    with torch.no_grad():
        correct = (network.logits(behind).argmax(dim=1) == batch.label).float()
    n_synthetic = len(correct) - n_own
    record = {"accuracy": float(correct[: len(chosen)].mean()), **record}
    if n_own > len(chosen):
        record["accuracy_newcomers"] = float(correct[len(chosen) : n_own].mean())
    if n_synthetic > 0:
        record["accuracy_synthetic"] = float(correct[n_own:].mean())
    return {"loss": float(value.detach()), **record, "update_taken": float(taken)}


def _real_views(
    images: ImageSet,
    label: np.ndarray,
    chosen: np.ndarray,
    config: RecogniserConfig,
    device: torch.device,
    generator: torch.Generator,
) -> Views:
    pixels = as_pixels(images.pixels[chosen])
    target = torch.from_numpy(label[chosen]).to(device)
    return Views(
        pixels=augment(pixels, config, generator=generator).to(device),
        label=target,
        weight=torch.ones(len(chosen), device=device),
    )


def learning_rate_factor(index: int, config: RecogniserConfig) -> float:
    """Rate of a step over the base rate: linear warm-up, then cosine or steps of a tenth."""
    n_warm = round(config.warmup * config.n_steps)
    if index < n_warm:
        return config.warmup_factor + (1 - config.warmup_factor) * index / n_warm
    if config.schedule == "step":
        return 0.1 ** sum(index >= share * config.n_steps for share in config.milestones)
    return (1 + math.cos(math.pi * (index - n_warm) / max(config.n_steps - n_warm, 1))) / 2


def set_learning_rate(
    optimizer: torch.optim.Optimizer, index: int, config: RecogniserConfig
) -> None:
    """Put the rate of this step into the optimizer."""
    for group in optimizer.param_groups:
        group["lr"] = config.learning_rate * learning_rate_factor(index, config)


def update_average(learner: Learner, index: int, config: RecogniserConfig) -> None:
    """Move the running mean; young means forget faster: decay_t = min(decay, (1 + t)/(10 + t))."""
    decay = min(config.average_decay or 0.0, (1 + index) / (10 + index))
    own = learner.network.state_dict()
    with torch.no_grad():
        for name, mean in learner.averaged.state_dict().items():
            if mean.is_floating_point() and config.average_decay is not None:
                mean.lerp_(own[name], 1 - decay)
            else:
                mean.copy_(own[name])


def _fingerprint(
    config: RecogniserConfig,
    images: ImageSet,
    seed: int,
    mixture: Mixture | None,
    further: Further | None,
) -> str:
    """Of settings and data; the length of a run is part of its schedule and so of it."""
    text = json.dumps([config.model_dump(mode="json"), images.names, seed])
    digest = hashlib.sha256(text.encode())
    _add_pictures(digest, images)
    if mixture is not None:
        digest.update(json.dumps(mixture.mixing.model_dump(mode="json")).encode())
        _add_pictures(digest, mixture.synthetic)
    if further is not None:
        _add_pictures(digest, further.images)
        if further.images.described is not None:
            digest.update(further.images.described.tobytes())
    return digest.hexdigest()


def _add_pictures(digest: "hashlib._Hash", images: ImageSet) -> None:
    digest.update(np.ascontiguousarray(images.identity).tobytes())
    for start in range(0, len(images), 1024):
        digest.update(images.pixels[np.arange(start, min(start + 1024, len(images)))].tobytes())
