"""Random erasing: the classical augmentation of re-identification (arXiv:1708.04896)."""

import math

import torch
from jaxtyping import Float
from torch import Tensor


def random_erasing(
    pixels: Float[Tensor, "draw channel height width"],
    *,
    probability: float,
    area: tuple[float, float] = (0.02, 0.4),
    aspect: float = 0.3,
    fill: float = 127.5,
    generator: torch.Generator,
) -> Float[Tensor, "draw channel height width"]:
    """Overwrite one rectangle of some pictures.

    S_e = U(s_l, s_h) S, r_e = U(r_1, 1/r_1), H_e = sqrt(S_e r_e), W_e = sqrt(S_e / r_e)
    (algorithm 1). A rectangle that does not fit is cut down to the picture's side instead of drawn
    again, so that one call takes the same draws whatever their outcome.

    Args:
        pixels: A new tensor is returned.
        probability: Of each picture to lose a rectangle.
        area: Least and largest share of the picture, s_l and s_h.
        aspect: Least height over width of the rectangle, r_1; the largest is its inverse.
        fill: What is written, in units of the pixels.
        generator: Source of the draws.
    """
    n, _, height, width = pixels.shape
    draw = torch.rand((5, n), generator=generator).to(pixels.device)
    surface = (area[0] + (area[1] - area[0]) * draw[1]) * height * width
    ratio = aspect + (1 / aspect - aspect) * draw[2]
    h = (surface * ratio).sqrt().round().clamp(1, height)
    w = (surface / ratio).sqrt().round().clamp(1, width)
    top, left = (draw[3] * (height - h + 1)).floor(), (draw[4] * (width - w + 1)).floor()
    rows = _between(top, h, height)
    columns = _between(left, w, width)
    chosen = (draw[0] < probability)[:, None, None]
    mask = (rows[:, :, None] & columns[:, None, :] & chosen)[:, None]
    return torch.where(mask, torch.full_like(pixels, fill), pixels)


def _between(start: Tensor, length: Tensor, n: int) -> Tensor:
    """Which of n positions lie in [start, start + length), a row a picture."""
    position = torch.arange(n, device=start.device)
    return (position >= start[:, None]) & (position < (start + length)[:, None])


def expected_share(area: tuple[float, float] = (0.02, 0.4)) -> float:
    """Mean share of an erased picture that is lost, before any cut at the border."""
    return math.fsum(area) / 2
