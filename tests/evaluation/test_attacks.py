import numpy as np
import pytest

from reinforge.evaluation.attribute import _Secret, weighted_success
from reinforge.evaluation.domias import kde_log_ratio, knn_log_ratio
from reinforge.evaluation.groups import Targets, outliers
from reinforge.evaluation.identical import identical_shares, pair_limit, with_noise
from reinforge.evaluation.inference import constant_guess, is_hit
from reinforge.evaluation.linkability import same_nearest
from reinforge.evaluation.membership import Attack, attack_scores
from reinforge.evaluation.nearer import nearer_to_train
from reinforge.evaluation.residual import Outcome, residual_risk, risk_score
from reinforge.evaluation.singling_out import Condition, one_column, single_fits
from reinforge.measure.intervals import Estimate, wilson
from reinforge.schema import Column

AGE = Column(name="age", kind="continuous", dtype="float64")
SEX = Column(name="sex", kind="categorical", dtype="str", categories=("F", "M"))


def test_membership_scores_are_hidden_below_ten_people():
    scores = attack_scores(Attack(member=np.zeros(9), non_member=np.zeros(50)), "all")
    assert all(score.value is None and "single people" in score.reason for score in scores)


def test_an_attack_that_ranks_all_members_first_has_auc_one():
    attack = Attack(member=np.full(20, 1.0), non_member=np.zeros(20))
    auc, tpr = attack_scores(attack, "all")
    assert (auc.value, tpr.value) == (1.0, 1.0)
    assert auc.low < 1.0


def test_identical_shares_by_hand():
    train, holdout = np.array([1, 2, 3, 4]), np.array([5, 1])
    share, equal_sized, fresh = identical_shares(train, holdout, np.array([1, 1, 5, 9]))
    assert share == 0.5  # the two 1s
    assert equal_sized == pytest.approx(0.25)  # each 1 survives in half of the halves of train
    assert fresh == 0.75


def test_eight_copies_are_beyond_luck_where_no_two_real_rows_are_equal():
    train, holdout = np.arange(800), np.arange(800, 1_000)
    assert pair_limit(train, holdout, 800) < 8 / 800
    assert pair_limit(train, holdout, 800) == 6 / 800  # .56^7 < .025 < .56^6


