"""Turns of identities, what a checkpoint holds, resuming, the reference, and memory."""

import weakref

import pytest
import torch
from tiny_identity import blocks, is_same, state_of, tiny_learner

from reinforge.systems.identity.chain import Rollout
from reinforge.systems.identity.step import (
    advantages,
    end_cold_start,
    in_first_units,
    labels_of,
    move_average,
    parts_of_reward,
    reinforce,
    score,
    step,
    update_value,
)
from reinforge.training import Interrupted, Place, train

# turns


def batches_of(n_identities, n_chosen, n_steps, *, seed=0):
    learner = tiny_learner(n_identities=n_identities, identities_per_batch=n_chosen)
    return [labels_of(learner, index, seed=seed).tolist() for index in range(n_steps)]


@pytest.mark.parametrize(("n_identities", "n_chosen"), [(4, 2), (5, 3), (7, 5), (6, 4), (3, 8)])
def test_all_identities_come_by_equally_often(n_identities, n_chosen):
    count = torch.zeros(n_identities)
    for batch in batches_of(n_identities, n_chosen, 30):
        assert len(set(batch)) == len(batch) == min(n_chosen, n_identities)
        count[batch] += 1
        assert float(count.max() - count.min()) <= 1


def test_the_order_of_turns_is_drawn_anew_each_round_and_by_the_seed():
    batches = batches_of(6, 3, 12)
    assert len({frozenset(batch) for batch in batches}) > 4
    assert batches_of(6, 3, 12) == batches
    assert batches_of(6, 3, 12, seed=1) != batches


# advantages


def rolled(label):
    """Two trained steps of the chain."""
    state = torch.randn(2, len(label), 1, 8, 8, generator=torch.Generator().manual_seed(0))
    return Rollout(
        label=label,
        clean=state[0],
        position=(0, 2),
        state=state,
        action=state,
        log_prob=torch.zeros(2, len(label), dtype=torch.float64),
    )


REWARD = torch.tensor([0.0, 0.0, 1.0, 1.0, 5.0, 5.0, 7.0, 7.0])


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({"advantage": "group"}, [-1, -1, 1, 1, -1, -1, 1, 1]),
        ({"advantage": "group", "branches": 2, "n_recent": 2}, [0] * 8),  # pairs are alike
        ({"advantage": "batch"}, [-3.25, -3.25, -2.25, -2.25, 1.75, 1.75, 3.75, 3.75]),
        ({"advantage": "value"}, [0, 0, 1, 1, 5, 5, 7, 7]),  # a new value net expects nothing
    ],
    ids=["group", "branches", "batch", "value"],
)
def test_advantages_are_worked_by_hand_and_the_same_at_every_step(settings, wanted):
    label = torch.tensor([0, 0, 0, 0, 1, 1, 1, 1])
    told = advantages(tiny_learner(**settings), rolled(label), REWARD)
    assert told.shape == (2, 8)
    for row in told:
        assert row.tolist() == pytest.approx(wanted, abs=1e-4)


def test_the_value_net_comes_to_expect_the_reward():
    learner = tiny_learner(advantage="value", value_learning_rate=0.02, value_steps=5)
    rollout = rolled(torch.tensor([0, 0, 1, 1, 2, 2, 3, 3]))
    error = [update_value(learner, rollout, REWARD)["value_error"] for _ in range(20)]
    assert error[0] < 150 / 8  # the mean square of the reward: it has begun to learn
    assert error[-1] < 0.1 * error[0]
    assert float(advantages(learner, rollout, REWARD).abs().mean()) < 0.5 * float(REWARD.mean())


def test_without_advantages_against_it_the_value_net_is_left_alone():
    learner = tiny_learner(advantage="group")
    assert update_value(learner, rolled(torch.tensor([0, 0, 1, 1, 2, 2, 3, 3])), REWARD) == {}


# rewards


def test_the_reward_is_the_tanh_of_the_weighted_standardised_parts():
    learner = tiny_learner(
        semantic_weight=2.0, coverage_weight=0.0, diversity_weight=0.5, privacy_weight=0.0
    )
    generator = torch.Generator().manual_seed(0)
    feature = torch.nn.functional.normalize(torch.randn(12, 5, generator=generator), dim=1)
    label = torch.arange(3).repeat_interleave(4)
    told, _, means = score(learner, feature, label)
    parts = parts_of_reward(learner, feature, label)
    semantic, diversity = (
        (parts[name] - parts[name].mean()) / parts[name].std() for name in ("semantic", "diversity")
    )
    torch.testing.assert_close(
        told, torch.tanh(2.0 * semantic + 0.5 * diversity), rtol=1e-3, atol=1e-3
    )
    assert means["semantic"] == pytest.approx(float(parts["semantic"].mean()))
    assert set(means) == {"semantic", "coverage", "diversity", "privacy"}


