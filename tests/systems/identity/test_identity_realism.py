"""The critic that tells drawn pictures from real ones, and the reward that it gives."""

import pytest
import torch
from tiny_identity import blocks, is_same, real_pictures, state_of, tiny_learner, tiny_prior

from reinforge.generators.codec import quantised
from reinforge.recognition.config import resolve_recogniser
from reinforge.systems.identity.config import resolve_config
from reinforge.systems.identity.critic import Critic, hinge_loss
from reinforge.systems.identity.realism import POOL, new_realism
from reinforge.systems.identity.step import begin_reinforcement, reinforce, score

VIEWS = resolve_recogniser("small")
REWARDED = {"realism_weight": 1.0, "estimator": "pathwise", "n_recent": 4, "random_views": True}


def keys(seed=0):
    return torch.Generator().manual_seed(seed)


def stripes(n, light, *, seed=0):
    """Striped pictures about a grey of 128, the stripes so many levels high."""
    generator = keys(seed)
    wave = torch.tensor([1.0, 1.0, -1.0, -1.0]).repeat(4).view(1, 1, 1, 16).expand(n, 1, 16, 16)
    return (128 + light * wave + 4 * torch.randn((n, 1, 16, 16), generator=generator)).clamp(0, 255)


def realism_of_stripes(learning_rate=2e-3):
    return new_realism(
        1, 16, learning_rate=learning_rate, generator=keys(), device=torch.device("cpu")
    )


# the critic


def test_the_hinge_counts_what_is_within_the_margin():
    of_real, of_drawn = torch.tensor([2.0, 0.0]), torch.tensor([-3.0, 0.5])
    assert float(hinge_loss(of_real, of_drawn)) == pytest.approx((0 + 1) / 2 + (0 + 1.5) / 2)


@pytest.mark.parametrize(("side", "across"), [(8, 4), (48, 6), (32, 8), (256, 8)])
def test_a_critic_judges_patches_of_any_size_of_picture(side, across):
    critic = Critic(3, side, generator=keys())
    assert critic(torch.zeros((2, 3, side, side))).shape == (2, across, across)


def test_first_weights_are_the_generators_and_touch_no_hidden_state():
    torch.manual_seed(0)
    one = Critic(1, 16, generator=keys(5)).state_dict()
    after = torch.rand(3)
    torch.manual_seed(0)
    assert torch.equal(torch.rand(3), after)
    torch.manual_seed(99)
    assert is_same(one, Critic(1, 16, generator=keys(5)).state_dict())
    assert not is_same(one, Critic(1, 16, generator=keys(6)).state_dict())


def test_a_look_changes_nothing_and_its_slope_reaches_the_picture_alone():
    critic = Critic(1, 16, generator=keys())
    before = {k: v.clone() for k, v in critic.state_dict().items()}
    pixels = stripes(3, 40.0).requires_grad_(True)
    told = critic.realism(pixels)
    told.sum().backward()
    assert is_same(before, critic.state_dict())
    assert all(weight.grad is None for weight in critic.parameters())
    assert float(pixels.grad.abs().max()) > 0
    torch.testing.assert_close(critic.realism(pixels[1:2]), told[1:2])  # whoever is beside it


def test_it_learns_to_tell_flat_pictures_from_those_with_contrast():
    realism, real = realism_of_stripes(), stripes(24, 60.0)
    realism.see(quantised(stripes(24, 20.0, seed=1)))
    loss = [
        realism.learn(lambda i: real[i], 24, n_updates=25, views=VIEWS, generator=keys(turn))
        for turn in range(8)
    ]
    assert loss[0] > 1.5
    assert loss[-1] < 1.2
    fresh = [realism.critic.realism(stripes(16, light, seed=7)) for light in (60.0, 20.0)]
    assert float(fresh[0].min()) > float(fresh[1].max())


def test_the_pool_keeps_the_newest_pictures():
    realism = realism_of_stripes()
    level = torch.arange(POOL + 3).remainder(251).view(-1, 1, 1, 1).expand(-1, 1, 16, 16)
    realism.see(level[:3].to(torch.uint8))
    realism.see(level[3:].to(torch.uint8))
    assert int(realism.n_drawn) == POOL + 3
    held = realism.drawn[:, 0, 0, 0].long().sort().values
    assert torch.equal(held, level[3:, 0, 0, 0].sort().values)


# the reward


def test_without_weight_no_critic_learns_and_the_paper_has_none():
    assert tiny_learner().realism is None
    assert tiny_learner(n_steps=0, **{**REWARDED}).realism is None
    assert resolve_config("paper", {}).realism_weight == 0.0
    log = reinforce(tiny_learner(), blocks, 0, seed=0)
    assert "realism" not in log
    assert "critic_loss" not in log


def test_realism_is_a_part_like_the_others():
    learner = tiny_learner(
        **{**REWARDED, "semantic_weight": 0.0, "coverage_weight": 0.0, "diversity_weight": 0.0}
    )
    label = torch.arange(4).repeat_interleave(3)
    feature = blocks(real_pictures()[0][:12])
    told = torch.linspace(-1, 3, 12)
    reward, _, means = score(learner, feature, label, told)
    standardised = (told - 1.0) / told.std()
    torch.testing.assert_close(reward, torch.tanh(standardised), rtol=1e-3, atol=1e-3)
    assert means["realism"] == pytest.approx(1.0)


def test_a_resumed_learner_goes_on_bit_by_bit():
    straight, stopped = (tiny_learner(**REWARDED) for _ in range(2))
    for learner in (straight, stopped):
        begin_reinforcement(learner, blocks, seed=0)
        reinforce(learner, blocks, 0, seed=0)
    resumed = tiny_learner(**REWARDED)
    resumed.load_tensors(state_of(stopped))
    for learner in (straight, resumed):
        reinforce(learner, blocks, 1, seed=0)
    assert is_same(state_of(straight), state_of(resumed))


@pytest.mark.parametrize("estimator", ["pathwise", "score"])
def test_the_first_update_scores_what_was_drawn(estimator):
    learner = tiny_learner(**{**REWARDED, "estimator": estimator})
    begin_reinforcement(learner, blocks, seed=0)
    log = reinforce(learner, blocks, 0, seed=0)
    assert log["drift"] == 0.0
    assert 0 < log["critic_loss"] < 4
    assert torch.isfinite(torch.tensor(log["realism"]))


def test_pictures_come_nearer_to_the_smoothness_of_real_ones():
    """Real pictures here are smooth, quarter by quarter; the tiny prior draws noise."""
    settings = {"semantic_weight": 0.0, "coverage_weight": 0.0, "diversity_weight": 0.0}
    learner = tiny_learner(
        prior=tiny_prior(n_layers=1),
        **{
            **REWARDED,
            **settings,
            "n_steps": 22,
            "kl_weight": 0.0,
            "learning_rate": 3e-3,
            "critic_first_steps": 60,
            "critic_steps": 4,
        },
    )
    begin_reinforcement(learner, blocks, seed=0)
    roughness = []
    for index in range(22):
        reinforce(learner, blocks, index, seed=0)
        newest = (int(learner.realism.n_drawn) - 1 - torch.arange(12)) % POOL
        drawn = learner.realism.drawn[newest].float()
        roughness.append(float(drawn.diff(dim=3).abs().mean()))
    real = float(real_pictures()[0].diff(dim=3).abs().mean())
    before, after = sum(roughness[:3]) / 3, sum(roughness[-3:]) / 3
    assert abs(after - real) < 0.6 * abs(before - real), (before, after, real)
