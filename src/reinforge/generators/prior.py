"""A prior: a diffusion model that knows pictures, but no identity yet; and its folder.

The folder is that of a diffusers DiT pipeline: transformer/, scheduler/, vae/ where the model works
on latents, model_index.json if you like. `prior.json` beside them says what diffusers has no word
for: the scale of pixels, the spacing of time's frequencies, what the prior was trained on. Where
rows follow from features, likeness.safetensors holds the maps, and encoder/ what sees the features.
"""

import copy
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, DiTTransformer2DModel, __version__
from safetensors import SafetensorError
from safetensors.torch import load, save

from reinforge.errors import InputError
from reinforge.files import disk_errors, write_atomic, write_json
from reinforge.generators.codec import Codec, PixelCodec, VaeCodec
from reinforge.generators.diffusion import NoiseSchedule
from reinforge.generators.dit import (
    class_tables,
    has_original_frequencies,
    side_of,
    use_original_frequencies,
    without_label_dropout,
)
from reinforge.generators.likeness import Likeness
from reinforge.generators.model_folder import read_json, read_network

FORMAT = 1
LIKENESS, ENCODER = "likeness.safetensors", "encoder"
DIT_CLASSES = ("DiTTransformer2DModel", "Transformer2DModel")  # the second: as of diffusers < 0.28


@dataclass(frozen=True, kw_only=True, eq=False)
class Prior:
    """A diffusion model with what its numbers mean."""

    transformer: DiTTransformer2DModel
    codec: Codec
    schedule: NoiseSchedule
    scheduler_config: dict[str, Any] | None = None  # as it was read, for other programs
    trained_on: str = ""  # one line for the record
    likeness: Likeness | None = None  # how class rows follow from features, where they do
    encoder: Path | None = None  # folder of the recogniser whose features those are

    @property
    def picture_size(self) -> int:
        """Height and width of its pictures."""
        shrinks = self.codec.shrinks if isinstance(self.codec, VaeCodec) else 1
        return side_of(self.transformer) * shrinks


def load_prior(folder: str | Path, *, pixel_scale: float | None = None) -> Prior:
    """Read a prior from its folder; half-precision weights become float32.

    Args:
        folder: On this machine: no hub is asked.
        pixel_scale: Of a pixel prior whose folder holds no prior.json: grey level =
            (x * pixel_scale + 1) * 127.5.

    Raises:
        InputError: The folder is missing, not whole, damaged, or of another kind of model; or
            nothing says what the network's numbers mean.
    """
    folder = _existing(folder)
    note = _note(folder)
    transformer = read_dit(folder / "transformer")
    if note.get("timestep_frequencies") == "original":
        use_original_frequencies(transformer)
    schedule, scheduler_config = _schedule(folder / "scheduler" / "scheduler_config.json")
    return Prior(
        transformer=transformer,
        codec=_codec(folder, note, transformer, pixel_scale),
        schedule=schedule,
        scheduler_config=scheduler_config,
        trained_on=str(note.get("trained_on", "")),
        likeness=_likeness(folder / LIKENESS, transformer),
        encoder=folder / ENCODER if (folder / ENCODER).is_dir() else None,
    )


def save_prior(prior: Prior, folder: str | Path, *, dtype: torch.dtype = torch.float32) -> None:
    """Write a prior so that `load_prior`, and diffusers too, can read it.

    Args:
        prior: Its transformer without an adapter.
        folder: Made where it is missing; files of an older prior there are replaced.
        dtype: Of the weights; torch.float16 halves the file.

    Raises:
        ResourceError: The disk is full.
    """
    folder = Path(folder)
    with disk_errors(folder):
        (folder / "scheduler").mkdir(parents=True, exist_ok=True)
        _stored(prior.transformer, dtype).save_pretrained(folder / "transformer")
        if isinstance(prior.codec, VaeCodec):
            _stored(prior.codec.vae, dtype).save_pretrained(folder / "vae")
            write_json(folder / "model_index.json", _index())
        (folder / LIKENESS).unlink(missing_ok=True)
        if prior.likeness is not None:
            write_atomic(folder / LIKENESS, save(prior.likeness.tensors()))
    config = prior.scheduler_config or schedule_config(prior.schedule)
    write_json(folder / "scheduler" / "scheduler_config.json", config)
    write_json(folder / "prior.json", _note_of(prior))


def read_dit(folder: Path) -> DiTTransformer2DModel:
    """Read a DiT from its folder, the dropping of labels inside its blocks switched off."""
    transformer = read_network(DiTTransformer2DModel, folder, named=DIT_CLASSES)
    config = transformer.config
    if config.out_channels not in (None, config.in_channels, 2 * config.in_channels):
        raise InputError(
            f"{folder / 'config.json'}: out_channels must be in_channels ({config.in_channels}) or "
            f"twice that, got {config.out_channels}."
        )
    return without_label_dropout(transformer)


def read_vae(folder: Path) -> AutoencoderKL:
    """Read the autoencoder of a latent prior from its folder."""
    return read_network(AutoencoderKL, folder, named=("AutoencoderKL",))


def schedule_config(schedule: NoiseSchedule) -> dict[str, Any]:
    """A schedule as scheduler_config.json, its betas one by one: read back, it is the very same."""
    common = {
        "_class_name": "DDIMScheduler",
        "num_train_timesteps": len(schedule.alpha_bar),
        "prediction_type": schedule.prediction,
        "clip_sample": False,
        "timestep_spacing": "trailing",
    }
    alpha_bar = schedule.alpha_bar.double()
    before = torch.cat([alpha_bar.new_ones(1), alpha_bar[:-1]])
    return common | {"trained_betas": (1 - alpha_bar / before).tolist()}


