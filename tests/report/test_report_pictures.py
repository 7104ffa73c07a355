import math

import pytest

from reinforge.report.curves import curves_of
from reinforge.report.pictures import (
    N_ASSOCIATED,
    N_MARGINALS,
    association,
    marginals,
    projection,
    roc,
    rules,
)


def column(name, train, synthetic, *, kind="categorical", labels=None, holdout=()):
    labels = [str(k) for k in range(len(train))] if labels is None else labels
    shares = {"train": train, "holdout": list(holdout), "synthetic": synthetic}
    return {"column": name, "kind": kind, "labels": labels, **shares}


def test_the_difference_of_a_column_is_the_share_that_would_have_to_move():
    (chart,) = marginals([column("a", [0.5, 0.5], [0.8, 0.2])])["charts"]
    assert chart["difference"] == pytest.approx(0.3)


def test_of_many_columns_those_that_differ_most_are_kept_in_table_order():
    raw = [column(str(k), [0.5, 0.5], [0.5 + k / 1000, 0.5 - k / 1000]) for k in range(100)]
    kept = marginals(raw)
    assert kept["n_columns"] == 100
    assert [chart["column"] for chart in kept["charts"]] == [
        str(k) for k in range(100 - N_MARGINALS, 100)
    ]


def test_rare_levels_beyond_ten_are_shown_together():
    train = [0.2] * 4 + [0.02] * 10
    (chart,) = marginals([column("a", train, train)])["charts"]
    assert chart["labels"][-1] == "5 more"
    assert chart["train"][-1] == pytest.approx(0.1)
    assert sum(chart["synthetic"]) == pytest.approx(1)


def test_missing_values_of_a_number_stand_in_words_and_empty_ends_are_cut():
    labels = ["< 1", "1 to 2", "2 to 3", ">= 3", "(missing)"]
    raw = column("a", [0, 0.4, 0.2, 0.3, 0.1], [0, 0.5, 0.2, 0.3, 0], kind="integer", labels=labels)
    (chart,) = marginals([raw])["charts"]
    assert chart["missing"] == "missing: 10 % of training rows, 0 % of synthetic rows"
    assert chart["ends"] == ["1 to 2", "≥ 3"]
    assert chart["train"] == [0.4, 0.2, 0.3]


def test_a_column_without_synthetic_shares_is_left_out():
    assert marginals([column("a", [1.0], [])])["charts"] == []


def test_the_difference_of_associations_is_synthetic_minus_training():
    raw = {"columns": ["a", "b"], "train": [[1, 0.2], [0.2, 1]], "synthetic": [[1, 0.5], [0.5, 1]]}
    maps = association(raw)["maps"]
    assert maps[2]["cells"][0][1] == pytest.approx(0.3)
    assert maps[2]["bound"] == pytest.approx(0.3)


def test_a_matrix_with_holes_keeps_its_holes():
    raw = {"columns": ["a", "b"], "train": [[1, None]], "synthetic": [[1, 0.5], [math.nan, 1]]}
    cells = association(raw)["maps"][2]["cells"]
    assert cells == [[0.0, None], [None, None]]


def test_a_table_of_one_column_has_no_associations():
    assert association({"columns": ["a"], "train": [[1]], "synthetic": [[1]]}) is None


def test_of_a_hundred_columns_the_most_different_are_mapped():
    names = [str(k) for k in range(100)]
    zero = [[0.0] * 100 for _ in names]
    moved = [[0.5 if i >= 95 else 0.0] * 100 for i in range(100)]
    view = association({"columns": names, "train": zero, "synthetic": moved})
    assert view["n_shown"] == N_ASSOCIATED
    assert {"95", "99"} <= set(view["maps"][0]["names"])


def test_cells_are_turned_so_that_the_first_axis_runs_across():
    raw = {"real": [[0.0, 0.05], [0.45, 0.5]], "synthetic": [[0.25, 0.25], [0.25, 0.25]]}
    real, synthetic = projection(raw)["maps"]
    assert real["cells"] == [[0.0, 0.45], [0.05, 0.5]]
    assert real["bound"] == synthetic["bound"] == 0.5


def test_curves_of_another_family_are_left_out(scorecard):
    view = roc(scorecard["figures"]["roc"], "attack")
    assert [curve["title"] for curve in view["curves"]] == [
        "Membership by distance",
        "Membership by density ratio",
    ]


def test_attack_curves_begin_at_the_lowest_false_alarm_rate_that_they_can_show():
    few = {"name": "a", "family": "attack", "fpr": [0, 0.02, 1], "tpr": [0, 0.1, 1], "auc": 0.5}
    many = {**few, "fpr": [0, 0.001, 1]}
    assert roc([few], "attack")["lowest"] == 0.01
    assert roc([many], "attack")["lowest"] == 0.001
    assert roc([{**few, "family": "utility"}], "utility")["lowest"] is None


def test_rates_of_rules_are_shown_in_per_cent():
    (rule,) = rules([{"rule": "a < b", "train": 0.0, "holdout": None, "synthetic": 0.021}])
    assert rule == {"rule": "a < b", "train": "0 %", "holdout": "–", "synthetic": "2.1 %"}


def test_a_long_history_is_thinned_without_losing_its_extremes():
    history = [{"step": k, "reward": 1.0 if k == 7777 else 0.0} for k in range(30_000)]
    (curve,) = curves_of(history)
    assert len(curve["points"]) == 120
    assert max(point["high"] for point in curve["points"]) == 1.0
    assert curve["x_domain"][1] == 29_999


def test_gaps_and_constants_of_a_history_draw_no_curve():
    history = [{"step": k, "a": math.nan, "b": 1.0, "c": "text", "kl": k / 10} for k in range(5)]
    assert [curve["key"] for curve in curves_of(history)] == ["kl"]
