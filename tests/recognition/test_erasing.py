import pytest
import torch

from reinforge.recognition.erasing import expected_share, random_erasing


def erased(pixels, *, seed=0, **settings):
    return random_erasing(pixels, generator=torch.Generator().manual_seed(seed), **settings)


def test_probability_nought_leaves_every_picture_as_it_is():
    pixels = torch.rand((8, 3, 20, 10)) * 255
    assert torch.equal(erased(pixels, probability=0.0), pixels)


def test_what_is_lost_is_one_full_rectangle_of_the_fill_in_all_channels():
    out = erased(torch.zeros((50, 3, 32, 16)), probability=1.0, fill=9.0)
    for picture in out:
        lost = picture == 9.0
        assert torch.equal(lost[0], lost[1])
        assert torch.equal(lost[0], lost[2])
        rows, columns = lost[0].any(dim=1).sum(), lost[0].any(dim=0).sum()
        assert lost[0].sum() == rows * columns > 0
        assert set(picture.unique().tolist()) <= {0.0, 9.0}


def test_the_lost_share_lies_between_the_bounds():
    out = erased(torch.zeros((400, 1, 100, 100)), probability=1.0, area=(0.1, 0.2), fill=1.0)
    share = out.mean(dim=(1, 2, 3))
    assert 0.095 <= float(share.min())
    assert float(share.max()) <= 0.21


def test_the_mean_lost_share_is_near_what_the_bounds_say():
    out = erased(torch.zeros((2_000, 1, 64, 64)), probability=1.0, area=(0.02, 0.2), fill=1.0)
    assert float(out.mean()) == pytest.approx(expected_share((0.02, 0.2)), rel=0.1)


def test_about_the_asked_for_share_of_pictures_loses_something():
    out = erased(torch.zeros((1_000, 1, 16, 16)), probability=0.3, fill=1.0)
    assert float((out.amax(dim=(1, 2, 3)) > 0).float().mean()) == pytest.approx(0.3, abs=0.05)


def test_the_input_stays_whole_and_the_same_seed_erases_the_same():
    pixels = torch.zeros((9, 1, 16, 16))
    first = erased(pixels, probability=1.0, seed=3)
    assert torch.equal(first, erased(pixels, probability=1.0, seed=3))
    assert not torch.equal(first, erased(pixels, probability=1.0, seed=4))
    assert pixels.abs().sum() == 0
