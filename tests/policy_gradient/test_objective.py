import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reinforge.policy_gradient.objective import (
    clamped_surrogate,
    clipped_surrogate,
    importance_weighted,
    score_function,
)


def slope(ratio, advantage, clip_range=0.2):
    """d surrogate / d log_prob of a single draw whose probability ratio is `ratio`."""
    log_prob = torch.tensor([math.log(ratio)], dtype=torch.float64, requires_grad=True)
    old, one = torch.zeros(1, dtype=torch.float64), torch.tensor([advantage], dtype=torch.float64)
    clipped_surrogate(log_prob, old, one, clip_range=clip_range).backward()
    return float(log_prob.grad)


@pytest.mark.parametrize(
    ("ratio", "advantage", "value"),
    [
        (1.5, 1.0, 1.2),  # above the band, good: held at 1 + e
        (1.5, -1.0, -1.5),  # above the band, bad: the full loss
        (0.5, 1.0, 0.5),  # below the band, good: the full (small) gain
        (0.5, -1.0, -0.8),  # below the band, bad: held at 1 - e
        (1.1, 2.0, 2.2),  # inside
        (0.9, -2.0, -1.8),
    ],
)
def test_the_clipped_surrogate_matches_hand_computations(ratio, advantage, value):
    told = clipped_surrogate(
        torch.tensor([math.log(ratio)]),
        torch.zeros(1),
        torch.tensor([advantage]),
        clip_range=0.2,
    )
    assert float(told) == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize(
    ("ratio", "advantage", "is_moved"),
    [
        (1.5, 1.0, False),
        (1.5, -1.0, True),
        (0.5, 1.0, True),
        (0.5, -1.0, False),
        (1.1, 1.0, True),
        (1.1, -1.0, True),
        (0.9, 1.0, True),
        (0.9, -1.0, True),
    ],
)
def test_a_draw_beyond_the_band_its_advantage_favours_earns_no_gradient(ratio, advantage, is_moved):
    assert slope(ratio, advantage) == pytest.approx(advantage * ratio if is_moved else 0.0)


@pytest.mark.parametrize("clip_range", [0.01, 0.2, 0.9])
def test_on_the_first_pass_clipping_changes_no_gradient(clip_range):
    assert slope(1.0, 3.0, clip_range) == pytest.approx(3.0)


@given(ratio=st.floats(0.01, 10), advantage=st.floats(-5, 5), clip_range=st.floats(0.01, 0.99))
def test_the_clipped_surrogate_never_exceeds_the_unclipped_one(ratio, advantage, clip_range):
    log_prob, old = torch.tensor([math.log(ratio)]).double(), torch.zeros(1).double()
    one = torch.tensor([advantage]).double()
    clipped = clipped_surrogate(log_prob, old, one, clip_range=clip_range)
    assert float(clipped) <= float(importance_weighted(log_prob, old, one)) + 1e-12


def test_importance_weights_match_a_hand_computation():
    log_prob = torch.log(torch.tensor([2.0, 0.5]))
    told = importance_weighted(log_prob, torch.zeros(2), torch.tensor([1.0, 4.0]))
    assert float(told) == pytest.approx((2.0 * 1.0 + 0.5 * 4.0) / 2)


def test_importance_weighting_makes_old_draws_speak_for_the_new_policy():
    # draws from p = (1/2, 1/2), one of each; under q = (1/4, 3/4) the mean of A = (0, 4) is 3
    old, new = torch.full((2,), 0.5).log(), torch.tensor([0.25, 0.75]).log()
    assert float(importance_weighted(new, old, torch.tensor([0.0, 4.0]))) == pytest.approx(3.0)


def test_the_score_functions_gradient_is_the_mean_of_advantage_times_score():
    advantage = torch.tensor([2.0, -1.0, 0.5], dtype=torch.float64)
    level = torch.tensor([0, 1, 1])
    logits = torch.tensor([0.3, -0.7], dtype=torch.float64, requires_grad=True)
    score_function(logits.log_softmax(0)[level], advantage).backward()
    share = logits.detach().softmax(0)
    scores = torch.eye(2, dtype=torch.float64)[level] - share  # grad log p(k) = e_k - p
    torch.testing.assert_close(logits.grad, (advantage[:, None] * scores).mean(0))


