"""Features of a drawn face: eyes, brows, nose, mouth, beard, glasses."""

import numpy as np

from reinforge.data.drawn_easel import EYES, FRAMES, SKIN, Easel, colour_on, hair_colour, plain
from reinforge.data.drawn_shapes import arc, ellipse, squircle
from reinforge.data.drawn_traits import Numbers

WHITE = plain(1.0, 1.0, 1.0)


def cheeks(easel: Easel) -> None:
    """A blush that fades out, under each eye."""
    who = easel.who
    pink = colour_on(SKIN, who["skin"]) * plain(1.0, 0.66, 0.66)
    spot = ellipse(
        np.abs(easel.inner_x) - who["eye_gap"] - 0.06, easel.inner_y - who["eye_height"] - 0.2,
        np.float32(0.12), np.float32(0.09),
    )  # fmt: skip
    easel.canvas.glow(spot, pink, who["blush"], 0.08)


def _nose_tip(who: Numbers) -> np.ndarray:
    return who["eye_height"] + who["nose_length"]


def _mouth_line(who: Numbers) -> np.ndarray:
    return _nose_tip(who) + who["mouth_drop"]


def beard(easel: Easel, head: np.ndarray) -> None:
    """A beard below the mouth, cut to the head, and a moustache above it: those who wear them."""
    who, canvas, colour = easel.who, easel.canvas, hair_colour(easel.who)
    mouth = _mouth_line(who)
    rim = mouth + who["beard_line"] - 1.6 * easel.inner_x * easel.inner_x - easel.inner_y
    beard = np.maximum(head - 0.04, rim)
    canvas.paint(beard, colour, 0.92 * (who["beard"] < 0.16))
    moustache = arc(
        easel.inner_x, easel.inner_y - mouth + 0.5 * who["mouth_drop"], who["moustache_width"],
        who["moustache_sag"], np.float32(0.05),
    )  # fmt: skip
    canvas.paint(moustache, colour, (who["moustache"] < 0.16).astype(np.float32))


def nose(easel: Easel) -> None:
    """A shadow with a lit tip in it."""
    who, skin = easel.who, colour_on(SKIN, easel.who["skin"])
    x = easel.inner_x - 0.05 * easel.now["yaw"]  # the tip stands out, so it moves most
    y = easel.inner_y - _nose_tip(who)
    shadow = skin * plain(0.80, 0.70, 0.68)
    easel.canvas.paint(ellipse(x, y, who["nose_width"], who["nose_height"]), shadow, 0.85)
    lit = ellipse(
        x, y + 0.35 * who["nose_height"], 0.8 * who["nose_width"], 0.8 * who["nose_height"]
    )
    easel.canvas.paint(lit, np.clip(skin * np.float32(1.04), 0, 1), 0.8)


def mouth(easel: Easel) -> None:
    """Two lips along parabolas; what lies between them is the open mouth."""
    who, now = easel.who, easel.now
    x, y = easel.inner_x, easel.inner_y - _mouth_line(who)
    half = who["mouth_width"] * (1 + 0.15 * now["smile"])
    along = (x / half) * (x / half)
    smile = now["smile"] + np.float32(0.35)
    bend = smile * (0.09 * (1 - along) - 0.04)
    gap = 0.16 * np.maximum(now["open"], 0) * np.maximum(1 - along, 0)
    lip = who["lip"] * np.maximum(1.15 - along, 0)
    ends = np.abs(x) - half
    upper, lower = bend - lip - y, y - bend - gap - lip
    skin = colour_on(SKIN, who["skin"])
    red = plain(0.72, 0.22, 0.25)
    dark = skin * np.float32(0.6)
    lips = np.maximum(np.maximum(upper, lower), ends)
    easel.canvas.paint(lips, dark + who["lip_red"] * (red - dark))
    inside = np.maximum(np.maximum(bend + 0.006 - y, y - bend - gap + 0.006), ends)
    easel.canvas.paint(inside, plain(0.28, 0.08, 0.10))
    teeth = np.maximum(inside, y - bend - 0.05)
    easel.canvas.paint(teeth, WHITE, 0.9)


