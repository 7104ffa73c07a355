"""Encoders that users bring: exported networks and saved recognisers, always frozen."""

import json
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional as F

from reinforge.errors import InputError
from reinforge.recognition.ensemble import DESCRIPTION, Ensemble
from reinforge.recognition.exported import read_exported
from reinforge.recognition.network import fitted
from reinforge.recognition.recogniser import Recogniser, embed_pictures
from reinforge.records import ImageSet, Pictures
from reinforge.settings import validated

Pixels = Float[Tensor, "draw channel height width"]
Features = Float[Tensor, "draw feature"]


@runtime_checkable
class Encoder(Protocol):
    """What embeds pictures: a `Recogniser`, or a network that a user brought."""

    @property
    def device(self) -> torch.device:
        """Where the weights are."""

    @property
    def feature_dim(self) -> int:
        """Length of a feature."""

    def embed(self, pixels: Pixels) -> Features:
        """L2-normalised features of pixels in 0..255, of any size, grey or RGB."""

    def embed_all(self, images: ImageSet | Pictures, batch: int = 256) -> Features:
        """Features of all pictures of a set, without gradient."""


class EncoderInput(BaseModel):
    """What an exported network wants to be given; stated in a JSON file beside it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    size: tuple[int, int] | None = Field(
        None, description="height and width; None: as the network was exported"
    )
    channels: int | None = Field(
        None, ge=1, le=3, description="1 or 3; None: as the network was exported"
    )
    mean: tuple[float, ...] = Field(
        (0.0,), description="taken from pixels of 0..255, one number or one a channel"
    )
    std: tuple[float, ...] = Field(
        (1.0,), description="divides what is left, one number or one a channel"
    )


class ExportedEncoder:
    """An exported network with what it wants to be given.

    Args:
        network: Pixels, scaled, to features.
        wants: With size and channels filled in.
        device: Where its weights are.
    """

    def __init__(self, network: nn.Module, *, wants: EncoderInput, device: torch.device) -> None:
        self.network = network
        self.wants = wants
        self._device = device
        assert wants.size is not None
        assert wants.channels is not None
        blank = torch.zeros((2, wants.channels, *wants.size), device=device)
        self._feature_dim = self.embed(blank).shape[1]

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self._device

    @property
    def feature_dim(self) -> int:
        """Length of a feature."""
        return self._feature_dim

    def embed(self, pixels: Pixels) -> Features:
        """L2-normalised features of pixels in 0..255, of any size, grey or RGB."""
        assert self.wants.size is not None
        assert self.wants.channels is not None
        pixels = fitted(pixels, self.wants.size, self.wants.channels)
        mean = pixels.new_tensor(self.wants.mean).view(1, -1, 1, 1)
        std = pixels.new_tensor(self.wants.std).view(1, -1, 1, 1)
        return F.normalize(self.network((pixels - mean) / std), dim=1)

    def embed_all(self, images: ImageSet | Pictures, batch: int = 256) -> Features:
        """Features of all pictures of a set, without gradient."""
        return embed_pictures(self, images, batch=batch)


def load_encoder(
    path: str | Path, *, device: torch.device | str = "cpu", **wants: Any
) -> "Recogniser | Ensemble | ExportedEncoder":
    """A frozen encoder from a local path.

    Args:
        path: A folder that a recogniser or an ensemble of them was saved in, or a .pt2 of
            torch.export; `NAME.json` beside `NAME.pt2` may state what it wants (`EncoderInput`).
        device: Where to put it.
        **wants: `size`, `channels`, `mean`, `std`, over what the JSON file says.

    Raises:
        InputError: Nothing readable is there, the file is a pickle, or size and channels of a
            network that takes any are not stated.
    """
    path = Path(path)
    if (path / DESCRIPTION).is_file():
        return Ensemble.load(path, device=device)
    if path.is_dir():
        return Recogniser.load(path).to(device)
    if path.suffix != ".pt2":
        raise InputError(
            f"{path}: an encoder is a .pt2 of torch.export or the folder of a saved recogniser; "
            "pickled weights (.pt, .pth, .bin, .ckpt) can run code and are not read: export the "
            "network with torch.export.save."
        )
    network, shape = read_exported(path, device=device)
    stated = validated(EncoderInput, {**_beside(path), **wants}, where=f"{path}: ")
    return ExportedEncoder(network, wants=_filled(stated, shape, path), device=torch.device(device))


def _beside(path: Path) -> dict[str, Any]:
    """The settings in the JSON file of the same name; {} where there is none."""
    beside = path.with_suffix(".json")
    if not beside.is_file():
        return {}
    try:
        content = json.loads(beside.read_text(encoding="utf-8"))
    except ValueError:
        raise InputError(f"{beside}: no JSON; state size, channels, mean and std.") from None
    if not isinstance(content, dict):
        raise InputError(f"{beside}: wanted an object with size, channels, mean and std.")
    return content


def _filled(stated: EncoderInput, shape: tuple[int | None, ...], path: Path) -> EncoderInput:
    """Size and channels from the export where it fixes them, checked against what was stated."""
    _, channels, height, width = shape
    size = stated.size or ((height, width) if height is not None and width is not None else None)
    n_channels = stated.channels or channels
    if size is None or n_channels is None:
        raise InputError(
            f"{path}: exported for pictures of any size; state size and channels as arguments or "
            f"in {path.with_suffix('.json').name}."
        )
    for name, fixed, given in (
        ("channels", channels, n_channels),
        ("height", height, size[0]),
        ("width", width, size[1]),
    ):
        if fixed is not None and fixed != given:
            raise InputError(f"{path}: exported for {name} {fixed}, but {given} is stated.")
    if n_channels == 2 or any(len(v) not in (1, n_channels) for v in (stated.mean, stated.std)):
        raise InputError(f"{path}: 1 or 3 channels, with one mean and std or one a channel.")
    if not all(stated.std):
        raise InputError(f"{path}: std must not be 0.")
    return stated.model_copy(update={"size": size, "channels": n_channels})
