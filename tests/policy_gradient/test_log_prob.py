import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.distributions import Categorical, Independent, Normal, TransformedDistribution
from torch.distributions.transforms import TanhTransform

from reinforge.policy_gradient import log_prob


def numbers(seed, *shape):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def test_gaussian_matches_a_hand_computation():
    # x = 3, m = 1, s = 2: -(1)^2 / 2 - log 2 - log sqrt(2 pi) = -0.5 - 0.693147 - 0.918939
    told = log_prob.gaussian(
        torch.tensor([[3.0]]), torch.tensor([[1.0]]), torch.tensor([[math.log(2.0)]])
    )
    torch.testing.assert_close(told, torch.tensor([[-2.112086]]), rtol=0, atol=1e-5)


def test_gaussian_agrees_with_torch_for_every_entry():
    value, mean, log_std = numbers(0, 7, 3), numbers(1, 7, 3), numbers(2, 7, 3)
    told = log_prob.gaussian(value, mean, log_std)
    torch.testing.assert_close(told, Normal(mean, log_std.exp()).log_prob(value))


def test_gaussian_takes_one_deviation_a_feature_for_all_draws():
    value, mean, log_std = numbers(0, 7, 3), numbers(1, 7, 3), numbers(2, 3)
    told = log_prob.gaussian(value, mean, log_std)
    torch.testing.assert_close(told, Normal(mean, log_std.exp()).log_prob(value))


@given(shift=st.floats(-50, 50))
def test_gaussian_depends_on_the_distance_from_the_mean_alone(shift):
    value, mean, log_std = numbers(0, 4, 2), numbers(1, 4, 2), numbers(2, 2)
    moved = log_prob.gaussian(value + shift, mean + shift, log_std)
    torch.testing.assert_close(moved, log_prob.gaussian(value, mean, log_std))


@given(scale=st.floats(0.01, 100))
def test_gaussian_loses_the_log_of_the_unit_when_the_unit_changes(scale):
    value, mean, log_std = numbers(0, 4, 2), numbers(1, 4, 2), numbers(2, 2)
    moved = log_prob.gaussian(scale * value, scale * mean, log_std + math.log(scale))
    expected = log_prob.gaussian(value, mean, log_std) - math.log(scale)
    torch.testing.assert_close(moved, expected)


def test_tanh_correction_matches_a_hand_computation():
    # u = 0: log(1 - 0) = 0; u = 1: log(1 - 0.761594^2) = log 0.419974 = -0.867562
    told = log_prob.tanh_correction(torch.tensor([[0.0, 1.0, -1.0]]))
    torch.testing.assert_close(told, torch.tensor([[0.0, -0.867562, -0.867562]]), rtol=0, atol=1e-5)


def test_tanh_correction_gives_the_density_of_a_squashed_normal():
    mean, log_std = numbers(1, 5, 3), 0.3 * numbers(2, 3)
    value = numbers(0, 5, 3)
    squashed = TransformedDistribution(
        Independent(Normal(mean, log_std.exp().expand(5, 3)), 0), [TanhTransform()]
    )
    ours = log_prob.gaussian(value, mean, log_std) - log_prob.tanh_correction(value)
    torch.testing.assert_close(ours, squashed.log_prob(torch.tanh(value)))


@pytest.mark.parametrize("size", [20.0, 200.0, 3e4])
def test_tanh_correction_stays_finite_where_tanh_rounds_to_one(size):
    value = torch.tensor([[size, -size]])
    assert float(torch.tanh(value)[0, 0]) == 1.0
    told = log_prob.tanh_correction(value)
    torch.testing.assert_close(told, torch.full((1, 2), 2 * (math.log(2.0) - size)))


def test_a_squashed_density_integrates_to_one():
    action = torch.linspace(-1 + 1e-7, 1 - 1e-7, 200_001, dtype=torch.float64)
    value = torch.atanh(action)[:, None]
    mean, log_std = torch.tensor([[0.4]]).double(), torch.tensor([[-0.5]]).double()
    log_density = log_prob.gaussian(value, mean.expand_as(value), log_std.expand_as(value))
    density = (log_density - log_prob.tanh_correction(value)).exp().squeeze(1)
    assert float(torch.trapezoid(density, action)) == pytest.approx(1.0, abs=1e-4)


def categorical(level, logits, column_of_level, n_columns):
    """The log-probability of drawn levels."""
    return log_prob.log_share(logits, column_of_level, n_columns).gather(1, level)


def test_categorical_matches_a_hand_computation():
    # shares 1/4, 3/4 and 1/2, 1/2: log 0.75 = -0.287682, log 0.5 = -0.693147
    logits = torch.tensor([[0.0, math.log(3.0), 7.0, 7.0]])
    told = categorical(torch.tensor([[1, 2]]), logits, torch.tensor([0, 0, 1, 1]), 2)
    torch.testing.assert_close(told, torch.tensor([[-0.287682, -0.693147]]), rtol=0, atol=1e-5)


def test_categorical_agrees_with_torch_on_a_joint_level_axis(two_columns):
    logits, column_of_level, (n_first, _) = two_columns
    for first in range(3):
        for second in range(2):
            level = torch.tensor([[first, n_first + second]] * 2)
            told = categorical(level, logits, column_of_level, 2)
            chosen = torch.full((2,), first), torch.full((2,), second)
            parts = [
                Categorical(logits=part).log_prob(at)
                for part, at in zip(logits.split((3, 2), dim=1), chosen, strict=True)
            ]
            torch.testing.assert_close(told, torch.stack(parts, dim=1))


def test_probabilities_of_a_columns_levels_add_up_to_one(two_columns):
    logits, column_of_level, _ = two_columns
    shares = [
        categorical(torch.full((2, 2), k), logits, column_of_level, 2).exp() for k in range(5)
    ]
    total = sum(share[:, 0] for share in shares[:3]), sum(share[:, 1] for share in shares[3:])
    torch.testing.assert_close(torch.stack(total), torch.ones(2, 2, dtype=torch.float64))


@given(first=st.floats(-30, 30), second=st.floats(-30, 30))
def test_categorical_ignores_a_constant_added_to_a_columns_logits(first, second):
    logits = torch.tensor([[0.0, 1.0, -2.0, 0.5, 1.5]], dtype=torch.float64)
    column_of_level = torch.tensor([0, 0, 0, 1, 1])
    level = torch.tensor([[2, 3]])
    shift = torch.tensor([first, second], dtype=torch.float64)[column_of_level]
    moved = categorical(level, logits + shift, column_of_level, 2)
    torch.testing.assert_close(moved, categorical(level, logits, column_of_level, 2))


def test_log_share_is_finite_at_the_largest_logits_that_are_promised():
    logits = torch.tensor([[80.0, 80.0, -80.0, -80.0]])
    told = log_prob.log_share(logits, torch.tensor([0, 0, 1, 1]), 2)
    torch.testing.assert_close(told, torch.full((1, 4), -math.log(2.0)), rtol=0, atol=1e-4)
