import numpy as np
import pytest
import torch
from torch import nn

from reinforge.data.drawn import draw_identities, draw_pictures
from reinforge.data.drawn_shapes import Canvas, ellipse, triangle_wave
from reinforge.errors import InputError
from reinforge.records import Pictures


def test_a_set_is_uint8_pictures_with_identities_and_names_in_order():
    drawn = draw_identities(3, 2, size=16, seed=0)
    assert isinstance(drawn.pixels, Pictures)
    assert drawn.pixels.shape == (6, 16, 16, 3)
    assert drawn.pixels.dtype == np.uint8
    assert drawn.identity.tolist() == [0, 0, 1, 1, 2, 2]
    assert drawn.identity.dtype == np.int64
    assert drawn.names == ("drawn-00000", "drawn-00001", "drawn-00002")
    assert drawn.sources[3] == "drawn-00001/1"


def test_a_picture_does_not_depend_on_what_is_drawn_beside_it():
    many = draw_identities(7, 5, size=24, seed=3).pixels[np.arange(35)]
    alone = draw_pictures(np.array([4]), np.array([2]), size=24, seed=3)
    np.testing.assert_array_equal(many[4 * 5 + 2], alone[0])


def test_a_set_longer_than_a_block_begins_with_the_shorter_one():
    short, long = (draw_identities(n, 2, size=64, seed=1).pixels for n in (3, 12))
    np.testing.assert_array_equal(long[np.arange(6)], short[np.arange(6)])


@pytest.mark.parametrize("other", [{"seed": 1}, {"nuisance": 0.5}])
def test_other_keys_draw_other_pictures(other):
    one = draw_identities(2, 2, **{"seed": 0, **other}).pixels
    assert (one[np.arange(4)] != draw_identities(2, 2, seed=0).pixels[np.arange(4)]).any()


def test_without_nuisance_a_face_stays_and_the_scene_changes():
    pictures = draw_identities(1, 2, size=32, seed=0, nuisance=0.0).pixels[np.arange(2)]
    same = (pictures[0] == pictures[1]).all(axis=-1)
    assert same[12:20, 12:20].all()
    assert not same[:3, :3].any()


def test_pictures_of_one_size_show_the_same_face_as_those_of_another():
    small, large = (draw_identities(8, 1, size=s, seed=0).pixels[np.arange(8)] for s in (32, 64))
    shrunk = large.reshape(8, 32, 2, 32, 2, 3).mean(axis=(2, 4))
    assert np.abs(small - shrunk).mean() < 4


def test_pictures_use_the_range_of_grey_levels_without_being_clipped_away():
    pixels = draw_identities(20, 5, seed=2).pixels[np.arange(100)]
    assert 90 < pixels.mean() < 165
    assert pixels.std() > 45
    assert ((pixels == 0) | (pixels == 255)).mean() < 0.1


def test_identities_are_told_apart_by_a_small_network_and_not_by_raw_pixels():
    n_identities, n_train, per_identity = 20, 30, 40
    drawn = draw_identities(n_identities, per_identity, seed=5)
    grey = drawn.pixels[np.arange(len(drawn))].mean(axis=-1)  # shape alone, no colour
    pixels = torch.tensor(grey, dtype=torch.float32)[:, None] / 127.5 - 1
    label = torch.tensor(drawn.identity)
    is_train = torch.tensor(np.tile(np.arange(per_identity) < n_train, n_identities))
    train, train_label = pixels[is_train], label[is_train]
    test, test_label = pixels[~is_train], label[~is_train]
    centroid = train.view(n_identities, n_train, -1).mean(1)
    nearest = torch.cdist(test.flatten(1), centroid).argmin(1)
    assert (nearest == test_label).float().mean() < 0.5
    net = _learned(train, train_label, n_identities)
    assert (net(test).argmax(1) == test_label).float().mean() > 0.85


def _learned(pixels, label, n_identities):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layers = []
        for width_in, width in ((1, 16), (16, 32), (32, 48)):
            conv = nn.Conv2d(width_in, width, 3, padding=1)
            layers += [conv, nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2)]
        net = nn.Sequential(*layers, nn.Flatten(), nn.Linear(48 * 16, n_identities))
        optimiser = torch.optim.Adam(net.parameters(), 2e-3)
        for _ in range(10):
            for part in torch.randperm(len(pixels)).split(30):
                loss = nn.functional.cross_entropy(net(pixels[part]), label[part])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
    return net.eval()


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ({"n_identities": 0, "per_identity": 1}, "at least 1 identity"),
        ({"n_identities": 1, "per_identity": 0}, "1 picture of it, got 1 and 0"),
        ({"n_identities": 1, "per_identity": 1, "size": 8}, "size must be at least 16"),
        ({"n_identities": 1, "per_identity": 1, "nuisance": -1.0}, "nuisance lie in"),
    ],
)
def test_numbers_out_of_range_are_refused(numbers, said):
    with pytest.raises(InputError, match=said):
        draw_identities(**numbers, seed=0)


def test_the_edge_of_a_shape_covers_half_a_pixel():
    canvas = Canvas(1, 1, np.full((1, 1, 1), 0.5, np.float32))
    white = np.ones((3, 1, 1, 1), np.float32)
    canvas.paint(np.zeros((1, 1, 1), np.float32), white)
    np.testing.assert_allclose(canvas.rgb, 0.5)
    canvas.paint(np.full((1, 1, 1), 0.125, np.float32), white)  # a quarter pixel outside
    np.testing.assert_allclose(canvas.rgb, 0.5 + 0.25 * 0.5)


def test_the_distance_to_a_circle_is_exact_and_to_an_ellipse_right_on_its_axes():
    x, y = np.float32([3.0, 0.0, 2.0]), np.float32([0.0, 0.5, 0.0])
    np.testing.assert_allclose(ellipse(x, y, np.float32(1), np.float32(1)), [2, -0.5, 1], atol=1e-5)
    on_edge = ellipse(np.float32([2.0, 0.0]), np.float32([0.0, 1.0]), np.float32(2), np.float32(1))
    np.testing.assert_allclose(on_edge, 0, atol=1e-6)


def test_a_zigzag_has_period_one():
    np.testing.assert_allclose(
        triangle_wave(np.array([0.0, 0.25, 0.5, 1.0, -0.5])), [1, 0.5, 0, 1, 0]
    )


def test_the_centre_of_an_ellipse_lies_inside():
    nothing = np.zeros(1, np.float32)
    assert (ellipse(nothing, nothing, np.float32(2), np.float32(1)) <= -1).all()
