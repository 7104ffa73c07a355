import pytest
import torch

from reinforge.policy_gradient.update import ascend


def test_ascend_goes_uphill_by_the_gradient():
    weight = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    optimizer = torch.optim.SGD([weight], lr=0.1)
    value, taken = ascend(optimizer, -(weight**2).sum())
    assert (value, taken) == (-5.0, True)
    torch.testing.assert_close(weight.detach(), torch.tensor([0.8, 1.6]))


def test_ascend_scales_a_long_gradient_down_to_its_limit():
    weight = torch.nn.Parameter(torch.tensor([0.0, 0.0]))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    ascend(optimizer, 30.0 * weight[0] + 40.0 * weight[1], max_grad_norm=1.0)
    torch.testing.assert_close(weight.detach(), torch.tensor([0.6, 0.8]))


@pytest.mark.parametrize(
    "objective",
    [
        lambda weight: weight.sum() * float("nan"),
        lambda weight: weight.sum() * float("inf"),
        lambda weight: torch.sqrt(weight - 1.0).sum(),  # finite value 0, infinite gradient
    ],
    ids=["nan", "inf", "infinite gradient"],
)
def test_ascend_refuses_a_step_that_is_not_finite(objective):
    weight = torch.nn.Parameter(torch.tensor([1.0, 1.0]))
    optimizer = torch.optim.Adam([weight], lr=0.1)
    _, taken = ascend(optimizer, objective(weight))
    assert not taken
    assert weight.detach().tolist() == [1.0, 1.0]
    assert not optimizer.state_dict()["state"]


def test_a_refused_step_leaves_nothing_behind_for_the_next_one():
    weight = torch.nn.Parameter(torch.tensor([1.0]))
    optimizer = torch.optim.SGD([weight], lr=0.1)
    ascend(optimizer, weight.sum() * float("nan"))
    value, taken = ascend(optimizer, 2.0 * weight.sum())
    assert (value, taken) == (2.0, True)
    torch.testing.assert_close(weight.detach(), torch.tensor([1.2]))
