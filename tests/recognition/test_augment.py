import torch

from reinforge.recognition.augment import augment
from reinforge.recognition.config import resolve_recogniser

OFF = {"mirror": 0.0, "shift": 0.0, "augmentation": 0.0, "random_erasing": 0.0}


def views(pixels, *, seed=0, **settings):
    config = resolve_recogniser("small", **{**OFF, **settings})
    return augment(pixels, config, generator=torch.Generator().manual_seed(seed))


def a_picture(n=1):
    return (torch.arange(12.0 * 8).view(1, 1, 12, 8) * 2).expand(n, 1, 12, 8)


def test_without_strength_a_view_is_the_picture():
    torch.testing.assert_close(views(a_picture()), a_picture(), rtol=0, atol=1e-3)


def test_mirror_turns_left_and_right_around():
    torch.testing.assert_close(
        views(a_picture(), mirror=1.0), a_picture().flip(3), rtol=0, atol=1e-3
    )


def test_a_shift_moves_by_at_most_its_share_of_the_side():
    pixels = torch.zeros((300, 1, 20, 20))
    pixels[:, :, 10, 10] = 255.0
    place = views(pixels, shift=0.1).flatten(1).argmax(dim=1)
    rows, columns = place // 20, place % 20
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (8, 12, 8, 12)


def test_views_stay_in_range_and_differ_from_each_other():
    out = views(a_picture(6), augmentation=2.0, shift=0.1, random_erasing=0.5)
    assert 0 <= float(out.min()) <= float(out.max()) <= 255
    assert len({tuple(view.flatten().tolist()) for view in out}) == 6


def test_a_turn_of_an_oblong_picture_keeps_a_disc_round():
    rows, columns = torch.meshgrid(torch.arange(80.0), torch.arange(40.0), indexing="ij")
    disc = ((rows - 39.5) ** 2 + (columns - 19.5) ** 2 < 100).float()
    out = views((200 * disc).expand(20, 1, 80, 40), augmentation=1.0, seed=5)[:, 0]
    for view in out:  # as wide as high, up to what stretch of strength 1 changes, and not skewed
        rows, columns = torch.where(view > (view.min() + view.max()) / 2)
        spread = torch.cov(torch.stack([rows, columns]).float())
        assert abs(float((spread[0, 0] / spread[1, 1]).log())) < 0.3
        assert abs(float(spread[0, 1] / spread[0, 0])) < 0.05


def test_the_same_seed_gives_the_same_views():
    strong = {"augmentation": 1.0, "random_erasing": 0.5, "mirror": 0.5}
    assert torch.equal(views(a_picture(5), **strong), views(a_picture(5), **strong))
    assert not torch.equal(views(a_picture(5), **strong), views(a_picture(5), seed=1, **strong))
