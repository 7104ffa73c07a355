import math

import numpy as np
import pytest
import torch
from small_tables import laid_out, learner_of, mixed_table, torch_numbers
from torch import nn

from reinforge.systems.tabular.discriminator import Discriminator, discriminator_loss
from reinforge.systems.tabular.features import Features


def linear(weight, bias=0.0):
    """A discriminator that is the linear function w x + b."""
    weight = torch.tensor(weight)
    made = Discriminator(len(weight), hidden=2, generator=torch_numbers())
    made.layers = nn.Sequential(nn.Linear(len(weight), 1))
    with torch.no_grad():
        made.layers[0].weight.copy_(weight[None, :])
        made.layers[0].bias.fill_(bias)
    return made


def loss_of(*rows, r1_weight):
    return float(discriminator_loss(*rows, r1_weight=r1_weight).detach())


def test_the_loss_matches_a_hand_computation():
    # D(real) = 2, D(fake) = -1: log(1 + e^-2) + log(1 + e^-1) = 0.126928 + 0.313262
    told = loss_of(linear([1.0]), torch.tensor([[2.0]]), torch.tensor([[-1.0]]), r1_weight=0.0)
    assert told == pytest.approx(0.440190, abs=1e-5)


def test_an_undecided_discriminator_loses_two_log_two():
    told = loss_of(linear([0.0, 0.0]), torch.ones(3, 2), torch.zeros(3, 2), r1_weight=0.0)
    assert told == pytest.approx(2 * math.log(2.0))


@pytest.mark.parametrize("gamma", [1.0, 5.0])
def test_r1_of_a_linear_discriminator_is_half_gamma_times_its_squared_slope(gamma):
    judge, real, fake = linear([3.0, -4.0]), torch.ones(6, 2), torch.zeros(6, 2)
    plain = loss_of(judge, real, fake, r1_weight=0.0)
    punished = loss_of(judge, real, fake, r1_weight=gamma)
    assert punished - plain == pytest.approx(gamma / 2 * 25.0, rel=1e-5)


def test_r1_pulls_the_slope_down():
    judge = linear([3.0, -4.0])
    real = torch.zeros(4, 2)
    discriminator_loss(judge, real, real, r1_weight=2.0).backward()
    # at x = 0 both logits are 0 and their slopes in w vanish: what is left is gamma w
    torch.testing.assert_close(judge.layers[0].weight.grad, torch.tensor([[6.0, -8.0]]))


def test_r1_looks_at_real_rows_alone():
    judge = Discriminator(2, hidden=8, generator=torch_numbers())
    real = torch.randn(6, 2, generator=torch_numbers(1))
    extra = []
    for seed in (2, 3):
        fake = torch.randn(6, 2, generator=torch_numbers(seed))
        plain, punished = (loss_of(judge, real, fake, r1_weight=w) for w in (0.0, 4.0))
        extra.append(punished - plain)
    assert extra[0] == pytest.approx(extra[1], abs=1e-6)
    assert extra[0] > 0


def test_the_discriminator_learns_to_tell_two_clouds_apart():
    judge = Discriminator(2, hidden=16, generator=torch_numbers())
    optimizer = torch.optim.Adam(judge.parameters(), lr=0.01)
    generator = torch_numbers(1)
    for _ in range(150):
        real = torch.randn(64, 2, generator=generator) + 1.5
        fake = torch.randn(64, 2, generator=generator) - 1.5
        optimizer.zero_grad()
        discriminator_loss(judge, real, fake, r1_weight=0.1).backward()
        optimizer.step()
    with torch.no_grad():
        fake, real = judge(torch.tensor([[-1.5, -1.5], [1.5, 1.5]])).tolist()
    assert real > 1.0
    assert fake < -1.0


def encoded(frame, **choice):
    """Features of a table's rows, with its layout."""
    learner, real = learner_of(frame, **choice)
    return learner.layout, learner.features.of_draw(real), real


