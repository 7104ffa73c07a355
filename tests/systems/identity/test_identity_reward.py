"""The triple reward against values worked by hand, and the trap of set-level numbers."""

import math

import pytest
import torch
from torch.nn.functional import normalize

from reinforge.errors import InputError, ReinforgeError
from reinforge.systems.identity.bank import Bank, memory_bank
from reinforge.systems.identity.reward import (
    added_diversity,
    combined,
    coverage,
    diversity_score,
    expression_diversity,
    nearness,
    semantic_consistency,
    yardstick,
)

CREDITS = ("leave_one_out", "group", "sample")


def bank_of(spread=1.0, bandwidth=1.0):
    """Two identities on the axes of a plane; identity 0 has two pictures, identity 1 one."""
    return Bank(
        feature=torch.tensor([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]]),
        label=torch.tensor([0, 0, 1]),
        prototype=torch.tensor([[1.0, 0.0], [0.0, 1.0]]),
        bandwidth=torch.full((2,), bandwidth),
        spread=torch.full((2,), spread),
    )


def kernel(distance_squared, width=1.0):
    return math.exp(-distance_squared / (2 * width**2))


# semantic consistency


def test_semantic_consistency_runs_from_opposite_to_equal():
    feature = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.6, 0.8], [0.0, 1.0]])
    told = semantic_consistency(feature, torch.tensor([0, 0, 0, 0, 1]), bank_of())
    assert told.tolist() == pytest.approx([1.0, 0.5, 0.0, 0.8, 1.0])


# coverage


def test_coverage_is_worked_by_hand():
    feature = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    told = coverage(feature, torch.tensor([0, 0, 1]), bank_of(), alpha=0.5)
    # |(1,0) - (0.6,0.8)|^2 = 0.8; |(0,1) - (0.6,0.8)|^2 = 0.4; the axes are 2 apart
    first = (kernel(0) + kernel(0.8)) / 2 - 0.5 * kernel(2)
    second = (kernel(2) + kernel(0.4)) / 2 - 0.5 * kernel(2)
    third = 1.0  # its own identity's one picture, and no companion to be kept apart from
    assert told.tolist() == pytest.approx([first, second, third], abs=1e-6)


def test_the_mean_of_coverage_is_the_papers_set_level_number():
    generator = torch.Generator().manual_seed(0)
    feature = normalize(torch.randn(5, 2, generator=generator), dim=1)
    bank, label = bank_of(), torch.zeros(5, dtype=torch.long)
    own = bank.feature[bank.label == 0]
    to_real = [kernel(float((f - r).square().sum())) for f in feature for r in own]
    pairs = [
        kernel(float((feature[i] - feature[j]).square().sum()))
        for i in range(5)
        for j in range(5)
        if i != j
    ]
    wanted = sum(to_real) / len(to_real) - 0.3 * sum(pairs) / len(pairs)
    told = coverage(feature, label, bank, alpha=0.3).mean()
    assert float(told) == pytest.approx(wanted, abs=1e-5)


def test_a_wider_kernel_sees_further():
    feature, label = torch.tensor([[0.0, 1.0]]), torch.tensor([0])
    told = coverage(feature, label, bank_of(bandwidth=2.0), alpha=0.5)
    assert float(told) == pytest.approx((kernel(2, 2) + kernel(0.4, 2)) / 2, abs=1e-6)


def test_a_draw_that_repeats_another_covers_less():
    label = torch.zeros(2, dtype=torch.long)
    apart = coverage(torch.tensor([[1.0, 0.0], [0.6, 0.8]]), label, bank_of(), alpha=0.5)
    alike = coverage(torch.tensor([[1.0, 0.0], [1.0, 0.0]]), label, bank_of(), alpha=0.5)
    assert float(alike[0]) < float(apart[0])


def test_coverage_with_recent_draws_is_kept_apart_from_them_and_not_from_the_batch():
    recent = torch.tensor([[[0.0, 1.0], [1.0, 0.0]], [[1.0, 0.0], [1.0, 0.0]]])
    feature, label = torch.tensor([[1.0, 0.0], [1.0, 0.0]]), torch.tensor([0, 0])
    told = coverage(feature, label, bank_of(), alpha=0.5, recent=recent)
    wanted = (kernel(0) + kernel(0.8)) / 2 - 0.5 * (kernel(2) + kernel(0)) / 2
    assert told.tolist() == pytest.approx([wanted, wanted], abs=1e-6)


# expression diversity

SQUARE = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])  # tr Cov = 4 / 3


def score(spread, real=1.0, expansion=0.1):
    return -(((spread - (1 + expansion) * real) / real) ** 2)


def diversity(feature, credit, *, spread=1.0, label=None):
    label = torch.zeros(len(feature), dtype=torch.long) if label is None else label
    return expression_diversity(feature, label, bank_of(spread), expansion=0.1, credit=credit)


