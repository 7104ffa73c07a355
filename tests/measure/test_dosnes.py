import numpy as np
import pytest

from reinforge.measure.dosnes import (
    divergence,
    divergence_gradient,
    dosnes,
    doubly_stochastic,
    joint_similarity,
    sphere_figure,
)
from reinforge.randomness import generator


def clusters(n_clusters=4, n_each=15, *, spread=0.3, apart=6.0, n_features=5):
    rng = generator(0, "clusters")
    centre = apart * np.eye(n_features)[:n_clusters]
    identity = np.repeat(np.arange(n_clusters), n_each)
    return centre[identity] + spread * rng.standard_normal((len(identity), n_features)), identity


def test_rows_and_columns_of_the_neighbourhoods_sum_to_one():
    kernel = doubly_stochastic(0.5 * generator(1, "points").standard_normal((40, 3)))
    np.testing.assert_allclose(kernel.sum(axis=1), 1.0, atol=1e-12)
    np.testing.assert_allclose(kernel.sum(axis=0), 1.0, atol=1e-9)


def test_three_points_give_the_neighbourhoods_worked_by_hand():
    # With scales (x, y, x), kernel 1/2 from the middle point and b between the outer ones:
    # 2 x y / 2 + y^2 = 1 and x^2 (1 + b) + x y / 2 = 1; y = 0.7 gives x = 51/70, b = 0.745/x^2 - 1.
    x = 51.0 / 70.0
    b = 0.745 / x**2 - 1.0
    half = np.sqrt(-np.log(b)) / 2.0
    height = np.sqrt(np.log(2.0) - half**2)
    points = np.array([[-half, 0.0], [0.0, height], [half, 0.0]])
    outer = 1.0 - 0.255 - x**2
    expected = [[x**2, 0.255, outer], [0.255, 0.49, 0.255], [outer, 0.255, x**2]]
    np.testing.assert_allclose(doubly_stochastic(points), expected, atol=1e-12)


def test_a_bandwidth_is_the_unit_in_which_distances_are_measured():
    points = generator(2, "points").standard_normal((12, 3))
    np.testing.assert_allclose(
        doubly_stochastic(7.0 * points, bandwidth=7.0), doubly_stochastic(points), atol=1e-12
    )


def test_similarity_is_symmetric_sums_to_one_and_has_no_diagonal():
    similarity = joint_similarity(np.array([[0.5, 0.4, 0.1], [0.2, 0.5, 0.3], [0.3, 0.1, 0.6]]))
    expected = np.array([[0.0, 0.6, 0.4], [0.6, 0.0, 0.4], [0.4, 0.4, 0.0]]) / 2.8
    np.testing.assert_allclose(similarity, expected, atol=1e-15)


def test_two_points_pull_neither_way_whatever_their_distance():
    similarity = np.array([[0.0, 0.5], [0.5, 0.0]])
    place = np.array([[1.0, 0.0, 0.0], [-2.0, 0.5, 0.0]])
    assert divergence(similarity, place) == pytest.approx(0.0, abs=1e-15)
    np.testing.assert_allclose(divergence_gradient(similarity, place), 0.0, atol=1e-15)


def test_the_gradient_is_the_slope_found_by_finite_differences():
    rng = generator(3, "places")
    similarity = joint_similarity(doubly_stochastic(rng.standard_normal((7, 4))))
    place = rng.standard_normal((7, 3))
    slope, step = np.zeros_like(place), 1e-5
    for at in np.ndindex(place.shape):
        there, back = place.copy(), place.copy()
        there[at] += step
        back[at] -= step
        slope[at] = (divergence(similarity, there) - divergence(similarity, back)) / (2 * step)
    np.testing.assert_allclose(divergence_gradient(similarity, place), slope, atol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_every_point_lies_on_the_unit_sphere_and_far_clusters_stay_apart(seed):
    points, identity = clusters()
    place = dosnes(points, generator=generator(seed, "map"), n_steps=300)
    np.testing.assert_allclose(np.linalg.norm(place, axis=1), 1.0, atol=1e-12)
    cosine = place @ place.T
    same = identity[:, None] == identity
    np.fill_diagonal(cosine, np.nan)
    assert np.nanmin(np.where(same, cosine, np.nan)) > np.nanmax(np.where(same, np.nan, cosine))


def test_descent_lowers_the_divergence_of_the_first_places():
    points, _ = clusters(3, 6)
    similarity = joint_similarity(doubly_stochastic(points))
    first, last = (dosnes(points, generator=generator(0, "map"), n_steps=n) for n in (0, 300))
    assert divergence(similarity, last) < 0.7 * divergence(similarity, first)


def test_equal_keys_give_equal_bytes_and_others_do_not():
    points, _ = clusters(2, 4)
    one, two, other = (
        dosnes(points, generator=generator(seed, "map"), n_steps=20) for seed in (0, 0, 1)
    )
    assert one.tobytes() == two.tobytes()
    assert one.tobytes() != other.tobytes()


@pytest.mark.parametrize("points", [np.zeros((1, 2)), np.array([[0.0], [np.nan]])])
def test_points_that_make_no_map_are_refused(points):
    with pytest.raises(ValueError, match="at least 2 points, all finite"):
        dosnes(points, generator=generator(0, "map"))


def test_points_out_of_each_others_reach_are_refused_with_the_remedy():
    with pytest.raises(ValueError, match="raise the bandwidth"):
        dosnes(np.array([[0.0], [1e6]]), generator=generator(0, "map"))


def test_a_figure_holds_whole_identities_and_no_more_pictures_than_asked_for():
    points, identity = clusters(4, 12)
    kind = ["real", "reinforced", "erased"] * 16
    kind = ["real" if i == 3 else k for i, k in zip(identity, kind, strict=True)]
    figure = sphere_figure(
        points,
        kind=kind,
        identity=identity,
        names=["a", "b", "c", "d"],
        generator=generator(0, "figure"),
        n_identities=2,
        n_each=3,
    )
    assert len(figure["points"]) == len(figure["kind"]) == len(figure["identity"]) == 18
    assert len(set(figure["identity"])) == 2
    assert "d" not in figure["identity"]
    assert figure["kind"].count("erased") == 6


def test_a_figure_without_a_whole_identity_is_refused():
    with pytest.raises(ValueError, match="every kind: erased, real"):
        sphere_figure(
            np.eye(2),
            kind=["real", "erased"],
            identity=np.array([0, 1]),
            names=["a", "b"],
            generator=generator(0, "figure"),
        )
