"""What newcomers give away: their likeness to the people who were learnt."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

pytest.importorskip("diffusers")

import identity_leaks
from reinforge.data.drawn import draw_identities
from reinforge.records import ImageSet

N_PEOPLE, N_STRANGERS = 12, 20


class Pixels:
    """An encoder that sees the pixels as they are."""

    feature_dim = 32 * 32 * 3
    device = torch.device("cpu")

    def embed(self, pixels):
        """Pixels around grey, of length 1."""
        return torch.nn.functional.normalize(pixels.flatten(1) - 128, dim=1)

    def embed_all(self, images, batch=256):
        """All of a set at once."""
        pixels = torch.from_numpy(np.asarray(images.pixels[np.arange(len(images))])).float()
        return self.embed(pixels.permute(0, 3, 1, 2))


def part(images, people, numbers):
    """Some pictures of some people, who are numbered anew."""
    chosen = [p * 6 + n for p in people for n in numbers]
    own = images.subset(np.array(chosen))
    return ImageSet(
        pixels=own.pixels,
        identity=np.repeat(np.arange(len(people)), len(numbers)),
        names=tuple(images.names[p] for p in people),
    )


@pytest.fixture(scope="module")
def world():
    images = draw_identities(N_PEOPLE + N_STRANGERS, 6, seed=0)
    learnt, strangers = range(N_PEOPLE), range(N_PEOPLE, N_PEOPLE + N_STRANGERS)
    return SimpleNamespace(
        train=part(images, learnt, range(3)),
        holdout=part(images, learnt, range(3, 6)),
        unseen=part(images, strangers, range(6)),
    )


def newcomers_that_are(world, people):
    """Newcomers whose pictures are the training pictures of these learnt people."""
    return ImageSet(
        pixels=world.train.pixels[[3 * p + n for p in people for n in range(3)]],
        identity=np.repeat(np.arange(len(people)), 3),
        names=tuple(f"new-{at}" for at in range(len(people))),
    )


def test_copies_of_training_pictures_are_seen_whomever_they_show(world):
    made = newcomers_that_are(world, [0, 0, 3, 5])
    told = identity_leaks.newcomers_leakage(world, made, Pixels(), Pixels())
    assert told["identity_leakage"] == told["identity_leakage_second"] == 1
    assert told["copy_rate"] == told["near_duplicates"] == 1
    assert told["identity_leakage[unseen]"] < 0.1
    assert told["membership_auc_no_box"] > 0.5


def test_real_strangers_as_newcomers_leak_what_their_control_does(world):
    made = replace(world.unseen, names=tuple(f"new-{n}" for n in range(N_STRANGERS)))
    told = identity_leaks.newcomers_leakage(world, made, Pixels(), Pixels())
    for name in ("identity_leakage", "copy_rate", "near_duplicates"):
        assert told[name] == told[f"{name}[unseen]"]
    assert not [name for name in told if name.startswith(("own_identity", "newcomer"))]


class Angles(Pixels):
    """An encoder for which a pixel's value is an angle in degrees, in the plane."""

    def embed_all(self, images, batch=256):
        """All of a set at once."""
        angle = torch.from_numpy(np.asarray(images.pixels)[:, 0, 0, 0]).double().deg2rad()
        return torch.stack([angle.cos(), angle.sin()], dim=1)


def at_angles(*people):
    """People whose pictures have these angles."""
    degrees = np.array([angle for own in people for angle in own], np.uint8)
    return ImageSet(
        pixels=degrees[:, None, None, None],
        identity=np.repeat(np.arange(len(people)), [len(own) for own in people]),
        names=tuple(f"p{at}" for at in range(len(people))),
    )


def test_a_newcomer_is_found_by_its_other_pictures_and_spread_beside_real_people():
    real = at_angles([0, 60], [90, 150])  # two points 60 degrees apart: tr Cov 1/2
    told = identity_leaks.themselves(at_angles([0, 60], [100, 160]), Angles(), real)
    assert told["newcomer_spread"] == pytest.approx(1.0)
    # each is 60 degrees from its own other picture; the mean of the others is 70 off and more
    assert told["newcomer_found"] == 1.0
    told = identity_leaks.themselves(at_angles([0, 100], [60, 160]), Angles(), real)
    # 0 is 100 from its own and 110 from the others, 160 likewise; 100 and 60 are 10 from the others
    assert told["newcomer_found"] == 0.5
    assert told["newcomer_spread"] > 2


def test_a_table_shows_newcomers_below_pictures_of_the_learnt_and_controls_of_most_seeds(world):
    index = [("newcomers of reinforced", 0), *(("pictures of reinforced", s) for s in (0, 1))]
    wide = pd.DataFrame(
        {"copy_rate": [0.5, 0.1, 0.1], "kid": [np.nan, 1.0, 2.0], "copy_rate[unseen]": 0.0},
        index=pd.MultiIndex.from_tuples(index, names=["arm", "seed"]),
    )
    lines = identity_leaks.leaks_table(wide).splitlines()[2:]
    assert lines[0].startswith("| pictures of reinforced (2) |")
    assert lines[1].startswith("| newcomers of reinforced (1) | – | – | – |")
    assert "0.000 ± 0.000" in lines[3]
