from dataclasses import replace

import numpy as np
import pytest
from picture_sets import (
    QUICK,
    Corner,
    Fields,
    judged,
    marked,
    nobodies,
    on_a_circle,
    people,
    space,
    split_of,
    strangers,
)

from reinforge.errors import InputError
from reinforge.evaluation.picture_duplicates import hashed_real
from reinforge.evaluation.picture_judged import judged_pictures
from reinforge.evaluation.picture_leakage import yardsticks
from reinforge.evaluation.picture_newcomers import newcomer_scores
from reinforge.records import PictureSplit

SPLIT = split_of()
FRESH = people(14, 4, seed=3)


def card_of(newcomers, split=SPLIT, **settings):
    return judged(split, FRESH, newcomers=newcomers, **settings)


def on_circle(**parts):
    """Scores in a plane where everybody's place is known."""
    pictures = judged_pictures(SPLIT, FRESH, newcomers=nobodies(), level=QUICK, seed=0)
    found = space(**parts)
    judged = found, yardsticks(pictures, found)
    scores, _ = newcomer_scores(pictures, judged, None, hashed_real(pictures))
    return {score.name: score for score in scores}


def test_people_of_ones_own_are_found_and_leak_as_strangers_do():
    card = card_of(nobodies(), second=Fields())
    found = card["newcomer_found"]
    assert found.low <= found.baseline["unseen"] + 0.05
    assert found.value > 0.7
    assert found.baseline["chance"] == pytest.approx(1 / 15)
    spread = card["newcomer_spread"]
    assert spread.low <= 1 <= spread.high
    for suffix in ("", "_second"):
        leaked = card[f"newcomer_leakage{suffix}"]
        assert leaked.low <= leaked.baseline["unseen"] + 0.02
        assert card[f"newcomer_copy_rate{suffix}"].value < 0.1
    assert card["newcomer_near_duplicates"].value == 0
    auc = card["newcomer_membership_auc_no_box"]
    assert auc.low <= 0.5 <= auc.high


def test_training_pictures_under_new_names_are_noticed_by_every_score_of_leakage():
    stolen = replace(SPLIT.train, names=nobodies(14).names)
    card = card_of(stolen, second=Fields())
    for suffix in ("", "_second"):
        assert card[f"newcomer_leakage{suffix}"].value == 1
        assert card[f"newcomer_copy_rate{suffix}"].value == 1
    assert card["newcomer_near_duplicates"].value == 1
    assert card["newcomer_membership_auc_no_box"].value == 1
    said = card.context["warnings"]
    assert any("56 of 56 newcomers' pictures are training pictures" in text for text in said)
    assert card["copy_rate"].value < 0.1  # of the pictures of the learnt people


def test_a_newcomer_who_is_a_training_person_leaks_without_a_copy():
    same = replace(people(14, 4, seed=8), names=nobodies(14).names)
    card = card_of(same)
    assert card["newcomer_leakage"].value > 0.7
    assert card["newcomer_leakage"].baseline["unseen"] < 0.2
    assert card["newcomer_copy_rate"].value < 0.1


def test_the_name_of_a_learnt_person_does_not_make_a_newcomer_that_person():
    named = replace(nobodies(14), names=SPLIT.train.names)
    renamed = card_of(nobodies(14))
    for score in card_of(named).scores:
        if score.name.startswith("newcomer"):
            assert score.value == renamed[score.name].value, score.name


def test_one_face_for_all_is_never_found_among_others_and_has_no_spread():
    level = replace(nobodies(), pixels=np.full_like(nobodies().pixels, 90))
    card = card_of(level)
    assert card["newcomer_found"].value == 0
    assert card["newcomer_spread"].value == pytest.approx(0, abs=1e-9)


def test_as_many_people_as_there_are_strangers_are_told_apart():
    few = card_of(nobodies(40), replace(SPLIT, unseen=strangers(12)))["newcomer_found"]
    many = card_of(nobodies(40), replace(SPLIT, unseen=strangers(40)))["newcomer_found"]
    assert few.baseline["chance"] == pytest.approx(1 / 12)
    assert many.baseline["chance"] == pytest.approx(1 / 40)
    assert few.value > many.value
    nobody = card_of(nobodies(40), replace(SPLIT, unseen=strangers(9)))["newcomer_found"]
    assert set(nobody.baseline) == {"chance"}
    assert nobody.value == pytest.approx(many.value)


def test_strangers_have_no_more_pictures_to_be_found_by_than_newcomers():
    few, many = (people(30, n, seed=7, first=500, spread=40) for n in (2, 10))
    told = [
        card_of(nobodies(30, 2), replace(SPLIT, unseen=part))["newcomer_found"].baseline["unseen"]
        for part in (few, many)
    ]
    assert told[1] == pytest.approx(told[0], abs=0.12)
    assert 0.3 < told[0] < 0.6  # by nine other pictures each nearly everybody is found


def test_found_and_spread_by_hand():
    # two pictures 60 degrees apart each; real people 90 apart: 1 - cos of each, .5 and 1
    made = on_a_circle(0, 60, 180, 240, identity=[50, 50, 51, 51])
    real = on_a_circle(0, 90, 10, 100, 20, 110, identity=[0, 0, 1, 1, 2, 2])
    told = on_circle(train=real, holdout=real, newcomers=made)
    assert told["newcomer_spread"].value == pytest.approx(0.5)
    assert "held-out" in told["newcomer_spread"].meaning
    assert told["newcomer_found"].value == 1
    astray = on_a_circle(0, 200, 20, 180, identity=[50, 50, 51, 51])
    assert on_circle(train=real, newcomers=astray)["newcomer_found"].value == 0


def test_what_cannot_be_said_has_a_reason():
    real = on_a_circle(0, 90, 10, 100, 20, 110, identity=[0, 0, 1, 1, 2, 2])
    lonely = on_circle(train=real, newcomers=on_a_circle(0, 50, identity=[50, 51]))
    assert "2 newcomers with 2 pictures" in lonely["newcomer_found"].reason
    assert "no newcomer has 2 pictures" in lonely["newcomer_spread"].reason
    assert "no second embedding" in lonely["newcomer_leakage_second"].reason
    single = on_a_circle(0, 90, identity=[0, 1])
    pair = on_a_circle(0, 60, 180, 240, identity=[50, 50, 51, 51])
    assert "3 real people" in on_circle(train=single, newcomers=pair)["newcomer_spread"].reason


def test_an_encoder_that_reads_names_sees_newcomers_apart_from_everybody():
    split = PictureSplit(train=marked(SPLIT.train), holdout=marked(SPLIT.holdout))
    others = marked(replace(nobodies(), identity=nobodies().identity + 20, names=("",) * 35))
    card = judged(split, marked(FRESH), newcomers=others, judge=Corner())
    assert card["newcomer_found"].value == 1
    assert card["newcomer_leakage"].value == 0


def test_newcomers_of_another_size_are_refused():
    small = replace(nobodies(), pixels=nobodies().pixels[:, ::2, ::2])
    with pytest.raises(InputError, match="newcomers pictures are 6 x 6 x 3"):
        card_of(small)


def test_many_newcomers_are_thinned_and_nobody_is_lost():
    level = replace(QUICK, pictures=30)
    pictures = judged_pictures(SPLIT, FRESH, newcomers=nobodies(), level=level, seed=0)
    assert len(pictures.newcomers) == 30
    assert len(np.unique(pictures.newcomers.identity)) == 15
    assert not set(pictures.newcomers.identity) & set(pictures.unseen.identity)
