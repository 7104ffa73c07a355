from itertools import combinations

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import cosine

from reinforge.measure import distances
from reinforge.measure.intervals import wilson
from reinforge.measure.spread import (
    PerIdentity,
    centroid_accuracy,
    covariance_trace,
    found_among,
    gallery_accuracy,
    intra_identity_diversity,
    ratio_of_means,
    ratio_to_real,
)
from reinforge.randomness import generator

EAST, NORTH, WEST = [1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]


def people(n_identities, n_draws, n_features=5, *, spread=0.3, seed=0):
    rng = generator(seed, "people")
    identity = rng.permutation(np.repeat(np.arange(n_identities), n_draws))
    centre = rng.normal(size=(n_identities, n_features))
    return centre[identity] + spread * rng.normal(size=(len(identity), n_features)), identity


def per_identity(*values):
    return PerIdentity(np.arange(len(values)), np.array(values))


def test_diversity_of_right_angles_and_of_equal_pictures_is_the_one_worked_by_hand():
    feature = np.array([EAST, [5.0, 0.0], NORTH, WEST, [0.0, 3.0], EAST])
    identity = np.array([7, 7, 2, 2, 2, 2])  # of 2: six pairs, distances 1 0 1 1 2 1
    found = intra_identity_diversity(feature, identity)
    assert found.identity.tolist() == [2, 7]
    np.testing.assert_allclose(found.value, [1.0, 0.0], atol=1e-15)


def test_diversity_is_the_mean_of_scipys_cosine_distance_over_pairs():
    feature, identity = people(4, 6)
    found = intra_identity_diversity(feature, identity)
    for name, value in zip(found.identity, found.value, strict=True):
        pairs = combinations(feature[identity == name], 2)
        assert value == pytest.approx(np.mean([cosine(a, b) for a, b in pairs]))


def test_the_trace_is_that_of_numpys_covariance():
    feature, identity = people(4, 6)
    found = covariance_trace(feature, identity)
    for name, value in zip(found.identity, found.value, strict=True):
        assert value == pytest.approx(np.trace(np.cov(feature[identity == name], rowvar=False)))


def test_scaling_the_features_scales_the_trace_and_leaves_the_diversity():
    feature, identity = people(3, 5)
    np.testing.assert_allclose(
        covariance_trace(3 * feature, identity).value, 9 * covariance_trace(feature, identity).value
    )
    np.testing.assert_allclose(
        intra_identity_diversity(3 * feature, identity).value,
        intra_identity_diversity(feature, identity).value,
    )


@pytest.mark.parametrize("measure", [intra_identity_diversity, covariance_trace])
def test_a_spread_of_one_picture_is_refused_by_the_identitys_number(measure):
    with pytest.raises(ValueError, match="identity 9 has 1"):
        measure(np.array([EAST, NORTH, WEST]), np.array([4, 4, 9]))


def test_a_spread_of_no_picture_is_refused():
    with pytest.raises(ValueError, match="there are 0"):
        covariance_trace(np.empty((0, 2)), np.empty(0, int))


def test_features_without_direction_or_not_finite_are_refused():
    identity = np.array([0, 0])
    with pytest.raises(ValueError, match="1 feature vectors are zero"):
        intra_identity_diversity(np.array([EAST, [0.0, 0.0]]), identity)
    with pytest.raises(ValueError, match="1 feature vectors are not finite"):
        covariance_trace(np.array([EAST, [np.inf, 0.0]]), identity)


def test_every_identity_counts_the_same_however_many_pictures_it_has():
    feature = np.array([EAST, NORTH, EAST, EAST, EAST, EAST])
    found = intra_identity_diversity(feature, np.array([0, 0, 1, 1, 1, 1])).mean()
    assert (found.value, found.n) == (pytest.approx(0.5), 2)


def test_the_interval_of_a_mean_is_students_over_identities():
    estimate = per_identity(0.2, 0.4, 0.9).mean()
    low, high = stats.t.interval(0.95, 2, loc=0.5, scale=stats.sem([0.2, 0.4, 0.9]))
    assert (estimate.low, estimate.high) == pytest.approx((low, high))


