import numpy as np
import pytest
from drawn_pictures import drawn_set
from hypothesis import given, settings
from hypothesis import strategies as st

from reinforge.errors import InputError
from reinforge.recognition.nearest import nearest_pictures, nearest_subset

# on the unit circle: one real picture at 0 degrees; made ones at 10, 12, -60 and 170
ANGLES = np.deg2rad([10.0, 12.0, -60.0, 170.0])
MADE = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)
REAL = np.array([[2.0, 0.0]])  # its length is of no account
ONE = np.zeros(1, dtype=np.int64)


def picked(n, spread_weight, made=MADE, identity=None):
    identity = np.zeros(len(made), dtype=np.int64) if identity is None else identity
    return nearest_subset(
        REAL, ONE, made, identity, per_identity=n, spread_weight=spread_weight
    ).tolist()


def test_without_spread_the_nearest_to_the_real_picture_are_picked():
    assert picked(3, 0.0) == [0, 1, 2]


def test_with_spread_alone_the_farthest_from_the_picks_follow_the_nearest():
    # from 10 degrees the farthest is 170; then 12 (2 away from 10) loses to -60 (70 away)
    assert picked(4, 1.0) == [0, 3, 2, 1]


def test_the_trade_off_is_as_worked_by_hand():
    # after 10 degrees, at 1/2, chords 2 sin(a/2): 12: 0.035 - 0.209, -60: 1.147 - 1, 170: 1.970 -
    # 1.992; doubled scores -0.174, 0.147, -0.023. Then 12: -0.174; 170: min(1.970, 1.813) - 1.992
    assert picked(4, 0.5) == [0, 2, 1, 3]


def test_an_identity_with_few_pictures_gives_them_all_and_each_once():
    made = np.concatenate([MADE, MADE])  # every picture twice
    assert sorted(picked(20, 0.7, made)) == list(range(8))
    assert picked(1, 0.7, made) == [0]


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 999), n=st.integers(1, 9), weight=st.floats(0, 1), scale=st.floats(0.1, 9)
)
def test_picks_of_a_smaller_number_come_first_and_lengths_do_not_matter(seed, n, weight, scale):
    rng = np.random.default_rng(seed)
    made, real = rng.normal(size=(12, 4)), rng.normal(size=(6, 4))
    who, real_who = np.arange(12) % 2, np.arange(6) % 2
    few, many = (
        nearest_subset(real, real_who, x, who, per_identity=k, spread_weight=weight)
        for k, x in ((n, made), (n + 1, made * scale))
    )
    for identity in (0, 1):
        own, longer = (x[who[x] == identity] for x in (few, many))
        assert len(own) == min(n, 6)
        np.testing.assert_array_equal(own, longer[: len(own)])


def test_an_identity_is_compared_with_its_own_real_pictures_alone():
    real = np.array([[1.0, 0.0], [0.0, 1.0]])
    made = np.array([[0.9, 0.1], [0.1, 0.9]])
    found = nearest_subset(
        real, np.array([4, 7]), np.tile(made, (2, 1)), np.array([4, 4, 7, 7]), per_identity=1
    )
    assert found.tolist() == [0, 3]


def test_bad_numbers_and_an_identity_without_real_pictures_are_refused():
    with pytest.raises(InputError, match="per_identity must be at least 1"):
        picked(0, 0.5)
    with pytest.raises(InputError, match=r"spread_weight lie in \[0, 1\], got 2 and 1.5"):
        picked(2, 1.5)
    with pytest.raises(InputError, match="identity 3 has synthetic pictures and no real one"):
        picked(2, 0.5, identity=np.array([0, 0, 3, 3]))


class MeanLight:
    """Sees a picture as the direction of (mean of its left half, mean of its right half)."""

    device = "cpu"

    def embed(self, pixels):
        half = pixels.shape[3] // 2
        return pixels.reshape(len(pixels), -1, 2, half).mean(dim=(1, 3))


def test_pictures_are_chosen_by_the_encoder_that_is_given():
    real, made = drawn_set(3, 2), drawn_set(3, 5, seed=1)
    made = made.subset(np.flatnonzero(made.identity < 2))
    alone = real.subset(np.flatnonzero(real.identity != 1))  # identity 1 has no real picture
    kept = nearest_pictures(MeanLight(), alone, made, per_identity=2, spread_weight=0.0)
    assert kept.identity.tolist() == [0, 0]
    assert kept.names == made.names
    light = [s.pixels.reshape(len(s), -1, 2, 12).mean(axis=(1, 3)) for s in (alone, made)]
    angle = [np.arctan2(x[:, 0], x[:, 1]) for x in light]
    gap = np.abs(angle[1][:5, None] - angle[0][None, :2]).min(axis=1)
    np.testing.assert_array_equal(kept.pixels, made.pixels[np.argsort(gap)[:2]])
