import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from reinforge.errors import InputError
from reinforge.evaluation.catalogue import FIDELITY, PRIVACY
from reinforge.evaluation.scorecard import Scorecard, evaluate

FAST = ("logistic",)


@pytest.fixture(scope="module")
def card(split, fresh):
    return evaluate(split, fresh, level="quick", seed=5)


@pytest.fixture(scope="module")
def copied(split):
    return evaluate(split, split.train, level="quick", seed=5)


def test_every_score_of_the_interface_is_there_for_everybody(card):
    for name in ("r2r_auc", "s2r_auc", "r2s_auc", *FIDELITY, *PRIVACY):
        score = card[name]
        assert (score.value is None) != (score.reason is None), name
        assert score.meaning, name


def test_every_score_is_there_for_each_group(card):
    for name in ("s2r_auc", *FIDELITY, *PRIVACY):
        groups = {score.group for score in card.scores if score.name == name}
        assert {"all", "sex=F", "sex=M"} <= groups, name


def test_intervals_hold_their_values(card):
    for score in card.scores:
        if score.value is not None and score.low is not None:
            assert score.low <= score.value <= score.high, score


def test_fresh_rows_are_useful_faithful_and_know_no_member(card):
    assert abs(card["s2r_auc"].value - card["r2r_auc"].value) < 0.06
    assert card["detection_auc"].low < 0.5 < card["detection_auc"].high
    assert card["membership_auc"].low < 0.5 < card["membership_auc"].high
    assert card["domias_auc"].low < 0.5 < card["domias_auc"].high
    assert card["identical_share"].value == 0.0


def test_a_copy_of_the_train_rows_is_seen_by_every_attack(copied):
    assert copied["membership_auc"].value == 1.0
    assert copied["membership_tpr_at_1pct_fpr"].value == 1.0
    assert copied["domias_auc"].value > 0.99
    assert copied["identical_share"].value == 1.0
    assert copied["linkability_risk"].value > 0.9
    assert copied["inference_risk"].value > 0.9
    assert copied["singling_out_risk"].low > 0.3
    assert copied["dcr_share"].value == pytest.approx(copied["dcr_share"].baseline["copy"])


def test_a_copy_of_the_train_rows_is_said_aloud(copied):
    assert any("release of the real data" in text for text in copied.context["warnings"])


def test_the_same_seed_gives_the_same_scorecard(split, fresh, card):
    assert evaluate(split, fresh, level="quick", seed=5).to_dict() == card.to_dict()


def test_the_order_of_columns_and_unused_columns_do_not_matter(split, fresh, card):
    turned = fresh[list(reversed(fresh.columns))].drop(columns="id")
    again = evaluate(split, turned, level="quick", seed=5)
    assert again.scores == card.scores


def test_a_saved_scorecard_comes_back_and_holds_no_nan(card, tmp_path):
    card.save(tmp_path / "scorecard.json")
    assert Scorecard.load(tmp_path / "scorecard.json") == card
    json.dumps(card.to_dict(), allow_nan=False)


def test_a_file_that_is_no_scorecard_is_refused(tmp_path):
    (tmp_path / "x.json").write_text("[1, 2]")
    with pytest.raises(InputError, match="not a scorecard"):
        Scorecard.load(tmp_path / "x.json")


def test_an_unknown_score_is_refused_with_the_known_ones(card):
    with pytest.raises(InputError, match="it has r2r_auc"):
        card["s2r"]


def test_the_context_tells_level_seed_rows_judges_and_digest(card):
    context = card.context
    assert (context["level"], context["seed"]) == ("quick", 5)
    assert context["rows"] == {"train": 400, "holdout": 200, "synthetic": 400}
    assert context["judges"]["utility"] == ["boosting", "logistic", "forest"]
    assert len(context["split_digest"]) == 64
    assert context["columns"]["left_out"] == ["id"]


def test_figures_are_shares_that_sum_to_one(card):
    for marginal in card.figures["marginals"]:
        for table in ("train", "holdout", "synthetic"):
            assert len(marginal[table]) == len(marginal["labels"])
            assert sum(marginal[table]) == pytest.approx(1.0, abs=1e-4)
    assert {curve["family"] for curve in card.figures["roc"]} == {"utility", "attack"}


def test_rules_are_counted_in_all_three_tables(split, fresh):
    rule = ("age < 30", lambda table: (table["age"] < 30).to_numpy())
    rates = evaluate(split, fresh, level="quick", judges=FAST, rules=[rule]).figures["rules"][0]
    assert rates["train"] == pytest.approx((split.train["age"] < 30).mean())
    assert rates["synthetic"] == pytest.approx((fresh["age"] < 30).mean())


def test_without_a_target_utility_is_listed_with_its_reason(split, fresh):
    card = evaluate(replace(split, target=None), fresh, level="quick", judges=FAST)
    assert card["s2r_auc"].value is None
    assert "no target" in card["s2r_auc"].reason