@pytest.mark.parametrize("heads", ["gaussian", "minmax"])
def test_the_feature_of_a_missing_amount_is_zero_and_its_flag_says_so(heads):
    frame = mixed_table()[["gaps", "group"]]
    layout, features, _ = encoded(frame, heads=heads)
    missing = frame["gaps"].isna().to_numpy(copy=True)
    features = features.numpy()
    assert missing.any()
    assert (features[missing, 0] == 0).all()
    assert (features[~missing, 0] != 0).mean() > 0.95
    absent = 1 + int(layout.amount_is_there()[0]) + 1
    np.testing.assert_array_equal(features[:, absent], missing)


def test_features_hold_one_flag_a_level_and_a_place_for_ordered_columns():
    frame = mixed_table()[["group", "stage", "yes"]]
    layout, features, real = encoded(frame)
    assert features.shape[1] == 3 + 3 + 2 + 1  # one ordered column
    one_hot = features[:, :8]
    torch.testing.assert_close(one_hot.sum(1), torch.full((120,), 3.0))
    assert (one_hot.gather(1, real.level) == 1).all()
    place = features[:, 8].numpy()
    by_stage = [place[frame["stage"] == stage] for stage in ("I", "II", "III")]
    assert [values.std() for values in by_stage] == [0, 0, 0]
    assert by_stage[0][0] < by_stage[1][0] < by_stage[2][0]
    assert len(layout.discrete) == 3


def test_squashed_amounts_lie_between_0_and_1():
    _, features, _ = encoded(mixed_table()[["smooth", "spiky"]], heads="minmax")
    assert float(features.min()) >= 0.0
    assert float(features.max()) <= 1.0
    np.testing.assert_allclose([features.min(), features.max()], [0, 1], atol=1e-5)


def test_the_width_is_that_of_the_features():
    for choice in ("auto", "gaussian", "bins", "minmax"):
        _, _, layout = laid_out(mixed_table(), choice=choice)
        _, features, _ = encoded(mixed_table(), heads=choice)
        assert Features(layout).width == features.shape[1]


def test_a_column_is_hidden_whole_or_not_at_all_and_about_as_often_as_asked():
    learner, real = learner_of(mixed_table(n_rows=400))
    features, heads = learner.features.of_draw(real) + 0.5, learner.features.head_of_feature
    seen = learner.features.partly_hidden(features, 0.3, torch_numbers(0))
    is_hidden = seen == 0
    for head in heads.unique():
        own = is_hidden[:, heads == head]
        assert bool((own.all(1) == own.any(1)).all())
        assert 0.2 < float(own[:, 0].float().mean()) < 0.4
    assert torch.equal(seen[~is_hidden], features[~is_hidden])


def test_with_no_share_hidden_everything_is_seen():
    learner, real = learner_of(mixed_table())
    features = learner.features.of_draw(real)
    assert torch.equal(learner.features.partly_hidden(features, 0.0, torch_numbers(0)), features)


def test_heads_that_are_always_shown_are_never_hidden():
    learner, real = learner_of(mixed_table(n_rows=400))
    features, heads = learner.features.of_draw(real) + 0.5, learner.features.head_of_feature
    seen = learner.features.partly_hidden(features, 0.9, torch_numbers(0), always_shown=(1, 3))
    hidden_heads = set(heads[(seen == 0).any(0)].tolist())
    assert hidden_heads == set(heads.tolist()) - {1, 3}


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_heads_that_are_never_shown_are_hidden_in_every_row(share):
    learner, real = learner_of(mixed_table(n_rows=400))
    features, heads = learner.features.of_draw(real) + 0.5, learner.features.head_of_feature
    seen = learner.features.partly_hidden(features, share, torch_numbers(0), never_shown=(1, 3))
    shown_heads = set(heads[(seen != 0).any(0)].tolist())
    assert shown_heads == set(heads.tolist()) - {1, 3}
