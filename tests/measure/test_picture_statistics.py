import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage, stats

from reinforge.measure import distances
from reinforge.measure.picture_statistics import (
    BANDS,
    mean_pixel_distance,
    patch_seams,
    picture_statistics,
    watch,
)
from reinforge.randomness import generator

ORL = Path(__file__).parents[3] / "shared" / "data" / "orl_faces" / "orl_faces.npz"


def grey(*rows):
    return np.array(rows, np.uint8)[None, :, :, None]


def noise(n=3, height=9, width=7, n_channels=1, seed=0):
    rng = generator(seed, "noise")
    return rng.integers(0, 256, (n, height, width, n_channels), dtype=np.uint8)


def drawn(n=32, *, size=24, seed=0):
    """Soft blobs on a slope of light: pictures that are neither flat nor noisy."""
    rng = generator(seed, "drawn")
    down, right = np.mgrid[:size, :size] / size
    pictures = []
    for _ in range(n):
        y, x, radius, light = rng.uniform([0.3, 0.3, 0.15, -40], [0.7, 0.7, 0.3, 40])
        blob = 1 / (1 + np.exp((np.hypot(down - y, right - x) - radius) * 40))
        pictures.append(90 + light * right + 110 * blob + rng.normal(0, 3, (size, size)))
    return np.clip(pictures, 1, 254).astype(np.uint8)[..., None]


def test_a_flat_picture_has_brightness_and_nothing_else():
    found = picture_statistics(np.full((1, 4, 5, 1), 7, np.uint8))
    assert {name: value.tolist() for name, value in found.items()} == {
        "entropy": [0.0],
        "edge_density": [0.0],
        "brightness": [7.0],
        "contrast": [0.0],
        "sharpness": [0.0],
        "saturated": [0.0],
    }


def test_a_step_is_the_one_worked_by_hand():
    # columns 10 10 10 50: entropy of (3/4, 1/4); gradient 0 and 20; Laplacian 0 and 40
    found = picture_statistics(grey(*[[10, 10, 10, 50]] * 3))
    assert found["entropy"][0] == pytest.approx(2 - 0.75 * np.log2(3))
    assert found["edge_density"][0] == 0.5
    assert found["brightness"][0] == 20
    assert found["contrast"][0] == pytest.approx(np.sqrt(300))
    assert found["sharpness"][0] == 400


def test_a_slope_of_one_level_a_pixel_has_gradient_one_either_way():
    slope = grey(*[range(5)] * 5)
    for picture in (slope, slope.swapaxes(1, 2), 255 - slope):
        assert picture_statistics(picture, edge_threshold=0.99)["edge_density"][0] == 1
        assert picture_statistics(picture, edge_threshold=1.0)["edge_density"][0] == 0


def test_saturated_counts_values_at_either_end_in_any_channel():
    picture = np.full((1, 3, 3, 3), 100, np.uint8)
    picture[0, 0, 0] = [0, 255, 254]
    assert picture_statistics(picture)["saturated"][0] == pytest.approx(2 / 27)


def test_entropy_is_scipys_and_at_most_eight_bits():
    pictures = noise(4, 40, 40)
    found = picture_statistics(pictures)["entropy"]
    for one, value in zip(pictures, found, strict=True):
        assert value == pytest.approx(stats.entropy(np.unique(one, return_counts=True)[1], base=2))
    every_level = np.arange(256, dtype=np.uint8).reshape((1, 16, 16, 1))
    assert picture_statistics(every_level)["entropy"][0] == 8


def test_edges_and_sharpness_are_those_of_scipys_kernels():
    pictures = noise()
    found = picture_statistics(pictures, edge_threshold=30.0)
    for k, one in enumerate(pictures[..., 0].astype(float)):
        slope = np.hypot(ndimage.sobel(one, 0), ndimage.sobel(one, 1))[1:-1, 1:-1] / 8
        assert found["edge_density"][k] == (slope > 30).mean()
        assert found["sharpness"][k] == pytest.approx(ndimage.laplace(one)[1:-1, 1:-1].var())


