"""The page of the five arms: whose differences it shows, and over which seeds."""

from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest

pytest.importorskip("diffusers")

import identity
import measurements


def rows(arm, values, score="map"):
    return [
        dict(zip(measurements.FIELDS, ("orl", "2 people", arm, seed, score, value), strict=True))
        for seed, value in values.items()
    ]


def test_every_generated_arm_is_shown_beside_those_before_it():
    asked = [(arm, base) for arm in identity.ARMS for base in identity.ARMS]
    shown = [pair for pair in asked if identity.is_asked(*pair)]
    assert ("cold_start", "real") in shown
    assert ("selected", "cold_start") in shown
    assert ("cold_start", "selected") not in shown
    assert not [arm for arm, _ in shown if arm in ("real", "random_erasing")]


def test_an_ablation_changes_an_arm_in_whose_pictures_it_sees():
    for name, arm in identity.ABLATIONS.items():
        whole = identity.ARMS[identity.based_on(name)]
        assert arm.kind == whole.kind
        assert (arm.has_newcomers, arm.mixing.of) in ((False, "newcomers"), (True, "both"))


def test_newcomers_are_chosen_beforehand_where_there_are_any_and_a_prior_draws_by_likeness():
    worlds = [
        SimpleNamespace(prior=SimpleNamespace(likeness=likeness)) for likeness in (None, "maps")
    ]
    chosen = [
        [identity.is_chosen(world, identity.EVERY[name]) for world in worlds]
        for name in ("selected", "selected, learnt people", "reinforced")
    ]
    assert chosen == [[False, True], [False, False], [False, False]]


def test_an_arm_of_the_prior_differs_in_the_parents_of_its_newcomers_alone():
    for name, arm in identity.OF_PRIOR.items():
        base = identity.ARMS[identity.based_on(name)]
        assert (base.parents, arm.parents) == ("auto", "prior")
        assert replace(arm, parents="auto") == base


def test_a_page_shows_arms_of_the_prior_beside_those_of_the_learnt(tmp_path):
    file = tmp_path / "identity.csv"
    for score in (*identity.SCORES, "cpu_seconds"):
        measured = {"real": 0.5, "cold_start": 0.7, "cold_start, of the prior": 0.8}
        for arm, value in measured.items():
            measurements.append(file, rows(arm, {0: value, 1: value}, score))
    page = identity.page(file)
    assert "| cold_start, of the prior (2) | 0.800 ± 0.000 |" in page
    assert "| cold_start, of the prior - cold_start (2) | **+0.100 ± 0.000** |" in page
    assert "| cold_start, of the prior - real (2) | **+0.300 ± 0.000** |" in page


def test_differences_are_of_the_seeds_that_both_arms_have(tmp_path):
    file = tmp_path / "identity.csv"
    measured = rows("real", {0: 0.5, 1: 0.6, 2: 0.1}) + rows("selected", {0: 0.7, 1: 0.8})
    for score in identity.SCORES:
        measurements.append(file, [{**row, "score": score} for row in measured])
    table = measurements.read(file).pivot_table(
        index=["arm", "seed"], columns="score", values="value"
    )
    shown = identity.differences(table, [("selected", "real"), ("selected", "cold_start")])
    assert "selected - real (2) | **+0.200 ± 0.000**" in shown
    assert "cold_start" not in shown


def test_the_page_holds_arms_without_pictures_that_were_judged(tmp_path):
    file = tmp_path / "identity.csv"
    scores = (*identity.SCORES, "cpu_seconds")
    for score in scores:
        measurements.append(file, rows("real", {0: 0.5}, score) + rows("selected", {0: 0.7}, score))
    page = identity.page(file)
    assert "## ORL, 2 people" in page
    assert "| selected (1) | 0.700 |" in page
    assert "what they leak" not in page


def test_each_set_of_faces_has_its_own_part_and_differences_and_orl_comes_first(tmp_path):
    file = tmp_path / "identity.csv"
    for dataset, gain in (("lfw", 0.25), ("orl", 0.125)):
        for score in (*identity.SCORES, "cpu_seconds"):
            measured = rows("real", {0: 0.5}, score) + rows("cold_start", {0: 0.5 + gain}, score)
            measurements.append(file, [{**row, "dataset": dataset} for row in measured])
    first, second = identity.page(file).split("## LFW, 2 people")
    assert "## ORL, 2 people" in first
    assert "| cold_start - real (1) | +0.125 |" in first
    assert "| cold_start - real (1) | +0.250 |" in second


def test_no_arm_is_measured_twice_under_one_name():
    kinds = (identity.ARMS, identity.OF_PRIOR, identity.ABLATIONS, identity.PICTURES)
    kinds += (identity.FROM_ENCODER, identity.REWARD_ARMS, identity.CHOICES)
    kinds += (identity.NAMES_ALONE, identity.PHOTOGRAPHS)
    assert pd.Index([arm for kind in kinds for arm in kind]).is_unique


