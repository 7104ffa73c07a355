import xml.etree.ElementTree as ET

import pytest

from reinforge.report.front import LEAST_SPAN, front, front_chart, front_file


def _training(weight, accuracy, leakage, **more):
    return {"privacy_weight": weight, "accuracy": accuracy, "leakage": leakage, **more}


def test_the_front_runs_from_the_least_weight_to_the_largest():
    raw = [_training(w, 0.9 - w / 10, 0.1 - w / 20) for w in (1, 0, 0.5)]
    view = front([*raw, _training(2, None, 0.1)])
    assert [point["label"] for point in view["points"]] == ["0", "0.5", "1"]
    assert view["trails"] == [view["points"]]
    low, high = view["x_domain"]
    assert low < 0.8 < 0.9 < high


def test_each_length_of_the_cold_start_has_a_line_of_its_own():
    raw = [
        _training(weight, 0.8 + steps / 10_000, weight / 2, cold_start_steps=steps)
        for weight in (1, 0)
        for steps in (800, 400)
    ]
    view = front(raw, leakage="membership AUC")
    assert [[p["label"] for p in trail] for trail in view["trails"]] == [
        ["0 (400)", "1 (400)"],
        ["0 (800)", "1 (800)"],
    ]
    assert view["y_label"] == "↑ membership AUC"
    assert "steps of cold start" in view["how"]
    assert str(front_chart(view)).count('class="trail"') == 2


def test_where_the_weight_is_one_the_front_is_over_cold_starts():
    view = front([_training(0, 0.8, s / 1000, cold_start_steps=s) for s in (850, 200, 400)])
    assert [point["label"] for point in view["trails"][0]] == ["200", "400", "850"]
    assert view["title"].endswith("by length of the cold start")


def test_one_training_makes_no_front():
    assert front([_training(1, 0.8, 0.1)]) is None


def test_a_file_of_its_own_is_xml_with_its_style():
    view = front([_training(0, 0.8, 0.1, leakage_low=0.05, leakage_high=0.2), _training(1, 0.7, 0)])
    root = ET.fromstring(front_file(view))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert ".trail" in root.find("{http://www.w3.org/2000/svg}style").text
    assert root.find("{http://www.w3.org/2000/svg}title").text == view["title"]


def test_dots_that_lie_together_have_their_labels_apart():
    view = front([_training(w, 0.8, 0.2) for w in (0, 1, 2)] + [_training(3, 0.9, 0.4)])
    root = ET.fromstring(front_file(view))
    labels = {text.text: float(text.get("y")) for text in root.iter() if text.text in set("0123")}
    assert len({labels[name] for name in "012"}) == 3


def test_trainings_that_are_all_but_level_look_it():
    view = front([_training(weight, 0.9 + weight / 1000, 0.8) for weight in (0, 1)])
    for axis in ("x_domain", "y_domain"):
        low, high = view[axis]
        assert high - low == pytest.approx(LEAST_SPAN)
