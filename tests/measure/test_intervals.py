import numpy as np
import pytest
from scipy import stats

from reinforge.measure.intervals import from_influence, grouped_jackknife, t_interval, wilson
from reinforge.measure.sampling import chance_of_none


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
