"""PK batches: P identities with K pictures each, a pure function of (seed, step)."""

import numpy as np
from jaxtyping import Int

from reinforge.errors import InputError
from reinforge.randomness import generator


def pk_batch(
    identity: Int[np.ndarray, " image"],
    step: int,
    *,
    n_identities: int,
    n_pictures: int,
    seed: int,
) -> Int[np.ndarray, " draw"]:
    """Picture numbers of batch `step`, those of an identity side by side (arXiv:1703.07737).

    Identities are visited in a fresh random order each round and those that fill no whole batch
    sit it out, so that a batch never holds an identity twice; an identity with fewer than K
    pictures gives each of them before it repeats one.

    Args:
        identity: Of every picture.
        step: Number of the batch.
        n_identities: P; fewer where the set has fewer.
        n_pictures: K.
        seed: The training's seed.
    """
    present = np.unique(identity)
    n_identities = min(n_identities, len(present))
    turn, place = divmod(step, len(present) // n_identities)
    order = generator(seed, "identity/pk identities", turn).permutation(present)
    draws = generator(seed, "identity/pk pictures", step)
    batch = []
    for chosen in order[place * n_identities : (place + 1) * n_identities]:
        own = np.flatnonzero(identity == chosen)
        n_full, rest = divmod(n_pictures, len(own))
        batch += [np.tile(own, n_full), draws.permutation(own)[:rest]]
    return np.concatenate(batch)


def require_pk(
    identity: Int[np.ndarray, " image"], names: tuple[str, ...], *, least_pictures: int
) -> None:
    """Refuse a set that PK batches cannot be drawn from.

    Args:
        identity: Of every picture.
        names: Of the identities, for the message.
        least_pictures: That each identity must have.

    Raises:
        InputError: Fewer than two identities, or one with too few pictures.
    """
    present, counts = np.unique(identity, return_counts=True)
    if len(present) < 2:
        raise InputError(
            f"a recogniser needs at least 2 identities with pictures, got {len(present)}; put the "
            "pictures of each identity into a folder of its own."
        )
    few = present[counts < least_pictures]
    if len(few):
        raise InputError(
            f"identity {names[few[0]]!r} has {counts.min()} picture, and {len(few)} of "
            f"{len(present)} identities have fewer than {least_pictures}; the triplet loss needs "
            f"at least {least_pictures} pictures of each: add pictures, leave the identity out, or "
            "set triplet_weight to 0."
        )
