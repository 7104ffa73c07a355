import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from reinforge.errors import InputError
from reinforge.measure.retrieval import Marked, average_precision, retrieve


def on_a_line(positions, identity, camera=None):
    """Pictures whose similarity to the query (1, 0) is their position."""
    x = np.array(positions, dtype=np.float64)
    feature = np.stack([x, np.sqrt(1 - x**2)], axis=1)
    marks = None if camera is None else np.array(camera)
    return Marked(feature=feature, identity=np.array(identity), camera=marks)


def test_average_precision_matches_a_hand_computation():
    hits = np.array([True, False, True, False])  # precisions 1/1 and 2/3
    assert average_precision(hits) == pytest.approx(5 / 6)


def test_the_camera_rule_takes_junk_out_of_the_ranks():
    query = on_a_line([1.0], [7], [0])
    # nearest first: junk (same identity, same camera), wrong, match, match of no other camera
    gallery = on_a_line([0.9, 0.8, 0.7, 0.6], [7, 3, 7, 7], [0, 0, 1, 0])
    found = retrieve(query, gallery)
    assert found.mean_average_precision == pytest.approx(1 / 2)  # wrong, match: rank 2
    assert (found.rank(1), found.rank(2)) == (0.0, 1.0)


def test_without_cameras_every_picture_of_the_identity_counts():
    gallery = on_a_line([0.9, 0.8, 0.7, 0.6], [7, 3, 7, 7])
    found = retrieve(on_a_line([1.0], [7]), gallery)
    assert found.mean_average_precision == pytest.approx((1 + 2 / 3 + 3 / 4) / 3)
    np.testing.assert_array_equal(found.cmc(3), [1.0, 1.0, 1.0])


def test_pictures_of_another_identity_under_the_querys_camera_stay_in_the_ranks():
    query = on_a_line([1.0], [7], [0])
    gallery = on_a_line([0.9, 0.5], [3, 7], [0, 1])
    assert retrieve(query, gallery).rank(1) == 0.0


def test_a_set_that_queries_itself_leaves_each_picture_out_of_its_own_ranks():
    pictures = on_a_line([1.0, 0.9, 0.1, 0.0], [0, 0, 1, 1], [0, 1, 2, 3])
    assert retrieve(pictures, pictures).mean_average_precision == 1.0
    apart = on_a_line([1.0, 0.9, 0.1, 0.0], [0, 1, 0, 1], [0, 1, 2, 3])
    assert retrieve(apart, apart).rank(1) == 0.0


def test_features_that_are_all_alike_do_not_win_by_the_order_of_the_gallery():
    gallery = on_a_line([0.5, 0.5, 0.5], [7, 3, 4])
    found = retrieve(on_a_line([1.0], [7]), gallery)
    assert found.mean_average_precision == pytest.approx(1 / 3)
    assert found.rank(1) == 0.0


def test_queries_without_a_match_are_left_out_and_counted():
    query = on_a_line([1.0, 0.9], [7, 8])
    found = retrieve(query, on_a_line([0.5, 0.4], [7, 3]))
    assert (found.mean_average_precision, found.n_left_out) == (1.0, 1)


@given(seed=st.integers(0, 2**31), block=st.integers(1, 9))
def test_blocks_and_an_oracle_agree(seed, block):
    rng = np.random.default_rng(seed)
    feature = rng.normal(size=(20, 4))
    feature /= np.linalg.norm(feature, axis=1, keepdims=True)
    identity, camera = rng.integers(0, 4, 20), rng.integers(0, 3, 20)
    query = Marked(feature=feature[:8], identity=identity[:8], camera=camera[:8])
    gallery = Marked(feature=feature[8:], identity=identity[8:], camera=camera[8:])
    expected, first = [], []
    for i in range(8):
        kept = [j for j in range(8, 20) if (identity[j], camera[j]) != (identity[i], camera[i])]
        label = np.array([identity[j] == identity[i] for j in kept])
        if label.any():
            score = np.array([feature[i] @ feature[j] for j in kept])
            expected.append(average_precision_score(label, score))
            first.append(label[np.argmax(score)])
    if not expected:
        return
    found = retrieve(query, gallery, block=block)
    np.testing.assert_allclose(found.average_precision, expected, atol=1e-12)
    assert found.rank(1) == pytest.approx(np.mean(first))


def test_cmc_never_falls():
    rng = np.random.default_rng(3)
    feature = rng.normal(size=(30, 3))
    marked = Marked(feature=feature, identity=np.arange(30) % 5, camera=np.arange(30))
    assert (np.diff(retrieve(marked, marked).cmc(29)) >= 0).all()


def test_a_gallery_without_any_match_is_refused():
    with pytest.raises(InputError, match="no query has a picture of its identity"):
        retrieve(on_a_line([1.0], [7], [0]), on_a_line([0.5], [7], [0]))


def test_cameras_on_one_side_alone_are_refused():
    with pytest.raises(InputError, match="both state cameras"):
        retrieve(on_a_line([1.0], [7], [0]), on_a_line([0.5], [7]))


def test_features_that_are_no_numbers_are_refused():
    broken = Marked(feature=np.array([[np.nan, 1.0]]), identity=np.array([7]))
    with pytest.raises(InputError, match="gallery feature is NaN"):
        retrieve(on_a_line([1.0], [7]), broken)
