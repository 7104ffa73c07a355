"""How much a recogniser flatters the pictures that it was trained on.

Trained on three pictures a person, a recogniser pulls these three together, and new pictures of
the person lie several times as far apart. Spread and bandwidth of the training features would then
ask a generator for less variety than real pictures have: a reward for collapse.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from reinforge.randomness import generator
from reinforge.records import ImageSet


@dataclass(frozen=True)
class Calibration:
    """What a recogniser that missed one picture of each identity makes of these pictures."""

    looseness: float  # spread of new pictures over spread of those it learned, squared distances
    accuracy: float  # share of the new ones nearest to their own identity's mean
    n_unseen: int


def leave_one_out(images: ImageSet, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of pictures to train the calibrating recogniser on, and of those that it misses.

    One picture is missed of every identity that has three or more.
    """
    chooser = generator(seed, "identity/calibration")
    missed = []
    for identity in range(len(images.names)):
        own = np.flatnonzero(images.identity == identity)
        if len(own) >= 3:
            missed.append(int(chooser.choice(own)))
    kept = np.setdiff1d(np.arange(len(images)), missed)
    return kept, np.array(missed, dtype=np.int64)


def calibrate(
    seen: Float[Tensor, "real feature"],
    seen_label: Int[Tensor, " real"],
    unseen: Float[Tensor, "new feature"],
    unseen_label: Int[Tensor, " new"],
) -> Calibration:
    """Compare new pictures with learned ones, identity by identity.

    looseness = mean |u - s|^2 / mean |s - s'|^2 over pairs of one identity, u unseen, s and s'
    seen; both means are twice a spread, so their quotient is that of tr Cov. It is never below 1.

    Args:
        seen: Features, L2-normalised, of the pictures that the recogniser learned.
        seen_label: Identity of each.
        unseen: Features of the pictures that it missed.
        unseen_label: Identity of each; its identity has two seen pictures or more.
    """
    across, within, n_right = [], [], 0
    identities = seen_label.unique()
    means = torch.stack([seen[seen_label == identity].mean(0) for identity in identities])
    means = torch.nn.functional.normalize(means, dim=1)
    for feature, identity in zip(unseen, unseen_label, strict=True):
        own = seen[seen_label == identity]
        across.append((own - feature).square().sum(1).mean())
        within.append(torch.pdist(own).square().mean())
        n_right += int(identities[(means @ feature).argmax()] == identity)
    quotient = float(torch.stack(across).mean() / torch.stack(within).mean().clamp(min=1e-6))
    return Calibration(max(quotient, 1.0), n_right / len(unseen), len(unseen))
