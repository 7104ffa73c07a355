"""First weights of a recogniser: drawn, or read from a local folder."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from reinforge.errors import InputError
from reinforge.randomness import torch_generator
from reinforge.recognition.config import RecogniserConfig
from reinforge.recognition.network import Network
from reinforge.recognition.recogniser import DESCRIPTION, Recogniser

MODEL_TYPES = {"resnet50": "resnet", "vit_b16": "vit"}


def start_network(
    config: RecogniserConfig, n_classes: int, *, seed: int
) -> tuple[Network, dict[str, Any] | None]:
    """A network at step 0, and the architecture of its backbone where a folder states one.

    Raises:
        InputError: `config.weights` is not a folder of weights that fit.
    """
    draws = torch_generator(seed, "identity/recogniser weights")
    if config.weights is None:
        return Network(config, n_classes, generator=draws), None
    folder = Path(config.weights)
    if (folder / DESCRIPTION).is_file():
        return _from_recogniser(folder, config, n_classes, draws)
    if config.backbone == "small":
        raise InputError(f"{folder}: no saved recogniser ({DESCRIPTION}) to start from.")
    architecture = _architecture(folder, config)
    network = Network(config, n_classes, architecture=architecture, generator=draws)
    _fill(network.backbone.model, folder)  # type: ignore[arg-type]
    return network, architecture


def _from_recogniser(
    folder: Path, config: RecogniserConfig, n_classes: int, draws: torch.Generator
) -> tuple[Network, dict[str, Any] | None]:
    """All weights of another recogniser but its prototypes: its identities are others."""
    other = Recogniser.load(folder)
    network = Network(config, n_classes, architecture=other.architecture, generator=draws)
    own = other.network.state_dict()
    own["prototypes"] = network.prototypes.detach()
    try:
        network.load_state_dict(own)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{folder}: the weights are of another build ({reason}).") from None
    return network, other.architecture


def _architecture(folder: Path, config: RecogniserConfig) -> dict[str, Any]:
    try:
        content = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{folder}: no readable config.json ({error}).") from None
    wanted = MODEL_TYPES[config.backbone]
    if not isinstance(content, dict) or content.get("model_type") != wanted:
        raise InputError(
            f"{folder}: backbone {config.backbone!r} wants weights of model_type {wanted!r}."
        )
    return content


def _fill(model: torch.nn.Module, folder: Path) -> None:
    """Copy the backbone's weights; a classifier's head beside them is left out."""
    from transformers import ResNetModel, ViTModel

    if not (folder / "model.safetensors").is_file():
        raise InputError(
            f"{folder}: no model.safetensors; pickled weights are not read, convert them to "
            "safetensors."
        )
    kind: Any = ViTModel if isinstance(model, ViTModel) else ResNetModel
    own = {"add_pooling_layer": False} if kind is ViTModel else {}
    try:
        with torch.random.fork_rng(devices=[]):
            read, told = kind.from_pretrained(
                str(folder.resolve()),
                local_files_only=True,
                use_safetensors=True,
                output_loading_info=True,
                dtype=torch.float32,
                **own,
            )
        model.load_state_dict(read.state_dict())
    except (OSError, RuntimeError, ValueError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{folder}: the weights cannot be read ({reason}).") from None
    if told["missing_keys"]:
        name = sorted(told["missing_keys"])[0]
        raise InputError(f"{folder}: the weights do not fit this network, first at {name!r}.")
