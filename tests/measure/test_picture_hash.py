import numpy as np
import pytest

from reinforge.measure.picture_hash import difference_hash, nearest_hash
from reinforge.randomness import generator

ALL = np.uint64(2**64 - 1)


def grey(rows):
    return np.asarray(rows, dtype=np.uint8)[None, :, :, None]


def ramp(n_rows=8, n_columns=9):
    return np.tile(np.arange(n_columns) * 20, (n_rows, 1))


def blurred_noise(n, side=24, seed=0):
    rng = generator(seed, "noise")
    coarse = rng.integers(0, 200, (n, 6, 6, 1))
    return coarse.repeat(side // 6, axis=1).repeat(side // 6, axis=2).astype(np.uint8)


def test_a_ramp_to_the_right_sets_every_bit_and_one_to_the_left_none():
    assert difference_hash(grey(ramp()))[0] == ALL
    assert difference_hash(grey(ramp()[:, ::-1]))[0] == 0


def test_a_level_picture_has_no_slope():
    assert difference_hash(np.full((1, 13, 17, 3), 77, dtype=np.uint8))[0] == 0


def test_one_brighter_cell_sets_the_bit_on_its_left():
    rows = np.zeros((8, 9), dtype=int)
    rows[2, 5] = 90  # brighter than cell 4: bit 8 * 2 + 4; cell 6 is darker than it: no bit
    assert difference_hash(grey(rows))[0] == 1 << 20


def test_cells_are_area_means_at_any_size():
    large = ramp().repeat(4, axis=0).repeat(3, axis=1)
    assert difference_hash(grey(large))[0] == ALL
    small = np.array([[0, 100], [100, 0]])  # smaller than the grid: parts of pixels
    # across 2 pixels of 9 cells only cell 4 lies on both: slopes between cells 3, 4 and 5
    assert difference_hash(grey(small))[0] == sum(0b11000 << 8 * row for row in range(4))


def test_light_and_contrast_leave_the_hash():
    pictures = blurred_noise(5)
    other = (pictures // 2 + 40).astype(np.uint8)
    few = nearest_hash(difference_hash(other), difference_hash(pictures))
    assert few.max() <= 2  # halving rounds, and may level a slope of one


def test_nearest_hash_counts_the_bits_that_differ():
    one, other = np.array([0b1011, 0], dtype=np.uint64), np.array([0b1000, ALL], dtype=np.uint64)
    assert nearest_hash(one, other).tolist() == [2, 1]
    assert nearest_hash(one, other[:0]).tolist() == [64, 64]
    assert nearest_hash(one[:0], other).tolist() == []


@pytest.mark.parametrize("channel", [1, 3])
def test_a_copy_differs_in_no_bit_and_a_stranger_in_many(channel):
    pictures = blurred_noise(20).repeat(channel, axis=3)
    hashes = difference_hash(pictures)
    assert nearest_hash(hashes, hashes).max() == 0
    assert nearest_hash(hashes[:10], hashes[10:]).min() > 8
