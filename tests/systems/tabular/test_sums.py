"""Columns that others add up to: found when they do, and true in every row that is drawn."""

import json

import numpy as np
import pandas as pd
import pytest
from small_tables import laid_out, quick

from reinforge.errors import InputError
from reinforge.synthesizers import TabularSynthesizer
from reinforge.systems.tabular.heads import Layout


def table(n_rows=300, seed=0):
    """`total` is `fees` + `fares`, `all` is `total` + `tips`; no other column is a sum."""
    numbers = np.random.default_rng(seed)
    fees, fares = numbers.lognormal(2, 1, n_rows).round(2), numbers.lognormal(3, 1, n_rows).round(2)
    tips = numbers.integers(0, 40, n_rows)
    return pd.DataFrame(
        {
            "all": (fees + fares).round(2) + tips,
            "fees": fees,
            "total": (fees + fares).round(2),
            "fares": fares,
            "tips": tips,
            "fees_twice": 2 * fees,
            "age": numbers.integers(18, 90, n_rows),
        }
    )


def sums(frame, **choice):
    """Sum -> its parts, by name."""
    schema, _, layout = laid_out(frame, **choice)
    names = [column.name for column in schema.modelled]
    return {
        names[each.column]: {names[i] for i in each.parts}
        for each in layout.sums
        if (each.factor, each.constant) == (1, 0)
    }


def test_sums_are_found_with_parts_that_are_no_sums_themselves():
    assert sums(table()) == {"total": {"fees", "fares"}, "all": {"fees", "fares", "tips"}}
    assert sums(table(), look_up=False) == {}


def test_one_row_that_does_not_add_up_leaves_the_column_to_be_drawn():
    frame = table()
    frame.loc[100, "total"] += 0.01
    assert sums(frame) == {"all": {"fees", "fares", "tips"}}
    frame = table().drop(columns="all")
    frame.loc[299, "total"] += 0.01  # past the rows that are looked at first
    assert sums(frame) == {}


def test_a_sum_is_missing_where_a_part_is():
    frame = table()
    frame.loc[::7, ["fees", "total", "all"]] = np.nan
    assert sums(frame)["total"] == {"fees", "fares"}
    frame.loc[3, "total"] = np.nan
    assert "total" not in sums(frame)


def test_a_number_that_is_0_in_all_early_rows_is_no_sum():
    frame = table(400).drop(columns=["all", "total", "fees_twice"])
    frame["refunds"] = np.where(np.arange(400) < 350, 0, frame["tips"] // 2)
    assert sums(frame) == {}


def test_few_rows_that_add_up_by_accident_are_not_believed():
    assert sums(table(40)) == {}


def test_what_decides_another_column_is_drawn_though_others_add_up_to_it():
    frame = table().drop(columns="all")
    frame["class"] = np.where(frame["total"] > 30, "dear", "cheap")
    schema, _, layout = laid_out(frame)
    assert sums(frame) == {}
    assert [schema.modelled[each.source].name for each in layout.derived] == ["total"]


@pytest.fixture(scope="module")
def model():
    """Hardly learnt: what must hold for any weights."""
    return TabularSynthesizer(seed=0, **quick(n_steps=2)).fit(table())


def assert_adds_up(rows):
    np.testing.assert_allclose(rows["total"], rows["fees"] + rows["fares"], rtol=0, atol=1e-6)
    np.testing.assert_allclose(rows["all"], rows["total"] + rows["tips"], rtol=0, atol=1e-6)


def test_every_drawn_row_adds_up_as_it_is_written(model, tmp_path):
    assert_adds_up(model.sample(500, seed=1))
    assert_adds_up(model.sample(200, seed=1, where=["tips>=20", "fees<8"]))
    model.sample_to(tmp_path / "rows.csv", 300, seed=2)
    assert_adds_up(pd.read_csv(tmp_path / "rows.csv"))


def test_sums_are_said_and_survive_saving(model, tmp_path):
    assert model.looked_up == {
        "all": "fees + fares + tips",
        "total": "fees + fares",
        "fees_twice": "fees x 2",
    }
    model.save(tmp_path)
    again = TabularSynthesizer.load(tmp_path)
    assert again.looked_up == model.looked_up
    pd.testing.assert_frame_equal(again.sample(50, seed=3), model.sample(50, seed=3))


def test_a_layout_of_an_earlier_version_has_no_sums():
    schema, _, layout = laid_out(table())
    content = json.loads(json.dumps(layout.to_dict()))
    assert Layout.from_dict(content, schema).sums == layout.sums
    del content["sums"]
    assert Layout.from_dict(content, schema).sums == ()


def test_a_condition_on_a_sum_is_refused_with_its_parts(model):
    with pytest.raises(InputError, match="'total': it is the sum of 'fees', 'fares'; ask for"):
        model.sample(10, where=["total>50"])


def test_the_heads_of_a_sum_are_those_of_its_parts():
    _, _, layout = laid_out(table())
    assert set(layout.heads_of("total")) == {*layout.heads_of("fees"), *layout.heads_of("fares")}
