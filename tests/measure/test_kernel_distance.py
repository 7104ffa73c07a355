import numpy as np
import pytest
from scipy.linalg import sqrtm

from reinforge.measure import distances
from reinforge.measure.kernel_distance import (
    frechet_distance,
    kernel_inception_distance,
    kid_of_subsets,
    kid_over_identities,
)
from reinforge.randomness import generator


def clouds(n, m, n_features, *, shift=0.0, seed=0):
    rng = generator(seed, "clouds")
    return rng.normal(size=(n, n_features)), rng.normal(size=(m, n_features)) + shift


def kid_by_loops(real, synthetic):
    def kernel(a, b):
        return (sum(x * y for x, y in zip(a, b, strict=True)) / len(a) + 1) ** 3

    def within(points):
        pairs = [(i, j) for i in range(len(points)) for j in range(len(points)) if i != j]
        return sum(kernel(points[i], points[j]) for i, j in pairs) / len(pairs)

    between = np.mean([kernel(a, b) for a in real for b in synthetic])
    return within(real) + within(synthetic) - 2 * between


def frechet_by_roots(real, synthetic):
    shift = real.mean(axis=0) - synthetic.mean(axis=0)
    first, second = np.cov(real, rowvar=False), np.cov(synthetic, rowvar=False)
    root = np.real(sqrtm(first @ second))
    return shift @ shift + np.trace(first + second - 2 * root)


def test_kid_of_points_on_a_line_is_the_one_worked_by_hand():
    real, synthetic = np.array([[0.0], [1.0]]), np.array([[1.0], [2.0]])
    # within: k(0,1) = 1, k(1,2) = 27; between: mean of 1, 1, 8, 27
    assert kernel_inception_distance(real, synthetic) == pytest.approx(1 + 27 - 2 * 37 / 4)


def test_kid_is_that_of_loops_over_all_pairs():
    real, synthetic = clouds(7, 5, 3, shift=0.4)
    expected = kid_by_loops(real, synthetic)
    assert kernel_inception_distance(real, synthetic) == pytest.approx(expected, rel=1e-12)


def test_kid_does_not_depend_on_the_size_of_a_block(monkeypatch):
    real, synthetic = clouds(23, 17, 4, shift=0.2)
    whole = kernel_inception_distance(real, synthetic)
    monkeypatch.setattr(distances, "_BLOCK_CELLS", 40)
    assert kernel_inception_distance(real, synthetic) == pytest.approx(whole, rel=1e-12)


def test_kid_of_equal_distributions_is_zero_on_average_and_not_biased_upwards():
    values = [kernel_inception_distance(*clouds(12, 9, 4, seed=seed)) for seed in range(400)]
    error = np.std(values) / np.sqrt(len(values))
    assert abs(np.mean(values)) < 3 * error
    assert min(values) < 0 < max(values)


def test_single_precision_features_give_the_kid_of_double_precision():
    real, synthetic = (part.astype(np.float32) for part in clouds(30, 30, 8, shift=3.0))
    wide = kernel_inception_distance(real.astype(np.float64), synthetic.astype(np.float64))
    assert kernel_inception_distance(real, synthetic) == wide


def test_the_mean_over_many_subsets_nears_the_exact_kid():
    real, synthetic = clouds(60, 50, 4, shift=0.7)
    mean, deviation = kid_of_subsets(
        real, synthetic, generator=generator(0, "subsets"), n_subsets=400, subset_size=20
    )
    assert deviation > 0
    assert abs(mean - kernel_inception_distance(real, synthetic)) < 4 * deviation / np.sqrt(400)


def test_a_subset_of_all_points_is_the_exact_kid_without_deviation():
    real, synthetic = clouds(20, 20, 4, shift=0.7)
    mean, deviation = kid_of_subsets(
        real, synthetic, generator=generator(0, "subsets"), n_subsets=3, subset_size=20
    )
    assert mean == pytest.approx(kernel_inception_distance(real, synthetic))
    assert deviation == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("size", [1, 6])
