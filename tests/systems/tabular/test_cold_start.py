import pytest
import torch
from small_tables import known_table, learner_of, mixed_table, torch_numbers
from torch.distributions import Normal, kl_divergence

from reinforge.systems.tabular.cold_start import evidence_lower_bound
from reinforge.systems.tabular.step import step


def bound_of(learner, real, kl_weight, seed=0):
    features = learner.features.of_draw(real)
    with torch.no_grad():
        return evidence_lower_bound(
            learner.policy,
            learner.encoder,
            real,
            features,
            features,
            kl_weight=kl_weight,
            generator=torch_numbers(seed),
        )


def test_the_bound_loses_the_divergence_of_the_latent_from_its_prior():
    learner, real = learner_of(mixed_table())
    with torch.no_grad():
        mean, log_std = learner.encoder(learner.features.of_draw(real))
    standard = Normal(torch.zeros(4), torch.ones(4))
    expected = kl_divergence(Normal(mean, log_std.exp()), standard).sum(1)
    assert float(expected.min()) > 0
    told = bound_of(learner, real, 1.0) - bound_of(learner, real, 3.0)
    torch.testing.assert_close(told, 2.0 * expected, rtol=1e-3, atol=1e-3)


def test_an_encoder_that_ignores_its_row_leaves_the_likelihood_under_the_prior():
    learner, real = learner_of(mixed_table())
    with torch.no_grad():
        for weight in learner.encoder.parameters():
            weight.zero_()  # mean 0, deviation 1: the prior itself
    noise = torch.randn((120, 4), generator=torch_numbers(0))
    with torch.no_grad():
        expected = learner.policy.log_prob(learner.policy(noise), real)
    torch.testing.assert_close(bound_of(learner, real, 1.0), expected)


def test_imitation_raises_the_bound_and_the_history_says_so():
    learner, real = learner_of(
        known_table(), cold_start_steps=150, discriminator_warmup=0, batch_rows=128
    )
    logs = [step(learner, real, index, seed=0) for index in range(150)]
    first, last = (
        sum(log["evidence_lower_bound"] for log in part) / 10 for part in (logs[:10], logs[-10:])
    )
    assert last > first + 0.5
    assert all(log["update_taken"] for log in logs)


@pytest.mark.parametrize("phase", ["imitation", "warm-up"])
def test_the_phases_change_only_what_they_train(phase):
    learner, real = learner_of(mixed_table(), cold_start_steps=2, discriminator_warmup=2)
    for index in range(0 if phase == "imitation" else 2):
        step(learner, real, index, seed=0)
    before = {name: value.clone() for name, value in learner.tensors().items()}
    step(learner, real, 0 if phase == "imitation" else 2, seed=0)
    moved = {
        name.partition(".")[0]
        for name, value in learner.tensors().items()
        if name not in before or not torch.equal(value, before[name])
    }
    if phase == "imitation":
        assert moved == {"policy", "encoder", "encoder_optimizer"}
    else:
        assert moved == {"discriminator", "discriminator_optimizer"}


def test_the_average_of_weights_begins_with_the_first_reinforced_ones():
    learner, real = learner_of(mixed_table(), cold_start_steps=2, discriminator_warmup=1)
    for index in range(4):
        step(learner, real, index, seed=0)
    for name, value in learner.policy.state_dict().items():
        assert torch.equal(learner.averaged.state_dict()[name], value)
