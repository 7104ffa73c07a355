"""A trained generator of identities on disk: weights as safetensors, all else as JSON; no code.

identity.json    settings, names of the identities, digests of all other files; written last
strangers.safetensors   what sets people of the prior apart from their mean, for newcomers; or
nobody/          a prior that draws by likeness, reinforced, but never made to imitate the people:
                 it draws newcomers
transformer/     beside scheduler/, prior.json and, for latents, vae/: a whole DiT as diffusers
                 has it, so that drawing needs neither the folder of the prior nor the pictures
recogniser/      the network that gave rewards, where it was trained here or came with the prior

No picture and no feature of a picture is stored. Weights remember what they were trained on: the
class table and the recogniser's prototypes stand for real people and are as private as they are.
"""

import copy
import errno
import hashlib
import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from diffusers import DiTTransformer2DModel
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from reinforge.errors import InputError, ResourceError
from reinforge.files import sha256_file, write_json
from reinforge.generators.dit import class_tables, first_classes
from reinforge.generators.prior import Prior, load_prior, save_prior
from reinforge.systems.identity.config import IdentityConfig, resolve_config
from reinforge.systems.identity.learner import Learner
from reinforge.systems.identity.policy import Policy

FORMAT = 1
DESCRIPTION = "identity.json"
RECOGNISER = "recogniser"
STRANGERS = "strangers.safetensors"
NOBODY = "nobody"
MOST_STRANGERS = 200  # a mixture of three of them is one of a million, and large tables stay small
CALIBRATION = "calibration"  # the recogniser that missed some pictures; no part of a saved model
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True, kw_only=True, eq=False)
class Generator:
    """What draws pictures of identities."""

    prior: Prior  # its transformer's classes are the identities
    config: IdentityConfig
    names: tuple[str, ...]
    strangers: tuple[Tensor, ...] = ()  # by block: classes of the prior, less their mean
    nobody: Prior | None = None  # draws whoever is described to it, and never imitated these
    described: Tensor | None = None  # features of the identities, if they are nobody; never saved

    def policy(self, device: torch.device | str) -> Policy:
        """The weights as a policy that draws."""
        return Policy(
            self.prior.transformer.to(device),
            codec=self.prior.codec.to(device),
            schedule=self.prior.schedule,
            precision=self.config.precision,
        )


def generators_of(
    learner: Learner, prior: Prior, names: tuple[str, ...]
) -> tuple[Generator, Generator]:
    """What a training ends with, and what its cold start had left; adapters are merged in.

    Returns:
        The generator with the mean of the weights (without reinforcement: the last ones), and the
        one before reinforcement.
    """
    config, policy = learner.config, learner.policy
    before = learner.reference if config.n_steps > 0 else policy.copy_of_trained()
    policy.load_trained(before)
    cold = merged(copy.deepcopy(policy.transformer)).requires_grad_(False)
    if config.n_steps > 0:
        policy.load_trained(learner.averaged)
    last = merged(policy.transformer).requires_grad_(False)
    nobody = None if prior.likeness is None else replace(prior, encoder=None)
    reinforced = None if nobody is None else without_learnt(nobody, last=last, cold=cold)

    def drawing(transformer: DiTTransformer2DModel, nobody: Prior | None) -> Generator:
        known = first_classes(transformer, len(names))  # strangers of the training are dropped
        return Generator(
            prior=replace(prior, transformer=known, likeness=None, encoder=None),
            config=config,
            names=names,
            strangers=strangers_of(prior),
            nobody=nobody,
        )

    return drawing(last, reinforced), drawing(cold, nobody)


@torch.no_grad()
def without_learnt(
    prior: Prior, *, last: DiTTransformer2DModel, cold: DiTTransformer2DModel
) -> Prior:
    """A prior that draws by likeness with what reinforcement taught, and not what it imitated.

    The cold start imitates the learnt people's pictures, and with its weights people who do not
    exist come to look like them. Reinforcement is for everybody. So

        theta = theta_prior + theta_last - theta_cold,

    of two things that weights were taught in turn the second alone (task arithmetic,
    arXiv:2212.04089). Class rows stay the prior's, but for the null row.

    Args:
        prior: As it was.
        last: After reinforcement, adapters merged in.
        cold: Before it.
    """
    transformer = copy.deepcopy(prior.transformer)
    tables = {id(table) for table in class_tables(transformer)}
    known, before = dict(last.named_parameters()), dict(cold.named_parameters())
    for name, weight in transformer.named_parameters():
        taught = (known[name] - before[name]).to(weight)
        if id(weight) in tables:
            weight[-1] += taught[-1]
        else:
            weight += taught
    return replace(prior, transformer=transformer.requires_grad_(False))


