"""Leakage told by halves of the training rows, and settings that keep it low."""

import numpy as np
import pandas as pd
import pytest

from reinforge import TabularSynthesizer
from reinforge.data.infer import infer_schema
from reinforge.errors import InputError
from reinforge.synthesizers.leakage import RUNGS, at_rung, leakage_on_halves, within
from reinforge.systems.tabular.config import TabularConfig


def people(n_rows=200, seed=0):
    """Rows of numbers and a group, with a number of its own in each."""
    numbers = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "id number": np.arange(n_rows) + 0.5,
            "weight": numbers.normal(size=n_rows),
            "height": numbers.normal(size=n_rows),
            "group": numbers.choice(["a", "b"], n_rows),
        }
    )


class Copies:
    """Gives back rows that it learnt, a share of them; else rows of other people."""

    def __init__(self, rows, share=1.0):
        self.rows, self.share = rows, share

    def sample(self, n, *, seed):
        numbers = np.random.default_rng(seed)
        is_copy = numbers.random(n) < self.share
        own = self.rows.iloc[numbers.integers(len(self.rows), size=n)].reset_index(drop=True)
        other = people(n, seed=1000 + seed)
        return pd.concat([own[is_copy], other[~is_copy]], ignore_index=True)


def told(share, n_rows=200, seed=0):
    """Leakage on halves of a generator that copies a share of what it learnt."""
    frame = people(n_rows)
    return leakage_on_halves(
        lambda half: Copies(half, share), frame, infer_schema(frame), seed=seed
    )


def test_a_generator_of_copies_gives_away_nearly_every_row():
    assert told(1.0).value > 0.85


def test_a_generator_of_other_people_gives_away_nobody():
    estimate = told(0.0)
    assert estimate.low <= 0.5 <= estimate.high


def test_the_more_is_copied_the_more_leaks():
    values = [told(share).value for share in (0.0, 0.2, 0.6)]
    assert values == sorted(values)
    assert values[-1] > values[0] + 0.1


def test_each_row_is_learnt_by_one_generator_and_not_by_the_other():
    frame, halves = people(101), []

    def fit(half):
        halves.append(half)
        return Copies(half)

    leakage_on_halves(fit, frame, infer_schema(frame), seed=3)
    numbers = [set(half["id number"]) for half in halves]
    assert len(numbers) == 2
    assert not numbers[0] & numbers[1]
    assert numbers[0] | numbers[1] == set(frame["id number"])
    assert abs(len(numbers[0]) - len(numbers[1])) == 1


def test_nobody_has_rows_in_both_halves():
    frame = people(400).assign(patient=[f"p{k // 4}" for k in range(400)])
    frame.loc[:3, "patient"] = None  # rows of nobody in particular are each on their own
    schema, halves = infer_schema(frame, overrides={"patient": {"kind": "identifier"}}), []

    def fit(half):
        halves.append(half)
        return Copies(half)

    leakage_on_halves(fit, frame, schema, seed=3)
    named = [set(half["patient"].dropna()) for half in halves]
    assert not named[0] & named[1]
    assert len(halves[0]) + len(halves[1]) == 400
    assert abs(len(halves[0]) - 200) <= 4


@pytest.mark.parametrize(
    ("hidden", "rung", "changed"),
    [
        (0.5, (0.0, 1.0), {}),
        (0.5, (0.75, 1.0), {"hidden_from_encoder": 0.75}),
        (0.8, (0.75, 1.0), {}),
        (0.8, (0.75, 0.5), {"cold_start_steps": 150}),
        (0.5, (0.9, 0.25), {"hidden_from_encoder": 0.9, "cold_start_steps": 75}),
    ],
)
def test_a_rung_changes_only_what_becomes_more_private(hidden, rung, changed):
    config = TabularConfig(hidden_from_encoder=hidden, cold_start_steps=300)
    assert at_rung(config, rung, 500) == changed


def copies_by_settings(config, half):
    """Copies fewer rows the more is hidden."""
    return Copies(half, share=1.0 - config.hidden_from_encoder)


def test_settings_become_more_private_until_leakage_is_low_enough():
    frame = people()
    config = TabularConfig(hidden_from_encoder=0.0)
    schema = infer_schema(frame)
    tried = within(0.62, config, frame, copies_by_settings, schema, seed=0)
    assert len(tried) > 1
    assert [one.auc.value <= 0.62 for one in tried] == [False] * (len(tried) - 1) + [True]
    assert tried[0].settings == {}
    assert tried[-1].settings["hidden_from_encoder"] >= 0.75


def test_leakage_that_no_settings_reach_is_refused_with_the_least_that_was():
    frame = people()
    config = TabularConfig(hidden_from_encoder=0.0)
    with pytest.raises(InputError, match=r"0\.51 is not reached: .* was 0\.\d+ .*raise max_leak"):
        within(0.51, config, frame, lambda config, half: Copies(half), infer_schema(frame), seed=0)


def test_too_few_rows_for_halves_are_refused():
    frame = people(99)
    with pytest.raises(InputError, match="at least 100 training rows, and there are 99"):
        within(0.6, TabularConfig(), frame, copies_by_settings, infer_schema(frame), seed=0)


@pytest.mark.parametrize("wanted", [0.5, 1.0, -1.0])
def test_a_leakage_that_is_no_auc_above_chance_is_refused(wanted):
    with pytest.raises(InputError, match=r"max_leakage: .* between 0\.5 and 1 is wanted"):
        TabularSynthesizer(max_leakage=wanted)


def test_a_fit_keeps_the_settings_that_held_and_says_what_it_tried(tmp_path):
    settings = {"n_steps": 5, "hidden": 16, "discriminator_hidden": 16, "batch_rows": 32}
    model = TabularSynthesizer(max_leakage=0.56, hidden_from_encoder=0.0, **settings)
    steps = []
    model.fit(people(), on_step=steps.append)
    assert 1 <= len(model.tried) <= len(RUNGS)
    assert model.tried[-1].auc.value <= 0.56
    for name, value in model.tried[-1].settings.items():
        assert getattr(model.config, name) == value
    assert any("measuring" in record for record in steps)
    model.save(tmp_path)
    again = TabularSynthesizer.load(tmp_path)
    assert again.config.hidden_from_encoder == model.config.hidden_from_encoder
