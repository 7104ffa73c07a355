"""The system learns a table with a known answer, and each reward moves it as its weight says."""

import random

import numpy as np
import pandas as pd
import pytest
import torch
from small_tables import LEARNT, known_table, mixed_table, quick

from reinforge.data.coded import to_coded
from reinforge.measure.distances import nearest
from reinforge.measure.features import FeatureEncoder
from reinforge.synthesizers import TabularSynthesizer
from reinforge.systems.tabular.reward import PrivacyReward, Reward, UtilityReward

TABLE = known_table(150)


def fitted(rewards=(), rules=(), target=None):
    """The known table learnt with rewards, without the gradient penalty (it holds logits back)."""
    settings = quick(
        **{
            **LEARNT,
            "cold_start_steps": 200,
            "hidden_from_encoder": 0.0,  # so short an imitation of three columns needs all of them
            "discriminator_warmup": 50,
            "n_steps": 250,
            "learning_rate": 1e-3,
            "discriminator_learning_rate": 3e-3,
            "r1_weight": 0.0,
        }
    )
    model = TabularSynthesizer(seed=0, rewards=rewards, rules=rules, **settings)
    return model.fit(TABLE, target=target)


@pytest.fixture(scope="module")
def plain():
    return fitted().sample(4000)


def log_odds(share):
    return np.log(share / (1 - share))


def first_is_true(frame):
    return frame["first"].astype(float)


def test_marginals_and_the_correlation_of_a_known_table_are_learnt(learnt):
    real, made = known_table(), learnt.sample(4000)
    for name in ("first", "second"):
        assert made[name].mean() == pytest.approx(real[name].mean(), abs=0.08)
    correlation = np.corrcoef(made["first"], made["second"])[0, 1]
    assert correlation == pytest.approx(np.corrcoef(real["first"], real["second"])[0, 1], abs=0.2)
    assert abs(np.corrcoef(made["first"], made["number"])[0, 1]) < 0.3


def test_two_modes_stay_two_modes(learnt):
    real, made = known_table()["number"], learnt.sample(4000)["number"]
    assert (made > 0).mean() == pytest.approx((real > 0).mean(), abs=0.15)
    assert (made.abs() < 1).mean() < 0.05
    for sign in (1, -1):
        side = (sign * made)[sign * made > 0]
        assert side.median() == pytest.approx(3.0, abs=0.5)
        assert side.std() == pytest.approx(0.5, abs=0.35)


def test_the_history_has_a_line_a_step_with_finite_numbers(learnt):
    assert [record["step"] for record in learnt.history] == list(range(LEARNT["n_steps"]))
    for record in learnt.history:
        assert {"reward", "discriminator_loss", "entropy"} <= set(record)
        assert np.isfinite(list(record.values())).all()
    losses = [record["discriminator_loss"] for record in learnt.history[-100:]]
    assert np.mean(losses) == pytest.approx(2 * np.log(2.0), abs=0.15)  # it can hardly tell


def test_a_reward_of_weight_one_makes_rows_about_e_times_as_likely(plain):
    made = fitted([Reward(first_is_true, 1.0)]).sample(4000)
    tilt = log_odds(made["first"].mean()) - log_odds(plain["first"].mean())
    assert 0.6 < tilt < 1.5


def test_a_rule_all_but_removes_rows_that_break_it(plain):
    made = fitted(rules=["second == True -> first == True"]).sample(4000)
    broken, before = (float((~t["first"] & t["second"]).mean()) for t in (made, plain))
    assert before > 0.08
    assert broken < 0.2 * before
    assert made["second"].mean() > 0.1


def test_the_privacy_reward_keeps_rows_away_from_the_training_rows(plain):
    model = fitted([PrivacyReward(3.0)])
    encoder = FeatureEncoder.fit(to_coded(TABLE, model.schema), model.schema)
    real = encoder.transform(to_coded(TABLE, model.schema))

    def distance(frame):
        return nearest(encoder.transform(to_coded(frame, model.schema)), real, k=1)[0].mean()

    assert distance(model.sample(4000)) > 1.15 * distance(plain)


def test_the_utility_reward_favours_rows_that_a_classifier_finds_right(plain):
    made = fitted([UtilityReward(1.0)], target="second").sample(4000)
    agree = [float((t["first"] == t["second"]).mean()) for t in (made, plain)]
    assert agree[0] > agree[1] + 0.03


def test_rewards_are_told_in_the_history_by_name():
    model = TabularSynthesizer(
        rewards=[Reward(first_is_true, 2.0)], rules=["number < 100"], **quick()
    ).fit(TABLE)
    last = model.history[-1]
    assert 0.0 <= last["reward: first_is_true"] <= 1.0  # unweighted
    assert last["reward: rule number < 100"] == 0.0


def small(seed=0, **settings):
    return TabularSynthesizer(seed=seed, **quick(**settings))


def weights_of(model, folder):
    model.save(folder)
    return (folder / "model.safetensors").read_bytes()


def test_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path):
    first = weights_of(small().fit(mixed_table()), tmp_path / "a")
    assert weights_of(small().fit(mixed_table()), tmp_path / "b") == first
    assert weights_of(small(seed=1).fit(mixed_table()), tmp_path / "c") != first


def test_global_seeds_and_threads_change_nothing(tmp_path):
    found = []
    for seed, n_threads in ((0, 1), (1, 2)):
        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002  # that it has no effect is the point
        random.seed(seed)
        n_before = torch.get_num_threads()
        torch.set_num_threads(n_threads)
        try:
            model = small().fit(mixed_table())
            found.append((weights_of(model, tmp_path / str(seed)), model.sample(50)))
            assert torch.get_num_threads() == n_threads
        finally:
            torch.set_num_threads(n_before)
    assert found[0][0] == found[1][0]
    pd.testing.assert_frame_equal(found[0][1], found[1][1])


def test_global_random_state_is_left_as_it_was(tmp_path):
    torch.manual_seed(3)
    states = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    model = small(n_steps=3).fit(mixed_table(), target="yes")
    model.sample(20, where={"group": "a"})
    model.sample(20, balance="stage")
    model.save(tmp_path / "m")
    TabularSynthesizer.load(tmp_path / "m")
    rewarded = [UtilityReward(), PrivacyReward()]
    TabularSynthesizer(rewards=rewarded, **quick()).fit(TABLE, target="second")
    assert torch.equal(torch.get_rng_state(), states[0])
    assert (np.random.get_state()[1] == states[1]).all()  # noqa: NPY002


def test_the_order_of_two_fits_does_not_matter(tmp_path):
    alone = weights_of(small().fit(TABLE), tmp_path / "a")
    small(seed=9).fit(mixed_table())
    assert weights_of(small().fit(TABLE), tmp_path / "b") == alone