def test_colour_is_turned_to_grey_as_pillow_does_it():
    pictures = noise(n_channels=3)
    theirs = np.stack([np.asarray(Image.fromarray(one).convert("L")) for one in pictures])
    colour, plain = picture_statistics(pictures), picture_statistics(theirs[..., None])
    for name in set(colour) - {"saturated"}:
        np.testing.assert_array_equal(colour[name], plain[name])


def test_no_statistic_depends_on_the_size_of_a_block(monkeypatch):
    pictures = noise(11, 12, 12, 3)
    whole = picture_statistics(pictures)
    apart, seams = mean_pixel_distance(pictures), patch_seams(pictures, patch=4)
    monkeypatch.setattr(distances, "_BLOCK_CELLS", 2 * 12 * 12 * 3)
    blocked = picture_statistics(pictures)
    for name, value in whole.items():
        np.testing.assert_array_equal(value, blocked[name])
    monkeypatch.setattr(distances, "_BLOCK_CELLS", 30)
    assert mean_pixel_distance(pictures) == pytest.approx(apart)
    assert patch_seams(pictures, patch=4) == pytest.approx(seams)


@pytest.mark.parametrize("shape", [(0, 5, 5, 1), (2, 2, 5, 1), (2, 5, 5, 4)])
def test_no_picture_a_tiny_one_or_one_of_four_channels_is_refused(shape):
    with pytest.raises(ValueError, match="need at least one picture of 3 x 3 pixels"):
        picture_statistics(np.zeros(shape, np.uint8))


def test_pixel_distance_is_the_mean_over_pairs_and_reads_in_grey_levels():
    levels = np.array([10, 13, 30], np.uint8)
    flat = np.broadcast_to(levels[:, None, None, None], (3, 4, 5, 3))
    assert mean_pixel_distance(flat) == pytest.approx((3 + 20 + 17) / 3)
    pictures = noise(6)
    pairs = [np.sqrt(np.mean((a - b) ** 2)) for a, b in combinations(pictures.astype(float), 2)]
    assert mean_pixel_distance(pictures) == pytest.approx(np.mean(pairs))


def test_pixel_distance_in_identity_counts_each_identity_the_same_and_lonely_ones_not():
    levels = np.array([0, 10, 50, 50, 50, 200], np.uint8)
    flat = np.broadcast_to(levels[:, None, None, None], (6, 3, 3, 1))
    assert mean_pixel_distance(flat, identity=np.array([4, 4, 2, 2, 2, 9])) == 5.0
    with pytest.raises(ValueError, match="two pictures, of one identity"):
        mean_pixel_distance(flat, identity=np.arange(6))


def test_patch_seams_of_tiles_are_those_worked_by_hand():
    tiles = grey(*[[0, 0, 8, 8, 0, 0]] * 6)  # across: borders 8 8, others 0; down: all 0
    # borders: 2 of 8 and 2 of 0, mean 4; elsewhere 0
    assert patch_seams(tiles, patch=2) == 5.0
    assert patch_seams(np.full((2, 6, 6, 1), 9, np.uint8), patch=2) == 1.0


def test_patch_seams_look_at_the_given_patch_only():
    tiles = np.kron(noise(20, 8, 8, seed=1)[..., 0], np.ones((3, 3), np.uint8))[..., None]
    assert patch_seams(tiles, patch=3) > 50
    assert patch_seams(noise(50, 24, 24), patch=3) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("patch", [1, 7])
def test_a_patch_without_inside_or_without_border_is_refused(patch):
    with pytest.raises(ValueError, match="patch must lie between"):
        patch_seams(noise(), patch=patch)


def alarmed(pictures, reference, **settings):
    return {
        alarm.split(" rose ")[0].split(" fell ")[0]
        for alarm in watch(pictures, reference, **settings)["alarms"]
    }


