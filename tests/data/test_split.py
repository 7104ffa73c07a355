"""Splits: nobody on both sides, every class on each, and the same seed gives the same rows."""

import numpy as np
import pandas as pd
import pytest

from reinforge.data.embedded import breast_cancer
from reinforge.data.infer import infer_schema
from reinforge.data.split import same_columns, split_from_tables, split_table
from reinforge.errors import InputError


def _table(n: int = 100) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame({
        "x": rng.normal(size=n), "site": rng.choice(["a", "b"], n),
        "outcome": np.where(np.arange(n) % 10 == 0, "ill", "well"),
    })  # fmt: skip


def test_each_class_is_parted_by_the_same_share():
    split = split_table(_table(), target="outcome", holdout=0.3)
    assert split.holdout["outcome"].value_counts().to_dict() == {"well": 27, "ill": 3}
    assert split.train["outcome"].value_counts().to_dict() == {"well": 63, "ill": 7}


def test_every_row_is_on_one_side():
    table = _table().assign(row=np.arange(100) * 1.5)
    split = split_table(table, target="outcome")
    both = sorted([*split.train["row"], *split.holdout["row"]])
    assert both == table["row"].tolist()
    assert (len(split.train), len(split.holdout)) == (80, 20)


def test_a_rare_class_has_a_row_on_each_side():
    table = _table()
    table.loc[[3, 4], "outcome"] = "rare"
    split = split_table(table, target="outcome", holdout=0.1)
    assert (split.holdout["outcome"] == "rare").sum() == 1
    assert (split.train["outcome"] == "rare").sum() == 1


def test_the_seed_decides_the_rows_and_nothing_else_does():
    np.random.default_rng(5).normal()
    first, again = split_table(_table(), seed=1), split_table(_table(), seed=1)
    other = split_table(_table(), seed=2)
    pd.testing.assert_frame_equal(first.holdout, again.holdout)
    assert not first.holdout.equals(other.holdout)


def test_nobody_has_rows_on_both_sides():
    table = _table(200).assign(patient_id=np.repeat(np.arange(40), 5))
    split = split_table(table, target="outcome", person="patient_id", holdout=0.25)
    assert not set(split.train["patient_id"]) & set(split.holdout["patient_id"])
    assert split.holdout["patient_id"].nunique() == 10
    assert split.schema["patient_id"].kind == "identifier"


