"""Pictures of identities drawn by code."""

import numpy as np

from reinforge.records import ImageSet


def drawn_set(n_identities=6, n_pictures=4, *, side=24, channel=1, seed=0):
    """Each identity is a pattern of blocks; its pictures differ by light and noise."""
    rng = np.random.default_rng(seed)
    pattern = rng.integers(60, 200, (n_identities, 4, 4, channel))
    pattern = pattern.repeat(side // 4, axis=1).repeat(side // 4, axis=2)
    identity = np.repeat(np.arange(n_identities), n_pictures)
    light = rng.integers(-30, 30, (len(identity), 1, 1, 1))
    noise = rng.normal(0, 8, (len(identity), side, side, channel))
    pixels = np.clip(pattern[identity] + light + noise, 0, 255).astype(np.uint8)
    names = tuple(f"person {i}" for i in range(n_identities))
    return ImageSet(pixels=pixels, identity=identity.astype(np.int64), names=names)