def eyes(easel: Easel) -> None:
    """Both eyes and their brows."""
    for side in (np.float32(-1), np.float32(1)):
        _eye(easel, side)
        _brow(easel, side)


def _eye(easel: Easel, side: np.float32) -> None:
    who, now, canvas = easel.who, easel.now, easel.canvas
    width = who["eye_width"] * (1 - 0.16 * side * now["yaw"])
    shut, wide = np.maximum(now["blink"], 0), np.maximum(-now["blink"], 0)
    opened = np.maximum(1 - 1.9 * shut * shut, 0) + 0.3 * wide
    seen = (opened > 0.12).astype(np.float32)
    height = who["eye_width"] * who["eye_round"] * opened + 0.012
    x = easel.inner_x - side * who["eye_gap"] * (1 - 0.10 * side * now["yaw"])
    y = easel.inner_y - who["eye_height"] + side * who["eye_tilt"] * x
    lid = ellipse(x, y + 0.018, width + 0.022, height + 0.02)
    line = plain(0.16, 0.11, 0.12)
    canvas.paint(lid, line)
    white = ellipse(x, y, width, height)
    canvas.paint(white, WHITE, seen)
    iris = who["iris"] * np.minimum(width, who["eye_width"] * who["eye_round"])
    away_x = x - 0.45 * now["gaze_x"] * np.maximum(width - iris, 0) * 1.4
    away_y = y - 0.5 * now["gaze_y"] * np.maximum(height - iris, 0)
    ball = np.maximum(ellipse(away_x, away_y, iris, iris), white)
    canvas.paint(ball, colour_on(EYES, who["eye_colour"]), seen)
    pupil = np.maximum(ellipse(away_x, away_y, 0.55 * iris, 0.55 * iris), white)
    canvas.paint(pupil, plain(0.05, 0.05, 0.05), seen)
    spark = np.maximum(
        ellipse(away_x + 0.35 * iris, away_y + 0.4 * iris, 0.28 * iris, 0.28 * iris), white
    )
    canvas.paint(spark, WHITE, 0.95 * seen)


def _brow(easel: Easel, side: np.float32) -> None:
    who, now = easel.who, easel.now
    top = who["eye_height"] - who["eye_width"] * who["eye_round"] - who["brow_gap"] - 0.02
    x = easel.inner_x - side * who["eye_gap"] * (1 - 0.10 * side * now["yaw"])
    y = easel.inner_y - top + 0.06 * now["brow_raise"]
    y = y + side * (who["brow_tilt"] + now["brow_frown"]) * x
    brow = arc(x, y, who["brow_length"], who["brow_sag"], who["brow_width"])
    colour = hair_colour(who) * np.float32(0.62)
    easel.canvas.paint(brow, colour)


def glasses(easel: Easel) -> None:
    """Two frames and the bar between them: those who wear them."""
    who, worn = easel.who, (easel.who["glasses"] < 0.28).astype(np.float32)
    colour = colour_on(FRAMES, who["glasses_colour"])
    size = np.minimum(who["glasses_size"] * who["eye_width"] + 0.03, who["eye_gap"] - 0.01)
    y = easel.inner_y - who["eye_height"]
    lens = squircle(
        np.abs(easel.inner_x) - who["eye_gap"], y, size, size * 0.95, who["glasses_square"]
    )
    easel.canvas.paint(lens, WHITE, 0.16 * worn)
    easel.canvas.paint(np.abs(lens) - 0.02, colour, worn)
    bar = np.maximum(np.abs(y) - 0.018, np.abs(easel.inner_x) - (who["eye_gap"] - size))
    easel.canvas.paint(bar, colour, worn)