def test_the_watch_is_silent_about_other_draws_of_the_same_pictures():
    found = watch(drawn(seed=1), drawn(seed=0), patch=6)
    assert found["alarms"] == []
    assert all(0.8 < found["ratio"][name] < 1.25 for name in set(BANDS) & set(found["ratio"]))


def clip(pictures):
    return np.clip(np.rint(pictures), 0, 255).astype(np.uint8)


HACKS = {
    "black": (lambda p: 0 * p, {"entropy", "edge density", "brightness", "saturated"}),
    "flat": (lambda p: 0 * p + 120, {"entropy", "edge density", "contrast", "sharpness"}),
    "blurred": (lambda p: ndimage.uniform_filter(p, (0, 7, 7, 0)), {"edge density", "sharpness"}),
    "noisy": (lambda p: clip(p + 60.0 * (noise(*p.shape) / 255 - 0.5)), {"sharpness"}),
    "posterised": (lambda p: p // 64 * 64 + 10, {"entropy"}),
    "burnt": (lambda p: clip(3.0 * p - 150), {"saturated"}),
    "bright": (lambda p: clip(p + 70.0), {"brightness"}),
    "alike": (lambda p: np.repeat(p[:1], len(p), axis=0), {"pixel distance"}),
    "tiled": (
        lambda p: clip(
            p + 20.0 * np.kron(np.indices((4, 4)).sum(0) % 2, np.ones((6, 6)))[..., None]
        ),
        {"patch seams"},
    ),
}


@pytest.mark.parametrize("hack", HACKS)
def test_a_planted_decay_raises_its_alarm(hack):
    spoil, expected = HACKS[hack]
    reference = drawn()
    assert expected <= alarmed(spoil(reference), reference, patch=6)


def test_pictures_alike_inside_an_identity_are_noticed_where_all_pictures_differ():
    reference = drawn(32)
    person = np.repeat(np.arange(8), 4)
    collapsed = np.repeat(reference[::4], 4, axis=0)
    found = watch(collapsed, reference, identity=person, reference_identity=person)
    assert found["values"]["pixel_distance_in_identity"] == 0
    assert found["alarms"] == [
        f"pixel distance in identity fell by 100 % "
        f"({found['reference']['pixel_distance_in_identity']:.3g} to 0): an identity's pictures "
        "resemble each other."
    ]


def test_a_rise_from_nothing_has_no_ratio_and_an_alarm():
    flat = np.full((2, 9, 7, 1), 90, np.uint8)
    found = watch(noise(2), flat)
    assert found["ratio"]["edge_density"] is None
    assert any(alarm.startswith("edge density rose from 0 to") for alarm in found["alarms"])
    assert watch(flat, flat)["alarms"] == []


def test_what_the_watch_says_can_be_written_as_json():
    found = watch(drawn(4), drawn(4), patch=6)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert set(found["values"]) == {*BANDS, "saturated"} - {"pixel_distance_in_identity"}


def test_the_watch_refuses_other_sizes_and_half_of_the_identities():
    with pytest.raises(ValueError, match="pictures of one size"):
        watch(noise(2, 9, 7), noise(2, 7, 9))
    with pytest.raises(ValueError, match="go together"):
        watch(noise(2), noise(2), identity=np.array([0, 0]))


@pytest.mark.skipif(not ORL.exists(), reason="the ORL faces are not here")
def test_real_faces_of_other_people_raise_no_alarm():
    with np.load(ORL) as faces:
        pictures, person = faces["images"][..., None], faces["labels"].astype(np.int64)
    ours, theirs = person < 10, (person >= 10) & (person < 20)
    found = watch(
        pictures[ours],
        pictures[theirs],
        identity=person[ours],
        reference_identity=person[theirs],
        patch=4,
    )
    assert found["alarms"] == []
