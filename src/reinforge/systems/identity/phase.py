"""A training that is one phase of several: its records and its interruption bear a name."""

from collections.abc import Callable
from typing import Any

from reinforge.recognition.config import RecogniserConfig
from reinforge.recognition.recogniser import Recogniser
from reinforge.recognition.train import train_recogniser
from reinforge.records import ImageSet
from reinforge.training import Interrupted

Told = Callable[[dict[str, Any]], None]


def train_phase(
    phase: str,
    images: ImageSet,
    *,
    config: RecogniserConfig,
    on_step: Told | None,
    **settings: Any,
) -> Recogniser:
    """`train_recogniser` with the same arguments, as a phase of a longer run.

    Args:
        phase: What it is called.
        images: Every identity with its pictures.
        config: Of the recogniser.
        on_step: Told each record, with its `phase` and `done` of `of` steps.
        **settings: All other arguments of `train_recogniser`.

    Raises:
        InputError: As `train_recogniser`.
        Interrupted: `stop` said so; the state was saved first, the message names the phase.
    """

    def told(record: dict[str, Any]) -> None:
        if on_step is not None:
            on_step({"phase": phase, **record, "done": record["step"] + 1, "of": config.n_steps})

    try:
        return train_recogniser(images, config=config, on_step=told, **settings)
    except Interrupted as interrupted:
        raise Interrupted(f"{phase}: {interrupted}") from None