def test_a_share_stays_in_the_unit_interval_and_keeps_a_width_where_all_are_right():
    estimate = per_identity(1.0, 1.0, 0.5).share()
    assert estimate.high == 1.0
    assert estimate.low < estimate.value
    sure = per_identity(1.0, 1.0, 1.0).share()
    assert (sure.low, sure.high) == (wilson(3, 3).low, 1.0)
    assert per_identity(0.0, 0.0).share().high == wilson(0, 2).high


def test_a_share_of_one_identity_has_no_interval():
    assert per_identity(0.5).share().low is None


def test_the_ratio_to_the_real_is_one_of_means_with_identities_paired_by_number():
    made = PerIdentity(np.array([1, 3]), np.array([1.0, 2.0]))
    real = PerIdentity(np.array([1, 2, 3]), np.array([4.0, 99.0, 2.0]))
    assert ratio_to_real(made, real).value == pytest.approx(3 / 6)


def test_the_interval_of_a_ratio_is_near_that_of_the_bootstrap_over_identities():
    rng = generator(3, "ratio")
    real = rng.uniform(1, 2, 200)
    made = 0.8 * real + rng.normal(0, 0.2, 200)
    drawn = rng.integers(0, 200, (4000, 200))
    ratios = made[drawn].sum(axis=1) / real[drawn].sum(axis=1)
    estimate = ratio_to_real(per_identity(*made), per_identity(*real))
    low, high = np.quantile(ratios, [0.025, 0.975])
    assert (estimate.low, estimate.high) == pytest.approx((low, high), abs=0.003)


def test_a_measure_beside_itself_has_ratio_one_without_width():
    measure = per_identity(0.1, 0.4, 0.2)
    estimate = ratio_to_real(measure, measure)
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx((1, 1, 1))


def test_a_ratio_to_nothing_or_to_no_spread_is_refused():
    with pytest.raises(ValueError, match="lack identity 1"):
        ratio_to_real(per_identity(0.1, 0.2), per_identity(0.1))
    with pytest.raises(ValueError, match="all equal"):
        ratio_to_real(per_identity(0.1, 0.2), per_identity(0.0, 0.0))


REFERENCES = {
    "real": np.array([EAST, EAST, [0.0, 9.0], NORTH]),
    "real_identity": np.array([5, 5, 8, 8]),
}


def test_centroid_accuracy_counts_each_identitys_right_pictures():
    feature = np.array([[2.0, 1.0], [1.0, 2.0], [1.0, 3.0], [-1.0, 5.0]])
    found = centroid_accuracy(feature, np.array([5, 5, 8, 8]), **REFERENCES)
    assert found.identity.tolist() == [5, 8]
    assert found.value.tolist() == [0.5, 1.0]


def test_a_class_mean_weighs_real_pictures_by_direction_and_not_by_length():
    real = np.array([[100.0, 0.0], NORTH, NORTH, NORTH])  # by length, 5 would lie in the east
    found = centroid_accuracy(
        np.array([[0.5, 1.0]]), np.array([5]), real=real, real_identity=np.array([5, 5, 5, 8])
    )
    assert found.value.tolist() == [1.0]


def test_centroid_accuracy_agrees_with_a_loop():
    real, real_identity = people(6, 4, spread=1.0)
    feature, identity = people(6, 7, spread=1.0)
    unit = real / np.linalg.norm(real, axis=1, keepdims=True)
    centres = [unit[real_identity == name].mean(axis=0) for name in range(6)]
    guess = np.array([np.argmin([cosine(one, centre) for centre in centres]) for one in feature])
    found = centroid_accuracy(feature, identity, real=real, real_identity=real_identity)
    expected = [np.mean(guess[identity == name] == name) for name in range(6)]
    assert found.value.tolist() == pytest.approx(expected)
    assert 0 < found.value.mean() < 1


