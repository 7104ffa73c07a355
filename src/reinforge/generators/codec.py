"""Between pictures and what a diffusion model works on: scaled pixels, or the latents of a VAE."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from diffusers import AutoencoderKL
from jaxtyping import Float, Num, UInt8
from torch import Tensor


@runtime_checkable
class Codec(Protocol):
    """Grey levels 0..255 to latents, and back."""

    @property
    def channels(self) -> int:
        """Channels of a picture: 1 (grey) or 3 (RGB)."""

    def encode(
        self,
        pictures: Num[Tensor, "draw channel height width"],
        *,
        generator: torch.Generator | None = None,
    ) -> Float[Tensor, "draw latent_channel latent_height latent_width"]:
        """Latents of pictures whose grey levels run from 0 to 255."""

    def decode(
        self, latents: Float[Tensor, "draw latent_channel latent_height latent_width"]
    ) -> Float[Tensor, "draw channel height width"]:
        """Grey levels, as they come: `quantised` brings them into 0..255."""

    def to(self, device: torch.device | str) -> "Codec":
        """The codec on another device."""


def quantised(
    pictures: Float[Tensor, "draw channel height width"],
) -> UInt8[Tensor, "draw channel height width"]:
    """What a picture file would keep: whole grey levels from 0 to 255, halves to even."""
    return pictures.round().clamp(0, 255).to(torch.uint8)


@dataclass(frozen=True, kw_only=True)
class PixelCodec:
    """The network's numbers are pixels: grey level = (x * scale + 1) * 127.5.

    With `scale` near the pictures' standard deviation (in units where black is -1 and white 1) the
    numbers have about unit variance, as the noise schedules of diffusion models expect.
    """

    scale: float  # grey levels of one unit, in half ranges
    channels: int = 3

    def encode(
        self,
        pictures: Num[Tensor, "draw channel height width"],
        *,
        generator: torch.Generator | None = None,
    ) -> Float[Tensor, "draw channel height width"]:
        """Latent = (grey / 127.5 - 1) / scale; nothing is drawn."""
        return (pictures.float() / 127.5 - 1) / self.scale

    def decode(
        self, latents: Float[Tensor, "draw channel height width"]
    ) -> Float[Tensor, "draw channel height width"]:
        """Grey level = (x * scale + 1) * 127.5."""
        return (latents.float() * self.scale + 1) * 127.5

    def to(self, device: torch.device | str) -> "PixelCodec":
        """Itself: it holds no tensors."""
        return self


@dataclass(frozen=True, kw_only=True, eq=False)
class VaeCodec:
    """The network's numbers are scaled latents of a frozen autoencoder (arXiv:2112.10752, sec. 3).

    Its decoder costs more memory a picture than the diffusion model, so pictures pass a few at a
    time. Gradients flow through where the caller has not switched them off.
    """

    vae: AutoencoderKL
    at_once: int = 8  # pictures in memory together

    def __post_init__(self) -> None:
        """Freeze the autoencoder: nothing here ever trains it."""
        self.vae.eval().requires_grad_(False)

    @property
    def channels(self) -> int:
        """Channels of a picture."""
        return int(self.vae.config.in_channels)

    @property
    def shrinks(self) -> int:
        """Pixels that one latent position stands for, along one side."""
        return int(2 ** (len(self.vae.config.block_out_channels) - 1))

    def encode(
        self,
        pictures: Num[Tensor, "draw channel height width"],
        *,
        generator: torch.Generator | None = None,
    ) -> Float[Tensor, "draw latent_channel latent_height latent_width"]:
        """The posterior's mean, or a draw from it where a generator is given, times the scale."""
        parts = []
        for part in (pictures.float() / 127.5 - 1).split(self.at_once):
            posterior = self.vae.encode(part).latent_dist
            drawn = posterior.mean if generator is None else posterior.sample(generator)
            parts.append((drawn - self._shift) * self._scale)
        return torch.cat(parts)

    def decode(
        self, latents: Float[Tensor, "draw latent_channel latent_height latent_width"]
    ) -> Float[Tensor, "draw channel height width"]:
        """Grey levels of the decoded latents."""
        latents = latents.float() / self._scale + self._shift
        parts = [self.vae.decode(part).sample for part in latents.split(self.at_once)]
        return (torch.cat(parts) + 1) * 127.5

    def to(self, device: torch.device | str) -> "VaeCodec":
        """The codec with its autoencoder moved, in place as torch moves modules."""
        self.vae.to(device)
        return self

    @property
    def _scale(self) -> float:
        return float(self.vae.config.scaling_factor)

    @property
    def _shift(self) -> float:
        return float(self.vae.config.get("shift_factor") or 0.0)
