"""Pictures on disk: the same as in memory, and never silently others than at the start."""

import os
import time

import numpy as np
import pytest
from small_pictures import album, put

from reinforge.data import image_reading
from reinforge.data.images import FilePictures, digest, read_images
from reinforge.data.picture import UnreadablePictureError, Wanted
from reinforge.data.picture_files import look_at, pixel_hash
from reinforge.errors import InputError
from reinforge.records import Pictures


@pytest.fixture
def folder(tmp_path):
    return album(tmp_path / "people", {"ada": 3, "bob": 2})


@pytest.fixture
def on_disk(monkeypatch):
    """No set fits into memory."""
    monkeypatch.setattr(image_reading, "MEMORY_BYTES", 0)


def test_a_set_on_disk_is_the_set_in_memory(folder, monkeypatch):
    in_memory = read_images(folder, size=12)
    monkeypatch.setattr(image_reading, "MEMORY_BYTES", 0)
    lazy = read_images(folder, size=12)
    assert isinstance(lazy.pixels, FilePictures)
    assert isinstance(lazy.pixels, Pictures)
    assert isinstance(in_memory.pixels, np.ndarray)
    assert lazy.pixels.shape == in_memory.pixels.shape == (5, 12, 12, 3)
    assert len(lazy.pixels) == 5
    np.testing.assert_array_equal(lazy.pixels[np.arange(5)], in_memory.pixels)
    assert digest(lazy) == digest(in_memory)


def test_a_grey_set_on_disk_has_one_channel(tmp_path, on_disk):
    album(tmp_path, {"ada": 2}, channel=1)
    assert read_images(tmp_path).pixels.shape == (2, 16, 16, 1)


def test_a_grey_picture_among_colours_on_disk_has_three_and_the_digest_of_memory(
    tmp_path, monkeypatch
):
    album(tmp_path, {"ada": 2})
    put(tmp_path / "ada" / "grey.png", 90, channel=1)
    in_memory = read_images(tmp_path)
    monkeypatch.setattr(image_reading, "MEMORY_BYTES", 0)
    lazy = read_images(tmp_path)
    assert lazy.pixels[np.array([2])].shape == (1, 16, 16, 3)
    assert digest(lazy) == digest(in_memory)


def test_numbers_masks_and_slices_choose_in_their_order(folder, on_disk):
    pictures = read_images(folder).pixels
    everything = pictures[np.arange(5)]
    np.testing.assert_array_equal(pictures[np.array([3, 0, 3])], everything[[3, 0, 3]])
    np.testing.assert_array_equal(pictures[1:3], everything[1:3])
    np.testing.assert_array_equal(pictures[np.arange(5) == 4], everything[4:])
    np.testing.assert_array_equal(pictures[2], everything[2])
    np.testing.assert_array_equal(pictures.only(np.array([4, 1]))[0], everything[4])


def test_a_deleted_file_is_an_error_with_its_path(folder, on_disk):
    images = read_images(folder)
    (folder / "ada" / "ada_0002.png").unlink()
    images.pixels[np.array([0, 2])]
    with pytest.raises(InputError, match=r"ada_0002\.png was there at the start"):
        images.pixels[np.array([0, 1])]


def test_a_changed_file_is_an_error_with_its_path(folder, on_disk):
    images = read_images(folder)
    put(folder / "bob" / "bob_0001.png", 77, height=24, width=24)
    with pytest.raises(InputError, match=r"bob_0001\.png changed since the start"):
        images.pixels[np.array([3])]


def test_a_file_of_the_same_size_and_another_time_is_an_error(folder, on_disk):
    images = read_images(folder)
    later = time.time_ns() + 10**9
    os.utime(folder / "bob" / "bob_0001.png", ns=(later, later))
    with pytest.raises(InputError, match="changed since the start"):
        images.pixels[np.array([3])]


def test_pictures_on_disk_need_a_fixed_form():
    for wanted in (Wanted(size=(8, 8)), Wanted(channels=3)):
        with pytest.raises(InputError, match="fixed size and number of channels"):
            FilePictures([], wanted=wanted, hashes=[])


def test_what_is_no_file_is_unreadable(tmp_path):
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "broken.png").symlink_to(tmp_path / "nowhere.png")
    for name in ("folder.png", "broken.png", "missing.png", "nul\0.png"):
        with pytest.raises(UnreadablePictureError):
            look_at(tmp_path / name)
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(UnreadablePictureError, match="no regular file"):
        look_at(tmp_path / "pipe.png")


def test_the_same_bytes_in_another_shape_are_another_picture():
    flat = np.zeros(192, "uint8")
    assert pixel_hash(flat.reshape(8, 8, 3)) != pixel_hash(flat.reshape(12, 16, 1))
