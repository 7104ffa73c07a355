"""The final training: a recogniser an arm, from the same real pictures, weights and updates."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch

from reinforge.errors import InputError
from reinforge.recognition.config import RecogniserConfig
from reinforge.recognition.mixing import MixingConfig
from reinforge.recognition.recogniser import Recogniser
from reinforge.records import ImageSet
from reinforge.systems.identity.phase import Told, train_phase

Arm = Literal["real", "random_erasing", "cold_start", "reinforced", "selected"]
ARMS: tuple[Arm, ...] = ("real", "random_erasing", "cold_start", "reinforced", "selected")
ERASING = 0.5  # of pictures in the arm that erases (arXiv:1708.04896)
UNCHOSEN = {"selection": "random", "candidates": 1}


def train_arms(
    real: ImageSet,
    synthetic: Mapping[str, ImageSet],
    *,
    config: RecogniserConfig,
    mixing: MixingConfig,
    seed: int,
    arms: Sequence[str] = ARMS,
    newcomers: Mapping[str, ImageSet] | None = None,
    folder: Path | None = None,
    resume: bool = False,
    on_step: Told | None = None,
    stop: Callable[[], bool] | None = None,
    device: torch.device | str = "cpu",
) -> dict[str, Recogniser]:
    """Train the same recogniser on real pictures alone, and with synthetic ones beside them.

    Every arm takes as many updates and as many pictures an update (with mixing of both newcomers
    come on top): where no synthetic picture is seen, further views of real ones take their place.

    Args:
        real: The pictures that the generator saw.
        synthetic: Of the arms "cold_start", "reinforced" and "selected" (which chooses from those
            of "reinforced" if it has none of its own).
        config: Of the recogniser.
        mixing: How "selected" chooses; how many pictures all arms with synthetic ones take.
        seed: First weights, batches and views are those of this seed in every arm.
        arms: Which ones.
        newcomers: Of the same arms as `synthetic`: pictures of people who do not exist, drawn by
            that arm's generator, as further classes; they stand in place of `synthetic`, or (mixing
            of both) besides.
        folder: Each arm is kept in a folder of its own there.
        resume: Go on with what lies there; arms that are finished are not trained again.
        on_step: Told each record, with its arm as `phase`, and `done` of `of` steps.
        stop: Asked after each step.
        device: Where to train.

    Returns:
        Arm -> recogniser.

    Raises:
        InputError: An arm is not known, or has no synthetic pictures.
        Interrupted: `stop` said so; the state was saved first.
    """
    require_arms(arms)
    trained = {}
    for arm in arms:
        made = _pictures_of(arm, synthetic)
        others = None if made is None else _of_arm(arm, newcomers or {})
        own, how = _settings_of(arm, config, mixing)
        place = None if folder is None else folder / arm
        trained[arm] = train_phase(
            f"arm {arm}",
            real,
            config=own,
            seed=seed,
            synthetic=made,
            mixing=how,
            newcomers=others,
            run_dir=place,
            resume=resume,
            on_step=on_step,
            stop=stop,
            device=device,
        )
        if place is not None:
            trained[arm].save(place)
    return trained


def require_arms(arms: Sequence[str]) -> None:
    """Refuse arms that do not exist, or none.

    Raises:
        InputError: As above; it lists those that exist.
    """
    strange = [arm for arm in arms if arm not in ARMS]
    if strange or not arms:
        what = f"arm {strange[0]!r} is not known" if strange else "no arm is given"
        raise InputError(f"{what}; choose from {', '.join(ARMS)}.")


def _pictures_of(arm: str, synthetic: Mapping[str, ImageSet]) -> ImageSet | None:
    if arm in ("real", "random_erasing"):
        return None
    made = _of_arm(arm, synthetic)
    if made is None:
        raise InputError(f"arm {arm!r} needs synthetic pictures, and none were given for it.")
    return made


def _of_arm(arm: str, pictures: Mapping[str, ImageSet]) -> ImageSet | None:
    """Those of an arm; "selected" has those of "reinforced" if none of its own."""
    made = pictures.get(arm)
    return pictures.get("reinforced") if made is None and arm == "selected" else made


def _settings_of(
    arm: str, config: RecogniserConfig, mixing: MixingConfig
) -> tuple[RecogniserConfig, MixingConfig | None]:
    """What sets an arm apart from the others."""
    if arm == "selected":
        return config, mixing
    if arm in ("cold_start", "reinforced"):
        return config, mixing.model_copy(update=UNCHOSEN)
    more: dict[str, Any] = {"pictures_per_identity": config.pictures_per_identity + mixing.kept}
    if arm == "random_erasing":
        more["random_erasing"] = ERASING
    return config.model_copy(update=more), None
