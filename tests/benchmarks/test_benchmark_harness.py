"""Cells of benchmarks: each is split, fitted and drawn once, whatever is measured of it."""

import math
from dataclasses import replace

import pytest

import arms
import harness
import measurements
import rewards
import tables
from reinforge import split_table
from reinforge.data.embedded import breast_cancer


@pytest.fixture
def calls(monkeypatch):
    """What was split and drawn, by a generator that hands out the training rows."""
    noted = []
    columns = ["mean_radius", "mean_texture", "mean_area", "diagnosis"]

    def split(table, **given):
        noted.append("split")
        return split_table(breast_cancer()[columns], target="diagnosis", seed=given["seed"])

    def synthesise(arm, name, train, *, target, seed):
        noted.append("drawn")
        return train.copy(), {"fit_cpu_seconds": 1.5}

    monkeypatch.setattr(tables, "split", split)
    monkeypatch.setattr(arms, "synthesise", synthesise)
    return noted


def cell_of(tmp_path):
    arm = arms.Arm(what="copy", program_arm="reinforge", settings={}, is_ours=True)
    return harness.Cell(
        table="tumours", rows=None, name="rule 5", arm=arm, seed=3, level="quick", folder=tmp_path
    )


@pytest.mark.parametrize("measure", [harness.measure, rewards.measure])
def test_a_cell_is_split_and_drawn_once(calls, measure, tmp_path, monkeypatch):
    monkeypatch.setitem(rewards.RULES, "tumours", "mean_radius < mean_area")
    rows = measure(cell_of(tmp_path))
    assert calls == ["split", "drawn"]
    assert {tuple(row) for row in rows} == {measurements.FIELDS}
    value = {row["score"]: row["value"] for row in rows}
    assert (value["identical_share"], value["fit_cpu_seconds"]) == (1.0, 1.5)
    assert ("rule_broken" in value) == (measure is rewards.measure)
    assert value.get("rule_broken", 0.0) == 0.0


def test_rows_that_are_real_come_from_the_holdout_and_from_no_generator(tmp_path, monkeypatch):
    monkeypatch.setattr(arms, "synthesise", None)
    fresh = arms.ARMS["fresh"]
    cell = replace(cell_of(tmp_path), table="breast_cancer", rows=150, arm=fresh)
    value = {row["score"]: row["value"] for row in harness.measure(cell)}
    assert value["identical_share"] == 0.0
    assert value["s2r_auc"] > 0.8


def test_a_difference_is_bold_where_its_interval_leaves_out_nothing():
    assert measurements.signed([0.1, 0.11, 0.12]) == "**+0.110 ± 0.025**"
    assert measurements.signed([-0.1, 0.1, 0.0]).startswith("0.000 ± 0.248")
    assert measurements.signed([math.nan]) == measurements.NOTHING