def test_people_with_several_rows_are_pointed_out():
    table = _table().assign(patient_id=np.arange(100) // 2)
    with pytest.warns(
        UserWarning, match=r"'patient_id' names 50 in 100 rows; .*person='patient_id'"
    ):
        split_table(table)


def test_a_target_of_few_whole_numbers_is_a_class_unless_it_is_declared_an_amount():
    table = _table().assign(grade=np.arange(100) % 4 + 1)
    assert split_table(table, target="grade").schema["grade"].kind == "categorical"
    amount = split_table(table, target="grade", schema={"grade": {"kind": "integer"}})
    assert amount.schema["grade"].kind == "integer"
    assert split_table(table).schema["grade"].kind == "integer"


def test_the_schema_covers_both_sides():
    table = _table()
    table.loc[0, "site"] = "only here"
    split = split_table(table, schema=None)
    assert split.schema["site"].categories == ("a", "b", "only here")
    assert split.schema == infer_schema(table)


def _with(change):
    table = _table()
    change(table)
    return table


BAD = [
    (_table(), {"target": "outcom"}, r"'outcom' is not in the table; did you mean 'outcome'"),
    (_table(), {"sensitive": ["sit"]}, r"'sit' is not in the table; did you mean 'site'"),
    (_table(), {"sensitive": "site"}, r"takes a list of columns, got 'site'; use \['site'\]"),
    (_table(), {"person": "who"}, "person column 'who' is not in the table"),
    (_table(10), {}, "the table has 10 rows; a split into train and holdout needs at least 20"),
    (_table(1), {}, "the table has 1 rows"),
    (_table(), {"holdout": 0.0}, r"holdout is a share in \(0, 1\), got 0.0; 0.2 is usual"),
    (_table(), {"holdout": 1.5}, r"holdout is a share in \(0, 1\), got 1.5"),
    (_table(), {"holdout": 0.01}, "holdout=0.01 leaves 99 rows to train and 1 to judge"),
    (_table().assign(y=1), {"target": "y"}, "target 'y' has one class only"),
    (_table().assign(y=np.nan), {"target": "y"}, "target 'y' is missing in 100 rows; drop"),
    (_table().assign(y=["a", None] * 50), {"target": "y"}, "target 'y' is missing in 50 rows"),
    (_table().assign(y=["a"] * 99 + ["b"]), {"target": "y"}, "class 'b' of target 'y' has 1 row"),
    (_table().assign(y=range(100)), {"target": "y"}, "target 'y' is of kind identifier; choose"),
    (_table().assign(p=[1, None] * 50), {"person": "p"}, "person column 'p' is missing in 50 rows"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("table", "options", "message"), BAD, ids=[text[:40] for _, _, text in BAD]
)
def test_a_split_that_cannot_be_judged_is_refused(table, options, message):
    with pytest.raises(InputError, match=message):
        split_table(table, **options)


def test_two_given_tables_make_the_split_that_they_are():
    table = _table()
    train, holdout = table[:70].reset_index(drop=True), table[70:].reset_index(drop=True)
    split = split_from_tables(train, holdout[["outcome", "x", "site"]], target="outcome")
    pd.testing.assert_frame_equal(split.train, train)
    pd.testing.assert_frame_equal(split.holdout, holdout)
    assert split.schema == infer_schema(table)


def test_levels_of_the_holdout_alone_are_known_to_the_schema():
    train = pd.DataFrame({"c": pd.Categorical(["u", "v"] * 10), "x": np.arange(20) / 8})
    holdout = pd.DataFrame({"c": pd.Categorical(["u", "w"] * 5), "x": np.arange(10) / 3 + 50})
    assert split_from_tables(train, holdout).schema["c"].categories == ("u", "v", "w")


def test_a_holdout_that_is_the_train_table_is_said_loudly():
    with pytest.warns(UserWarning, match="ALL holdout rows also stand in train"):
        split_from_tables(_table(), _table())
    with pytest.warns(UserWarning, match="30 of 50 holdout rows also stand in train"):
        split_from_tables(_table()[:80], _table()[50:])


def test_a_person_on_both_given_sides_is_refused():
    table = _table().assign(who=np.arange(100) // 2)
    with pytest.raises(InputError, match="1 values of 'who' stand in train and in holdout"):
        split_from_tables(table[:51], table[51:], person="who")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="x"), "the holdout table lacks 'x'; give the same columns"),
        (lambda t: t.assign(z=1), "the holdout table has 'z' besides"),
        (lambda t: t.rename(columns={"x": "X"}), "lacks 'x'; has 'X' besides"),
        (lambda t: t.assign(x=["a", "b", "c", "d"] * 25), "holds text in 'x' where number is due"),
        (lambda t: t.assign(x=pd.Timestamp("2020")), "holds time in 'x' where number is due"),
    ],
)
def test_given_tables_with_other_columns_are_refused_with_all_differences(change, message):
    with pytest.raises(InputError, match=message):
        split_from_tables(_table(), change(_table()))


def test_another_order_or_number_dtype_is_no_difference():
    table = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    other = pd.DataFrame({"b": ["x", "y"], "a": [1.0, 2.0]})
    assert list(same_columns(other, table, what="synthetic").columns) == ["a", "b"]


def test_the_embedded_records_are_those_of_the_literature():
    frame = breast_cancer()
    assert frame.shape == (569, 31)
    assert frame["diagnosis"].value_counts().to_dict() == {"benign": 357, "malignant": 212}
    assert frame.groupby("diagnosis")["mean_radius"].mean().round(2).to_dict() == {
        "benign": 12.15,
        "malignant": 17.46,
    }


def test_identical_rows_can_be_split():
    table = pd.concat([_table(20)] * 3, ignore_index=True)
    split = split_table(table, target="outcome")
    assert len(split.train) + len(split.holdout) == 60
    with pytest.raises(InputError, match="the table has 0 rows"):
        split_table(table.iloc[:0])
