from pathlib import Path

import pytest

from reinforge.cli.asked import Asked
from reinforge.cli.settings import RunSettings, assignment, checked, known_keys, merged
from reinforge.cli.yaml_file import parse_yaml, read_yaml
from reinforge.errors import InputError


@pytest.fixture
def written(tmp_path):
    """Writes a settings file."""

    def write(text):
        path = tmp_path / "run.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


# order


def test_flags_override_set_which_overrides_config_which_overrides_defaults(written):
    config = written("seed: 1\nsplit: {holdout: 0.3, target: a, person: p}\n")
    asked = Asked(
        config=config,
        assignments=("split.holdout=0.4", "split.target=b"),
        flags={"split": {"target": "c"}},
    )
    settings = asked.settings()
    assert settings.split.model_dump() == {
        "target": "c",
        "holdout": 0.4,
        "person": "p",
        "sensitive": (),
    }
    assert (settings.seed, settings.evaluate.level) == (1, "full")


def test_a_later_list_replaces_an_earlier_one():
    assert merged({"a": {"b": [1, 2]}}, {"a": {"b": [3]}}) == {"a": {"b": [3]}}


def test_merging_leaves_its_layers_as_they_were():
    below = {"a": {"b": 1}}
    merged(below, {"a": {"b": 2}})
    assert below == {"a": {"b": 1}}


def test_seeds_of_drawing_and_judging_follow_the_seed_of_the_run():
    settings = RunSettings(seed=7)
    assert (settings.sample_seed, settings.evaluate_seed) == (8, 9)
    assert checked({"seed": 7, "sample": {"seed": 0}}).sample_seed == 0


def test_sensitive_columns_may_come_as_one_comma_list():
    assert checked({"split": {"sensitive": "sex, site"}}).split.sensitive == ("sex", "site")


def test_a_finished_run_keeps_how_it_was_fitted(tmp_path):
    saved = RunSettings(seed=3).model_dump(mode="json")
    with pytest.raises(InputError, match=r"fitted with split\.holdout 0\.2, not 0\.5"):
        Asked(assignments=("split.holdout=0.5",)).over(saved, folder=tmp_path)
    with pytest.raises(InputError, match="seed 3, not 4"):
        Asked(flags={"seed": 4}).over(saved, folder=tmp_path)


def test_a_finished_run_may_be_judged_and_sampled_otherwise(tmp_path):
    saved = RunSettings().model_dump(mode="json")
    asked = Asked(flags={"evaluate": {"level": "quick"}, "sample": {"n": 5}})
    settings = asked.over(saved, folder=tmp_path)
    assert (settings.evaluate.level, settings.sample.n) == ("quick", 5)


def test_saved_settings_come_back_as_they_were(tmp_path):
    given = {
        "model": {"n_steps": 20, "rules": ["a > b"]},
        "data": {"columns": {"a": {"decimals": 1}}},
    }
    settings = checked(given)
    again = Asked().over(settings.model_dump(mode="json"), folder=tmp_path)
    assert again == settings


# --set


def test_the_value_of_set_is_yaml():
    assert assignment("split.sensitive=[a, b]") == {"split": {"sensitive": ["a", "b"]}}
    assert assignment("model.clip_range=null") == {"model": {"clip_range": None}}
    assert assignment("split.target=x=y") == {"split": {"target": "x=y"}}


def test_a_key_without_its_section_is_found_where_only_one_has_it():
    assert assignment("n_steps=5") == {"model": {"n_steps": 5}}
    assert assignment("seed=5") == {"seed": 5}


@pytest.mark.parametrize("text", ["n_steps", "=3", "a..b=1", ""])
def test_set_without_key_or_value_is_refused(text):
    with pytest.raises(InputError, match="--set wants"):
        assignment(text)


# typos and bad values


