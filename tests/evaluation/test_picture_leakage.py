from dataclasses import replace

import numpy as np
import pytest
from picture_sets import NOBODY, QUICK, Fields, chord, judged, on_a_circle, people, space, split_of

from reinforge.evaluation.picture_judged import judged_pictures
from reinforge.evaluation.picture_leakage import leakage_scores, nearness, yardsticks
from reinforge.evaluation.picture_thresholds import copy_threshold, match_threshold

SPLIT = split_of(14, 4)
PICTURES = judged_pictures(SPLIT, SPLIT.train, level=QUICK, seed=0)


def card_of(synthetic, split=SPLIT, **settings):
    return judged(split, synthetic, **settings)


@pytest.fixture(scope="module")
def copied():
    return card_of(SPLIT.train, second=Fields())


@pytest.fixture(scope="module")
def fresh():
    return card_of(people(14, 4, seed=3))


def circle_scores(split=SPLIT, suffix="", **parts):
    pictures = replace(PICTURES, train=split.train)
    found = space(**parts)
    by = yardsticks(pictures, found)
    scores, figure = leakage_scores(pictures, found, by, suffix=suffix)
    return {(score.name, score.group): score for score in scores}, figure


def test_a_release_of_the_training_pictures_is_seen_by_every_score_of_copying(copied):
    for suffix in ("", "_second"):
        assert copied[f"nearest_train_ratio{suffix}"].value == pytest.approx(0, abs=1e-6)
        assert copied[f"copy_rate{suffix}"].value == 1
        assert copied[f"own_identity_match{suffix}"].value == 1
    assert copied["near_duplicates"].value == 1
    assert any("release of real pictures" in text for text in copied.context["warnings"])


def test_fresh_pictures_of_the_same_people_leak_no_more_than_held_out_ones(fresh):
    ratio = fresh["nearest_train_ratio"]
    assert ratio.low <= 1 <= ratio.high
    assert 0.8 < ratio.value < 1.2
    for name in ("copy_rate", "identity_leakage", "own_identity_match", "near_duplicates"):
        score = fresh[name]
        assert score.low <= score.baseline["holdout"] <= score.high, name
    assert fresh["copy_rate"].value < 0.1


def test_a_mirrored_copy_is_a_near_duplicate_and_a_brighter_one_too(fresh):
    turned = replace(SPLIT.train, pixels=SPLIT.train.pixels[:, :, ::-1])
    lighter = replace(SPLIT.train, pixels=(SPLIT.train.pixels * 0.9 + 20).astype(np.uint8))
    for copy in (turned, lighter):
        assert card_of(copy)["near_duplicates"].value > 0.95
    assert fresh["near_duplicates"].value < 0.1
    assert fresh["near_duplicates"].baseline["unseen"] < 0.1


def test_pictures_of_another_training_person_are_identity_leakage():
    names = tuple(f"p{(i + 1) % 14}" for i in range(14))
    card = card_of(replace(SPLIT.train, names=names))
    assert card["identity_leakage"].value == 1
    assert card["copy_rate"].value == 1
    assert card["own_identity_match"].value < 0.3
    assert card["identity_leakage"].baseline["holdout"] < 0.5


TRAIN = on_a_circle(0, 90, 180, identity=[0, 1, 2])


def test_the_distances_to_ones_own_and_to_others_are_those_on_the_circle():
    near = nearness(on_a_circle(10, 100, identity=[0, 2]), TRAIN)
    np.testing.assert_allclose(near.own, [chord(10), chord(80)])
    np.testing.assert_allclose(near.other, [chord(80), chord(10)])
    np.testing.assert_allclose(near.any, [chord(10), chord(10)])


def test_the_ratio_is_the_one_worked_by_hand():
    found, _ = circle_scores(
        train=TRAIN,
        holdout=on_a_circle(20, 130, identity=[0, 1]),  # 20 and 40 from their own
        synthetic=on_a_circle(10, 30, 60, 300, identity=[0, 0, 1, 2]),  # 10, 30; 30; 120
    )
    # person 2 has no held-out picture and is left out; each person counts once
    wanted = ((chord(10) + chord(30)) / 2 + chord(30)) / (chord(20) + chord(40))
    score = found["nearest_train_ratio", "all"]
    assert score.value == pytest.approx(wanted)
    assert score.n == 2
    assert score.baseline == {"copy": 0.0, "holdout": 1.0}


def test_without_a_holdout_training_pictures_are_compared_with_each_other():
    found, figure = circle_scores(
        train=on_a_circle(0, 20, 90, identity=[0, 0, 1]),
        synthetic=on_a_circle(5, 95, identity=[0, 1]),
    )
    score = found["nearest_train_ratio", "all"]
    assert score.value == pytest.approx(chord(5) / chord(20))
    assert "want of held-out" in score.meaning
    assert figure["holdout"] == []
    lonely, _ = circle_scores(train=TRAIN, synthetic=on_a_circle(5, identity=[0]))
    assert "nobody has a fresh real picture" in lonely["nearest_train_ratio", "all"].reason


def test_a_copy_is_nearer_than_99_of_100_real_pairs():
    # 200 held-out pictures of one person, k degrees / 10 from the one training picture
    holdout = on_a_circle(*np.arange(1, 201) / 10, identity=[0] * 200)
    sets = space(train=on_a_circle(0, identity=[0]), holdout=holdout)
    threshold = copy_threshold(PICTURES, sets)
    assert (threshold.n_pairs, threshold.n_nearer) == (200, 2)
    assert threshold.distance == pytest.approx(chord(0.3))  # two of the 200 are nearer
    assert "held-out" in threshold.pairs
    found, _ = circle_scores(
        train=on_a_circle(0, 180, identity=[0, 1]),
        holdout=holdout,
        # a copy of one's own, nearly one, none, and a copy of somebody else's
        synthetic=on_a_circle(0, 0.25, 0.35, 179.9, identity=[0, 0, 0, 0]),
    )
    assert found["copy_rate", "all"].value == pytest.approx(3 / 4)
    assert found["copy_rate", "all"].baseline["holdout"] == pytest.approx(2 / 200)


