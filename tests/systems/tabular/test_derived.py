"""Columns that others decide: found when they are, and true in every row that is drawn."""

import json

import numpy as np
import pandas as pd
import pytest
from small_tables import laid_out, quick

from reinforge.errors import InputError
from reinforge.synthesizers import TabularSynthesizer
from reinforge.systems.tabular.heads import Layout

YEARS = {"school": 10, "college": 14, "doctorate": 20}


def table(n_rows=200, seed=0):
    """`years` follows `education`, `group` follows `age`, `taken` whether `dose` is there."""
    numbers = np.random.default_rng(seed)
    education = numbers.choice(list(YEARS), n_rows)
    age = numbers.integers(18, 90, n_rows)
    dose = np.where(numbers.random(n_rows) < 0.3, np.nan, numbers.normal(5.0, 1.0, n_rows))
    return pd.DataFrame(
        {
            "education": education,
            "years": [YEARS[level] for level in education],
            "age": age,
            "group": np.select([age < 25, age <= 45], ["young", "middle"], "old"),
            "taken": np.where(np.isnan(dose), "no", "yes"),
            "dose": dose,
            "free": numbers.choice(["a", "b"], n_rows),
        }
    )


def follows(rows):
    """Whether each row keeps all three relations."""
    years = rows["education"].map(YEARS) == rows["years"]
    group = np.select([rows["age"] < 25, rows["age"] <= 45], ["young", "middle"], "old")
    taken = np.where(rows["dose"].isna(), "no", "yes")
    return years & (rows["group"] == group) & (rows["taken"] == taken)


def decided(frame, **choice):
    """Column -> the column that decides it."""
    schema, _, layout = laid_out(frame, **choice)
    names = [column.name for column in schema.modelled]
    return {names[each.column]: names[each.source] for each in layout.derived}


@pytest.fixture(scope="module")
def model():
    """Hardly learnt: what must hold for any weights."""
    return TabularSynthesizer(seed=0, **quick(n_steps=2)).fit(table())


def test_a_decided_column_is_found_with_the_column_that_decides_it():
    expected = {"years": "education", "group": "age", "taken": "dose"}
    assert decided(table()) == expected


def test_of_two_columns_that_decide_each_other_the_later_one_is_derived():
    frame = table()
    twin = frame.assign(twin=frame["free"].map({"a": "x", "b": "y"}))
    assert decided(twin)["twin"] == "free"
    assert "free" not in decided(twin)


@pytest.mark.parametrize(("column", "wrong"), [("years", 10), ("group", "old"), ("taken", "no")])
def test_one_row_that_breaks_the_relation_ends_it(column, wrong):
    frame = table()
    row = int(np.flatnonzero(frame[column].to_numpy() != wrong)[0])
    frame.loc[row, column] = wrong
    assert column not in decided(frame)


def test_a_level_with_too_few_rows_behind_it_decides_nothing():
    frame = table()
    few = frame.groupby("education").head(9)  # 27 rows
    assert decided(few, min_rows=5)["years"] == "education"
    assert "years" not in decided(few, min_rows=10)


def test_a_piece_of_an_amount_with_too_few_rows_behind_it_decides_nothing():
    frame = table()
    alone = frame.assign(group=np.where(frame["age"] > frame["age"].nlargest(4).min(), "x", "y"))
    assert "group" not in decided(alone)


def test_the_paper_draws_every_column():
    assert decided(table(), look_up=False) == {}


def test_every_drawn_row_keeps_the_relations(model):
    rows = model.sample(3000, seed=1)
    assert follows(rows).all()
    assert set(rows["group"]) == {"young", "middle", "old"}
    assert rows["dose"].isna().any()


def test_saved_and_loaded_the_relations_are_the_same(model, tmp_path):
    model.save(tmp_path)
    again = TabularSynthesizer.load(tmp_path)
    pd.testing.assert_frame_equal(again.sample(50, seed=3), model.sample(50, seed=3))


def test_a_layout_with_derived_columns_survives_json():
    schema, coded, layout = laid_out(table())
    again = Layout.from_dict(json.loads(json.dumps(layout.to_dict(), allow_nan=False)), schema)
    for mine, theirs in zip(layout.derived, again.derived, strict=True):
        source = coded.iloc[:, mine.source].to_numpy(float)
        np.testing.assert_array_equal(mine.of(source), theirs.of(source))


CONDITIONS = {
    "level": (["years=14"], lambda t: t["education"] == "college"),
    "order": (["years>=14"], lambda t: t["education"] != "school"),
    "piece": (["group=middle"], lambda t: t["age"].between(25, 45)),
    "two pieces": (["group!=old"], lambda t: t["age"] <= 45),
    "first piece": ({"group": "young"}, lambda t: t["age"] < 25),
    "with its source": (["group=middle", "age>40"], lambda t: t["age"].between(41, 45)),
    "missing": (["taken=no"], lambda t: t["dose"].isna()),
    "there": (["taken=yes"], lambda t: t["dose"].notna()),
    "there and small": (["taken=yes", "dose<5"], lambda t: t["dose"] < 5),
    "either": ({"taken": ["yes", "no"]}, lambda t: t["taken"].notna()),
}


@pytest.mark.parametrize(("where", "holds"), CONDITIONS.values(), ids=[*CONDITIONS])
def test_conditions_on_a_derived_column_hold_and_so_do_the_relations(model, where, holds):
    rows = model.sample(90, seed=2, where=where)
    assert len(rows) == 90
    assert holds(rows).all()
    assert follows(rows).all()


@pytest.mark.parametrize("heads", ["bins", "minmax"])
def test_a_missing_source_is_drawn_on_demand_whatever_its_heads(heads):
    model = TabularSynthesizer(seed=0, heads=heads, **quick(n_steps=2)).fit(table())
    rows = model.sample(40, where=["taken=no"])
    assert rows["dose"].isna().all()
    assert follows(rows).all()


def test_a_derived_column_can_be_balanced(model):
    rows = model.sample(90, balance="group")
    assert set(rows["group"].value_counts()) == {30}
    assert follows(rows).all()


def test_stretches_that_do_not_touch_are_refused_with_the_way_out(model):
    with pytest.raises(InputError, match=r"'age' decides it.*one of them at a time"):
        model.sample(5, where={"group": ["young", "old"]})


@pytest.mark.parametrize("where", [["years=14", "education=school"], ["taken=no", "dose>3"]])
def test_a_derived_condition_that_excludes_its_sources_is_refused(model, where):
    with pytest.raises(InputError, match="exclude each other"):
        model.sample(5, where=where)


def test_amounts_with_decimals_are_rounded_before_they_decide():
    numbers = np.random.default_rng(0)
    level = np.round(numbers.normal(7.0, 2.0, 300), 1)
    frame = pd.DataFrame({"level": level, "high": np.where(level > 7.0, "yes", "no")})
    frame["other"] = numbers.choice(["a", "b"], 300)
    rows = TabularSynthesizer(seed=0, **quick(n_steps=2)).fit(frame).sample(4000)
    assert ((rows["level"] > 7.0) == (rows["high"] == "yes")).all()
    assert rows["level"].round(1).equals(rows["level"])


def test_the_heads_of_a_column_are_its_own_or_those_of_what_decides_it():
    schema, _, layout = laid_out(table())
    heads = [*layout.gaussian, *layout.discrete]
    names = [column.name for column in schema.modelled]
    written = {name: {heads[i].role for i in layout.heads_of(name)} for name in names}
    assert written["dose"] == written["taken"] == {"score", "present"}
    assert written["free"] == {"levels"}
    assert layout.heads_of("years") == layout.heads_of("education")