def _existing(folder: str | Path) -> Path:
    path = Path(folder)
    if path.is_file():
        raise InputError(
            f"{path}: wanted the folder of a prior, got a file; a checkpoint of the DiT authors "
            "becomes a folder with reinforge.generators.convert.convert_dit."
        )
    if path.is_dir():
        if not (path / "transformer").is_dir():
            raise InputError(
                f"{path}: no folder transformer/ in it; wanted the folder of a diffusers DiT "
                "pipeline, with transformer/ and scheduler/ (and vae/ for latents)."
            )
        return path
    if re.fullmatch(r"[\w.-]+/[\w.-]+", str(folder)):
        raise InputError(
            f"{folder}: no such folder; if this names a model of a hub, download it first "
            f"(`hf download {folder} --local-dir DIR`) and give DIR: nothing is fetched here."
        )
    raise InputError(f"{folder}: no such folder.")


def _note(folder: Path) -> dict[str, Any]:
    path = folder / "prior.json"
    if not path.exists():
        return {}
    note = read_json(path)
    if not isinstance(note.get("format"), int):
        raise InputError(f"{path}: no format number; it is damaged, or no file of reinforge.")
    if note["format"] > FORMAT:
        raise InputError(
            f"{path}: written by a newer reinforge (format {note['format']}); upgrade it."
        )
    return note


def _note_of(prior: Prior) -> dict[str, Any]:
    config = prior.transformer.config
    is_original = has_original_frequencies(prior.transformer)
    note = {
        "format": FORMAT,
        "space": "latent" if isinstance(prior.codec, VaeCodec) else "pixel",
        "channels": config.in_channels,
        "size": config.sample_size,
        "trained_on": prior.trained_on,
        "timestep_frequencies": "original" if is_original else "diffusers",
    }
    return note | ({"scale": prior.codec.scale} if isinstance(prior.codec, PixelCodec) else {})


def _codec(
    folder: Path, note: dict[str, Any], transformer: DiTTransformer2DModel, scale: float | None
) -> Codec:
    config = transformer.config
    for name, value in (("channels", config.in_channels), ("size", config.sample_size)):
        if note.get(name, value) != value:
            raise InputError(
                f"{folder / 'prior.json'}: {name} is {note[name]}, the transformer's is {value}; "
                "they do not belong together."
            )
    if (folder / "vae").is_dir():
        return _vae_codec(folder / "vae", config.in_channels, scale)
    known = note.get("scale")
    if scale is not None and known is not None and scale != known:
        raise InputError(
            f"{folder}: pixel_scale is {known} in prior.json, but {scale} was given; leave it out."
        )
    scale = known if scale is None else scale
    if scale is None:
        raise InputError(
            f"{folder}: neither vae/ nor prior.json says what the network's numbers mean; give "
            "pixel_scale (grey level = (x * pixel_scale + 1) * 127.5), or add the vae/ folder."
        )
    if not isinstance(scale, int | float) or not (math.isfinite(scale) and scale > 0):
        raise InputError(f"{folder}: pixel_scale must be a number above 0, got {scale!r}.")
    if config.in_channels not in (1, 3):
        raise InputError(
            f"{folder}: pictures have 1 or 3 channels, this network has {config.in_channels}; "
            "a prior on latents needs its vae/ folder."
        )
    return PixelCodec(scale=float(scale), channels=config.in_channels)


def _likeness(file: Path, transformer: DiTTransformer2DModel) -> Likeness | None:
    """How class rows follow from features; None where there is no such file."""
    if not file.is_file():
        return None
    try:
        known = Likeness.from_tensors(load(file.read_bytes()))
    except (SafetensorError, KeyError) as error:
        raise InputError(f"{file}: damaged ({' '.join(str(error).split())}); restore it.") from None
    widths = [table.shape[1] for table in class_tables(transformer)]
    shapes = [(width, known.n_features) for width in widths]
    if [tuple(m.shape) for m in known.maps] != shapes or [len(b) for b in known.base] != widths:
        raise InputError(
            f"{file}: its maps do not fit the transformer's class rows; they do not belong "
            "together."
        )
    return known


def _vae_codec(folder: Path, channels: int, scale: float | None) -> VaeCodec:
    if scale is not None:
        raise InputError(f"{folder}: pixel_scale was given, but this prior works on latents.")
    codec = VaeCodec(vae=read_vae(folder))
    if codec.vae.config.latent_channels != channels:
        raise InputError(
            f"{folder}: its latents have {codec.vae.config.latent_channels} channels, the "
            f"transformer takes {channels}; they do not belong together."
        )
    return codec


def _schedule(path: Path) -> tuple[NoiseSchedule, dict[str, Any]]:
    config = read_json(path)
    try:
        return NoiseSchedule.from_config(config), config
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: {error}") from None


def _stored(network: Any, dtype: torch.dtype) -> Any:
    if all(tensor.dtype == dtype for tensor in network.parameters()):
        return network
    return copy.deepcopy(network).to(dtype)


def _index() -> dict[str, Any]:
    return {
        "_class_name": "DiTPipeline",
        "_diffusers_version": __version__,
        "scheduler": ["diffusers", "DDIMScheduler"],
        "transformer": ["diffusers", "DiTTransformer2DModel"],
        "vae": ["diffusers", "AutoencoderKL"],
    }
