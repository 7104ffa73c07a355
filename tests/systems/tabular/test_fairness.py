import numpy as np
import pandas as pd
import pytest
from small_tables import LEARNT, quick

from reinforge import FairnessReward
from reinforge.data.coded import to_coded
from reinforge.data.infer import infer_schema
from reinforge.errors import InputError
from reinforge.synthesizers import TabularSynthesizer
from reinforge.systems.tabular.reward import TrainRows


def told(frame, *, target="hired"):
    """What a reward is told of a table before training."""
    schema = infer_schema(frame, min_level_count=1)
    coded = to_coded(frame, schema)
    return TrainRows(frame=frame, coded=coded, schema=schema, target=target, seed=0)


def unequal(n_a_yes, n_a_no, n_b_yes, n_b_no):
    """Groups a and b, hired or not, so many of each."""
    counts = [n_a_yes, n_a_no, n_b_yes, n_b_no]
    return pd.DataFrame(
        {
            "group": np.repeat(["a", "a", "b", "b"], counts),
            "hired": np.repeat(["yes", "no", "yes", "no"], counts),
        }
    )


def test_the_reward_compares_a_pairs_share_among_the_rows_with_independence():
    frame = unequal(30, 10, 20, 40)  # p(a) .4, p(yes) .5
    reward = FairnessReward("group", 1.0).prepared(told(frame))(frame)
    independent = np.array([0.2, 0.2, 0.3, 0.3])
    drawn = (np.array([30, 10, 20, 40]) + 10 * independent) / 110  # ten rows of independence
    by_hand = np.log(independent / drawn)
    np.testing.assert_allclose(reward, np.repeat(by_hand, [30, 10, 20, 40]))


def test_rows_among_which_group_and_outcome_are_independent_earn_nothing():
    reward = FairnessReward("group").prepared(told(unequal(30, 10, 20, 40)))
    np.testing.assert_allclose(reward(unequal(20, 20, 30, 30)), 0.0, atol=1e-12)


def test_rows_that_favour_the_other_group_are_pushed_back():
    reward = FairnessReward("group").prepared(told(unequal(30, 10, 20, 40)))
    drawn = unequal(10, 30, 40, 20)
    assert (reward(drawn)[:10] > 0).all()  # too few of group a are hired now
    assert (reward(drawn)[10:40] < 0).all()


def test_weight_scales_the_reward():
    frame = unequal(30, 10, 20, 40)
    one, half = (FairnessReward("group", w).prepared(told(frame))(frame) for w in (1.0, 0.5))
    np.testing.assert_allclose(half, one / 2)


def test_a_pair_that_never_occurred_is_wanted():
    reward = FairnessReward("group").prepared(told(unequal(30, 10, 0, 40)))
    drawn = unequal(30, 10, 1, 40)
    assert reward(drawn)[40] > 1.0


def test_a_row_without_group_or_outcome_earns_nothing():
    frame = unequal(30, 10, 20, 40)
    gone = pd.DataFrame({"group": [None, "a"], "hired": ["yes", None]}, dtype=object)
    np.testing.assert_array_equal(FairnessReward("group").prepared(told(frame))(gone), [0.0, 0.0])


@pytest.mark.parametrize(
    ("sensitive", "target", "message"),
    [
        ("group", None, "needs a target"),
        ("group", "group", "not the group itself"),
        ("age", "hired", "'age' is integer"),
        ("group", "age", "'age' is integer"),
        ("nope", "hired", "no column 'nope'"),
    ],
)
def test_what_it_cannot_balance_is_refused(sensitive, target, message):
    frame = unequal(30, 10, 20, 40).assign(age=np.arange(100) % 37)
    with pytest.raises(InputError, match=message):
        FairnessReward(sensitive).prepared(told(frame, target=target))


def gap(rows):
    """Share of `yes` in group a less that in group b."""
    share = (rows["hired"] == "yes").groupby(rows["group"]).mean()
    return share["a"] - share["b"]


def test_drawn_rows_hire_both_groups_more_alike():
    frame = unequal(120, 40, 60, 120)
    frame = frame.assign(score=np.random.default_rng(0).normal(size=len(frame)))
    phases = {"cold_start_steps": 300, "hidden_from_encoder": 0.0, "n_steps": 200}
    settings = quick(**{**LEARNT, **phases})
    plain = TabularSynthesizer(seed=0, **settings).fit(frame, target="hired")
    before = gap(plain.sample(4000))
    assert before > 0.25
    for weight in (3.0, 30.0):
        fair = TabularSynthesizer(seed=0, rewards=[FairnessReward("group", weight)], **settings)
        after = gap(fair.fit(frame, target="hired").sample(4000))
        assert abs(after) < 0.5 * before
