import math

import torch
from torch.distributions import Categorical, Normal

from reinforge.policy_gradient.divergence import categorical_entropy, gaussian_entropy
from reinforge.policy_gradient.log_prob import log_share


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
    even = torch.tensor([[1 / 3, 1 / 3, 1 / 3, 1 / 2, 1 / 2]]).log()
    torch.testing.assert_close(categorical_entropy(even), torch.tensor([math.log(6.0)]))


def test_categorical_entropy_agrees_with_torch_summed_over_columns(two_columns):
    logits, column_of_level, sizes = two_columns
    told = categorical_entropy(log_share(logits, column_of_level, 2))
    parts = [Categorical(logits=part).entropy() for part in logits.split(sizes, dim=1)]
    torch.testing.assert_close(told, sum(parts))


def test_a_column_of_one_level_has_no_entropy():
    told = categorical_entropy(torch.zeros(3, 1))
    torch.testing.assert_close(told, torch.zeros(3), rtol=0, atol=0)


def test_the_gradient_of_the_entropy_points_to_evenness():
    logits = torch.tensor([[2.0, 0.0]], requires_grad=True)
    categorical_entropy(log_share(logits, torch.tensor([0, 0]), 1)).sum().backward()
    assert float(logits.grad[0, 0]) < 0 < float(logits.grad[0, 1])
