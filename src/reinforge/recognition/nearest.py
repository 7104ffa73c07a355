"""Nearest-embedding selection: synthetic pictures that look like their identity and not alike.

A choice made once, before training, from the features of any encoder: close to the identity's real
pictures, far from what is already picked (maximal marginal relevance, Carbonell & Goldstein 1998,
SIGIR; with a spread weight of 1 the farthest-first rule of Gonzalez 1985, Theor. Comput. Sci. 38).
"""

from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial.distance import cdist

from reinforge.errors import InputError
from reinforge.recognition.mixing import require_mixable
from reinforge.recognition.recogniser import embed_pictures
from reinforge.records import ImageSet


def nearest_subset(
    real_features: Float[np.ndarray, "image feature"],
    real_identity: Int[np.ndarray, " image"],
    synthetic_features: Float[np.ndarray, "made feature"],
    synthetic_identity: Int[np.ndarray, " made"],
    *,
    per_identity: int,
    spread_weight: float = 0.5,
) -> Int[np.ndarray, " picked"]:
    """Numbers of the synthetic pictures to keep, identity by identity, in the order of picking.

    The first pick of an identity is the picture nearest to a real one of it; each further one has
    the highest

        lambda min_picked ||x - s|| - (1 - lambda) min_real ||x - r||,

    on normalised features, where lambda is `spread_weight`. The picks of a smaller number are the
    first ones of a larger. Of equal pictures the first is taken.

    Args:
        real_features: Of real pictures, any length.
        real_identity: Of each.
        synthetic_features: By the same encoder.
        synthetic_identity: Of each.
        per_identity: Pictures kept of each identity; all of one that has fewer.
        spread_weight: 0: the nearest to real pictures; 1: the farthest from one another.

    Raises:
        InputError: A number out of range, or an identity without a real picture to be near to.
    """
    if per_identity < 1 or not 0 <= spread_weight <= 1:
        raise InputError(
            "nearest selection: per_identity must be at least 1 and spread_weight lie in [0, 1], "
            f"got {per_identity} and {spread_weight}."
        )
    strangers = np.setdiff1d(synthetic_identity, real_identity)
    if len(strangers):
        raise InputError(
            f"nearest selection: identity {strangers[0]} has synthetic pictures and no real one to "
            f"be near to ({len(strangers)} such identities); leave its pictures out."
        )
    real, made = _normalised(real_features), _normalised(synthetic_features)
    picked = [
        own[_picked(real[real_identity == who], made[own], per_identity, spread_weight)]
        for who in np.unique(synthetic_identity)
        for own in [np.flatnonzero(synthetic_identity == who)]
    ]
    return np.concatenate([np.zeros(0, np.int64), *picked])


def _picked(
    real: Float[np.ndarray, "image feature"],
    made: Float[np.ndarray, "made feature"],
    n: int,
    spread_weight: float,
) -> Int[np.ndarray, " picked"]:
    """The greedy picks of one identity."""
    to_real = cdist(made, real).min(axis=1)
    picked = [int(to_real.argmin())]
    to_picked = np.full(len(made), np.inf)
    while len(picked) < min(n, len(made)):
        to_picked = np.minimum(to_picked, cdist(made, made[picked[-1:]])[:, 0])
        score = spread_weight * to_picked - (1 - spread_weight) * to_real
        score[picked] = -np.inf
        picked.append(int(score.argmax()))
    return np.array(picked)


def _normalised(features: Float[np.ndarray, "image feature"]) -> Float[np.ndarray, "image feature"]:
    features = features.astype(np.float64)
    length = np.linalg.norm(features, axis=1, keepdims=True)
    return features / np.maximum(length, np.finfo(np.float64).tiny)


def nearest_pictures(
    encoder: Any,
    real: ImageSet,
    synthetic: ImageSet,
    *,
    per_identity: int,
    spread_weight: float = 0.5,
) -> ImageSet:
    """The synthetic pictures that `nearest_subset` keeps by the features of an encoder.

    Pictures of identities without real ones are left out.

    Args:
        encoder: Has `embed` and `device`, as a recogniser or a frozen encoder has.
        real: The pictures to be near to.
        synthetic: Of the same names and size.
        per_identity: Pictures kept of each identity.
        spread_weight: As there.

    Raises:
        InputError: The sets do not fit, or a number is out of range.
    """
    require_mixable(real, synthetic)
    known = np.flatnonzero(np.isin(synthetic.identity, real.identity))
    synthetic = synthetic.subset(known)
    numbers = nearest_subset(
        embed_pictures(encoder, real).cpu().numpy(),
        real.identity,
        embed_pictures(encoder, synthetic).cpu().numpy(),
        synthetic.identity,
        per_identity=per_identity,
        spread_weight=spread_weight,
    )
    return synthetic.subset(numbers)