def test_under_group_credit_every_member_earns_the_groups_value():
    assert diversity(SQUARE, "group").tolist() == pytest.approx([score(4 / 3)] * 4)


def test_under_sample_credit_a_members_own_distance_stands_for_the_spread():
    feature = torch.tensor([[0.0, 0.0], [2.0, 0.0]])  # mean (1, 0); n / (n - 1) |f - mean|^2 = 2
    assert diversity(feature, "sample").tolist() == pytest.approx([score(2.0)] * 2)


def test_the_mean_of_what_stands_for_the_spread_is_the_spread():
    feature = torch.randn(6, 2, generator=torch.Generator().manual_seed(0))
    squared = 6 / 5 * (feature - feature.mean(0)).square().sum(1)
    assert float(squared.mean()) == pytest.approx(float(feature.var(dim=0).sum()), rel=1e-5)


def test_leaving_one_out_is_the_groups_value_minus_the_value_without_the_member():
    feature = torch.randn(5, 2, generator=torch.Generator().manual_seed(1))
    told = diversity(feature, "leave_one_out")
    whole = score(float(feature.var(dim=0).sum()))
    for member in range(5):
        others = torch.cat([feature[:member], feature[member + 1 :]])
        without = score(float(others.var(dim=0).sum()))
        assert float(told[member]) == pytest.approx(whole - without, abs=1e-4)


def test_where_a_set_is_too_narrow_the_outsider_earns_most_and_where_too_wide_least():
    feature = torch.tensor([[1.0, 0.0], [0.9, 0.1], [0.9, -0.1], [0.0, 1.0]])
    narrow = diversity(feature, "leave_one_out", spread=5.0)
    wide = diversity(feature, "leave_one_out", spread=0.05)
    assert int(narrow.argmax()) == 3
    assert int(wide.argmin()) == 3


def test_identities_are_groups_of_their_own():
    feature, label = torch.cat([SQUARE, 2 * SQUARE]), torch.tensor([0] * 4 + [1] * 4)
    mixed = torch.randperm(8, generator=torch.Generator().manual_seed(0))
    told = diversity(feature[mixed], "group", label=label[mixed])
    wanted = torch.tensor([score(4 / 3)] * 4 + [score(16 / 3)] * 4)[mixed]
    torch.testing.assert_close(told, wanted)


@pytest.mark.parametrize(("credit", "n"), [("group", 1), ("sample", 1), ("leave_one_out", 2)])
def test_a_group_too_small_to_have_a_spread_earns_nothing(credit, n):
    assert diversity(SQUARE[:n], credit).tolist() == [0.0] * n


def test_the_best_spread_is_a_little_beyond_the_real_one():
    spread = torch.tensor([1.0, 1.1, 1.2])
    told = diversity_score(spread, torch.ones(3), 0.1)
    assert told.tolist() == pytest.approx([-0.01, 0.0, -0.01], abs=1e-6)


def test_the_unit_of_features_does_not_matter_to_diversity():
    one, ten = diversity(SQUARE, "group", spread=2.0), diversity(10 * SQUARE, "group", spread=200.0)
    torch.testing.assert_close(one, ten)


def test_what_a_draw_adds_to_recent_draws_is_the_value_with_it_minus_the_value_without():
    generator = torch.Generator().manual_seed(2)
    recent, feature = torch.randn(2, 3, 2, generator=generator), SQUARE
    label = torch.tensor([0, 1, 1, 0])
    told = added_diversity(feature, label, bank_of(2.0), recent, expansion=0.1)
    for draw in range(4):
        others = recent[label[draw]]
        whole = torch.cat([others, feature[draw : draw + 1]]).var(dim=0).sum()
        wanted = score(float(whole), 2.0) - score(float(others.var(dim=0).sum()), 2.0)
        assert float(told[draw]) == pytest.approx(wanted, abs=1e-4)


# privacy


def test_a_copy_of_a_real_picture_earns_least_and_a_draw_at_the_usual_distance_nothing():
    bank = bank_of(bandwidth=1.0)  # the cosine at distance 1 is 1 - 1/2
    feature = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.5, -math.sqrt(0.75)]])
    told = nearness(feature, torch.tensor([0, 0, 0]), bank)
    assert told.tolist() == pytest.approx([-0.5, 0.0, 0.0], abs=1e-6)


def test_a_copy_of_somebody_elses_picture_counts_as_well():
    told = nearness(torch.tensor([[0.0, 1.0]]), torch.tensor([0]), bank_of())
    assert float(told) == pytest.approx(-0.5)


# together


def together(parts, weights, **settings):
    """Parts combined in the units of their own batch."""
    return combined(parts, weights, yardstick(parts), **settings)


def test_the_weighted_sum_of_standardised_parts_is_worked_by_hand():
    parts = {"a": torch.tensor([0.0, 1.0, 2.0]), "b": torch.tensor([5.0, 5.0, 8.0])}
    # a: mean 1, deviation 1; b: mean 6, deviation sqrt(3)
    told = together(parts, {"a": 1.0, "b": 0.5}, eps=0.0)
    wanted = [a + 0.5 * b / math.sqrt(3) for a, b in zip((-1, 0, 1), (-1, -1, 2), strict=True)]
    assert told.tolist() == pytest.approx(wanted, abs=1e-6)


