"""Amounts that deviate from their means together."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import ks_2samp
from small_tables import learner_of, mixed_table, quick, torch_numbers
from torch.distributions import MultivariateNormal

from reinforge.synthesizers import TabularSynthesizer

W = [[0.0, 0.0, 0.0], [0.9, 0.0, 0.0], [-0.5, 1.5, 0.0]]


def sizes(n_rows=300, seed=0):
    """Three numbers that belong together."""
    numbers = np.random.default_rng(seed)
    radius = numbers.normal(size=n_rows)
    return pd.DataFrame(
        {
            "radius": radius,
            "area": radius + 0.1 * numbers.normal(size=n_rows),
            "texture": numbers.normal(size=n_rows) - radius,
        }
    )


@pytest.fixture
def linked():
    """A learner whose three amounts deviate together, and latents."""
    learner, _ = learner_of(sizes(), deviation="state")
    with torch.no_grad():
        learner.policy.deviations.weight.copy_(torch.tensor(W) + torch.eye(3))  # I is not used
    noise = torch.randn((5, learner.config.noise_dim), generator=torch_numbers(0))
    return learner, learner.policy(noise)


@pytest.fixture(scope="module")
def joined():
    """A model of three amounts that deviate together, its matrix set by hand."""
    model = TabularSynthesizer(seed=0, **quick(n_steps=1, look_up=False)).fit(sizes())
    model._policy.deviations.weight.data.copy_(torch.tensor(W))
    return model


def normals_of(distribution, double=True):
    """What the amounts' joint distributions are, from W and the deviations."""
    root = torch.linalg.inv(torch.eye(3) - torch.tensor(W)).double()
    std = distribution.log_std.detach().double().exp()
    scaled = std[:, :, None] * root
    return MultivariateNormal(distribution.mean.detach().double(), scaled @ scaled.mT)


def test_the_log_probability_is_that_of_torchs_multivariate_normal(linked):
    learner, distribution = linked
    draw = learner.policy.draw(distribution, torch_numbers(1))
    told = learner.policy.log_prob(distribution, draw)
    expected = normals_of(distribution).log_prob(draw.amount.detach().double())
    torch.testing.assert_close(told.double(), expected, rtol=1e-4, atol=1e-4)


def test_the_entropy_is_that_of_torchs_multivariate_normal(linked):
    learner, distribution = linked
    torch.testing.assert_close(
        learner.policy.entropy(distribution).double(),
        normals_of(distribution).entropy(),
        rtol=1e-4,
        atol=1e-4,
    )


def test_amounts_are_drawn_with_the_covariance_that_the_matrix_means(linked):
    learner, distribution = linked
    wide = type(distribution)(*(part[:1].expand(40_000, *part.shape[1:]) for part in distribution))
    drawn = learner.policy.draw(wide, torch_numbers(2)).amount.detach().double()
    expected = normals_of(distribution)
    scale = expected.stddev[0]
    found = torch.cov((drawn / scale).T)
    torch.testing.assert_close(
        found, expected.covariance_matrix[0] / scale[:, None] / scale, rtol=0.0, atol=0.03
    )
    assert float(((drawn.mean(0) - expected.mean[0]) / scale).abs().max()) < 0.02


def test_at_the_start_amounts_deviate_by_themselves():
    learner, _ = learner_of(sizes())
    deviates = learner.policy.deviates(torch.Size((50_000, 3)), torch_numbers(0)).detach()
    torch.testing.assert_close(torch.cov(deviates.T), torch.eye(3), rtol=0.0, atol=0.03)


def test_a_replayed_rollout_has_a_ratio_of_exactly_one(linked):
    learner, distribution = linked
    draw = learner.policy.draw(distribution, torch_numbers(1))
    first, second = (learner.policy.log_prob(distribution, draw) for _ in range(2))
    assert torch.equal(torch.exp(first - second), torch.ones(5))


def test_rows_of_columns_that_belong_together_scatter_less():
    settings = quick(n_steps=5, cold_start_steps=400, batch_rows=128, hidden=32)
    off = []
    for correlated in (True, False):
        model = TabularSynthesizer(seed=0, correlated=correlated, **settings).fit(sizes())
        rows = model.sample(4000)
        off.append((rows["area"] - rows["radius"]).std())
    assert off[0] < 0.6 * off[1]


CONDITIONS = {
    "one": (["area>0.5"], lambda t: t["area"] > 0.5),
    "the first": (["radius<-0.5"], lambda t: t["radius"] < -0.5),
    "all": (
        ["radius>-0.2", "area<0.6", "texture>0"],
        lambda t: (t["radius"] > -0.2) & (t["area"] < 0.6) & (t["texture"] > 0),
    ),
}


@pytest.mark.parametrize(("where", "holds"), CONDITIONS.values(), ids=CONDITIONS.keys())
def test_rows_under_conditions_are_distributed_like_filtered_ones(joined, where, holds):
    many = joined.sample(60_000, seed=5)
    filtered, drawn = many[holds(many)], joined.sample(6000, seed=6, where=where)
    assert 1000 < len(filtered) < 50_000
    assert holds(drawn).all()
    for name in many:
        assert ks_2samp(drawn[name], filtered[name]).statistic < 0.05
    for a, b in (("radius", "area"), ("area", "texture"), ("radius", "texture")):
        assert ks_2samp(drawn[a] - drawn[b], filtered[a] - filtered[b]).statistic < 0.05


def test_under_a_rare_condition_hardly_a_row_stands_twice(joined):
    many = joined.sample(60_000, seed=5)
    where = ["area>1", "radius<0"]
    assert 0 < ((many["area"] > 1) & (many["radius"] < 0)).mean() < 0.05
    rows = joined.sample(1000, where=where)
    assert rows.duplicated().mean() < 0.1


def test_saved_and_loaded_they_deviate_alike(joined, tmp_path):
    joined.save(tmp_path / "model")
    again = TabularSynthesizer.load(tmp_path / "model")
    pd.testing.assert_frame_equal(again.sample(50, seed=3), joined.sample(50, seed=3))


@pytest.mark.parametrize("settings", [{"correlated": False}, {"preset": "rlsyn-mimic"}])
def test_amounts_deviate_by_themselves_where_that_is_asked_for(settings):
    model = TabularSynthesizer(**quick(n_steps=1), **settings).fit(mixed_table())
    assert model._policy.deviations is None
