"""One step: cold start first, then reinforcement (arXiv:2604.07884; DPOK, arXiv:2305.16381).

draw pictures of some identities, keep a window of the chain      chain.py, window.py
let the critic tell them from real ones                           realism.py
score them by the frozen recogniser and the critic                reward.py
advantage of each draw                                            advantages
raise the density of the actions that did well, near the cold start      update_policy
let the value net learn what was to be expected                   update_value
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from reinforge.errors import ReinforgeError
from reinforge.generators.codec import quantised
from reinforge.generators.diffusion import kl_between
from reinforge.policy_gradient.advantage import group_relative
from reinforge.policy_gradient.objective import clamped_surrogate, clipped_surrogate
from reinforge.policy_gradient.update import take_step
from reinforge.processes import Processes, take_common_step
from reinforge.randomness import torch_generator
from reinforge.recognition.augment import augment
from reinforge.recognition.config import resolve_recogniser
from reinforge.systems.identity.chain import Rollout, policy_step, roll_out, stacked_slices
from reinforge.systems.identity.cold_start import start_cold
from reinforge.systems.identity.learner import Learner
from reinforge.systems.identity.pathwise import slope_of_reward
from reinforge.systems.identity.reward import (
    PARTS,
    Yardstick,
    added_diversity,
    combined,
    coverage,
    diversity_score,
    expression_diversity,
    nearness,
    semantic_consistency,
    yardstick,
)
from reinforge.systems.identity.window import trained_steps

Embed = Callable[[Tensor], Tensor]  # pictures in 0..255 -> L2-normalised features
Viewed = Callable[[Tensor, Tensor, Tensor], Tensor]  # pictures, identities, numbers -> rewards

VIEWS = resolve_recogniser("small")  # its strengths of augmentation
FIRST_DRAWS = 8  # of each identity, which a critic learns from where nothing else wants them
LARGEST_DRIFT = {False: 1e-3, True: 0.5}  # nats between drawing and scoring, float32 and bfloat16


@dataclass(frozen=True, kw_only=True)
class Batch:
    """The trained actions of a rollout end to end, each with its advantage."""

    n_draws: int  # pictures; each has as many actions as steps were trained
    state: Float[Tensor, "action channel height width"]
    action: Float[Tensor, "action channel height width"]
    number: Int[Tensor, " action"]  # in the whole batch, of all processes
    label: Int[Tensor, " action"]
    position: Int[Tensor, " action"]
    log_prob: Float[Tensor, " action"]
    advantage: Float[Tensor, " action"]


def step(learner: Learner, embed: Embed, index: int, *, seed: int) -> dict[str, float]:
    """Run one step by its number.

    Returns:
        What the history keeps.
    """
    n_cold = learner.config.cold_start_steps
    if index < n_cold:
        log = start_cold(learner, index, seed=seed)
        if index + 1 == n_cold:
            end_cold_start(learner)
        return log
    if index == n_cold:
        begin_reinforcement(learner, embed, seed=seed)
    return reinforce(learner, embed, index - n_cold, seed=seed)


def end_cold_start(learner: Learner) -> None:
    """What was learned becomes the reference and the mean, also of a run that ends here."""
    trained = learner.policy.trained()
    with torch.no_grad():
        for weights in (learner.reference, learner.averaged):
            for name, value in weights.items():
                value.copy_(trained[name])
    learner.cold_start_optimizer.state.clear()


def begin_reinforcement(learner: Learner, embed: Embed, *, seed: int) -> None:
    """The first recent draws: what the cold start draws; and what a critic first learns from."""
    config, policy = learner.config, learner.policy
    n_each = config.n_recent or (FIRST_DRAWS if learner.realism else 0)
    if n_each:
        label = torch.arange(policy.n_identities).repeat_interleave(n_each)
        own = learner.processes.share(len(label), together=n_each)
        shared = _generators(seed, "identity/first draws", 0, len(label))[own]
        rollout = roll_out(
            policy,
            config.chain,
            label[own].to(policy.device),
            shared,
            micro_batch=config.micro_batch,
        )
        pictures = pictures_of(learner, rollout)
        feature = learner.processes.gather(features_of(embed, pictures))
        of_each = feature.view(policy.n_identities, n_each, -1)
        if config.n_recent:
            learner.recent.copy_(of_each)
        if len(learner.strangers) and config.stranger_spread == "cold_start":
            learner.variety.copy_(of_each[learner.strangers].var(dim=1).sum(1).mean())
            learner.adopt_variety()
        tell_apart(learner, pictures, 0, n_updates=config.critic_first_steps, seed=seed)


def reinforce(learner: Learner, embed: Embed, index: int, *, seed: int) -> dict[str, float]:
    """Draw, score, update the policy and the value net.

    Each of several processes draws whole identities and passes its own draws through the networks;
    rewards are those of the whole batch, and gradients are summed.
    """
    config, processes = learner.config, learner.processes
    n_starts = config.draws_per_identity // config.branches
    start = labels_of(learner, index, seed=seed).repeat_interleave(n_starts)
    own = processes.share(len(start), together=n_starts)
    branches = slice(own.start * config.branches, own.stop * config.branches)
    trained = trained_steps(
        config.window, config.n_denoising, config.window_steps, index, config.n_steps, seed=seed
    )
    rollout = roll_out(
        learner.policy,
        config.chain,
        start[own].to(learner.policy.device),
        _generators(seed, "identity/start", index, len(start))[own],
        _generators(seed, "identity/branch", index, len(start) * config.branches)[branches],
        trained=trained,
        noise_outside=config.noise_outside,
        micro_batch=config.micro_batch,
        guided_gradient=config.guided_gradient,
    )
    pictures = pictures_of(learner, rollout)
    feature, label = (processes.gather(of) for of in (features_of(embed, pictures), rollout.label))
    log = tell_apart(learner, pictures, index + 1, n_updates=config.critic_steps, seed=seed)
    realism = realism_of(learner, pictures.float())
    realism = None if realism is None else processes.gather(realism)
    reward, measured, parts = score(learner, feature, label, realism)
    remember(learner, feature, label)
    batch = batch_of(learner, rollout, reward)
    first_view = index * len(reward) * config.n_denoising
    judged = judged_by(learner, embed, measured, seed=seed, first_view=first_view)
    log |= update_policy(learner, batch, index, judged)
    log |= update_value(learner, rollout, reward)
    move_average(learner, index)
    return {"reward": float(reward.mean()), **parts, **log}


def _generators(seed: int, stream: str, index: int, n: int) -> list[torch.Generator]:
    """One generator a draw, whoever draws it and however many draw at once."""
    return [torch_generator(seed, stream, index * n + draw) for draw in range(n)]


def labels_of(learner: Learner, index: int, *, seed: int) -> Int[Tensor, " identity"]:
    """Identities of an iteration: all come by in turn, in an order drawn anew each round.

    Where a batch holds the end of a round and the start of the next, the next begins with others,
    so that no identity is twice in a batch and none ever loses a turn.
    """
    n = learner.policy.n_identities
    n_chosen = min(learner.config.identities_per_batch, n)
    n_rounds = n_chosen // math.gcd(n, n_chosen)  # after so many, a round ends with a batch
    first, last = index * n_chosen, (index + 1) * n_chosen - 1
    base = first // n // n_rounds * n_rounds
    walk: list[int] = []
    for turn in range(base, last // n + 1):
        generator = torch_generator(seed, "identity/order", turn)
        order = torch.randperm(n, generator=generator).tolist()
        begun = set(walk[len(walk) - len(walk) % n_chosen :])  # of the batch that is not full yet
        head = [one for one in order if one not in begun][: n_chosen - len(begun)]
        taken = set(head)
        walk += head + [one for one in order if one not in taken]
    return torch.tensor(walk[first - base * n :][:n_chosen])


@torch.no_grad()
def pictures_of(learner: Learner, rollout: Rollout) -> UInt8[Tensor, "draw channel height width"]:
    """Finished draws as a file would keep them: whole levels of 0 to 255."""
    return quantised(learner.policy.codec.decode(rollout.clean))


@torch.no_grad()
def features_of(
    embed: Embed, pictures: UInt8[Tensor, "draw channel height width"]
) -> Float[Tensor, "draw feature"]:
    """What the recogniser sees in them."""
    return embed(pictures.float())


def tell_apart(
    learner: Learner,
    pictures: UInt8[Tensor, "draw channel height width"],
    round_: int,
    *,
    n_updates: int,
    seed: int,
) -> dict[str, float]:
    """Let the critic, where there is one, see what all processes drew, and learn from it."""
    realism, processes = learner.realism, learner.processes
    if realism is None:
        return {}

    @torch.no_grad()
    def real(chosen: Int[Tensor, " real"]) -> Float[Tensor, "real channel height width"]:
        """Through the codec, as drawn ones come: what it cannot show sets nobody apart."""
        state = learner.real_state[chosen].to(learner.policy.device)
        return learner.policy.codec.decode(state).clamp(0, 255)

    realism.see(processes.gather(pictures))
    loss = realism.learn(
        real,
        len(learner.real_state),
        n_updates=n_updates,
        views=VIEWS,
        generator=torch_generator(seed, "identity/critic", round_),
    )
    processes.copy_first(realism.critic.state_dict().values())  # sums may round differently
    return {"critic_loss": loss}


def realism_of(
    learner: Learner, pixels: Float[Tensor, "draw channel height width"]
) -> Float[Tensor, " draw"] | None:
    """What the critic says of pictures in 0..255; None where there is no critic."""
    return None if learner.realism is None else learner.realism.critic.realism(pixels)


def parts_of_reward(
    learner: Learner,
    feature: Float[Tensor, "draw feature"],
    label: Int[Tensor, " draw"],
    realism: Float[Tensor, " draw"] | None = None,
) -> dict[str, Float[Tensor, " draw"]]:
    """Each part of the reward of each draw; realism comes as it is."""
    config, bank = learner.config, learner.bank
    recent = learner.recent if config.n_recent else None
    if recent is None:
        diversity = expression_diversity(
            feature, label, bank, expansion=config.expansion, credit=config.diversity_credit
        )
    else:
        diversity = added_diversity(feature, label, bank, recent, expansion=config.expansion)
    parts = {
        "semantic": semantic_consistency(feature, label, bank),
        "coverage": coverage(feature, label, bank, alpha=config.repulsion, recent=recent),
        "diversity": diversity,
        "privacy": nearness(feature, label, bank),
    }
    return parts if realism is None else {**parts, "realism": realism}


@torch.no_grad()
def score(
    learner: Learner,
    feature: Float[Tensor, "draw feature"],
    label: Int[Tensor, " draw"],
    realism: Float[Tensor, " draw"] | None = None,
) -> tuple[Float[Tensor, " draw"], Yardstick, dict[str, float]]:
    """The reward of each finished picture, its units, and the mean of each of its parts."""
    config, bank = learner.config, learner.bank
    parts = parts_of_reward(learner, feature, label, realism)
    measured = yardstick(parts)
    if config.reward_units == "cold_start":
        measured = in_first_units(learner, measured)
    told = {name: float(part.mean()) for name, part in parts.items()}
    if config.n_recent:
        spread = learner.recent[label].var(dim=1).sum(1)
        told["diversity"] = float(
            diversity_score(spread, bank.spread[label], config.expansion).mean()
        )
    reward = torch.tanh(combined(parts, config.reward_weights, measured))
    return reward, measured, told


def in_first_units(learner: Learner, measured: Yardstick) -> Yardstick:
    """The means of a batch, with the deviations of the first round of the identities.

    A batch's own deviation shrinks as draws come near to what is wanted, so that a part which is
    nearly perfect would be magnified until its noise outweighs the others. In the units that the
    cold start had, a slope fades as its goal nears. They are the root mean square over the first
    batches, as many as show every identity once.
    """
    shown = min(learner.config.identities_per_batch, learner.policy.n_identities)
    told = [name for name in PARTS if name in measured]
    if learner.n_measured * shown < learner.policy.n_identities:
        deviation = torch.stack([measured[name][1] for name in told])
        learner.squared_deviation[: len(told)] += deviation.to(learner.squared_deviation) ** 2
        learner.n_measured += 1
    unit = (learner.squared_deviation / learner.n_measured).sqrt()
    return {name: (measured[name][0], unit[at]) for at, name in enumerate(told)}


def remember(
    learner: Learner, feature: Float[Tensor, "draw feature"], label: Int[Tensor, " draw"]
) -> None:
    """Put one branch of every start into its identity's recent draws, in place of the oldest."""
    config = learner.config
    if not config.n_recent:
        return
    for draw in range(0, len(label), config.branches):
        identity = label[draw]
        learner.recent[identity, learner.n_drawn[identity] % config.n_recent] = feature[draw]
        learner.n_drawn[identity] += 1