def test_arms_without_a_generator_are_not_trained_again_under_another_setting(tmp_path):
    file = tmp_path / "identity.csv"
    setting = "20 people, 3 pictures each, 200 steps of cold start"
    measured = rows("real", {0: 0.5, 1: 0.6}) + rows("cold_start", {0: 0.7})
    measurements.append(file, [{**row, "setting": setting} for row in measured])
    known = measurements.read(file)
    others = ("20 people, 3 pictures each, 850 steps", "20 people, 5 pictures each, 200 steps")
    found = [identity.known_elsewhere(known, other, "real", 1) for other in others]
    assert found == [{"map": 0.6}, {}]
    longer = [f"{setting}, 3000{identity.LONGER}", f"{setting}, prior by likeness"]
    found = [identity.known_elsewhere(known, other, "real", 1) for other in longer]
    assert found == [{}, {"map": 0.6}]
    assert identity.known_elsewhere(known, others[0], "cold_start", 0) == {}
    assert identity.known_elsewhere(known, others[0], "real", 2) == {}


def test_a_setting_names_whatever_differs_from_the_script_s_own(tmp_path):
    (tmp_path / "likeness.safetensors").touch()
    own = {"people": 20, "cold_start": 200, "prior": tmp_path}
    own |= {"prior_updates": 4000, "iterations": 40, "updates": 1000}
    plain = "20 people, 3 pictures each, 200 steps of cold start, prior by likeness"
    assert identity.setting_of(SimpleNamespace(**own), 3) == plain
    short = SimpleNamespace(**{**own, "prior_updates": 1000, "iterations": 20})
    named = f"{plain} of 1,000 updates, 20 iterations of reinforcement"
    assert identity.setting_of(short, 3) == named
    longer = identity.setting_of(SimpleNamespace(**{**own, "updates": 3000}), 0)
    assert longer == plain.replace("3 pictures each", "all pictures but two of each") + (
        ", 3000 updates of a recogniser"
    )


def test_whole_trainings_come_before_shorter_ones_and_tuned_faces():
    by, half = identity.BY_LIKENESS, f", 20{identity.OF_REWARD}"
    order = [("orl", f"3{by}"), ("lfw", f"3{by}"), ("orl", f"3{by} of 1,000 updates{half}")]
    order += [("orl", "3"), ("lfw", "3")]
    placed = sorted(((key, None) for key in reversed(order)), key=identity.place_on_page)
    assert [key for key, _ in placed] == order


def test_a_page_shows_what_a_prior_by_likeness_is_ahead_of_one_by_classes(tmp_path):
    file = tmp_path / "identity.csv"
    for kind, gain in (("", 0.0), (identity.BY_LIKENESS, 0.25)):
        for score in (*identity.SCORES, "cpu_seconds"):
            measured = rows("cold_start", {0: 0.5 + gain, 1: 0.25 + gain}, score)
            measurements.append(file, [{**row, "setting": "2 people" + kind} for row in measured])
    page = identity.page(file)
    assert page.index("## ORL, 2 people, prior by likeness") < page.index("## ORL, 2 people\n")
    beside = page[page.index("the same people:") :]
    assert "| cold_start (2) | **+0.250 ± 0.000** |" in beside
    assert page.count("the same people:") == 1


def test_a_page_shows_what_another_way_of_drawing_newcomers_cost(tmp_path):
    for name, ending, gain in (("identity", "", 0.0), ("identity_earlier", identity.AS_LEFT, 0.25)):
        file = tmp_path / f"{name}.csv"
        for score in (*identity.SCORES, "cpu_seconds"):
            for arm in ("real", "cold_start"):
                measured = rows(arm, {0: 0.5 + gain, 1: 0.25 + gain}, score)
                measurements.append(file, [{**row, "setting": f"3{ending}"} for row in measured])
        leaked = rows("newcomers of cold_start", {0: 0.5 - gain}, "identity_leakage")
        leaked += rows("newcomers of reinforced", {4 * gain: 0.5}, "identity_leakage")
        measurements.append(file, [{**row, "setting": f"3{ending}"} for row in leaked])
    told = identity.page(tmp_path / "identity.csv").split("as the cold start leaves them, the")
    shown = [row for row in told[1].splitlines() if row.startswith("|")][2:4]
    assert shown[0].startswith("| cold_start (2) | **-0.250 ± 0.000** | **-0.250 ± 0.000** |")
    assert shown[1].startswith("| newcomers of cold_start (1) | – | – | – | – | +0.250 | – |")
    assert len(told) == 2
    assert "real (2) | -" not in told[1]
    assert "newcomers of reinforced (0)" not in told[1]  # no seed in both


def test_a_policy_is_trained_if_an_arm_or_its_pictures_are_asked_for():
    made = []

    class World:
        def cold(self, **settings):
            return f"cold after {settings['cold_start_steps']}"

        def reinforced(self, **settings):
            made.append((settings.get("semantic_weight"), settings["n_steps"]))
            return "reinforced"

    def asked(*arms):
        made.clear()
        return list(identity.policies_of(World(), 200, arms))

    assert asked("real", "cold_start", identity.ENCODER) == ["cold_start"]
    assert (
        asked("selected") == asked("newcomers of reinforced, apart") == ["cold_start", "reinforced"]
    )
    assert asked("selected, of cold_start") == ["cold_start"]
    assert asked("reinforced, without R_sem")[1:] == ["reinforced, without R_sem"]
    assert made == [(0.0, identity.N_STEPS)]
    made.clear()
    identity.policies_of(World(), 200, ["reinforced"], 20)
    assert made == [(None, 20)]
