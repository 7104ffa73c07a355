"""The page of the five arms: whose differences it shows, and over which seeds."""

import pandas as pd
import pytest

pytest.importorskip("diffusers")

import identity
import measurements


def rows(arm, values, score="map"):
    return [
        dict(zip(measurements.FIELDS, ("orl", "2 people", arm, seed, score, value), strict=True))
        for seed, value in values.items()
    ]


def test_every_generated_arm_is_shown_beside_those_before_it():
    asked = [(arm, base) for arm in identity.ARMS for base in identity.ARMS]
    shown = [pair for pair in asked if identity.is_asked(*pair)]
    assert ("cold_start", "real") in shown
    assert ("selected", "cold_start") in shown
    assert ("cold_start", "selected") not in shown
    assert not [arm for arm, _ in shown if arm in ("real", "random_erasing")]


def test_an_ablation_changes_an_arm_in_whose_pictures_it_sees():
    for name, arm in identity.ABLATIONS.items():
        whole = identity.ARMS[identity.based_on(name)]
        assert arm.kind == whole.kind
        assert (arm.has_newcomers, arm.mixing.of) in ((False, "newcomers"), (True, "both"))


def test_differences_are_of_the_seeds_that_both_arms_have(tmp_path):
    file = tmp_path / "identity.csv"
    measured = rows("real", {0: 0.5, 1: 0.6, 2: 0.1}) + rows("selected", {0: 0.7, 1: 0.8})
    for score in identity.SCORES:
        measurements.append(file, [{**row, "score": score} for row in measured])
    table = measurements.read(file).pivot_table(
        index=["arm", "seed"], columns="score", values="value"
    )
    shown = identity.differences(table, [("selected", "real"), ("selected", "cold_start")])
    assert "selected - real (2) | **+0.200 ± 0.000**" in shown
    assert "cold_start" not in shown


def test_the_page_holds_arms_without_pictures_that_were_judged(tmp_path):
    file = tmp_path / "identity.csv"
    scores = (*identity.SCORES, "cpu_seconds")
    for score in scores:
        measurements.append(file, rows("real", {0: 0.5}, score) + rows("selected", {0: 0.7}, score))
    page = identity.page(file)
    assert "## 2 people" in page
    assert "| selected (1) | 0.700 |" in page
    assert "what they leak" not in page


def test_no_arm_is_measured_twice_under_one_name():
    assert not set(identity.ARMS) & set(identity.ABLATIONS)
    assert pd.Index([*identity.ARMS, *identity.ABLATIONS, *identity.PICTURES]).is_unique
