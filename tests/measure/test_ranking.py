import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from reinforge.measure.ranking import (
    auc_influence,
    auc_interval,
    chance_true_positives,
    newcombe_auc,
    paired_auc,
    roc_curve,
    threshold_at_fpr,
    tpr_at_fpr,
    weighted_auc,
    weighted_tpr_at_fpr,
)


def test_auc_matches_a_hand_computation_with_a_tie():
    positive = np.array([True, True, False, False])
    score = np.array([3.0, 1.0, 1.0, 0.0])  # pairs won: 3>1, 3>0, 1>0; tied: 1=1
    assert auc_influence(positive, score)[0] == pytest.approx(3.5 / 4)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=4, max_size=40))
def test_auc_agrees_with_scikit_learn(rows):
    positive = np.array([flag for flag, _ in rows] + [True, False])
    score = np.array([float(s) for _, s in rows] + [2.0, 2.0])
    assert auc_influence(positive, score)[0] == pytest.approx(roc_auc_score(positive, score))


def test_influences_sum_to_zero_and_their_squares_to_delongs_variance():
    rng = np.random.default_rng(1)
    positive = np.repeat([True, False], [30, 50])
    score = rng.normal(size=80) + positive
    auc, influence = auc_influence(positive, score)
    wins = (score[positive][:, None] > score[~positive][None, :]).astype(float)
    variance = wins.mean(1).var() / 30 + wins.mean(0).var() / 50
    assert influence.sum() == pytest.approx(0.0, abs=1e-12)
    assert (influence**2).sum() == pytest.approx(variance)
    assert auc == pytest.approx(wins.mean())


def test_the_interval_holds_the_truth_in_about_95_of_100_draws():
    rng = np.random.default_rng(2)
    positive = np.repeat([True, False], [60, 60])
    held = 0
    for _ in range(300):
        estimate = auc_interval(positive, rng.normal(size=120))
        held += estimate.low <= 0.5 <= estimate.high
    assert 0.91 < held / 300 < 0.985


def paired_beliefs(rng, n_rows, gain=0.2):
    """Beliefs that differ far more between rows than between a row's two sides."""
    row = rng.normal(size=n_rows)
    return row + gain + 0.3 * rng.normal(size=n_rows), row + 0.3 * rng.normal(size=n_rows)


def test_a_paired_auc_is_the_auc_with_a_far_narrower_interval():
    member, stranger = paired_beliefs(np.random.default_rng(3), 200)
    told = paired_auc(member, stranger)
    is_member = np.repeat([True, False], 200)
    apart = auc_interval(is_member, np.concatenate([member, stranger]))
    assert told.value == pytest.approx(apart.value)
    assert told.high - told.low < 0.5 * (apart.high - apart.low)


def test_the_paired_interval_holds_the_truth_in_about_95_of_100_draws():
    rng = np.random.default_rng(4)
    truth = norm.cdf(0.2 / np.sqrt(2 * (1 + 0.3**2)))
    held = 0
    for _ in range(300):
        told = paired_auc(*paired_beliefs(rng, 80))
        held += told.low <= truth <= told.high
    assert 0.91 < held / 300 < 0.985


def test_perfect_separation_keeps_an_interval_with_a_width():
    estimate = auc_interval(np.array([True] * 10 + [False] * 10), np.repeat([1.0, 0.0], 10))
    assert estimate.value == 1.0
    assert 0.5 < estimate.low < 1.0


def test_newcombes_interval_of_an_example_is_about_its_hanley_mcneil_one():
    low, high = newcombe_auc(0.8, 100, 100)
    assert low == pytest.approx(0.73, abs=0.02)
    assert high == pytest.approx(0.855, abs=0.02)


def test_one_kind_of_row_has_no_auc():
    with pytest.raises(ValueError, match="one kind"):
        auc_influence(np.array([True, True]), np.array([1.0, 2.0]))


