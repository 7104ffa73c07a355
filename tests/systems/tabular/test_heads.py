import json

import numpy as np
import pandas as pd
import pytest
from small_tables import laid_out, mixed_table

from reinforge.errors import InputError
from reinforge.randomness import generator
from reinforge.schema import Column, Schema
from reinforge.systems.tabular.choose import choose_heads
from reinforge.systems.tabular.heads import Actions, Layout

CHOICES = pytest.mark.parametrize("choice", ["auto", "gaussian", "bins", "minmax"])


def heads_of(layout, name):
    """Roles of the heads that write a column."""
    place = [column.name for column in layout.schema.modelled].index(name)
    return [head.role for head in layout.heads if head.column == place]


def round_trip(layout, coded, seed=0):
    """What comes back of rows that are encoded and decoded."""
    actions = layout.encode(coded, generator(seed, "test/encode"))
    return layout.decode(actions, generator(seed, "test/decode"))


def frequent(column):
    """Values that enough rows share to be kept exactly."""
    counts = column.value_counts()
    return set(counts[counts >= 5].index)


def test_the_head_follows_the_shape_of_the_column():
    frame = mixed_table(400)
    nearly_zero = np.where(np.arange(400) % 80, 0.0, frame["smooth"])
    _, _, layout = laid_out(frame.assign(nearly_zero=nearly_zero, three=frame["count"] // 2))
    assert heads_of(layout, "smooth") == ["score"]
    assert heads_of(layout, "nearly_zero") == ["bins"]  # 98.75 % zeros
    assert heads_of(layout, "three") == ["bins"]  # each of three numbers a level
    assert heads_of(layout, "age") == ["score"]
    assert heads_of(layout, "gaps") == ["score", "present"]
    assert heads_of(layout, "group") == ["levels"]
    assert heads_of(layout, "yes") == ["levels"]


def test_few_frequent_numbers_become_levels_of_their_own():
    frame = pd.DataFrame({"dose": np.repeat([0.0, 2.5, 10.0], [50, 30, 20])})
    _, coded, layout = laid_out(frame, max_levels=10)
    (head,) = layout.heads
    assert head.n_levels == 3
    pd.testing.assert_frame_equal(round_trip(layout, coded), coded)


def test_more_distinct_numbers_than_max_levels_share_bins():
    frame = pd.DataFrame({"age": np.repeat(np.arange(60.0), 6)})
    _, _, few = laid_out(frame, max_levels=60)
    _, _, many = laid_out(frame, choice="bins", max_levels=30, n_bins=10)
    assert few.heads[0].n_levels == 60
    assert many.heads[0].n_levels == 10


def test_a_heavy_value_keeps_a_bin_of_its_own():
    values = np.concatenate([np.zeros(300), np.random.default_rng(0).exponential(size=200)])
    _, _, layout = laid_out(pd.DataFrame({"dose": values}), choice="bins", n_bins=10)
    edges = layout.heads[0].edges
    assert edges[1] == pytest.approx(0.6)
    assert np.diff(edges)[1:].max() < 0.13


def test_bins_cover_all_rows_and_none_is_empty():
    for seed in range(5):
        values = np.random.default_rng(seed).lognormal(size=200).round(1)
        _, _, layout = laid_out(pd.DataFrame({"x": values}), choice="bins")
        edges = layout.heads[0].edges
        assert (edges[0], edges[-1]) == (0.0, 1.0)
        assert (np.diff(edges) > 0).all()


def test_the_papers_layout_has_squashed_amounts_and_independent_flags():
    _, _, layout = laid_out(mixed_table(), choice="minmax")
    assert heads_of(layout, "smooth") == ["minmax"]
    assert heads_of(layout, "count") == ["minmax"]
    assert heads_of(layout, "yes") == ["levels"]  # one Bernoulli
    assert heads_of(layout, "group") == ["flag"] * 3
    assert heads_of(layout, "gaps") == ["minmax", "present"]
    assert layout.is_squashed


def test_min_max_values_are_squashed_into_the_unit_interval():
    _, coded, layout = laid_out(
        pd.DataFrame({"x": np.repeat([0.0, 1.0, 4.0], 10)}), choice="minmax"
    )
    amount = layout.encode(coded, generator(0, "test")).amount[:, 0].astype(float)
    unit = (np.tanh(amount) + 1) / 2
    np.testing.assert_allclose(unit[[0, 10, 20]], [0.0, 0.25, 1.0], atol=2e-6)


@CHOICES
def test_levels_come_back_exactly(choice):
    _, coded, layout = laid_out(mixed_table(), choice=choice)
    back = round_trip(layout, coded)
    for name in ("yes", "group", "stage", "note"):
        pd.testing.assert_series_equal(back[name], coded[name])


@pytest.mark.parametrize("choice", ["auto", "gaussian"])
def test_frequent_numbers_come_back_exactly(choice):
    _, coded, layout = laid_out(mixed_table(), choice=choice)
    back = round_trip(layout, coded)
    for name in ("spiky", "count"):
        exact = coded[name].isin(frequent(coded[name]))
        assert exact.any()
        pd.testing.assert_series_equal(back[name][exact], coded[name][exact])


@CHOICES
def test_missing_values_stay_in_their_rows(choice):
    _, coded, layout = laid_out(mixed_table(), choice=choice)
    back = round_trip(layout, coded)
    assert back.isna().equals(coded.isna())
    assert coded["gaps"].isna().any()


@pytest.mark.parametrize(("choice", "off"), [("auto", 0.5), ("gaussian", 0.5), ("minmax", 0.01)])
def test_smooth_numbers_come_back_to_within_their_cell(choice, off):
    _, coded, layout = laid_out(mixed_table(), choice=choice)
    back = round_trip(layout, coded)
    inner = coded["smooth"].between(*coded["smooth"].quantile([0.1, 0.9]))
    assert (back["smooth"] - coded["smooth"])[inner].abs().max() < off


def test_binned_numbers_come_back_to_their_bin():
    _, coded, layout = laid_out(mixed_table(), choice="bins", n_bins=10)
    first = layout.encode(coded, generator(0, "test"))
    again = layout.encode(layout.decode(first, generator(1, "test")), generator(2, "test"))
    assert (first.level == again.level).mean() > 0.99


@CHOICES
def test_decoded_amounts_keep_the_columns_distribution(choice):
    frame = pd.DataFrame({"x": np.random.default_rng(0).gamma(2.0, size=400)})
    _, coded, layout = laid_out(frame, choice=choice)
    back = round_trip(layout, coded)["x"]
    shares = [0.1, 0.5, 0.9]
    np.testing.assert_allclose(back.quantile(shares), frame["x"].quantile(shares), rtol=0.05)


def test_a_level_that_few_rows_hold_is_never_written():
    frame = pd.DataFrame({"c": ["a"] * 60 + ["b"] * 37 + ["rare"] * 3})
    schema, coded, layout = laid_out(frame)
    assert schema["c"].categories == ("a", "b")
    back = round_trip(layout, coded)
    assert set(back["c"]) == {0.0, 1.0}
    assert (back["c"][:97] == coded["c"][:97]).all()
    assert "rare" not in json.dumps(layout.to_dict())


def test_unknown_levels_are_drawn_by_the_shares_of_the_known_ones():
    schema = Schema(
        columns=(Column(name="c", kind="categorical", dtype="str", categories=("a", "b")),)
    )
    known = pd.DataFrame({"c": [0.0] * 90 + [1.0] * 10})
    layout = choose_heads(known, schema)
    unknown = pd.DataFrame({"c": np.full(5000, 2.0)})
    assert round_trip(layout, unknown)["c"].mean() == pytest.approx(0.1, abs=0.02)


def test_shares_count_the_rows_of_each_level():
    _, _, layout = laid_out(pd.DataFrame({"c": ["a"] * 60 + ["b"] * 20 + [None] * 20}))
    np.testing.assert_allclose(layout.shares[0], [0.75, 0.25])


@pytest.mark.parametrize(("flags", "winners"), [([1, 1, 0], {0, 1}), ([0, 0, 0], {0, 1, 2})])
def test_one_of_the_flags_that_are_on_wins_and_of_none_one_still_wins(flags, winners):
    _, _, layout = laid_out(pd.DataFrame({"c": np.repeat(["a", "b", "c"], 40)}), choice="minmax")
    level = np.tile(flags, (600, 1)) + layout.level_start[:-1]
    actions = Actions(amount=np.zeros((600, 0), np.float32), level=level)
    counts = layout.decode(actions, generator(0, "test"))["c"].value_counts()
    assert set(counts.index) == winners
    assert counts.min() > 0.8 * 600 / len(winners)


@CHOICES
def test_a_layout_survives_json(choice):
    schema, coded, layout = laid_out(mixed_table(), choice=choice)
    again = Layout.from_dict(json.loads(json.dumps(layout.to_dict(), allow_nan=False)), schema)
    first, second = (one.encode(coded, generator(0, "test")) for one in (layout, again))
    np.testing.assert_array_equal(first.amount, second.amount)
    np.testing.assert_array_equal(first.level, second.level)
    pd.testing.assert_frame_equal(
        layout.decode(first, generator(1, "test")), again.decode(second, generator(1, "test"))
    )


@CHOICES
def test_no_number_that_one_row_alone_holds_is_stored(choice):
    frame = mixed_table()
    frame.loc[7, "smooth"] = 987654.321
    frame.loc[9, "spiky"] = 424242.4242
    _, _, layout = laid_out(frame, choice=choice)
    text = json.dumps(layout.to_dict())
    assert "987654" not in text
    assert "424242" not in text


def test_ordered_levels_have_rising_places_and_unordered_ones_none():
    frame = mixed_table()[["group", "stage", "count"]]
    _, _, layout = laid_out(frame, choice="bins")
    score = np.split(layout.level_score(), layout.level_start[1:-1])
    by_column = {head.column: part for head, part in zip(layout.discrete, score, strict=True)}
    assert (by_column[0] == 0).all()
    assert (np.diff(by_column[1]) > 0).all()
    assert (np.diff(by_column[2]) > 0).all()


def test_each_amount_knows_the_level_that_says_it_is_there():
    _, coded, layout = laid_out(mixed_table())
    there = layout.amount_is_there()
    names = [layout.schema.modelled[head.column].name for head in layout.gaussian]
    assert [name for name, at in zip(names, there, strict=True) if at >= 0] == ["gaps"]
    actions = layout.encode(coded, generator(0, "test"))
    at = there[names.index("gaps")]
    is_there = (actions.level == at).any(axis=1)
    np.testing.assert_array_equal(is_there, coded["gaps"].notna())


def test_a_table_without_anything_to_learn_is_refused():
    schema = Schema(columns=(Column(name="c", kind="constant", dtype="int64", value=1),))
    with pytest.raises(InputError, match="no column is left to learn"):
        choose_heads(pd.DataFrame(index=range(30)), schema)
