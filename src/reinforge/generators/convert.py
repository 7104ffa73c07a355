"""Weights of others, once turned into a folder that `load_prior` reads.

Their files are pickles. Only here is one opened, and only by the reader of torch that takes tensors
and plain containers and refuses everything that could run code (weights_only=True).
"""

import argparse
import zipfile
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from diffusers import DiTTransformer2DModel
from safetensors.torch import save_file
from torch import Tensor

from reinforge.errors import InputError
from reinforge.files import disk_errors
from reinforge.generators.codec import Codec, PixelCodec, VaeCodec
from reinforge.generators.diffusion import NoiseSchedule
from reinforge.generators.dit import use_original_frequencies, without_label_dropout
from reinforge.generators.model_folder import STEM
from reinforge.generators.prior import Prior, read_vae, save_prior

HEADS = {1152: 16, 1024: 16, 768: 12, 384: 6}  # width -> heads of the published DiT-XL, L, B, S
SCHEDULE = {  # of the published DiT: 1,000 steps, linear, the network predicts the noise
    "_class_name": "DDIMScheduler",
    "num_train_timesteps": 1000,
    "beta_schedule": "linear",
    "beta_start": 1e-4,
    "beta_end": 0.02,
    "prediction_type": "epsilon",
    "clip_sample": False,
}
BLOCK = {  # name in a block of the authors' code -> name in a block of diffusers
    "adaLN_modulation.1": "norm1.linear",
    "attn.proj": "attn1.to_out.0",
    "mlp.fc1": "ff.net.0.proj",
    "mlp.fc2": "ff.net.2",
}
EMBEDDER = {  # shared by all blocks there, a copy in every block here
    "t_embedder.mlp.0.weight": "timestep_embedder.linear_1.weight",
    "t_embedder.mlp.0.bias": "timestep_embedder.linear_1.bias",
    "t_embedder.mlp.2.weight": "timestep_embedder.linear_2.weight",
    "t_embedder.mlp.2.bias": "timestep_embedder.linear_2.bias",
    "y_embedder.embedding_table.weight": "class_embedder.embedding_table.weight",
}
ENDS = {
    "x_embedder.proj": "pos_embed.proj",
    "final_layer.adaLN_modulation.1": "proj_out_1",
    "final_layer.linear": "proj_out_2",
}


def convert_dit(
    checkpoint: str | Path,
    folder: str | Path,
    *,
    vae: str | Path | None = None,
    pixel_scale: float | None = None,
    n_heads: int | None = None,
) -> Prior:
    """Turn a checkpoint of the DiT authors' code (DiT-XL-2-256x256.pt) into a prior's folder.

    Args:
        checkpoint: The file; of a training checkpoint the averaged weights ("ema") are taken.
        folder: Where the prior goes.
        vae: Folder of the autoencoder that the latents are of (config.json and safetensors).
        pixel_scale: Instead of `vae`, for a model of pixels.
        n_heads: Attention heads, which no weight tells; known for the published widths.

    Raises:
        InputError: No such checkpoint, or neither or both of `vae` and `pixel_scale` are given.
    """
    if (vae is None) == (pixel_scale is None):
        raise InputError(
            "convert: give either vae (the autoencoder's folder, for a model of latents) or "
            "pixel_scale (for a model of pixels)."
        )
    transformer = dit_of(read_checkpoint(checkpoint), n_heads=n_heads, where=str(checkpoint))
    channels = transformer.config.in_channels
    codec: Codec
    if vae is not None:
        codec = VaeCodec(vae=read_vae(Path(vae)))
    else:
        codec = PixelCodec(scale=float(pixel_scale or 0), channels=channels)
    prior = Prior(
        transformer=transformer,
        codec=codec,
        schedule=NoiseSchedule.from_config(SCHEDULE),
        scheduler_config=SCHEDULE,
        trained_on=f"converted from {Path(checkpoint).name}",
    )
    save_prior(prior, folder)
    return prior


def read_checkpoint(path: str | Path) -> dict[str, Tensor]:
    """Weights of a pickled checkpoint, read without running anything in it.

    Raises:
        InputError: The file is missing or damaged, or holds more than tensors.
    """
    try:
        # A namespace holds the options of a training run: attributes alone, no code.
        with torch.serialization.safe_globals([argparse.Namespace]):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except (FileNotFoundError, IsADirectoryError):
        raise InputError(f"{path}: no such file.") from None
    except (
        UnpicklingError,
        RuntimeError,
        EOFError,
        zipfile.BadZipFile,
        ValueError,
    ) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InputError(
            f"{path}: no checkpoint of plain tensors ({reason[:160]}); fetch it again, or write "
            "its weights as a dictionary of tensors."
        ) from None
    if isinstance(content, dict) and isinstance(content.get("ema"), dict):
        content = content["ema"]
    if not isinstance(content, dict) or not all(isinstance(v, Tensor) for v in content.values()):
        raise InputError(f"{path}: wanted a dictionary of tensors by name.")
    return {str(name): tensor.float() for name, tensor in content.items()}