def test_a_subset_of_one_point_or_of_more_than_there_are_is_refused(size):
    real, synthetic = clouds(9, 5, 2)
    with pytest.raises(ValueError, match=r"subset_size must lie in \[2, 5\]"):
        kid_of_subsets(real, synthetic, generator=generator(0, "subsets"), subset_size=size)


def mixture_kid_by_loops(real, synthetic, ours, theirs):
    def kernel(a, b):
        return (np.dot(a, b) / len(a) + 1) ** 3

    def mean(points, others, whose, whose_other, same):
        people = np.unique(whose)
        rows = [[np.flatnonzero(w == a) for a in people] for w in (whose, whose_other)]
        return np.mean(
            [
                np.mean([kernel(points[i], others[j]) for i in a for j in b if not same or i != j])
                for a in rows[0]
                for b in rows[1]
            ]
        )

    within = mean(real, real, ours, ours, True) + mean(synthetic, synthetic, theirs, theirs, True)
    return within - 2 * mean(real, synthetic, ours, theirs, False)


def test_kid_over_identities_and_its_jackknife_are_those_of_loops():
    real, synthetic = clouds(14, 10, 3, shift=0.5)
    ours, theirs = np.arange(14) % 4, np.arange(10) % 4
    estimate = kid_over_identities(real, synthetic, real_identity=ours, synthetic_identity=theirs)
    left_out = np.array(
        [
            mixture_kid_by_loops(
                real[ours != j], synthetic[theirs != j], ours[ours != j], theirs[theirs != j]
            )
            for j in range(4)
        ]
    )
    error = np.sqrt(3 / 4 * np.sum((left_out - left_out.mean()) ** 2))
    assert estimate.value == pytest.approx(mixture_kid_by_loops(real, synthetic, ours, theirs))
    assert estimate.high - estimate.value == pytest.approx(3.182446 * error, rel=1e-5)
    assert estimate.value - estimate.low == pytest.approx(3.182446 * error, rel=1e-5)
    assert estimate.n == 4


def test_fresh_pictures_of_the_same_people_have_no_distance_where_plain_kid_falls_below_zero():
    over_people, plain = [], []
    for seed in range(300):
        rng = generator(seed, "same people")
        person = np.repeat(np.arange(10), 3)
        centre = rng.normal(size=(10, 4))[person]
        real, fresh = (centre + 0.3 * rng.normal(size=(30, 4)) for _ in range(2))
        whose = {"real_identity": person, "synthetic_identity": person}
        over_people.append(kid_over_identities(real, fresh, **whose).value)
        plain.append(kernel_inception_distance(real, fresh))
    error = np.std(over_people) / np.sqrt(300)
    assert abs(np.mean(over_people)) < 3 * error
    assert np.mean(plain) < -50 * error


def test_the_interval_of_kid_holds_the_truth_in_some_nine_of_ten_trials():
    n_held = 0
    for seed in range(200):  # identities shift their pictures, so pictures alone would be too sure
        rng = generator(seed, "people")
        person = np.repeat(np.arange(40), 4)
        centre = rng.normal(size=(40, 2))[person]
        real, made = (centre + 0.3 * rng.normal(size=(160, 2)) for _ in range(2))
        made[:, 0] += 1.0
        estimate = kid_over_identities(real, made, real_identity=person, synthetic_identity=person)
        n_held += estimate.low <= TRUE_KID <= estimate.high
    assert 165 <= n_held <= 195


def gaussian_moment_kid():
    """KID of N(0, vI) and N((1, 0), vI) in two dimensions, v = 1.09, from Gaussian moments.

    With t = x.y/2: E(t + 1)^3 = E t^3 + 3 E t^2 + 3 E t + 1 for independent x ~ N(a), y ~ N(b).
    """
    variance, scatter = 1.09, 1.09 * np.eye(2)

    def expected(a, b):
        first = a @ b
        second = np.sum((scatter + np.outer(a, a)) * (scatter + np.outer(b, b)))
        third = sum(
            moment(a, powers) * moment(b, powers) * count
            for powers, count in {(3, 0): 1, (2, 1): 3, (1, 2): 3, (0, 3): 1}.items()
        )
        return third / 8 + 3 * second / 4 + 3 * first / 2 + 1

    def moment(mean, powers):
        one = {0: 1.0 + 0 * mean, 1: mean, 2: mean**2 + variance, 3: mean**3 + 3 * mean * variance}
        return one[powers[0]][0] * one[powers[1]][1]

    zero, shifted = np.zeros(2), np.array([1.0, 0.0])
    return expected(zero, zero) + expected(shifted, shifted) - 2 * expected(zero, shifted)


