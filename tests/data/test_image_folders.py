"""Layouts of folders: each is known by what it is, and what is open is asked."""

import os

import pytest
from small_pictures import album, put

from reinforge.data.images import detect_layout, read_images
from reinforge.errors import InputError


def test_each_layout_is_told_in_its_word(tmp_path):
    album(tmp_path / "faces", {"0000045": 1, "0000099": 1})
    album(tmp_path / "rfw" / "African", {"m.01": 1})
    for group in ("Asian", "Caucasian", "Indian"):
        (tmp_path / "rfw" / group).mkdir()
    put(tmp_path / "flat" / "0002_c1s1_000451_03.jpg", 1)
    put(tmp_path / "market" / "bounding_box_train" / "0002_c1s1_000451_03.jpg", 1)
    for name in ("a.csv", "b.tsv", "c.parquet", "d.npz"):
        (tmp_path / name).touch()
    found = {path.name: detect_layout(path) for path in tmp_path.iterdir()}
    assert found == {
        "faces": "folders",
        "rfw": "groups",
        "flat": "market",
        "market": "market",
        "a.csv": "table",
        "b.tsv": "table",
        "c.parquet": "table",
        "d.npz": "npz",
    }


def test_groups_are_read_with_their_identities(tmp_path):
    album(tmp_path / "North", {"m1": 1, "m2": 1})
    album(tmp_path / "South", {"m3": 1}, height=20)
    images = read_images(tmp_path, layout="groups", size=16)
    assert images.group == ("North", "North", "South")
    assert images.names == ("m1", "m2", "m3")


def test_an_identity_of_two_groups_is_refused(tmp_path):
    album(tmp_path / "North", {"m1": 1})
    album(tmp_path / "South", {"m1": 1})
    with pytest.raises(InputError, match="'m1' lies in the groups 'North' and 'South'"):
        read_images(tmp_path, layout="groups")


def test_two_folders_deep_without_known_groups_is_asked(tmp_path):
    album(tmp_path / "North", {"m1": 1})
    with pytest.raises(InputError, match="give layout='groups' if the outer folders"):
        read_images(tmp_path)


def test_parts_of_a_set_are_not_taken_for_identities(tmp_path):
    put(tmp_path / "train" / "a.png", 1)
    put(tmp_path / "test" / "b.png", 2)
    with pytest.raises(InputError, match=r"look like parts of a set.*layout='folders'"):
        read_images(tmp_path)
    assert read_images(tmp_path, layout="folders").names == ("test", "train")


def test_pictures_beside_folders_are_asked(tmp_path):
    album(tmp_path, {"ada": 1})
    put(tmp_path / "0002_c1_1.png", 5)
    with pytest.raises(InputError, match=r"layout='folders'.*layout='market'"):
        read_images(tmp_path)
    assert read_images(tmp_path, layout="folders").names == ("ada",)
    assert read_images(tmp_path, layout="market").names == ("0002",)


def test_pictures_without_a_known_name_are_refused_with_the_ways_to_tell(tmp_path):
    put(tmp_path / "holiday.png", 1)
    with pytest.raises(InputError, match=r"nothing tells whom 'holiday\.png' shows"):
        read_images(tmp_path)


def test_names_of_two_kinds_are_asked(tmp_path):
    put(tmp_path / "0002_c1_1.png", 1)
    put(tmp_path / "holiday.png", 2)
    with pytest.raises(InputError, match=r"'holiday\.png' is not; layout='market'"):
        read_images(tmp_path)
    with pytest.warns(UserWarning, match="does not start with IDENTITY_cCAMERA"):
        assert len(read_images(tmp_path, layout="market", max_rejected=0.5)) == 1


@pytest.mark.parametrize("nested", ["", "a/b/c"])
def test_an_empty_folder_is_refused(tmp_path, nested):
    (tmp_path / nested).mkdir(parents=True, exist_ok=True)
    with pytest.raises(InputError, match="holds no pictures"):
        read_images(tmp_path)
    with pytest.raises(InputError, match="holds no pictures"):
        read_images(tmp_path, layout="folders")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("faces.zip", "archive; unpack it first"),
        ("faces.tar.gz", "archive; unpack it first"),
        ("train.rec", "MXNet record file"),
        ("lfw.bin", "read_pairs"),
        ("x.npy", r"save it with its labels as \.npz"),
        ("photo.jpg", "is one file"),
        ("manifest.jsonl", "give its folder"),
        ("missing", "does not exist"),
    ],
)
def test_what_is_no_set_is_refused_with_the_remedy(tmp_path, name, expected):
    if name != "missing":
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(InputError, match=expected):
        read_images(tmp_path / name)


def test_an_unknown_layout_is_refused(tmp_path):
    with pytest.raises(InputError, match="layout='folder' is not known; use auto, folders"):
        read_images(tmp_path, layout="folder")


def test_versions_of_a_reid_set_are_asked(tmp_path):
    for version in ("detected", "labeled"):
        put(tmp_path / version / "bounding_box_train" / "0001_c1_1.png", 1)
    with pytest.raises(InputError, match=r"give one version of the set, e\.g\. .*detected"):
        read_images(tmp_path)


def test_what_systems_leave_behind_is_ignored(tmp_path):
    album(tmp_path, {"ada": 1})
    for name in (".hidden.png", "._ada_0001.png", "Thumbs.db", "thumbs.db", "desktop.ini"):
        (tmp_path / "ada" / name).write_bytes(b"no picture")
    (tmp_path / "ada" / "ada_0001.txt").write_text("landmarks")
    put(tmp_path / "__MACOSX" / "bob" / "x.png", 2)
    put(tmp_path / "__MACOSX" / "x.png", 3)
    put(tmp_path / ".cache" / "x.png", 3)
    assert read_images(tmp_path).names == ("ada",)
    assert len(read_images(tmp_path)) == 1


def test_links_in_a_circle_are_ignored_and_others_followed(tmp_path):
    album(tmp_path / "people", {"ada": 1})
    album(tmp_path / "elsewhere", {"bob": 1}, height=24)
    os.symlink(tmp_path / "people", tmp_path / "people" / "round")
    os.symlink(tmp_path, tmp_path / "people" / "ada" / "up")
    os.symlink("itself", tmp_path / "people" / "itself")
    os.symlink(tmp_path / "elsewhere" / "bob", tmp_path / "people" / "bob")
    assert read_images(tmp_path / "people", size=16).names == ("ada", "bob")


def test_a_folder_that_links_to_itself_holds_its_pictures_once(tmp_path):
    put(tmp_path / "0002_c1_1.png", 1)
    os.symlink(tmp_path, tmp_path / "again")
    assert len(read_images(tmp_path)) == 1


def test_a_link_to_nowhere_is_a_picture_left_out(tmp_path):
    album(tmp_path, {"ada": 1})
    os.symlink(tmp_path / "nowhere.png", tmp_path / "ada" / "gone.png")
    with pytest.warns(UserWarning, match=r"gone\.png.*cannot be opened: No such file"):
        assert len(read_images(tmp_path, max_rejected=0.5)) == 1
