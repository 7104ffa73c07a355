"""Splits: nobody on both sides by identity, everybody by image, and refusals that name people."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_pictures import album, pixels

from reinforge.data import image_reading
from reinforge.data.images import (
    FilePictures,
    read_images,
    require_identities,
    split_images,
    split_pictures,
    with_at_least,
)
from reinforge.errors import InputError
from reinforge.records import ImageSet


def _set(counts):
    identity = np.repeat(np.arange(len(counts)), counts).astype("int64")
    return ImageSet(
        pixels=np.stack([pixels(seed, 8, 8, 1) for seed in range(len(identity))]),
        identity=identity,
        names=tuple(f"p{at}" for at in range(len(counts))),
        camera=np.arange(len(identity), dtype="int64"),
        sources=tuple(f"{at}.png" for at in range(len(identity))),
    )


COUNTS = st.lists(st.integers(2, 5), min_size=2, max_size=6)


@given(counts=COUNTS, holdout=st.floats(0.05, 0.95), seed=st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_by_identity_nobody_is_on_both_sides_and_nothing_is_lost(counts, holdout, seed):
    images = _set(counts)
    train, held = split_images(images, holdout=holdout, seed=seed)
    assert not set(train.names) & set(held.names)
    assert set(train.names) | set(held.names) == set(images.names)
    assert len(held.names) == min(max(1, round(holdout * len(counts))), len(counts) - 1)
    assert sorted([*train.sources, *held.sources]) == sorted(images.sources)
    for part in (train, held):
        assert set(part.identity.tolist()) == set(range(len(part.names)))
        for at, source in enumerate(part.sources):
            old = images.sources.index(source)
            assert part.names[part.identity[at]] == images.names[images.identity[old]]
            assert part.camera[at] == images.camera[old]


@given(counts=COUNTS, holdout=st.floats(0.05, 0.95), seed=st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_by_image_everybody_is_on_both_sides(counts, holdout, seed):
    images = _set(counts)
    train, held = split_images(images, holdout=holdout, by="image", seed=seed)
    assert train.names == held.names == images.names
    for identity, count in enumerate(counts):
        n_held = int((held.identity == identity).sum())
        assert n_held == min(max(1, round(holdout * count)), count - 1)
        assert int((train.identity == identity).sum()) == count - n_held
    assert sorted([*train.sources, *held.sources]) == sorted(images.sources)


def test_exactly_so_many_pictures_of_each_train():
    train, held = split_images(_set([5, 3, 4]), by="image", per_identity=2, seed=0)
    assert np.bincount(train.identity).tolist() == [2, 2, 2]
    assert np.bincount(held.identity).tolist() == [3, 1, 2]


def test_the_seed_decides_and_nothing_else():
    images = _set([3] * 8)
    first = split_images(images, seed=1)[1].names
    assert split_images(images, seed=1)[1].names == first
    assert len({split_images(images, seed=seed)[1].names for seed in range(9)}) > 3


def test_pictures_of_one_identity_do_not_depend_on_the_others():
    # a person who joins the set moves nobody else's pictures
    few, more = _set([6, 6]), _set([6, 6, 6])
    held = [split_images(s, by="image", seed=4)[1].sources for s in (few, more)]
    assert held[0] == held[1][: len(held[0])]


def test_each_identity_has_its_own_draw():
    held = split_images(_set([6] * 8), by="image", holdout=0.2, seed=0)[1]
    assert len({int(source.split(".")[0]) % 6 for source in held.sources}) > 2


def test_a_set_on_disk_stays_there(tmp_path, monkeypatch):
    monkeypatch.setattr(image_reading, "MEMORY_BYTES", 0)
    images = read_images(album(tmp_path, {"ada": 3, "bob": 3, "cy": 3}))
    for by in ("identity", "image"):
        train, held = split_images(images, by=by, seed=0)
        assert isinstance(train.pixels, FilePictures)
        assert len(train.pixels) == len(train) == len(train.sources)
        at = images.sources.index(held.sources[0])
        np.testing.assert_array_equal(held.pixels[[0]], images.pixels[[at]])


@pytest.mark.parametrize(
    ("counts", "options", "expected"),
    [
        ([5], {}, "too few identities: 1, wanted 2 at least for a split"),
        ([3, 1], {"by": "image"}, r"1 identities have fewer than 2 pictures: 'p1' \(1\)"),
        ([3, 9], {"by": "image", "per_identity": 3}, r"fewer than 4 pictures: 'p0' \(3\)"),
        ([3, 3], {"per_identity": 2}, "goes with by='image'"),
        ([3, 3], {"per_identity": 2, "by": "image", "holdout": 0.5}, "takes the place"),
        ([3, 3], {"per_identity": 0, "by": "image"}, "per_identity must be 1 or more"),
        ([3, 3], {"holdout": 0.0}, r"holdout must lie in \(0, 1\)"),
        ([3, 3], {"holdout": 1.5}, r"holdout must lie in \(0, 1\)"),
    ],
)
def test_a_split_that_cannot_be_is_refused(counts, options, expected):
    with pytest.raises(InputError, match=expected):
        split_images(_set(counts), seed=0, **options)


def test_copies_on_both_sides_are_said_aloud():
    images = _set([4, 4])
    images = replace(images, pixels=images.pixels[[0, 0, 0, 0, 4, 5, 6, 7]])
    with pytest.warns(UserWarning, match=r"1 pictures of the holdout are exact copies.*\.png"):
        split_images(images, by="image", seed=0)


def test_identities_with_few_pictures_are_dropped():
    kept = with_at_least(_set([1, 3, 2]), 2)
    assert kept.names == ("p1", "p2")
    assert kept.identity.tolist() == [0, 0, 0, 1, 1]
    with pytest.raises(InputError, match="no identity has 9 pictures; the most that one has is 3"):
        with_at_least(_set([1, 3, 2]), 9)


def test_a_set_too_small_for_batches_of_identities_is_refused():
    require_identities(_set([2, 2]))
    with pytest.raises(InputError, match="too few identities: 1, wanted 2 at least; add some"):
        require_identities(_set([9]))
    with pytest.raises(InputError, match=r"2 identities have fewer than 2 pictures: 'p0' \(1\)"):
        require_identities(_set([1, 1]))
    with pytest.raises(InputError, match=r"fewer than 4 pictures: 'p1' \(3\).*with_at_least"):
        require_identities(_set([4, 3]), n_pictures=4)


# three parts

MANY = st.lists(st.integers(1, 6), min_size=4, max_size=8)
SHARE = st.floats(0.0, 0.9)


@given(counts=MANY, unseen=st.floats(0.0, 0.4), holdout=SHARE, seed=st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_three_parts_lose_nothing_and_keep_unseen_people_apart(counts, unseen, holdout, seed):
    images = _set(counts)
    parts = split_pictures(images, unseen=unseen, holdout=holdout, seed=seed)
    sets = [part for part in (parts.train, parts.holdout, parts.unseen) if part is not None]
    assert sorted(source for part in sets for source in part.sources) == sorted(images.sources)
    names = {part.names[at] for part in sets[:1] for at in part.identity}
    assert names == set(parts.train.names)
    if parts.unseen is not None:
        assert not set(parts.unseen.names) & names
        assert min(np.bincount(parts.unseen.identity)) >= 2
    if parts.holdout is not None:
        assert parts.holdout.names == parts.train.names


def test_people_with_few_pictures_keep_them_all_and_others_give_at_least_one():
    parts = split_pictures(_set([3, 4, 10, 2]), unseen=0.0, holdout=0.2, seed=0)
    assert parts.unseen is None
    assert np.bincount(parts.train.identity).tolist() == [3, 3, 8, 2]
    assert np.bincount(parts.holdout.identity, minlength=4).tolist() == [0, 1, 2, 0]


def test_a_share_of_nothing_holds_nobody_and_nothing_back():
    parts = split_pictures(_set([5, 5]), unseen=0.0, holdout=0.0, seed=0)
    assert (parts.holdout, parts.unseen, len(parts.train)) == (None, None, 10)


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        ({"unseen": 0.7}, "fewer than 2 of 3 identities"),
        ({"unseen": 1.0}, r"unseen must lie in \[0, 1\)"),
        ({"holdout": -0.1}, r"holdout must lie in \[0, 1\)"),
    ],
)
def test_three_parts_that_cannot_be_are_refused(shares, said):
    with pytest.raises(InputError, match=said):
        split_pictures(_set([4, 4, 4]), seed=0, **shares)