def test_a_single_class_in_synthetic_rows_is_a_reason_and_no_number(split, fresh):
    card = evaluate(split, fresh.assign(ill=True), level="quick", judges=FAST)
    assert "single class in the synthetic" in card["s2r_auc"].reason
    assert card["r2r_auc"].value > 0.7


def test_an_amount_as_target_is_scored_by_r2(split, fresh):
    card = evaluate(replace(split, target="age"), fresh, level="quick", judges=FAST)
    assert 0.3 < card["s2r_r2"].value < 1.0


def test_small_groups_are_hidden(split, fresh):
    few = split.train.copy()
    few["sex"] = np.where(np.arange(len(few)) < 3, "F", "M")
    card = evaluate(replace(split, train=few), fresh, level="quick", judges=FAST)
    score = next(s for s in card.scores if (s.name, s.group) == ("membership_auc", "sex=F"))
    assert score.value is None
    assert "single people" in score.reason


def test_differing_columns_are_all_named_at_once(split, fresh):
    wrong = fresh.drop(columns="age").assign(height=1.0, score="high")
    with pytest.raises(InputError) as caught:
        evaluate(split, wrong)
    for part in ("lacks 'age'", "adds 'height'", "holds text in 'score'"):
        assert part in str(caught.value)


def test_an_empty_synthetic_table_is_refused(split, fresh):
    with pytest.raises(InputError, match="no rows"):
        evaluate(split, fresh.iloc[:0])


def test_an_empty_holdout_is_refused(split, fresh):
    with pytest.raises(InputError, match="holdout needed"):
        evaluate(replace(split, holdout=split.holdout.iloc[:0]), fresh)


def test_infinite_values_are_refused_by_column_and_count(split, fresh):
    with pytest.raises(InputError, match=r"'score' holds 400 infinite"):
        evaluate(split, fresh.assign(score=np.inf))


def test_a_level_that_nobody_has_is_no_perfect_score(split, fresh):
    card = evaluate(split, fresh.assign(stage="IV"), level="quick", judges=FAST)
    assert card["coverage"].value < 0.7
    assert card["detection_auc"].value > 0.9


def test_an_unknown_level_is_refused(split, fresh):
    with pytest.raises(InputError, match="'quick' or 'full'"):
        evaluate(split, fresh, level="slow")


@pytest.mark.parametrize("n_rows", [1, 3, 12])
def test_tiny_tables_give_reasons_and_no_crash(split, fresh, n_rows):
    tiny = replace(split, train=split.train[:n_rows], holdout=split.holdout[:n_rows])
    card = evaluate(tiny, fresh[:n_rows], level="quick", judges=FAST)
    json.dumps(card.to_dict(), allow_nan=False)


def test_progress_names_stages_in_rising_order(split, fresh):
    told = []

    def tell(stage, share):
        told.append((stage, share))

    evaluate(split, fresh, level="quick", judges=FAST, progress=tell)
    assert [share for _, share in told] == sorted(share for _, share in told)
    assert told[-1] == ("done", 1.0)


def test_no_level_of_few_people_is_named_in_the_figures(split, fresh):
    train = split.train.copy()
    train.loc[0, "stage"] = "III"
    train.loc[1:, "stage"] = "I"
    few = replace(split, train=train, holdout=split.holdout.assign(stage="I"))
    card = evaluate(few, fresh.assign(stage="I"), level="quick", judges=FAST)
    stage = next(m for m in card.figures["marginals"] if m["column"] == "stage")
    assert stage["labels"] == ["I", "(rare)"]


def test_no_cell_of_few_people_is_in_the_projection(card, split):
    cells = card.figures["projection"]
    n_rows = np.array(cells["real"]) * len(split.train)
    assert n_rows.shape == (7, 7)  # 400 rows: the root of 400 / 8
    assert n_rows[n_rows > 0].min() >= 4.99
    assert sum(map(sum, cells["synthetic"])) == pytest.approx(1.0, abs=1e-4)


def test_attribute_risk_is_compared_with_people_not_used_under_the_word_of_the_risks(card):
    assert set(card["attribute_risk"].baseline) == {"control", "limit", "naive", "copy"}


def test_rows_without_links_teach_nothing_and_know_no_member(card):
    assert card["s2r_auc"].baseline["independent"] < card["r2r_auc"].value - 0.15
    low, independent, high = 0.4, card["membership_auc"].baseline["independent"], 0.6
    assert low < independent < high
    assert "independent" not in card["r2r_auc"].baseline


def test_to_frame_has_one_row_a_score(card):
    frame = card.to_frame()
    assert isinstance(frame, pd.DataFrame)
    assert len(frame) == len(card.scores)
    assert "baseline: copy" in frame.columns
