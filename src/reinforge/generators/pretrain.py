"""Train a small prior: a DiT on pictures of many identities, which a few new ones will be put into.

A prior that has learned what a class label does (many identities, a row each) takes up a new
identity through its label; one that has only ever seen one label has to learn that first. One that
was told what an encoder sees in each identity (`likeness`) draws whoever is described to it.
"""

import copy
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from reinforge.errors import InputError
from reinforge.generators.codec import Codec, PixelCodec
from reinforge.generators.denoising import denoising_loss
from reinforge.generators.diffusion import NoiseSchedule
from reinforge.generators.dit import new_dit, null_label, with_class_table
from reinforge.generators.likeness import DescribedDiT, likeness_of
from reinforge.generators.precision import Precision
from reinforge.generators.prior import Prior
from reinforge.learner_state import load_named_tensors, named_tensors
from reinforge.policy_gradient.update import ascend
from reinforge.randomness import torch_generator
from reinforge.training import Place, train

SCHEDULE = {  # DDPM's betas (arXiv:2006.11239, sec. 4); v keeps its size at every time
    "num_train_timesteps": 1000,
    "beta_schedule": "linear",
    "beta_start": 1e-4,
    "beta_end": 0.02,
    "prediction_type": "v_prediction",
}
# step -> pictures in 0..255, and the label of each; or its feature, zeros for nobody in particular
Batch = Callable[[int], tuple[Tensor, Tensor]]
Network = torch.nn.Module  # a DiT, or a described one


class PretrainConfig(BaseModel):
    """A small pixel DiT and how it is trained."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    size: int = Field(32, ge=8, le=512, description="height and width of the pictures, in pixels")
    channels: Literal[1, 3] = Field(3, description="1 grey, 3 RGB")
    patch: int = Field(4, ge=1, description="side of a token, in pixels; divides size")
    n_layers: int = Field(6, ge=1, description="blocks of the transformer")
    n_heads: int = Field(4, ge=1, description="attention heads of a block")
    head_dim: int = Field(48, ge=8, description="width of a head")
    n_steps: int = Field(3000, ge=1, description="updates")
    batch_images: int = Field(64, ge=1, description="pictures an update")
    learning_rate: float = Field(5e-4, gt=0, lt=1, description="AdamW, the backbone's")
    table_learning_rate: float = Field(4e-3, gt=0, lt=1, description="AdamW, the label rows'")
    likeness: bool = Field(
        False,
        description="identities by what an encoder, trained first, sees in them, not by a row each",
    )
    likeness_learning_rate: float = Field(
        1e-3, gt=0, lt=1, description="AdamW, the maps' from features to rows"
    )
    label_drop: float = Field(0.1, ge=0, lt=1, description="share of labels dropped (guidance)")
    average_decay: float = Field(0.998, ge=0, lt=1, description="of the running mean of weights")
    mirror: bool = Field(True, description="mirror half of the pictures")
    max_grad_norm: float = Field(1.0, gt=0, description="gradients are scaled down to this norm")
    precision: Precision = Field("auto", description="of the passes; auto: bfloat16 where fast")
    checkpoint_every: int = Field(500, ge=1, description="updates between checkpoints")


@dataclass(kw_only=True)
class Learner:
    """The transformer, its running mean, and the optimizer."""

    transformer: Network
    averaged: Network  # the weights that are kept
    optimizer: torch.optim.Optimizer

    def tensors(self) -> dict[str, Tensor]:
        """All state by name (what a checkpoint holds)."""
        return named_tensors(*self._parts())

    def load_tensors(self, state: dict[str, Tensor]) -> None:
        """Put saved state back."""
        load_named_tensors(state, *self._parts())

    def _parts(self) -> tuple[dict[str, torch.nn.Module], dict[str, torch.optim.Optimizer]]:
        modules = {"transformer": self.transformer, "averaged": self.averaged}
        return modules, {"optimizer": self.optimizer}


def pretrain(
    batch: Batch,
    n_labels: int,
    *,
    config: PretrainConfig,
    seed: int,
    trained_on: str,
    data_digest: str,
    start: Prior | None = None,
    people: Float[Tensor, "person feature"] | None = None,
    run_dir: str | Path | None = None,
    resume: bool = False,
    on_step: Callable[[dict[str, Any]], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Prior:
    """Train a prior.

    Args:
        batch: Gives the pictures and labels of a step.
        n_labels: Labels lie in 0..n_labels - 1; 1 trains an unconditional prior.
        config: Shape and length.
        seed: Of weights and training.
        trained_on: One line about the pictures, kept with the prior.
        data_digest: Of the pictures, so that a checkpoint of others is refused.
        start: A pixel prior to go on from, of the same size and channels; its classes are dropped,
            and it says the network's shape. None: random weights.
        people: With `config.likeness`: a feature of each of many people, whose spread is kept; then
            a batch holds features in place of labels.
        run_dir: Where checkpoints and history are kept.
        resume: Go on from the newest checkpoint there.
        on_step: Told each record.
        stop: Asked after each step.

    Returns:
        The prior, with the running mean of the weights.
    """
    if config.size % config.patch:
        raise InputError(f"prior: patch {config.patch} does not divide size {config.size}.")
    if start is None:
        scale = pixel_scale(batch)
        if not scale > 0:
            raise InputError("prior: all pictures are of one and the same grey level; give others.")
        codec: Codec = PixelCodec(scale=scale, channels=config.channels)
        schedule = NoiseSchedule.from_config(SCHEDULE)
    else:
        require_same_pictures(start, config)
        codec, schedule = start.codec, start.schedule
    n_features = None if people is None else people.shape[1]
    learner = new_learner(config, n_labels, seed=seed, start=start, n_features=n_features)

    def step(index: int) -> dict[str, float]:
        pixels, label = batch(index)
        generator = torch_generator(seed, "prior/step", index)
        if config.mirror:
            is_mirrored = torch.rand(len(pixels), generator=generator) < 0.5
            pixels = torch.where(is_mirrored[:, None, None, None], pixels.flip(3), pixels)
        set_learning_rate(learner.optimizer, index, config)
        network, label, nobody = asked_network(learner.transformer, label)
        loss = denoising_loss(
            network,
            schedule,
            codec.encode(pixels),
            label,
            null_label=nobody,
            label_drop=config.label_drop,
            generator=generator,
            precision=config.precision,
        )
        _, taken = ascend(learner.optimizer, -loss, max_grad_norm=config.max_grad_norm)
        update_average(learner, index, config.average_decay)
        return {"loss": float(loss.detach()), "update_taken": float(taken)}

    place = None
    if run_dir is not None:
        fingerprint = json.dumps([config.model_dump(), seed, n_labels, data_digest])
        place = Place(folder=Path(run_dir), fingerprint=fingerprint, every=config.checkpoint_every)
    train(learner, step, config.n_steps, place=place, resume=resume, on_step=on_step, stop=stop)
    kept = learner.averaged
    rest: dict[str, Any] = {"codec": codec, "schedule": schedule, "trained_on": trained_on}
    if isinstance(kept, DescribedDiT):
        assert people is not None  # it is described because they are
        return Prior(transformer=kept.transformer, likeness=likeness_of(kept, people), **rest)
    return Prior(transformer=kept, **rest)


def asked_network(network: Network, label: Tensor) -> tuple[torch.nn.Module, Tensor, int]:
    """What a batch goes through, the label of each picture there, and the label of nobody.

    Args:
        network: In training.
        label: Of each picture; or its feature, zeros for nobody.
    """
    if not isinstance(network, DescribedDiT):
        return network, label, null_label(network)
    nobody = len(label)
    is_somebody = label.abs().sum(1) > 0
    own = torch.where(is_somebody, torch.arange(nobody, device=label.device), nobody)
    return network.of(label), own, nobody


def require_same_pictures(start: Prior, config: PretrainConfig) -> None:
    """Refuse to go on from a prior of other pictures.

    Raises:
        InputError: It works on latents, or its size or channels are not those of the settings.
    """
    if not isinstance(start.codec, PixelCodec):
        raise InputError("prior: start works on latents; only priors on pixels are gone on with.")
    for name, own, wanted in (
        ("size", start.picture_size, config.size),
        ("channels", start.codec.channels, config.channels),
    ):
        if own != wanted:
            raise InputError(
                f"prior: {name} is {wanted}, that of the prior to start from {own}; set "
                f"model.{name}={own}."
            )


def pixel_scale(batch: Batch) -> float:
    """Deviation of the pictures' values in -1..1, over a few batches: it becomes the unit."""
    pixels = torch.cat([batch(index)[0] for index in range(4)])
    return round(float((pixels / 127.5 - 1).std()), 6)