def test_the_limit_rises_with_pairs_of_real_rows_and_is_none_where_they_are_common():
    train, holdout = np.arange(800), np.arange(800, 1_000)
    paired = np.append(np.arange(795), np.arange(5))
    assert pair_limit(paired, holdout, 800) > 2 * pair_limit(train, holdout, 800)
    assert pair_limit(train // 2, holdout, 800) == 1.0


def test_the_noise_of_a_share_is_that_of_wilsons_interval():
    limit = with_noise(0.02, 400)
    assert wilson(limit * 400, 400).low == pytest.approx(0.02)


def test_nearer_to_train_by_hand():
    train, holdout = np.array([[0.0], [10.0]]), np.array([[1.0], [20.0]])
    nearer, owner = nearer_to_train(np.array([[0.1], [1.0], [15.0]]), train, holdout)
    assert nearer.tolist() == pytest.approx([1.0, 0.0, 0.5])
    assert owner.tolist() == [0, 2, 1]


def test_a_full_copy_wins_half_more_than_its_size_allows():
    rng = np.random.default_rng(0)
    train, holdout = rng.normal(size=(400, 4)), rng.normal(size=(100, 4))
    assert nearer_to_train(train, train, holdout)[0].mean() == pytest.approx(0.625, abs=0.03)


def test_fresh_rows_are_nearer_to_train_half_of_the_time_whatever_the_sizes():
    rng = np.random.default_rng(0)
    fresh = rng.normal(size=(500, 3))
    for n_train, n_holdout in ((900, 300), (300, 900)):
        train, holdout = rng.normal(size=(n_train, 3)), rng.normal(size=(n_holdout, 3))
        assert nearer_to_train(fresh, train, holdout)[0].mean() == pytest.approx(0.5, abs=0.06)


def test_residual_risk_by_hand():
    risk = residual_risk(Estimate(0.6, 0.5, 0.7, 100), Estimate(0.2, 0.1, 0.3, 100))
    assert risk.value == pytest.approx(0.5)  # (.6 - .2) / (1 - .2)
    assert risk.low == pytest.approx(0.5 - np.hypot(0.1 / 0.8, 0.1 * 0.4 / 0.64))


def test_a_risk_is_never_below_zero_and_has_a_reason_where_everybody_falls():
    assert residual_risk(Estimate(0.1, 0.0, 0.2, 9), Estimate(0.2, 0.1, 0.3, 9)).value == 0.0
    all_fall = Outcome(main=np.ones(20), control=np.ones(20), naive=0.0)
    assert "everybody" in risk_score("inference_risk", [all_fall], group="all").reason


def test_an_attack_no_stronger_than_guessing_is_said_and_is_no_verdict():
    weak = Outcome(main=np.zeros(50), control=np.zeros(50), naive=0.3)
    score = risk_score("inference_risk", [weak], group="all")
    assert "not stronger than naive guessing" in score.meaning
    assert "a stronger one may still succeed" in score.meaning


def test_the_rate_that_luck_reaches_by_hand():
    none = Outcome(main=np.ones(20), control=np.zeros(20), naive=0.0)
    # P(main >= k | no control success) = 20!/(20-k)! / (40!/(40-k)!): 0.024 at 5, 0.053 at 4
    assert none.luck(0.96) == pytest.approx(4 / 20)
    scaled = Outcome(main=np.ones(20), control=np.zeros(20), naive=0.0, control_scale=3.0)
    assert scaled.luck(0.5) == pytest.approx(2 / 20)  # (3/4)^2 > 1/2 > (3/4)^3


def test_the_interval_widens_with_the_number_of_variants():
    rng = np.random.default_rng(0)
    main, control = ((rng.random(200) < share) * 1.0 for share in (0.4, 0.2))
    one = Outcome(main=main, control=control, naive=0.0)
    alone = risk_score("inference_risk", [one], group="all")
    picked = risk_score("inference_risk", [one] * 20, group="all")
    assert picked.low < alone.low < alone.value == picked.value


def test_single_fits_by_hand():
    group = Targets(name="all", train=np.ones(2, bool), holdout=np.ones(2, bool))
    fit = [
        np.array([[1, 0], [0, 0], [1, 0], [1, 1]], bool),
        np.array([[0, 0], [0, 1], [1, 0], [0, 0]], bool),
    ]
    main, control, owner = single_fits(fit, group)
    assert main.tolist() == [1, 0, 0, 0]  # only the first description fits one person, of train
    assert control.tolist() == [0, 1, 0, 0]
    assert owner.tolist() == [0, 3]


def test_descriptions_by_one_column_are_what_one_row_alone_has(judged_of):
    rows = [[1.0, 0], [2.0, 0], [2.0, 1], [np.nan, 0]]
    judged = judged_of([AGE, SEX], rows, rows, rows)
    found = {condition for (condition,) in one_column(judged, judged.synthetic, 99)}
    assert found == {
        Condition("age", "==", 1.0),
        Condition("age", ">=", 2.0),
        Condition("age", "<=", 1.0),
        Condition("age", "missing", 0.0),
        Condition("sex", "==", 1.0),
    }


def test_a_missing_value_fits_only_the_description_that_asks_for_it():
    values = np.array([np.nan, 3.0])
    assert Condition("age", "missing", 0.0).holds(values).tolist() == [True, False]
    assert Condition("age", ">=", 0.0).holds(values).tolist() == [False, True]


def test_linking_succeeds_where_both_halves_meet_the_same_row():
    synthetic = np.array([[0.0, 0.0], [5.0, 5.0]])
    people = np.array([[0.1, 0.1], [0.1, 4.9]])
    assert same_nearest(people, synthetic, np.array([0]), np.array([1])).tolist() == [1.0, 0.0]


def test_a_guess_hits_within_reach_and_missing_hits_missing():
    hits = is_hit(np.array([1.0, 1.0, np.nan, np.nan]), np.array([1.4, 1.6, np.nan, 1.0]), 0.5)
    assert hits.tolist() == [1.0, 0.0, 1.0, 0.0]


def test_the_constant_guess_is_the_median_or_the_most_frequent_level():
    assert constant_guess(AGE, np.array([1.0, 2.0, 9.0])) == 2.0
    assert constant_guess(SEX, np.array([0.0, 1.0, 1.0])) == 1.0
    assert np.isnan(constant_guess(SEX, np.array([np.nan, np.nan, 1.0])))


def test_attribute_success_by_hand(judged_of):
    truth = judged_of([AGE, SEX], [[10, 0], [20, 1], [30, 1], [40, 0]], [], []).train
    guess = judged_of([AGE, SEX], [[10, 1], [21, 1], [99, 0], [40, 0]], [], []).train
    secrets = [
        _Secret(column=AGE, weight=1.0, rarer=None, reach=3.0),  # 3 of 4 within reach
        _Secret(column=SEX, weight=3.0, rarer=1.0, reach=0.0),  # F1 of M: TP 1, FP 1, FN 1 = .5
    ]
    assert weighted_success(truth, guess, secrets).value == pytest.approx(0.25 * 0.75 + 0.75 * 0.5)


def test_the_neighbour_ratio_sees_a_copy_and_the_kernel_ratio_sees_less():
    rng = np.random.default_rng(0)
    train, population, others = (rng.normal(size=(600, 6)) for _ in range(3))
    seen = []
    for ratio in (knn_log_ratio, kde_log_ratio):
        attack = Attack(
            member=ratio(train, train, population), non_member=ratio(others, train, population)
        )
        seen.append(attack_scores(attack, "all")[0].value)
    assert seen[0] > 0.99
    assert 0.5 < seen[1] < 0.9


def test_outliers_are_the_tenth_that_lies_far_from_the_rest():
    train = np.append(np.linspace(0, 1, 90), np.linspace(50, 500, 10))[:, None]
    far_train, far_holdout = outliers(train, np.array([[0.5], [900.0]]), k=5)
    assert np.flatnonzero(far_train).tolist() == list(range(90, 100))
    assert far_holdout.tolist() == [False, True]
