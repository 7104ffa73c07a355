from dataclasses import replace

import numpy as np
import torch

from reinforge.recognition.frozen import Encoder
from reinforge.recognition.recogniser import embed_pictures
from reinforge.recognition.remembered import Remembered
from reinforge.records import ImageSet


class Counting:
    """An encoder that counts how often it is asked."""

    device = torch.device("cpu")
    feature_dim = 2

    def __init__(self):
        self.n_embedded = 0

    def embed(self, pixels):
        self.n_embedded += len(pixels)
        brightness = pixels.mean(dim=(1, 2, 3))
        return torch.stack([brightness, 255 - brightness], dim=1)

    def embed_all(self, images, batch=256):
        return embed_pictures(self, images, batch=batch)


def _set(n, seed):
    pixels = np.random.default_rng(seed).integers(256, size=(n, 4, 4, 1), dtype=np.uint8)
    return ImageSet(pixels=pixels, identity=np.zeros(n, dtype=np.int64), names=("a", "b"))


def test_a_set_is_embedded_once_also_when_its_people_are_renumbered():
    encoder, images = Counting(), _set(3, seed=0)
    remembered = Remembered(encoder)
    first = remembered.embed_all(images)
    again = remembered.embed_all(replace(images, identity=np.ones(3, dtype=np.int64)))
    assert encoder.n_embedded == 3
    torch.testing.assert_close(again, first, rtol=0, atol=0)
    torch.testing.assert_close(first, Counting().embed_all(images), rtol=0, atol=0)


def test_other_pictures_are_not_answered_from_memory():
    encoder = Counting()
    remembered = Remembered(encoder)
    first, other = (remembered.embed_all(_set(3, seed=seed)) for seed in (0, 1))
    assert encoder.n_embedded == 6
    assert not torch.equal(first, other)


def test_it_is_an_encoder_and_single_views_are_not_kept():
    encoder = Counting()
    remembered = Remembered(encoder)
    assert isinstance(remembered, Encoder)
    assert (remembered.device, remembered.feature_dim) == (encoder.device, 2)
    for _ in range(2):
        remembered.embed(torch.zeros(1, 1, 4, 4))
    assert encoder.n_embedded == 2
