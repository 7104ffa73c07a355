import numpy as np
import pytest
import torch
from scipy.stats import spearmanr, wasserstein_distance
from small_tables import torch_numbers

from reinforge.systems.tabular.distributional import mmd, sliced_wasserstein


def cloud(n_rows, shift=0.0, width=2, seed=0):
    return torch.randn((n_rows, width), generator=torch_numbers(seed)) + shift


def test_the_mmd_witness_is_positive_where_real_rows_are_lacking_and_negative_where_they_crowd():
    real = cloud(200, 2.0, seed=1)
    fake = torch.cat([cloud(180, -2.0, seed=2), cloud(20, 2.0, seed=3)])
    reward = mmd(fake, real, generator=torch_numbers())
    assert float(reward[180:].min()) > 0 > float(reward[:180].max())


def test_the_mmd_witness_matches_a_hand_computation():
    # real rows 0 and 2: squared distances 0 4 0 4, of which torch's lower median is 0 -> 1e-6;
    # so kernels tell equal from unequal: fake (0, 9): row 0 earns 10 * 3 * (1/2 - 0), row 9 nothing
    reward = mmd(
        torch.tensor([[0.0], [9.0]]), torch.tensor([[0.0], [2.0]]), generator=torch_numbers()
    )
    torch.testing.assert_close(reward, torch.tensor([15.0, 0.0]))


def test_a_row_is_not_punished_for_its_likeness_to_itself():
    real = cloud(50)
    reward = mmd(cloud(2, 50.0, seed=3), real, generator=torch_numbers())
    lonely = mmd(torch.tensor([[50.0, 50.0], [-50.0, 50.0]]), real, generator=torch_numbers())
    assert float(lonely.abs().max()) < 1e-3
    assert float(reward.max()) < 0


@pytest.mark.parametrize("reward", [mmd, sliced_wasserstein])
def test_equal_clouds_earn_about_nothing(reward):
    real = cloud(400, seed=1)
    same = reward(cloud(400, seed=2), real, generator=torch_numbers())
    far = reward(cloud(400, 3.0, seed=2), real, generator=torch_numbers())
    assert float(same.abs().mean()) < 0.2 * float(far.abs().mean())
    assert abs(float(same.mean())) < 0.05 * float(far.abs().mean())


@pytest.mark.parametrize("reward", [mmd, sliced_wasserstein])
def test_the_order_of_rows_does_not_matter(reward):
    fake, real = cloud(60, 1.0, seed=1), cloud(60, seed=2)
    order = torch.randperm(60, generator=torch_numbers())
    told = reward(fake, real, generator=torch_numbers())
    shuffled = reward(fake[order], real, generator=torch_numbers())
    torch.testing.assert_close(shuffled, told[order], rtol=1e-3, atol=1e-3)
    again = reward(fake, real[order], generator=torch_numbers())
    torch.testing.assert_close(again, told, rtol=1e-3, atol=1e-3)


def squared_wasserstein(points, weights, real):
    """W2 squared in one dimension, by integrating over quantiles."""
    place = (np.arange(200_000) + 0.5) / 200_000
    order = np.argsort(points)
    cell = np.searchsorted(np.cumsum(weights[order]), place).clip(max=len(points) - 1)
    target = np.sort(real)[(place * len(real)).astype(int)]
    return float(((points[order][cell] - target) ** 2).mean())


def test_the_sliced_wasserstein_reward_is_minus_the_first_variation_of_the_distance():
    fake = cloud(150, 1.0, width=1, seed=1).double() * 1.5
    real = cloud(150, width=1, seed=2).double()
    told = sliced_wasserstein(fake.float(), real.float(), generator=torch_numbers()).numpy()
    points, even, step = fake[:, 0].numpy(), np.full(150, 1 / 150), 0.003
    here = squared_wasserstein(points, even, real[:, 0].numpy())
    chosen = np.argsort(points)[5:-5:14]
    variation = []
    for row in chosen:
        moved = (1 - step) * even
        moved[row] += step
        variation.append((squared_wasserstein(points, moved, real[:, 0].numpy()) - here) / step)
    slope, _ = np.polyfit(variation, told[chosen], 1)
    assert spearmanr(variation, told[chosen]).statistic < -0.98
    assert slope == pytest.approx(-1.0, abs=0.1)


def test_moving_mass_along_the_sliced_wasserstein_reward_brings_clouds_together():
    fake, real = cloud(500, 1.0, width=1, seed=1), cloud(500, width=1, seed=2)
    reward = sliced_wasserstein(fake, real, generator=torch_numbers())
    weights = torch.softmax(0.5 * reward, 0).numpy()
    points, target = fake[:, 0].numpy(), real[:, 0].numpy()
    before = wasserstein_distance(points, target)
    assert wasserstein_distance(points, target, u_weights=weights) < 0.6 * before


def test_sliced_wasserstein_is_centred_and_a_function_of_its_generator():
    fake, real = cloud(80, 1.0), cloud(80, seed=1)
    first = sliced_wasserstein(fake, real, generator=torch_numbers(3))
    assert float(first.mean()) == pytest.approx(0.0, abs=1e-4)
    assert torch.equal(first, sliced_wasserstein(fake, real, generator=torch_numbers(3)))
    assert not torch.equal(first, sliced_wasserstein(fake, real, generator=torch_numbers(4)))
