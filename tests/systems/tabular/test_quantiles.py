import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from reinforge.systems.tabular.quantiles import fit_quantiles

COLUMNS = {
    "smooth": np.random.default_rng(0).normal(size=500),
    "heavy tail": np.random.default_rng(1).standard_cauchy(500),
    "whole": np.random.default_rng(2).integers(0, 12, 500).astype(float),
    "heaped": np.concatenate([np.zeros(300), np.random.default_rng(3).exponential(size=200)]),
    "two values": np.repeat([1.0, 7.0], [30, 70]),
    "few rows": np.array([3.0, 1.0, 2.0]),
    "one row": np.array([5.0]),
    "huge": np.random.default_rng(4).normal(size=50) * 1e307,
    "widest": np.array([-1.7e308, 1.7e308] * 20),
    "tiny": np.random.default_rng(5).normal(size=50) * 1e-307,
}
columns = pytest.mark.parametrize("values", COLUMNS.values(), ids=COLUMNS.keys())


def cell_counts(quantiles, values):
    return np.bincount(quantiles.cell_of_value(values), minlength=len(quantiles.low))


@columns
def test_the_quantile_function_rises_from_0_to_1_over_cells_that_lie_in_order(values):
    quantiles = fit_quantiles(values, min_rows=5)
    assert quantiles.probability[0] == 0.0
    assert quantiles.probability[-1] == 1.0
    assert (np.diff(quantiles.probability) > 0).all()
    assert (quantiles.low <= quantiles.high).all()
    assert (quantiles.high[:-1] <= quantiles.low[1:]).all()
    assert np.isfinite(quantiles.low).all()
    assert np.isfinite(quantiles.high).all()


@columns
def test_every_cell_stands_on_enough_rows_and_says_how_many(values):
    quantiles = fit_quantiles(values, min_rows=5)
    counts = cell_counts(quantiles, values)
    assert counts.min() >= min(5, len(values))
    np.testing.assert_allclose(quantiles.mass, counts / len(values), rtol=1e-9)


@columns
def test_values_come_back_from_their_probability(values):
    quantiles = fit_quantiles(values, min_rows=5)
    inside = np.clip(values, quantiles.low[0], quantiles.high[-1])
    back = quantiles.value(quantiles.probability_of(inside, np.random.default_rng(0)))
    cell = quantiles.cell_of_value(inside)
    low, high = quantiles.low[cell], quantiles.high[cell]
    expected = np.clip(inside, low, high)  # a straggler takes its atom's value
    # a place inside a cell has as many digits as a probability has, counted in widths of the cell
    width = (high / 2 - low / 2) / quantiles.mass[cell]
    assert (np.abs(back / 2 - expected / 2) <= 1e-14 * width + 1e-15 * np.abs(expected)).all()


@columns
def test_probabilities_come_back_from_their_value(values):
    quantiles = fit_quantiles(values, min_rows=5)
    place = (np.arange(1000) + 0.5) / 1000
    back = quantiles.probability_of(quantiles.value(place), np.random.default_rng(0))
    same_cell = quantiles.cell_of_probability(back) == quantiles.cell_of_probability(place)
    in_atom = quantiles.is_atom[quantiles.cell_of_probability(place)]
    assert same_cell.mean() > 0.99
    np.testing.assert_allclose(back[~in_atom & same_cell], place[~in_atom & same_cell], atol=1e-9)


def test_a_value_that_enough_rows_share_is_kept_to_its_last_digit():
    shared = 0.1 + 0.2
    values = np.concatenate([np.full(5, shared), np.linspace(1.0, 2.0, 50)])
    quantiles = fit_quantiles(values, min_rows=5)
    assert quantiles.low[0] == quantiles.high[0] == shared
    assert quantiles.mass[0] == pytest.approx(5 / 55)


def test_huge_shared_values_are_kept_to_their_last_digit():
    values = np.repeat([-1.7e308, 3.3, 1.7e308], 6)
    quantiles = fit_quantiles(values, min_rows=5)
    assert quantiles.low.tolist() == [-1.7e308, 3.3, 1.7e308]
    assert quantiles.is_atom.all()


def test_a_constant_is_one_atom():
    quantiles = fit_quantiles(np.full(40, -2.5), min_rows=5)
    assert quantiles.low.tolist() == quantiles.high.tolist() == [-2.5]
    assert quantiles.value(np.array([0.0, 0.4, 1.0])).tolist() == [-2.5] * 3


def test_tail_cells_keep_the_means_of_their_rows():
    values = np.sort(np.random.default_rng(0).exponential(size=100))
    quantiles = fit_quantiles(values, min_rows=10)
    first, last = (quantiles.low + quantiles.high)[[0, -1]] / 2
    assert first == pytest.approx(values[:10].mean())
    assert last == pytest.approx(values[-10:].mean())


