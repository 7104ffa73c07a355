"""The gradient that an update gathers is that of the objective that it reports."""

import pytest
import torch
from tiny_identity import tiny_learner, tiny_prior

from reinforge.randomness import torch_generator
from reinforge.systems.identity.chain import roll_out
from reinforge.systems.identity.step import batch_of, labels_of, update_policy


def begun(**settings):
    """A learner whose optimizer stands still, away from its reference, and a rolled-out batch."""
    learner = tiny_learner(
        prior=tiny_prior(n_layers=1), window="all", max_grad_norm=1e9, kl_weight=0.1, **settings
    )
    label = labels_of(learner, 0, seed=0).repeat_interleave(4)
    keys = [torch_generator(0, "test/start", draw) for draw in range(len(label))]
    rollout = roll_out(learner.policy, learner.config.chain, label, keys, trained=(0, 1, 2, 3))
    reward = torch.linspace(-1, 1, len(label))[torch.randperm(len(label), generator=keys[0])]
    batch = batch_of(learner, rollout, reward)
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for weight in learner.policy.trained().values():
            weight.add_(1e-4 * torch.randn(weight.shape, generator=generator))
        for value in learner.reference.values():
            value.add_(1e-3 * torch.randn(value.shape, generator=generator))
    learner.policy_optimizer = torch.optim.SGD(learner.policy.trained().values(), lr=0.0)
    return learner, batch


def gathered(learner, batch):
    """The objective, and its gradient by name."""
    log = update_policy(learner, batch, 1)
    trained = learner.policy.trained()
    return log["objective"], {
        name: -p.grad.clone() for name, p in trained.items() if p.grad is not None
    }


def moved(learner, direction, by):
    with torch.no_grad():
        for name, weight in learner.policy.trained().items():
            if name in direction:
                weight.add_(by * direction[name])


SETTINGS = [
    {"objective": "dpok", "clip_range": 0.9},
    {"objective": "ppo", "clip_range": 0.9},
    {"objective": "dpok", "log_ratio": "mean", "clip_range": 0.9},
    {"objective": "dpok", "clip_range": 0.9, "guidance": 2.0, "guided_gradient": True},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_gradient_agrees_with_finite_differences(settings, seed):
    learner, batch = begun(**settings)
    _, gradient = gathered(learner, batch)
    generator = torch.Generator().manual_seed(seed)
    norm = float(torch.stack([g.square().sum() for g in gradient.values()]).sum().sqrt())
    direction = {  # half of it uphill, so that the change is well above float32's rounding
        name: g / norm + torch.randn(g.shape, generator=generator) * 0.01
        for name, g in gradient.items()
    }
    slope = float(sum((gradient[name] * direction[name]).sum() for name in gradient))
    by = 2e-4 if settings.get("log_ratio") != "mean" else 2e-3
    values = []
    for shift in (by, -2 * by):
        moved(learner, direction, shift)
        values.append(gathered(learner, batch)[0])
    assert (values[0] - values[1]) / (2 * by) == pytest.approx(slope, rel=0.02)


@pytest.mark.parametrize("micro_batch", [1, 5, 12, 24])
def test_the_gradient_does_not_depend_on_the_micro_batch(micro_batch):
    wanted_value, wanted = gathered(*begun(micro_batch=48))
    value, told = gathered(*begun(micro_batch=micro_batch))
    assert value == pytest.approx(wanted_value, abs=1e-4)
    scale = max(float(g.abs().max()) for g in wanted.values())
    for name, gradient in wanted.items():
        torch.testing.assert_close(told[name], gradient, rtol=0, atol=2e-3 * scale)


def test_draws_beyond_the_band_are_counted():
    wide, narrow = begun(clip_range=0.9), begun(clip_range=1e-4)
    for learner, _ in (wide, narrow):
        moved(learner, learner.policy.copy_of_trained(), 0.05)
    assert update_policy(*wide, 1)["clipped"] == 0.0
    assert update_policy(*narrow, 1)["clipped"] > 0.9


def test_the_kl_is_reported_in_nats_whatever_the_unit_of_ratios():
    by_sum = update_policy(*begun(log_ratio="sum"), 1)["kl"]
    by_mean = update_policy(*begun(log_ratio="mean"), 1)["kl"]
    assert by_sum == pytest.approx(by_mean, rel=1e-4)
    assert by_sum > 0


def test_the_kl_pulls_back_to_the_reference():
    learner, batch = begun()
    batch.advantage.zero_()
    before = update_policy(learner, batch, 1)["kl"]
    learner.policy_optimizer = torch.optim.Adam(learner.policy.trained().values(), lr=1e-4)
    for _ in range(10):
        update_policy(learner, batch, 1)
    assert update_policy(learner, batch, 1)["kl"] < 0.9 * before
