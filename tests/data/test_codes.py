import numpy as np
import pandas as pd

from reinforge.data.codes import codes_like
from reinforge.data.split import split_from_tables
from reinforge.evaluation.scorecard import evaluate

CODES = pd.DataFrame({"code": ["01067", "10115", None], "age": [1, 2, 3]})


def test_digits_get_the_zeros_of_the_other_table():
    frame = pd.DataFrame({"age": [1.0], "code": [1067.0], "more": [0]}, index=[7])
    same = codes_like(frame, CODES)
    assert same["code"].tolist() == ["01067"]
    assert list(same.columns) == ["age", "code", "more"]
    gap = codes_like(pd.DataFrame({"code": [10115, np.nan]}), CODES)["code"]
    assert gap[0] == "10115"
    assert gap.isna().tolist() == [False, True]


def test_codes_become_numbers_where_the_other_table_holds_numbers():
    like = pd.DataFrame({"code": [10115, 80331]})
    assert codes_like(CODES, like)["code"].tolist()[:2] == [1067, 10115]


def test_what_is_no_code_stays_as_it_is():
    for values in ([1.5, 2.0], [-1, 2], [123456, 2], ["x", "y"]):
        frame = pd.DataFrame({"code": values})
        assert codes_like(frame, CODES)["code"].tolist() == values
    words = pd.DataFrame({"code": ["a", "b"]})
    assert codes_like(pd.DataFrame({"code": [1, 2]}), words)["code"].tolist() == [1, 2]


def test_tables_that_were_read_apart_are_judged_together():
    rng = np.random.default_rng(0)

    def rows(codes):
        return pd.DataFrame({"code": rng.choice(codes, 60), "age": rng.normal(50, 9, 60)})

    split = split_from_tables(rows(["01067", "10115", "80331"]), rows([10115, 80331]))
    assert split.schema["code"].categories == ("01067", "10115", "80331")
    card = evaluate(split, rows([10115, 80331]), level="quick", seed=0)
    assert 0 < card["column_distance"].value < 0.5
