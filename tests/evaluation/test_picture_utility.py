from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from picture_sets import QUICK, Corner, Fields, Level, judged, marked, people, split_of, strangers
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from reinforge.evaluation.picture_judged import judged_pictures
from reinforge.evaluation.picture_probe import probe_of
from reinforge.evaluation.picture_space import embedded
from reinforge.evaluation.picture_utility import chosen_arm, utility_scores
from reinforge.measure.retrieval import Marked, retrieve
from reinforge.records import PictureSplit

UNSEEN = strangers()


def scores_of(unseen=UNSEEN, **recognisers):
    train = people(3, 2)
    pictures = judged_pictures(PictureSplit(train=train, unseen=unseen), train, level=QUICK, seed=3)
    scores, figures = utility_scores(pictures, recognisers or {"real": Fields()})
    return {(score.name, score.group): score for score in scores}, figures


def in_group(found, group="all"):
    return {name: score for (name, of), score in found.items() if of == group}


def all_pairs(unseen):
    feature = embedded(unseen, Fields(), name="oracle").feature
    pairs = np.array(list(combinations(range(len(unseen)), 2)))
    same = unseen.identity[pairs[:, 0]] == unseen.identity[pairs[:, 1]]
    return feature, same, np.einsum("pf,pf->p", feature[pairs[:, 0]], feature[pairs[:, 1]])


def test_a_recogniser_that_knows_everybody_has_one_everywhere():
    found = in_group(scores_of(marked(UNSEEN), real=Corner())[0])
    for name in ("map", "rank1", "verification_accuracy", "tar_at_1pct_far"):
        assert found[name].value == 1
        assert 0.8 < found[name].low < 1  # twenty people cannot prove that nobody is missed


def test_a_recogniser_to_whom_all_are_alike_guesses():
    found = in_group(scores_of(real=Level())[0])
    assert found["verification_accuracy"].value == 0.5
    assert found["tar_at_1pct_far"].value == 0
    assert found["rank1"].value == 0  # of equal pictures the wrong ones come first
    assert found["map"].value < 0.1


def test_mean_average_precision_and_rank_one_are_those_of_sklearn():
    found = in_group(scores_of()[0])
    feature, _, _ = all_pairs(UNSEEN)
    precision, first = [], []
    for at in range(len(UNSEEN)):
        other = np.arange(len(UNSEEN)) != at
        cosine, match = feature[other] @ feature[at], UNSEEN.identity[other] == UNSEEN.identity[at]
        precision.append(average_precision_score(match, cosine))
        first.append(match[cosine.argmax()])
    assert found["map"].value == pytest.approx(np.mean(precision))
    assert found["rank1"].value == pytest.approx(np.mean(first))


def test_the_curve_and_the_true_accept_rate_are_those_of_sklearn():
    found, figures = scores_of()
    _, same, similarity = all_pairs(UNSEEN)  # fewer pairs than the level's caps: all are taken
    curve = figures["roc"][0]
    assert (curve["name"], curve["family"]) == ("real", "utility")
    assert curve["auc"] == pytest.approx(roc_auc_score(same, similarity))
    far, tar, _ = roc_curve(same, similarity, drop_intermediate=False)
    wanted = tar[far <= 0.01].max()
    assert in_group(found)["tar_at_1pct_far"].value == pytest.approx(wanted)


def test_pictures_under_one_camera_are_no_match():
    camera = np.tile(np.arange(7) % 2, 20)
    by_camera = replace(UNSEEN, camera=camera)
    assert scores_of(by_camera)[0]["map", "all"].value != scores_of()[0]["map", "all"].value
    lonely = replace(UNSEEN, camera=np.where(UNSEEN.identity == 0, 0, camera))
    probe = probe_of(lonely, np.ones(140, dtype=bool), "all", level=QUICK, seed=0)
    assert not probe.asked[:7].any()  # person 0 was seen by one camera only
    assert probe.asked[7:].all()
    nowhere = replace(UNSEEN, camera=np.zeros(140, dtype=np.int64))
    assert "two cameras" in scores_of(nowhere)[0]["rank1", "all"].reason