def batch_of(learner: Learner, rollout: Rollout, reward: Float[Tensor, " draw"]) -> Batch:
    """This process's actions of all trained steps end to end; the reward is of all its fellows'."""
    n_steps, n_draws = len(rollout.position), len(rollout.label)
    position = torch.tensor(rollout.position, device=reward.device)
    draw = torch.arange(len(reward))[own_draws(learner, len(reward))]
    number = torch.arange(n_steps)[:, None] * len(reward) + draw
    return Batch(
        n_draws=n_draws,
        state=rollout.state.flatten(0, 1),
        action=rollout.action.flatten(0, 1),
        number=number.flatten(),
        label=rollout.label.repeat(n_steps),
        position=position.repeat_interleave(n_draws),
        log_prob=rollout.log_prob.flatten(),
        advantage=advantages(learner, rollout, reward).flatten(),
    )


@torch.no_grad()
def advantages(
    learner: Learner, rollout: Rollout, reward: Float[Tensor, " draw"]
) -> Float[Tensor, "step draw"]:
    """How much better each own draw did than expected, for each of its trained steps."""
    config, own = learner.config, own_draws(learner, len(reward))
    if config.advantage == "value":
        expected = [
            learner.value(state, rollout.label, position)
            for position, state in zip(rollout.position, rollout.state, strict=True)
        ]
        return reward[own] - torch.stack(expected)
    if config.advantage == "group":
        n_alike = config.branches if config.branches > 1 else config.draws_per_identity
        groups = reward.view(-1, n_alike)
        advantage = group_relative(groups).flatten()
    else:
        advantage = reward - reward.mean()
    return advantage[own].expand(len(rollout.position), -1)


