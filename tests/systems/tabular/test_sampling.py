import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp
from small_tables import mixed_table, quick

from reinforge.data.tables import read_table
from reinforge.errors import InputError
from reinforge.synthesizers import TabularSynthesizer
from reinforge.systems.tabular.sampling import BLOCK_ROWS, CONDITION_ROWS

MANY = 60_000


@pytest.fixture(scope="module")
def paper():
    """The paper's heads: squashed amounts, independent flags."""
    settings = quick(n_steps=60, heads="minmax", initial_log_std=0.0)
    return TabularSynthesizer(seed=0, **settings).fit(mixed_table())


@pytest.fixture(scope="module")
def many(learnt):
    """A sample that is large enough to be filtered."""
    return learnt.sample(MANY, seed=5)


@pytest.mark.parametrize("kwargs", [{}, {"where": {"group": "b"}}, {"balance": "stage"}])
@pytest.mark.parametrize("n", [1, 7, 400])
def test_a_longer_sample_starts_with_the_shorter_one(sketched, n, kwargs):
    longer = sketched.sample(900, seed=3, **kwargs)
    pd.testing.assert_frame_equal(sketched.sample(n, seed=3, **kwargs), longer.head(n))


def test_a_longer_sample_starts_with_the_shorter_one_across_blocks(learnt):
    longer = learnt.sample(BLOCK_ROWS + 10)
    for n in (BLOCK_ROWS - 1, BLOCK_ROWS, BLOCK_ROWS + 1):
        pd.testing.assert_frame_equal(learnt.sample(n), longer.head(n))
    longer = learnt.sample(2 * CONDITION_ROWS + 5, where={"first": True})
    shorter = learnt.sample(CONDITION_ROWS + 1, where={"first": True})
    pd.testing.assert_frame_equal(shorter, longer.head(CONDITION_ROWS + 1))
    balanced = learnt.sample(2 * CONDITION_ROWS + 7, balance="first")
    shorter = learnt.sample(2 * CONDITION_ROWS + 1, balance="first")
    pd.testing.assert_frame_equal(shorter, balanced.head(2 * CONDITION_ROWS + 1))


def test_other_seeds_give_other_rows_and_blocks_do_not_repeat(learnt):
    rows = learnt.sample(2 * BLOCK_ROWS)
    assert not rows.head(100).equals(learnt.sample(100, seed=1))
    again = rows.iloc[BLOCK_ROWS:].reset_index(drop=True)
    assert not rows.head(100).equals(again.head(100))


def test_blocks_do_not_share_their_places_inside_bins():
    frame = pd.DataFrame({"x": np.random.default_rng(0).normal(size=100)})
    model = TabularSynthesizer(**quick(heads="bins", n_bins=2)).fit(frame)
    values = model.sample(2 * BLOCK_ROWS)["x"].to_numpy()
    assert (values[:BLOCK_ROWS] == values[BLOCK_ROWS:]).mean() < 0.01


def test_no_rows_are_an_empty_frame_in_the_tables_dtypes(sketched):
    for kwargs in ({}, {"where": {"group": "a"}}, {"balance": "group"}):
        empty = sketched.sample(0, **kwargs)
        assert len(empty) == 0
        pd.testing.assert_series_equal(empty.dtypes, sketched.sample(3).dtypes)


def test_fewer_than_no_rows_are_refused(sketched):
    with pytest.raises(InputError, match="n must be 0 or more, got -1"):
        sketched.sample(-1)


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_rows_streamed_to_a_file_are_the_rows_of_sample(sketched, tmp_path, suffix):
    path, seen = tmp_path / f"rows.{suffix}", []
    sketched.sample_to(path, 50, seed=2, on_rows=seen.append)
    expected = sketched.sample(50, seed=2)
    assert seen == [50]
    if suffix == "parquet":
        written = pd.read_parquet(path)
        written["note"] = written["note"].where(written["note"].notna(), np.nan)  # None in a file
        pd.testing.assert_frame_equal(written, expected)
    else:
        assert len(read_table(path)) == 50
        np.testing.assert_array_equal(pd.read_csv(path)["age"], expected["age"])


def test_an_impossible_condition_leaves_no_file(sketched, tmp_path):
    with pytest.raises(InputError):
        sketched.sample_to(tmp_path / "rows.parquet", 5, where={"group": "z"})
    assert list(tmp_path.iterdir()) == []


CONDITIONS = {
    "level": ({"group": "b"}, lambda t: t["group"] == "b"),
    "levels": ({"group": ["a", "c"]}, lambda t: t["group"].isin(["a", "c"])),
    "boolean": ({"yes": True}, lambda t: t["yes"]),
    "order": (["stage>=II"], lambda t: t["stage"] >= "II"),
    "smooth": (["smooth>55"], lambda t: t["smooth"] > 55),
    "strict": (["age>40", "age<60"], lambda t: (t["age"] > 40) & (t["age"] < 60)),
    "half": (["age>=40.5"], lambda t: t["age"] >= 41),
    "one number": (["count=3"], lambda t: t["count"] == 3),
    "zero": (["spiky=0"], lambda t: t["spiky"] == 0),
    "not zero": (["spiky>0"], lambda t: t["spiky"] > 0),
    "gaps": (["gaps<45"], lambda t: t["gaps"] < 45),
    "day": (["day<2020-03-01"], lambda t: t["day"] < "2020-03-01"),
    "later": (["day>2020-08-01"], lambda t: t["day"] > "2020-08-01"),
    "several": (
        ["group=a", "yes=true", "age>=50", "stage!=II"],
        lambda t: (t["group"] == "a") & t["yes"] & (t["age"] >= 50) & (t["stage"] != "II"),
    ),
}
conditions = pytest.mark.parametrize(("where", "holds"), CONDITIONS.values(), ids=CONDITIONS.keys())


