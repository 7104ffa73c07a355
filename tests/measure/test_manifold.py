import numpy as np
import pytest
from scipy.stats import norm

from reinforge.measure.manifold import (
    coverage_of_perfect,
    coverage_of_some,
    density_coverage,
    own_neighbourhoods,
)
from reinforge.randomness import generator


def on_a_line(*places):
    return np.array(places, dtype=float)[:, None]


def test_own_neighbourhoods_end_at_the_kth_picture_of_the_same_person():
    real = on_a_line(0, 1, 4)  # open balls to the nearest other: 1, 1 and 3 wide
    inside = own_neighbourhoods(real, on_a_line(0.5, 2, 1), k=1)
    assert inside.tolist() == [[True, True, False], [False, False, True], [False, True, False]]


def test_own_neighbourhoods_are_those_that_density_and_coverage_count():
    rng = generator(0, "clouds")
    real, made = rng.normal(size=(12, 3)), rng.normal(size=(9, 3))
    inside = own_neighbourhoods(real, made, k=4)
    density, covered = density_coverage(real, made, k=4)
    np.testing.assert_allclose(inside.sum(axis=1) / 4, density)
    np.testing.assert_array_equal(inside.any(axis=0), covered > 0)


def test_coverage_of_some_is_the_mean_over_all_subsets():
    inside = np.array([[True, False], [False, False], [True, True]])
    # row 0 is missed by the pair {1} alone of singles: 2 of 3 singles hit it; row 1: 1 of 3
    assert coverage_of_some(inside, 1) == pytest.approx((2 / 3 + 1 / 3) / 2)
    assert coverage_of_some(inside, 2) == pytest.approx((1 + 2 / 3) / 2)
    assert coverage_of_some(inside, 3) == 1


@pytest.mark.parametrize(("n_real", "n_made", "k"), [(3, 4, 2), (6, 3, 5), (5, 8, 1)])
def test_a_perfect_generator_has_density_one_and_the_coverage_of_the_formula(n_real, n_made, k):
    rng = generator(1, "perfect")
    density, coverage = [], []
    for _ in range(4_000):
        inside = own_neighbourhoods(rng.normal(size=(n_real, 2)), rng.normal(size=(n_made, 2)), k=k)
        density.append(inside.sum() / (k * n_made))
        coverage.append(coverage_of_some(inside, n_made))
    reach = norm.ppf(0.9995) / np.sqrt(len(density))
    assert np.mean(density) == pytest.approx(1, abs=reach * np.std(density))
    wanted = coverage_of_perfect(n_real, n_made, k=k)
    assert np.mean(coverage) == pytest.approx(wanted, abs=reach * np.std(coverage))


def test_one_picture_lies_in_the_ball_of_the_nearest_of_two_half_of_the_time():
    assert coverage_of_perfect(2, 1, k=1) == pytest.approx(1 / 2)
