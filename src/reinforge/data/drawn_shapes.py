"""Shapes as signed distances, painted with smooth edges: what drawn faces are made of.

All arrays broadcast to (picture, height, width). Pixels meet sums, products, quotients, square
roots and comparisons alone, which round the same way however many pictures are drawn together: a
picture never depends on its neighbours in the array.
"""

import numpy as np

TINY = np.float32(1e-6)
Number = np.ndarray | np.float32  # one a picture, (picture, 1, 1), or one for all


class Canvas:
    """Pictures under the brush: three channels in [0, 1], each (picture, height, width)."""

    def __init__(self, n_pictures: int, size: int, pixel: np.ndarray) -> None:
        """Start black.

        Args:
            n_pictures: Drawn together.
            size: Height and width in pixels.
            pixel: Width of a pixel in units of the drawing, (picture, 1, 1).
        """
        self.rgb = np.zeros((3, n_pictures, size, size), np.float32)
        self.pixel = pixel

    def paint(
        self, distance: np.ndarray, colour: np.ndarray, strength: np.ndarray | float = 1.0
    ) -> None:
        """Cover the inside of a shape, its edge smoothed over one pixel.

        Args:
            distance: Signed, negative inside.
            colour: (3, picture, 1, 1), or (3, picture, height, width).
            strength: Opacity in [0, 1]; 0 leaves a picture without this shape.
        """
        cover = np.clip(0.5 - distance / self.pixel, 0, 1)
        cover *= strength
        for channel, value in zip(self.rgb, colour, strict=True):
            channel += cover * (value - channel)

    def glow(
        self, distance: np.ndarray, colour: np.ndarray, strength: np.ndarray, width: float
    ) -> None:
        """Cover softly: full at the distance -width, nothing at 0."""
        cover = np.clip(-distance / np.float32(width), 0, 1)
        cover *= strength
        for channel, value in zip(self.rgb, colour, strict=True):
            channel += cover * (value - channel)


def ellipse(x: np.ndarray, y: np.ndarray, width: Number, height: Number) -> np.ndarray:
    """Distance to an ellipse about the origin with these half axes, first order near its edge."""
    across, down = x / width, y / height
    radius = np.sqrt(across * across + down * down)
    across /= width
    down /= height
    slope = np.sqrt(across * across + down * down)
    return (radius + TINY) * (radius - 1) / (slope + TINY)


def squircle(
    x: np.ndarray, y: np.ndarray, width: Number, height: Number, square: Number
) -> np.ndarray:
    """Distance to a shape between an ellipse (square 0) and a rounded box (square 1)."""
    across, down = x / width, y / height
    across *= across
    down *= down
    radius = np.sqrt(across + down)
    boxed = np.sqrt(np.sqrt(across * across + down * down))
    radius += square * (boxed - radius)
    return (radius - 1) * (0.5 * (width + height))


def arc(
    x: np.ndarray,
    y: np.ndarray,
    half_length: Number,
    sag: Number,
    thickness: Number,
) -> np.ndarray:
    """Distance to a stroke along y = sag (x / half_length)^2 - sag, thinner towards its ends."""
    along = x / half_length
    along *= along
    stroke = np.abs(y - sag * (along - 1)) - thickness * (1 - 0.6 * along)
    return np.maximum(stroke, np.abs(x) - half_length)


def triangle_wave(phase: np.ndarray) -> np.ndarray:
    """A zigzag of period 1 between 0 and 1."""
    return 2 * np.abs(phase - np.floor(phase) - np.float32(0.5))


def lobes(x: np.ndarray, y: np.ndarray, count: Number, sharp: Number) -> np.ndarray:
    """Bumps around the origin in [0, 1]: round as curls (sharp 0) or pointed as spikes (sharp 1).

    The angle is that of the unit diamond, which needs no arc tangent.
    """
    turn = x / (np.abs(x) + np.abs(y) + TINY)
    saw = triangle_wave(turn * count)
    rounded = 1 - (1 - saw) * (1 - saw)
    return rounded + sharp * (saw - rounded)