def test_the_score_function_is_unbiased_over_all_draws():
    reward = torch.tensor([1.0, 4.0, -2.0], dtype=torch.float64)
    logits = torch.tensor([0.3, -0.7, 0.1], dtype=torch.float64, requires_grad=True)
    share = logits.softmax(0)
    (expected,) = torch.autograd.grad((share * reward).sum(), logits)
    # each level as a draw, weighted by its probability: the expectation without sampling
    weighted = reward * share.detach() * len(reward)
    (told,) = torch.autograd.grad(score_function(logits.log_softmax(0), weighted), logits)
    torch.testing.assert_close(told, expected)


def test_all_objectives_share_their_gradient_on_the_first_pass():
    advantage = torch.tensor([2.0, -1.0, 0.5])
    gradients = []
    for objective in (
        lambda new, old: clipped_surrogate(new, old, advantage, clip_range=0.2),
        lambda new, old: importance_weighted(new, old, advantage),
        lambda new, old: score_function(new, advantage),
    ):
        log_prob = torch.tensor([-1.0, -2.0, -0.5], requires_grad=True)
        objective(log_prob, log_prob.detach().clone()).backward()
        gradients.append(log_prob.grad)
    torch.testing.assert_close(gradients[0], gradients[1])
    torch.testing.assert_close(gradients[0], gradients[2])


# DPOK's clamp beside PPO's minimum

BELOW, INSIDE, ABOVE = 0.5, 1.1, 1.5


def clamped_slope(ratio, advantage):
    log_prob = torch.tensor([math.log(ratio)], dtype=torch.float64, requires_grad=True)
    old, one = torch.zeros(1, dtype=torch.float64), torch.tensor([advantage], dtype=torch.float64)
    clamped_surrogate(log_prob, old, one, clip_range=0.2).backward()
    return float(log_prob.grad)


@pytest.mark.parametrize(
    ("ratio", "advantage", "clamp_moves", "minimum_moves"),
    [
        (BELOW, 1.0, False, True),  # it got rarer and was good: only the minimum brings it back
        (INSIDE, 1.0, True, True),
        (ABOVE, 1.0, False, False),
        (BELOW, -1.0, False, False),
        (INSIDE, -1.0, True, True),
        (ABOVE, -1.0, False, True),  # it got likelier and was bad: the same
    ],
)
def test_clamp_and_minimum_differ_where_a_draw_went_the_wrong_way(
    ratio, advantage, clamp_moves, minimum_moves
):
    full = advantage * ratio
    assert clamped_slope(ratio, advantage) == pytest.approx(full if clamp_moves else 0.0)
    assert slope(ratio, advantage) == pytest.approx(full if minimum_moves else 0.0)


@pytest.mark.parametrize(
    ("ratio", "advantage", "value"),
    [(1.5, 1.0, 1.2), (1.5, -1.0, -1.2), (0.5, 1.0, 0.8), (0.5, -1.0, -0.8), (1.1, 2.0, 2.2)],
)
def test_the_clamped_surrogate_matches_hand_computations(ratio, advantage, value):
    told = clamped_surrogate(
        torch.tensor([math.log(ratio)]), torch.zeros(1), torch.tensor([advantage]), clip_range=0.2
    )
    assert float(told) == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize("advantage", [3.0, -3.0])
def test_on_the_first_pass_the_clamp_changes_no_gradient(advantage):
    assert clamped_slope(1.0, advantage) == pytest.approx(advantage)


def test_the_clamped_surrogate_is_a_mean_over_draws():
    told = clamped_surrogate(
        torch.zeros(3), torch.zeros(3), torch.tensor([1.0, 2.0, 6.0]), clip_range=0.2
    )
    assert float(told) == pytest.approx(3.0)
