"""How deep an evaluation of pictures goes: the caps of the two levels."""

from dataclasses import dataclass

from reinforge.evaluation.levels import level_of


@dataclass(frozen=True, kw_only=True)
class PictureLevel:
    """What one level looks at, at most."""

    name: str
    pictures: int  # of holdout, unseen and synthetic each; training pictures are all searched
    attacked: int  # training pictures, and others, whose membership is guessed
    genuine: int  # pairs of one unseen person
    impostor: int  # pairs of two
    calibration: int  # real pictures a side whose pairs set the thresholds of matching
    redraws: int  # of people, for intervals
    shuffles: int  # of people among groups, for what luck makes of a gap


PICTURE_LEVELS = {
    "quick": PictureLevel(
        name="quick",
        pictures=2_000,
        attacked=1_000,
        genuine=2_000,
        impostor=20_000,
        calibration=800,
        redraws=200,
        shuffles=19,
    ),
    "full": PictureLevel(
        name="full",
        pictures=10_000,
        attacked=5_000,
        genuine=6_000,
        impostor=60_000,
        calibration=1_500,
        redraws=1_000,
        shuffles=99,
    ),
}


def picture_level(name: str) -> PictureLevel:
    """The level of that name; others are refused as for tables."""
    return PICTURE_LEVELS[level_of(name).name]
