import math

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.distributions import Categorical, Normal

from reinforge.policy_gradient.divergence import categorical_entropy, gaussian_entropy


def test_the_entropy_of_a_unit_normal_is_known():
    told = gaussian_entropy(torch.tensor([[0.0, math.log(2.0)]]))
    torch.testing.assert_close(told, torch.tensor([[1.418939, 2.112086]]), rtol=0, atol=1e-5)


def test_gaussian_entropy_agrees_with_torch_with_and_without_a_draw_axis():
    log_std = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(gaussian_entropy(log_std), Normal(0.0, log_std.exp()).entropy())
    torch.testing.assert_close(
        gaussian_entropy(log_std[0]), Normal(0.0, log_std[0].exp()).entropy()
    )


def test_the_entropy_of_even_levels_is_the_log_of_their_number():
    told = categorical_entropy(torch.zeros(1, 5), torch.tensor([0, 0, 0, 1, 1]), 2)
    torch.testing.assert_close(told, torch.tensor([[math.log(3.0), math.log(2.0)]]))


def test_categorical_entropy_agrees_with_torch_column_by_column(two_columns):
    logits, column_of_level, sizes = two_columns
    told = categorical_entropy(logits, column_of_level, 2)
    parts = [Categorical(logits=part).entropy() for part in logits.split(sizes, dim=1)]
    torch.testing.assert_close(told, torch.stack(parts, dim=1))


def test_a_column_of_one_level_has_no_entropy():
    told = categorical_entropy(torch.tensor([[3.0, 1.0, 1.0]]), torch.tensor([0, 1, 1]), 2)
    torch.testing.assert_close(told[:, 0], torch.zeros(1), rtol=0, atol=1e-6)


@given(shift=st.floats(-20, 20))
def test_categorical_entropy_ignores_a_constant_added_to_logits(shift):
    logits = torch.tensor([[0.0, 1.0, -2.0]], dtype=torch.float64)
    column = torch.zeros(3, dtype=torch.int64)
    torch.testing.assert_close(
        categorical_entropy(logits + shift, column, 1), categorical_entropy(logits, column, 1)
    )


def test_the_gradient_of_the_entropy_points_to_evenness():
    logits = torch.tensor([[2.0, 0.0]], requires_grad=True)
    categorical_entropy(logits, torch.tensor([0, 0]), 1).sum().backward()
    assert float(logits.grad[0, 0]) < 0 < float(logits.grad[0, 1])