def test_the_threshold_lets_one_percent_of_non_members_pass():
    non_member = np.arange(200.0)  # 2 may pass: the threshold is 197
    assert tpr_at_fpr(np.array([196.0, 197.0, 197.5, 300.0]), non_member, fpr=0.01) == (2, 2)


def test_below_a_hundred_non_members_none_may_pass():
    assert tpr_at_fpr(np.array([5.0, 6.0]), np.array([5.0, 1.0]), fpr=0.01) == (1, 0)


def test_chance_of_true_positives_matches_a_simulation():
    rng = np.random.default_rng(3)
    shares = []
    for _ in range(2_000):
        found, allowed = tpr_at_fpr(rng.random(50), rng.random(100), fpr=0.01)
        shares.append(found / 50)
    mean, limit = chance_true_positives(50, 100, allowed)
    assert np.mean(shares) == pytest.approx(mean, abs=0.002)
    assert np.mean(np.array(shares) > limit) < 0.03


def test_roc_curve_runs_from_corner_to_corner():
    fpr, tpr = roc_curve(np.array([True, False, True]), np.array([0.9, 0.1, 0.8]))
    assert (fpr[0], fpr[-1], tpr[-1]) == (0.0, 1.0, 1.0)
    assert len(fpr) == len(tpr) <= 101


def test_roc_curve_has_the_points_of_few_false_alarms():
    positive = np.repeat([True, False], [4, 2_000])
    score = np.append([9.0, 7.0, 0.0, 0.0], np.append([8.0, 6.0], np.full(1_998, 0.5)))
    fpr, tpr = roc_curve(positive, score)
    found = dict(zip(fpr, tpr, strict=True))
    assert len(fpr) <= 101
    assert (found[0.0], found[1 / 2_000], found[2 / 2_000]) == (0.25, 0.5, 0.5)


def test_the_threshold_is_the_largest_score_that_may_not_pass():
    score = np.array([0.1, 0.9, 0.5, 0.7])
    assert threshold_at_fpr(score, fpr=0.5) == (0.5, 2)  # 0.9 and 0.7 may pass
    assert threshold_at_fpr(score, fpr=0.01) == (0.9, 0)
    assert threshold_at_fpr(score, fpr=1.0) == (-np.inf, 4)


def rows_repeated(seed):
    rng = np.random.default_rng(seed)
    score, positive = rng.integers(0, 12, 80).astype(float), rng.random(80) < 0.4
    return score, positive, rng.integers(0, 4, 80)


@pytest.mark.parametrize("seed", range(5))
def test_a_weight_is_a_number_of_copies_to_the_area(seed):
    score, positive, weight = rows_repeated(seed)
    theirs = roc_auc_score(np.repeat(positive, weight), np.repeat(score, weight))
    assert weighted_auc(positive, score, weight.astype(float)) == pytest.approx(theirs)


@pytest.mark.parametrize("fpr", [0.01, 0.1, 0.37])
@pytest.mark.parametrize("seed", range(3))
def test_a_weight_is_a_number_of_copies_to_the_true_positive_rate(seed, fpr):
    score, positive, weight = rows_repeated(seed)
    ours = weighted_tpr_at_fpr(
        score[positive],
        score[~positive],
        member_weight=weight[positive].astype(float),
        non_member_weight=weight[~positive].astype(float),
        fpr=fpr,
    )
    score, positive = np.repeat(score, weight), np.repeat(positive, weight)
    found, _ = tpr_at_fpr(score[positive], score[~positive], fpr=fpr)
    assert ours == pytest.approx(found / positive.sum())


def test_a_side_without_weight_has_no_rate():
    score, positive = np.array([1.0, 2.0]), np.array([True, False])
    for weight in (np.array([0.0, 1.0]), np.array([1.0, 0.0])):
        assert np.isnan(weighted_auc(positive, score, weight))
        rate = weighted_tpr_at_fpr(
            score[:1],
            score[1:],
            member_weight=weight[:1],
            non_member_weight=weight[1:],
            fpr=0.01,
        )
        assert np.isnan(rate)