def dit_of(
    state: dict[str, Tensor], *, n_heads: int | None = None, where: str = "checkpoint"
) -> DiTTransformer2DModel:
    """The transformer of diffusers that computes what the authors' does with these weights.

    Time's frequencies and the width of the norms follow the authors, not diffusers: with diffusers'
    own the same weights give other predictions.

    Raises:
        InputError: Weights are missing, left over or of odd shapes, or the heads are not known.
    """
    config = _config(state, n_heads, where)
    with torch.random.fork_rng(devices=[]):
        transformer = DiTTransformer2DModel(**config)
    renamed = _renamed(state, config["num_layers"], where)
    try:
        transformer.load_state_dict(renamed, strict=True)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{where}: no DiT of the published layout ({reason}).") from None
    _refuse_other_positions(state, transformer, where)
    return without_label_dropout(use_original_frequencies(transformer)).eval()


def to_safetensors(folder: str | Path) -> Path:
    """Write safetensors beside the pickled weights (.bin) of a diffusers folder.

    Args:
        folder: Of one network, e.g. DIR/transformer or DIR/vae.

    Returns:
        The file written.

    Raises:
        InputError: Not exactly one .bin file, or it holds more than tensors.
    """
    found = sorted(Path(folder).glob("*.bin"))
    if len(found) != 1:
        raise InputError(f"{folder}: wanted one file of pickled weights (.bin), got {len(found)}.")
    target = Path(folder) / f"{STEM}.safetensors"
    state = {name: tensor.clone() for name, tensor in read_checkpoint(found[0]).items()}
    with disk_errors(target):
        save_file(state, target, metadata={"format": "pt"})
    return target


def _config(state: dict[str, Tensor], n_heads: int | None, where: str) -> dict[str, Any]:
    """The architecture, read off the shapes."""
    try:
        width, channels, patch, _ = state["x_embedder.proj.weight"].shape
        n_positions = state["pos_embed"].shape[1]
        n_out = state["final_layer.linear.weight"].shape[0] // patch**2
        n_rows = state["y_embedder.embedding_table.weight"].shape[0]
    except (KeyError, ValueError, IndexError) as error:
        raise InputError(f"{where}: no DiT of the published layout ({error} is missing).") from None
    heads = HEADS.get(width) if n_heads is None else n_heads
    if heads is None or width % heads:
        raise InputError(
            f"{where}: the width is {width}, and n_heads is {heads}; give the number of attention "
            "heads, a divisor of the width."
        )
    blocks = {name.split(".")[1] for name in state if name.startswith("blocks.")}
    return {
        "num_attention_heads": heads,
        "attention_head_dim": width // heads,
        "in_channels": channels,
        "out_channels": n_out,
        "num_layers": len(blocks),
        "sample_size": patch * round(n_positions**0.5),
        "patch_size": patch,
        "num_embeds_ada_norm": n_rows - 1,
        "norm_eps": 1e-6,
    }


def _renamed(state: dict[str, Tensor], n_layers: int, where: str) -> dict[str, Tensor]:
    """Weights by diffusers' names; a name that nothing asks for is kept, to be refused."""
    left = {name: tensor for name, tensor in state.items() if name != "pos_embed"}
    renamed = {}
    try:
        for old, new in ENDS.items():
            for kind in ("weight", "bias"):
                renamed[f"{new}.{kind}"] = left.pop(f"{old}.{kind}")
        for old, new in EMBEDDER.items():
            shared = left.pop(old)
            for layer in range(n_layers):
                renamed[f"transformer_blocks.{layer}.norm1.emb.{new}"] = shared
        for layer in range(n_layers):
            for kind in ("weight", "bias"):
                stacked = left.pop(f"blocks.{layer}.attn.qkv.{kind}").chunk(3)
                for part, tensor in zip("qkv", stacked, strict=True):
                    renamed[f"transformer_blocks.{layer}.attn1.to_{part}.{kind}"] = tensor
                for old, new in BLOCK.items():
                    tensor = left.pop(f"blocks.{layer}.{old}.{kind}")
                    renamed[f"transformer_blocks.{layer}.{new}.{kind}"] = tensor
    except KeyError as error:
        raise InputError(f"{where}: no DiT of the published layout ({error} is missing).") from None
    return renamed | left


def _refuse_other_positions(
    state: dict[str, Tensor], transformer: DiTTransformer2DModel, where: str
) -> None:
    """Positions are computed, not read: a checkpoint that learned its own cannot be converted."""
    own = transformer.pos_embed.pos_embed
    if (
        state["pos_embed"].shape != own.shape
        or float((state["pos_embed"] - own).abs().max()) > 1e-3
    ):
        raise InputError(
            f"{where}: its pos_embed is not the fixed sine-cosine table of DiT, which is the only "
            "one that diffusers knows."
        )
