"""A density that is scored is the one that drew: bit for bit where the passes are of one size."""

import pytest
import torch
from tiny_identity import blocks, tiny_learner, tiny_prior, told_apart

from reinforge.errors import ReinforgeError
from reinforge.randomness import torch_generator
from reinforge.systems.identity import step as steps
from reinforge.systems.identity.chain import Chain, policy_step, roll_out, slices
from reinforge.systems.identity.policy import new_policy

WINDOWS = ("all", "random", "fraction", "progressive")
LARGEST_ROUNDING = 1e-4  # nats, where passes differ in size; measured: below 2e-5


def policy_of(prediction="v_prediction", *, precision="float32"):
    return told_apart(
        new_policy(
            tiny_prior(prediction=prediction),
            4,
            trained="all",
            start="prior",
            lora_rank=2,
            precision=precision,
            seed=0,
        )
    )


def rolled(policy, chain, *, n_draws=6, micro_batch=None, trained=None, guided_gradient=False):
    """Labels of draws, and what was drawn."""
    label = torch.arange(n_draws) % 4
    return roll_out(
        policy,
        chain,
        label,
        [torch_generator(0, "test/start", draw) for draw in range(n_draws)],
        trained=tuple(range(chain.n_denoising - 1)) if trained is None else trained,
        micro_batch=micro_batch,
        guided_gradient=guided_gradient,
    )


def log_ratios(policy, chain, rollout, micro_batch, *, guided_gradient=False):
    """Scored minus drawn, for each step and draw; with the graph that an update would keep."""
    told = torch.empty_like(rollout.log_prob)
    for row, position in enumerate(rollout.position):
        for part in slices(len(rollout.label), micro_batch):
            label = rollout.label[part]
            again = policy_step(
                policy,
                chain,
                rollout.state[row, part],
                label,
                torch.full_like(label, position),
                action=rollout.action[row, part],
                guided_gradient=guided_gradient,
            )
            assert again.log_prob.requires_grad
            told[row, part] = again.log_prob.detach() - rollout.log_prob[row, part]
    return told


@pytest.mark.parametrize("micro_batch", [1, 3, None])
@pytest.mark.parametrize(("guidance", "guided_gradient"), [(1.0, False), (3.0, False), (3.0, True)])
@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_a_replayed_rollout_has_log_ratio_exactly_0_at_every_step(
    micro_batch, guidance, guided_gradient, prediction
):
    policy, chain = policy_of(prediction), Chain(n_denoising=5, guidance=guidance)
    rollout = rolled(policy, chain, micro_batch=micro_batch, guided_gradient=guided_gradient)
    told = log_ratios(policy, chain, rollout, micro_batch, guided_gradient=guided_gradient)
    assert told.shape == (4, 6)
    assert rollout.log_prob.unique().numel() == 24
    assert told.tolist() == [[0.0] * 6] * 4


def test_a_replay_in_bfloat16_is_exact_too():
    policy, chain = policy_of(precision="bfloat16"), Chain(n_denoising=5)
    rollout = rolled(policy, chain)
    assert float(log_ratios(policy, chain, rollout, None).abs().max()) == 0.0


@pytest.mark.parametrize(("drawn", "scored"), [(None, 1), (None, 4), (1, None), (2, 5)])
def test_passes_of_another_size_round_a_little_otherwise(drawn, scored):
    """A matrix product may sum in another order for another number of rows: no more than that."""
    policy, chain = policy_of(), Chain(n_denoising=5)
    rollout = rolled(policy, chain, micro_batch=drawn)
    told = log_ratios(policy, chain, rollout, scored)
    assert float(told.abs().max()) < LARGEST_ROUNDING


@pytest.mark.parametrize(
    ("window", "micro_batch"),
    [("all", 3), *((w, 12) for w in WINDOWS), ("random", 1), ("fraction", 5), ("progressive", 3)],
)
@pytest.mark.parametrize("guidance", [1.0, 3.0])
def test_the_first_update_scores_what_was_drawn_for_every_window_and_micro_batch(
    window, micro_batch, guidance
):
    learner = tiny_learner(window=window, micro_batch=micro_batch, guidance=guidance)
    log = steps.reinforce(learner, blocks, 0, seed=0)
    assert log["drift"] == 0.0
    assert log["clipped"] == 0.0
    assert log["grad_norm"] > 0


