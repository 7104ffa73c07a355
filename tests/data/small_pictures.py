"""Small pictures drawn by code: a flat colour with noise, so that JPEG has something to code."""

import io
from pathlib import Path

import numpy as np
from PIL import Image


def pixels(seed: int, height: int = 16, width: int = 16, channel: int = 3) -> np.ndarray:
    """Smooth random colours; two seeds never give the same picture."""
    rng = np.random.Generator(np.random.Philox(key=seed))
    coarse = rng.integers(0, 256, (4, 4, channel), dtype="uint8")
    image = Image.fromarray(coarse[..., 0] if channel == 1 else coarse)
    array = np.array(image.resize((width, height), Image.Resampling.BICUBIC))
    return array[..., None] if channel == 1 else array


def encoded(array: np.ndarray, kind: str = "PNG", **options) -> bytes:
    """An encoded file of pixels (height, width[, channel])."""
    file = io.BytesIO()
    flat = array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array
    Image.fromarray(flat).save(file, format=kind, **options)
    return file.getvalue()


def put(path: Path, seed: int, height: int = 16, width: int = 16, channel: int = 3) -> Path:
    """A picture file; the format is told by its ending."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = {"jpg": "JPEG", "pgm": "PPM"}.get(path.suffix[1:].lower(), "PNG")
    path.write_bytes(encoded(pixels(seed, height, width, channel), kind))
    return path


def album(folder: Path, counts: dict[str, int], **options) -> Path:
    """One folder an identity with so many pictures."""
    seed = 0
    for name, count in counts.items():
        for number in range(1, count + 1):
            seed += 1
            put(folder / name / f"{name}_{number:04d}.png", seed, **options)
    return folder
