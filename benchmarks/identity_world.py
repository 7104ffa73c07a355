"""Worlds of real people for the identity benchmarks; what was trained is kept in `.venvs/cache`.

A world is some people with a few pictures each: the generator sees `train`, `holdout` are other
pictures of the same people, `unseen` are all other people of the file. A world, its recogniser, its
cold start and each reinforced policy are made once a (file, prior, number, seed, settings).
"""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file, save_file

from face_prior import UPDATES, parted
from peers.environment import HOME
from reinforge.data.images import read_images, split_images
from reinforge.generators.prior import LIKENESS, Prior, load_prior
from reinforge.processes import Processes
from reinforge.recognition.config import resolve_recogniser
from reinforge.recognition.frozen import Encoder, load_encoder
from reinforge.records import ImageSet
from reinforge.systems.identity.bank import Bank, memory_bank
from reinforge.systems.identity.config import IdentityConfig, resolve_config
from reinforge.systems.identity.learner import Learner, new_learner
from reinforge.systems.identity.learning import taught
from reinforge.systems.identity.step import step
from reinforge.systems.identity.teacher import calibrated, encoder_of, trained_teacher

N_RECOGNISERS = resolve_config("default", {}).n_recognisers
VERSION = 4  # of training and drawing: raise it when results change, or old weights are used again
COLD_START_SETTINGS = (  # all that decides what a cold start leaves behind
    "trained",
    "table_start",
    "strangers",
    "lora_rank",
    "cold_start_steps",
    "cold_start_images",
    "cold_start_learning_rate",
    "table_learning_rate",
    "label_drop",
    "mirror",
)

LFW = "lfw_a.npz"
MOST = 10  # pictures of a person of LFW, where some have hundreds; as many as each has in ORL
BY_LIKENESS = ", prior by likeness"  # behind the name of a setting
THREE_PARTS: dict[str, Any] = {"realism_weight": 0.0, "stranger_spread": "learnt"}  # no critic yet
WITHOUT: dict[str, dict[str, Any]] = {  # reinforced by less than the whole reward
    "reinforced, without R_sem": {"semantic_weight": 0.0},
    "reinforced, without R_cov": {"coverage_weight": 0.0},
    "reinforced, without R_exp": {"diversity_weight": 0.0},
    "reinforced, without R_real": {"realism_weight": 0.0},
}
POLICIES: dict[str, dict[str, Any] | None] = {  # its settings; None: not reinforced
    "cold_start": None,
    "reinforced": {},
    **WITHOUT,
}


def kind_of_prior(prior: Path, n_updates: int = UPDATES) -> str:
    """What a setting says of a prior behind its name, and of how long it was trained."""
    kind = BY_LIKENESS if (prior / LIKENESS).is_file() else ""
    return kind if n_updates == UPDATES else f"{kind} of {n_updates:,} updates"


@dataclass(frozen=True)
class Policy:
    """A trained policy with what it cost."""

    learner: Learner
    cpu_seconds: float
    file: Path  # its weights

    def kept(self, name: str, draw: Callable[[], ImageSet]) -> ImageSet:
        """Pictures by this policy, drawn once and kept beside its weights."""
        file = self.file.with_name(f"{self.file.stem} {name}.npz")
        if not file.exists():
            drawn = draw()
            pixels = drawn.pixels[np.arange(len(drawn))]
            np.savez(file, pixels=pixels, identity=drawn.identity, names=np.array(drawn.names))
        with np.load(file) as told:
            names = tuple(map(str, told["names"]))
            return ImageSet(pixels=told["pixels"], identity=told["identity"], names=names)


