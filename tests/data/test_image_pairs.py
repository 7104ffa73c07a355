"""Verification sets: text, arrays and encoded pairs; nothing that a file holds is run."""

import pickle
import pickletools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_pictures import album, encoded, pixels

from reinforge.data.image_bin import read_packed_pairs
from reinforge.data.images import read_images, read_pairs, read_rfw
from reinforge.errors import InputError

TEXT = "2\t1\nada\t1\t2\nada\t1\tbob\t1\nbob\t1\t2\nbob\t2\tada\t2\n"


@pytest.fixture
def people(tmp_path):
    return album(tmp_path / "people", {"ada": 2, "bob": 2})


def _text(folder, text=TEXT):
    (folder / "pairs.txt").write_text(text, encoding="utf-8")
    return folder / "pairs.txt"


def test_lfw_pairs_are_numbers_of_pictures_in_folds(people, tmp_path):
    images, pairs = read_pairs(_text(tmp_path), read_images(people))
    assert len(images) == 4
    assert pairs.left.tolist() == [0, 0, 2, 3]
    assert pairs.right.tolist() == [1, 2, 3, 1]
    assert pairs.same.tolist() == [True, False, True, False]
    assert pairs.fold.tolist() == [0, 0, 1, 1]


def test_pairs_without_a_head_have_ten_folds(people, tmp_path):
    text = "ada 1 2\nada 1 bob 2\n" * 20
    _, pairs = read_pairs(_text(tmp_path, text), read_images(people))
    assert np.bincount(pairs.fold).tolist() == [4] * 10


def test_names_with_spaces_stand_between_tabs(tmp_path):
    images = read_images(album(tmp_path / "people", {"Ada L": 2}))
    _, pairs = read_pairs(_text(tmp_path, "Ada L\t1\t2\n"), images)
    assert pairs.same.tolist() == [True]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1\t1\nada\t1\t9\n", r"line 2: there is no picture 9 of 'ada' \(a file ada/ada_0009"),
        ("cy 1 2\n", "line 1: there is no picture 1 of 'cy'"),
        ("ada 1 x\n", "line 1: 'x' is no number"),
        ("ada 1\n", "line 1: 'name 1 2' or 'name 1 other 2' was wanted"),
        ("", "holds no pairs"),
        ("10\t300\n", "holds no pairs"),
    ],
)
def test_a_line_that_cannot_be_followed_is_named(people, tmp_path, text, expected):
    with pytest.raises(InputError, match=expected):
        read_pairs(_text(tmp_path, text), read_images(people))


def test_a_list_of_pairs_needs_its_pictures(tmp_path):
    with pytest.raises(InputError, match="give it as images="):
        read_pairs(_text(tmp_path))
    with pytest.raises(InputError, match=r"does not exist; give pairs\.txt"):
        read_pairs(tmp_path / "nowhere.txt")


def test_pairs_of_an_npz_have_both_kinds_in_each_fold(people, tmp_path):
    rows = [[0, 1, 1]] * 10 + [[0, 2, 0]] * 10
    np.savez(tmp_path / "set.npz", pairs=np.array(rows))
    _, pairs = read_pairs(tmp_path / "set.npz", read_images(people))
    assert pairs.fold.tolist() == [*range(10), *range(10)]


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([[0, 2, 1]], "pair 0 and 0 more disagree with the labels"),
        ([[0, 9, 0]], "beyond the 4 of the set"),
        ([[0, 1]], r"whole numbers \(pair, 3\)"),
    ],
)
def test_pairs_of_an_npz_that_do_not_agree_are_refused(people, tmp_path, pairs, expected):
    np.savez(tmp_path / "set.npz", pairs=np.array(pairs))
    with pytest.raises(InputError, match=expected):
        read_pairs(tmp_path / "set.npz", read_images(people))


FILES = [encoded(pixels(seed), "JPEG") for seed in range(6)]
SAME = [True, False, True]


def _packed(folder, content, protocol=4):
    path = folder / "lfw.bin"
    path.write_bytes(
        content if isinstance(content, bytes) else pickle.dumps(content, protocol=protocol)
    )
    return path


def _as_python_2(files, same):
    """What Python 2 wrote at protocol 2: str as BINSTRING."""
    parts = [b"\x80\x02", b"]q\x00("]
    for file in files:
        parts.append(b"T" + len(file).to_bytes(4, "little") + file + b"q\x01")
    parts += [b"e", b"]q\x02(", *(b"\x88" if one else b"\x89" for one in same), b"e"]
    return b"".join([*parts, b"\x86q\x03."])


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_encoded_pairs_of_python_3_are_read(tmp_path, protocol):
    path = _packed(tmp_path, (FILES, SAME), protocol)
    assert read_packed_pairs(path) == (FILES, SAME)


def test_encoded_pairs_of_python_2_are_read(tmp_path):
    content = _as_python_2(FILES, SAME)
    assert pickle.loads(content, encoding="bytes") == (FILES, SAME)  # the hand-made file is one
    assert read_packed_pairs(_packed(tmp_path, content)) == (FILES, SAME)


def test_a_picture_that_stands_twice_and_a_list_of_lists_are_read(tmp_path):
    files = [FILES[0], FILES[1]] * 1500  # more than one batch of a pickle, all fetched again
    same = [False] * 1500
    assert read_packed_pairs(_packed(tmp_path, [files, same])) == (files, same)


@given(st.lists(st.tuples(st.binary(), st.binary(), st.booleans())), st.sampled_from([3, 4, 5]))
@settings(max_examples=60, deadline=None)
def test_any_encoded_pairs_are_what_unpickling_gives(tmp_path_factory, pairs, protocol):
    told = ([file for one in pairs for file in one[:2]], [one[2] for one in pairs])
    path = _packed(tmp_path_factory.mktemp("bin"), told, protocol)
    assert read_packed_pairs(path) == told


