from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from reinforge.data.embedded import breast_cancer
from reinforge.data.split import split_table
from reinforge.errors import InputError
from reinforge.evaluation.self_test import self_test
from reinforge.records import Split


@pytest.fixture(scope="module")
def rows(people_of):
    split, shuffled = people_of
    return {row.leak: row for row in self_test(split, shuffled, seed=1)}


@pytest.fixture(scope="module")
def people_of(split, make_people):
    table = make_people(2_000, 9)
    rng = np.random.default_rng(4)
    shuffled = pd.DataFrame({name: rng.permutation(table[name]) for name in table.columns})
    larger = Split(
        train=make_people(1_600, 7),
        holdout=make_people(800, 8),
        schema=split.schema,
        target="ill",
        sensitive=("sex",),
    )
    return larger, shuffled


def test_every_planted_leak_is_noticed(rows):
    leaks = [row for row in rows.values() if row.is_leak]
    assert len(leaks) == 5
    assert [row.leak for row in leaks if not row.noticed_by] == []


def test_what_leaks_nothing_is_noticed_by_no_score(rows):
    assert rows["nothing leaked: fresh real rows"].noticed_by == ()
    assert rows["as given"].noticed_by == ()


def test_a_full_copy_is_noticed_by_most_scores(rows):
    everybody = [label for label in rows["all train rows copied"].noticed_by if "(" not in label]
    assert len(everybody) >= 7


def test_a_shifted_column_does_not_hide_a_copy(rows):
    assert "identical_share (worst columns)" in rows["full copy, one column shifted"].noticed_by


def test_the_rarest_people_are_noticed_where_outliers_are_looked_at(rows):
    assert any("outliers" in label for label in rows["the 20 rarest people copied"].noticed_by)


def test_a_small_holdout_is_refused(split, fresh):
    with pytest.raises(InputError, match="at least 40"):
        self_test(replace(split, holdout=split.holdout[:39]), fresh)


def test_fresh_rows_of_a_small_table_raise_no_alarm():
    split = split_table(breast_cancer(), target="diagnosis", holdout=0.25, seed=24)
    rng = np.random.default_rng(0)
    apart = pd.DataFrame({name: rng.permutation(split.train[name]) for name in split.train})
    rows = {row.leak: row for row in self_test(split, apart, seed=24)}
    assert rows["nothing leaked: fresh real rows"].noticed_by == ()
    assert "identical_share" in rows["1 % copied"].noticed_by
