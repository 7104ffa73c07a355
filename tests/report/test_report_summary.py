import json
import math

import pytest

from reinforge.report.score_view import read_score, strip_view
from reinforge.report.summary import flatten, summarise


def view_of(scorecard, **given):
    return summarise(scorecard, title="T", date="2026-01-02", **given)


def test_the_view_is_plain_data(scorecard, history):
    view = view_of(scorecard, history=history, settings={"seed": 1})
    assert json.loads(json.dumps(view["facts"]))
    for figure in ("marginals", "association", "projection", "roc", "curves", "groups", "plane"):
        json.dumps(view[figure], allow_nan=False)


def test_headline_cards_hold_value_interval_and_controls(scorecard):
    cards = {card["name"]: card for card in view_of(scorecard)["cards"]}
    assert cards["detection_auc"]["value"] == "0.587"
    assert cards["detection_auc"]["interval"] == "0.558 to 0.616"
    signs = [control["label"] for control in cards["detection_auc"]["strip"]["controls"]]
    assert signs == ["fresh real rows", "columns drawn independently"]


def test_a_headline_score_without_value_keeps_its_place_and_says_why(scorecard):
    for score in scorecard["scores"]:
        if score["name"] == "detection_auc":
            score |= {"value": None, "reason": "too few rows"}
    card = next(c for c in view_of(scorecard)["cards"] if c["name"] == "detection_auc")
    assert not card["has_value"]
    assert card["reason"] == "too few rows"


def test_the_most_exposed_group_is_the_group_of_highest_membership_auc(scorecard):
    for score in scorecard["scores"]:
        if (score["name"], score["group"]) == ("membership_auc", "outliers"):
            score["value"] = 0.91
        if score["name"] == "membership_auc" and score["group"] == "sex=F":
            score |= {"group": "worst columns", "value": 0.99}
    titles = [card["title"] for card in view_of(scorecard)["cards"]]
    assert "Membership, most exposed group: outliers" in titles


def test_synthetic_trained_models_are_shown_beside_real_trained_ones(scorecard):
    for score in scorecard["scores"]:
        score["baseline"] = {}
    card = next(c for c in view_of(scorecard)["cards"] if c["name"] == "s2r_auc")
    assert [(c["label"], c["value"]) for c in card["strip"]["controls"]] == [
        ("copy of the training rows", 0.884)
    ]


def test_a_scale_widens_when_a_value_lies_beyond_it():
    score = read_score({"name": "membership_auc", "value": 0.47, "low": 0.43, "high": 0.51})
    strip = strip_view(score)
    assert strip["low"] == pytest.approx(0.4)
    assert strip["high"] == 1.0
    assert strip["mark"] == 0.5
    assert strip["mark_text"] == "no better than guessing"


def test_a_scale_keeps_its_ends_when_all_values_lie_inside():
    strip = strip_view(read_score({"name": "membership_auc", "value": 0.6}))
    assert (strip["low"], strip["high"], strip["mark"]) == (0.5, 1.0, None)
    assert strip["low_text"] == "0.5 no better than guessing"


@pytest.mark.parametrize("value", [math.nan, math.inf, "0.5", True])
def test_a_value_that_is_no_finite_number_counts_as_missing(value):
    assert read_score({"name": "nmi", "value": value})["value"] is None


def test_an_unknown_score_is_shown_under_its_own_name(scorecard):
    scorecard["scores"].append({"name": "brand_new", "value": 3.5, "group": "all"})
    (row,) = view_of(scorecard)["families"]["other"]
    assert (row["name"], row["value"]) == ("brand_new", "3.500")


def test_everybody_stands_before_outliers_and_these_before_groups(scorecard):
    scorecard["scores"].reverse()
    rows = view_of(scorecard)["privacy"][0]["rows"]
    assert [row["group"] for row in rows] == ["all", "outliers", "sex=M", "sex=F"]


def test_scores_without_value_are_listed_once_a_reason_with_their_groups(scorecard):
    missing = view_of(scorecard)["missing"]
    assert {
        "scores": [
            {"name": "s2r_auc", "title": "Trained on synthetic, judged on real"},
            {"name": "r2r_auc", "title": "Trained on real, judged on real"},
            {"name": "r2s_auc", "title": "Trained on real, judged on synthetic"},
        ],
        "reason": "61 rows hold fewer than 10 of one class.",
        "groups": "outliers",
    } in missing
    assert len({(line["reason"], line["groups"]) for line in missing}) == len(missing)