@torch.no_grad()
def strangers_of(prior: Prior) -> tuple[Tensor, ...]:
    """What sets some classes of a prior apart from their mean, by block; nothing where it has one.

    They are taken at even steps from all, and are the same ones in every block.
    """
    tables = [table[:-1] for table in class_tables(prior.transformer)]
    n_classes = len(tables[0])
    if n_classes < 2:
        return ()
    chosen = torch.linspace(0, n_classes - 1, min(n_classes, MOST_STRANGERS)).long()
    return tuple((table - table.mean(0))[chosen].cpu().contiguous() for table in tables)


@torch.no_grad()
def merged(transformer: DiTTransformer2DModel) -> DiTTransformer2DModel:
    """The network with its low-rank adapters, if any, added into the layers that they adapt."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    layers = [(n, m) for n, m in transformer.named_modules() if isinstance(m, BaseTunerLayer)]
    for name, layer in layers:
        layer.merge()
        above, _, leaf = name.rpartition(".")
        setattr(transformer.get_submodule(above), leaf, layer.get_base_layer())
    return transformer


def write_generator(folder: Path, generator: Generator, about: dict[str, Any]) -> None:
    """Write all files; whatever else the caller put into the folder is put under the digests too.

    Args:
        folder: Made if need be.
        generator: What draws.
        about: What else to keep: version, preset, seed.

    Raises:
        ResourceError: The disk is full.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in (DESCRIPTION, STRANGERS):
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / NOBODY, ignore_errors=True)
    try:
        save_prior(generator.prior, folder)
        if generator.nobody is not None:
            save_prior(generator.nobody, folder / NOBODY)
        if generator.strangers:
            save_file(
                {f"{at:03}": t for at, t in enumerate(generator.strangers)}, folder / STRANGERS
            )
    except SafetensorError as error:  # its own words for an error of the system
        if not any(f"(os error {number})" in str(error) for number in FULL):
            raise
        raise ResourceError(
            f"{folder}: the disk is full; free some space and run again with --resume."
        ) from error
    content = {
        "format": FORMAT,
        "system": "identity",
        **about,
        "config": generator.config.model_dump(mode="json"),
        "names": list(generator.names),
        "files": _digests(folder),
    }
    write_json(folder / DESCRIPTION, {**content, "digest": _digest(content)})


def read_generator(folder: Path) -> tuple[dict[str, Any], Generator]:
    """Read what `write_generator` wrote: the description and the generator.

    Raises:
        InputError: A file is missing, damaged, or written by a newer reinforge.
    """
    content = _description(folder)
    prior = load_prior(folder)
    try:
        config = resolve_config("default", content["config"])
        names = tuple(content["names"])
    except (LookupError, TypeError, ValueError) as error:
        raise InputError(f"{folder / DESCRIPTION}: cannot be read ({error!r}).") from error
    if len(names) != prior.transformer.config.num_embeds_ada_norm:
        raise InputError(f"{folder}: {len(names)} names do not fit the weights' class table.")
    prior.transformer.requires_grad_(False)
    strangers: tuple[Tensor, ...] = ()
    if (folder / STRANGERS).is_file():  # its digest was checked
        strangers = tuple(table for _, table in sorted(load_file(folder / STRANGERS).items()))
    nobody = load_prior(folder / NOBODY) if (folder / NOBODY).is_dir() else None
    return content, Generator(
        prior=prior, config=config, names=names, strangers=strangers, nobody=nobody
    )


def _description(folder: Path) -> dict[str, Any]:
    path = folder / DESCRIPTION
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{folder}: no model here ({error.strerror}: {error.filename}).") from None
    except ValueError:
        raise InputError(f"{path}: damaged, no JSON; train again.") from None
    if not isinstance(content, dict) or content.get("system") != "identity":
        raise InputError(f"{path}: describes no model of identities.")
    if isinstance(content.get("format"), int) and content["format"] > FORMAT:
        raise InputError(
            f"{folder}: written by a newer reinforge ({content.get('version')}); upgrade to load "
            "it."
        )
    if content.pop("digest", None) != _digest(content):
        raise InputError(f"{path}: damaged (its digest is another); train again.")
    found = _digests(folder)
    for name, digest in content["files"].items():
        if found.get(name) != digest:
            state = "damaged (its digest is another)" if name in found else "missing"
            raise InputError(f"{folder / name}: {state}; restore it or train again.")
    return content


def _digests(folder: Path) -> dict[str, str]:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    names = [file.relative_to(folder).as_posix() for file in files]
    return {
        name: sha256_file(folder / name)
        for name in names
        if name != DESCRIPTION and not Path(name).name.startswith(".")
    }


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
