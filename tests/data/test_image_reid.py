"""Re-identification sets: names tell identity and camera; junk and distractors by the rule."""

import pytest
from small_pictures import put

from reinforge.data.images import read_images, read_reid
from reinforge.errors import InputError

PARTS = {
    "bounding_box_train": ["0002_c1s1_000451_03.jpg", "0002_c2s1_000001_01.jpg", "0007_c3_1.jpg"],
    "query": ["0010_c1s1_000001_00.jpg", "0012_c6s4_000001_00.jpg"],
    "bounding_box_test": [
        "-1_c1s1_000401_03.jpg",
        "0000_c1s1_000151_01.jpg",
        "0000_c2s1_000151_01.jpg",
        "0010_c4s1_000001_01.jpg",
        "0011_c4s1_000001_01.jpg",
    ],
}


@pytest.fixture
def market(tmp_path):
    seed = 0
    for part, names in PARTS.items():
        for name in names:
            seed += 1
            put(tmp_path / part / name, seed, height=32, width=16)
        (tmp_path / part / "Thumbs.db").write_bytes(b"x")
    return tmp_path


def test_names_tell_identity_and_camera(market):
    train = read_reid(market)["train"]
    assert train.names == ("0002", "0007")
    assert train.identity.tolist() == [0, 0, 1]
    assert train.camera.tolist() == [1, 2, 3]


def test_people_are_stretched_to_256_by_128(market):
    assert {s.pixels.shape[1:] for s in read_reid(market).values()} == {(256, 128, 3)}


def test_query_and_gallery_share_their_numbers(market):
    parts = read_reid(market, size=None)
    query, gallery = parts["query"], parts["gallery"]
    assert query.names == gallery.names == ("0000", "0010", "0011", "0012")
    assert query.identity.tolist() == [1, 3]
    assert gallery.identity.tolist() == [0, 0, 1, 2]


def test_junk_is_nowhere_and_distractors_are_in_the_gallery_alone(market):
    put(market / "query" / "-1_c2_9.jpg", 80, height=32, width=16)
    put(market / "query" / "0000_c2_9.jpg", 81, height=32, width=16)
    with pytest.warns(UserWarning, match=r"query: 1 pictures of identity 0 \(distractors\)"):
        parts = read_reid(market, size=None)
    assert [len(parts[part]) for part in ("train", "query", "gallery")] == [3, 2, 4]
    assert not any("-1_c" in source for part in parts.values() for source in part.sources)


def test_read_images_takes_the_training_part(market):
    assert read_images(market).names == ("0002", "0007")
    assert read_images(market / "bounding_box_test").names == ("0000", "0010", "0011")


def test_cuhk03_np_names_are_read(tmp_path):
    put(tmp_path / "0001_c1_1.png", 1)
    put(tmp_path / "0001_c2_6.png", 2)
    images = read_images(tmp_path)
    assert images.names == ("0001",)
    assert images.camera.tolist() == [1, 2]


def test_a_missing_part_is_named(market):
    (market / "query").rename(market / "queries")
    with pytest.raises(InputError, match=r"query does not exist.*bounding_box_test"):
        read_reid(market)


def test_people_of_both_train_and_query_are_said_aloud(market):
    put(market / "query" / "0002_c5_1.jpg", 90, height=32, width=16)
    with pytest.warns(UserWarning, match="1 identities are in train and in query, e.g. '0002'"):
        read_reid(market, size=None)


def test_parts_that_differ_in_channels_are_refused(market):
    for name in PARTS["query"]:
        put(market / "query" / name, 3 + len(name), height=32, width=16, channel=1)
    put(market / "query" / PARTS["query"][0], 99, height=32, width=16, channel=1)
    with pytest.raises(InputError, match=r"the parts differ.*channels="):
        read_reid(market)
    assert read_reid(market, channels=1)["train"].pixels.shape[3] == 1