def test_scores_without_value_for_one_reason_share_a_line():
    hidden = {"group": "sex=X", "value": None, "reason": "too few"}
    scores = [{"name": name, **hidden} for name in ("coverage", "density", "s2r_auc")]
    (line,) = view_of({"scores": scores})["missing"]
    assert {score["name"] for score in line["scores"]} == {"coverage", "density", "s2r_auc"}
    assert (line["reason"], line["groups"]) == ("too few", "sex=X")


@pytest.mark.parametrize(
    ("reasons", "said"),
    [
        (
            ["hidden: few rows; no single people", "hidden: few records; no single people"],
            "hidden: few rows, or few records; no single people",
        ),
        (["too few.", "one class."], "too few.; one class."),
        (["too few."], "too few."),
    ],
)
def test_several_reasons_for_a_hidden_group_are_one_text(reasons, said):
    scores = [
        {"name": name, "group": "sex=X", "value": None, "reason": reason}
        for name, reason in zip(("coverage", "density"), reasons, strict=False)
    ]
    assert view_of({"scores": scores})["groups"]["hidden"] == [("sex=X", said)]


def test_the_only_measured_group_is_not_called_the_highest_of_several(scorecard):
    only = [s for s in scorecard["scores"] if s["group"] in {"all", "outliers"}]
    card = next(
        c for c in view_of({**scorecard, "scores": only})["cards"] if "exposed" in c["title"]
    )
    assert card["meaning"].startswith("The one group that was measured")


def test_a_group_without_any_value_is_named_as_hidden(scorecard):
    groups = view_of(scorecard)["groups"]
    assert groups["hidden"] == [("sex=X", "3 rows; a group needs 10 to be shown.")]
    assert "sex=X" not in groups["names"]


def test_attacks_that_nobody_ran_are_named(scorecard):
    scorecard["scores"] = [s for s in scorecard["scores"] if s["name"] != "domias_auc"]
    assert "Attacks that this scorecard leaves out: domias_auc." in view_of(scorecard)["not_tested"]


def test_a_complete_scorecard_leaves_no_attack_out(scorecard):
    assert not any("leaves out" in line for line in view_of(scorecard)["not_tested"])


def test_the_plane_holds_the_generator_and_the_controls_that_both_scores_have(scorecard):
    plane = view_of(scorecard)["plane"]
    assert [(p["label"], p["x"], p["y"]) for p in plane["points"]] == [
        ("copy of the training rows", 0.884, 1.0),
        ("columns drawn independently", 0.512, 0.501),
        ("this generator", 0.861, 0.523),
    ]
    assert plane["lines"] == [{"label": "fresh real rows", "x": None, "y": 0.498}]


def test_without_a_membership_score_there_is_no_plane(scorecard):
    scorecard["scores"] = [s for s in scorecard["scores"] if s["name"] != "membership_auc"]
    assert view_of(scorecard)["plane"] is None


def test_facts_come_from_context_and_settings(scorecard):
    facts = dict(view_of(scorecard, settings={"seed": 7, "preset": "default"})["facts"])
    assert facts["Training rows"] == "2\u202f448"
    assert facts["Columns"] == "12"
    assert facts["Seed of the run"] == "7"
    assert facts["Preset"] == "default"
    assert facts["Real data digest"] == "4f0c9d2e71aa"
    assert facts["Date of this page"] == "2026-01-02"


def test_a_run_is_named_by_its_system_and_preset(scorecard):
    config = {"verb": "run", "system": "tabular", "settings": {"model": {"preset": "rlsyn-mimic"}}}
    facts = dict(view_of(scorecard, settings=config)["facts"])
    assert (facts["Generator"], facts["Preset"]) == ("tabular", "rlsyn-mimic")


def test_rows_from_elsewhere_are_not_said_to_come_from_a_preset(scorecard):
    config = {"verb": "evaluate", "system": "tabular", "settings": {"model": {"preset": "default"}}}
    facts = dict(view_of(scorecard, settings=config)["facts"])
    assert facts["Generator"] == "not known, rows from files"
    assert "Preset" not in facts


def test_warnings_of_the_evaluation_stand_before_the_numbers(scorecard):
    assert view_of(scorecard)["warnings"] == [
        "Utility and fidelity used 2,000 of 2,448 train rows, drawn by seed."
    ]


def test_settings_are_flattened_to_dotted_names():
    settings = {"a": {"b": 1, "c": [1, 2]}, "d": None, "e": {}}
    assert flatten(settings) == [("a.b", "1"), ("a.c", "1, 2"), ("d", "–"), ("e", "{}")]


def test_an_empty_scorecard_gives_an_empty_view():
    view = view_of({})
    assert view["cards"] == []
    assert view["privacy"] == []
    assert view["plane"] is None
