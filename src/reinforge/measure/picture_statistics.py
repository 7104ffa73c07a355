"""A watch against reward hacking: what pixels say when a reward rises and the pictures decay.

A policy can win a reward with pictures that nobody wants: flat, dark, burnt, blurred, noisy or all
alike. None of this shows in the reward, so plain statistics of the pixels are compared with those
of a reference: the cold start's pictures of the same seeds and identities, or real pictures.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int, UInt8

from reinforge.measure.distances import blocks, squared_distances

EDGE_THRESHOLD = 16.0  # grey levels a pixel: a step of 32 levels between two pixels is an edge


@dataclass(frozen=True)
class Band:
    """How far a statistic may move from its reference before the watch says so."""

    low: float  # ratio to the reference
    high: float
    below: str  # what a fall under `low` looks like
    above: str  # what a rise over `high` looks like


BANDS = {
    "entropy": Band(0.6, 1.4, "few grey levels are left", "noise may fill the range"),
    "edge_density": Band(0.6, 1.67, "flat or blurred", "noise, a grid or hard outlines"),
    "brightness": Band(0.67, 1.5, "too dark", "too bright"),
    "contrast": Band(0.6, 1.67, "washed out", "too hard"),
    "sharpness": Band(0.4, 2.5, "blurred or flat", "noise, a grid or hard outlines"),
    "pixel_distance": Band(0.6, 1.67, "pictures resemble each other", "pictures fall apart"),
    "pixel_distance_in_identity": Band(
        0.6, 1.67, "an identity's pictures resemble each other", "an identity's pictures fall apart"
    ),
    "patch_seams": Band(0.75, 1.25, "patches have lost their inside", "borders of patches show"),
}
SATURATED_RISE = 0.05  # share of values at 0 or 255 that may be added to the reference's


def picture_statistics(
    pictures: UInt8[np.ndarray, "image height width channel"],
    *,
    edge_threshold: float = EDGE_THRESHOLD,
) -> dict[str, Float[np.ndarray, " image"]]:
    """Six numbers a picture, of its grey levels (Rec. 601: 0.299 R + 0.587 G + 0.114 B, rounded).

    - `entropy`: -sum_l p_l log2 p_l of the shares p_l of the 256 grey levels, in bits, 0 to 8.
    - `edge_density`: share of pixels whose Sobel gradient exceeds `edge_threshold`; the kernels are
      divided by 8, so that a slope of one grey level a pixel has gradient 1.
    - `brightness`: mean grey level, 0 to 255.
    - `contrast`: standard deviation of the grey levels.
    - `sharpness`: variance of the Laplacian (four neighbours less four times the pixel).
    - `saturated`: share of values, in any channel, that are 0 or 255.

    Edges and sharpness are taken where the 3 x 3 kernels fit whole.

    Args:
        pictures: Grey (one channel) or RGB, at least 3 x 3 pixels.
        edge_threshold: In grey levels a pixel.

    Raises:
        ValueError: There is no picture, they are too small, or channels are neither 1 nor 3.
    """
    n, height, width, n_channels = pictures.shape
    if not n or min(height, width) < 3 or n_channels not in (1, 3):
        raise ValueError(
            "picture statistics need at least one picture of 3 x 3 pixels, grey or RGB; got "
            f"{n} of {height} x {width} with {n_channels} channels."
        )
    parts = [
        _statistics_of_some(pictures[some], edge_threshold)
        for some in blocks(n, height * width * n_channels)
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def mean_pixel_distance(
    pictures: UInt8[np.ndarray, "image height width channel"],
    *,
    identity: Int[np.ndarray, " image"] | None = None,
) -> float:
    """Mean over pairs of the root mean square difference of two pictures' values, in grey levels.

    Args:
        pictures: At least two.
        identity: Whose pictures they are: pairs are then of one identity, and each identity counts
            the same; those with one picture are left out.

    Raises:
        ValueError: There is no pair.
    """
    n_values = float(np.prod(pictures.shape[1:]))
    groups = np.zeros(len(pictures), int) if identity is None else identity
    names, count = np.unique(groups, return_counts=True)
    if not np.any(count > 1):
        raise ValueError("a distance of pictures needs two pictures, of one identity if given.")
    means = []
    for name in names[count > 1]:
        flat = pictures[groups == name].reshape((-1, int(n_values))).astype(np.float64)
        rows = blocks(len(flat), len(flat))
        total = sum(float(np.sqrt(squared_distances(flat[some], flat)).sum()) for some in rows)
        means.append(total / (len(flat) * (len(flat) - 1)) / np.sqrt(n_values))
    return float(np.mean(means))


def patch_seams(pictures: UInt8[np.ndarray, "image height width channel"], *, patch: int) -> float:
    """Do the borders of a transformer's patches show? 1 where they are as smooth as elsewhere.

    (1 + mean |difference| of neighbours across a border) / (1 + mean |difference| of the others),
    in grey levels, along both axes; the 1s let flat pictures have 1.

    Args:
        pictures: Grey or RGB.
        patch: Side of a patch in pixels (of the picture: a latent's patch times its reduction).

    Raises:
        ValueError: No border lies inside the pictures, or there are only borders.
    """
    if not 2 <= patch < min(pictures.shape[1:3]):
        raise ValueError(
            f"patch must lie between 2 and the pictures' smaller side less 1, got {patch} for "
            f"{pictures.shape[1]} x {pictures.shape[2]} pixels."
        )
    totals = np.zeros((2, 2))  # on a border or not; sum and number
    for some in blocks(len(pictures), int(np.prod(pictures.shape[1:]))):
        grey = _grey(pictures[some])
        for axis in (1, 2):
            step = np.abs(np.diff(grey, axis=axis)).mean(axis=3 - axis).sum(axis=0)
            border = np.arange(1, len(step) + 1) % patch == 0
            for k, which in enumerate((border, ~border)):
                totals[k] += step[which].sum(), which.sum() * len(grey)
    across, elsewhere = totals[:, 0] / totals[:, 1]
    return float((1 + across) / (1 + elsewhere))


def watch(
    pictures: UInt8[np.ndarray, "image height width channel"],
    reference: UInt8[np.ndarray, "other ..."],
    *,
    identity: Int[np.ndarray, " image"] | None = None,
    reference_identity: Int[np.ndarray, " other"] | None = None,
    patch: int | None = None,
) -> dict[str, Any]:
    """Compare pictures with a reference and say in words what has gone wrong.

    Best with a few dozen pictures of fixed seeds and identities, and the cold start's pictures of
    the same seeds as the reference.

    Args:
        pictures: The generator's, now.
        reference: Pictures of the same size that are as they should be.
        identity: Whose pictures they are; with it, variety inside an identity is watched too.
        reference_identity: The same for the reference; give both or none.
        patch: Side of the transformer's patches in pixels; with it, their borders are watched.

    Returns:
        "values", "reference" and "ratio" (name to number; a ratio to 0 is None), and "alarms", one
        sentence for each statistic outside its band in `BANDS`, or saturated by more than
        `SATURATED_RISE`.

    Raises:
        ValueError: Sizes differ, there are fewer than two pictures, or one identity alone is given.
    """
    if pictures.shape[1:] != reference.shape[1:]:
        raise ValueError(
            f"the watch compares pictures of one size, got {pictures.shape[1:]} beside "
            f"{reference.shape[1:]}; bring the reference to the size of the pictures."
        )
    if (identity is None) != (reference_identity is None):
        raise ValueError("identity and reference_identity go together; give both or none.")
    values = _means(pictures, identity, patch)
    wanted = _means(reference, reference_identity, patch)
    ratio = {name: _ratio(values[name], wanted[name]) for name in values}
    alarms = [alarm for name in BANDS if name in values for alarm in _alarm(name, values, wanted)]
    now, before = 100 * values["saturated"], 100 * wanted["saturated"]
    if now - before > 100 * SATURATED_RISE:
        alarms.append(
            f"saturated rose from {before:.1f} % to {now:.1f} % of values: burnt out or drowned in "
            "black."
        )
    return {"values": values, "reference": wanted, "ratio": ratio, "alarms": alarms}


def _means(
    pictures: np.ndarray, identity: np.ndarray | None, patch: int | None
) -> dict[str, float]:
    means = {name: float(value.mean()) for name, value in picture_statistics(pictures).items()}
    means["pixel_distance"] = mean_pixel_distance(pictures)
    if identity is not None:
        means["pixel_distance_in_identity"] = mean_pixel_distance(pictures, identity=identity)
    if patch is not None:
        means["patch_seams"] = patch_seams(pictures, patch=patch)
    return means


def _ratio(value: float, wanted: float) -> float | None:
    return value / wanted if wanted else None


def _alarm(name: str, values: dict[str, float], wanted: dict[str, float]) -> list[str]:
    """One sentence if a statistic left its band, none if not."""
    band, value, before, words = BANDS[name], values[name], wanted[name], name.replace("_", " ")
    if before == 0:
        return [f"{words} rose from 0 to {value:.3g}: {band.above}."] if value > 0 else []
    ratio = value / before
    if band.low <= ratio <= band.high:
        return []
    verb, why = ("fell", band.below) if ratio < 1 else ("rose", band.above)
    percent = 100 * abs(ratio - 1)
    return [f"{words} {verb} by {percent:.0f} % ({before:.3g} to {value:.3g}): {why}."]


def _statistics_of_some(pictures: np.ndarray, edge_threshold: float) -> dict[str, np.ndarray]:
    grey = _grey(pictures)
    extreme = (pictures == 0) | (pictures == 255)
    return {
        "entropy": _entropy(grey),
        "edge_density": (_sobel(grey) > edge_threshold).mean(axis=(1, 2)),
        "brightness": grey.mean(axis=(1, 2)),
        "contrast": grey.std(axis=(1, 2), dtype=np.float64),
        "sharpness": _laplacian(grey).var(axis=(1, 2), dtype=np.float64),
        "saturated": extreme.mean(axis=(1, 2, 3)),
    }


def _grey(
    pictures: UInt8[np.ndarray, "image height width channel"],
) -> Int[np.ndarray, "image height width"]:
    """Luma in whole grey levels, by the integer weights that Pillow and JPEG use."""
    if pictures.shape[3] == 1:
        return pictures[..., 0].astype(np.int32)
    weighted = pictures.astype(np.int32) @ np.array([19595, 38470, 7471], np.int32)
    return (weighted + (1 << 15)) >> 16


def _entropy(grey: Int[np.ndarray, "image height width"]) -> Float[np.ndarray, " image"]:
    n = len(grey)
    place = grey.reshape(n, -1) + 256 * np.arange(n)[:, None]
    share = np.bincount(place.ravel(), minlength=256 * n).reshape(n, 256) / place.shape[1]
    return -np.sum(share * np.log2(share, where=share > 0, out=np.zeros_like(share)), axis=1)


def _sobel(grey: Int[np.ndarray, "image height width"]) -> Float[np.ndarray, "image up across"]:
    down = grey[:, :-2] + 2 * grey[:, 1:-1] + grey[:, 2:]
    right = grey[:, :, :-2] + 2 * grey[:, :, 1:-1] + grey[:, :, 2:]
    return np.hypot(down[:, :, 2:] - down[:, :, :-2], right[:, 2:] - right[:, :-2]) / 8


def _laplacian(grey: Int[np.ndarray, "image height width"]) -> Int[np.ndarray, "image up across"]:
    middle = grey[:, 1:-1, 1:-1]
    upright = grey[:, :-2, 1:-1] + grey[:, 2:, 1:-1]
    return upright + grey[:, 1:-1, :-2] + grey[:, 1:-1, 2:] - 4 * middle