# the reference and the mean


def test_the_reference_is_what_the_cold_start_left_and_the_first_update_has_no_kl():
    learner = tiny_learner(cold_start_steps=2, n_steps=2)
    started = learner.policy.copy_of_trained()
    for index in range(2):
        step(learner, blocks, index, seed=0)
    left = learner.policy.copy_of_trained()
    assert not is_same(started, left)
    assert is_same(learner.reference, left)
    assert is_same(learner.averaged, left)  # a run that ends here draws with these
    first = step(learner, blocks, 2, seed=0)
    second = step(learner, blocks, 3, seed=0)
    assert first["kl"] == 0.0
    assert second["kl"] > 0.0
    assert is_same(learner.reference, left)
    assert not is_same(learner.policy.copy_of_trained(), left)


def test_the_end_of_the_cold_start_frees_what_its_optimizer_kept():
    learner = tiny_learner(cold_start_steps=2)
    step(learner, blocks, 0, seed=0)
    assert any("cold_start_optimizer" in name for name in learner.tensors())
    end_cold_start(learner)
    assert not any("cold_start_optimizer" in name for name in learner.tensors())


@pytest.mark.parametrize(
    ("decay", "index", "share"), [(0.0, 5, 1.0), (0.9, 0, 0.9), (0.9, 500, 0.1)]
)
def test_the_mean_of_weights_moves_by_its_share(decay, index, share):
    learner = tiny_learner(average_decay=decay)
    name, weight = next(iter(learner.policy.trained().items()))
    before = learner.averaged[name].clone()
    with torch.no_grad():
        weight.add_(1.0)
    move_average(learner, index)
    torch.testing.assert_close(learner.averaged[name] - before, torch.full_like(before, share))


# checkpoints

WHOLE = {
    "cold_start_steps": 3,
    "n_steps": 3,
    "average_decay": 0.9,
    "branches": 2,
    "n_recent": 3,
    "advantage": "value",
}


def place_of(folder):
    return Place(folder=folder, fingerprint="tiny", every=100)


def run(learner, *, place=None, resume=False, stop=None):
    return train(
        learner,
        lambda index: step(learner, blocks, index, seed=0),
        6,
        place=place,
        resume=resume,
        stop=stop,
    )


@pytest.mark.parametrize("trained", ["all", "lora", "head"])
def test_a_state_that_is_put_back_is_the_one_that_was_kept(trained):
    learner = tiny_learner(trained=trained, **WHOLE)
    for index in range(5):
        step(learner, blocks, index, seed=0)
    kept, other = state_of(learner), tiny_learner(trained=trained, seed=1, **WHOLE)
    assert not is_same(kept, state_of(other))
    other.load_tensors(kept)
    assert is_same(kept, state_of(other))
    assert step(learner, blocks, 5, seed=0) == step(other, blocks, 5, seed=0)
    assert is_same(state_of(learner), state_of(other))


@pytest.mark.parametrize("n_done", [1, 2, 3, 4, 5])
def test_a_run_that_is_resumed_equals_the_straight_one_on_both_sides_of_the_border(
    tmp_path, n_done
):
    straight = tiny_learner(**WHOLE)
    history = run(straight)
    n_seen = []

    def enough():
        n_seen.append(1)
        return len(n_seen) == n_done

    with pytest.raises(Interrupted):
        run(tiny_learner(**WHOLE), place=place_of(tmp_path), stop=enough)
    resumed = tiny_learner(**WHOLE)
    assert run(resumed, place=place_of(tmp_path), resume=True) == history
    assert is_same(state_of(straight), state_of(resumed))


def test_without_recent_draws_a_checkpoint_is_whole_too(tmp_path):
    learner = tiny_learner(cold_start_steps=3, n_steps=3, n_recent=0)
    run(learner, place=Place(folder=tmp_path, fingerprint="tiny", every=2))
    again = tiny_learner(cold_start_steps=3, n_steps=3, n_recent=0, seed=1)
    run(again, place=place_of(tmp_path), resume=True)
    assert is_same(state_of(learner), state_of(again))


def test_the_same_seed_gives_the_same_run_and_another_seed_another():
    one, same, other = (tiny_learner(**WHOLE) for _ in range(3))
    told = [
        step(learner, blocks, 0, seed=seed) for learner, seed in ((one, 0), (same, 0), (other, 1))
    ]
    assert told[0] == told[1] != told[2]
    assert is_same(state_of(one), state_of(same))


def test_global_generators_are_left_alone():
    before = torch.get_rng_state()
    learner = tiny_learner(**WHOLE)
    for index in (0, 3):
        step(learner, blocks, index, seed=0)
    assert torch.equal(torch.get_rng_state(), before)


