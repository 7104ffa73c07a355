"""Real people in place of newcomers: who is taken, and what they are called by."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

pytest.importorskip("diffusers")

import identity_strangers
from reinforge.records import ImageSet

COUNTS = (2, 5, 3, 7)  # pictures of each person


class Brightness:
    """A feature of two numbers, the same for all pictures of a person."""

    def embed_all(self, images):
        level = torch.tensor(images.pixels[:, 0, 0, 0], dtype=torch.float32)
        return torch.stack([torch.cos(level), torch.sin(level)], dim=1)


@pytest.fixture
def taken(monkeypatch):
    identity = np.repeat(np.arange(len(COUNTS)), COUNTS)
    pixels = np.broadcast_to(identity.astype(np.uint8)[:, None, None, None], (17, 2, 2, 1))
    known = ImageSet(pixels=pixels, identity=identity, names=("a", "b", "c", "d"))
    monkeypatch.setattr(identity_strangers, "parted", lambda faces: (known, None))
    monkeypatch.setattr(identity_strangers, "encoder_of", lambda prior: Brightness())
    return lambda n: identity_strangers.real_strangers(None, SimpleNamespace(), n=n, per=4, seed=0)


def test_people_with_too_few_pictures_are_left_out_and_of_others_some_are_taken(taken):
    strangers = taken(3)
    shown = strangers.pixels[:, 0, 0, 0]
    of_each = {int(shown[strangers.identity == at][0]): at for at in range(3)}
    assert sorted(of_each) == [1, 2, 3]
    assert [np.sum(strangers.identity == of_each[one]) for one in (1, 2, 3)] == [4, 3, 4]
    assert all(len(set(shown[strangers.identity == at])) == 1 for at in range(3))


def test_each_is_described_by_what_the_encoder_sees_in_their_own_pictures(taken):
    strangers = taken(2)
    for at in range(2):
        level = float(strangers.pixels[strangers.identity == at][0, 0, 0, 0])
        np.testing.assert_allclose(
            strangers.described[at], [np.cos(level), np.sin(level)], rtol=1e-6
        )
