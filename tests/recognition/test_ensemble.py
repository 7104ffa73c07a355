"""Several recognisers as one encoder: whose cosines they are, and what lies on disk."""

import json

import pytest
import torch
from drawn_pictures import drawn_set

from reinforge.errors import InputError
from reinforge.recognition.config import resolve_recogniser
from reinforge.recognition.ensemble import Ensemble
from reinforge.recognition.frozen import Encoder, load_encoder
from reinforge.recognition.train import train_recogniser

TINY = {"width": 8, "embedding_dim": 16, "n_steps": 2, "identities_per_batch": 4}


@pytest.fixture(scope="module")
def members():
    config = resolve_recogniser("small", **TINY)
    return [train_recogniser(drawn_set(), config=config, seed=seed) for seed in (0, 1, 2)]


@pytest.fixture(scope="module")
def pixels():
    return 255 * torch.rand((4, 3, 24, 16), generator=torch.Generator().manual_seed(0))


def test_its_cosines_are_the_means_of_its_members(members, pixels):
    ensemble = Ensemble(members)
    own = [member.embed(pixels) for member in members]
    cosines = torch.stack([feature @ feature.T for feature in own]).mean(0)
    feature = ensemble.embed(pixels)
    torch.testing.assert_close(feature @ feature.T, cosines)
    assert feature.shape == (4, ensemble.feature_dim) == (4, 48)


def test_it_is_an_encoder_whose_slope_reaches_the_pixels(members, pixels):
    ensemble = Ensemble(members)
    assert isinstance(ensemble, Encoder)
    pixels = pixels.clone().requires_grad_(True)
    ensemble.embed(pixels)[:, 40].sum().backward()  # a feature of the last member
    assert float(pixels.grad.abs().sum()) > 0


def test_it_comes_back_from_disk(members, pixels, tmp_path):
    Ensemble(members).save(tmp_path)
    again = load_encoder(tmp_path)
    assert torch.equal(again.embed(pixels), Ensemble(members).embed(pixels))
    assert torch.equal(load_encoder(tmp_path / "2").embed(pixels), members[1].embed(pixels))


@pytest.mark.parametrize("content", ["{", "{}", '{"members": "many"}', "[]"])
def test_a_damaged_description_is_named(members, tmp_path, content):
    Ensemble(members[:2]).save(tmp_path)
    (tmp_path / "ensemble.json").write_text(content)
    with pytest.raises(InputError, match=r"ensemble\.json: damaged"):
        load_encoder(tmp_path)


def test_a_missing_member_is_named(members, tmp_path):
    Ensemble(members[:2]).save(tmp_path)
    (tmp_path / "ensemble.json").write_text(json.dumps({"members": 3}))
    with pytest.raises(InputError, match="3: no recogniser here"):
        load_encoder(tmp_path)
