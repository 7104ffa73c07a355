import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import normalized_mutual_info_score

from reinforge.measure.dissimilarity import (
    as_levels,
    bin_edges,
    column_distance,
    correlation_difference,
    dimension_wise_distance,
    pairwise_nmi,
)
from reinforge.measure.manifold import density_coverage
from reinforge.schema import Column, Schema

AGE = Column(name="age", kind="continuous", dtype="float64")
SEX = Column(name="sex", kind="categorical", dtype="str", categories=("F", "M"))


def test_total_variation_of_levels_by_hand():
    real, made = np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.0, 1.0, 1.0, 1.0])
    assert column_distance(SEX, real, made, width=1.0) == pytest.approx(0.25)


def test_a_level_only_in_synthetic_rows_counts_as_distance():
    real, made = np.array([0.0, 1.0]), np.array([2.0, 2.0])
    assert column_distance(SEX, real, made, width=1.0) == 1.0


def test_a_shift_by_a_tenth_of_the_range_is_a_tenth():
    real = np.linspace(0.0, 50.0, 11)
    assert column_distance(AGE, real, real + 5, width=50.0) == pytest.approx(0.1)


def test_a_difference_in_missing_rates_counts():
    real, made = np.array([1.0, 2.0, np.nan, np.nan]), np.array([1.0, 2.0, 1.0, 2.0])
    assert column_distance(AGE, real, made, width=1.0) == pytest.approx(0.5)


def test_a_column_that_is_all_missing_on_one_side_is_as_far_as_it_can_be():
    nothing = np.full(4, np.nan)
    assert column_distance(AGE, np.arange(4.0), nothing, width=3.0) == 1.0


def test_dwd_sums_flags_and_scaled_distances():
    real = pd.DataFrame({"age": [0.0, 10.0], "sex": [0.0, 1.0]})
    made = pd.DataFrame({"age": [5.0, 15.0], "sex": [1.0, 1.0]})
    schema = Schema(columns=(AGE, SEX))
    dwd = dimension_wise_distance(real, made, schema, widths={"age": 10.0})
    assert dwd == pytest.approx(0.5 + 0.5)  # W1 5/10, and the rate of M from .5 to 1


def test_pairwise_nmi_agrees_with_scikit_learn():
    levels = np.random.default_rng(0).integers(0, 4, size=(200, 3))
    levels[:, 2] = levels[:, 0] // 2
    nmi = pairwise_nmi(levels)
    for a in range(3):
        for b in range(3):
            theirs = normalized_mutual_info_score(levels[:, a], levels[:, b])
            assert nmi[a, b] == pytest.approx(theirs)


def test_constant_columns_tell_nothing_about_each_other():
    assert pairwise_nmi(np.zeros((5, 2), dtype=np.int64))[0, 1] == 0.0


def test_deciles_of_a_numeric_are_ten_levels_and_missing_an_eleventh():
    values = np.append(np.arange(100.0), np.nan)
    levels = as_levels(values, AGE, bin_edges(values))
    assert np.bincount(levels).tolist() == [10] * 10 + [1]


def test_correlation_difference_by_hand():
    real = np.array([[0.0, 0.0], [1.0, 1.0]])  # correlation 1
    made = np.array([[0.0, 1.0], [1.0, 0.0]])  # correlation -1
    assert correlation_difference(real, made) == pytest.approx(np.sqrt(8) / 4 * 1e6)


def test_density_and_coverage_of_a_copy_and_of_rows_far_away():
    real = np.random.default_rng(0).normal(size=(50, 3))
    density, covered = density_coverage(real, real, k=5)
    assert covered.mean() == 1.0
    assert density.mean() == pytest.approx(1.0)  # each ball: its centre and four neighbours
    density, covered = density_coverage(real, real + 100, k=5)
    assert density.mean() == covered.mean() == 0.0


def test_density_by_hand():
    real = np.array([[0.0], [1.0], [3.0]])  # balls of k=1: radius 1, 1, 2
    density, covered = density_coverage(real, np.array([[0.5], [9.0]]), k=1)
    assert density.tolist() == [2.0, 0.0]
    assert covered.tolist() == [1.0, 1.0, 0.0]


def test_a_row_on_the_edge_of_a_ball_is_outside():
    real = np.array([[0.0], [1.0], [3.0]])
    density, covered = density_coverage(real, np.array([[5.0], [1.0]]), k=1)
    assert density.tolist() == [0.0, 1.0]  # 5 is the edge of 3's ball, 1 that of 0's and of 3's
    assert covered.tolist() == [0.0, 1.0, 0.0]
