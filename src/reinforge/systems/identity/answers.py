"""What a generator answers when it is asked about a picture: the ground of an attack."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float

from reinforge.recognition.recogniser import as_pixels
from reinforge.records import ImageSet
from reinforge.systems.identity.policy import Policy

ASKED_AT = 0.1  # of the schedule: a little noise, where pictures that were learnt stand out
AT_ONCE = 32


def noise_norms(policy: Policy) -> Callable[[ImageSet], Float[np.ndarray, " image"]]:
    """The norm of the noise that the network sees in a clean picture: one query each.

    The predicted noise points away from the training pictures nearby, and is short beside one of
    them (SimA, arXiv:2509.25003). Each picture is asked about under its own identity, and
    those of people whom the generator never learnt under nobody's.

    Args:
        policy: Of the generator that is attacked.

    Returns:
        A function from pictures, by the names that the generator knows and of its size, to a
        number each: low where it seems to have learnt the picture.
    """

    @torch.no_grad()
    def asked(images: ImageSet) -> Float[np.ndarray, " image"]:
        norms = []
        for first in range(0, len(images), AT_ONCE):
            chosen = np.arange(first, min(first + AT_ONCE, len(images)))
            pixels = as_pixels(images.pixels[chosen], policy.device)
            state = policy.codec.encode(pixels)
            label = torch.from_numpy(images.identity[chosen]).to(policy.device)
            label = label.clamp(max=policy.n_identities)  # the row of nobody
            time = torch.full_like(label, round(ASKED_AT * (len(policy.schedule.alpha_bar) - 1)))
            predicted = policy.predict(state, time, label)
            _, noise = policy.schedule.clean_and_noise(state, predicted, time)
            norms.append(noise.flatten(1).double().norm(dim=1).cpu().numpy())
        return np.concatenate(norms)

    return asked