def test_rank_one_agrees_with_a_loop_whatever_the_block(monkeypatch):
    monkeypatch.setattr(distances, "_BLOCK_CELLS", 50)
    gallery, gallery_identity = people(6, 4, spread=1.0)
    feature, identity = people(6, 7, spread=1.0)
    guess = [gallery_identity[np.argmin([cosine(f, g) for g in gallery])] for f in feature]
    found = gallery_accuracy(feature, identity, gallery=gallery, gallery_identity=gallery_identity)
    expected = [np.mean(np.array(guess)[identity == name] == name) for name in range(6)]
    assert found.value.tolist() == pytest.approx(expected)
    assert 0 < found.value.mean() < 1


def test_a_gallery_that_cannot_tell_gives_no_more_than_chance():
    gallery = np.array([EAST, EAST, EAST, EAST])
    found = gallery_accuracy(
        np.array([EAST, NORTH]),
        np.array([0, 1]),
        gallery=gallery,
        gallery_identity=np.array([0, 1, 2, 3]),
    )
    assert found.value.tolist() == [0.25, 0.25]


def test_an_identity_without_reference_is_refused():
    with pytest.raises(ValueError, match="lack identity 6"):
        centroid_accuracy(np.array([EAST]), np.array([6]), **REFERENCES)
    with pytest.raises(ValueError, match="meet no picture"):
        centroid_accuracy(np.empty((0, 2)), np.empty(0, int), **REFERENCES)


def plane(*degrees):
    angle = np.radians(np.array(degrees, dtype=float))
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def test_found_by_the_mean_of_the_others():
    # 0: its other is 40 off, the others' means 120 and 240 off; 100 and 140: found; 230 and 250 too
    feature = plane(0, 40, 100, 140, 230, 250)
    identity = np.array([3, 3, 5, 5, 9, 9])
    assert found_among(feature, identity).value.tolist() == [1, 1, 1]
    # both means lie at 45: nearer to 0 and 90 than these are to each other, and to 10 and 80
    feature, identity = plane(0, 90, 10, 80), np.array([0, 0, 1, 1])
    assert found_among(feature, identity).value.tolist() == [0, 0]
    # 0 lies 50 from the mean with itself in it and 60 from the others', but its other is 100 off
    assert found_among(plane(0, 100, 50, 70), identity).value.tolist() == [0, 0]


def test_found_among_fewer_people_is_the_mean_over_all_choices_of_them():
    rng = np.random.default_rng(0)
    identity = np.repeat(np.arange(7), 3)
    feature = rng.normal(size=(7, 5))[identity] + rng.normal(size=(21, 5))
    told = {n: found_among(feature, identity, n_people=n).value for n in (1, 3, 7)}
    assert told[1].tolist() == [1] * 7
    counted = np.zeros((2, 7))
    for others in combinations(range(7), 3):
        rows = np.isin(identity, others)
        counted[0, list(others)] += found_among(feature[rows], identity[rows]).value
        counted[1, list(others)] += 1
    assert told[3] == pytest.approx(counted[0] / counted[1])
    assert told[3].mean() > told[7].mean()


def test_found_among_refuses_single_pictures_and_more_people_than_there_are():
    with pytest.raises(ValueError, match="identity 1 has one picture"):
        found_among(plane(0, 10, 90), np.array([0, 0, 1]))
    with pytest.raises(ValueError, match="wants as many, got 2"):
        found_among(plane(0, 10, 90, 95), np.array([0, 0, 1, 1]), n_people=3)


def test_a_ratio_of_means_covers_the_truth_in_nineteen_cases_of_twenty():
    rng = np.random.default_rng(1)
    n_held = 0
    for _ in range(400):
        made = PerIdentity(np.arange(60), rng.gamma(4, 0.5, 60))  # mean 2
        real = PerIdentity(np.arange(25), rng.gamma(4, 1, 25))  # mean 4
        found = ratio_of_means(made, real)
        n_held += found.low <= 0.5 <= found.high
    assert 0.9 < n_held / 400 < 0.98
    one = PerIdentity(np.arange(1), np.array([3.0]))
    assert ratio_of_means(one, real).low is None
    with pytest.raises(ValueError, match="all equal"):
        ratio_of_means(one, PerIdentity(np.arange(2), np.zeros(2)))
