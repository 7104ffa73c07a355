"""A system of a thousand weights learns what it is rewarded for, in seconds."""

import pytest
import torch
from tiny_identity import N_IDENTITIES, blocks, tiny_learner, tiny_prior

from reinforge.randomness import torch_generator
from reinforge.systems.identity.chain import roll_out
from reinforge.systems.identity.step import features_of, pictures_of, step

N_STEPS = 140
BASE = {
    "n_steps": N_STEPS,
    "identities_per_batch": 4,
    "draws_per_identity": 8,
    "window": "random",
    "window_steps": 2,
    "kl_weight": 0.0,
    "learning_rate": 3e-3,
    "reward_units": "batch",  # as published, like the estimator
}


def share_of_own(learner):
    """Of fresh pictures, those that look most like the identity that was asked for."""
    label = torch.arange(N_IDENTITIES).repeat_interleave(16)
    keys = [torch_generator(99, "test/fresh", draw) for draw in range(len(label))]
    rollout = roll_out(learner.policy, learner.config.chain, label, keys)
    feature = features_of(blocks, pictures_of(learner, rollout))
    told = (feature @ learner.bank.prototype.T).argmax(dim=1)
    return float((told == label).float().mean())


@pytest.mark.parametrize(
    "settings",
    [
        {"coverage_weight": 0.75, "diversity_weight": 0.25},
        {"coverage_weight": 0.0, "diversity_weight": 0.0, "branches": 8, "n_recent": 4},
    ],
    ids=["draws apart, triple reward", "branches"],
)
def test_pictures_come_to_look_like_their_identities(settings):
    learner = tiny_learner(prior=tiny_prior(n_layers=1), **BASE, **settings)
    before = share_of_own(learner)
    reward = [step(learner, blocks, index, seed=0)["semantic"] for index in range(N_STEPS)]
    assert sum(reward[-10:]) / 10 > sum(reward[:10]) / 10 + 0.2
    assert before < 0.5
    assert share_of_own(learner) > 0.9