@pytest.mark.parametrize("micro_batch", [3, 4, 12])
def test_branches_are_scored_as_they_were_drawn(micro_batch):
    learner = tiny_learner(branches=4, n_recent=2, micro_batch=micro_batch)
    assert steps.step(learner, blocks, 0, seed=0)["drift"] == 0.0


@pytest.mark.parametrize(
    "settings",
    [
        {"guidance": 3.0, "guided_gradient": True, "micro_batch": 1},
        {"noise_outside": False},
        {"trained": "lora"},
        {"trained": "adaln"},
        {"trained": "head"},
        {"eta": 0.3},
        {"log_ratio": "mean", "clip_range": 1e-4, "objective": "ppo"},
        {"advantage": "value"},
    ],
    ids=str,
)
def test_every_setting_scores_what_it_drew(settings):
    assert steps.reinforce(tiny_learner(**settings), blocks, 0, seed=0)["drift"] == 0.0


def test_steps_that_share_a_pass_round_a_little_otherwise():
    learner = tiny_learner(window="all", micro_batch=48)  # 12 draws, four steps in one pass
    assert steps.reinforce(learner, blocks, 0, seed=0)["drift"] < LARGEST_ROUNDING


# the check at the first update


def begun(**settings):
    """A learner, and the batch of its first rollout."""
    learner = tiny_learner(window="all", **settings)
    chain = learner.config.chain
    label = steps.labels_of(learner, 0, seed=0).repeat_interleave(4)
    rollout = roll_out(
        learner.policy,
        chain,
        label,
        [torch_generator(0, "test/start", draw) for draw in range(len(label))],
        trained=(0, 1, 2, 3),
    )
    reward = torch.linspace(-1, 1, len(label))
    return learner, steps.batch_of(learner, rollout, reward)


def test_a_policy_that_changed_since_it_drew_is_found_out():
    learner, batch = begun()
    with torch.no_grad():
        for weight in learner.policy.trained().values():
            weight.mul_(1.01)
    before = learner.policy.copy_of_trained()
    with pytest.raises(ReinforgeError, match="density of a drawn step changed by"):
        steps.update_policy(learner, batch, 0)
    after = learner.policy.trained()
    assert all(torch.equal(before[name], after[name]) for name in before)  # no step was taken


def test_a_part_of_the_network_that_drops_at_random_is_found_out():
    learner, batch = begun()
    block = learner.policy.transformer.transformer_blocks[0]
    block.ff.net[1].p = 0.5
    block.ff.net[1].train()
    assert not learner.policy.transformer.training  # the whole says it is in eval mode
    with pytest.raises(ReinforgeError, match="dropout"):
        steps.update_policy(learner, batch, 0)


def test_a_density_that_is_no_number_is_found_out():
    learner, batch = begun()
    batch.action[0, 0, 0, 0] = float("nan")
    with pytest.raises(ReinforgeError, match="changed by nan nats"):
        steps.update_policy(learner, batch, 0)


def test_later_updates_may_differ_from_what_drew():
    learner, batch = begun(n_epochs=2)
    log = steps.update_policy(learner, batch, 0)  # the second pass meets changed weights
    assert log["drift"] > 0


def test_a_network_in_train_mode_is_refused_when_it_draws_and_when_it_scores():
    learner, batch = begun()
    learner.policy.transformer.train()
    with pytest.raises(ReinforgeError, match=r"train mode.*transformer\.eval"):
        steps.reinforce(learner, blocks, 0, seed=0)
    with pytest.raises(ReinforgeError, match="train mode"):
        steps.update_policy(learner, batch, 0)


def test_a_reward_that_is_no_number_is_refused_by_name_and_nothing_is_learnt():
    learner = tiny_learner()
    before = learner.policy.copy_of_trained()

    def spoilt(pixels):
        feature = blocks(pixels)
        feature[3] = float("nan")
        return feature

    with pytest.raises(ReinforgeError, match="reward 'semantic': 1 of 12 values are not finite"):
        steps.reinforce(learner, spoilt, 0, seed=0)
    after = learner.policy.trained()
    assert all(torch.equal(before[name], after[name]) for name in before)
