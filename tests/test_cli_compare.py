import csv
import json

import pytest

from reinforge.cli import main
from reinforge.cli.compare import (
    Judged,
    as_csv,
    as_html,
    differences,
    front_of,
    lines_of,
    read_judged,
)
from reinforge.cli.gates import failures, parse_gate, parse_gates, require
from reinforge.errors import GateError, InputError
from reinforge.records import Score
from reinforge.run_folder import RunFolder, write_config


def score(name, value, better="higher", **more):
    return {"name": name, "group": "all", "value": value, "better": better, **more}


def judged(name, *scores, **context):
    return Judged(name, list(scores), context)


@pytest.fixture
def scorecards(tmp_path):
    """Two runs on disk with one score each."""
    for name, value in (("a", 0.8), ("b", 0.7)):
        folder = tmp_path / name
        folder.mkdir()
        content = {"scores": [score("s2r_auc", value)], "context": {}, "figures": {}}
        (folder / "scorecard.json").write_text(json.dumps(content))
    return tmp_path / "a", tmp_path / "b"


# best


@pytest.mark.parametrize(
    ("better", "values", "best"),
    [
        ("higher", (0.8, 0.9), (False, True)),
        ("lower", (0.8, 0.9), (True, False)),
        ("near 0.5", (0.44, 0.55), (False, True)),
        ("near 1", (0.8, 1.1), (False, True)),
        ("higher", (0.8, None), (False, False)),
        ("higher", (0.8, 0.8), (False, False)),
        ("higher", (0.9, 0.9, 0.1), (True, True, False)),
    ],
)
def test_the_best_value_follows_the_direction_of_the_score(better, values, best):
    runs = [judged(str(i), score("x", value, better)) for i, value in enumerate(values)]
    assert lines_of(runs)[0].best == best


def test_a_score_that_one_run_lacks_stays_in_the_table():
    runs = [judged("a", score("x", 1.0)), judged("b", score("y", 2.0))]
    assert [(line.name, line.values) for line in lines_of(runs)] == [
        ("x", (1.0, None)),
        ("y", (None, 2.0)),
    ]


def test_groups_are_shown_only_when_asked_for():
    runs = [judged("a", score("x", 1.0), score("x", 2.0, group="sex=F"))]
    assert [line.group for line in lines_of(runs)] == ["all"]
    assert [line.group for line in lines_of(runs, all_groups=True)] == ["all", "sex=F"]


def test_runs_judged_on_different_rows_are_called_incomparable():
    runs = [
        judged("a", split_digest="1", level="full"),
        judged("b", split_digest="2", level="full"),
    ]
    assert len(differences(runs)) == 1
    assert "different real rows" in differences(runs)[0]
    assert differences(runs[:1] * 2) == []


def test_the_csv_holds_full_precision():
    runs = [judged("a", score("x", 0.123456789))]
    rows = list(csv.reader(as_csv(runs, lines_of(runs)).splitlines()))
    assert rows == [["score", "group", "better", "a"], ["x", "all", "higher", "0.123456789"]]


def test_the_page_shows_hostile_names_as_text():
    runs = [judged("<script>a</script>", score("<img src=x>", 0.1, "<b>", group="all"))]
    page = as_html(runs, lines_of(runs))
    assert "<script>" not in page
    assert "<img" not in page
    assert "&lt;img src=x&gt;" in page


def _run(folder, weight, leakage):
    """A run on identities on disk."""
    folder.mkdir()
    scores = [score("verification_accuracy", 0.8, low=0.7, high=0.9)]
    scores.append(score("identity_leakage", leakage, "lower"))
    (folder / "scorecard.json").write_text(json.dumps({"scores": scores}))
    model = {"preset": "default", "privacy_weight": weight, "cold_start_steps": 400}
    config = {"system": "identity", "settings": {"model": model}}
    write_config(RunFolder(folder), config)
    return read_judged(folder)


def test_runs_that_differ_in_privacy_weight_are_drawn_as_a_front(tmp_path):
    runs = [_run(tmp_path / str(weight), weight, 0.1 - weight / 20) for weight in (0, 1)]
    assert front_of(runs)[1] == {
        "privacy_weight": 1.0,
        "cold_start_steps": 400,
        "accuracy": 0.8,
        "accuracy_low": 0.7,
        "accuracy_high": 0.9,
        "leakage": 0.05,
        "leakage_low": None,
        "leakage_high": None,
    }
    page = as_html(runs, lines_of(runs))
    assert "<h2>Leakage against usefulness, by weight of the privacy reward</h2>" in page
    assert 'class="trail"' in page


