"""Photographs of real people in place of newcomers: what pictures of strangers bring at most."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import normalize

from face_prior import parted
from reinforge.generators.prior import Prior
from reinforge.records import ImageSet
from reinforge.systems.identity.teacher import encoder_of

FEWEST = 3  # pictures of a person who is taken


def real_strangers(faces: Path, prior: Prior, *, n: int, per: int, seed: int) -> ImageSet:
    """People of LFW whom the prior was shown, named by what its encoder sees in their pictures.

    Args:
        faces: `lfw_a.npz`; those whom face_prior.py kept apart are left out.
        prior: By likeness, of the size that face_prior.py trains.
        n: People.
        per: Pictures of each at most; some have `FEWEST` alone.
        seed: Whom and which.
    """
    known, _ = parted(faces)
    rng = np.random.default_rng(seed)
    count = np.bincount(known.identity, minlength=len(known.names))
    people = rng.permutation(np.flatnonzero(count >= FEWEST))[:n]
    chosen = [rng.permutation(np.flatnonzero(known.identity == one))[:per] for one in people]
    called = {int(one): at for at, one in enumerate(people)}
    part = known.subset(np.sort(np.concatenate(chosen)))
    taken = ImageSet(
        pixels=part.pixels,
        identity=np.array([called[int(one)] for one in part.identity]),
        names=tuple(f"stranger-{at:05}" for at in range(len(people))),
    )
    feature = encoder_of(prior).embed_all(taken)
    label = torch.from_numpy(taken.identity)
    mean = torch.stack([feature[label == at].mean(0) for at in range(len(people))])
    return replace(taken, described=normalize(mean, dim=1).cpu().numpy())