@pytest.mark.parametrize(
    ("settings", "nearest"),
    [
        ({"sed": 1}, "seed"),
        ({"splt": {"target": "a"}}, "split"),
        ({"split": {"traget": "a"}}, "split.target"),
        ({"model": {"n_stps": 10}}, "model.n_steps"),
        ({"split": {"n_steps": 10}}, "model.n_steps"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_one(settings, nearest):
    with pytest.raises(InputError, match=f"did you mean '{nearest}'"):
        checked(settings)


def test_a_key_near_nothing_in_its_section_is_refused_with_what_is_there():
    with pytest.raises(InputError, match=r"'data\.missing' is not known; there are data\.sep, "):
        checked({"data": {"missing": ["?"]}})


def test_a_key_near_nothing_is_refused_with_the_choice():
    with pytest.raises(InputError, match="there are seed, data, split"):
        checked({"zzzzzz": 1})


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        ({"seed": "x"}, "seed"),
        ({"split": {"holdout": 1.5}}, "split.holdout"),
        ({"split": {"holdout": float("nan")}}, "split.holdout"),
        ({"split": 3}, "split"),
        ({"sample": {"n": -1}}, "sample.n"),
        ({"evaluate": {"level": "deep"}}, "evaluate.level"),
        ({"model": {"n_steps": -5}}, "n_steps"),
        ({"model": {"learning_rate": float("nan")}}, "learning_rate"),
        ({"model": {"clip_range": 0}}, "clip_range"),
        ({"data": {"columns": {"a": 3}}}, "data.columns.a"),
    ],
)
def test_a_bad_value_is_refused_with_its_path_in_one_line(settings, path):
    with pytest.raises(InputError, match=f"setting '{path}'") as caught:
        checked(settings)
    assert "\n" not in str(caught.value)


def test_an_unknown_preset_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match="rlsyn-mimic"):
        checked({"model": {"preset": "rlsyn"}})


def test_every_problem_is_named_at_once():
    with pytest.raises(InputError, match=r"holdout.*sed"):
        checked({"sed": 1, "split": {"holdout": 2}})


def test_known_keys_cover_sections_and_generator():
    assert {"seed", "split.target", "model.n_steps", "evaluate.require"} <= set(known_keys())


# files


@pytest.mark.parametrize(
    "tag", ["!!python/object/apply:os.system ['touch pwned']", "!!python/name:os.system", "!x 1"]
)
def test_tags_are_refused_and_nothing_runs(written, tag, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"run\.yaml: line 1: .*tag"):
        read_yaml(written(f"seed: {tag}\n"))
    assert not Path("pwned").exists()


def test_a_billion_laughs_are_refused(written):
    lines = ["a0: &a0 [lol, lol]"]
    lines += [f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 40)]
    with pytest.raises(InputError, match="more than 20 aliases"):
        read_yaml(written("\n".join(lines)))


def test_a_few_aliases_are_read(written):
    assert read_yaml(written("a: &x 1\nb: *x\n")) == {"a": 1, "b": 1}


def test_a_key_given_twice_is_refused(written):
    with pytest.raises(InputError, match=r"line 2: key 'seed' is given twice"):
        read_yaml(written("seed: 1\nseed: 2\n"))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"a: [1", "line"),
        (b"- 1\n- 2\n", "got a list"),
        (b"just text", "got a str"),
        (b"1: 2\n", "no text"),
        (b"a: \xff\n", "byte 3 is not UTF-8"),
        (b"x" * 1_000_001, "too many"),
        (b"a: \x00\n", "run.yaml"),
        (b"[" * 5_000, "run.yaml"),
    ],
)
def test_a_file_that_holds_no_settings_is_refused_by_name(written, content, problem):
    with pytest.raises(InputError, match=problem) as caught:
        read_yaml(written(content))
    assert "run.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_settings_file_is_refused_by_name(tmp_path):
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(InputError, match=str(path)):
            read_yaml(path)


def test_an_empty_file_and_a_byte_order_mark_and_windows_newlines_are_read(written):
    assert read_yaml(written("")) == {}
    assert read_yaml(written(b"\xef\xbb\xbfseed: 1\r\nsplit:\r\n  target: a\r\n")) == {
        "seed": 1,
        "split": {"target": "a"},
    }


def test_json_is_read_as_settings(written):
    assert read_yaml(written('{"seed": 1}')) == {"seed": 1}


def test_plain_values_keep_their_yaml_types():
    assert parse_yaml("[1, 1.5, true, null, a]", origin="x") == [1, 1.5, True, None, "a"]
