from dataclasses import replace

import numpy as np
import pytest
from picture_sets import judged, people, split_of
from sklearn.metrics import roc_auc_score

from reinforge.errors import InputError
from reinforge.records import PictureSplit

SPLIT = split_of(20, 5)
SYNTHETIC = people(20, 5, seed=3)
KNOWN = {picture.tobytes() for picture in SPLIT.train.pixels}


def luck(images):
    return images.pixels[:, 3, 3, 0].astype(float)


def memory(images):
    """Of a generator that knows every training picture."""
    return (
        np.array([picture.tobytes() not in KNOWN for picture in images.pixels]) + luck(images) / 1e4
    )


def brightness(images):
    return images.pixels.mean(axis=(1, 2, 3))


def card_of(split=SPLIT, synthetic=SYNTHETIC, **settings):
    return judged(split, synthetic, **settings)


@pytest.fixture(scope="module")
def guessed():
    return card_of(answers=brightness)


def test_answers_that_say_nothing_are_guesses(guessed):
    score = guessed["membership_auc"]
    assert score.low <= 0.5 <= score.high
    rate = guessed["membership_tpr_at_1pct_fpr"]
    assert rate.value <= rate.baseline["limit"]
    assert rate.baseline["naive"] == pytest.approx(2 / 101)


def test_the_area_is_that_of_sklearn_on_all_pictures(guessed):
    belief = -np.concatenate([brightness(SPLIT.train), brightness(SPLIT.holdout)])
    wanted = roc_auc_score(np.repeat([1, 0], 100), belief)
    assert guessed["membership_auc"].value == pytest.approx(wanted)
    curve = next(c for c in guessed.figures["roc"] if c["name"] == "membership_auc")
    assert curve["auc"] == pytest.approx(wanted)


def test_a_generator_that_knows_its_pictures_gives_them_all_away():
    card = card_of(answers=memory)
    assert card["membership_auc"].value == 1
    assert card["membership_tpr_at_1pct_fpr"].value == 1
    assert card["membership_auc"].low > 0.7
    assert card["membership_auc"].n == 20  # people


def test_released_training_pictures_give_members_away_to_anybody(guessed):
    card = card_of(synthetic=SPLIT.train)
    for name in ("membership_auc_no_box", "membership_tpr_at_1pct_fpr_no_box"):
        assert card[name].value == pytest.approx(card[name].baseline["copy"])
        assert card[name].value > 0.9
    assert guessed["membership_auc_no_box"].baseline["copy"] > 0.9


def test_fresh_pictures_give_nobody_away(guessed):
    score = guessed["membership_auc_no_box"]
    assert 0.42 < score.value < 0.58  # over sixty other draws: mean 0.503, deviation 0.036
    assert guessed["membership_tpr_at_1pct_fpr_no_box"].value < 0.1


def test_without_a_holdout_other_people_are_the_others_and_it_is_said():
    card = card_of(replace(SPLIT, holdout=None), answers=brightness)
    for name in ("membership_auc", "membership_auc_no_box"):
        assert card[name].value is not None
        assert "tell people apart and not what was used" in card[name].meaning


def test_with_nobody_to_compare_with_there_is_a_reason():
    card = card_of(PictureSplit(train=SPLIT.train), answers=brightness)
    assert "no unseen people" in card["membership_auc"].reason
    assert "no unseen people" in card["membership_tpr_at_1pct_fpr_no_box"].reason


def test_few_pictures_are_not_attacked():
    split = split_of(3, 3)
    card = card_of(split, people(3, 3, seed=3), answers=brightness)
    assert "fewer than 10" in card["membership_auc"].reason


def test_answers_that_are_not_one_number_a_picture_are_refused():
    with pytest.raises(InputError, match=r"number a picture, 100 of them, got the shape \(1,\)"):
        card_of(answers=lambda images: np.zeros(1))


def test_answers_that_are_no_number_are_a_reason():
    card = card_of(answers=lambda images: np.full(len(images), np.nan))
    assert "200 of the generator's answers are not finite" in card["membership_auc"].reason
