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

from reinforge.policy_gradient.update import ascend
from reinforge.randomness import torch_generator
from reinforge.recognition.augment import augment
from reinforge.recognition.config import RecogniserConfig
from reinforge.recognition.losses import Loss, loss_of
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
        state = {f"network.{k}": v for k, v in self.network.state_dict().items()}
        state |= {f"averaged.{k}": v for k, v in self.averaged.state_dict().items()}
        for index, slots in self.optimizer.state_dict()["state"].items():
            for name, value in slots.items():
                if value is not None:
                    state[f"optimizer.{index}.{name}"] = torch.as_tensor(value)
        return state

    def load_tensors(self, state: dict[str, Tensor]) -> None:
        """Put saved state back (the inverse of `tensors`)."""
        for name, network in (("network.", self.network), ("averaged.", self.averaged)):
            own = {k.removeprefix(name): v for k, v in state.items() if k.startswith(name)}
            network.load_state_dict(own)
        slots: dict[int, dict[str, Tensor]] = {}
        for key, value in state.items():
            if key.startswith("optimizer."):
                _, index, slot = key.split(".")
                slots.setdefault(int(index), {})[slot] = value.clone()
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": slots, "param_groups": groups})


def train_recogniser(
    images: ImageSet,
    *,
    config: RecogniserConfig,
    seed: int,
    run_dir: str | Path | None = None,
    resume: bool = False,
    on_step: Callable[[dict[str, Any]], None] | None = None,
    stop: Callable[[], bool] | None = None,
    device: torch.device | str = "cpu",
) -> Recogniser:
    """Train on all pictures of a set.

    Args:
        images: Every identity with its pictures.
        config: `resolve_recogniser("small")` and its like.
        seed: Of first weights, batches and augmentation.
        run_dir: Where checkpoints and history are kept; None keeps nothing.
        resume: Go on from the newest checkpoint in `run_dir`.
        on_step: Told each record.
        stop: Asked after each step.
        device: Where to train.

    Returns:
        The recogniser, in eval mode, its weights without gradient.

    Raises:
        InputError: The set or a setting cannot be trained with; said before work starts.
    """
    config = config.for_pictures(images.pixels.shape)
    is_mined = config.kind == "reid" and config.triplet_weight > 0
    require_pk(images.identity, images.names, least_pictures=2 if is_mined else 1)
    present, label = np.unique(images.identity, return_inverse=True)
    network, architecture = start_network(config, len(present), seed=seed)
    learner = new_learner(network.to(device), config)
    loss = loss_of(config, learner.network)

    def step(index: int) -> dict[str, float]:
        return train_step(learner, loss, images, label, index, config=config, seed=seed)

    place = None
    if run_dir is not None:
        fingerprint = _fingerprint(config, images, seed)
        place = Place(folder=Path(run_dir), fingerprint=fingerprint, every=config.checkpoint_every)
    train(learner, step, config.n_steps, place=place, resume=resume, on_step=on_step, stop=stop)
    return Recogniser(
        learner.averaged,
        config=config,
        names=images.names,
        present=present.astype(np.int64),
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
    device = network.prototypes.device
    pixels = as_pixels(images.pixels[chosen])
    generator = torch_generator(seed, "identity/recogniser step", index)
    views = augment(pixels, config, generator=generator).to(device)
    target = torch.from_numpy(label[chosen]).to(device)
    network.train()
    before, behind = network(views, generator=generator)
    value = loss(before, behind, target)
    set_learning_rate(learner.optimizer, index, config)
    _, taken = ascend(learner.optimizer, -value)
    update_average(learner, index, config)
    with torch.no_grad():
        correct = (network.logits(behind).argmax(dim=1) == target).float().mean()
    return {"loss": float(value.detach()), "accuracy": float(correct), "update_taken": float(taken)}


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


def _fingerprint(config: RecogniserConfig, images: ImageSet, seed: int) -> str:
    """Of settings and data; the length of a run is part of its schedule and so of it."""
    text = json.dumps([config.model_dump(mode="json"), images.names, seed])
    digest = hashlib.sha256(text.encode())
    digest.update(np.ascontiguousarray(images.identity).tobytes())
    for start in range(0, len(images), 1024):
        digest.update(images.pixels[np.arange(start, min(start + 1024, len(images)))].tobytes())
    return digest.hexdigest()
