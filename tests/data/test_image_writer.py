"""Writing pictures: what is read back is what was written, under names that any system holds."""

import errno
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_pictures import pixels

from reinforge.data.image_writer import folder_names
from reinforge.data.images import digest, read_images, write_images
from reinforge.errors import InputError, ResourceError
from reinforge.records import ImageSet

NAMES = ("Ada Lovelace", "../etc", "CON", "a", "A", "", ".hidden", "Zoë", "__MACOSX", "x" * 300)


def _set(names=NAMES, channel=3, **more):
    return ImageSet(
        pixels=np.stack([pixels(seed, channel=channel) for seed in range(len(names))]),
        identity=np.arange(len(names), dtype="int64"),
        names=names,
        **more,
    )


@pytest.mark.parametrize("channel", [1, 3])
def test_what_is_written_is_read_back(tmp_path, channel):
    names = tuple(sorted(NAMES))
    group = tuple("xy"[at % 2] for at in range(len(names)))
    images = _set(names, channel, camera=np.arange(len(names), dtype="int64"), group=group)
    write_images(images, tmp_path / "out")
    assert digest(read_images(tmp_path / "out")) == digest(images)


def test_the_manifest_names_file_identity_and_digest(tmp_path):
    write_images(_set(("ada", "b b")), tmp_path / "out")
    lines = (tmp_path / "out" / "manifest.jsonl").read_text().splitlines()
    first, second = map(json.loads, lines)
    content = (tmp_path / "out" / "ada" / "00001.png").read_bytes()
    assert first == {
        "file": "ada/00001.png",
        "identity": "ada",
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    assert second["identity"] == "b b"
    assert second["file"].startswith("b_b-")


def test_the_same_pictures_give_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        write_images(_set(("ada", "bob")), tmp_path / name)
    first, second = (
        {p.relative_to(tmp_path / n): p.read_bytes() for p in (tmp_path / n).rglob("*.*")}
        for n in ("one", "two")
    )
    assert first == second


@given(st.lists(st.text(max_size=130), unique=True, max_size=8))
@settings(max_examples=200, deadline=None)
def test_folder_names_are_safe_and_no_two_alike(names):
    places = folder_names(tuple(names))
    assert len({place.lower() for place in places}) == len(names)
    for place in places:
        assert Path(place).name == place
        assert place.isascii()
        assert 0 < len(place) <= 120
        assert place[0] != "."
        assert place[-1] != "."
        assert place.upper() not in {"CON", "NUL", "AUX", "COM1", "THUMBS.DB", "__MACOSX"}


def test_a_safe_name_stays_as_it_is():
    assert folder_names(("ada", "m.0abc", "0000045", "Al_Gore-2")) == [
        "ada",
        "m.0abc",
        "0000045",
        "Al_Gore-2",
    ]


def test_names_that_differ_by_case_get_folders_that_differ_by_more():
    assert len({place.lower() for place in folder_names(("ada", "Ada", "ADA"))}) == 3


def test_a_folder_that_holds_something_is_refused(tmp_path):
    (tmp_path / "old.txt").touch()
    with pytest.raises(InputError, match="holds something"):
        write_images(_set(("ada",)), tmp_path)
    with pytest.raises(InputError, match="cannot be made"):
        write_images(_set(("ada",)), tmp_path / "old.txt" / "inside")


def test_a_full_disk_is_a_resource_error_and_leaves_no_manifest(tmp_path, monkeypatch):
    def full(self, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ResourceError, match="the disk is full"):
        write_images(_set(("ada",)), tmp_path / "out")
    assert not (tmp_path / "out" / "manifest.jsonl").exists()
