"""Intervals: how far a number could move if the same people were drawn again."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import stats

FEWEST_IDENTITIES = 5  # of two people there are three redraws, of five 126
LOOKED_AT = 0.999  # confidence of a limit of luck: some forty scores are looked at together


@dataclass(frozen=True)
class Estimate:
    """A value, its interval, and the number of rows or attacks that it rests on."""

    value: float
    low: float | None = None
    high: float | None = None
    n: int | None = None


def _z(confidence: float) -> float:
    return float(stats.norm.ppf(0.5 + confidence / 2))


def wilson(successes: float | int, n: float | int, *, confidence: float = 0.95) -> Estimate:
    """A share with its score interval (Wilson 1927, JASA 22:209).

    (p + z^2/2n +- z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n)

    Args:
        successes: Number of successes; need not be whole where they are expected counts.
        n: Number of trials, above 0; an effective number where trials hang together.
        confidence: Coverage of the interval, in (0, 1).

    Raises:
        ValueError: There was no trial.
    """
    if n <= 0:
        raise ValueError(f"a share needs at least 1 trial, got {n}.")
    share, z = successes / n, _z(confidence)
    scale = 1 + z**2 / n
    middle = (share + z**2 / (2 * n)) / scale
    reach = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / scale
    low = 0.0 if successes <= 0 else max(0.0, float(middle - reach))
    high = 1.0 if successes >= n else min(1.0, float(middle + reach))
    return Estimate(float(share), low, high, int(n))


def t_interval(values: Float[np.ndarray, " repeat"], *, confidence: float = 0.95) -> Estimate:
    """Mean over repeats +- t quantile x standard error (Student); one repeat has no interval."""
    n, mean = len(values), float(np.mean(values))
    if n < 2:
        return Estimate(mean, None, None, n)
    error = float(np.std(values, ddof=1)) / np.sqrt(n)
    reach = float(stats.t.ppf(0.5 + confidence / 2, n - 1)) * error
    return Estimate(mean, mean - reach, mean + reach, n)


def from_influence(
    value: float,
    influence: Float[np.ndarray, " row"],
    *,
    bounds: tuple[float, float] = (-np.inf, np.inf),
    confidence: float = 0.95,
) -> Estimate:
    """Value +- z sqrt(sum of squared influences): the infinitesimal jackknife (Efron 1982, ch. 6).

    Args:
        value: The statistic.
        influence: How much one more copy of each row would move it, relative to all rows.
        bounds: Smallest and largest possible value.
        confidence: Coverage of the interval, in (0, 1).
    """
    n = len(influence)
    error = float(np.sqrt(np.sum(influence**2) * n / max(n - 1, 1)))
    reach = _z(confidence) * error
    return Estimate(value, max(bounds[0], value - reach), min(bounds[1], value + reach), n)


def grouped_jackknife(
    statistic: Callable[[list[np.ndarray]], float],
    sizes: list[int],
    *,
    n_groups: int,
    generator: np.random.Generator,
    confidence: float = 0.95,
) -> float:
    """How far a statistic of several samples reaches: t x the delete-a-group error (Quenouille).

    error^2 = (g - 1)/g sum_j (s_j - mean s)^2, where s_j leaves out the j-th of g random groups of
    every
    sample. Unlike the bootstrap it makes no duplicate rows, which distances would mistake for a
    shift.

    Args:
        statistic: From the kept row numbers of every sample to a number.
        sizes: Rows of every sample.
        n_groups: Number of groups g, at least 2.
        generator: Source of the grouping.
        confidence: Coverage of the interval, in (0, 1).

    Returns:
        Half the width of the interval.
    """
    groups = [generator.permutation(size) % n_groups for size in sizes]
    values = np.array(
        [statistic([np.flatnonzero(g != j) for g in groups]) for j in range(n_groups)]
    )
    error = float(np.sqrt((n_groups - 1) / n_groups * np.sum((values - values.mean()) ** 2)))
    return float(stats.t.ppf(0.5 + confidence / 2, n_groups - 1)) * error


def identity_bootstrap(
    statistic: Callable[[Float[np.ndarray, " identity"]], float],
    n_identities: int,
    *,
    n_draws: int,
    generator: np.random.Generator,
) -> Float[np.ndarray, " draw"]:
    """A statistic under redrawn identities: pictures of one person do not vary independently.

    Each draw takes as many identities as there are, with replacement (Efron 1979); the statistic
    is told how often each was taken. The same generator takes the same identities, so that two
    statistics of the same people can be compared draw by draw.

    Args:
        statistic: From how often each identity counts to a number; not a number where the draw
            allows none.
        n_identities: How many there are.
        n_draws: How many redraws.
        generator: Source of the draws.
    """
    chance = np.full(n_identities, 1 / n_identities)
    taken = generator.multinomial(n_identities, chance, size=n_draws)
    return np.array([statistic(row) for row in taken.astype(float)])


def percentile_interval(
    value: float,
    draws: Float[np.ndarray, " draw"],
    n: int,
    *,
    is_share: bool = True,
    confidence: float = 0.95,
) -> Estimate:
    """A value between the percentiles of its redraws; draws that are no number are left out.

    Args:
        value: The statistic of the people themselves.
        draws: Of `identity_bootstrap`.
        n: Identities; few of them have no interval, as their redraws are too much alike to show
            how far the value could move.
        is_share: Whether 0 and 1 are its ends. There redraws do not differ, and Wilson's interval
            over identities takes the place of one without width.
        confidence: Coverage of the interval, in (0, 1).
    """
    draws = draws[np.isfinite(draws)]
    if n < 2 or not len(draws) or not np.isfinite(value):
        return Estimate(value, n=n)
    if is_share and value in (0.0, 1.0):
        return wilson(value * n, n, confidence=confidence)
    if n < FEWEST_IDENTITIES:
        return Estimate(value, n=n)
    tail = 50 * (1 - confidence)
    low, high = np.percentile(draws, [tail, 100 - tail])
    return Estimate(value, float(min(low, value)), float(max(high, value)), n)
