"""Reading sets of pictures: what is no good is left out and named, or stops the reading."""

import logging
from dataclasses import replace

import numpy as np
import pytest
from small_pictures import album, encoded, pixels, put

from reinforge.data.images import digest, read_images
from reinforge.errors import InputError


@pytest.fixture
def people(tmp_path):
    return album(tmp_path / "people", {"ada": 2, "bob": 1})


def test_a_folder_an_identity_gives_names_numbers_and_sources(people):
    images = read_images(people)
    assert images.names == ("ada", "bob")
    assert images.identity.tolist() == [0, 0, 1]
    assert images.pixels.shape == (3, 16, 16, 3)
    np.testing.assert_array_equal(images.pixels[2], pixels(3))
    assert images.sources[2] == str(people / "bob" / "bob_0001.png")
    assert images.camera is None
    assert images.group is None


def test_the_layout_found_is_told(people, caplog):
    with caplog.at_level(logging.INFO, logger="reinforge"):
        read_images(people)
    assert "laid out as 'folders'" in caplog.text


def test_names_with_spaces_unicode_and_other_case_are_kept_apart(tmp_path):
    names = ["Ada Lovelace", "ada lovelace", "Zoë", "Zoe\u0308", "日本", "a'b\"c"]
    album(tmp_path, dict.fromkeys(names, 1))
    assert read_images(tmp_path).names == tuple(sorted(names))


def test_progress_ends_at_one(people):
    told = []
    read_images(people, progress=lambda stage, share: told.append((stage, share)))
    assert told[-1] == ("read", 1.0)


def test_a_size_in_one_number_is_a_square(people):
    assert read_images(people, size=10).pixels.shape == (3, 10, 10, 3)
    assert read_images(people, size=(12, 9)).pixels.shape == (3, 12, 9, 3)


def test_pictures_of_several_sizes_need_a_size(people):
    put(people / "bob" / "large.png", 50, height=20)
    with pytest.raises(InputError, match=r"differ in size: .*16 x 16.*20 x 16.*give size="):
        read_images(people)
    assert read_images(people, size=16).pixels.shape == (4, 16, 16, 3)


def test_a_set_is_grey_where_all_pictures_are(tmp_path):
    album(tmp_path, {"ada": 2}, channel=1)
    assert read_images(tmp_path).pixels.shape == (2, 16, 16, 1)
    assert read_images(tmp_path, channels=3).pixels.shape == (2, 16, 16, 3)
    put(tmp_path / "ada" / "colour.png", 9)
    images = read_images(tmp_path)
    np.testing.assert_array_equal(images.pixels[0], np.repeat(pixels(1, channel=1), 3, axis=2))


BAD = {
    "zero.jpg": (b"", "empty file"),
    "html.jpg": (b"<html>not found</html>", "HTML page"),
    "cut.jpg": (encoded(pixels(60, 64, 64), "JPEG")[:400], "damaged"),
    "text.png": (b"a wrong ending", "no picture that can be read"),
    "phone.heic": (b"\0\0\0\x18ftypheic", "HEIC, which is not supported"),
    "logo.svg": (b"<svg/>", "SVG, which is not supported"),
    "scan.pdf": (b"%PDF-1.4", "a PDF"),
    "dot.png": (encoded(np.zeros((1, 1, 3), "uint8")), "side of less than 8"),
}


@pytest.mark.parametrize(("name", "content", "reason"), [(n, *b) for n, b in BAD.items()], ids=BAD)
def test_a_bad_file_is_left_out_named_and_told(people, name, content, reason):
    (people / "ada" / name).write_bytes(content)
    rejected = {}
    with pytest.warns(UserWarning, match=f"1 of 4 pictures are left out: .*{name}.*{reason}"):
        images = read_images(people, max_rejected=0.3, on_rejected=rejected.__setitem__)
    assert len(images) == 3
    assert list(rejected) == [str(people / "ada" / name)]


def test_a_picture_under_a_wrong_ending_is_read(people):
    (people / "ada" / "really.jpg").write_bytes(encoded(pixels(70)))
    np.testing.assert_array_equal(read_images(people).pixels[2], pixels(70))


def test_too_many_bad_files_stop_the_reading_by_name(people):
    for name in ("a", "b", "c", "d"):
        (people / "ada" / f"{name}.jpg").write_bytes(b"")
    with pytest.raises(InputError, match=r"2 of the first 4 pictures \(of 7\).*a\.jpg.*b\.jpg"):
        read_images(people, max_rejected=0.2)


def test_exactly_the_largest_share_of_bad_files_passes(people):
    (people / "ada" / "bad.jpg").write_bytes(b"")
    with pytest.warns(UserWarning, match="1 of 4"):
        read_images(people, max_rejected=0.25)
    with pytest.raises(InputError, match=r"more than max_rejected=0\.24"):
        read_images(people, max_rejected=0.24)


def test_an_identity_without_a_good_picture_is_named(people):
    (people / "cy").mkdir()
    (people / "cy" / "bad.jpg").write_bytes(b"")
    with pytest.warns(UserWarning, match="no picture is left of 'cy'"):
        images = read_images(people, max_rejected=0.5)
    assert images.names == ("ada", "bob")


@pytest.mark.parametrize("share", [-0.1, 1.0, 5.0])
def test_a_share_that_is_none_is_refused(people, share):
    with pytest.raises(InputError, match=r"max_rejected must lie in \[0, 1\)"):
        read_images(people, max_rejected=share)


def test_copies_across_identities_are_one_line_that_names_two(people):
    put(people / "bob" / "copy.png", 1)
    put(people / "ada" / "again.png", 2)
    pattern = r"2 pictures are exact copies.*1 of them under another.*ada_0001\.png.*copy\.png"
    with pytest.warns(UserWarning, match=pattern) as caught:
        read_images(people)
    assert len(caught) == 1


def test_an_animation_is_said_aloud(people):
    from PIL import Image

    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue")]
    frames[0].save(people / "ada" / "wave.gif", save_all=True, append_images=frames[1:])
    with pytest.warns(UserWarning, match=r"1 pictures have several frames.*wave\.gif"):
        images = read_images(people)
    assert images.pixels[2, 0, 0].tolist() == [255, 0, 0]


def test_settings_that_would_change_nothing_are_refused(people):
    with pytest.raises(InputError, match="array= is for NPZ files"):
        read_images(people, array="images")
    with pytest.raises(InputError, match="columns= is for tables"):
        read_images(people, columns={"path": "file"})


def test_the_digest_is_that_of_names_numbers_and_pixels(people):
    images = read_images(people)
    assert digest(images) == digest(read_images(people))
    other = images.pixels.copy()
    other[2, 0, 0, 0] ^= 1
    moved = images.identity.copy()
    moved[0] = 1
    changed = [
        replace(images, pixels=other),
        replace(images, names=("ada", "rob")),
        replace(images, identity=moved),
        replace(images, camera=np.zeros(3, "int64")),
        replace(images, group=("x", "x", "y")),
    ]
    assert len({digest(one) for one in [images, *changed]}) == 6


def test_the_digest_does_not_depend_on_where_a_set_lies(people, tmp_path):
    before = digest(read_images(people))
    people.rename(tmp_path / "elsewhere")
    assert digest(read_images(tmp_path / "elsewhere")) == before
