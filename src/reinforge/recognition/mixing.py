"""Synthetic pictures beside the real ones of each batch: settings, and which are drawn when."""

import math
from typing import Literal

import numpy as np
from jaxtyping import Int
from pydantic import BaseModel, ConfigDict, Field

from reinforge.errors import InputError
from reinforge.randomness import generator
from reinforge.records import ImageSet


class MixingConfig(BaseModel):
    """How many synthetic pictures a step takes beside the real ones, and by what choice."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    selection: Literal["random", "lookahead", "lowest_loss"] = Field(
        "lowest_loss",
        description="lowest_loss: the candidates whose identity is seen best already; lookahead "
        "(the paper's): those whose loss falls most by a virtual step; random: as many of the "
        "same candidates, by chance",
    )
    of: Literal["newcomers", "both"] = Field(
        "newcomers",
        description="whose synthetic pictures: newcomers: of as many newcomers as a step has real "
        "people, or of these people where there are no newcomers; both: of these people, and "
        "newcomers by chance besides",
    )
    kept: int = Field(1, ge=1, description="synthetic pictures used an identity and step")
    candidates: int = Field(
        2, ge=1, description="pictures looked at for each one kept; 1 leaves nothing to choose"
    )
    look_every: int = Field(
        1,
        ge=1,
        description="steps from look to look; between two looks chance chooses: a picture's rank "
        "does not last from one batch to the next",
    )
    rank_by: Literal["change", "relative"] = Field(
        "change",
        description="change: dl, as published; relative: dl over the loss before the step, so that "
        "a candidate does not win by being far from learned",
    )
    estimate: Literal["exact", "first_order"] = Field(
        "exact",
        description="exact: two losses, before and after the virtual step; first_order: the slope "
        "of the loss along it, by forward-mode differentiation",
    )
    look_on: Literal["mixed", "real"] = Field(
        "mixed", description="batch of the virtual step: real and candidates, or real alone"
    )
    look_at: Literal["whole", "head"] = Field(
        "whole",
        description="weights that the virtual step moves: all, or those behind the backbone, which "
        "is then passed once and without gradient",
    )
    look_rate: float | None = Field(
        None,
        gt=0,
        description="rate of the virtual step after the warm-up, scheduled as the learning rate "
        "down to a hundredth; None: the learning rate itself",
    )
    check_estimate: bool = Field(
        False, description="record at every look how the two estimates agree (costs one more)"
    )
    weight: float = Field(
        1.0, gt=0, description="of a synthetic picture in the loss; a real one weighs 1"
    )
    until: float = Field(
        1.0,
        ge=0,
        le=1,
        description="share of the steps that use synthetic pictures; the rest are real alone",
    )

    def is_used(self, step: int, n_steps: int) -> bool:
        """Whether this step takes synthetic pictures."""
        return step < round(self.until * n_steps)

    def is_look(self, step: int) -> bool:
        """Whether this step ranks its candidates."""
        chooses = self.selection != "random" and self.candidates > 1
        return chooses and step % self.look_every == 0


def draw_candidates(
    identity: Int[np.ndarray, " image"],
    wanted: Int[np.ndarray, " identity"],
    step: int,
    *,
    n_pictures: int,
    seed: int,
) -> Int[np.ndarray, "known draw"]:
    """Numbers of synthetic pictures, a row an identity that has any, in random order.

    The first k of a row are k pictures chosen by chance. An identity with fewer pictures than
    wanted gives each of them before it repeats one; a repeated picture is another view.

    Args:
        identity: Of every synthetic picture.
        wanted: The identities of the batch, in its order.
        step: Number of the batch.
        n_pictures: Length of a row.
        seed: The training's seed.
    """
    draws = generator(seed, "identity/recogniser candidates", step)
    rows = []
    for chosen in wanted:
        own = np.flatnonzero(identity == chosen)
        if len(own):
            rounds = [draws.permutation(own) for _ in range(math.ceil(n_pictures / len(own)))]
            rows.append(np.concatenate(rounds)[:n_pictures])
    return np.array(rows, dtype=np.int64).reshape(-1, n_pictures)


def require_mixable(images: ImageSet, synthetic: ImageSet) -> None:
    """Refuse synthetic pictures that cannot stand beside the real ones.

    Raises:
        InputError: Other identities, another size, or none of an identity with real pictures.
    """
    if synthetic.names != images.names:
        raise InputError(
            f"synthetic pictures are of other identities than the real ones ({len(synthetic.names)}"
            f" names against {len(images.names)}, in this order); make them for the same set."
        )
    if tuple(synthetic.pixels.shape[1:]) != tuple(images.pixels.shape[1:]):
        made, real = (" x ".join(map(str, s.pixels.shape[1:])) for s in (synthetic, images))
        raise InputError(
            f"synthetic pictures are {made} (height, width, channel) and the real ones {real}; "
            "bring both to one size and colour first."
        )
    if not np.isin(synthetic.identity, images.identity).any():
        raise InputError(
            f"none of the {len(synthetic)} synthetic pictures is of an identity with real pictures;"
            " make some, or train on the real ones alone."
        )
