"""What reinforcement adds: each component changes one thing, each table shows what was measured."""

import pytest

import identity_reward
import measurements
from reinforge.systems.identity.config import resolve_config


def rows(setting, arm, values, score):
    return [
        {"dataset": "orl", "setting": setting, "arm": arm, "seed": n, "score": score, "value": v}
        for n, v in enumerate(values)
    ]


@pytest.mark.parametrize("by_likeness", [False, True])
def test_a_part_of_the_reward_is_all_that_its_component_leaves_out(by_likeness):
    whole = identity_reward.settings_of("half way", by_likeness=by_likeness)
    parts = set(resolve_config("default", whole).reward_weights)
    assert parts == {"semantic", "coverage", "diversity"} | ({"realism"} if by_likeness else set())
    for part in parts:
        arm = identity_reward.CHANGED + f"no {part} reward"
        changed = identity_reward.settings_of(arm, by_likeness=by_likeness)
        assert set(resolve_config("default", changed).reward_weights) == parts - {part}
        assert {k: v for k, v in changed.items() if k != f"{part}_weight"} == {
            k: v for k, v in whole.items() if k != f"{part}_weight"
        }


def test_newcomers_have_a_column_where_they_were_measured(tmp_path):
    file = tmp_path / "identity_reward.csv"
    for setting in ("by classes", "by likeness"):
        for arm in ("real, held out", "cold start", "half way"):
            for score in (*identity_reward.SCORES, "recogniser_accuracy", "looseness"):
                if setting == "by likeness" or not score.startswith("newcomer_"):
                    gain = 0.25 if arm == "half way" else 0.0
                    measurements.append(file, rows(setting, arm, [0.5 + gain, 0.25 + gain], score))
    by_classes, by_likeness = identity_reward.page(file).split("## by likeness")
    assert "newcomers found ↑" not in by_classes
    assert by_likeness.count("newcomers found ↑ | their spread, of real → 1 |") == 2
    assert "| half way (2) | **+0.250 ± 0.000** |" in by_likeness