def test_too_few_rows_become_an_even_spread_of_their_mean_and_deviation():
    values = np.array([1.0, 2.0, 6.0])  # mean 3, variance 14/3: half width sqrt(3 * 14/3)
    quantiles = fit_quantiles(values, min_rows=5)
    half = np.sqrt(14.0)
    np.testing.assert_allclose([quantiles.low[0], quantiles.high[0]], [3 - half, 3 + half])


def test_a_value_that_too_few_rows_share_never_becomes_an_atom():
    quantiles = fit_quantiles(np.repeat([1.0, 2.0, 9.0], [1, 4, 40]), min_rows=5)
    assert not quantiles.is_atom[0]
    assert quantiles.mass[0] == pytest.approx(5 / 45)


def test_a_few_stragglers_take_a_popular_value_and_many_open_it_up():
    few = fit_quantiles(np.repeat([1.0, 2.0], [4, 16]), min_rows=5)
    assert few.low.tolist() == few.high.tolist() == [2.0]
    many = fit_quantiles(np.repeat([1.0, 2.0], [4, 15]), min_rows=5)
    assert not many.is_atom[0]
    assert (many.low[0] + many.high[0]) / 2 == pytest.approx((4 + 30) / 19)


def test_edges_between_whole_numbers_lie_half_way_between_neighbours():
    values = np.repeat(np.arange(0.0, 40.0, 2.0), 3)  # even numbers: their middles are whole
    quantiles = fit_quantiles(values, min_rows=5, whole_numbers=True)
    assert len(quantiles.low) > 5
    assert (quantiles.low[1:] % 1 == 0.5).all()


def test_the_mean_of_a_column_is_nearly_kept():
    values = np.random.default_rng(0).gamma(2.0, size=2000)
    quantiles = fit_quantiles(values, min_rows=5)
    spread = quantiles.value((np.arange(20_000) + 0.5) / 20_000)
    assert spread.mean() == pytest.approx(values.mean(), rel=0.005)
    assert spread.std() == pytest.approx(values.std(), rel=0.02)


def test_whole_numbers_stay_as_frequent_as_they_were_after_rounding():
    values = np.random.default_rng(0).integers(0, 40, 400).astype(float)
    quantiles = fit_quantiles(values, min_rows=20, whole_numbers=True)
    edges = quantiles.low[1:][~quantiles.is_atom[1:] & ~quantiles.is_atom[:-1]]
    assert (edges % 1 == 0.5).all()
    rounded = np.rint(quantiles.value((np.arange(40_000) + 0.5) / 40_000))
    assert np.abs(np.bincount(rounded.astype(int), minlength=40) / 40_000 - 1 / 40).max() < 0.012


def test_edges_keep_within_the_declared_bounds():
    values = np.concatenate([np.linspace(0.0, 0.1, 9), [50.0], np.linspace(60, 61, 20)])
    quantiles = fit_quantiles(values, min_rows=5, minimum=0.0, maximum=61.0)
    assert quantiles.low[0] >= 0.0
    assert quantiles.high[-1] <= 61.0


@given(
    values=arrays(float, st.integers(20, 200), elements=st.floats(-100, 100)),
    extreme=st.floats(1e6, 1e12),
    min_rows=st.integers(3, 10),
)
def test_a_unique_extreme_value_is_never_stored(values, extreme, min_rows):
    for sign in (1.0, -1.0):
        quantiles = fit_quantiles(np.append(values, sign * extreme), min_rows=min_rows)
        for stored in (quantiles.low, quantiles.high, quantiles.probability):
            assert sign * extreme not in stored


@given(
    values=arrays(float, st.integers(1, 120), elements=st.integers(-20, 20).map(float)),
    min_rows=st.integers(1, 12),
)
def test_an_atom_always_stands_on_enough_rows_of_its_own_value(values, min_rows):
    quantiles = fit_quantiles(values, min_rows=min_rows)
    if len(values) >= min_rows:
        for atom in quantiles.low[quantiles.is_atom]:
            assert (values == atom).sum() >= min_rows
        assert cell_counts(quantiles, values).min() >= min_rows


def test_mass_below_counts_rows_up_to_a_value():
    values = np.concatenate([np.zeros(60), np.linspace(1, 2, 40)])
    quantiles = fit_quantiles(values, min_rows=5)
    assert quantiles.mass_below(0.0, including=False) == 0.0
    assert quantiles.mass_below(0.0, including=True) == pytest.approx(0.6)
    assert quantiles.mass_below(1.5, including=True) == pytest.approx(0.8, abs=0.02)
    assert quantiles.mass_below(-1.0, including=True) == 0.0
    assert quantiles.mass_below(99.0, including=False) == pytest.approx(1.0)
    assert quantiles.mass_below(-np.inf, including=True) == 0.0
    assert quantiles.mass_below(np.inf, including=True) == 1.0


@columns
def test_mass_below_never_falls(values):
    quantiles = fit_quantiles(values, min_rows=5)
    asked = np.sort(np.concatenate([values, values / 2, [-1e308, 1e308]]))
    for including in (True, False):
        masses = [quantiles.mass_below(float(value), including=including) for value in asked]
        assert (np.diff(masses) >= -1e-12).all()
