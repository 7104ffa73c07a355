import numpy as np
import pandas as pd
import pytest
import torch
from small_tables import known_table, learner_of, mixed_table, torch_numbers
from torch import nn

from reinforge.systems.tabular import step as steps
from reinforge.systems.tabular.config import TabularConfig
from reinforge.systems.tabular.objective import advantages, mean_penalty
from reinforge.systems.tabular.step import step


def weights(net):
    return {name: value.clone() for name, value in net.state_dict().items()}


def is_same(before, net):
    return all(torch.equal(before[name], value) for name, value in net.state_dict().items())


def policy_after(n_steps=1, frame=None, extra=None, **settings):
    """The policy's weights after some steps."""
    learner, real = learner_of(mixed_table() if frame is None else frame, **settings)
    for index in range(n_steps):
        step(learner, real, index, seed=0, extra=extra)
    return weights(learner.policy)


def differs(first, second):
    return any(not torch.equal(first[name], second[name]) for name in first)


class Detached(nn.Module):
    """A discriminator through which no gradient flows."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, features):
        return self.inner(features).detach()


@pytest.mark.parametrize("reward_scale", ["logit", "probability"])
@pytest.mark.parametrize("heads", ["auto", "minmax"])
def test_no_gradient_of_the_discriminator_reaches_the_policy(heads, reward_scale):
    after = []
    for wrap in (Detached, nn.Identity):
        learner, real = learner_of(mixed_table(), heads=heads, reward_scale=reward_scale)
        judge = learner.discriminator
        before = weights(learner.policy)
        if wrap is Detached:
            learner.discriminator = Detached(judge)
        features = learner.features.of_draw(real)
        steps.update_by_policy_gradient(learner, features, 0, torch_numbers(), None)
        assert all(weight.grad is None for weight in judge.parameters())
        assert not is_same(before, learner.policy)
        after.append(weights(learner.policy))
    assert not differs(*after)


def test_the_discriminators_update_leaves_the_policy_alone():
    learner, real = learner_of(mixed_table())
    policy, judge = weights(learner.policy), weights(learner.discriminator)
    features = learner.features.of_draw(real)
    steps.update_discriminator(learner, features, 0, torch_numbers())
    assert is_same(policy, learner.policy)
    assert not is_same(judge, learner.discriminator)


def test_released_mean_matching_changes_nothing_and_the_analytic_one_does():
    same = {"heads": "minmax", "average_from": None}
    without = policy_after(**same)
    inert = policy_after(mean_matching=5.0, mean_matching_gradient=False, **same)
    working = policy_after(mean_matching=5.0, mean_matching_gradient=True, **same)
    assert not differs(without, inert)
    assert differs(without, working)


@pytest.mark.parametrize("heads", ["minmax", "gaussian"])
def test_the_mean_penalty_is_the_mean_square_of_the_columns_gaps(heads):
    learner, real = learner_of(mixed_table()[["smooth", "age"]], heads=heads, mean_matching=1.0)
    after = learner.policy(torch.randn(500, 4, generator=torch_numbers()))
    features = learner.features.of_draw(real)
    told = mean_penalty(learner, after, features, features)
    amount = after.mean.detach().numpy()
    shown = (np.tanh(amount) + 1) / 2 if heads == "minmax" else amount
    gap = shown.mean(0) - features[:, :2].numpy().mean(0)
    assert float(told.detach()) == pytest.approx(float((gap**2).mean()), rel=1e-4)
    told.backward()
    assert float(learner.policy.mean.weight.grad.abs().sum()) > 0


def test_analytic_mean_matching_pulls_means_together():
    frame = pd.DataFrame({"x": np.random.default_rng(0).beta(5, 1, 300)})
    gaps = []
    for weight in (0.0, 50.0):
        learner, real = learner_of(
            frame, heads="minmax", mean_matching=weight, entropy_weight=0.0, learning_rate=1e-2
        )
        for index in range(30):
            step(learner, real, index, seed=0)
        with torch.no_grad():
            mean = learner.policy(torch.randn(500, 4, generator=torch_numbers())).mean
        real_mean = float(learner.features.of_draw(real).mean(0)[0])
        gaps.append(abs(float((torch.tanh(mean) + 1).mean() / 2) - real_mean))
    assert gaps[1] < 0.05 < gaps[0]


VARIANTS = {
    "ppo": {},
    "no clipping": {"clip_range": None},
    "no value head": {"value_baseline": False},
    "no entropy": {"entropy_weight": 0.0},
    "entropy of the draws": {"closed_form_entropy": False},
    "reinforce": {"estimator": "reinforce"},
    "reparameterised": {"estimator": "reparameterised"},
    "fixed deviation": {"deviation": "fixed"},
    "deviation of state": {"deviation": "state"},
    "groups": {"draws_per_latent": 4},
    "probability as reward": {"reward_scale": "probability"},
    "mmd": {"realism": "mmd"},
    "sliced wasserstein": {"realism": "sliced_wasserstein"},
    "mean matching": {"mean_matching": 0.2},
    "clipped gradients": {"max_grad_norm": 0.5},
    "cold start": {"cold_start_steps": 2, "discriminator_warmup": 1, "n_steps": 10},
    "one epoch": {"n_epochs": 1},
    "falling rates": {"final_learning_rate": 0.1},
    "last weights": {"average_from": None},
}


@pytest.mark.parametrize("heads", ["auto", "minmax"])
@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS.keys())
def test_every_variant_takes_finite_steps_that_move_the_policy(variant, heads):
    known = {name: value for name, value in variant.items() if name in TabularConfig.model_fields}
    learner, real = learner_of(mixed_table(), heads=heads, **known)
    before = weights(learner.policy)
    for index in range(5):
        log = step(learner, real, index, seed=0)
        assert log.get("update_taken", True)
        assert np.isfinite(list(log.values())).all()
        assert "reward" in log or index < learner.config.steps_before
    assert not is_same(before, learner.policy)
    assert all(torch.isfinite(value).all() for value in learner.tensors().values())
    if known.get("deviation") == "fixed":
        assert torch.equal(before["log_std"], learner.policy.log_std)


def test_each_switch_changes_what_is_learnt():
    plain = policy_after(2)
    for name, variant in VARIANTS.items():
        known = {k: value for k, value in variant.items() if k in TabularConfig.model_fields}
        if not known or name in ("last weights", "fixed deviation", "cold start"):
            continue
        changed = policy_after(2, **known)
        gap = max(float((plain[k] - changed[k]).abs().max()) for k in set(plain) & set(changed))
        if name not in ("no clipping",):  # at most ratios within the band: nothing to clip yet
            assert gap > 0, name


def test_a_step_is_a_function_of_its_seed_and_number():
    first, again = policy_after(3), policy_after(3)
    assert not differs(first, again)
    learner, real = learner_of(mixed_table())
    for index in (0, 1, 3):
        step(learner, real, index, seed=0)
    assert differs(first, weights(learner.policy))
    learner, real = learner_of(mixed_table())
    for index in range(3):
        step(learner, real, index, seed=1)
    assert differs(first, weights(learner.policy))


def test_a_constant_reward_teaches_nothing_without_a_value_head():
    def constant(draw, index):
        return torch.full((len(draw.level),), 7.0), {}

    same = {"value_baseline": False}
    plain, moved = policy_after(3, **same), policy_after(3, extra=constant, **same)
    gap = max(float((plain[name] - moved[name]).abs().max()) for name in plain)
    assert gap < 1e-4


def test_a_reward_raises_the_probability_of_what_it_favours():
    frame = known_table()[["first", "second"]]

    def favour(draw, index):
        return 3.0 * (draw.level[:, 0] == 1).float(), {}

    shares = []
    for extra in (None, favour):
        learner, real = learner_of(frame, learning_rate=1e-2, batch_rows=128)
        for index in range(40):
            step(learner, real, index, seed=0, extra=extra)
        with torch.no_grad():
            noise = torch.randn(4000, 4, generator=torch_numbers())
            draw = learner.policy.draw(learner.policy(noise), torch_numbers(1))
        shares.append(float((draw.level[:, 0] == 1).float().mean()))
    assert shares[1] > shares[0] + 0.15


def test_averaged_weights_are_the_plain_mean_of_the_last_part():
    learner, real = learner_of(mixed_table(), n_steps=6, average_from=0.5)
    seen = []
    for index in range(6):
        step(learner, real, index, seed=0)
        seen.append(weights(learner.policy)["mean.weight"])
    expected = torch.stack(seen[3:]).mean(0)
    torch.testing.assert_close(learner.averaged.mean.weight, expected)


def test_without_averaging_the_last_weights_sample():
    learner, real = learner_of(mixed_table(), average_from=None)
    for index in range(3):
        step(learner, real, index, seed=0)
    assert is_same(weights(learner.policy), learner.averaged)


def test_the_last_learning_rate_is_the_asked_share_of_the_first():
    learner, real = learner_of(
        mixed_table(), n_steps=100, learning_rate=0.01, final_learning_rate=0.1
    )
    rates = []
    for index in (0, 50, 99):
        step(learner, real, index, seed=0)
        rates.append(learner.policy_optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([0.01, 0.0055, 0.001], rel=0.01)


def advantages_of(reward, **settings):
    learner, _ = learner_of(mixed_table(), **settings)
    before = learner.policy(torch.randn(len(reward), 4, generator=torch_numbers()))
    return advantages(torch.tensor(reward), before, learner.config).detach(), before.value


def test_draws_of_one_latent_are_compared_with_each_other_alone():
    told, _ = advantages_of([1.0, 3.0, 5.0, 5.0], draws_per_latent=2)
    torch.testing.assert_close(told, torch.tensor([-1.0, 1.0, 0.0, 0.0]), rtol=0, atol=1e-5)


@pytest.mark.parametrize("value_baseline", [True, False])
def test_advantages_are_standardised_rewards_less_what_the_value_head_forecasts(value_baseline):
    reward = [1.0, 3.0, 5.0]
    told, value = advantages_of(reward, value_baseline=value_baseline)
    rest = np.array(reward) - (value.detach().numpy() if value_baseline else 0.0)
    np.testing.assert_allclose(told, (rest - rest.mean()) / rest.std(ddof=1), rtol=1e-4)
