import json
from dataclasses import replace

import numpy as np
import pytest
from picture_sets import Broken, Fields, judged, nobodies, people, split_of, strangers

from reinforge.errors import InputError
from reinforge.evaluation.picture_catalogue import PICTURE_BETTER, PICTURE_MEANINGS, UTILITY
from reinforge.evaluation.picture_judged import balanced, judged_pictures
from reinforge.evaluation.picture_levels import picture_level
from reinforge.evaluation.scorecard import Scorecard
from reinforge.randomness import generator
from reinforge.records import PictureSplit

SPLIT = split_of()
FRESH = people(14, 4, seed=3)


def brightness(images):
    return np.asarray(images.pixels[np.arange(len(images))]).mean(axis=(1, 2, 3))


def everything(synthetic=FRESH, split=SPLIT, **settings):
    return judged(
        split,
        synthetic,
        **{
            "newcomers": nobodies(),
            "second": Fields(),
            "recognisers": {"real": Fields(), "selected": Fields()},
            "answers": brightness,
        }
        | settings,
    )


@pytest.fixture(scope="module")
def card():
    return everything()


def test_every_score_of_the_catalogue_has_a_value_its_meaning_and_its_direction(card):
    everybody = {score.name: score for score in card.scores if score.group == "all"}
    assert set(everybody) == set(PICTURE_BETTER)
    for name, score in everybody.items():
        assert score.value is not None, name
        assert score.meaning.startswith(PICTURE_MEANINGS[name])
        assert score.better == PICTURE_BETTER[name]
        assert score.low is None or score.low <= score.value <= score.high


def test_a_saved_scorecard_comes_back_and_holds_no_nan(card, tmp_path):
    card.save(tmp_path / "scorecard.json")
    assert Scorecard.load(tmp_path / "scorecard.json") == card
    json.dumps(card.to_dict(), allow_nan=False)


def test_the_same_seed_gives_the_same_scorecard_and_another_one_other_intervals(card):
    assert everything().to_dict() == card.to_dict()
    other = everything(seed=4)
    assert other["map"].value == card["map"].value
    assert other["map"].low != card["map"].low


def test_the_order_of_pictures_and_of_names_does_not_matter(card):
    rng = np.random.default_rng(0)
    order, names = rng.permutation(len(FRESH)), rng.permutation(14)
    turned = FRESH.subset(order)
    renamed = replace(
        turned,
        identity=np.argsort(names)[turned.identity],
        names=tuple(FRESH.names[i] for i in names),
    )
    again = everything(renamed)
    for score in card.scores:
        found = next(s for s in again.scores if (s.name, s.group) == (score.name, score.group))
        assert found.value == pytest.approx(score.value, abs=1e-9), score.name


def test_the_context_tells_what_was_judged(card):
    context = card.context
    assert (context["kind"], context["level"], context["seed"]) == ("pictures", "quick", 3)
    given = {"train": 56, "holdout": 56, "unseen": 140, "synthetic": 56, "newcomers": 60}
    assert context["pictures"] == given
    known = {"train": 14, "holdout": 14, "unseen": 20, "synthetic": 14, "newcomers": 15}
    assert context["people"] == known
    assert context["arms"] == ["real", "selected"]
    assert context["scored_arm"] == "selected"
    assert context["judges"] == {"judge": "judge", "second": "second"}
    assert {len(digest) for digest in context["digests"].values()} == {64}
    assert context["warnings"] == []


def test_figures_hold_arms_curves_and_shares_of_distances(card):
    figures = card.figures
    assert {row["arm"] for row in figures["arms"]} == {"real", "selected"}
    assert {row["score"] for row in figures["arms"]} == set(UTILITY)
    assert [curve["family"] for curve in figures["roc"]] == ["utility"] * 2 + ["attack"] * 3
    for name in ("leakage", "leakage_second", "newcomers"):
        histogram = figures[name]
        assert len(histogram["bins"]) == len(histogram["synthetic"]) + 1
        assert sum(histogram["synthetic"]) == pytest.approx(1, abs=1e-4)
        assert sum(histogram["holdout"]) == pytest.approx(1, abs=1e-4)
    assert {row["group"] for row in figures["group_accuracy"]} == {"group=a", "group=b"}


def test_progress_names_stages_in_rising_order():
    told = []
    judged(SPLIT, FRESH, progress=lambda stage, share: told.append((stage, share)))
    assert [share for _, share in told] == sorted(share for _, share in told)
    assert told[-1] == ("done", 1.0)


def test_what_was_not_given_is_a_reason_and_no_number():
    card = judged(PictureSplit(train=SPLIT.train), FRESH)
    for name, word in (
        ("map", "no recogniser"),
        ("copy_rate_second", "no second embedding"),
        ("membership_auc", "generator was not given"),
        ("membership_auc_no_box", "no held-out pictures"),
        ("newcomer_leakage", "no pictures of newcomers"),
    ):
        assert card[name].value is None
        assert word in card[name].reason
    assert len(card.context["warnings"]) == 2


