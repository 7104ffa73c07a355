import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reinforge.policy_gradient.advantage import group_relative, minus_baseline, standardised


def test_standardised_matches_a_hand_computation():
    reward = torch.tensor([1.0, 3.0, 5.0])  # mean 3, deviation 2 with Bessel's correction
    expected = torch.tensor([-1.0, 0.0, 1.0])
    torch.testing.assert_close(standardised(reward), expected, rtol=0, atol=1e-6)


@given(shift=st.floats(-9, 9), scale=st.floats(0.5, 9))
def test_standardised_does_not_depend_on_the_unit_of_reward(shift, scale):
    reward = torch.tensor([0.0, 1.0, 4.0, -2.0], dtype=torch.float64)
    moved = standardised(scale * reward + shift)
    torch.testing.assert_close(moved, standardised(reward), rtol=0, atol=1e-6)


def test_standardised_rewards_have_mean_zero_and_deviation_one():
    reward = torch.randn(100, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    told = standardised(3.0 * reward + 7.0)
    assert float(told.mean()) == pytest.approx(0.0, abs=1e-12)
    assert float(told.std()) == pytest.approx(1.0, abs=1e-6)


def test_equal_rewards_give_no_advantage():
    torch.testing.assert_close(standardised(torch.full((4,), 2.5)), torch.zeros(4))


def test_standardised_keeps_the_order_of_rewards():
    reward = torch.tensor([0.3, -4.0, 9.0, 0.2])
    assert standardised(reward).argsort().tolist() == reward.argsort().tolist()


def test_one_draw_cannot_be_standardised():
    with pytest.raises(ValueError, match="at least 2 draws, got 1"):
        standardised(torch.tensor([1.0]))


def test_a_baseline_is_taken_off_draw_by_draw():
    told = minus_baseline(torch.tensor([1.0, 2.0]), torch.tensor([0.5, 3.0]))
    torch.testing.assert_close(told, torch.tensor([0.5, -1.0]))


def test_group_relative_matches_a_hand_computation():
    reward = torch.tensor([[1.0, 3.0], [5.0, 5.0]])  # means 2, 5; deviations 1, 0
    expected = torch.tensor([[-1.0, 1.0], [0.0, 0.0]])
    torch.testing.assert_close(group_relative(reward), expected, rtol=0, atol=1e-5)


@given(shift=st.floats(-9, 9), scale=st.floats(0.5, 9))
def test_group_relative_does_not_depend_on_the_unit_of_reward(shift, scale):
    reward = torch.tensor([[0.0, 1.0, 4.0]], dtype=torch.float64)
    moved = group_relative(scale * reward + shift)
    torch.testing.assert_close(moved, group_relative(reward), rtol=0, atol=1e-5)


@given(shift=st.floats(-1e3, 1e3))
def test_group_relative_compares_draws_of_one_prompt_only(shift):
    reward = torch.tensor([[0.0, 1.0, 4.0], [2.0, 2.5, 9.0]], dtype=torch.float64)
    moved = reward + torch.tensor([[shift], [0.0]], dtype=torch.float64)
    torch.testing.assert_close(group_relative(moved), group_relative(reward), rtol=0, atol=1e-6)


def test_group_relative_refuses_one_draw_a_prompt():
    with pytest.raises(ValueError, match="at least 2 draws per prompt, got 1"):
        group_relative(torch.ones(5, 1))