def test_runs_with_the_same_knobs_are_drawn_as_no_front(tmp_path, scorecards):
    runs = [_run(tmp_path / name, 0.5, 0.1) for name in ("x", "y")]
    runs += map(read_judged, scorecards)
    assert front_of(runs) == []
    assert "<svg" not in as_html(runs, lines_of(runs))


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"scores": [1]}', '{"scores": [{}]}'])
def test_a_damaged_scorecard_is_refused_by_path(tmp_path, content):
    (tmp_path / "scorecard.json").write_text(content)
    with pytest.raises(InputError, match=r"scorecard\.json: is no scorecard"):
        read_judged(tmp_path)


def test_a_missing_scorecard_is_refused_with_the_remedy(tmp_path):
    with pytest.raises(InputError, match="reinforge evaluate"):
        read_judged(tmp_path)


# the verb


def test_compare_prints_runs_side_by_side(scorecards, capsys):
    assert main(["compare", *map(str, scorecards)]) == 0
    assert "0.8000*" in capsys.readouterr().out


def test_compare_writes_the_table_where_asked(scorecards, capsys, tmp_path):
    for name in ("out.csv", "out.html"):
        assert main(["compare", *map(str, scorecards), "--out", str(tmp_path / name)]) == 0
        assert "s2r_auc" in (tmp_path / name).read_text()


def test_compare_overwrites_nothing_unasked(scorecards, capsys, tmp_path):
    out = tmp_path / "out.csv"
    out.write_text("mine")
    assert main(["compare", *map(str, scorecards), "--out", str(out)]) == 2
    assert out.read_text() == "mine"
    assert main(["compare", *map(str, scorecards), "--out", str(out), "--overwrite"]) == 0


def test_compare_refuses_an_unknown_ending(scorecards, capsys, tmp_path):
    assert main(["compare", *map(str, scorecards), "--out", str(tmp_path / "out.xlsx")]) == 2
    assert ".csv or .html" in capsys.readouterr().err


# gates


@pytest.mark.parametrize(
    ("text", "group", "comparison", "limit"),
    [
        ("membership_auc<=0.55", "all", "<=", 0.55),
        (" s2r_auc >= .8 ", "all", ">=", 0.8),
        ("s2r_auc[sex=F]>5e-1", "sex=F", ">", 0.5),
        ("dwd<-1", "all", "<", -1.0),
    ],
)
def test_gates_are_read(text, group, comparison, limit):
    gate = parse_gate(text)
    assert (gate.group, gate.comparison, gate.limit) == (group, comparison, limit)


@pytest.mark.parametrize("text", ["", "a", "a=1", "a<=", "a<=x", "a<=1<=2", "a<=1e", "<=1", "a=<1"])
def test_what_is_no_gate_is_refused(text):
    with pytest.raises(InputError, match="--require wants"):
        parse_gate(text)


def test_a_gate_on_a_score_that_nobody_makes_is_refused_with_the_nearest():
    assert len(parse_gates(["s2r_auc>=0.8", "nmi<=0.1"])) == 2
    assert len(parse_gates(["copy_rate<=0.1"], of_pictures=True)) == 1
    with pytest.raises(InputError, match="no score 'copy_rate'"):
        parse_gates(["copy_rate<=0.1"])
    with pytest.raises(InputError, match="no score 's2r_auc'"):
        parse_gates(["s2r_auc>=0.8"], of_pictures=True)
    with pytest.raises(InputError, match="did you mean 'membership_auc'"):
        parse_gates(["membership_au<=0.55"])


def test_a_gate_holds_at_its_limit_only_if_it_says_so():
    scores = (Score(name="x", value=0.5),)
    assert failures([parse_gate("x<=0.5"), parse_gate("x>=0.5")], scores) == []
    assert len(failures([parse_gate("x<0.5"), parse_gate("x>0.5")], scores)) == 2


def test_a_score_without_a_value_fails_its_gate_with_the_reason():
    with pytest.raises(GateError, match=r"1 of 2 .*: x<=1 \(not computed: too few rows\)"):
        require(
            [parse_gate("x<=1"), parse_gate("y<=1")],
            (Score(name="x", reason="too few rows"), Score(name="y", value=0.0)),
        )


def test_a_gate_on_an_unknown_score_or_group_is_refused_with_the_known_ones():
    scores = (Score(name="x", value=0.5), Score(name="x", group="sex=F", value=0.5))
    with pytest.raises(InputError, match="there are x"):
        failures([parse_gate("y<=1")], scores)
    with pytest.raises(InputError, match="there are all, sex=F"):
        failures([parse_gate("x[sex=M]<=1")], scores)
