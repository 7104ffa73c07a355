"""Context of an evaluation of pictures: what somebody needs to repeat it."""

import platform
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import numpy as np

from reinforge import __version__
from reinforge.data.images import digest
from reinforge.evaluation.picture_judged import PARTS, JudgedPictures
from reinforge.evaluation.picture_utility import chosen_arm
from reinforge.records import ImageSet, PictureSplit


def picture_context(
    split: PictureSplit,
    synthetic: ImageSet,
    *,
    newcomers: ImageSet | None,
    pictures: JudgedPictures,
    judges: Mapping[str, str | None],
    arms: list[str],
) -> dict[str, Any]:
    """Versions, seed, level, numbers of pictures and people, judges, digests and warnings.

    Args:
        split: The real pictures as given.
        synthetic: The synthetic pictures as given.
        newcomers: Those of people who do not exist, as given.
        pictures: Those that were judged.
        judges: What judge and second are called, None where there is none.
        arms: Names of the recognisers.
    """
    given = {
        "train": split.train,
        "holdout": split.holdout,
        "unseen": split.unseen,
        "synthetic": synthetic,
        "newcomers": newcomers,
    }
    used = {name: getattr(pictures, name) for name in PARTS}
    return {
        "kind": "pictures",
        "level": pictures.level.name,
        "seed": pictures.seed,
        "picture_shape": list(split.train.pixels.shape[1:]),
        "pictures": {name: 0 if part is None else len(part) for name, part in given.items()},
        "pictures_used": {name: len(part) for name, part in used.items()},
        "people": {name: len(np.unique(part.identity)) for name, part in used.items()},
        "judges": dict(judges),
        "arms": arms,
        "scored_arm": chosen_arm(arms),
        "digests": {
            name: digest(part) for name, part in given.items() if part is not None and len(part)
        },
        "versions": {
            "reinforge": __version__,
            "python": platform.python_version(),
            **{name: version(name) for name in ("numpy", "scipy", "torch")},
        },
        "warnings": list(pictures.warnings),
    }
