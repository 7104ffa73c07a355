import numpy as np
import pandas as pd
import pytest
from small_tables import known_table, mixed_table, quick

from reinforge.data.coded import to_coded
from reinforge.data.infer import infer_schema
from reinforge.errors import InputError
from reinforge.synthesizers import TabularSynthesizer
from reinforge.systems.tabular.reward import (
    PrivacyReward,
    Reward,
    TrainRows,
    UtilityReward,
    rule_reward,
    total_reward,
)
from reinforge.systems.tabular.rules import parse_rule


def train_rows(frame, target=None):
    schema = infer_schema(frame)
    return TrainRows(
        frame=frame, coded=to_coded(frame, schema), schema=schema, target=target, seed=0
    )


FRAME = pd.DataFrame({"x": [1.0, 2.0, 3.0]})


def test_a_reward_is_its_function_times_its_weight():
    np.testing.assert_array_equal(Reward(lambda t: t["x"], 2.0)(FRAME), [2.0, 4.0, 6.0])


@pytest.mark.parametrize(
    "kind", [list, np.array, pd.Series, pd.array, lambda x: pd.Series(x, index=[9, 8, 7])]
)
def test_a_reward_may_return_any_row_of_numbers(kind):
    assert Reward(lambda t: kind([1, 0, -1]))(FRAME).tolist() == [1.0, 0.0, -1.0]


def test_rewards_add_up_and_their_unweighted_means_are_told():
    rewards = [
        Reward(lambda t: t["x"], 2.0, "amount"),
        rule_reward(parse_rule("x < 3"), weight=5.0),
        Reward(lambda t: t["x"] * 0.0 + 1.0, 0.0, "off"),
    ]
    total, means = total_reward(rewards, FRAME)
    np.testing.assert_array_equal(total, [2.0, 4.0, 1.0])
    assert means["reward: amount"] == pytest.approx(2.0)
    assert means["reward: rule x < 3"] == pytest.approx(-1 / 3)


def test_no_rewards_are_zeros():
    total, means = total_reward([], FRAME)
    assert total.tolist() == [0.0, 0.0, 0.0]
    assert means == {}


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ([1.0, np.nan, 2.0], "NaN or infinite numbers for 1 of 3 rows"),
        ([1.0, np.inf, -np.inf], "NaN or infinite numbers for 2 of 3 rows"),
        ([1.0, 2.0], r"one number a row, shape \(3,\); it returned shape \(2,\)"),
        (1.0, r"it returned shape \(\)"),
        ([[1.0], [2.0], [3.0]], r"it returned shape \(3, 1\)"),
    ],
)
def test_a_reward_that_returns_anything_else_is_refused_by_name(returned, message):
    with pytest.raises(InputError, match=f"reward 'mine' .*{message}"):
        Reward(lambda t: returned, name="mine")(FRAME)


@pytest.mark.parametrize("returned", [float("nan"), "wrong shape"])
def test_a_bad_reward_is_refused_before_training_starts(returned):
    def bad(frame):
        return [1.0] if returned == "wrong shape" else np.full(len(frame), returned)

    seen = []
    model = TabularSynthesizer(rewards=[Reward(bad)], **quick())
    with pytest.raises(InputError, match="reward 'bad'"):
        model.fit(known_table(60), on_step=seen.append)
    assert seen == []


def test_a_reward_that_turns_bad_later_stops_training_in_one_line():
    calls = []

    def later(frame):
        calls.append(len(frame))
        return np.full(len(frame), 1.0 if len(calls) < 3 else np.nan)

    with pytest.raises(InputError, match="reward 'later' returned NaN"):
        TabularSynthesizer(rewards=[Reward(later)], **quick()).fit(known_table(60))


def test_a_constant_reward_does_no_harm():
    def constant(frame):
        return np.ones(len(frame))

    model = TabularSynthesizer(rewards=[Reward(constant, 3.0)], **quick(n_steps=30))
    model.fit(known_table(100))
    assert np.isfinite([record["reward"] for record in model.history]).all()
    assert len(model.sample(10)) == 10


def test_rewards_see_rows_as_the_user_knows_them():
    seen = []

    def look(frame):
        seen.append(frame.dtypes.to_dict() | {"columns": list(frame.columns)})
        return np.zeros(len(frame))

    table = mixed_table().assign(same="k")
    TabularSynthesizer(rewards=[Reward(look)], **quick(n_steps=2)).fit(table)
    for record in seen:
        assert record.pop("columns") == list(table.columns)
        assert record["stage"] == table["stage"].dtype
        assert record["day"] == table["day"].dtype
        assert record["yes"] == table["yes"].dtype


def test_a_rule_with_an_unknown_column_is_refused_before_training():
    with pytest.raises(InputError, match="no column 'nope'"):
        TabularSynthesizer(rules=["nope > 3"], **quick()).fit(known_table(60))


def test_the_privacy_reward_is_minus_one_for_copies_and_zero_for_the_far():
    numbers = np.random.default_rng(0)
    frame = pd.DataFrame({"x": numbers.normal(size=80), "y": numbers.normal(size=80)})
    reward = PrivacyReward(weight=1.0).prepared(train_rows(frame))
    np.testing.assert_allclose(reward(frame), -1.0, atol=1e-4)
    far = frame + np.array([6.0, 6.0])
    np.testing.assert_allclose(reward(far), 0.0, atol=1e-12)
    near = reward(frame + 0.001)
    assert ((near > -1.0) & (near < 0.0)).mean() > 0.9


def test_the_privacy_reward_costs_nothing_at_the_usual_distance_of_real_rows():
    frame = pd.DataFrame({"x": np.arange(50) / 2})  # every row's nearest stands 1/2 away
    reward = PrivacyReward(weight=1.0).prepared(train_rows(frame))
    told = reward(pd.DataFrame({"x": [-0.5, 10.125, 10.25]}))
    np.testing.assert_allclose(told, [0.0, -0.75, -0.5], atol=1e-6)


def test_the_utility_reward_is_the_log_probability_of_the_rows_own_class():
    frame = pd.DataFrame({"x": np.linspace(-3, 3, 100), "y": np.repeat(["no", "yes"], 50)})
    reward = UtilityReward(weight=1.0).prepared(train_rows(frame, "y"))
    rows = pd.DataFrame({"x": [-2.0, -2.0, 2.0, 2.0], "y": ["no", "yes", "no", "yes"]})
    told = reward(rows)
    assert (told <= 0).all()
    np.testing.assert_allclose(np.exp(told[0]) + np.exp(told[1]), 1.0, atol=1e-6)
    assert told[0] > told[1]
    assert told[3] > told[2]


def test_the_utility_reward_bounds_what_one_hopeless_row_costs():
    frame = pd.DataFrame({"x": np.linspace(-50, 50, 100), "y": np.repeat(["no", "yes"], 50)})
    reward = UtilityReward(weight=1.0, largest_loss=2.0).prepared(train_rows(frame, "y"))
    told = reward(pd.DataFrame({"x": [-50.0, 0.0], "y": ["yes", None]}))
    np.testing.assert_array_equal(told, [-2.0, -2.0])


@pytest.mark.parametrize("target", [None, "number"])
def test_the_utility_reward_needs_a_target_with_classes(target):
    model = TabularSynthesizer(rewards=[UtilityReward()], **quick())
    with pytest.raises(InputError, match="utility reward needs a target with classes"):
        model.fit(known_table(60), target=target)
