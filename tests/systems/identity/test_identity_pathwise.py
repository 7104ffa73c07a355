"""The reward's slope at an action, against finite differences, and what it teaches."""

import pytest
import torch
from tiny_identity import blocks, tiny_learner, tiny_prior, told_apart

from reinforge.systems.identity.chain import Chain, times
from reinforge.systems.identity.pathwise import slope_of_reward
from reinforge.systems.identity.policy import new_policy
from reinforge.systems.identity.step import reinforce

PLACES = torch.tensor([0, 2, 3])


@pytest.fixture(scope="module")
def policy():
    return told_apart(
        new_policy(
            tiny_prior(), 4, trained="all", start="prior", lora_rank=2, precision="float32", seed=0
        )
    )


def bright_left(pixels, label):
    """A reward of single pixels: bright on the left for even identities, on the right for odd."""
    light = (pixels / 127.5 - 1).mean((1, 2))
    return torch.where(label % 2 == 0, light[:, 0], light[:, -1])


def actions():
    return 0.3 * torch.randn(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def guessed_reward(policy, chain, action, label):
    after = times(policy, chain)[PLACES + 1]
    with torch.no_grad():
        predicted = policy.predict(action, after, label, guidance=chain.guidance)
        clean, _ = policy.schedule.clean_and_noise(action, predicted, after)
        return bright_left(policy.codec.decode(clean).clamp(0, 255), label)


@pytest.mark.parametrize("guidance", [1.0, 2.0])
def test_the_slope_agrees_with_finite_differences(policy, guidance):
    chain, label = Chain(n_denoising=5, guidance=guidance), torch.tensor([0, 1, 2])
    action = actions()
    slope = slope_of_reward(policy, chain, action, label, PLACES, bright_left)
    direction = torch.randn(action.shape, generator=torch.Generator().manual_seed(1))
    by = 1e-3
    ahead, behind = (
        guessed_reward(policy, chain, action + shift * direction, label) for shift in (by, -by)
    )
    told = (slope * direction).flatten(1).sum(1)
    torch.testing.assert_close((ahead - behind) / (2 * by), told, rtol=0.05, atol=5e-3)


def test_a_slope_leaves_no_gradient_in_the_weights_and_no_graph(policy):
    chain, label = Chain(n_denoising=5), torch.tensor([0, 1, 2])
    with torch.no_grad():
        slope = slope_of_reward(policy, chain, actions(), label, PLACES, bright_left)
    assert not slope.requires_grad
    assert all(weight.grad is None for weight in policy.trained().values())
    assert float(slope.abs().max()) > 0


def test_the_slope_of_a_draw_is_its_own(policy):
    chain, label, action = Chain(n_denoising=5), torch.tensor([0, 1, 2]), actions()
    together = slope_of_reward(policy, chain, action, label, PLACES, bright_left)
    alone = slope_of_reward(policy, chain, action[1:2], label[1:2], PLACES[1:2], bright_left)
    torch.testing.assert_close(together[1:2], alone, rtol=1e-3, atol=1e-5)


def test_the_slope_teaches_in_fewer_iterations_than_the_score_function():
    settings = {
        "coverage_weight": 0.0,
        "diversity_weight": 0.0,
        "kl_weight": 0.0,
        "n_recent": 4,
        "identities_per_batch": 4,
        "learning_rate": 3e-3,
    }
    reward = {}
    for estimator in ("pathwise", "score"):
        learner = tiny_learner(prior=tiny_prior(n_layers=1), estimator=estimator, **settings)
        reward[estimator] = [
            reinforce(learner, blocks, index, seed=0)["semantic"] for index in range(40)
        ]
    assert sum(reward["pathwise"][-5:]) / 5 > 0.85
    assert sum(reward["pathwise"][-5:]) > sum(reward["score"][-5:]) + 0.5


def test_the_first_update_along_a_slope_scores_what_it_drew():
    learner = tiny_learner(estimator="pathwise", n_recent=2)
    assert reinforce(learner, blocks, 0, seed=0)["drift"] == 0.0