def test_a_part_without_a_weight_is_watched_only():
    parts = {"a": torch.tensor([0.0, 1.0, 2.0]), "b": torch.tensor([9.0, 0.0, 0.0])}
    alone = together({"a": parts["a"]}, {"a": 1.0})
    assert torch.equal(together(parts, {"a": 1.0}), alone)


def test_a_part_that_is_the_same_for_all_moves_nothing():
    parts = {"a": torch.tensor([0.0, 1.0, 2.0]), "b": torch.full((3,), 0.3)}
    torch.testing.assert_close(
        together(parts, {"a": 1.0, "b": 1.0}), together(parts, {"a": 1.0}), rtol=0, atol=1e-3
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_reward_that_is_not_finite_is_refused_by_its_name(value):
    parts = {"semantic": torch.tensor([0.0, 1.0]), "coverage": torch.tensor([value, 1.0])}
    with pytest.raises(ReinforgeError, match="reward 'coverage': 1 of 2 values are not finite"):
        together(parts, {"semantic": 1.0, "coverage": 0.75})


def draws_of_three(n_each=5):
    generator = torch.Generator().manual_seed(3)
    feature = normalize(torch.randn(3 * n_each, 4, generator=generator), dim=1)
    return feature.requires_grad_(True), torch.arange(3).repeat_interleave(n_each)


def bank_of_three():
    generator = torch.Generator().manual_seed(4)
    feature = normalize(torch.randn(12, 4, generator=generator), dim=1)
    return memory_bank(feature, torch.arange(3).repeat_interleave(4), 3)


def set_level_part(name, credit):
    feature, label = draws_of_three()
    if name == "coverage":
        return feature, coverage(feature, label, bank_of_three(), alpha=0.5)
    return feature, expression_diversity(
        feature, label, bank_of_three(), expansion=0.1, credit=credit
    )


@pytest.mark.parametrize(
    ("name", "credit"), [("coverage", None), *(("diversity", credit) for credit in CREDITS)]
)
def test_set_level_rewards_survive_standardisation(name, credit):
    """One number a batch would be its own mean: zero for every draw (the trap of the paper)."""
    feature, part = set_level_part(name, credit)
    reward = together({name: part}, {name: 1.0})
    assert float(reward.detach().std()) > 0.3
    (gradient,) = torch.autograd.grad(reward[0], feature)
    assert float(gradient.norm()) > 1e-2


@pytest.mark.parametrize("credit", ["leave_one_out", "sample"])
def test_credit_of_single_draws_tells_the_members_of_a_group_apart(credit):
    _, part = set_level_part("diversity", credit)
    assert (part.detach().view(3, 5).std(dim=1) > 1e-3).all()


def test_group_credit_tells_groups_apart_and_members_not():
    _, part = set_level_part("diversity", "group")
    groups = part.detach().view(3, 5)
    assert torch.equal(groups, groups[:, :1].expand(3, 5))
    assert float(groups[:, 0].std()) > 1e-3


# the bank


def test_a_bank_is_worked_by_hand():
    feature = torch.tensor([[3.0, 0.0], [0.0, 2.0], [-1.0, 0.0], [0.0, 1.0], [0.0, 5.0]])
    told = memory_bank(feature, torch.tensor([0, 0, 0, 1, 1]), 2)
    assert told.feature.norm(dim=1).tolist() == pytest.approx([1.0] * 5)
    torch.testing.assert_close(told.prototype, torch.tensor([[0.0, 1.0], [0.0, 1.0]]))
    # identity 0: distances sqrt(2), 2, sqrt(2); variances 1 and 1/3 with Bessel's correction
    assert float(told.bandwidth[0]) == pytest.approx(math.sqrt(2))
    assert float(told.spread[0]) == pytest.approx(4 / 3)


def test_an_identity_of_few_pictures_borrows_from_all_others():
    feature = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    told = memory_bank(feature, torch.tensor([0, 0, 0, 1, 1]), 2)
    assert float(told.bandwidth[1]) == pytest.approx(math.sqrt(2))  # median of 0, r2, r2, 2
    assert float(told.spread[1]) == pytest.approx((4 / 3 + 0) / 2)


def test_identical_pictures_leave_a_kernel_of_some_width():
    feature = torch.tensor([[1.0, 0.0]]).repeat(4, 1)
    told = memory_bank(feature, torch.zeros(4, dtype=torch.long), 1)
    assert float(told.bandwidth[0]) > 0
    assert float(told.spread[0]) > 0


def test_a_bank_of_one_picture_each_is_refused():
    with pytest.raises(InputError, match="every identity has a single picture"):
        memory_bank(torch.eye(3), torch.arange(3), 3)
