from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from reinforge.errors import InputError
from reinforge.randomness import generator
from reinforge.report import contact_sheet as module
from reinforge.report.contact_sheet import GAP, GROUP_GAP, LINE, MARGIN, contact_sheet


def pictures(n, *, height=6, width=5, n_channels=1, seed=0):
    rng = generator(seed, "pictures")
    return rng.integers(0, 200, (n, height, width, n_channels), dtype=np.uint8)


def opened(png):
    with Image.open(BytesIO(png)) as image:
        assert (image.format, image.mode) == ("PNG", "RGB")
        return np.array(image)


def test_without_words_the_sheet_is_the_pictures_their_gaps_and_a_margin():
    drawn = pictures(3)
    sheet = opened(contact_sheet([("", drawn)], scale=3))
    top = MARGIN + GAP
    assert sheet.shape == (top + 18 + MARGIN, 2 * MARGIN + 3 * 15 + 2 * GAP, 3)
    for k, picture in enumerate(drawn):
        left = MARGIN + k * (15 + GAP)
        for channel in range(3):
            np.testing.assert_array_equal(
                sheet[top : top + 18, left : left + 15, channel],
                np.kron(picture[..., 0], np.ones((3, 3))),
            )
        sheet[top : top + 18, left : left + 15] = 255
    assert (sheet == 255).all()


def test_colours_are_kept_beside_grey_rows():
    colour = pictures(1, n_channels=3)
    sheet = opened(contact_sheet([("", pictures(1)), ("", colour)], scale=1))
    top = MARGIN + GAP + 6 + GAP
    np.testing.assert_array_equal(sheet[top : top + 6, MARGIN : MARGIN + 5], colour[0])


def test_groups_of_columns_stand_apart_and_a_short_row_leaves_its_places_empty():
    sheet = opened(
        contact_sheet(
            [("", np.zeros((3, 6, 50, 1), np.uint8)), ("", np.zeros((1, 6, 50, 1), np.uint8))],
            scale=1,
            columns=[("", 1), ("", 2)],
        )
    )
    top = MARGIN + GAP
    second = MARGIN + 50 + GROUP_GAP
    starts = [MARGIN, second, second + 50 + GAP]
    dark = np.flatnonzero((sheet[top] == 0).all(axis=1))
    assert dark.tolist() == [x for start in starts for x in range(start, start + 50)]
    below = np.flatnonzero((sheet[top + 6 + GAP] == 0).all(axis=1))
    assert below.tolist() == list(range(MARGIN, MARGIN + 50))


def ink(sheet, rows, columns):
    return int((sheet[rows, columns].max(axis=2) < 128).sum())


def test_headings_stand_above_their_own_group_and_the_title_above_all():
    white = np.full((2, 40, 120, 1), 255, np.uint8)
    words = {"columns": [("before", 1), ("after", 1)], "title": "Drawn by code"}
    sheet = opened(contact_sheet([("", white)], scale=1, **words))
    title, head = slice(MARGIN, MARGIN + LINE), slice(MARGIN + LINE, MARGIN + 2 * LINE)
    after = MARGIN + 120 + GROUP_GAP
    assert ink(sheet, title, slice(None)) > 100
    assert ink(sheet, head, slice(MARGIN, after - GROUP_GAP)) > 50
    assert ink(sheet, head, slice(after, None)) > 50
    assert ink(sheet, head, slice(after - GROUP_GAP, after)) == 0
    assert ink(sheet, slice(MARGIN + 2 * LINE, None), slice(None)) == 0


def test_a_label_stands_left_of_its_row_and_a_long_one_makes_room_for_itself():
    white = np.full((1, 10, 30, 1), 255, np.uint8)
    one_line = opened(contact_sheet([("Zoë", white), ("Zoë", white)], scale=1))
    label = slice(MARGIN, one_line.shape[1] - MARGIN - 30 - GAP)
    assert ink(one_line, slice(MARGIN, MARGIN + GAP + LINE), label) > 20
    assert ink(one_line, slice(None), slice(label.stop, None)) == 0
    assert len(one_line) == 2 * MARGIN + GAP + LINE + GAP + LINE
    long = "a label of so many words that it needs more lines than one"
    sheet = opened(contact_sheet([(long, white), ("x" * 99, white)], scale=1))
    assert len(sheet) > len(one_line) + 4 * LINE
    assert sheet.shape[1] <= 2 * MARGIN + module.LABEL_WIDTH + MARGIN + GAP + 30


@pytest.mark.parametrize("text", ["one two three four five", "w" * 40, "ab " + "w" * 40 + " cd"])
def test_wrapped_lines_fit_and_lose_no_letter(text):
    lines = module._wrapped(text, 60)
    assert all(module._width([line]) <= 60 for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_accents_greek_and_cyrillic_are_in_the_font():
    missing = bytes(module._font().getmask("\uffff"))
    for letter in "éŁğΩЖ→":
        assert bytes(module._font().getmask(letter)) != missing


def test_a_line_parts_the_groups_of_rows():
    white = np.full((2, 20, 20, 1), 255, np.uint8)
    rows = [("", white)] * 4
    parted = opened(contact_sheet(rows, scale=1, rows_per_group=2))
    plain = opened(contact_sheet(rows, scale=1))
    lines = np.flatnonzero((parted[:, parted.shape[1] // 2] != 255).any(axis=1))
    assert lines.tolist() == [MARGIN + GAP + 2 * 20 + GAP + GROUP_GAP // 2 - 1]
    assert (plain == 255).all()
    assert len(parted) == len(plain) + GROUP_GAP - GAP


def test_equal_arguments_give_equal_bytes():
    rows = [("real", pictures(3)), ("made", pictures(2, seed=1))]
    assert contact_sheet(rows, title="one") == contact_sheet(rows, title="one")


@pytest.mark.parametrize(
    ("rows", "settings", "message"),
    [
        ([], {}, "there is no picture to draw"),
        ([("empty", pictures(0))], {}, "there is no picture to draw"),
        ([("float", pictures(1) / 255)], {}, "row 'float' must hold uint8 pictures"),
        ([("flat", pictures(1)[..., 0])], {}, "row 'flat' must hold uint8 pictures"),
        ([("four", pictures(1, n_channels=4))], {}, "with 1 or 3 channels"),
        (
            [("a", pictures(1)), ("b", pictures(1, height=7))],
            {},
            "one size, got 6 x 5 in 'a', 7 x 5 in 'b'",
        ),
        ([("a", pictures(3))], {"columns": [("x", 2)]}, r"columns name \[2\] pictures, but a row"),
        ([("a", pictures(3))], {"columns": [("x", 3), ("y", 0)]}, "at least 1 a group"),
        ([("a", pictures(1))], {"scale": 0}, "are 1 or more, got 0"),
        ([("a", pictures(1))], {"rows_per_group": 0}, "are 1 or more"),
        ([("a", pictures(1))], {"scale": 2000}, "more than 50,000,000; draw fewer"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_line(rows, settings, message):
    with pytest.raises(InputError, match=message) as caught:
        contact_sheet(rows, **settings)
    assert "\n" not in str(caught.value)