TRUE_KID = gaussian_moment_kid()


@pytest.mark.parametrize(
    ("ours", "theirs", "message"),
    [
        ([0, 1, 0, 1, 0, 1], [0, 1, 0, 1, 0, 1], "got 2, and 3 of identity 0"),
        ([0, 0, 1, 1, 7, 8], [0, 0, 1, 1, 7, 7], "0 of identity 8"),
        ([0, 0, 1, 1, 7, 7], [0, 0, 0, 1, 7, 7], "1 of identity 1"),
    ],
)
def test_two_identities_or_one_with_a_single_picture_are_refused(ours, theirs, message):
    real, synthetic = clouds(6, 6, 2)
    whose = {"real_identity": np.array(ours), "synthetic_identity": np.array(theirs)}
    with pytest.raises(ValueError, match=message):
        kid_over_identities(real, synthetic, **whose)


def test_frechet_distance_of_shifted_and_scaled_points_is_the_one_worked_by_hand():
    real = np.array([[-1.0, 0.0], [1.0, 0.0], [0.0, -2.0], [0.0, 2.0]])  # deviations a, 2a
    # shift 9; each deviation s doubles: sum of s^2 = 2/3 + 8/3
    assert frechet_distance(real, 2 * real + [3.0, 0.0]) == pytest.approx(9 + 10 / 3)


@pytest.mark.parametrize("n_features", [1, 2, 6])
def test_frechet_distance_agrees_with_the_matrix_root_of_scipy(n_features):
    real, synthetic = clouds(40, 33, n_features, shift=0.3)
    mix = generator(1, "mix").normal(size=(n_features, n_features))
    real = real @ mix
    if n_features == 1:
        root = real.std(ddof=1) - synthetic.std(ddof=1)
        expected = (real.mean() - synthetic.mean()) ** 2 + root**2
    else:
        expected = frechet_by_roots(real, synthetic)
    assert frechet_distance(real, synthetic) == pytest.approx(expected, rel=1e-9)


def test_frechet_distance_of_a_cloud_to_itself_is_zero_even_where_a_feature_is_constant():
    real, _ = clouds(50, 2, 6)
    real[:, 3] = 4.0
    assert frechet_distance(real, real) == pytest.approx(0, abs=1e-12)


def test_frechet_distance_does_not_depend_on_a_rotation():
    real, synthetic = clouds(40, 30, 5, shift=1.0)
    turn = np.linalg.qr(generator(2, "turn").normal(size=(5, 5)))[0]
    turned = frechet_distance(real @ turn, synthetic @ turn)
    assert turned == pytest.approx(frechet_distance(real, synthetic))


def test_fewer_points_than_dimensions_are_warned_of_and_the_value_is_still_right():
    real, synthetic = clouds(5, 9, 8, shift=0.5)
    with pytest.warns(UserWarning, match="5 points in 8 dimensions"):
        value = frechet_distance(real, synthetic)
    first, second = np.cov(real, rowvar=False), np.cov(synthetic, rowvar=False)
    root = np.sqrt(np.clip(np.real(np.linalg.eigvals(first @ second)), 0, None)).sum()
    shift = real.mean(axis=0) - synthetic.mean(axis=0)
    expected = shift @ shift + np.trace(first + second) - 2 * root
    assert value == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("distance", [kernel_inception_distance, frechet_distance])
def test_one_point_or_a_feature_that_is_not_finite_is_refused(distance):
    real, synthetic = clouds(4, 4, 1)
    with pytest.raises(ValueError, match="needs 2 synthetic points, got 1"):
        distance(real, synthetic[:1])
    real[2, 0] = np.nan
    with pytest.raises(ValueError, match="1 real feature vectors are not finite"):
        distance(real, synthetic)
