import numpy as np
import pytest

from reinforge.randomness import generator
from reinforge.report import sphere as module
from reinforge.report.sphere import N_IDENTITIES, sphere, sphere_chart


def figure(points, *, kind="reinforced", identity="a"):
    n = len(points)
    return {"points": points, "kind": [kind] * n, "identity": [identity] * n}


def on_a_sphere(n):
    points = generator(0, "sphere").standard_normal((n, 3))
    return points / np.linalg.norm(points, axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("point", "place"),
    [
        ((0.0, 0.0, 1.0), (0.0, 0.0, 0)),
        ((0.0, 0.0, -1.0), (0.0, 0.0, 1)),
        ((1.0, 0.0, 0.0), (1.0, 0.0, 0)),
        ((0.0, 1.0, 0.0), (0.0, 1.0, 0)),
        ((0.0, 0.8, 0.6), (0.0, 0.8 / 1.6**0.5, 0)),
        ((0.8, 0.0, -0.6), (-0.8 / 1.6**0.5, 0.0, 1)),  # seen from behind: mirrored
    ],
)
def test_places_on_the_two_halves_are_those_worked_by_hand(point, place):
    assert module._flat(np.array(point)) == pytest.approx(place)


def test_equal_areas_of_the_sphere_are_equal_areas_of_the_discs():
    # a cap of height 1 - z has area 2 pi (1 - z); a disc of the radius of its rim, pi r^2
    for z in (0.9, 0.5, 0.1):
        x, y, _ = module._flat(np.array([np.sqrt(1 - z * z), 0.0, z]))
        assert x * x + y * y == pytest.approx(1 - z)


def test_turning_keeps_distances_and_puts_the_points_far_from_the_rim():
    points = on_a_sphere(40) * np.array([1.0, 0.05, 0.02])
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    turned = module._turned(points)
    np.testing.assert_allclose(turned @ turned.T, points @ points.T, atol=1e-12)
    moments = (turned**2).sum(axis=0)
    assert moments[2] == moments.max()
    assert moments[2] > 0.8 * len(points)


def test_every_point_becomes_a_mark_of_its_kind_and_person():
    raw = {
        "points": on_a_sphere(6).tolist(),
        "kind": ["real", "erased", "reinforced"] * 2,
        "identity": ["a", "a", "a", "b", "b", "b"],
    }
    view = sphere(raw, {})
    assert [mark["kind"] for mark in view["marks"]] == ["real"] * 2 + ["erased"] * 2 + [
        "reinforced"
    ] * 2
    assert view["names"] == [("1", "a"), ("2", "b")]
    drawn = str(sphere_chart(view))
    assert drawn.count('class="hollow id-0"') == drawn.count('class="hollow id-1"') == 2
    assert drawn.count('class="solid id-0"') == 1


def test_no_mark_leaves_its_disc():
    view = sphere(figure(on_a_sphere(200).tolist()), {})
    assert all(mark["x"] ** 2 + mark["y"] ** 2 <= 1 + 1e-9 for mark in view["marks"])


def test_more_people_than_colours_are_left_out_and_counted():
    names = [f"n{k}" for k in range(N_IDENTITIES + 3)]
    raw = figure(on_a_sphere(len(names)).tolist()) | {"identity": names}
    view = sphere(raw, {})
    assert len(view["names"]) == len(view["marks"]) == N_IDENTITIES
    assert view["n_left_out"] == 3


def test_numbers_in_the_place_of_names_make_the_order():
    raw = figure(on_a_sphere(4).tolist()) | {"identity": ["a", "b", "c", "c"]}
    view = sphere(raw, {"c": "person 1", "x": "person 2", "b": "person 3", "a": "person 4"})
    assert view["names"] == [("1", ""), ("3", ""), ("4", "")]
    assert [place["text"] for place in view["numbers"]] == ["1", "3", "4"]


@pytest.mark.parametrize(
    "raw",
    [
        None,
        {},
        "text",
        figure([[0.0, 0.0, 1.0]]),
        figure([[0.0, 0.0], [1.0, 0.0]]),
        figure([[0.0, 0.0, 0.0], [None, 0.0, 1.0], [float("nan"), 1.0, 0.0]]),
        figure([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]], kind="secret"),
    ],
)
def test_points_that_make_no_map_leave_it_out(raw):
    assert sphere(raw, {}) is None
