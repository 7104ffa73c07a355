"""Near-duplicates: a 64-bit hash of a picture's grey slopes, alike where pictures look alike."""

import numpy as np
from jaxtyping import Float, Int, UInt8, UInt64

from reinforge.measure.distances import blocks

ROWS, COLUMNS = 8, 9  # of the small picture; 8 differences a row
_LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601

_BITS_OF = np.array([bin(byte).count("1") for byte in range(256)], dtype=np.uint8)

Hashes = UInt64[np.ndarray, " image"]


def difference_hash(pixels: UInt8[np.ndarray, "image height width channel"]) -> Hashes:
    """The sign of each horizontal slope of the grey picture at 8 x 9 cells (dHash).

    Bit 8 r + c is 1 where cell (r, c + 1) is brighter than cell (r, c). Cells are area means, so
    that noise and a slight shift change few bits; light and contrast change none.

    Args:
        pixels: 0..255, grey or RGB, of any size.
    """
    grey = pixels[..., 0].astype(float) if pixels.shape[3] == 1 else pixels[..., :3] @ _LUMA
    down, across = _area_means(ROWS, pixels.shape[1]), _area_means(COLUMNS, pixels.shape[2])
    small = np.einsum("rh,ihw,cw->irc", down, grey, across, optimize=True)
    # a level line is no slope: rounding must not draw one
    rising = (np.diff(small, axis=2) > 1e-6).reshape(len(pixels), ROWS * (COLUMNS - 1))
    powers = np.uint64(1) << np.arange(rising.shape[1], dtype=np.uint64)
    return np.bitwise_or.reduce(np.where(rising, powers, np.uint64(0)), axis=1)


def nearest_hash(
    hashes: Hashes, references: UInt64[np.ndarray, " reference"]
) -> Int[np.ndarray, " image"]:
    """Bits in which each hash differs from the reference that is most like it; 64 if there is none.

    Args:
        hashes: Of the pictures that are judged.
        references: Of the pictures that they may be copies of.
    """
    fewest = np.full(len(hashes), 64, dtype=np.int64)
    if len(references):
        for rows in blocks(len(hashes), len(references)):
            differing = (hashes[rows, None] ^ references[None, :]).view(np.uint8)
            bits = _BITS_OF[differing].reshape(-1, len(references), 8).sum(axis=2)
            fewest[rows] = bits.min(axis=1)
    return fewest


def _area_means(n_cells: int, n_pixels: int) -> Float[np.ndarray, "cell pixel"]:
    """Weights that average a line of pixels over cells of equal width; whole pixels or parts."""
    edges = np.arange(n_cells + 1) * n_pixels / n_cells
    pixel = np.arange(n_pixels)
    left = np.maximum(edges[:-1, None], pixel)
    right = np.minimum(edges[1:, None], pixel + 1)
    overlap = np.clip(right - left, 0, None)
    return overlap / overlap.sum(axis=1, keepdims=True)
