from itertools import combinations

import numpy as np
import pytest

from reinforge.measure import distances
from reinforge.measure.identity_pairs import (
    cross_distances,
    genuine_pairs,
    impostor_pairs,
    nearest_own_and_other,
)
from reinforge.randomness import generator

WHO = np.array([3, 1, 3, 1, 3, 8])


def drawn(find, identity=WHO, most=10_000, seed=0):
    pairs = find(identity, most=most, generator=generator(seed, "pairs"))
    return {tuple(sorted(pair)) for pair in pairs.tolist()}, len(pairs)


def test_genuine_pairs_are_all_pairs_of_one_person():
    pairs, n = drawn(genuine_pairs)
    assert pairs == {(0, 2), (0, 4), (2, 4), (1, 3)}
    assert n == 4


def test_impostor_pairs_are_all_other_pairs():
    pairs, n = drawn(impostor_pairs)
    assert pairs == set(combinations(range(6), 2)) - drawn(genuine_pairs)[0]
    assert n == 11


@pytest.mark.parametrize("find", [genuine_pairs, impostor_pairs])
def test_a_cap_draws_different_pairs_of_the_right_kind(find):
    identity = np.repeat(np.arange(40), 10)
    pairs, n = drawn(find, identity, most=500)
    assert len(pairs) == n == 500
    assert {bool(identity[a] == identity[b]) for a, b in pairs} == {find is genuine_pairs}
    assert drawn(find, identity, most=500)[0] == pairs
    assert drawn(find, identity, most=500, seed=1)[0] != pairs


@pytest.mark.parametrize("identity", [[], [4]])
def test_no_pictures_have_no_pairs(identity):
    for find in (genuine_pairs, impostor_pairs):
        assert drawn(find, np.array(identity, dtype=np.int64)) == (set(), 0)


def on_a_line(*places):
    return np.array(places, dtype=float)[:, None]


def test_the_nearest_of_ones_own_and_of_others_are_those_on_a_line():
    own, other = nearest_own_and_other(
        on_a_line(0, 10, 4),
        np.array([0, 1, 2]),
        on_a_line(1, 3, 9, -2),
        np.array([0, 1, 1, 0]),
    )
    assert own.tolist() == [1, 1, np.inf]  # nobody shows person 2
    assert other.tolist() == [3, 9, 1]


def test_a_picture_is_no_reference_to_itself():
    places, who = on_a_line(0, 2, 5), np.array([0, 0, 1])
    own, other = nearest_own_and_other(places, who, places, who, leave_out_self=True)
    assert own.tolist() == [2, 2, np.inf]
    assert other.tolist() == [5, 3, 3]


def test_no_references_are_infinitely_far():
    own, other = nearest_own_and_other(
        on_a_line(1), np.array([0]), np.empty((0, 1)), np.array([], dtype=np.int64)
    )
    assert own.tolist() == other.tolist() == [np.inf]


def test_cross_distances_part_into_pairs_of_one_person_and_of_two():
    sets = on_a_line(0, 10), np.array([0, 1]), on_a_line(1, 7, 20), np.array([0, 1, 1])
    assert sorted(cross_distances(*sets, same=True)) == [1, 3, 10]
    assert sorted(cross_distances(*sets, same=False)) == [7, 9, 20]


def test_blocks_do_not_change_what_is_nearest(monkeypatch):
    rng = generator(0, "cloud")
    places, who = rng.normal(size=(30, 3)), rng.integers(4, size=30)
    whole = nearest_own_and_other(places, who, places, who, leave_out_self=True)
    monkeypatch.setattr(distances, "_BLOCK_CELLS", 64)
    parts = nearest_own_and_other(places, who, places, who, leave_out_self=True)
    np.testing.assert_allclose(parts, whole, rtol=1e-12)