def test_the_pictures_of_encoded_pairs_are_decoded(tmp_path):
    images, pairs = read_pairs(_packed(tmp_path, (FILES, SAME)), size=12)
    assert images.pixels.shape == (6, 12, 12, 3)
    assert pairs.left.tolist() == [0, 2, 4]
    assert pairs.right.tolist() == [1, 3, 5]
    assert pairs.same.tolist() == SAME
    told = images.identity[pairs.left] == images.identity[pairs.right]
    assert told.tolist() == SAME
    assert pairs.fold.tolist() == [0, 3, 6]


def test_a_damaged_picture_among_encoded_pairs_stops(tmp_path):
    path = _packed(tmp_path, ([*FILES[:5], b"no picture"], SAME))
    with pytest.raises(InputError, match=r"lfw\.bin#5"):
        read_pairs(path)


class _Runs:
    def __reduce__(self):
        return print, ("it was run",)


REFUSED = {
    "a function": (pickle.dumps((FILES, [_Runs()]), 4), "is refused: instruction SHORT_BINUNICODE"),
    "a function of old": (pickle.dumps((FILES, [_Runs()]), 2), "instruction GLOBAL .* run code"),
    "an array": (pickle.dumps((FILES, np.array(SAME)), 2), "instruction GLOBAL .* run code"),
    "a dictionary": (pickle.dumps({"bins": FILES}, 4), "EMPTY_DICT .* none of encoded pairs"),
    "numbers": (pickle.dumps((FILES, [1, 0, 1]), 4), "BININT1 .* none of encoded pairs"),
    "text": (pickle.dumps((["a"] * 6, SAME), 4), "SHORT_BINUNICODE"),
    "three lists": (pickle.dumps((FILES, SAME, SAME), 4), "TUPLE3"),
    "one list": (pickle.dumps(SAME, 4), "holds no pair of lists"),
    "lists swapped": (pickle.dumps((SAME, FILES), 4), "a list of bytes and a list of booleans"),
    "too few flags": (pickle.dumps((FILES, SAME[:2]), 4), "6 pictures for 2 pairs"),
    "nothing": (b"", "no whole file of encoded pairs"),
    "no pickle": (b"\xff\xfe no pickle", "no whole file of encoded pairs"),
    "cut": (pickle.dumps((FILES, SAME), 4)[:700], "no whole file of encoded pairs"),
    "nothing on the stack": (b"\x80\x02.", "no whole file of encoded pairs"),
    "no mark": (b"\x80\x02]e.", "no whole file of encoded pairs"),
    "a fetch of nothing": (b"\x80\x02h\x05.", "no whole file of encoded pairs"),
    "an endless length": (b"\x80\x04\x8e" + b"\xff" * 7 + b"\x0f" + b"x", "no whole file"),
}


@pytest.mark.parametrize(("content", "expected"), REFUSED.values(), ids=REFUSED)
def test_anything_but_encoded_pairs_is_refused_and_nothing_is_run(
    tmp_path, content, expected, capsys
):
    with pytest.raises(InputError, match=expected) as caught:
        read_packed_pairs(_packed(tmp_path, content))
    assert "\n" not in str(caught.value)
    assert capsys.readouterr().out == ""


def test_every_instruction_that_is_not_followed_is_refused(tmp_path):
    followed = set()
    for opcode in pickletools.opcodes:
        content = b"\x80\x04" + opcode.code.encode("latin-1") + b"\x00" * 16 + b"\n\n."
        try:
            read_packed_pairs(_packed(tmp_path, content))
        except InputError as error:
            if "is refused: instruction " + opcode.name not in str(error):
                followed.add(opcode.name)
    runs_code = {"GLOBAL", "STACK_GLOBAL", "REDUCE", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "BUILD"}
    assert not followed & (runs_code | {"EXT1", "EXT2", "EXT4", "PERSID", "BINPERSID", "DICT"})


def _rfw(root):
    for at, group in enumerate(("African", "Asian", "Caucasian", "Indian")):
        names = {f"m.{at}a": 2, f"m.{at}b": 1}
        album(root / "data" / group, names, height=16 + at)
        text = f"m.{at}a\t1\t2\nm.{at}a\t1\tm.{at}b\t1\n"
        (root / "txts" / group).mkdir(parents=True)
        (root / "txts" / group / f"{group}_pairs.txt").write_text(text)
    return root


def test_four_groups_each_have_their_pairs(tmp_path):
    groups = read_rfw(_rfw(tmp_path), size=16)
    assert list(groups) == ["African", "Asian", "Caucasian", "Indian"]
    images, pairs = groups["Indian"]
    assert images.names == ("m.3a", "m.3b")
    assert images.group == ("Indian",) * 3
    assert pairs.same.tolist() == [True, False]
    assert pairs.right.tolist() == [1, 2]


def test_groups_packed_as_encoded_pairs_are_read(tmp_path):
    for group in ("African", "Asian"):
        content = pickle.dumps((FILES, SAME))
        (tmp_path / f"{group}_test.bin").write_bytes(content)
    assert {group: len(pairs) for group, (_, pairs) in read_rfw(tmp_path).items()} == {
        "African": 3,
        "Asian": 3,
    }


def test_a_group_without_pairs_is_named(tmp_path):
    root = _rfw(tmp_path)
    (root / "txts" / "Asian" / "Asian_pairs.txt").unlink()
    with pytest.raises(InputError, match="Asian has no pairs"):
        read_rfw(root, size=16)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no groups"):
        read_rfw(tmp_path / "empty")
