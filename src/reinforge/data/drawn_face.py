"""A cartoon face from its traits and its nuisance, painted back to front: scene, hair, head."""

import numpy as np

from reinforge.data.drawn_easel import (
    SKIN,
    Easel,
    colour_on,
    developed,
    free_colour,
    hair_colour,
    haired,
    set_up,
)
from reinforge.data.drawn_features import beard, cheeks, eyes, glasses, mouth, nose
from reinforge.data.drawn_shapes import ellipse, lobes, squircle, triangle_wave
from reinforge.data.drawn_traits import Numbers


def draw_faces(who: Numbers, now: Numbers, *, size: int) -> np.ndarray:
    """Paint faces.

    Args:
        who: Traits of each picture's identity.
        now: Pose, light, expression and scene of each picture.
        size: Height and width in pixels.

    Returns:
        uint8 (picture, size, size, 3).
    """
    easel = set_up(who, now, size)
    _scene(easel)
    _hair_behind(easel)
    _shoulders(easel)
    _ears(easel)
    head = _head(easel)
    cheeks(easel)
    beard(easel, head)
    nose(easel)
    mouth(easel)
    eyes(easel)
    _hair_in_front(easel, head)
    glasses(easel)
    return developed(easel)


def _scene(easel: Easel) -> None:
    """A sky that runs into a ground, and a disc somewhere."""
    now, size = easel.now, easel.canvas.rgb.shape[-1]
    centres = (2 * np.arange(size, dtype=np.float32) + 1) / size - 1
    x, y = centres[None, None, :], centres[None, :, None]
    slant = 2 * now["back_angle"] - 1
    mix = np.clip(0.5 + 0.5 * (y + slant * x), 0, 1)
    sky, ground = free_colour(now, "sky", 0.35, 1.0), free_colour(now, "ground", 0.2, 0.95)
    easel.canvas.rgb += sky + mix * (ground - sky)
    radius = 0.2 + 0.6 * now["back_size"]
    disc = ellipse(x - (2 * now["back_x"] - 1), y - (2 * now["back_y"] - 1), radius, radius)
    easel.canvas.paint(disc, free_colour(now, "disc", 0.3, 1.0), 0.8)


def _crown(easel: Easel) -> np.ndarray:
    """The outline of the hair around the head: larger, lifted, smooth or in lobes."""
    who = easel.who
    x = easel.x + 0.06 * easel.now["yaw"] * who["head_width"]
    y = easel.y + who["hair_lift"]
    width, height = who["head_width"] + who["hair_volume"], who["head_height"] + who["hair_volume"]
    bump = np.maximum(who["hair_lobes"], 0)
    outline = squircle(x, y, width, height, 0.3 * who["square"])
    return outline - bump * lobes(x, y + 0.1, who["hair_count"], who["hair_sharp"])


def _hair_behind(easel: Easel) -> None:
    who, canvas = easel.who, easel.canvas
    colour, has_hair = hair_colour(who) * np.float32(0.82), haired(who)
    length = who["hair_length"]
    half = 0.5 * (length + 0.2)
    tresses = squircle(
        easel.x, easel.y - half, who["head_width"] + 0.75 * who["hair_volume"], half + 0.2,
        np.float32(0.8),
    )  # fmt: skip
    top = (who["buns"] < 0.2).astype(np.float32)
    sides = ((who["buns"] >= 0.2) & (who["buns"] < 0.36)).astype(np.float32)
    above = who["head_height"] + who["hair_volume"] + who["hair_lift"]
    bun = ellipse(easel.x, easel.y + above, who["bun_size"], who["bun_size"])
    canvas.paint(bun, colour, has_hair * top)
    pigtail = ellipse(
        np.abs(easel.x) - who["head_width"] - who["hair_volume"], easel.y + who["hair_lift"],
        who["bun_size"], who["bun_size"] * 1.3,
    )  # fmt: skip
    canvas.paint(pigtail, colour, has_hair * sides)
    canvas.paint(tresses, colour, has_hair * (length > 0))
    behind = np.maximum(_crown(easel), easel.y - 0.25 * who["head_height"])
    canvas.paint(behind, colour, has_hair)


