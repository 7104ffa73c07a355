import pytest
from picture_scorecard import ARM_STEPS, make_picture_scorecard

from reinforge.evaluation.picture_catalogue import PICTURE_BETTER
from reinforge.report.picture_catalogue import PICTURES
from reinforge.report.picture_sections import arms_view, gap_views, histograms, read_arms
from reinforge.report.score_view import read_score
from reinforge.report.verdict import reading, verdict


def scores():
    return [read_score(score, PICTURES) for score in make_picture_scorecard()["scores"]]


def test_every_score_that_the_evaluation_names_has_words_on_the_page():
    assert set(PICTURE_BETTER) == set(PICTURES.entries)


@pytest.mark.parametrize(
    ("value", "band", "beside", "beside_band", "said"),
    [
        (0.8, (0.7, 0.9), 0.5, (0.4, 0.6), "Higher: the intervals lie apart."),
        (0.5, (0.4, 0.6), 0.8, (0.7, 0.9), "Lower: the intervals lie apart."),
        (0.8, (0.7, 0.9), 0.6, (0.5, 0.7), "No difference shown: the intervals overlap."),
        (0.8, (0.7, 0.9), 0.7, None, "No difference shown: the interval holds it."),
        (0.8, (0.7, 0.9), 0.6, None, "Higher: the interval does not reach it."),
        (0.8, (0.7, 0.9), 1.0, None, "Lower: the interval does not reach it."),
        (0.8, None, 0.6, (0.5, 0.7), "Higher; without an interval."),
        (0.6, None, 0.6, None, "Equal; without an interval."),
    ],
)
def test_what_the_numbers_say_is_how_their_intervals_lie(value, band, beside, beside_band, said):
    assert reading(value, band, beside, beside_band) == said


def test_the_verdict_sets_the_last_arm_beside_real_erasing_and_cold_start():
    arms = read_arms(make_picture_scorecard()["figures"]["arms"])
    rows = verdict(scores(), arms)
    assert [row["name"] for row in rows[:4]] == ["verification_accuracy · selected"] * 3 + [
        "identity_accuracy"
    ]
    assert rows[0]["beside"] == "real 0.801 (0.789 to 0.813)"
    assert rows[0]["reading"] == "Higher: the intervals lie apart."
    assert rows[2]["reading"] == "No difference shown: the intervals overlap."


def test_the_verdict_reads_each_score_beside_its_first_control_or_the_mark_of_its_scale():
    rows = {row["name"]: row for row in verdict(scores(), [])}
    assert rows["identity_leakage"]["beside"] == "fresh pictures of the same people 0.038"
    assert rows["membership_auc"]["beside"] == "no better than guessing 0.500"
    assert rows["membership_auc"]["reading"] == "Higher: the interval does not reach it."


def test_a_score_without_control_is_said_to_have_none():
    lonely = [read_score({"name": "identity_leakage", "value": 0.1}, PICTURES)]
    (row,) = verdict(lonely, [])
    assert (row["beside"], row["reading"]) == ("–", "No control was measured.")


def test_arms_stand_in_the_order_of_the_comparison_and_others_after_them():
    raw = make_picture_scorecard()["figures"]["arms"][::-1]
    raw.append({"arm": "no coverage", "score": "map", "value": 0.5, "low": None, "high": None})
    view = arms_view(read_arms(raw))
    assert [row["label"] for row in view["table"]] == [
        *(arm.replace("_", " ") for arm in ARM_STEPS),
        "no coverage",
    ]
    assert [name for name, _ in view["scores"]] == [
        "verification_accuracy",
        "tar_at_1pct_far",
        "map",
        "rank1",
    ]
    assert view["table"][-1]["cells"][:2] == [None, None]
    assert view["table"][-1]["cells"][2] == {"value": "0.500", "interval": ""}
    chart = view["charts"][0]
    assert chart["everyone"] == pytest.approx(0.801)
    assert [row["is_all"] for row in chart["rows"]] == [False, False, False, True, True]


def test_arms_without_a_value_are_left_out():
    assert arms_view(read_arms([{"arm": "real", "score": "map", "value": None}])) is None


def test_bars_stand_best_first_with_the_gap_from_best_to_worst():
    (view,) = gap_views(scores())
    assert [row["name"] for row in view["rows"]] == ["group=west", "group=south", "group=north"]
    assert view["gap"] == "0.040"
    assert (view["worst"], view["best"]) == pytest.approx((0.822, 0.862))
    assert (view["low"], view["low_text"]) == (0.5, "no better than guessing")
    assert view["rows"][0]["real"] == 0.801


def test_bars_begin_at_nothing_where_a_group_is_worse_than_guessing():
    worse = [
        {"name": "verification_accuracy", "group": f"group={k}", "value": 0.45 + k} for k in (0, 1)
    ]
    (view,) = gap_views([read_score(score, PICTURES) for score in worse])
    assert (view["low"], view["low_text"]) == (0.0, "")


def test_a_single_group_has_no_gap():
    lone = [read_score({"name": "map", "group": "group=a", "value": 0.5}, PICTURES)]
    assert gap_views(lone) == []


def test_the_histogram_tells_within_which_distance_half_of_the_pictures_lie():
    raw = {
        "bins": [0.0, 1.0, 2.0, 3.0],
        "synthetic": [0.2, 0.3, 0.5],
        "holdout": [0.6, 0.2, 0.2],
        "copy_below": 0.5,
        "match_below": None,
    }
    (view,) = histograms({"here": raw, "there": None})
    assert view["description"] == (
        "half of the synthetic pictures lie within 2.000; "
        "half of the fresh real pictures lie within 1.000"
    )
    assert view["marks"] == [(0.5, "copy")]


def test_a_histogram_without_fresh_pictures_shows_the_synthetic_ones():
    (view,) = histograms({"here": {"bins": [0, 1, 2], "synthetic": [0.5, 0.5], "holdout": []}})
    assert view["holdout"] == []


@pytest.mark.parametrize("edges", [[0.0, 1.0], [0.0, None, 2.0], None])
def test_shares_that_do_not_fit_their_edges_draw_no_histogram(edges):
    assert histograms({"x": {"bins": edges, "synthetic": [0.5, 0.5], "holdout": []}}) == []