class World:
    """Some people of a file, and what was trained on them.

    Args:
        faces: `orl_faces.npz`, or `lfw_a.npz`: there the people whom face_prior.py kept apart, at
            most `MOST` pictures of each.
        prior: Folder.
        per_identity: Pictures of each person that the generator sees; None: all but two.
        n_people: That the generator sees; the others are `unseen`.
        seed: Of the choice and of every training.
    """

    def __init__(
        self, faces: Path, prior: Path, *, per_identity: int | None, n_people: int, seed: int
    ) -> None:
        torch.set_num_threads(1)
        self.prior: Prior = load_prior(prior)
        self.seed = seed
        whole = _unseen_by_priors(faces, self.prior, seed)
        rng = np.random.default_rng(seed)
        chosen = np.sort(rng.permutation(len(whole.names))[:n_people])
        known = _people(whole, chosen)
        others = np.setdiff1d(np.arange(len(whole.names)), chosen)
        self.unseen = _people(whole, others) if len(others) else None
        kept = per_identity or int(np.bincount(known.identity).min()) - 2
        self.train, self.holdout = split_images(known, by="image", per_identity=kept, seed=seed)
        key = [VERSION, faces.name, prior.name, per_identity, n_people, N_RECOGNISERS, seed]
        self.place = Path(HOME) / "cache" / "identity" / _digest(key)
        self.place.mkdir(parents=True, exist_ok=True)

    @property
    def recogniser(self) -> Encoder:
        """The one that rewards under the default settings: trained on the few pictures."""
        return self.taught(N_RECOGNISERS)[0]

    @property
    def teacher(self) -> dict[str, float]:
        """`looseness`: how it flatters its own pictures; `cpu_seconds`: what it cost."""
        return self.taught(N_RECOGNISERS)[1]

    @cache  # noqa: B019 - a world lives as long as its process
    def taught(self, n: int) -> tuple[Encoder, dict[str, float]]:
        """So many recognisers that reward together, and what they are like."""
        folder = self.place / ("recogniser" if n == N_RECOGNISERS else f"recogniser-{n}")
        if self.prior.encoder is not None and n == N_RECOGNISERS:
            return encoder_of(self.prior), {"looseness": 1.0, "cpu_seconds": 0.0}
        if not (folder / "told.json").exists():
            started = time.process_time()
            common: dict[str, Any] = {
                "config": resolve_recogniser("small"),
                "seed": self.seed,
                "place": None,
                "resume": False,
                "on_step": None,
                "stop": None,
                "processes": Processes(),
            }
            made, _ = trained_teacher(self.train, n=n, **common)
            calibration = calibrated(self.train, **common)
            looseness = 1.0 if calibration is None else calibration.looseness
            made.save(folder)
            told = {"looseness": looseness, "cpu_seconds": time.process_time() - started}
            (folder / "told.json").write_text(json.dumps(told))
        told = json.loads((folder / "told.json").read_text())
        return load_encoder(folder), told

    def bank(self, *, is_calibrated: bool = True, n: int = N_RECOGNISERS) -> Bank:
        """The training pictures as the recogniser sees them."""
        recogniser, told = self.taught(n)
        looseness = told["looseness"] if is_calibrated else 1.0
        label = torch.from_numpy(self.train.identity)
        feature = recogniser.embed_all(self.train)
        return memory_bank(feature, label, len(self.train.names), looseness=looseness)

    def cold(self, **settings: Any) -> Policy:
        """The policy after its cold start, under other settings than the default's."""
        return self._policy(settings, reinforced=False)

    def reinforced(self, **settings: Any) -> Policy:
        """The policy after reinforcement; `is_calibrated=False` leaves the calibration out."""
        return self._policy(settings, reinforced=True)

    def _policy(self, settings: dict[str, Any], *, reinforced: bool) -> Policy:
        own = {k: v for k, v in settings.items() if k != "is_calibrated"}
        config = resolve_config("default", own)
        is_calibrated = settings.get("is_calibrated", True)
        learner = self._learner(config, is_calibrated=is_calibrated)
        file = self._file(settings, config.total_steps if reinforced else config.cold_start_steps)
        if not file.exists():
            self._train(learner, settings, reinforced=reinforced)
        _put(load_file(file), learner)
        if reinforced:
            learner.reference = self._begun(settings).learner.reference
        seconds = json.loads(file.with_suffix(".json").read_text())["cpu_seconds"]
        return Policy(learner, seconds, file)

    def _begun(self, settings: dict[str, Any]) -> Policy:
        """The cold start that a reinforcement begins with."""
        return self.cold(**{k: v for k, v in settings.items() if k in COLD_START_SETTINGS})

    def _train(self, learner: Learner, settings: dict[str, Any], *, reinforced: bool) -> None:
        """Train and keep the weights: of a reinforcement also those at its half."""
        config, seconds = learner.config, 0.0
        n_cold = config.cold_start_steps
        first, last = (n_cold, config.total_steps) if reinforced else (0, n_cold)
        marks = {last, (first + last) // 2} if reinforced else {last}
        if reinforced:
            cold = self._begun(settings)
            _put(cold.learner.policy.trained(), learner)
            seconds = cold.cpu_seconds
        recogniser, _ = self.taught(config.n_recognisers)
        started = time.process_time()
        for n_done in range(first, last + 1):
            if n_done > first:
                step(learner, recogniser.embed, n_done - 1, seed=self.seed)
            if n_done in marks:
                told = {"cpu_seconds": seconds + time.process_time() - started}
                file = self._file(settings, n_done)
                save_file({k: v.detach().clone() for k, v in learner.averaged.items()}, file)
                file.with_suffix(".json").write_text(json.dumps(told))

    def _file(self, settings: dict[str, Any], n_steps: int) -> Path:
        """Where the weights after so many steps are kept."""
        own = {k: v for k, v in settings.items() if k != "is_calibrated"}
        told = resolve_config("default", own).model_dump(mode="json", exclude={"n_steps"})
        if n_steps == told["cold_start_steps"]:
            told = {k: told[k] for k in COLD_START_SETTINGS}
        elif not settings.get("is_calibrated", True):
            told["is_calibrated"] = False
        return self.place / f"{_digest([told, n_steps])}.safetensors"

    def _learner(self, config: IdentityConfig, *, is_calibrated: bool) -> Learner:
        recogniser, told = self.taught(config.n_recognisers)
        bank, described = taught(
            self.prior,
            self.train,
            recogniser,
            config=config,
            seed=self.seed,
            looseness=told["looseness"] if is_calibrated else 1.0,
        )
        pixels = torch.from_numpy(np.asarray(self.train.pixels[np.arange(len(self.train))]))
        label = torch.from_numpy(self.train.identity)
        return new_learner(
            self.prior,
            pixels.permute(0, 3, 1, 2).float(),
            label,
            bank,
            config=config,
            seed=self.seed,
            described=described,
        )


def _unseen_by_priors(faces: Path, prior: Prior, seed: int) -> ImageSet:
    """The people of a file whom neither encoder nor maps of a prior were shown."""
    if faces.name == LFW:
        apart = parted(faces)[1]
        mixed = np.random.default_rng(seed).permutation(len(apart))
        nth = pd.Series(apart.identity[mixed]).groupby(apart.identity[mixed]).cumcount()
        some = apart.subset(np.sort(mixed[nth.to_numpy() < MOST]))
        return _people(some, np.unique(some.identity))
    size, channels = prior.picture_size, prior.codec.channels
    return read_images(faces, size=size, channels=channels, array="aligned112")


def _put(weights: Mapping[str, torch.Tensor], learner: Learner) -> None:
    """Weights of a policy, its reference and its running mean."""
    with torch.no_grad():
        for place in (learner.policy.trained(), learner.reference, learner.averaged):
            for name, value in place.items():
                value.copy_(weights[name])


def _people(images: ImageSet, chosen: np.ndarray) -> ImageSet:
    """Some identities, numbered anew."""
    part = images.subset(np.flatnonzero(np.isin(images.identity, chosen)))
    return ImageSet(
        pixels=part.pixels,
        identity=np.searchsorted(chosen, part.identity),
        names=tuple(images.names[i] for i in chosen),
    )


def _digest(key: object) -> str:
    return hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:16]
