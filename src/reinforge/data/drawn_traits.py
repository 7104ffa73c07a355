"""What tells drawn identities apart, and what changes from picture to picture, as numbers."""

import numpy as np

from reinforge.randomness import generator

Numbers = dict[str, np.ndarray]

IDENTITY: dict[str, tuple[float, float]] = {  # trait -> range, in half heights of the picture
    "head_width": (0.40, 0.56),
    "head_height": (0.50, 0.66),
    "square": (0.0, 0.9),
    "jaw": (-0.12, 0.38),  # how much narrower the chin is than the brow
    "skin": (0.0, 1.0),
    "blush": (0.0, 0.5),
    "eye_gap": (0.16, 0.29),
    "eye_height": (-0.14, 0.08),
    "eye_width": (0.085, 0.165),
    "eye_round": (0.6, 1.25),  # height of an eye over its width
    "eye_tilt": (-0.35, 0.35),
    "iris": (0.62, 0.95),
    "eye_colour": (0.0, 1.0),
    "brow_length": (0.10, 0.18),
    "brow_width": (0.012, 0.055),
    "brow_sag": (-0.02, 0.07),
    "brow_tilt": (-0.3, 0.3),
    "brow_gap": (0.04, 0.12),
    "nose_length": (0.10, 0.26),
    "nose_width": (0.035, 0.11),
    "nose_height": (0.03, 0.075),
    "mouth_drop": (0.10, 0.20),  # from the tip of the nose
    "mouth_width": (0.10, 0.25),
    "lip": (0.018, 0.05),
    "lip_red": (0.1, 0.9),
    "ear_size": (0.08, 0.17),
    "ear_height": (-0.12, 0.12),
    "ear_point": (-1.0, 1.0),  # above 0.6: pointed
    "top_ears": (0.0, 1.0),  # below 0.14: a creature's ears on top of the head
    "top_ear_sharp": (0.0, 1.0),
    "hair": (0.0, 1.0),  # below 0.07: bald
    "hair_colour": (0.0, 1.0),
    "hair_shade": (0.75, 1.1),
    "hair_volume": (0.03, 0.20),
    "hair_lift": (0.0, 0.12),
    "hair_line": (-0.75, -0.28),  # in half heights of the head
    "hair_part": (-0.55, 0.55),
    "hair_curve": (-0.5, 1.3),
    "hair_zigzag": (-0.25, 0.22),  # below 0: a smooth fringe
    "hair_teeth": (2.0, 5.0),
    "hair_lobes": (-0.14, 0.18),  # below 0: a smooth outline
    "hair_count": (2.0, 5.0),
    "hair_sharp": (0.0, 1.0),
    "hair_length": (-0.9, 0.95),  # below 0: nothing under the ears
    "buns": (0.0, 1.0),  # below 0.2: one on top; 0.2 to 0.36: one on either side
    "bun_size": (0.12, 0.22),
    "glasses": (0.0, 1.0),  # below 0.28: worn
    "glasses_size": (1.25, 1.75),
    "glasses_square": (0.0, 1.0),
    "glasses_colour": (0.0, 1.0),
    "beard": (0.0, 1.0),  # below 0.16: worn
    "beard_line": (0.0, 0.14),
    "moustache": (0.0, 1.0),  # below 0.16: worn
    "moustache_width": (0.12, 0.24),
    "moustache_sag": (-0.05, 0.06),
}

NUISANCE: dict[str, tuple[float, float]] = {  # range at nuisance 1; 0 stands for a neutral picture
    "turn": (-0.30, 0.30),  # radians in the plane of the picture
    "shift_x": (-0.13, 0.13),
    "shift_y": (-0.10, 0.10),
    "zoom": (-0.13, 0.13),
    "yaw": (-1.0, 1.0),
    "pitch": (-1.0, 1.0),
    "light_x": (-0.38, 0.38),
    "light_y": (-0.30, 0.20),
    "bright": (-0.18, 0.16),
    "contrast": (-0.28, 0.16),
    "warm": (-0.09, 0.09),
    "smile": (-0.8, 0.8),
    "open": (-0.9, 1.0),  # below 0: lips closed
    "blink": (-0.25, 0.75),  # below 0: eyes wide
    "brow_raise": (-0.5, 1.0),
    "brow_frown": (-0.25, 0.25),
    "gaze_x": (-1.0, 1.0),
    "gaze_y": (-0.6, 0.6),
}
SCENE = (
    *("back_angle", "back_size", "back_x", "back_y"),
    *(f"{part}_{channel}" for part in ("sky", "ground", "disc", "shirt") for channel in "rgb"),
)  # in [0, 1] whatever the nuisance


def identity_traits(identity: np.ndarray, *, seed: int) -> Numbers:
    """Every identity's traits, drawn evenly from their ranges: a number names a face for good."""
    code = np.stack(
        [generator(seed, "drawn/identity", int(i)).random(len(IDENTITY)) for i in identity]
    )
    return {
        name: _column(low + (high - low) * code[:, i])
        for i, (name, (low, high)) in enumerate(IDENTITY.items())
    }


def picture_nuisance(
    identity: np.ndarray, index: np.ndarray, *, seed: int, nuisance: float
) -> Numbers:
    """What is the picture's and not the identity's: pose, light, expression, scene."""
    code = np.stack(
        [
            generator(seed, f"drawn/picture/{int(i)}", int(k)).random(len(NUISANCE) + len(SCENE))
            for i, k in zip(identity, index, strict=True)
        ]
    )
    numbers = {
        name: _column(nuisance * (low + (high - low) * code[:, i]))
        for i, (name, (low, high)) in enumerate(NUISANCE.items())
    }
    return numbers | {name: _column(code[:, len(NUISANCE) + i]) for i, name in enumerate(SCENE)}


def _column(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32)[:, None, None]