def test_a_picture_without_a_second_one_of_its_person_is_no_query():
    alone = UNSEEN.subset(np.arange(1, 15))  # six of person 0, seven of 1, one of 2
    alone = alone.subset(np.arange(14))
    probe = probe_of(alone, np.ones(14, dtype=bool), "all", level=QUICK, seed=0)
    assert probe.asked.tolist() == [True] * 13 + [False]


def test_the_other_arms_are_controls_of_the_selected_one():
    found, figures = scores_of(real=Level(), selected=Fields(), reinforced=Corner())
    score = found["map", "all"]
    values = {row["arm"]: row["value"] for row in figures["arms"] if row["score"] == "map"}
    assert score.value == values["selected"]
    assert score.baseline == {arm: values[arm] for arm in ("real", "reinforced")}
    assert "'selected'" in score.meaning


@pytest.mark.parametrize(
    ("arms", "chosen"),
    [(["selected", "real"], "selected"), (["real", "cold_start"], "cold_start"), ([], None)],
)
def test_the_selected_arm_is_scored_or_else_the_last(arms, chosen):
    assert chosen_arm(arms) == chosen


def test_intervals_are_wider_than_if_pictures_were_drawn_apart_from_their_people():
    found = in_group(scores_of()[0])["map"]
    feature, _, _ = all_pairs(UNSEEN)
    each = Marked(feature=feature, identity=UNSEEN.identity, camera=np.arange(140))
    precision = retrieve(each, each).average_precision
    of_pictures = 2 * 1.96 * precision.std() / np.sqrt(140)
    assert found.n == 20
    assert found.high - found.low > 1.3 * of_pictures


def test_redrawn_people_move_accuracy_and_the_true_accept_rate():
    found = in_group(scores_of()[0])
    for name in ("verification_accuracy", "tar_at_1pct_far"):
        score = found[name]
        assert score.low < score.value < score.high
        assert score.high - score.low > 0.02


def test_groups_are_scored_apart_and_the_gap_is_that_of_the_extremes():
    found, figures = scores_of(strangers(36, groups="abc"))
    accuracy = [found["verification_accuracy", f"group={g}"].value for g in "abc"]
    gap = found["group_gap", "all"]
    assert gap.value == pytest.approx(max(accuracy) - min(accuracy))
    assert gap.low < gap.value < gap.high < 0.4
    assert gap.baseline["limit"] > 0
    assert [row["value"] for row in figures["group_accuracy"]] == accuracy
    assert len({found["map", f"group={g}"].value for g in "abc"}) == 3


def test_a_group_that_is_served_worse_opens_the_gap_beyond_luck():
    unseen = strangers(40)
    level = np.array([group == "b" for group in unseen.group])
    pixels = np.where(level[:, None, None, None], 100 + unseen.pixels // 12, unseen.pixels)
    noise = np.random.default_rng(0).normal(0, 12, (280, 2, 2, 3)).repeat(6, 1).repeat(6, 2)
    pixels = np.where(level[:, None, None, None], pixels + noise, pixels)
    blurred = replace(unseen, pixels=np.clip(pixels, 0, 255).astype(np.uint8))
    gap = scores_of(blurred)[0]["group_gap", "all"]
    assert gap.low > gap.baseline["limit"]


def test_groups_of_few_people_are_hidden():
    group = tuple("few" if i < 9 else "many" for i in UNSEEN.identity)
    found, figures = scores_of(replace(UNSEEN, group=group))
    hidden = found["verification_accuracy", "group=few"]
    assert hidden.value is None
    assert "single people" in hidden.reason
    assert "fewer than two groups" in found["group_gap", "all"].reason
    assert [row["group"] for row in figures["group_accuracy"]] == ["group=many"]


def test_unknown_groups_leave_the_gap_without_a_value():
    found, _ = scores_of(replace(UNSEEN, group=None))
    assert "not known" in found["group_gap", "all"].reason
    assert {group for _, group in found} == {"all"}


def test_a_single_unseen_person_has_no_pairs_of_two():
    found, _ = scores_of(strangers(1, groups=None))
    assert found["verification_accuracy", "all"].value is None
    assert found["map", "all"].value == 1


def test_without_unseen_people_utility_says_so():
    split = replace(split_of(3, 2), unseen=None)
    card = judged(split, people(3, 2, seed=3), recognisers={"real": Fields()})
    assert "no unseen people" in card["map"].reason
