import pytest
import torch

from reinforge.policy_gradient.update import ascend, take_step


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


# gradients that were gathered part by part


def gathered(*parts):
    """A weight whose gradient is the sum of the parts', and its optimizer."""
    weight = torch.nn.Parameter(torch.tensor([0.0, 0.0]))
    for part in parts:
        (weight * torch.tensor(part)).sum().backward()
    return weight, torch.optim.SGD([weight], lr=1.0)


def test_a_step_goes_down_the_sum_of_what_was_gathered():
    weight, optimizer = gathered([1.0, 0.0], [2.0, 4.0])
    norm, taken = take_step(optimizer)
    assert (norm, taken) == (5.0, True)
    assert weight.detach().tolist() == [-3.0, -4.0]


def test_the_norm_that_is_told_is_that_before_scaling():
    weight, optimizer = gathered([3.0, 4.0])
    norm, _ = take_step(optimizer, max_grad_norm=1.0)
    assert norm == 5.0
    assert weight.detach().tolist() == pytest.approx([-0.6, -0.8], abs=1e-4)


def test_short_gradients_are_not_stretched():
    weight, optimizer = gathered([0.03, 0.04])
    take_step(optimizer, max_grad_norm=1.0)
    assert weight.detach().tolist() == pytest.approx([-0.03, -0.04])


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("max_grad_norm", [None, 1.0])
def test_gathered_gradients_that_are_not_finite_are_refused(bad, max_grad_norm):
    weight, optimizer = gathered([1.0, bad])
    norm, taken = take_step(optimizer, max_grad_norm=max_grad_norm)
    assert not taken
    assert not norm < float("inf")
    assert weight.detach().tolist() == [0.0, 0.0]


def test_a_value_that_was_not_finite_is_refused_though_its_gradients_are():
    weight, optimizer = gathered([1.0, 1.0])
    assert take_step(optimizer, finite=False)[1] is False
    assert weight.detach().tolist() == [0.0, 0.0]


def test_weights_without_a_gradient_are_left_alone():
    used, unused = (torch.nn.Parameter(torch.ones(1)) for _ in range(2))
    (2 * used).sum().backward()
    norm, taken = take_step(torch.optim.SGD([used, unused], lr=0.5), max_grad_norm=10.0)
    assert (norm, taken) == (2.0, True)
    assert (used.item(), unused.item()) == (0.0, 1.0)