def test_few_pairs_let_no_pair_be_nearer_and_the_score_says_so():
    sets = {"train": TRAIN, "holdout": on_a_circle(20, 130, identity=[0, 1])}
    assert copy_threshold(PICTURES, space(**sets)).distance == pytest.approx(chord(20))
    found, _ = circle_scores(**sets, synthetic=on_a_circle(19, 21, identity=[0, 0]))
    assert found["copy_rate", "all"].value == 1 / 2
    assert "fewer than 100 real pairs" in found["copy_rate", "all"].meaning


def test_pairs_of_the_same_picture_set_no_threshold():
    twins = space(train=on_a_circle(0, 0, 30, identity=[0, 0, 0]))
    assert copy_threshold(PICTURES, twins).distance == pytest.approx(chord(30))
    assert "nothing says" in copy_threshold(PICTURES, space(train=TRAIN))
    unseen = space(train=TRAIN, unseen=on_a_circle(0, 7, identity=[9, 9]))
    threshold = copy_threshold(PICTURES, unseen)
    assert threshold.distance == pytest.approx(chord(7))
    assert "unseen" in threshold.pairs


def test_a_match_is_nearer_than_all_but_one_in_a_thousand_pairs_of_two_people():
    # 40 x 50 pairs of two people; the nearest five are 1, 2, 3, 4 and 5 degrees apart
    train = on_a_circle(*np.full(40, 0.0), identity=[0] * 40)
    degrees = [*range(90, 135), 1, 2, 3, 4, 5]
    unseen = on_a_circle(*degrees, identity=[7] * 50)
    sets = space(train=train.rows(np.arange(1)), unseen=unseen)
    assert match_threshold(PICTURES, sets, rate=0.04).distance == pytest.approx(chord(3))
    assert "needs as many pairs" in match_threshold(PICTURES, sets, rate=1e-3)
    threshold = match_threshold(PICTURES, space(train=train, unseen=unseen), rate=1e-3)
    assert (threshold.n_pairs, threshold.n_nearer) == (2_000, 2)
    assert threshold.distance == pytest.approx(chord(1))  # forty pairs lie one degree apart


def test_without_fresh_pictures_training_people_set_the_threshold():
    rng = np.random.default_rng(0)
    train = on_a_circle(*rng.uniform(0, 360, 60), identity=np.arange(60) // 2)
    threshold = match_threshold(PICTURES, space(train=train), rate=1e-3)
    assert threshold.n_pairs == 60 * 59 // 2 - 30
    assert "training" in threshold.pairs


def test_matches_of_strangers_stand_beside_those_of_synthetic_pictures():
    rng = np.random.default_rng(0)
    train = on_a_circle(*np.arange(0, 360, 6), identity=np.arange(60))
    unseen = on_a_circle(*(rng.uniform(0, 360, 40)), identity=np.arange(100, 140))
    parts = {"train": train, "unseen": unseen}
    shifted = on_a_circle(*np.arange(0, 360, 6), identity=(np.arange(60) + 1) % 60)
    found, _ = circle_scores(**parts, synthetic=shifted)
    score = found["identity_leakage", "all"]
    assert score.value == 1
    assert score.baseline["unseen"] == pytest.approx(2 / 40)  # 2 of 2,400 pairs may match
    assert found["own_identity_match", "all"].value == 0
    assert "2,400 pairs" in score.meaning
    assert "10,000" in found["identity_leakage_strict", "all"].reason


def test_a_single_training_person_can_be_taken_for_nobody_else():
    lonely = on_a_circle(*np.arange(0, 40), identity=[0] * 40)
    unseen = on_a_circle(*np.arange(90, 130), identity=[5] * 40)
    found, _ = circle_scores(train=lonely, unseen=unseen, synthetic=lonely)
    assert "single training person" in found["identity_leakage", "all"].reason
    assert found["own_identity_match", "all"].value == 1


def test_groups_of_training_people_are_scored_apart_and_small_ones_hidden():
    train = people(24, 4, seed=1)
    grouped = replace(
        train, group=tuple("a" if i < 12 else "bc"[int(i > 20)] for i in train.identity)
    )
    pixels = people(24, 4, seed=3).pixels
    half = np.where((train.identity < 12)[:, None, None, None], train.pixels, pixels)
    split = replace(SPLIT, train=grouped, holdout=people(24, 4, seed=2))
    card = card_of(replace(train, pixels=half), split)
    rate = {score.group: score for score in card.scores if score.name == "copy_rate"}
    assert rate["group=a"].value == 1  # the first twelve people were copied
    assert rate["all"].value == pytest.approx(0.5, abs=0.1)
    assert rate["group=b"].value is None
    assert "single people" in rate["group=b"].reason
    assert "holdout" in rate["group=a"].baseline


def test_no_fresh_set_at_all_gives_controls_of_the_training_pictures():
    assert NOBODY.identity.size == 0
    found = yardsticks(PICTURES, space(train=TRAIN, synthetic=TRAIN))
    assert set(found.controls) == {"train"}
    assert np.isinf(found.controls["train"].own).all()
