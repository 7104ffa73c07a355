"""The transition kernel against independent ones, and its laws."""

import math

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler
from torch.distributions import Normal, kl_divergence

from reinforge.errors import InputError
from reinforge.generators.diffusion import CLEAN, NoiseSchedule, kl_between, transition

LINEAR = {"num_train_timesteps": 1000, "beta_schedule": "linear"}
PREDICTIONS = ("epsilon", "v_prediction", "sample")


def schedule_of(prediction="epsilon", **config):
    return NoiseSchedule.from_config({**LINEAR, "prediction_type": prediction, **config})


def numbers(seed, *shape):
    return torch.randn(shape or (3, 2, 4, 4), generator=torch.Generator().manual_seed(seed))


def at(*times):
    return torch.tensor(times)


def ddim(prediction, n_steps):
    """diffusers' own sampler, set up as the chain is."""
    scheduler = DDIMScheduler(
        **LINEAR, prediction_type=prediction, clip_sample=False, timestep_spacing="trailing"
    )
    scheduler.set_timesteps(n_steps)
    return scheduler


# schedules


@pytest.mark.parametrize("kind", ["linear", "scaled_linear", "squaredcos_cap_v2"])
@pytest.mark.parametrize("n_train", [1000, 100])
def test_alpha_bar_is_that_of_diffusers(kind, n_train):
    config = {"num_train_timesteps": n_train, "beta_schedule": kind}
    told = NoiseSchedule.from_config(config).alpha_bar
    torch.testing.assert_close(
        told, DDIMScheduler(**config).alphas_cumprod.float(), rtol=1e-3, atol=2e-6
    )


def test_two_betas_give_alpha_bars_worked_by_hand():
    told = NoiseSchedule.from_config({"trained_betas": [0.5, 0.2]}).alpha_bar
    torch.testing.assert_close(told, torch.tensor([0.5, 0.4]))


def test_the_first_beta_is_beta_start_and_the_last_is_beta_end():
    told = schedule_of(beta_start=0.25, beta_end=0.5, num_train_timesteps=2).alpha_bar
    torch.testing.assert_close(told, torch.tensor([0.75, 0.375]))


def test_the_grid_is_the_trailing_one_of_diffusers():
    for n_steps in (*range(1, 101), 250, 999, 1000):
        wanted = ddim("epsilon", n_steps).timesteps[:n_steps]  # theirs has one too many at 61
        apart = int((schedule_of().grid(n_steps) - wanted).abs().max())
        assert apart <= (n_steps in (48, 96)), n_steps  # 937.5 may be rounded either way


def test_every_grid_falls_from_the_last_trained_time_to_a_time_that_exists():
    for n_steps in range(1, 101):
        told = schedule_of(num_train_timesteps=100).grid(n_steps).tolist()
        assert len(told) == n_steps
        assert told[0] == 99
        assert told[-1] >= 0
        assert all(np.diff(told) < 0)


@pytest.mark.parametrize("n_steps", [0, 1001])
def test_a_chain_of_impossible_length_is_refused(n_steps):
    with pytest.raises(InputError, match=rf"n_denoising must lie in 1\.\.1000, got {n_steps}"):
        schedule_of().grid(n_steps)


def test_all_of_the_signal_is_left_when_a_picture_is_clean():
    assert schedule_of().signal(at(CLEAN)).flatten().tolist() == [1.0]


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"beta_schedule": "sigmoid"}, "beta_schedule 'sigmoid' is not known"),
        ({"prediction_type": "flow", **LINEAR}, "prediction_type 'flow' is not known"),
        ({"shift": 3.0}, "no beta_schedule"),
        ({"rescale_betas_zero_snr": True, **LINEAR}, "has no density there"),
    ],
)
def test_a_schedule_that_has_no_chain_of_densities_is_refused(config, words):
    with pytest.raises(InputError, match=words):
        NoiseSchedule.from_config(config)


# noising and predictions


def test_noising_mixes_picture_and_noise_by_hand():
    schedule = NoiseSchedule.from_config({"trained_betas": [0.36]})  # alpha_bar 0.64
    told = schedule.noised(torch.full((1, 1, 1, 1), 10.0), torch.full((1, 1, 1, 1), 1.0), at(0))
    assert float(told) == pytest.approx(0.8 * 10 + 0.6 * 1)


