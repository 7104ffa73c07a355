import argparse

import numpy as np
import pandas as pd

import identity_front
import measurements


def test_each_cold_start_stands_alone_and_under_each_weight():
    chosen = argparse.Namespace(cold_starts=[200, 850], weights=[0.0, 0.5], iterations=40)
    plan = identity_front.trainings(chosen)
    assert [(p["cold_start_steps"], p["privacy_weight"], p["n_steps"]) for p in plan] == [
        (200, 0.0, 0),
        (200, 0.0, 40),
        (200, 0.5, 40),
        (850, 0.0, 0),
        (850, 0.0, 40),
        (850, 0.5, 40),
    ]
    for settings in plan:
        assert identity_front.settings_of(identity_front.arm_of(settings)) == settings


def test_the_page_has_a_row_a_training_and_both_drawings(tmp_path):
    path = tmp_path / "results" / "identity_front.csv"
    rows = []
    for steps in (200, 850):
        for weight, n_steps in ((0.0, 0), (0.0, 40), (0.5, 40)):
            knobs = {"cold_start_steps": steps, "privacy_weight": weight, "n_steps": n_steps}
            told = {"verification_accuracy": 0.8, "membership_auc": steps / 1000 - weight / 10}
            told["membership_auc[holdout]"] = 0.5
            arm = identity_front.arm_of(knobs)
            rows += [
                ("drawn", "6 people", arm, seed, *pair) for pair in told.items() for seed in (0, 1)
            ]
    measurements.append(path, [dict(zip(measurements.FIELDS, r, strict=True)) for r in rows])
    identity_front.write_page(path)
    page = (tmp_path / "identity_front.md").read_text()
    assert "| 850 | not reinforced | 2 | 0.800 ± 0.000 |" in page
    assert "| 200 | 0.5 | 2 |" in page
    assert "| 200 steps - 850 steps (2) | 0.000 ± 0.000 |" in page
    assert "| 850 steps, weight 0.5 - 850 steps, weight 0 (2) | 0.000 ± 0.000 |" in page
    assert "| 850 steps - " not in page
    for name in ("cold_start", "weight"):
        file = f"identity_front_drawn-6-people_{name}.svg"
        assert f"]({file})" in page
        assert "<svg" in (tmp_path / file).read_text()


def test_whiskers_leave_out_what_arms_owe_to_a_seed_and_arms_of_fewer_seeds():
    index = [("a", 0), ("a", 1), ("b", 0), ("b", 1), ("c", 0)]
    wide = pd.DataFrame(
        {"map": [0.2, 0.6, 0.3, 0.9, 0.0]},
        index=pd.MultiIndex.from_tuples(index, names=["arm", "seed"]),
    )
    shown = identity_front.same_seeds(wide, ["a", "b", "c"], "map")
    assert shown.index.tolist() == ["a", "b"]
    # seeds' means .25 and .75 give way to the mean of all, .5
    np.testing.assert_allclose(shown, [[0.45, 0.35], [0.55, 0.65]])
