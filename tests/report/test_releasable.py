import pytest

from reinforge.report.releasable import LEFT_OUT, Cleaner, releasable, releasable_history


@pytest.mark.parametrize(
    "text",
    [
        "see /home/x/a",
        "photos/ada",
        r"C:\faces",
        r"faces\ada",
        "ada_3.JPG could not be read",
        "~/faces",
        "../faces",
        "bank.npz",
    ],
)
def test_a_text_that_may_name_a_file_is_left_out_whole(text):
    assert Cleaner([]).text(text) == LEFT_OUT


@pytest.mark.parametrize(
    "text", ["0.41", "1 in 1,000 pairs", "3 x 32", "version 2.13.0", "all but the same: no."]
)
def test_a_text_without_file_and_name_is_kept_as_it_is(text):
    assert Cleaner(["Ada Quill"]).text(text) == text
    assert not Cleaner(["Ada Quill"]).holds(text)


@pytest.mark.parametrize(
    "written", ["Ada Quill", "ada_quill", "ADA-QUILL", "AdaQuill", "ada  quill"]
)
def test_a_name_is_found_however_it_is_joined(written):
    assert Cleaner(["Ada_Quill"]).text(f"of '{written}' alone") == "of '(a name)' alone"


def test_a_name_inside_of_a_longer_word_is_another_word():
    assert Cleaner(["Ada"]).text("Adamant people of Canada") == "Adamant people of Canada"


def test_short_numbers_are_names_only_where_they_stand_alone():
    cleaner = Cleaner(["12", "0042"])
    assert cleaner.text("12") == "(a name)"
    assert cleaner.text("only 12 people") == "only 12 people"
    assert cleaner.text("person 0042 is alone") == "person (a name) is alone"


def test_the_longest_name_goes_first():
    assert Cleaner(["Ada", "Ada Quill"]).text("Ada Quill and Ada") == "(a name) and (a name)"


def test_nested_content_keeps_numbers_and_drops_names_files_digests_and_long_lists():
    content = {
        "seed": 3,
        "on": True,
        "none": None,
        "shape": [32, 32, 3],
        "train_digest": "abc",
        "Ada": 1,
        "deep": {"who": "Ada", "x/y": 1, "n": 2},
        "warnings": ["of Ada", "few people"],
        "people": ["Bo", "Cy"],
        "feature": [0.1] * 40,
        "object": {1, 2},
    }
    assert Cleaner(["Ada"]).nested(content) == {
        "seed": 3,
        "on": True,
        "none": None,
        "shape": [32, 32, 3],
        "deep": {"who": "(a name)", "n": 2},
        "warnings": ["of (a name)", "few people"],
        "people": f"2 entries, {LEFT_OUT}",
        "feature": f"40 entries, {LEFT_OUT}",
        "object": LEFT_OUT,
    }


def test_people_called_like_a_score_or_like_everybody_take_no_score_away():
    scores = [{"name": "map", "group": "all", "value": 0.5}, {"name": "map", "value": 0.4}]
    kept = releasable({"scores": scores}, Cleaner(["all", "map"]))["scores"]
    assert [(score["name"], score["value"]) for score in kept] == [("map", 0.5), ("map", 0.4)]


def test_scores_of_a_group_that_is_a_person_are_dropped():
    scores = [{"name": "map", "group": group} for group in ("identity=Ada", "Ada", "group=north")]
    kept = releasable({"scores": scores}, Cleaner(["Ada"]))["scores"]
    assert [score["group"] for score in kept] == ["group=north"]


def test_unknown_figures_and_real_points_of_the_map_are_dropped():
    sphere = {
        "points": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        "kind": ["real", "erased", "reinforced"],
        "identity": ["Ada", "Ada", "Bo"],
    }
    figures = {"sphere": sphere, "nearest": ["x.png"]}
    kept = releasable({"figures": figures}, Cleaner([]))["figures"]
    assert kept["sphere"] == {"points": [[0, 0, 1]], "kind": ["reinforced"], "identity": ["Bo"]}
    assert "nearest" not in kept


def test_a_history_keeps_known_numbers_and_clean_alarms():
    line = {"step": 3, "phase": "recogniser", "loss": 0.5, "Ada": 1.0, "reward": "Ada"}
    line |= {"alarms": ["too dark", "too dark for Ada"]}
    assert releasable_history([line, {"phase": "Ada"}], Cleaner(["Ada"])) == [
        {
            "step": 3.0,
            "phase": "recogniser",
            "loss": 0.5,
            "reward": None,
            "alarms": ["too dark", "too dark for (a name)"],
        },
        {"alarms": []},
    ]