def _shoulders(easel: Easel) -> None:
    who, canvas = easel.who, easel.canvas
    skin = colour_on(SKIN, who["skin"])
    chin = who["head_height"]
    neck = np.maximum(np.abs(easel.x) - 0.42 * who["head_width"], -easel.y)
    canvas.paint(neck, skin * np.float32(0.78))
    shirt = squircle(easel.x, easel.y - chin - 0.55, 1.5 * who["head_width"],
                     np.float32(0.45), np.float32(0.7))  # fmt: skip
    canvas.paint(shirt, free_colour(easel.now, "shirt", 0.1, 0.95))


def _ears(easel: Easel) -> None:
    who, canvas = easel.who, easel.canvas
    skin = colour_on(SKIN, who["skin"])
    on_top = who["top_ears"] < 0.14
    size, pointed = who["ear_size"], np.maximum(who["ear_point"] - 0.6, 0) * 1.6
    x = easel.x + 0.10 * easel.now["yaw"] * who["head_width"]
    down = easel.y - who["ear_height"] - 0.4 * easel.now["pitch"] * np.float32(0.06)
    out = np.abs(x) - who["head_width"] * (1 - 0.25 * np.maximum(who["jaw"], 0))
    out_slanted = out + pointed * down
    for scale, shade in ((1.0, 0.93), (0.55, 0.74)):
        lobe = ellipse(out_slanted, down, 0.8 * scale * size, scale * size * (1 + pointed))
        canvas.paint(lobe, skin * np.float32(shade), (~on_top).astype(np.float32))
    fur = haired(who) * hair_colour(who) + (1 - haired(who)) * skin
    up = easel.y + who["head_height"] + 0.5 * who["hair_volume"]
    side = np.abs(easel.x) - 0.72 * who["head_width"]
    for scale, shade in ((1.0, 0.9), (0.55, 1.15)):
        reach = 1.7 * scale * size
        cone = np.maximum(np.abs(side) - 0.5 * (up + reach), up - 0.3)
        globe = ellipse(side, up, reach * 0.8, reach * 0.8)
        ear = globe + (who["top_ear_sharp"] > 0.5) * (cone - globe)
        canvas.paint(ear, np.clip(fur * np.float32(shade), 0, 1), on_top.astype(np.float32))


def _head(easel: Easel) -> np.ndarray:
    """Paint the head; its distance comes back for what is cut to it."""
    who = easel.who
    narrow = 1 - who["jaw"] * np.clip(easel.y / who["head_height"], -0.3, 1.2)
    head = squircle(easel.x / narrow, easel.y, who["head_width"], who["head_height"], who["square"])
    easel.canvas.paint(head, colour_on(SKIN, who["skin"]))
    return head


def _hair_in_front(easel: Easel, head: np.ndarray) -> None:
    who = easel.who
    x = easel.x - 0.10 * easel.now["yaw"] * who["head_width"]
    teeth = np.maximum(who["hair_zigzag"], 0) * triangle_wave(x * who["hair_teeth"])
    rim = who["hair_line"] * who["head_height"] + who["hair_part"] * x
    rim = rim + who["hair_curve"] * x * x + teeth
    eye_top = who["eye_height"] - 0.6 * who["eye_width"] * who["eye_round"] - np.float32(0.02)
    beside = np.maximum(np.abs(x) - 0.86 * who["head_width"], 0)
    rim = np.minimum(rim, eye_top + 6 * beside)  # a fringe ends above the eyes
    front = np.maximum(np.minimum(_crown(easel), head - 0.02), easel.y - rim)
    front = np.maximum(front, easel.y - 0.45 * who["head_height"])
    easel.canvas.paint(front, hair_colour(who), haired(who))
    shine = ellipse(
        x + 0.12, easel.y + 0.86 * who["head_height"], np.float32(0.24), np.float32(0.1)
    )
    shine = np.maximum(shine, front)
    light = np.clip(hair_colour(who) * np.float32(1.3) + np.float32(0.08), 0, 1)
    easel.canvas.glow(shine, light, haired(who) * 0.8, 0.08)
