"""NPZ files: arrays and encoded pictures end to end; what does not agree is refused."""

import numpy as np
import pytest
from small_pictures import encoded, pixels

from reinforge.data.images import read_images
from reinforge.errors import InputError

FOUR = np.stack([pixels(seed) for seed in range(4)])
LABELS = np.array([2, 0, 2, 1])
NAMES = np.array(["zoe", "ada", "bob"])


def _npz(folder, **arrays):
    np.savez(folder / "faces.npz", **arrays)
    return folder / "faces.npz"


def _jpeg(pictures):
    files = [encoded(picture, "JPEG", quality=95, subsampling=0) for picture in pictures]
    offsets = np.cumsum([0, *map(len, files)])
    return {"jpeg": np.frombuffer(b"".join(files), "uint8"), "offsets": offsets}


def test_labels_number_the_names_as_they_stand(tmp_path):
    images = read_images(_npz(tmp_path, images=FOUR, labels=LABELS, names=NAMES))
    assert images.names == ("zoe", "ada", "bob")
    assert images.identity.tolist() == [2, 0, 2, 1]
    np.testing.assert_array_equal(images.pixels, FOUR)


def test_a_name_without_pictures_is_left_out(tmp_path):
    labels = np.array([2, 0, 2, 0])
    images = read_images(_npz(tmp_path, images=FOUR, labels=labels, identities=NAMES))
    assert images.names == ("zoe", "bob")
    assert images.identity.tolist() == [1, 0, 1, 0]


def test_labels_without_names_are_named_by_their_numbers(tmp_path):
    labels = np.array([10, 9, 10, 2], "uint8")
    images = read_images(_npz(tmp_path, pixels=FOUR, labels=labels))
    assert images.names == ("2", "9", "10")
    assert images.identity.tolist() == [2, 1, 2, 0]


def test_labels_may_be_text(tmp_path):
    labels = np.array(["b", "a", "b", "c"])
    assert read_images(_npz(tmp_path, images=FOUR, labels=labels)).names == ("a", "b", "c")


def test_grey_arrays_have_one_channel_and_reach_a_size(tmp_path):
    path = _npz(tmp_path, images=FOUR[..., 0], labels=LABELS)
    assert read_images(path).pixels.shape == (4, 16, 16, 1)
    assert read_images(path, size=8, channels=3).pixels.shape == (4, 8, 8, 3)


def test_camera_and_group_are_read(tmp_path):
    group = np.array(["x", "x", "y", "y"])
    path = _npz(tmp_path, images=FOUR, labels=LABELS, camera=np.arange(4), group=group)
    images = read_images(path)
    assert images.camera.tolist() == [0, 1, 2, 3]
    assert images.group == ("x", "x", "y", "y")


def test_encoded_pictures_are_decoded_with_their_files_names(tmp_path):
    files = np.array(["b_1.jpg", "z_1.jpg", "b_2.jpg", "a_1.jpg"])
    path = _npz(tmp_path, **_jpeg(FOUR), labels=LABELS, classes=NAMES, files=files)
    images = read_images(path)
    assert images.names == ("zoe", "ada", "bob")
    assert images.sources[0] == f"{path}#b_1.jpg"
    assert np.abs(images.pixels.astype(int) - FOUR).mean() < 2


def test_a_damaged_encoded_picture_is_left_out(tmp_path):
    packed = _jpeg(FOUR)
    raw = packed["jpeg"].copy()
    raw[packed["offsets"][1] : packed["offsets"][1] + 50] = 0
    path = _npz(tmp_path, jpeg=raw, offsets=packed["offsets"], labels=LABELS)
    with pytest.warns(UserWarning, match=r"faces\.npz#1"):
        assert len(read_images(path, max_rejected=0.25)) == 3


def test_several_image_arrays_need_a_choice(tmp_path):
    path = _npz(tmp_path, images=FOUR, aligned112=FOUR[:, :12], labels=LABELS)
    with pytest.raises(InputError, match=r"several arrays; give array= one of images \(4, 16"):
        read_images(path)
    assert read_images(path, array="aligned112").pixels.shape == (4, 12, 16, 3)
    with pytest.raises(InputError, match="no pictures in array='labels'; there are: images"):
        read_images(path, array="labels")


def test_each_part_takes_its_own_labels(tmp_path):
    path = _npz(
        tmp_path,
        train_images=FOUR,
        train_labels=np.array([0, 0, 1, 1]),
        test_images=FOUR[:2],
        test_labels=np.array([5, 5]),
    )
    assert read_images(path, array="test_images").names == ("5",)
    assert read_images(path, array="train_images").names == ("0", "1")


BAD = {
    "no pictures": ({"labels": LABELS}, "holds no pictures: a uint8 array"),
    "floats": ({"images": FOUR / 255, "labels": LABELS}, "holds no pictures: a uint8 array"),
    "no labels": ({"images": FOUR}, "has no array 'labels'"),
    "too few labels": ({"images": FOUR, "labels": LABELS[:3]}, r"labels has shape \(3,\) for 4"),
    "labels that are no numbers": ({"images": FOUR, "labels": LABELS / 2}, "whole numbers from 0"),
    "negative labels": ({"images": FOUR, "labels": LABELS - 1}, "whole numbers from 0"),
    "a label without a name": (
        {"images": FOUR, "labels": LABELS + 1, "names": NAMES},
        "label 3 has no name among 3",
    ),
    "a name twice": (
        {"images": FOUR, "labels": LABELS, "names": np.array(["a", "b", "a"])},
        "two identities have the same name",
    ),
    "nothing in it": ({"images": FOUR[:0], "labels": LABELS[:0]}, "holds no pictures"),
    "offsets that fall": (
        _jpeg(FOUR) | {"offsets": np.array([0, 500, 400, 600, 700]), "labels": LABELS},
        "offsets must rise",
    ),
    "offsets beyond the bytes": (
        _jpeg(FOUR) | {"offsets": np.array([0, 1, 2, 3, 10**9]), "labels": LABELS},
        "offsets must rise",
    ),
    "objects": (
        {"images": FOUR, "labels": np.array([{}, 1, 2, 3], dtype=object)},
        "damaged: Object arrays cannot be loaded",
    ),
}


@pytest.mark.parametrize(("arrays", "expected"), BAD.values(), ids=BAD)
def test_parts_that_do_not_agree_are_refused(tmp_path, arrays, expected):
    with pytest.raises(InputError, match=expected):
        read_images(_npz(tmp_path, **arrays))


def test_what_is_no_npz_is_refused(tmp_path):
    path = _npz(tmp_path, images=FOUR, labels=LABELS)
    whole = path.read_bytes()
    for content in (b"", b"no zip", whole[:-40], whole[:200]):
        path.write_bytes(content)
        with pytest.raises(InputError, match="no complete NPZ"):
            read_images(path)


def test_a_flipped_byte_inside_an_array_is_refused(tmp_path):
    path = _npz(tmp_path, images=FOUR, labels=LABELS)
    whole = bytearray(path.read_bytes())
    whole[1000] ^= 255
    path.write_bytes(whole)
    with pytest.raises(InputError, match="Bad CRC"):
        read_images(path)


def test_copies_in_an_array_are_said_aloud(tmp_path):
    twice = FOUR[[0, 1, 2, 0]]
    with pytest.warns(UserWarning, match=r"1 pictures are exact copies.*npz#0.*npz#3"):
        read_images(_npz(tmp_path, images=twice, labels=LABELS))
