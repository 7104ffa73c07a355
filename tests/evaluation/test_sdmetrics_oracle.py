import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reinforge.evaluation.identical import identical_scores
from reinforge.measure.dissimilarity import column_distance, shares, total_variation
from reinforge.schema import Column

ORACLE = json.loads(
    (Path(__file__).parents[1] / "oracles" / "sdmetrics.json").read_text(encoding="utf-8")
)
COLUMNS = (
    Column(name="sex", kind="categorical", dtype="str", categories=("F", "M")),
    Column(name="stage", kind="categorical", dtype="str", categories=("I", "II", "III")),
    Column(name="amount", kind="continuous", dtype="float64", missing=True),
)


def coded(name):
    given = ORACLE[name]
    table = pd.DataFrame(given["data"], columns=given["columns"])
    for column in COLUMNS[:2]:
        table[column.name] = table[column.name].map(column.categories.index)
    return table.astype(float)


@pytest.mark.parametrize("place", [0, 1])
def test_distance_of_levels_agrees_with_tv_complement(place):
    column = COLUMNS[place]
    real, made = (coded(name)[column.name].to_numpy() for name in ("real", "synthetic"))
    distance = column_distance(column, real, made, width=1.0)
    assert 1 - distance == pytest.approx(ORACLE["expected"][f"tv_{column.name}"])


def test_difference_of_missing_rates_agrees_with_missing_value_similarity():
    real, made = (coded(name)["amount"].isna().mean() for name in ("real", "synthetic"))
    assert 1 - abs(real - made) == pytest.approx(ORACLE["expected"]["missing_amount"])


def test_total_variation_of_pairs_agrees_with_contingency_similarity():
    pairs = []
    for name in ("real", "synthetic"):
        table = coded(name)
        pairs.append(shares((table["sex"] * 3 + table["stage"]).to_numpy(), 6))
    assert 1 - total_variation(*pairs) == pytest.approx(ORACLE["expected"]["contingency"])


def test_identical_share_agrees_with_new_row_synthesis(judged_of):
    real, made = coded("real"), coded("synthetic")
    judged = judged_of(COLUMNS, real.to_numpy(), real.to_numpy()[:1], made.to_numpy())
    score = identical_scores(judged)[0]
    assert 1 - score.value == pytest.approx(ORACLE["expected"]["new_rows"])
    assert np.isclose(score.value * len(made), round(score.value * len(made)))
