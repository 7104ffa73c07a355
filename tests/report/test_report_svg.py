from xml.etree import ElementTree

import pytest

from reinforge.report import svg


def test_texts_and_attributes_are_escaped():
    made = svg.element("text", {"class": '"><script>'}, "<script>&")
    assert made == '<text class="&#34;&gt;&lt;script&gt;">&lt;script&gt;&amp;</text>'


def test_a_chart_has_a_name_and_a_description_for_screen_readers():
    root = ElementTree.fromstring(svg.chart("Name <1>", "Said & done", (100.0, 50.0)))
    assert root.get("role") == "img"
    assert root.get("aria-label") == "Name <1>"
    assert [child.tag for child in root] == ["title", "desc"]
    assert root[1].text == "Said & done"


def test_a_linear_scale_places_and_stays_inside():
    place = svg.linear((0.0, 10.0), (100.0, 200.0))
    assert [place(value) for value in (0.0, 2.5, 10.0, 99.0, -1.0)] == [100, 125, 200, 200, 100]


def test_a_scale_of_no_width_does_not_divide_by_zero():
    assert svg.linear((3.0, 3.0), (0.0, 10.0))(3.0) == 0.0


def test_a_logarithmic_scale_gives_each_decade_the_same_room():
    place = svg.logarithmic((0.001, 1.0), (0.0, 300.0))
    assert [round(place(value), 6) for value in (0.001, 0.01, 0.1, 1.0, 0.0)] == [
        0,
        100,
        200,
        300,
        0,
    ]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.0, 1.0, [0, 0.25, 0.5, 0.75, 1]), (0.0, 400.0, [0, 100, 200, 300, 400]), (2.0, 2.0, [2])],
)
def test_ticks_are_round_numbers(low, high, expected):
    assert svg.ticks(low, high) == expected


@pytest.mark.parametrize(("value", "ceiling"), [(0.041, 0.05), (7.0, 8.0), (1.0, 1.0), (0.0, 1.0)])
def test_the_end_of_an_open_scale_is_the_next_round_number(value, ceiling):
    assert svg.nice_ceiling(value) == pytest.approx(ceiling)
