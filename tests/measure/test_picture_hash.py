import numpy as np
import pytest
from scipy.fft import idctn

from reinforge.measure.picture_hash import nearest_hash, perceptual_hash
from reinforge.randomness import generator

ALL = np.uint64(2**64 - 1)


def waves(chosen, *, side=32):
    """A picture that is 128 and some cosine waves, by (down, across)."""
    coefficient = np.zeros((side, side))
    for place, size in chosen.items():
        coefficient[place] = size
    return np.clip(128 + idctn(coefficient, norm="ortho"), 0, 255)[None, :, :, None].astype("uint8")


def blocks(n, side=24, seed=0):
    coarse = generator(seed, "noise").integers(0, 200, (n, 8, 8, 1))
    return coarse.repeat(side // 8, axis=1).repeat(side // 8, axis=2).astype(np.uint8)


def bits(hashed):
    return {at for at in range(64) if int(hashed) >> at & 1}


def test_a_wave_sets_its_own_bit_and_its_opposite_does_not():
    # whole numbers of grey leave small waves beside the large one; those may lie above 0 or not
    up = bits(perceptual_hash(waves({(2, 3): 1500.0}))[0])
    down = bits(perceptual_hash(waves({(2, 3): -1500.0}))[0])
    assert 8 * 2 + 3 in up
    assert 8 * 2 + 3 not in down


def test_the_larger_half_of_many_waves_sets_bits():
    size = generator(0, "waves").permutation(np.arange(-31, 32)) * 5.0  # 63 waves, the median is 0
    chosen = {divmod(at, 8): value for at, value in enumerate(size, start=1)}
    wanted = {at for at, value in enumerate(size, start=1) if value > 0}
    found = bits(perceptual_hash(waves(chosen))[0])
    assert len(found ^ wanted) <= 2  # pictures hold whole numbers: the waves about 0 may turn
    assert len(found) == 31


def test_a_level_picture_has_no_wave():
    assert perceptual_hash(np.full((1, 13, 17, 3), 77, dtype=np.uint8))[0] == 0


def test_the_size_of_a_picture_changes_no_bit():
    pictures = blocks(4, side=8)
    large = pictures.repeat(5, axis=1).repeat(3, axis=2)
    np.testing.assert_array_equal(perceptual_hash(large), perceptual_hash(pictures))


def test_light_contrast_and_noise_change_few_bits():
    pictures = blocks(20)
    noise = generator(1, "noise").normal(0, 2, pictures.shape)
    other = np.clip(pictures * 0.7 + 30 + noise, 0, 255).astype(np.uint8)
    assert nearest_hash(perceptual_hash(other), perceptual_hash(pictures)).max() <= 6


def test_nearest_hash_counts_the_bits_that_differ():
    one, other = np.array([0b1011, 0], dtype=np.uint64), np.array([0b1000, ALL], dtype=np.uint64)
    assert nearest_hash(one, other).tolist() == [2, 1]
    assert nearest_hash(one, other[:0]).tolist() == [64, 64]
    assert nearest_hash(one[:0], other).tolist() == []


@pytest.mark.parametrize("channel", [1, 3])
def test_a_copy_differs_in_no_bit_and_a_stranger_in_many(channel):
    pictures = blocks(20).repeat(channel, axis=3)
    hashes = perceptual_hash(pictures)
    assert nearest_hash(hashes, hashes).max() == 0
    assert nearest_hash(hashes[:10], hashes[10:]).min() > 10


def test_no_pictures_have_no_hashes():
    assert perceptual_hash(np.empty((0, 8, 8, 1), dtype=np.uint8)).shape == (0,)
