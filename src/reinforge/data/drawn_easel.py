"""The easel of one drawing: coordinates, colours, and the light that falls on it at the end."""

from dataclasses import dataclass

import numpy as np

from reinforge.data.drawn_shapes import Canvas
from reinforge.data.drawn_traits import Numbers

# Palettes run from one colour to the next; a trait in [0, 1] is a place on the way.
SKIN = ("ffe3cf", "f9cfae", "eeb98f", "d79a6b", "b57648", "8a5432", "623a24")
HAIR = (
    *("1f1a1c", "3b2418", "6b3d1f", "b5572a", "e0a950", "f3dc96"),
    *("c9c9cf", "e07fa8", "7b5cc4", "3b76c9", "2b9a8f"),
)
EYES = ("3a2416", "6d4520", "4f7f3a", "2f7f9f", "4a68c8", "7a5aa8")
FRAMES = ("222222", "7a1f2b", "1f3d7a", "c08a2a", "e8e8ee")


@dataclass(frozen=True, kw_only=True)
class Easel:
    """One drawing: its canvas, the coordinates of head and features, and who is drawn how."""

    canvas: Canvas
    x: np.ndarray  # of the head: its centre is 0, right and down are positive
    y: np.ndarray
    inner_x: np.ndarray  # of eyes, nose and mouth, which a turn of the head shifts
    inner_y: np.ndarray
    who: Numbers
    now: Numbers


def colour_on(palette: tuple[str, ...], place: np.ndarray) -> np.ndarray:
    """The colour at a place in [0, 1] of a palette, as (3, picture, 1, 1) in [0, 1]."""
    stops = np.array([[int(c[i : i + 2], 16) for i in (0, 2, 4)] for c in palette]) / 255
    at = np.linspace(0, 1, len(palette))
    return np.stack([np.interp(place, at, stops[:, i]) for i in range(3)]).astype(np.float32)


def set_up(who: Numbers, now: Numbers, size: int) -> Easel:
    """Put a black canvas up; pose becomes coordinates in which every head stands upright."""
    n_pictures = len(now["turn"])
    centres = (2 * np.arange(size, dtype=np.float32) + 1) / size - 1
    zoom = 1 + now["zoom"]
    across = (centres[None, None, :] - now["shift_x"]) / zoom
    down = (centres[None, :, None] - now["shift_y"] - np.float32(0.06)) / zoom
    turn = now["turn"].astype(np.float64)  # cast back, its sines do not feel the array's length
    cos, sin = np.cos(turn).astype(np.float32), np.sin(turn).astype(np.float32)
    x, y = cos * across + sin * down, cos * down - sin * across
    return Easel(
        canvas=Canvas(n_pictures, size, 2 / (size * zoom)),
        x=x,
        y=y,
        inner_x=x - now["yaw"] * who["head_width"] * np.float32(0.26),
        inner_y=y - now["pitch"] * np.float32(0.06),
        who=who,
        now=now,
    )


def free_colour(now: Numbers, part: str, low: float, high: float) -> np.ndarray:
    """The colour of a part of the scene, half faded to grey, channels between low and high."""
    rgb = np.stack([now[f"{part}_{channel}"] for channel in "rgb"])
    soft = np.float32(0.55) * rgb + np.float32(0.45) * rgb.mean(axis=0)
    return low + (high - low) * soft


def developed(easel: Easel) -> np.ndarray:
    """Light from a side, brightness, contrast and warmth; then eight bits."""
    now, rgb = easel.now, easel.canvas.rgb
    rgb *= 1 + now["light_x"] * np.clip(easel.x, -1, 1) + now["light_y"] * np.clip(easel.y, -1, 1)
    rgb -= np.float32(0.5)
    rgb *= 1 + now["contrast"]
    rgb += np.float32(0.5) + now["bright"]
    rgb[0] += now["warm"]
    rgb[2] -= now["warm"]
    return np.rint(np.clip(rgb, 0, 1) * 255).astype(np.uint8).transpose(1, 2, 3, 0)


def plain(red: float, green: float, blue: float) -> np.ndarray:
    """One colour for all pictures, as (3, 1, 1, 1)."""
    return np.array([red, green, blue], np.float32)[:, None, None, None]


def hair_colour(who: Numbers) -> np.ndarray:
    """Each picture's hair colour, (3, picture, 1, 1)."""
    return np.clip(colour_on(HAIR, who["hair_colour"]) * who["hair_shade"], 0, 1)


def haired(who: Numbers) -> np.ndarray:
    """1 where there is hair, 0 on the bald, (picture, 1, 1)."""
    return (who["hair"] >= 0.07).astype(np.float32)
