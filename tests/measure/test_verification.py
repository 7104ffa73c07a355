import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from reinforge.errors import InputError
from reinforge.measure.verification import (
    accuracy_gap,
    best_threshold,
    folds_in_order,
    pair_similarity,
    verify,
    verify_groups,
)


def test_the_similarity_of_a_pair_is_the_cosine_of_its_pictures():
    feature = np.array([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]])
    pairs = np.array([[0, 1], [0, 2], [1, 2]])
    np.testing.assert_allclose(pair_similarity(feature, pairs), [0.6, 0.0, 0.8])


def test_the_best_threshold_lies_halfway_between_the_two_kinds():
    similarity = np.array([0.1, 0.3, 0.7, 0.9])
    assert best_threshold(similarity, np.array([False, False, True, True])) == pytest.approx(0.5)


def test_a_threshold_is_never_put_between_equal_similarities():
    similarity = np.array([0.2, 0.5, 0.5, 0.5])
    same = np.array([False, False, True, True])  # refuse 0.2 alone: one error
    cut = best_threshold(similarity, same)
    assert 0.2 < cut < 0.5


@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=30))
def test_no_other_threshold_makes_fewer_errors(pairs):
    similarity = np.array([float(value) for value, _ in pairs])
    same = np.array([kind for _, kind in pairs])
    cut = best_threshold(similarity, same)
    errors = [np.sum((similarity > t) != same) for t in np.arange(-0.5, 7)]
    assert np.sum((similarity > cut) != same) == min(errors)


def test_accuracy_uses_the_threshold_of_the_other_folds():
    # fold 0 alone would be separated at 0.25; fold 1 says 0.7, which calls both of fold 0 different
    similarity = np.array([0.4, 0.1, 0.9, 0.5])
    same = np.array([True, False, True, False])
    found = verify(similarity, same, n_folds=2, fold=np.array([0, 0, 1, 1]))
    np.testing.assert_allclose(found.fold_accuracy, [0.5, 0.5])  # 0.25 accepts both of fold 1
    assert found.accuracy.value == pytest.approx(0.5)
    assert found.threshold == pytest.approx((0.7 + 0.25) / 2)


def test_folds_of_a_list_laid_out_as_lfws_are_its_published_ones():
    same = np.tile(np.repeat([True, False], 300), 10)
    np.testing.assert_array_equal(folds_in_order(same, n_folds=10), np.repeat(np.arange(10), 600))


def test_folds_hold_as_many_of_each_kind_when_one_kind_comes_first():
    same = np.repeat([True, False], [40, 60])
    fold = folds_in_order(same, n_folds=10)
    assert [(int(same[fold == k].sum()), int((fold == k).sum())) for k in range(10)] == [
        (4, 10)
    ] * 10


def test_tar_at_far_matches_a_hand_computation():
    similarity = np.concatenate([np.arange(100) / 100, [0.985, 0.975, 0.5, 0.99]])
    same = np.repeat([False, True], [100, 4])
    found = verify(similarity, same, n_folds=2, far=0.01)  # one of 100 may pass: above 0.98
    assert found.tar.value == pytest.approx(0.5)


def test_auc_agrees_with_scikit_learn():
    rng = np.random.default_rng(0)
    same = rng.random(200) < 0.5
    similarity = rng.normal(size=200) + same
    found = verify(similarity, same)
    assert found.auc.value == pytest.approx(roc_auc_score(same, similarity))
    assert found.n_pairs == 200


def test_features_that_know_nothing_get_about_half_the_pairs_right():
    rng = np.random.default_rng(1)
    same = np.tile([True, False], 2_000)
    assert verify(rng.random(4_000), same).accuracy.value == pytest.approx(0.5, abs=0.04)


def test_each_group_is_judged_by_its_own_pairs():
    same = np.tile([True, False], 40)
    similarity = np.where(same, 0.9, 0.1)
    similarity[40:] = 0.5  # the second group cannot be told apart
    groups = verify_groups(similarity, same, ("Asian",) * 40 + ("African",) * 40)
    assert list(groups) == ["African", "Asian"]
    assert groups["Asian"].accuracy.value == 1.0
    assert groups["African"].accuracy.value == 0.5
    assert accuracy_gap(groups) == pytest.approx(0.5)


def test_too_few_pairs_of_a_kind_are_refused():
    with pytest.raises(InputError, match="got 4 and 36"):
        verify(np.zeros(40), np.arange(40) < 4)


def test_a_similarity_that_is_no_number_is_refused():
    similarity = np.full(40, 0.5)
    similarity[3] = np.nan
    with pytest.raises(InputError, match="NaN"):
        verify(similarity, np.arange(40) % 2 == 0)


def test_the_pairs_called_right_are_those_that_the_accuracy_counts():
    rng = np.random.default_rng(3)
    same = np.repeat([True, False], 50)
    found = verify(same + rng.normal(0, 0.7, 100), same)
    assert found.right.shape == (100,)
    assert found.right.mean() == pytest.approx(found.accuracy.value)
    assert 0.5 < found.accuracy.value < 1.0
