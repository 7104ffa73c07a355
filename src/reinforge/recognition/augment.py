"""Augmentation: other views of the same picture, as batched tensor operations."""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from reinforge.recognition.config import RecogniserConfig
from reinforge.recognition.erasing import random_erasing

Pixels = Float[Tensor, "draw channel height width"]

# largest change at strength 1
TURN = math.radians(10)
ZOOM = 0.12  # of log scale
STRETCH = 0.06  # of log aspect
BRIGHTNESS = 40.0  # of 255
CONTRAST = 0.35  # of log contrast
GRADIENT = 40.0  # light from one side, of 255 from edge to edge
NOISE = 10.0  # standard deviation, of 255


def augment(pixels: Pixels, config: RecogniserConfig, *, generator: torch.Generator) -> Pixels:
    """One random view of each picture: geometry, light, sharpness, noise, erasing.

    Args:
        pixels: In 0..255.
        config: Strengths.
        generator: Source of the draws; their number depends on shapes and settings alone.
    """
    pixels = _moved(pixels, config, generator)
    if config.augmentation > 0:
        pixels = _blurred(pixels, config.augmentation, generator)
        pixels = _relit(pixels, config.augmentation, generator)
        amount = NOISE * config.augmentation * _uniform(len(pixels), generator, pixels).abs()
        noise = torch.randn(pixels.shape, generator=generator).to(pixels.device)
        pixels = (pixels + amount.view(-1, 1, 1, 1) * noise).clamp(0, 255)
    if config.random_erasing > 0:
        pixels = random_erasing(pixels, probability=config.random_erasing, generator=generator)
    return pixels


def _uniform(n: int, generator: torch.Generator, like: Tensor) -> Tensor:
    """Uniform draws in -1..1, one a picture."""
    return (2 * torch.rand(n, generator=generator) - 1).to(like.device)


def _moved(pixels: Pixels, config: RecogniserConfig, generator: torch.Generator) -> Pixels:
    """Mirror, shift, turn, zoom and stretch in one resampling; the border is repeated."""
    n, _, height, width = pixels.shape
    strength = config.augmentation
    mirror, right, down, turn, zoom, stretch = (_uniform(n, generator, pixels) for _ in range(6))
    sign = torch.where((mirror + 1) / 2 < config.mirror, -1.0, 1.0)
    angle = TURN * strength * turn
    scale = torch.exp(ZOOM * strength * zoom)
    aspect = torch.exp(STRETCH * strength * stretch)
    along, across = width / height, height / width  # a turn keeps angles in oblong pictures
    theta = torch.stack(
        [
            torch.stack(
                [
                    sign * scale * aspect * angle.cos(),
                    -scale * angle.sin() * across,
                    2 * config.shift * right,
                ],
                dim=1,
            ),
            torch.stack(
                [
                    sign * scale * angle.sin() * along,
                    scale / aspect * angle.cos(),
                    2 * config.shift * down,
                ],
                dim=1,
            ),
        ],
        dim=1,
    )
    grid = F.affine_grid(theta, list(pixels.shape), align_corners=False)
    return F.grid_sample(pixels, grid, padding_mode="border", align_corners=False)


def _blurred(pixels: Pixels, strength: float, generator: torch.Generator) -> Pixels:
    """Mix in a blurred copy (binomial, 5 taps), or take it away twice: blur and sharpening."""
    channel = pixels.shape[1]
    taps = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0], device=pixels.device) / 16
    kernel = torch.outer(taps, taps).expand(channel, 1, 5, 5).to(pixels.dtype)
    soft = F.conv2d(F.pad(pixels, (2, 2, 2, 2), mode="replicate"), kernel, groups=channel)
    share = 0.25 + 0.75 * _uniform(len(pixels), generator, pixels)  # -0.5..1
    return torch.lerp(pixels, soft, (min(strength, 1.0) * share).view(-1, 1, 1, 1))


def _relit(pixels: Pixels, strength: float, generator: torch.Generator) -> Pixels:
    """Brightness, contrast, and light that falls from one side."""
    n, _, height, width = pixels.shape
    bright, contrast, right, down = (
        strength * _uniform(n, generator, pixels).view(-1, 1, 1, 1) for _ in range(4)
    )
    across = torch.linspace(-0.5, 0.5, width, device=pixels.device).view(1, 1, 1, -1)
    along = torch.linspace(-0.5, 0.5, height, device=pixels.device).view(1, 1, -1, 1)
    light = BRIGHTNESS * bright + GRADIENT * (right * across + down * along)
    return ((pixels - 127.5) * torch.exp(CONTRAST * contrast) + 127.5 + light).clamp(0, 255)
