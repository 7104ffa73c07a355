import numpy as np
import pytest
from scipy import stats

from reinforge.measure.intervals import (
    Estimate,
    from_influence,
    grouped_jackknife,
    identity_bootstrap,
    percentile_interval,
    t_interval,
    wilson,
)
from reinforge.measure.sampling import chance_of_none
from reinforge.randomness import generator


@pytest.mark.parametrize(("successes", "n"), [(0, 10), (3, 10), (10, 10), (17, 400)])
def test_wilson_agrees_with_scipy(successes, n):
    theirs = stats.binomtest(successes, n).proportion_ci(method="wilson")
    ours = wilson(successes, n)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_a_share_of_no_trials_is_refused():
    with pytest.raises(ValueError, match="at least 1 trial"):
        wilson(0, 0)


def test_t_interval_agrees_with_scipy():
    values = np.array([0.8, 0.9, 0.7, 0.85])
    theirs = stats.t.interval(0.95, 3, loc=values.mean(), scale=stats.sem(values))
    ours = t_interval(values)
    assert (ours.low, ours.high) == pytest.approx(theirs)


def test_one_repeat_has_no_interval():
    assert t_interval(np.array([0.8])).low is None


def test_influences_of_a_mean_give_its_standard_error():
    values = np.array([1.0, 2.0, 3.0, 6.0])
    estimate = from_influence(values.mean(), (values - values.mean()) / 4)
    assert estimate.high - estimate.value == pytest.approx(1.959964 * stats.sem(values), rel=1e-6)


def test_the_jackknife_of_a_mean_is_near_its_t_interval():
    values = np.random.default_rng(0).normal(size=400)
    reach = grouped_jackknife(
        lambda kept: float(values[kept[0]].mean()),
        [400],
        n_groups=20,
        generator=np.random.default_rng(1),
    )
    assert reach == pytest.approx(stats.t.ppf(0.975, 19) * stats.sem(values), rel=0.5)


def test_chance_of_none_is_the_hypergeometric_one():
    count = np.array([0, 1, 3, 9])
    expected = stats.hypergeom.pmf(0, 10, count, 4)
    np.testing.assert_allclose(chance_of_none(count, 10, 4), expected, atol=1e-12)


def drawn_means(value, seed, n_draws=400):
    return identity_bootstrap(
        lambda taken: float(taken @ value / taken.sum()),
        len(value),
        n_draws=n_draws,
        generator=generator(seed, "bootstrap"),
    )


def test_redrawn_identities_spread_as_the_standard_error_of_a_mean():
    value = generator(0, "values").normal(size=50)
    draws = drawn_means(value, 0, n_draws=4_000)
    assert draws.mean() == pytest.approx(value.mean(), abs=0.01)
    assert draws.std() == pytest.approx(value.std() / np.sqrt(50), rel=0.05)


def test_as_many_identities_are_taken_as_there_are_and_the_same_by_the_same_generator():
    taken = []

    def statistic(row):
        taken.append(row)
        return 0.0

    for _ in range(2):
        identity_bootstrap(statistic, 7, n_draws=3, generator=generator(4, "bootstrap"))
    assert {row.sum() for row in taken} == {7.0}
    np.testing.assert_array_equal(taken[:3], taken[3:])


def test_the_percentile_interval_of_people_covers_their_mean():
    hits = 0
    for seed in range(200):
        value = generator(seed, "values").normal(size=40)
        estimate = percentile_interval(float(value.mean()), drawn_means(value, seed), 40)
        hits += estimate.low <= 0 <= estimate.high
    assert 0.88 <= hits / 200 <= 0.98


def test_draws_that_are_no_number_are_left_out_and_few_people_have_no_interval():
    draws = np.array([np.nan, 0.2, 0.4])
    estimate = percentile_interval(0.3, draws, 5)
    assert 0.2 <= estimate.low < 0.3 < estimate.high <= 0.4
    assert percentile_interval(0.3, draws, 4) == Estimate(0.3, n=4)
    assert percentile_interval(0.3, draws[:1], 5).low is None


def test_a_share_at_its_end_has_wilsons_interval_and_other_measures_have_not():
    assert percentile_interval(1.0, np.ones(9), 10) == wilson(10, 10)
    assert percentile_interval(1.0, np.ones(9), 10, is_share=False).low == 1.0