def test_the_velocity_is_worked_by_hand():
    schedule = NoiseSchedule.from_config(
        {"trained_betas": [0.36], "prediction_type": "v_prediction"}
    )
    told = schedule.target(torch.full((1, 1, 1, 1), 10.0), torch.full((1, 1, 1, 1), 1.0), at(0))
    assert float(told) == pytest.approx(0.8 * 1 - 0.6 * 10)


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_a_perfect_prediction_gives_back_picture_and_noise(prediction):
    schedule, clean, noise, time = schedule_of(prediction), numbers(0), numbers(1), at(500, 20, 3)
    target = schedule.target(clean, noise, time)
    told = schedule.clean_and_noise(schedule.noised(clean, noise, time), target, time)
    torch.testing.assert_close(told[0], clean, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(told[1], noise, rtol=1e-4, atol=1e-4)


# the kernel


@pytest.mark.parametrize("prediction", PREDICTIONS)
@pytest.mark.parametrize("eta", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("n_steps", [4, 10])
def test_a_step_is_that_of_diffusers_at_every_place_of_the_chain(prediction, eta, n_steps):
    scheduler = ddim(prediction, n_steps)
    schedule = NoiseSchedule(scheduler.alphas_cumprod.float(), prediction)
    grid = [*schedule.grid(n_steps).tolist(), CLEAN]
    for place in range(n_steps):
        state, predicted, noise = numbers(place), numbers(100 + place), numbers(200 + place)
        wanted = scheduler.step(predicted, grid[place], state, eta=eta, variance_noise=noise)
        told = transition(
            schedule,
            state,
            predicted,
            at(grid[place]).expand(3),
            at(grid[place + 1]).expand(3),
            eta=eta,
            noise=noise,
        )
        torch.testing.assert_close(told.to, wanted.prev_sample, rtol=1e-5, atol=2e-5)


def test_a_step_with_eta_1_is_the_ancestral_posterior_of_ddpm():
    schedule, state, clean = schedule_of("sample"), numbers(0), numbers(1)
    now, after = schedule.signal(at(600)).double(), schedule.signal(at(599)).double()
    beta = 1 - now / after
    # posterior of x_{t-1} given x_t and x_0 (arXiv:2006.11239, eq. 7)
    mean = (
        after.sqrt() * beta / (1 - now) * clean
        + (now / after).sqrt() * (1 - after) / (1 - now) * state
    )
    told = transition(schedule, state, clean, at(600, 600, 600), at(599, 599, 599))
    torch.testing.assert_close(told.mean.double(), mean, rtol=0, atol=1e-4)
    variance = (beta * (1 - after) / (1 - now)).flatten()
    torch.testing.assert_close(
        told.std.flatten().double().square(), variance.expand(3), rtol=1e-3, atol=0
    )


def drawn_step(eta=1.0, prediction="epsilon"):
    """A step of three draws at three places of the chain."""
    schedule, time, after = schedule_of(prediction), at(999, 599, 199), at(899, 499, 99)
    state, predicted = numbers(0), numbers(1)
    step = transition(schedule, state, predicted, time, after, eta=eta, noise=numbers(2))
    return schedule, state, predicted, time, after, step


@pytest.mark.parametrize("prediction", PREDICTIONS)
@pytest.mark.parametrize("eta", [0.3, 1.0])
def test_the_log_density_is_a_normals_summed_in_float64(prediction, eta):
    *_, step = drawn_step(eta, prediction)
    normal = Normal(step.mean.double(), step.std.double())
    wanted = normal.log_prob(step.to.double()).flatten(1).sum(1)
    assert step.log_prob.dtype == torch.float64
    torch.testing.assert_close(step.log_prob, wanted, rtol=0, atol=2e-5)


def test_scoring_a_drawn_state_gives_its_mean_and_log_density_bit_for_bit():
    schedule, state, predicted, time, after, step = drawn_step()
    again = transition(schedule, state, predicted, time, after, to=step.to)
    assert torch.equal(again.mean, step.mean)
    assert torch.equal(again.log_prob, step.log_prob)
    assert again.to is step.to


def test_a_drawn_state_lies_noise_times_deviation_beside_the_mean():
    *_, step = drawn_step()
    torch.testing.assert_close((step.to - step.mean) / step.std, numbers(2), rtol=0, atol=1e-4)


@pytest.mark.parametrize("eta", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_the_step_to_a_finished_picture_is_deterministic_and_has_no_density(eta, prediction):
    schedule, state, predicted = schedule_of(prediction), numbers(0), numbers(1)
    time, clean = at(99, 99, 99), at(CLEAN, CLEAN, CLEAN)
    told = transition(schedule, state, predicted, time, clean, eta=eta, noise=numbers(2))
    assert torch.equal(told.to, told.mean)
    torch.testing.assert_close(told.to, schedule.clean_and_noise(state, predicted, time)[0])
    assert told.std.flatten().tolist() == [0.0, 0.0, 0.0]
    assert told.log_prob.tolist() == [0.0, 0.0, 0.0]


def test_without_noise_the_step_goes_to_the_mean():
    schedule, state, predicted, time, after, step = drawn_step()
    assert torch.equal(transition(schedule, state, predicted, time, after).to, step.mean)


def test_draws_at_several_places_may_share_a_call():
    schedule, state, predicted, time, after, step = drawn_step()
    for i in range(3):
        one = slice(i, i + 1)
        alone = transition(
            schedule, state[one], predicted[one], time[one], after[one], noise=numbers(2)[one]
        )
        assert torch.equal(alone.to, step.to[one])
        assert torch.equal(alone.log_prob, step.log_prob[one])


def test_gradients_flow_into_mean_and_density_and_never_into_what_was_drawn():
    schedule, state, predicted, time, after, _ = drawn_step()
    predicted.requires_grad_(True)
    step = transition(schedule, state, predicted, time, after, noise=numbers(2))
    assert step.mean.requires_grad
    assert step.log_prob.requires_grad
    assert not step.to.requires_grad


def test_the_gradient_of_a_deterministic_step_is_zero_and_not_nan():
    predicted = numbers(1).requires_grad_(True)
    step = transition(schedule_of(), numbers(0), predicted, at(99, 99, 99), at(-1, -1, -1))
    step.log_prob.sum().backward()
    assert torch.equal(predicted.grad, torch.zeros_like(predicted))


def test_predictions_in_bfloat16_are_scored_in_float32():
    schedule, state, predicted, time, after, _ = drawn_step()
    rounded = predicted.bfloat16()
    told = transition(schedule, state, rounded, time, after, noise=numbers(2))
    wanted = transition(schedule, state, rounded.float(), time, after, noise=numbers(2))
    assert torch.equal(told.log_prob, wanted.log_prob)


# KL


def test_kl_agrees_with_torch():
    mean, other = numbers(0), numbers(1)
    std = torch.tensor([0.1, 1.0, 3.0])[:, None, None, None]
    wanted = kl_divergence(Normal(mean, std), Normal(other, std)).flatten(1).sum(1)
    torch.testing.assert_close(kl_between(mean, other, std), wanted)


def test_kl_matches_a_hand_computation():
    # two entries, 3 apart each, deviation 2: (9 + 9) / (2 * 4)
    mean, other = torch.zeros(1, 2, 1, 1), torch.full((1, 2, 1, 1), 3.0)
    assert float(kl_between(mean, other, torch.full((1, 1, 1, 1), 2.0))) == pytest.approx(2.25)


def test_kl_of_deterministic_steps_counts_as_nothing():
    told = kl_between(numbers(0), numbers(1), torch.zeros(3, 1, 1, 1))
    assert told.tolist() == [0.0, 0.0, 0.0]


def test_a_mean_moved_by_one_deviation_an_entry_costs_half_a_nat_each():
    *_, step = drawn_step()
    told = kl_between(step.mean, step.mean + step.std, step.std)
    torch.testing.assert_close(told, torch.full((3,), 32 / 2), rtol=1e-3, atol=0)
    assert math.isclose(float(kl_between(step.mean, step.mean, step.std).sum()), 0.0)
