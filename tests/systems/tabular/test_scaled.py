"""Columns that are another one in other words: found when they are, and so in every drawn row."""

import numpy as np
import pandas as pd
import pytest
from small_tables import laid_out, quick

from reinforge.errors import InputError
from reinforge.synthesizers import TabularSynthesizer


def table(n_rows=400, seed=0):
    numbers = np.random.default_rng(seed)
    kilos = numbers.normal(75, 12, n_rows).round(1)
    months = numbers.integers(240, 1100, n_rows)
    fees, fares = numbers.lognormal(2, 1, n_rows).round(2), numbers.lognormal(3, 1, n_rows).round(2)
    return pd.DataFrame(
        {
            "years": months // 12,
            "kilos": kilos,
            "months": months,
            "pounds": (kilos * 2.20462).round(1),
            "kilos_again": kilos,
            "fahrenheit": (numbers.normal(37, 0.5, n_rows) * 1.8 + 32).round(1),
            "fees": fees,
            "fares": fares,
            "total": (fees + fares).round(2),
            "total_in_cents": ((fees + fares) * 100).round(),
        }
    )


def found(frame):
    """Column -> where it comes from, the factor and the constant, of those that are scaled."""
    schema, _, layout = laid_out(frame)
    names = [column.name for column in schema.modelled]
    return {
        names[each.column]: ({names[i] for i in each.parts}, each.factor, each.constant)
        for each in layout.sums
    }


def test_copies_units_and_whole_years_are_found_with_their_line():
    lines = found(table())
    assert lines["kilos_again"] == ({"kilos"}, 1, 0)
    assert lines["pounds"][0] == {"kilos"}
    assert lines["pounds"][1:] == pytest.approx((2.20462, 0), abs=1e-4)
    assert lines["years"][0] == {"months"}
    assert lines["years"][1] == pytest.approx(1 / 12, abs=1e-3)
    assert lines["total_in_cents"] == ({"fees", "fares"}, 100, 0)
    assert set(lines) == {"kilos_again", "pounds", "years", "total", "total_in_cents"}


def test_a_constant_that_is_none_of_the_grid_is_kept():
    frame = table()
    frame["celsius"] = ((frame["fahrenheit"] - 32) / 1.8).round(4)
    source, factor, constant = found(frame)["celsius"]
    assert (source, factor) == ({"fahrenheit"}, pytest.approx(1 / 1.8, abs=1e-3))
    assert constant == pytest.approx(-32 / 1.8, abs=0.1)


def test_what_differs_in_one_row_or_has_other_gaps_is_drawn():
    frame = table()
    frame.loc[399, "kilos_again"] += 1
    frame.loc[5, "pounds"] = np.nan
    assert not {"kilos_again", "pounds"} & set(found(frame))


def test_columns_that_begin_with_gaps_alone_are_drawn():
    frame = table()
    frame.loc[:299, ["kilos", "pounds", "kilos_again"]] = np.nan
    assert not {"kilos_again", "pounds"} & set(found(frame))


def test_an_age_that_follows_a_year_of_birth_but_for_a_birthday_is_drawn():
    numbers = np.random.default_rng(0)
    born = numbers.integers(1930, 2005, 40_000)
    frame = pd.DataFrame({"born": born, "age": 2024 - born - numbers.integers(0, 2, 40_000)})
    assert found(frame) == {}


def test_drawn_rows_keep_the_line_as_it_is_written(tmp_path):
    model = TabularSynthesizer(seed=0, **quick(n_steps=2)).fit(table())
    assert model.looked_up["kilos_again"] == "kilos"
    assert model.looked_up["pounds"] == "kilos x 2.205"
    assert model.looked_up["total_in_cents"] == "(fees + fares) x 100"
    model.save(tmp_path)
    rows = TabularSynthesizer.load(tmp_path).sample(300, seed=1, where=["kilos>=80"])
    assert rows["kilos_again"].equals(rows["kilos"])
    assert np.abs(rows["pounds"] - rows["kilos"] * 2.20462).max() <= 0.06
    assert np.abs(rows["years"] - rows["months"] / 12 + 0.5).max() <= 0.6
    np.testing.assert_allclose(rows["total_in_cents"], rows["total"] * 100, rtol=0, atol=1e-6)
    with pytest.raises(InputError, match=r"'pounds': it is 'kilos' x 2\.205; ask for"):
        model.sample(10, where=["pounds>150"])
