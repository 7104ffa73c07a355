"""The column that is drawn last and sees the others."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import chisquare, ks_2samp
from small_tables import learner_of, mixed_table, quick, torch_numbers
from torch.distributions import Categorical

from reinforge.synthesizers import TabularSynthesizer
from reinforge.systems.tabular.features import Draw
from reinforge.systems.tabular.heads import Layout
from reinforge.systems.tabular.step import step

THRESHOLD = 1.0
MARKED = {
    "n_steps": 20,
    "cold_start_steps": 500,
    "direct_learning_rate": 0.1,
    "batch_rows": 128,
    "hidden": 32,
    "look_up": False,
}


def marked_table(n_rows=400, seed=0):
    """A mark that one number decides by a threshold, in about one row of six; and a group."""
    numbers = np.random.default_rng(seed)
    number = numbers.normal(size=n_rows)
    return pd.DataFrame(
        {
            "mark": np.where(number > THRESHOLD, "high", "low"),
            "number": number,
            "group": numbers.choice(["a", "b"], n_rows),
        }
    )


@pytest.fixture(scope="module")
def marked():
    """The marked table, learnt in seconds."""
    settings = quick(**MARKED)
    return TabularSynthesizer(seed=0, **settings).fit(marked_table(), target="mark")


@pytest.fixture
def moved():
    """A learner whose mark follows the other columns strongly, and draws of it."""
    learner, real = learner_of(marked_table(), last="mark", look_up=False)
    with torch.no_grad():
        for weight in learner.policy.last.parameters():
            weight.normal_(generator=torch_numbers(3))
    noise = torch.randn((64, learner.config.noise_dim), generator=torch_numbers(0))
    with torch.no_grad():
        distribution = learner.policy(noise)
        draw = learner.policy.draw(distribution, torch_numbers(1))
    return learner, distribution, draw, real


def with_level(layout, draw, level):
    """The same rows with another level of the column drawn last."""
    levels = draw.level.clone()
    levels[:, layout.drawn_last] = int(layout.level_start[layout.drawn_last]) + level
    return Draw(draw.amount, levels)


def log_prob(learner, distribution, draw):
    """Of complete rows."""
    given = learner.policy.given(distribution, learner.features.of_draw(draw))
    return learner.policy.log_prob(given, draw)


def test_the_probabilities_of_its_levels_given_the_others_add_up_to_one(moved):
    learner, distribution, draw, _ = moved
    both = [log_prob(learner, distribution, with_level(learner.layout, draw, k)) for k in (0, 1)]
    place = learner.layout.drawn_last
    others = distribution.log_share.clone()
    others[:, learner.policy.column_of_level == place] = 0.0  # nothing is added for it
    expected = learner.policy.log_prob(distribution._replace(log_share=others), draw)
    torch.testing.assert_close(torch.logsumexp(torch.stack(both), 0), expected)


def test_its_shares_are_those_of_the_latent_moved_by_a_linear_function_of_the_others(moved):
    learner, distribution, draw, _ = moved
    last, features = learner.policy.last, learner.features.of_draw(draw)
    own = len(learner.layout.gaussian) + last.column
    others = torch.where(learner.features.head_of_feature == own, 0.0, features)
    move = others @ last.move.weight.T + last.move.bias
    part = slice(last.first, last.end)
    expected = Categorical(logits=distribution.log_share[:, part] + move).logits
    given = learner.policy.given(distribution, features).log_share
    torch.testing.assert_close(given[:, part], expected)
    assert torch.equal(given[:, : last.first], distribution.log_share[:, : last.first])
    assert torch.equal(given[:, last.end :], distribution.log_share[:, last.end :])


def test_it_does_not_look_at_itself(moved):
    learner, distribution, draw, _ = moved
    low, high = (
        learner.features.of_draw(with_level(learner.layout, draw, level)) for level in (0, 1)
    )
    assert not torch.equal(low, high)
    policy = learner.policy
    assert torch.equal(
        policy.given(distribution, low).log_share, policy.given(distribution, high).log_share
    )


def test_it_is_drawn_as_often_as_its_shares_given_the_others_say(moved):
    learner, distribution, draw, _ = moved
    same = Draw(*(part[:1].expand(4000, -1) for part in draw))
    wide = type(distribution)(*(part[:1].expand(4000, *part.shape[1:]) for part in distribution))
    again = learner.policy.draw_last(wide, same, torch_numbers(5))
    last = learner.policy.last
    counts = torch.bincount(again.level[:, last.column] - last.first, minlength=2).numpy()
    given = learner.policy.given(distribution, learner.features.of_draw(draw)).log_share
    shares = given[0, last.first : last.end].exp().double().detach().numpy()
    assert chisquare(counts, shares / shares.sum() * 4000).pvalue > 1e-3
    assert torch.equal(again.amount, same.amount)


def test_at_the_start_the_latent_decides_alone():
    learner, _ = learner_of(marked_table(), last="mark", look_up=False)
    noise = torch.randn((8, learner.config.noise_dim), generator=torch_numbers(0))
    distribution = learner.policy(noise)
    draw = learner.policy.draw(distribution, torch_numbers(1))
    given = learner.policy.given(distribution, learner.features.of_draw(draw))
    torch.testing.assert_close(given.log_share, distribution.log_share)


def test_its_levels_come_as_often_as_they_should_once_that_is_set(moved):
    learner, distribution, draw, _ = moved
    last, features = learner.policy.last, learner.features.of_draw(draw)
    part = slice(last.first, last.end)

    def shares():
        given = learner.policy.given(distribution, features).log_share[:, part]
        return given.detach().exp().mean(0)

    wanted = torch.tensor([0.1, 0.9])
    assert float((shares() - wanted).abs().max()) > 0.05
    last.set_shares(distribution.log_share, features, wanted)
    torch.testing.assert_close(shares(), wanted, rtol=0.0, atol=1e-3)


def test_after_imitation_a_rare_target_is_as_frequent_as_it_was():
    frame = marked_table(200).assign(mark=lambda t: np.where(t["number"] > 1.4, "high", "low"))
    settings = {"cold_start_steps": 60, "discriminator_warmup": 1, "hidden": 32}
    learner, real = learner_of(frame, last="mark", look_up=False, **settings)
    for index in range(61):
        step(learner, real, index, seed=0)
    noise = torch.randn((20_000, learner.config.noise_dim), generator=torch_numbers(0))
    with torch.no_grad():
        draw = learner.policy.draw(learner.policy(noise), torch_numbers(1))
    column = learner.layout.drawn_last
    real_share, share = (
        (rows.level[:, column] == real.level[:, column].min()).float().mean()
        for rows in (real, draw)
    )
    assert 0.02 < float(real_share) < 0.2
    assert float(share) == pytest.approx(float(real_share), rel=0.25)


def test_its_weights_are_reinforced_at_a_share_of_the_rate(moved):
    learner, _, _, real = moved
    step(learner, real, learner.config.steps_before, seed=0)
    rates = {
        id(weight): group["lr"]
        for group in learner.policy_optimizer.param_groups
        for weight in group["params"]
    }
    n_heads = len(learner.layout.heads)
    assert n_heads > 1
    for weight in learner.policy.last.parameters():
        assert rates[id(weight)] == pytest.approx(learner.config.learning_rate / n_heads)
    assert rates[id(learner.policy.mean.weight)] == learner.config.learning_rate


def test_a_replayed_rollout_has_a_ratio_of_exactly_one(moved):
    learner, _, _, _ = moved
    noise = torch.randn((64, learner.config.noise_dim), generator=torch_numbers(0))
    before = learner.policy(noise)
    draw = learner.policy.draw(before, torch_numbers(1))
    old = log_prob(learner, before, draw)
    new = log_prob(learner, learner.policy(noise), draw)
    assert torch.equal(torch.exp(new - old), torch.ones(64))


def test_a_threshold_is_learnt_better_than_through_the_latent_alone(marked):
    settings = quick(**MARKED)
    apart = TabularSynthesizer(seed=0, target_last=False, **settings)
    apart.fit(marked_table(), target="mark")
    shares = [
        ((rows["number"] > THRESHOLD) == (rows["mark"] == "high")).mean()
        for rows in (marked.sample(4000), apart.sample(4000))
    ]
    assert shares[0] > 0.93
    assert shares[0] > shares[1] + 0.01


@pytest.mark.parametrize(
    "where", [{"mark": "high"}, ["mark=high", "group=a"], ["mark=low", "number>0"]]
)
def test_rows_under_conditions_on_it_are_distributed_like_filtered_ones(marked, where):
    many = marked.sample(60_000, seed=5)
    holds = many["mark"] == (where["mark"] if isinstance(where, dict) else where[0][5:])
    if "group=a" in where:
        holds &= many["group"] == "a"
    if "number>0" in where:
        holds &= many["number"] > 0
    filtered, drawn = many[holds], marked.sample(6000, seed=6, where=where)
    assert len(filtered) > 1000
    assert (drawn["mark"] == filtered["mark"].iloc[0]).all()
    error = 5 * np.sqrt(0.25 / len(filtered) + 0.25 / 6000)
    assert (drawn["group"] == "a").mean() == pytest.approx(
        (filtered["group"] == "a").mean(), abs=error
    )
    assert ks_2samp(drawn["number"], filtered["number"]).statistic < 0.05


def test_under_a_condition_on_it_no_row_stands_twice(marked):
    rows = marked.sample(1000, where={"mark": "high"})
    assert rows["number"].nunique() > 990  # a few are chosen twice


def test_balanced_levels_take_turns_and_keep_what_decides_them(marked):
    rows = marked.sample(1000, balance="mark")
    assert (rows["mark"] == "high").sum() == 500
    right = (rows["number"] > THRESHOLD) == (rows["mark"] == "high")
    assert right.mean() > 0.8


def test_saved_and_loaded_it_draws_the_same_rows(marked, tmp_path):
    marked.save(tmp_path / "model")
    again = TabularSynthesizer.load(tmp_path / "model")
    pd.testing.assert_frame_equal(again.sample(50, seed=3), marked.sample(50, seed=3))


@pytest.mark.parametrize(
    ("target", "is_last"),
    [("group", True), ("yes", True), ("count", True), ("note", True), ("smooth", False)],
)
def test_a_target_with_levels_is_drawn_last_and_an_amount_is_not(target, is_last):
    learner, _ = learner_of(mixed_table(), last=target)
    layout = learner.layout
    assert (layout.drawn_last is not None) == is_last
    if is_last:
        head = layout.discrete[layout.drawn_last]
        assert layout.schema.modelled[head.column].name == target
    assert Layout.from_dict(layout.to_dict(), layout.schema).drawn_last == layout.drawn_last


@pytest.mark.parametrize(
    "settings",
    [{"target_last": False}, {"estimator": "reparameterised"}, {"preset": "rlsyn-mimic"}],
    ids=["setting", "no policy gradient", "the paper"],
)
def test_all_columns_are_drawn_at_once_where_that_is_asked_for(settings):
    model = TabularSynthesizer(**quick(n_steps=1), **settings).fit(marked_table(), target="mark")
    assert model._layout.drawn_last is None
