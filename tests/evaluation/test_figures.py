"""Figures: how the edges of bins are written."""

import numpy as np
import pandas as pd
import pytest

from reinforge import evaluate, split_table
from reinforge.evaluation.figures import _edge_text
from reinforge.schema import Column


def seconds(text):
    return float(np.datetime64(text, "s").astype("int64"))


@pytest.mark.parametrize(
    ("edge", "fields", "text"),
    [
        (14.9, {"kind": "integer"}, "15"),
        (15.0, {"kind": "integer"}, "15"),
        (-3.2, {"kind": "integer"}, "-3"),
        (80331.0, {"kind": "integer"}, "80331"),
        (2.5e8, {"kind": "integer"}, "2.5e+08"),
        (20.18, {"kind": "continuous", "decimals": 1}, "20.2"),
        (0.1 + 0.2, {"kind": "continuous", "decimals": 1}, "0.3"),
        (20.18, {"kind": "continuous"}, "20.18"),
        (
            seconds("2023-02-17T16:48"),
            {"kind": "datetime", "datetime_format": "%Y-%m-%d"},
            "2023-02-18",
        ),
        (seconds("2023-02-17"), {"kind": "datetime", "datetime_format": "%Y-%m-%d"}, "2023-02-17"),
        (seconds("2023-02-17T16:48"), {"kind": "datetime"}, "2023-02-17 16:48:00"),
    ],
)
def test_an_edge_is_a_value_that_the_column_can_hold(edge, fields, text):
    assert _edge_text(edge, Column(name="x", dtype="float64", **fields)) == text


def test_a_label_says_which_rows_its_bin_counts():
    age = np.random.default_rng(0).integers(20, 80, 400)
    split = split_table(pd.DataFrame({"age": age, "sex": np.where(age % 2, "F", "M")}), seed=0)
    figures = evaluate(split, split.train, level="quick", seed=0).figures
    marginal = next(m for m in figures["marginals"] if m["column"] == "age")
    below = float(marginal["labels"][0].removeprefix("< "))
    assert marginal["train"][0] == pytest.approx((split.train["age"] < below).mean(), abs=1e-6)