def own_draws(learner: Learner, n_draws: int) -> slice:
    """Which draws of the whole batch this process made."""
    return learner.processes.share(n_draws, together=learner.config.draws_per_identity)


def judged_by(
    learner: Learner, embed: Embed, measured: Yardstick, *, seed: int, first_view: int
) -> Viewed:
    """The reward of any pictures, in the units of a batch; gradients flow through it.

    A recogniser's slope at one picture is half of it what fools this one recogniser; at a random
    view of the picture (arXiv:1707.07397) what is left is what survives shift, turn and light.
    The tanh of the finished pictures' reward is left out: it flattens where a guess is rough.
    A view belongs to the number of an action, whoever scores it and with how many others.
    """

    def judged(pixels: Tensor, label: Tensor, number: Tensor) -> Tensor:
        if learner.config.random_views:
            keys = [first_view + n for n in number.tolist()]
            generators = [torch_generator(seed, "identity/views", key) for key in keys]
            views = zip(pixels.split(1), generators, strict=True)
            pixels = torch.cat([augment(one, VIEWS, generator=g) for one, g in views])
        parts = parts_of_reward(learner, embed(pixels), label, realism_of(learner, pixels))
        return combined(parts, learner.config.reward_weights, measured)

    return judged


def update_policy(
    learner: Learner, batch: Batch, index: int, judged: Viewed | None = None
) -> dict[str, float]:
    """Raise the surrogate minus the KL, a micro-batch at a time so that memory stays put.

    Args:
        learner: Its policy is changed.
        batch: What was drawn.
        index: The iteration.
        judged: The reward, differentiable, which the pathwise estimator asks.

    Raises:
        ReinforgeError: At the first update, a density that is scored is not the one that drew.
    """
    config, policy, processes = learner.config, learner.policy, learner.processes
    n_entries = batch.state[0].numel() if config.log_ratio == "mean" else 1
    n_actions = processes.sum(float(len(batch.state)))
    at_once = max(config.micro_batch // config.branches, 1) * config.branches  # as in the rollout
    log: dict[str, float] = {}
    for epoch in range(config.n_epochs):
        log, drifts = {"objective": 0.0, "kl": 0.0, "clipped": 0.0}, []
        learner.policy_optimizer.zero_grad(set_to_none=True)
        for part in stacked_slices(batch.n_draws, len(batch.state), at_once):
            share = len(batch.state[part]) / n_actions
            slope = _slope(learner, batch, part, judged)  # first: its graph is gone by the next
            before = _reference_mean(learner, batch, part)  # so is the room that this pass took
            now = policy_step(
                policy,
                config.chain,
                batch.state[part],
                batch.label[part],
                batch.position[part],
                action=batch.action[part],
                guided_gradient=config.guided_gradient,
            )
            log_ratio = (now.log_prob - batch.log_prob[part]) / n_entries
            gain = _gain(learner, batch, part, now.mean, log_ratio, slope)
            kl = (
                gain.new_zeros(())
                if before is None
                else kl_between(now.mean, before, now.std).mean()
            )
            value = gain - config.kl_weight * (kl / n_entries).double()
            (-value * share).backward()
            drifts.append((now.log_prob - batch.log_prob[part]).detach().abs().max())
            is_out = (log_ratio.detach().exp() - 1).abs() > config.clip_range
            log["objective"] += float(value.detach()) * share
            log["kl"] += float(kl.detach()) * share
            log["clipped"] += float(is_out.double().mean()) * share
        log["drift"] = float(torch.stack(drifts).max())  # Python's max would lose a NaN
        log = _of_all(processes, log)
        if epoch == 0 and index == 0:
            _refuse_drift(policy.precision_is_bfloat16, log["drift"])
        processes.sum_gradients(policy.trained().values())
        norm, taken = take_step(learner.policy_optimizer, max_grad_norm=config.max_grad_norm)
        log |= {"grad_norm": norm, "update_taken": float(taken)}
    return log


def _slope(
    learner: Learner, batch: Batch, part: slice, judged: Viewed | None
) -> Float[Tensor, "action channel height width"] | None:
    """The slope of the reward at each action; None where the score function is asked alone."""
    if judged is None or learner.config.estimator != "pathwise":
        return None
    return slope_of_reward(
        learner.policy,
        learner.config.chain,
        batch.action[part],
        batch.label[part],
        batch.position[part],
        lambda pixels, label: judged(pixels, label, batch.number[part]),
    )


def _gain(
    learner: Learner,
    batch: Batch,
    part: slice,
    mean: Tensor,
    log_ratio: Tensor,
    slope: Tensor | None,
) -> Float[Tensor, ""]:
    """What is raised: the surrogate of the ratios, or the reward along its slope."""
    if slope is not None:
        return (slope * mean).flatten(1).sum(1).mean().double()
    config = learner.config
    surrogate = clamped_surrogate if config.objective == "dpok" else clipped_surrogate
    advantage = batch.advantage[part].double()
    return surrogate(
        log_ratio, torch.zeros_like(log_ratio), advantage, clip_range=config.clip_range
    )


def _of_all(processes: Processes, log: dict[str, float]) -> dict[str, float]:
    """The largest drift of all processes, and the sums of their parts."""
    parts = processes.gather(torch.tensor([list(log.values())], dtype=torch.float64))
    columns = zip(log, parts.unbind(1), strict=True)
    return {name: float(c.max() if name == "drift" else c.sum()) for name, c in columns}


@torch.no_grad()
def _reference_mean(
    learner: Learner, batch: Batch, part: slice
) -> Float[Tensor, "action channel height width"] | None:
    """Where the cold start's steps would have led; None where a KL has no weight: no pass."""
    if learner.config.kl_weight == 0:
        return None
    before = policy_step(
        learner.policy,
        learner.config.chain,
        batch.state[part],
        batch.label[part],
        batch.position[part],
        action=batch.action[part],
        weights=learner.reference,
    )
    return before.mean


def _refuse_drift(bfloat16: bool, drift: float) -> None:
    if not drift <= LARGEST_DRIFT[bfloat16]:
        raise ReinforgeError(
            f"the density of a drawn step changed by {drift:.3g} nats when it was scored again by "
            "the same policy, so ratios would be wrong from the start; set precision=float32, and "
            "look for layers that act differently in training (dropout) or by batch."
        )


def update_value(
    learner: Learner, rollout: Rollout, reward: Float[Tensor, " draw"]
) -> dict[str, float]:
    """Regress the reward on the states of the chain; only where advantages ask the value net."""
    config = learner.config
    if config.advantage != "value":
        return {}
    own = own_draws(learner, len(reward))
    mine, share, whole = reward[own], len(rollout.label) / len(reward), 0.0
    for _ in range(config.value_steps):
        parts = [
            (learner.value(state, rollout.label, position) - mine).square().mean()
            for position, state in zip(rollout.position, rollout.state, strict=True)
        ]
        error = torch.stack(parts).mean() * share
        learner.value_optimizer.zero_grad(set_to_none=True)
        error.backward()
        whole, _, _ = take_common_step(
            learner.processes, learner.value_optimizer, float(error.detach())
        )
    return {"value_error": whole}


def move_average(learner: Learner, index: int) -> None:
    """Move the running mean of the trained weights; with decay 0 it is the last weights."""
    share = 1 - min(learner.config.average_decay, (1 + index) / (10 + index))
    with torch.no_grad():
        for name, weight in learner.policy.trained().items():
            learner.averaged[name].lerp_(weight, share)
