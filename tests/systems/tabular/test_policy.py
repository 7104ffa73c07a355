import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import chisquare, kstest
from small_tables import learner_of, mixed_table, torch_numbers
from torch.distributions import Categorical, Normal, TransformedDistribution
from torch.distributions.transforms import TanhTransform

CHOICES = pytest.mark.parametrize("heads", ["auto", "gaussian", "bins", "minmax"])


def columns_of(learner, distribution):
    """One torch distribution a level column, from the scores that lie end to end."""
    scores = distribution[2]
    sizes = np.diff(learner.layout.level_start).tolist()
    return [Categorical(logits=part.double()) for part in scores.split(sizes, dim=1)]


def some_rows(learner, n_rows=64, seed=0):
    """Latents drawn once, their distributions and a draw from each."""
    noise = torch.randn((n_rows, learner.config.noise_dim), generator=torch_numbers(seed))
    with torch.no_grad():
        distribution = learner.policy(noise)
        return noise, distribution, learner.policy.draw(distribution, torch_numbers(seed + 1))


def spread_weights(learner, scale=6.0):
    """Make a policy far from even, so that errors in its probabilities show."""
    with torch.no_grad():
        for weight in learner.policy.parameters():
            weight.mul_(scale if weight.ndim == 2 else 1.0)
    return learner


@CHOICES
@pytest.mark.parametrize("deviation", ["shared", "state", "fixed"])
def test_the_log_probability_of_a_row_agrees_with_torchs_distributions(heads, deviation):
    learner, _ = learner_of(mixed_table(), heads=heads, deviation=deviation, noise_dim=3)
    spread_weights(learner, 2.0)
    _, distribution, draw = some_rows(learner)
    level = draw.level - torch.from_numpy(learner.layout.level_start[:-1])
    expected = torch.stack(
        [c.log_prob(level[:, i]) for i, c in enumerate(columns_of(learner, distribution))], dim=1
    ).sum(1)
    normal = Normal(distribution.mean.double(), distribution.log_std.double().exp())
    if heads == "minmax":
        squashed = TransformedDistribution(normal, [TanhTransform(cache_size=1)])
        amount = draw.amount.double()
        action = squashed.transforms[0](amount)  # the cache keeps what tanh would round away
        expected = expected + squashed.log_prob(action).sum(1)
    else:
        expected = expected + normal.log_prob(draw.amount.double()).sum(1)
    told = learner.policy.log_prob(distribution, draw)
    torch.testing.assert_close(told.double(), expected, rtol=1e-4, atol=1e-3)


@CHOICES
def test_entropy_agrees_with_torchs_distributions(heads):
    learner = spread_weights(learner_of(mixed_table(), heads=heads)[0])
    _, distribution, _ = some_rows(learner)
    expected = Normal(distribution.mean, distribution.log_std.exp()).entropy().sum(1)
    for column in columns_of(learner, distribution):
        expected = expected + column.entropy()
    told = learner.policy.entropy(distribution)
    torch.testing.assert_close(told.double(), expected.double(), rtol=1e-4, atol=1e-3)


@CHOICES
def test_a_replayed_rollout_has_a_ratio_of_exactly_one(heads):
    learner, _ = learner_of(mixed_table(), heads=heads)
    noise, distribution, draw = some_rows(learner)
    old = learner.policy.log_prob(distribution, draw)
    new = learner.policy.log_prob(learner.policy(noise), draw)
    assert torch.equal(torch.exp(new - old), torch.ones(64))


def test_levels_are_drawn_as_often_as_their_probabilities_say():
    frame = mixed_table()[["group", "stage", "count", "note"]]
    learner = spread_weights(learner_of(frame, heads="bins")[0], 2.0)
    noise = torch.randn((1, 4), generator=torch_numbers(3)).expand(20_000, 4)
    with torch.no_grad():
        distribution = learner.policy(noise)
        level = learner.policy.draw(distribution, torch_numbers(4)).level
    start = learner.layout.level_start
    assert len(start) == 5
    for i, column in enumerate(columns_of(learner, distribution)):
        share = column.probs[0].numpy()
        count = np.bincount(level[:, i].numpy() - start[i], minlength=len(share))
        likely = share > 1e-3
        expected = share[likely] / share[likely].sum() * count[likely].sum()
        assert likely.sum() >= 2
        assert chisquare(count[likely], expected).pvalue > 1e-3


