import math

import pytest

from reinforge.report.figures import forest_chart, label_heights
from reinforge.report.numbers import (
    count,
    decimals,
    interval,
    number,
    percent,
    shorten,
    tick,
    visible,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5234, "0.523"),
        (0.0, "0"),
        (1.0, "1.000"),
        (-0.0312, "−0.031"),
        (0.0004, "<0.001"),
        (-0.0004, ">−0.001"),
        (12.345, "12.3"),
        (12345.6, "12\u202f346"),
        (None, "–"),
        (math.nan, "–"),
        (math.inf, "–"),
    ],
)
def test_a_score_is_shown_with_three_digits_and_a_small_one_never_as_nothing(value, text):
    assert decimals(value) == text


def test_an_interval_with_a_missing_end_is_not_shown():
    assert interval(0.1, 0.25) == "0.100 to 0.250"
    assert interval(None, 0.25) == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0218, "2.18 %"), (0.5, "50 %"), (0.00001, "<0.01 %"), (0.0, "0 %"), (None, "–")],
)
def test_a_rate_is_shown_in_per_cent(value, text):
    assert percent(value) == text


def test_thousands_are_set_apart():
    assert count(1234567) == "1\u202f234\u202f567"
    assert count("many") == "–"


@pytest.mark.parametrize("value", [None, "0.5", True, math.nan, math.inf, [0.5]])
def test_what_is_no_finite_number_becomes_none(value):
    assert number(value) is None


def test_invisible_and_direction_turning_characters_become_visible():
    assert visible("a\nb") == "a⏎b"
    assert visible("a\u202eb\x00") == "a⟨U+202E⟩b⟨U+0000⟩"
    assert visible("\ud800").encode() == "⟨U+D800⟩".encode()


def test_joined_emoji_and_foreign_letters_stay_as_they_are():
    for text in ("\U0001f469\u200d\u2695\ufe0f", "Größe", "年齢", "عمر"):
        assert visible(text) == text


def test_a_long_name_is_cut_with_an_ellipsis_and_a_short_one_is_not():
    assert shorten("x" * 300, 10) == "x" * 9 + "…"
    assert shorten("x" * 10, 10) == "x" * 10


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (-0.5, "−0.5"), (9e3, "9000"), (1.5e4, "1.5e4"), (-2e4, "−2e4"), (2e-5, "2e−5")],
)
def test_a_tick_says_the_number_at_which_it_stands(value, text):
    assert tick(value) == text


@pytest.mark.parametrize(
    ("group", "shown"),
    [
        ("sex=F", "sex=F"),
        ("Geschlecht=männlich", "Gesch…=männlich"),
        ("Geschlecht=weiblich und mehr", "weiblich und m…"),
        ("worst columns of all", "worst columns…"),
    ],
)
def test_a_group_in_little_room_keeps_its_level(group, shown):
    row = {"name": group, "is_all": False, "value": 0.5, "interval": None, "n": None}
    drawn = forest_chart(
        {"title": "", "description": "", "low": 0.0, "high": 1.0, "ticks": [], "everyone": None}
        | {"rows": [row]}
    )
    assert f">{shown}</text>" in drawn


def test_names_of_near_points_stand_apart_and_those_of_far_ones_above():
    labels = ["columns drawn independently", "copy", "this generator"]
    near, far, own = label_heights([(100.0, 200.0), (110.0, 60.0), (112.0, 196.0)], labels, 300.0)
    assert (own, far) == (187.0, 51.0)
    assert abs(near - own) >= 13
    assert label_heights([(100.0, 200.0), (400.0, 200.0)], ["a", "b"], 300.0) == [191.0, 191.0]