@pytest.mark.parametrize("heads", ["auto", "minmax"])
@conditions
def test_every_row_meets_the_condition_and_the_count_is_exact(sketched, paper, heads, where, holds):
    rows = (sketched if heads == "auto" else paper).sample(137, where=where)
    assert len(rows) == 137
    assert holds(rows).all()


@pytest.mark.parametrize("balance", ["group", "stage", "yes", "note"])
def test_balanced_levels_take_turns(sketched, balance):
    counts = sketched.sample(100, balance=balance)[balance].value_counts()
    assert len(counts) == {"group": 3, "stage": 3, "yes": 2, "note": 2}[balance]
    assert counts.max() - counts.min() <= 1
    assert counts.sum() == 100


def test_balance_and_conditions_hold_together(sketched):
    rows = sketched.sample(60, balance="group", where=["age>50", "yes=true"])
    assert (rows["age"] > 50).all()
    assert rows["yes"].all()
    assert set(rows["group"].value_counts()) == {20}


def test_a_condition_on_the_balanced_column_is_obeyed(sketched):
    rows = sketched.sample(60, balance="group", where={"group": ["a", "c"]})
    assert rows["group"].value_counts().to_dict() == {"a": 30, "c": 30}


def test_balanced_levels_do_not_share_their_random_numbers(sketched):
    rows = sketched.sample(2000, balance="yes")
    by_turn = [rows["smooth"].to_numpy()[turn::2] for turn in (0, 1)]
    assert abs(np.corrcoef(by_turn)[0, 1]) < 0.15


@pytest.mark.parametrize(
    ("balance", "message"),
    [("age", "'age' is integer; name a column with levels"), ("nope", "no column 'nope'")],
)
def test_only_columns_with_levels_can_be_balanced(sketched, balance, message):
    with pytest.raises(InputError, match=message):
        sketched.sample(10, balance=balance)


@pytest.mark.parametrize("where", [["age>500"], ["smooth<-1e6"], ["day>2100-01-01"]])
def test_a_condition_beyond_what_was_learnt_is_refused_with_the_range(sketched, where):
    with pytest.raises(InputError, match=r"hold nothing between .*they reach from about"):
        sketched.sample(10, where=where)


def test_conditions_that_cannot_meet_in_one_row_are_refused_instead_of_searched_for():
    frame = pd.DataFrame({"low": np.arange(200) < 100, "x": np.arange(200.0) + 0.25})
    settings = quick(n_steps=1, deviation="fixed", initial_log_std=-7.0)
    model = TabularSynthesizer(**settings).fit(frame)
    with pytest.raises(InputError, match="together are next to impossible"):
        model.sample(5, where=["x<3", "low=true"])


def test_a_rare_condition_still_gives_varied_rows(learnt, many):
    where = ["number>3.4", "first=true", "second=false"]
    share = ((many["number"] > 3.4) & many["first"] & ~many["second"]).mean()
    assert share < 0.02
    rows = learnt.sample(200, where=where)
    assert len(rows) == 200
    assert rows["number"].nunique() > 100


FILTERS = {
    "a level": ({"first": True}, lambda t: t["first"]),
    "two levels": ({"first": True, "second": False}, lambda t: t["first"] & ~t["second"]),
    "a number": (["number>0"], lambda t: t["number"] > 0),
    "a slice": (["number>=2.5", "number<3.5"], lambda t: t["number"].between(2.5, 3.5)),
    "both": (["number<-3", "second=true"], lambda t: (t["number"] < -3) & t["second"]),
}


@pytest.mark.parametrize(("where", "holds"), FILTERS.values(), ids=FILTERS.keys())
def test_conditional_rows_are_distributed_like_filtered_ones(learnt, many, where, holds):
    filtered = many[holds(many)]
    drawn = learnt.sample(8000, seed=6, where=where)
    assert len(filtered) > 1000
    for name in ("first", "second"):
        error = np.sqrt(0.25 / len(filtered) + 0.25 / 8000)
        assert drawn[name].mean() == pytest.approx(filtered[name].mean(), abs=5 * error)
    assert ks_2samp(drawn["number"], filtered["number"]).statistic < 0.05


def test_missing_values_come_back_about_as_often_as_they_were_and_as_what_they_were(sketched):
    rows = sketched.sample(2000)
    for name in ("gaps", "note"):
        share = mixed_table()[name].isna().mean()
        assert rows[name].isna().mean() == pytest.approx(share, abs=0.25)
        assert rows[name].isna().any()
    assert not rows.drop(columns=["gaps", "note"]).isna().any().any()
    assert set(rows["note"].dropna()) == {"x", "y"}


def test_a_condition_on_a_column_with_gaps_leaves_no_gap(sketched):
    rows = sketched.sample(500, where={"note": "y"})
    assert (rows["note"] == "y").all()
    assert not sketched.sample(500, where=["gaps>0"])["gaps"].isna().any()
