import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reinforge.policy_gradient.update import ascend, minibatches


def batches(n_draws, minibatch_draws, n_epochs, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return list(
        minibatches(
            n_draws, minibatch_draws=minibatch_draws, n_epochs=n_epochs, generator=generator
        )
    )


@given(n_draws=st.integers(2, 60), minibatch_draws=st.integers(1, 59), n_epochs=st.integers(1, 4))
def test_minibatches_hold_every_draw_once_an_epoch(n_draws, minibatch_draws, n_epochs):
    rows = torch.arange(n_draws)
    seen = torch.cat([rows[batch] for batch in batches(n_draws, minibatch_draws, n_epochs)])
    assert torch.bincount(seen, minlength=n_draws).tolist() == [n_epochs] * n_draws


def test_minibatches_are_no_larger_than_asked_and_only_the_last_is_short():
    sizes = [len(batch) for batch in batches(10, 4, 1)]
    assert sizes == [4, 4, 2]


def test_each_epoch_is_shuffled_anew_and_by_the_generator():
    first, second = batches(50, 50 - 1, 2)[0], batches(50, 50 - 1, 2)[2]
    assert first.tolist() != second.tolist()
    assert first.tolist() == batches(50, 50 - 1, 2)[0].tolist()
    assert first.tolist() != batches(50, 50 - 1, 2, seed=1)[0].tolist()


@pytest.mark.parametrize("minibatch_draws", [None, 10, 11])
def test_a_whole_rollout_is_one_unshuffled_batch(minibatch_draws):
    assert batches(10, minibatch_draws, 3) == [slice(None)] * 3


def test_ascend_goes_uphill_by_the_gradient():
    weight = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    optimizer = torch.optim.SGD([weight], lr=0.1)
    value, taken = ascend(optimizer, lambda: -(weight**2).sum())
    assert (value, taken) == (-5.0, True)
    torch.testing.assert_close(weight.detach(), torch.tensor([0.8, 1.6]))


def test_ascend_scales_a_long_gradient_down_to_its_limit():
    weight = torch.nn.Parameter(torch.tensor([0.0, 0.0]))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    ascend(optimizer, lambda: 30.0 * weight[0] + 40.0 * weight[1], max_grad_norm=1.0)
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
    _, taken = ascend(optimizer, lambda: objective(weight))
    assert not taken
    assert weight.detach().tolist() == [1.0, 1.0]
    assert not optimizer.state_dict()["state"]


def test_a_refused_step_leaves_nothing_behind_for_the_next_one():
    weight = torch.nn.Parameter(torch.tensor([1.0]))
    optimizer = torch.optim.SGD([weight], lr=0.1)
    ascend(optimizer, lambda: weight.sum() * float("nan"))
    value, taken = ascend(optimizer, lambda: 2.0 * weight.sum())
    assert (value, taken) == (2.0, True)
    torch.testing.assert_close(weight.detach(), torch.tensor([1.2]))