def test_recent_draws_take_the_place_of_the_oldest():
    learner = tiny_learner(**{**WHOLE, "cold_start_steps": 0})
    step(learner, blocks, 0, seed=0)
    # three of four identities drew: four draws of two branches, one of each start is kept
    assert sorted(learner.n_drawn.tolist()) == [0, 2, 2, 2]
    before = learner.recent.clone()
    step(learner, blocks, 1, seed=0)
    chosen = labels_of(learner, 1, seed=0)
    is_new = (learner.recent != before).any(dim=2)
    assert is_new[chosen].sum(dim=1).tolist() == [2] * 3
    assert int(is_new.sum()) == 6


# memory


class Kept:
    """Bytes that graphs keep alive for their backward pass: now, and at most."""

    def __init__(self):
        self.now = self.peak = 0

    def __enter__(self):
        self.hooks = torch.autograd.graph.saved_tensors_hooks(self._pack, lambda box: box[0])
        self.hooks.__enter__()
        return self

    def __exit__(self, *error):
        self.hooks.__exit__(*error)

    def _pack(self, tensor):
        class Box(list):
            pass

        box, size = Box([tensor]), tensor.numel() * tensor.element_size()
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(box, self._let_go, size)
        return box

    def _let_go(self, size):
        self.now -= size


def peak_of(**settings):
    learner = tiny_learner(n_denoising=6, **settings)
    with Kept() as kept:
        log = reinforce(learner, blocks, 0, seed=0)
    assert log["update_taken"] == 1.0
    assert kept.now == 0  # nothing outlives the update
    return kept.peak


@pytest.mark.parametrize("settings", [{}, {"guidance": 3.0}, {"kl_weight": 0.0}], ids=str)
def test_what_graphs_keep_does_not_grow_with_the_steps_that_are_trained(settings):
    peaks = {
        n: peak_of(window="random", window_steps=n, micro_batch=12, **settings) for n in (1, 3, 5)
    }
    assert len(set(peaks.values())) == 1, peaks
    assert peak_of(window="all", micro_batch=12, **settings) == peaks[1]


def test_what_graphs_keep_shrinks_with_the_micro_batch():
    whole, third = peak_of(micro_batch=12), peak_of(micro_batch=4)
    assert third < 0.5 * whole


def test_a_reference_pass_keeps_no_graph():
    with_kl, without = (
        peak_of(micro_batch=12, kl_weight=0.1),
        peak_of(micro_batch=12, kl_weight=0.0),
    )
    assert with_kl < 1.1 * without


def test_the_slope_of_the_reward_keeps_no_graph_beside_that_of_the_pass():
    settings = {"micro_batch": 12, "n_recent": 2, "guidance": 3.0, "guided_gradient": True}
    by_slope = peak_of(estimator="pathwise", **settings)
    assert by_slope < 1.3 * peak_of(estimator="score", **settings)


def test_a_pass_for_nobody_without_gradient_keeps_no_graph():
    plain = peak_of(micro_batch=12)
    assert peak_of(micro_batch=12, guidance=3.0) < 1.1 * plain
    assert peak_of(micro_batch=12, guidance=3.0, guided_gradient=True) > 1.8 * plain


# units


def measured_with(deviation):
    """A batch's means and deviations, all alike."""
    names = ("semantic", "coverage", "diversity", "privacy")
    return {name: (torch.tensor(5.0), torch.tensor(deviation)) for name in names}


def test_units_are_the_root_mean_square_of_the_first_round_whatever_comes_later():
    learner = tiny_learner(n_identities=5, identities_per_batch=3)  # a round is two batches
    units = [
        float(in_first_units(learner, measured_with(deviation))["diversity"][1])
        for deviation in (3.0, 4.0, 0.01, 100.0)
    ]
    assert units == pytest.approx([3.0, 12.5**0.5, 12.5**0.5, 12.5**0.5])
    assert float(in_first_units(learner, measured_with(1.0))["semantic"][0]) == 5.0


@pytest.mark.parametrize(("units", "is_same_unit"), [("cold_start", True), ("batch", False)])
def test_a_part_that_hardly_varies_any_more_is_magnified_in_units_of_the_batch_alone(
    units, is_same_unit
):
    learner = tiny_learner(reward_units=units, identities_per_batch=4)
    label = torch.arange(4).repeat_interleave(4)
    feature = torch.nn.functional.normalize(
        torch.randn((16, 5), generator=torch.Generator().manual_seed(0)), dim=1
    )
    nearer = torch.nn.functional.normalize(feature + 20 * learner.bank.prototype[label], dim=1)
    _, first, _ = score(learner, feature, label)
    _, later, _ = score(learner, nearer, label)
    assert bool(later["semantic"][1] == first["semantic"][1]) == is_same_unit
    assert is_same_unit or float(later["semantic"][1]) < 0.5 * float(first["semantic"][1])