def test_an_empty_holdout_is_as_none():
    nobody = SPLIT.holdout.subset(np.empty(0, dtype=np.int64))
    empty = judged(PictureSplit(train=SPLIT.train, holdout=nobody, unseen=nobody), FRESH)
    none = judged(PictureSplit(train=SPLIT.train), FRESH)
    assert empty.scores == none.scores


@pytest.mark.parametrize(("n_people", "n_pictures"), [(1, 1), (1, 3), (2, 1), (3, 2)])
@pytest.mark.parametrize("has_controls", [True, False])
def test_tiny_sets_give_reasons_and_no_crash(n_people, n_pictures, has_controls):
    split = split_of(n_people, n_pictures)
    small = strangers(n_people, n_pictures)
    split = replace(split, unseen=small) if has_controls else PictureSplit(train=split.train)
    card = everything(people(n_people, n_pictures, seed=9), split)
    assert {s.name for s in card.scores} == set(PICTURE_BETTER)
    assert all(score.value is not None or score.reason for score in card.scores)
    json.dumps(card.to_dict(), allow_nan=False)


def test_pictures_that_are_all_alike_give_no_nan():
    level = replace(FRESH, pixels=np.full_like(FRESH.pixels, 90))
    card = everything(level)
    json.dumps(card.to_dict(), allow_nan=False)
    assert card["intra_identity_diversity"].value == pytest.approx(0, abs=1e-9)
    assert card["identity_accuracy"].value < 0.2


def test_sets_of_another_size_are_refused():
    small = replace(FRESH, pixels=FRESH.pixels[:, ::2, ::2])
    with pytest.raises(InputError, match="synthetic pictures are 6 x 6 x 3"):
        judged(SPLIT, small)
    grey = replace(SPLIT.unseen, pixels=SPLIT.unseen.pixels[..., :1])
    with pytest.raises(InputError, match="unseen pictures are 12 x 12 x 1"):
        judged(replace(SPLIT, unseen=grey), FRESH)


def test_empty_sets_are_refused():
    none = np.empty(0, dtype=np.int64)
    with pytest.raises(InputError, match="no synthetic pictures"):
        judged(SPLIT, FRESH.subset(none))
    with pytest.raises(InputError, match="no training pictures"):
        judged(replace(SPLIT, train=SPLIT.train.subset(none)), FRESH)


def test_people_on_the_wrong_side_are_refused_by_name():
    with pytest.raises(InputError, match=r"synthetic: no training picture of 'p14'"):
        judged(SPLIT, people(15, 2))
    with pytest.raises(InputError, match=r"holdout: no training picture of 'p14'.*unseen"):
        judged(replace(SPLIT, holdout=people(15, 2)), FRESH)
    with pytest.raises(InputError, match=r"unseen: 'p0', 'p1', .* and 9 more stand among"):
        judged(replace(SPLIT, unseen=people(14, 2)), FRESH)


def test_an_unknown_level_is_refused():
    with pytest.raises(InputError, match="'quick' or 'full'"):
        judged(SPLIT, FRESH, level="deep")


def test_an_encoder_that_fails_is_refused_by_name():
    with pytest.raises(InputError, match=r"judge, train pictures: 56 of 56 features"):
        judged(SPLIT, FRESH, judge=Broken())
    with pytest.raises(InputError, match=r"recogniser 'real', unseen pictures"):
        judged(SPLIT, FRESH, recognisers={"real": Broken()})


def test_shared_pictures_and_absent_people_are_said_aloud():
    split = replace(SPLIT, holdout=SPLIT.train)
    warnings = judged(split, SPLIT.train.subset(np.arange(8))).context["warnings"]
    assert any("8 of 8 synthetic pictures are training pictures" in text for text in warnings)
    assert any("56 holdout pictures are training pictures" in text for text in warnings)
    assert any("12 of 14 training people have no synthetic" in text for text in warnings)


def test_large_sets_are_thinned_evenly_over_people_and_the_thinning_is_told():
    level = replace(picture_level("quick"), pictures=30)
    pictures = judged_pictures(SPLIT, FRESH, level=level, seed=0)
    assert len(pictures.train) == 56  # every training picture could have been copied
    assert set(np.bincount(pictures.synthetic.identity).tolist()) == {2, 3}
    assert any("Of 56 synthetic pictures 30" in text for text in pictures.warnings)


def test_rounds_take_one_picture_of_each_person_in_turn():
    identity = np.array([4, 4, 4, 4, 7, 7, 9])
    kept = balanced(identity, 5, generator(0, "rounds"))
    assert kept.tolist() == sorted(set(kept.tolist()))
    assert sorted(identity[kept].tolist()) == [4, 4, 7, 7, 9]
    assert balanced(identity, 99, generator(0, "rounds")).tolist() == list(range(7))
