from dataclasses import replace

import numpy as np
import pytest
from picture_sets import QUICK, Fields, on_a_circle, people, space, split_of

from reinforge.evaluation.picture_fidelity import (
    diversity,
    fidelity_scores,
    kid,
    neighbourhoods,
    recognised,
    reference_of,
)
from reinforge.evaluation.picture_judged import judged_pictures
from reinforge.evaluation.picture_space import space_of

SPLIT = split_of(20, 4)


def scores_of(synthetic, split=SPLIT):
    pictures = judged_pictures(split, synthetic, level=QUICK, seed=3)
    scores = fidelity_scores(pictures, space_of(pictures, Fields(), name="judge"))
    return {score.name: score for score in scores}


FRESH = scores_of(people(20, 4, seed=3))


def test_fresh_pictures_of_the_same_people_are_as_real_as_the_training_pictures():
    for name in ("kid", "intra_identity_diversity", "identity_accuracy"):
        score = FRESH[name]
        assert score.low <= score.baseline["train"] <= score.high, name
    assert abs(FRESH["kid"].value) < 0.04
    assert FRESH["density"].value == pytest.approx(1, abs=0.15)
    assert FRESH["coverage"].value == pytest.approx(FRESH["coverage"].baseline["perfect"], abs=0.1)


def test_training_pictures_have_the_value_of_their_own_control():
    found = scores_of(SPLIT.train)
    for name, score in found.items():
        assert score.value == pytest.approx(score.baseline["train"], abs=1e-9), name


def test_pictures_of_somebody_else_are_not_recognised_and_cover_nothing():
    turned = tuple(f"p{(i + 1) % 20}" for i in range(20))
    found = scores_of(replace(people(20, 4, seed=3), names=turned))
    assert found["identity_accuracy"].value < 0.3
    assert found["coverage"].value < 0.3 < FRESH["coverage"].value
    assert found["kid"].value == pytest.approx(FRESH["kid"].value)  # it asks not who is who


def test_pictures_of_another_kind_are_far():
    dark = people(20, 4, seed=3)
    found = scores_of(replace(dark, pixels=dark.pixels // 2))
    assert found["kid"].low > FRESH["kid"].high


def test_one_picture_repeated_has_no_diversity():
    one = people(20, 4, seed=3)
    first = (np.arange(80) // 4) * 4
    found = scores_of(replace(one, pixels=one.pixels[first]))
    assert found["intra_identity_diversity"].value == pytest.approx(0, abs=1e-9)
    assert found["coverage"].value < FRESH["coverage"].value


def test_one_held_out_picture_a_person_is_too_few_to_be_the_reference():
    thin = replace(SPLIT, holdout=SPLIT.holdout.subset(np.arange(0, len(SPLIT.holdout), 4)))
    assert len(thin.holdout) == 20
    for score in scores_of(people(20, 4, seed=3), thin).values():
        assert "for want of enough held-out ones" in score.meaning
        assert score.value is not None


def test_without_a_holdout_the_training_pictures_are_the_reference_and_it_is_said():
    found = scores_of(people(20, 4, seed=3), replace(SPLIT, holdout=None))
    for score in found.values():
        assert "for want of enough held-out ones" in score.meaning
        assert score.value is not None
        assert "train" in score.baseline


def test_halves_of_the_training_pictures_share_none_and_hold_all():
    pictures = judged_pictures(replace(SPLIT, holdout=None), SPLIT.train, level=QUICK, seed=3)
    train = space_of(pictures, Fields(), name="judge").train
    reference = reference_of(pictures, space(train=train))
    rows = {tuple(row) for row in train.feature.round(9).tolist()}
    first, second = (
        {tuple(row) for row in part.feature.round(9).tolist()}
        for part in (reference.control_real, reference.control)
    )
    assert not first & second
    assert first | second == rows
    assert np.bincount(reference.control.identity).tolist() == [2] * 20


def test_neighbourhoods_end_at_ones_own_pictures():
    # person 0: balls of 90 about both; person 1 stands 10 from the first and must not shrink them
    real = on_a_circle(0, 90, 10, 12, identity=[0, 0, 1, 1])
    made = on_a_circle(45, 100, 11, identity=[0, 0, 1])
    density, covered, perfect = neighbourhoods(real, made, {0: 2, 1: 1})
    # of person 0 the picture at 45 lies in both balls, the one at 100 in the second: (2 + 1) / 2
    assert density.value == pytest.approx((1.5 + 2) / 2)
    assert covered.value == 1
    # one of two: half of the time the other real picture is nearer; two: a third
    assert perfect.value == pytest.approx((2 / 3 + 1 / 2) / 2)


def test_a_neighbourhood_of_three_pictures_ends_at_the_last_of_them():
    real = on_a_circle(0, 10, 30, identity=[0, 0, 0])  # k = 2: balls of 30, 20 and 30 degrees
    density, covered, perfect = neighbourhoods(real, on_a_circle(25, identity=[0]), {0: 1})
    assert density.value == pytest.approx(3 / 2)  # it lies in all three
    assert covered.value == 1
    assert perfect.value == pytest.approx(2 / 3)  # one of three neighbours is the farthest


def test_coverage_is_taken_at_the_number_of_the_control():
    real = on_a_circle(0, 10, identity=[0, 0])
    made = on_a_circle(1, 200, identity=[0, 0])  # one in both balls, one in none
    assert neighbourhoods(real, made, {0: 2})[1].value == 1
    assert neighbourhoods(real, made, {0: 1})[1].value == pytest.approx(1 / 2)


def test_people_with_too_few_pictures_are_left_out_or_a_reason():
    one_each = on_a_circle(0, 50, 90, identity=[0, 1, 2])
    assert "3 people with 2 pictures" in kid(one_each, one_each)
    assert "nobody has 2 pictures" in diversity(one_each, one_each)
    assert all("nobody has 2" in found for found in neighbourhoods(one_each, one_each, {0: 1}))
    assert "real pictures of 2 people" in recognised(on_a_circle(0, identity=[0]), one_each)
    equal = on_a_circle(5, 5, identity=[0, 0])
    assert "all equal" in diversity(equal, on_a_circle(0, 9, identity=[0, 0]))


def test_people_without_a_reference_are_not_judged():
    real = on_a_circle(0, 90, identity=[0, 1])
    assert recognised(real, on_a_circle(1, 91, 2, identity=[0, 1, 5])).n == 2
