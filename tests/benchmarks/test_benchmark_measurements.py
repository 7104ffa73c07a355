import math

import pandas as pd
import pytest

import comparison
import measurements


def row(arm="a", seed=0, score="s2r_auc", value=0.5):
    return {
        "dataset": "heart",
        "setting": "80/20",
        "arm": arm,
        "seed": seed,
        "score": score,
        "value": value,
    }


def test_interval_matches_a_hand_computation():
    mean, half = measurements.interval([1.0, 2.0, 3.0])  # deviation 1, t(2) = 4.3027
    assert mean == 2.0
    assert half == pytest.approx(4.3027 / math.sqrt(3), abs=1e-4)


def test_one_value_has_no_interval_and_no_value_no_mean():
    assert measurements.cell([0.5]) == "0.500"
    assert measurements.cell([math.nan]) == measurements.NOTHING


def test_what_is_written_down_is_known_as_done_until_it_is_forgotten(tmp_path):
    path = tmp_path / "results" / "x.csv"
    measurements.append(path, [row(seed=0), row(seed=0, score="nmi", value=None), row(seed=1)])
    assert measurements.done(path) == {("heart", "80/20", "a", 0), ("heart", "80/20", "a", 1)}
    measurements.forget(path, {("heart", "80/20", "a", 0)})
    assert measurements.done(path) == {("heart", "80/20", "a", 1)}
    assert measurements.read(path)["value"].tolist() == [0.5]


def test_a_score_without_a_value_stays_empty(tmp_path):
    path = tmp_path / "x.csv"
    measurements.append(path, [row(value=None)])
    assert path.read_text().splitlines()[1] == "heart,80/20,a,0,s2r_auc,"


def test_paired_takes_the_control_of_the_same_split():
    rows = []
    for seed, (own, control) in enumerate([(0.60, 0.50), (0.55, 0.45)]):
        rows += [
            row("a", seed, "membership_auc", own),
            row("independent", seed, "membership_auc", control),
            row("a", seed, "r2r_auc", 0.9),
            row("a", seed, "s2r_auc", 0.88),
        ]
    frame = comparison.paired(pd.DataFrame(rows)).set_index(["arm", "seed"])
    assert frame.loc[("a", 0), "excess"] == pytest.approx(0.10)
    assert frame.loc[("a", 1), "excess"] == pytest.approx(0.10)
    assert frame.loc[("a", 0), "gap"] == pytest.approx(0.02)
    assert frame.loc[("independent", 1), "excess"] == 0


def test_without_the_control_there_is_no_excess():
    frame = comparison.paired(pd.DataFrame([row("copy", 0, "membership_auc", 1.0)]))
    assert frame["excess"].isna().all()


def test_the_page_shows_every_arm_and_which_tables_were_tuned_on(tmp_path, monkeypatch):
    path, page = tmp_path / "tabular.csv", tmp_path / "tabular.md"
    measurements.append(path, [row("copy"), row("reinforge", value=0.7), row("cart", value=None)])
    monkeypatch.setattr(comparison, "TUNED_ON", ("heart",))
    comparison.write_comparison(path, page)
    text = page.read_text()
    assert "| **reinforge** | 0.700 |" in text
    assert "| *copy* | 0.500 |" in text
    assert f"| cart | {measurements.NOTHING} |" in text
    assert "looked at while the method was chosen: heart." in text


def test_fresh_rows_stand_beside_the_others_where_they_were_measured(tmp_path):
    path, page = tmp_path / "tabular.csv", tmp_path / "tabular.md"
    arms = ["reinforge", "cart", "arf", "tvae"]
    measurements.append(path, [row(arm, score="coverage") for arm in [*arms, "fresh"]])
    for_pima = [row(arm, score="coverage", value=0.9) | {"dataset": "pima"} for arm in arms]
    measurements.append(path, for_pima)
    comparison.write_comparison(path, page)
    beside = page.read_text().split("Beside fresh real rows")[1].split("## Paired")[0]
    assert "heart 80/20. Mean" in beside
    lines = {line.split("|")[1].strip(): line for line in beside.splitlines() if "|" in line}
    assert "0.500" in lines["*fresh*"]
    assert "0.500" in lines["**reinforge**"]


def test_an_arm_with_fewer_splits_than_others_says_so(tmp_path):
    path, page = tmp_path / "tabular.csv", tmp_path / "tabular.md"
    for seed in (0, 1):
        arms = ["reinforge", "cart", "arf", *(["tvae"] if seed else [])]
        measurements.append(path, [row(arm, seed, "coverage") for arm in arms])
    comparison.write_comparison(path, page)
    together = page.read_text().split("## Paired")[0]
    assert "| tvae (splits: 1) |" in together
    assert "| cart |" in together