def new_learner(
    config: PretrainConfig,
    n_labels: int,
    *,
    seed: int,
    start: Prior | None = None,
    n_features: int | None = None,
) -> Learner:
    """A learner at step 0; with features, of a DiT of one class and the maps to its rows."""
    if start is not None:
        transformer = with_class_table(start.transformer, n_labels, start="prior")
        transformer.requires_grad_(True)
    else:
        transformer = new_dit(
            size=config.size,
            channels=config.channels,
            patch=config.patch,
            n_layers=config.n_layers,
            n_heads=config.n_heads,
            head_dim=config.head_dim,
            n_classes=n_labels,
            seed=seed,
        )
    transformer.eval()
    network = transformer if n_features is None else DescribedDiT(transformer, n_features)
    maps = [] if n_features is None else list(network.maps)
    rows = [p for name, p in transformer.named_parameters() if "embedding_table" in name]
    apart = {id(p) for p in [*rows, *maps]}
    body = [p for p in network.parameters() if id(p) not in apart and p.requires_grad]
    groups = [
        {"params": body, "lr": config.learning_rate},
        {"params": rows, "lr": config.table_learning_rate},
        *([{"params": maps, "lr": config.likeness_learning_rate}] if maps else []),
    ]
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.99), weight_decay=0.0)
    averaged = copy.deepcopy(network).requires_grad_(False)
    return Learner(transformer=network, averaged=averaged, optimizer=optimizer)


def set_learning_rate(optimizer: torch.optim.Optimizer, index: int, config: PretrainConfig) -> None:
    """A short linear rise, then half a cosine down to a fiftieth."""
    rise = min(1.0, (index + 1) / 50)
    factor = rise * (0.02 + 0.49 * (1 + math.cos(math.pi * index / config.n_steps)))
    rates = (config.learning_rate, config.table_learning_rate, config.likeness_learning_rate)
    for group, rate in zip(optimizer.param_groups, rates, strict=False):  # a table has no maps
        group["lr"] = rate * factor


def update_average(learner: Learner, index: int, decay: float) -> None:
    """Move the running mean; young means forget faster."""
    share = 1 - min(decay, (1 + index) / (10 + index))
    with torch.no_grad():
        for mean, weight in zip(
            learner.averaged.parameters(), learner.transformer.parameters(), strict=True
        ):
            mean.lerp_(weight, share)
