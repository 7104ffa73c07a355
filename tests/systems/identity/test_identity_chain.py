import pytest
import torch
from tiny_identity import tiny_prior, told_apart

from reinforge.generators.diffusion import CLEAN
from reinforge.randomness import torch_generator
from reinforge.systems.identity.chain import (
    Chain,
    policy_step,
    roll_out,
    slices,
    stacked_slices,
    times,
)
from reinforge.systems.identity.policy import new_policy

CHAIN = Chain(n_denoising=5)


@pytest.fixture(scope="module")
def policy():
    return told_apart(
        new_policy(
            tiny_prior(),
            4,
            trained="all",
            start="prior",
            lora_rank=2,
            precision="float32",
            seed=0,
        )
    )


def keys(n, purpose="start"):
    return [torch_generator(0, f"test/{purpose}", draw) for draw in range(n)]


def test_a_chain_ends_with_a_clean_picture(policy):
    assert times(policy, CHAIN).tolist() == [99, 79, 59, 39, 19, CLEAN]


def test_a_rollout_keeps_the_trained_steps_and_no_others(policy):
    whole = roll_out(policy, CHAIN, torch.tensor([0, 1, 2]), keys(3), trained=(0, 1, 2, 3))
    part = roll_out(policy, CHAIN, torch.tensor([0, 1, 2]), keys(3), trained=(1, 3))
    assert part.position == (1, 3)
    assert torch.equal(part.clean, whole.clean)
    for name in ("state", "action", "log_prob"):
        assert torch.equal(getattr(part, name), getattr(whole, name)[[1, 3]])


def test_an_action_is_the_state_that_follows(policy):
    told = roll_out(policy, CHAIN, torch.tensor([0, 1]), keys(2), trained=(0, 1, 2, 3))
    assert torch.equal(told.action[:-1], told.state[1:])


def test_the_last_step_goes_from_the_last_action_to_the_picture_without_noise(policy):
    label = torch.tensor([0, 1])
    told = roll_out(policy, CHAIN, label, keys(2), trained=(0, 1, 2, 3))
    with torch.no_grad():
        last = policy_step(policy, CHAIN, told.action[-1], label, torch.tensor([4, 4]))
    assert torch.equal(last.to, told.clean)
    assert last.log_prob.tolist() == [0.0, 0.0]


def test_a_rollout_that_trains_nothing_keeps_nothing(policy):
    told = roll_out(policy, CHAIN, torch.tensor([0, 1, 2]), keys(3))
    assert told.state.shape == (0, 3, 1, 8, 8)
    assert told.log_prob.shape == (0, 3)


def test_nothing_in_a_rollout_keeps_a_graph_alive(policy):
    told = roll_out(policy, CHAIN, torch.tensor([0, 1]), keys(2), trained=(0, 1))
    assert not any(getattr(told, n).requires_grad for n in ("clean", "state", "action", "log_prob"))


def test_a_picture_depends_on_its_own_label_and_generator_alone(policy):
    label = torch.tensor([0, 1, 2, 3])
    together = roll_out(policy, CHAIN, label, keys(4)).clean
    alone = roll_out(policy, CHAIN, label[2:3], keys(4)[2:3]).clean
    other = roll_out(policy, CHAIN, torch.tensor([3, 3, 2, 0]), keys(4)).clean
    torch.testing.assert_close(together[2:3], alone, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(together[2], other[2], rtol=1e-4, atol=1e-4)
    assert not torch.allclose(together[1], other[1], atol=1e-2)


@pytest.mark.parametrize("micro_batch", [1, 2, 3, 100])
def test_pictures_do_not_depend_on_the_size_of_passes(policy, micro_batch):
    label = torch.tensor([0, 1, 2, 3, 0])
    whole = roll_out(policy, CHAIN, label, keys(5), trained=(1, 2))
    parts = roll_out(policy, CHAIN, label, keys(5), trained=(1, 2), micro_batch=micro_batch)
    torch.testing.assert_close(whole.clean, parts.clean, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(whole.log_prob, parts.log_prob, rtol=0, atol=1e-3)
    assert torch.equal(whole.label, parts.label)


def test_without_noise_outside_the_window_the_rest_is_a_function_of_start_and_window(policy):
    label = torch.tensor([0, 1])
    once = roll_out(policy, CHAIN, label, keys(2), keys(2, "one"), noise_outside=False)
    again = roll_out(policy, CHAIN, label, keys(2), keys(2, "other"), noise_outside=False)
    assert torch.equal(once.clean, again.clean)
    noisy = roll_out(policy, CHAIN, label, keys(2), keys(2, "one"))
    assert not torch.allclose(once.clean, noisy.clean, atol=1e-2)


def test_a_trained_step_has_noise_though_there_is_none_outside(policy):
    told = roll_out(policy, CHAIN, torch.tensor([0, 1]), keys(2), trained=(2,), noise_outside=False)
    assert (told.log_prob != 0).all()


def test_branches_share_their_way_up_to_the_window_and_part_there(policy):
    told = roll_out(policy, CHAIN, torch.tensor([2, 0]), keys(2), keys(6, "branch"), trained=(2, 3))
    assert told.label.tolist() == [2, 2, 2, 0, 0, 0]
    first = told.state[0].view(2, 3, 1, 8, 8)
    assert torch.equal(first, first[:, :1].expand_as(first))
    assert not torch.allclose(first[0, 0], first[1, 0], atol=1e-2)
    action = told.action[0].view(2, 3, 1, 8, 8)
    assert not torch.allclose(action[:, 0], action[:, 1], atol=1e-3)


def test_branches_share_the_noise_that_follows_the_window(policy):
    """With the window's own noise the same, too, branches are the same to the last bit."""
    same = [torch_generator(0, "test/branch", 0) for _ in range(3)]
    told = roll_out(policy, CHAIN, torch.tensor([1]), keys(1), same, trained=(1,))
    torch.testing.assert_close(told.clean, told.clean[:1].expand_as(told.clean))


@pytest.mark.parametrize("micro_batch", [1, 3, 6, 7])
def test_branches_do_not_depend_on_the_size_of_passes(policy, micro_batch):
    label, trained = torch.tensor([2, 0, 1]), (1, 2)
    whole = roll_out(policy, CHAIN, label, keys(3), keys(9, "branch"), trained=trained)
    parts = roll_out(
        policy, CHAIN, label, keys(3), keys(9, "branch"), trained=trained, micro_batch=micro_batch
    )
    torch.testing.assert_close(whole.clean, parts.clean, rtol=1e-4, atol=1e-4)


def test_slices_cover_everything_once_and_in_order():
    assert slices(5, 2) == [slice(0, 2), slice(2, 4), slice(4, 5)]
    assert slices(5, None) == [slice(0, 5)]
    assert slices(0, 3) == []


@pytest.mark.parametrize(
    ("micro_batch", "cuts"),
    [
        (2, [(0, 2), (2, 3), (3, 5), (5, 6)]),  # each step as the rollout cut it
        (3, [(0, 3), (3, 6)]),
        (5, [(0, 3), (3, 6)]),  # no step is cut to fill a pass
        (6, [(0, 6)]),  # two steps share a pass
        (64, [(0, 6)]),
    ],
)
def test_actions_of_two_steps_of_three_draws_are_cut_as_they_were_drawn(micro_batch, cuts):
    assert stacked_slices(3, 6, micro_batch) == [slice(*cut) for cut in cuts]