def test_columns_are_drawn_independently_of_each_other_given_the_latent():
    learner, _ = learner_of(mixed_table()[["yes", "group", "stage"]])
    noise = torch.zeros(20_000, 4)
    with torch.no_grad():
        level = learner.policy.draw(learner.policy(noise), torch_numbers(0)).level
    correlation = np.corrcoef(level.numpy().T)
    assert np.abs(correlation[np.triu_indices(3, 1)]).max() < 0.03


def test_amounts_are_drawn_from_their_normals():
    learner, _ = learner_of(mixed_table(400)[["smooth"]], initial_log_std=-0.5)
    noise = torch.zeros(5000, 4)
    with torch.no_grad():
        distribution = learner.policy(noise)
        amount = learner.policy.draw(distribution, torch_numbers(0)).amount
    standard = (amount - distribution.mean) / distribution.log_std.exp()
    assert float(distribution.log_std[0, 0]) == -0.5
    assert kstest(standard[:, 0].numpy(), "norm").pvalue > 1e-3


def test_every_level_drawn_belongs_to_its_own_column_even_for_extreme_scores():
    learner = spread_weights(learner_of(mixed_table())[0], 50.0)
    _, _, draw = some_rows(learner, 4000)
    start = torch.from_numpy(learner.layout.level_start)
    assert (draw.level >= start[:-1]).all()
    assert (draw.level < start[1:]).all()


@pytest.mark.parametrize("name", ["smooth", "group"])
@pytest.mark.parametrize("heads", ["auto", "minmax"])
def test_a_table_of_one_kind_of_column_has_a_policy_too(name, heads):
    learner, real = learner_of(mixed_table(400)[[name]], heads=heads)
    _, distribution, draw = some_rows(learner)
    assert torch.isfinite(learner.policy.log_prob(distribution, draw)).all()
    assert torch.isfinite(learner.policy.log_prob(learner.policy(torch.zeros(400, 4)), real)).all()


@pytest.mark.parametrize(
    ("deviation", "is_trained", "is_state"),
    [("shared", True, False), ("fixed", False, False), ("state", True, True)],
)
def test_the_deviation_is_shared_fixed_or_a_function_of_the_latent(deviation, is_trained, is_state):
    learner, _ = learner_of(mixed_table(), deviation=deviation, initial_log_std=-0.7)
    _, distribution, _ = some_rows(learner)
    varies = bool((distribution.log_std.std(0) > 0).any())
    assert varies == is_state
    assert float(distribution.log_std.mean()) == pytest.approx(-0.7, abs=0.4 if is_state else 1e-6)
    names = [name for name, w in learner.policy.named_parameters() if w.requires_grad]
    assert any("log_std" in name for name in names) == is_trained


def test_the_papers_policy_has_one_score_a_bernoulli_column():
    frame = pd.DataFrame({"yes": np.tile([True, False], 30), "no": np.tile([True, False], 30)})
    learner, _ = learner_of(frame, heads="minmax", look_up=False, hidden=8)
    squashed, _ = learner_of(frame.assign(x=np.arange(60.0) / 7), heads="minmax", look_up=False)
    assert squashed.policy.logits.out_features == 2
    _, distribution, _ = some_rows(squashed)
    assert len(columns_of(squashed, distribution)) == 2
    assert learner.policy.n_columns == 2


def test_first_weights_are_a_function_of_the_seed_alone():
    torch.manual_seed(1)
    first = learner_of(mixed_table(), seed=5)[0].tensors()
    torch.manual_seed(2)
    again = learner_of(mixed_table(), seed=5)[0].tensors()
    other = learner_of(mixed_table(), seed=6)[0].tensors()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["policy.trunk.0.weight"], other["policy.trunk.0.weight"])
