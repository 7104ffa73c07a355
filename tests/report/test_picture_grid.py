from base64 import b64decode
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from reinforge.randomness import generator
from reinforge.report import picture_grid
from reinforge.report.picture_grid import (
    numbered,
    pairs_view,
    picture_view,
    samples_view,
    without_copies,
)


def noise(*shape, seed=0):
    return generator(seed, "noise").integers(0, 256, shape, dtype=np.uint8)


def opened(view):
    with Image.open(BytesIO(b64decode(view["uri"].partition(",")[2]))) as image:
        return np.array(image)


@pytest.mark.parametrize("n_channels", [1, 3])
def test_a_small_picture_is_kept_to_the_pixel_and_shown_in_whole_multiples(n_channels):
    picture = noise(20, 10, n_channels)
    view = picture_view(picture)
    np.testing.assert_array_equal(opened(view).reshape(picture.shape), picture)
    assert (view["width"], view["height"]) == (40, 80)


def test_a_large_picture_is_shrunk_by_means_of_its_pixels():
    picture = np.repeat(np.repeat(noise(64, 128, 3), 2, axis=0), 2, axis=1)
    view = picture_view(picture)
    np.testing.assert_array_equal(opened(view), picture[::2, ::2])
    assert (view["width"], view["height"]) == (128, 64)


def test_of_many_people_some_spread_evenly_are_shown():
    samples = {f"p{k:02d}": noise(12, 4, 4, 1) for k in range(48)} | {"nobody": noise(0, 4, 4, 1)}
    view = samples_view(samples, {"p02": "person 2"})
    assert [row["label"] for row in view["rows"]][:3] == ["p00", "person 2", "p04"]
    assert len(view["rows"]) == picture_grid.N_IDENTITIES
    assert {len(row["pictures"]) for row in view["rows"]} == {picture_grid.N_EACH}
    assert (view["n_identities"], view["n_pictures"]) == (48, 576)


def test_pictures_that_a_page_cannot_carry_are_fewer_first_a_person_then_in_people(monkeypatch):
    samples = {"a": noise(4, 16, 16, 3), "b": noise(4, 16, 16, 3, seed=1)}
    one = len(picture_view(samples["a"][0])["uri"])
    for room, expected in ((5 * one, [2, 2]), (1.5 * one, [1])):
        monkeypatch.setitem(picture_grid.ROOM, "samples", room)
        view = samples_view(samples, {})
        assert [len(row["pictures"]) for row in view["rows"]] == expected


def test_no_sample_makes_no_grid():
    assert samples_view({"a": noise(0, 4, 4, 3)}, {}) is None
    assert pairs_view([], {}) is None


def test_pairs_stand_nearest_first_and_as_many_as_fit(monkeypatch):
    pairs = [(noise(8, 8, 3), noise(8, 8, 3, seed=1), d, f"n{d}") for d in (0.3, 0.1, 0.2)]
    view = pairs_view(pairs, {"n0.2": "Bo"})
    assert [row["label"] for row in view["rows"]] == ["n0.1", "Bo", "n0.3"]
    assert [row["distance"] for row in view["rows"]] == ["0.100", "0.200", "0.300"]
    monkeypatch.setitem(picture_grid.ROOM, "pairs", 1)
    assert len(pairs_view(pairs, {})["rows"]) == 1


def test_copies_of_real_pictures_are_found_by_mean_difference():
    samples = {"a": noise(3, 8, 8, 3)}
    near = (samples["a"][1].astype(int) // 2 + 60).astype(np.uint8)
    real = np.clip(samples["a"][1].astype(int) + 3, 0, 255).astype(np.uint8)
    other_size = noise(9, 9, 3)
    kept, n_withheld = without_copies(
        samples, [(near, real, 0.1, "a"), (near, other_size, 0.2, "a")]
    )
    assert n_withheld == 1
    np.testing.assert_array_equal(kept["a"], samples["a"][[0, 2]])


def test_people_without_samples_are_numbered_after_the_others():
    samples = {"a": noise(1, 4, 4, 1), "b": noise(1, 4, 4, 1, seed=1)}
    labels = numbered(samples, ["z", "a", "y", "z"])
    assert set(labels.values()) == {f"person {k}" for k in (1, 2, 3, 4)}
    assert (labels["z"], labels["y"]) == ("person 3", "person 4")
