"""Walk the denoising chain: draw pictures, and keep the steps that will be trained."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from reinforge.generators.diffusion import CLEAN, Transition, transition
from reinforge.systems.identity.policy import Policy


@dataclass(frozen=True, kw_only=True)
class Chain:
    """How a picture is denoised."""

    n_denoising: int = 10  # steps of the chain
    eta: float = 1.0  # 1: the ancestral step's noise, 0: none
    guidance: float = 1.0  # 1: none; above: away from the picture of nobody (arXiv:2207.12598)


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """Finished pictures, and the actions that are to be trained."""

    label: Int[Tensor, " draw"]
    clean: Float[Tensor, "draw channel height width"]
    position: tuple[int, ...]  # of the trained steps in the chain
    state: Float[Tensor, "step draw channel height width"]
    action: Float[Tensor, "step draw channel height width"]  # the states that followed
    log_prob: Float[Tensor, "step draw"]  # under the policy that drew; nats, float64


def times(policy: Policy, chain: Chain) -> Int[Tensor, " step"]:
    """The times of a chain with CLEAN at the end: one more than it has steps."""
    grid = policy.schedule.grid(chain.n_denoising)
    return torch.cat([grid, torch.tensor([CLEAN])]).to(policy.device)


def policy_step(
    policy: Policy,
    chain: Chain,
    state: Float[Tensor, "draw channel height width"],
    label: Int[Tensor, " draw"],
    position: Int[Tensor, " draw"],
    *,
    eta: float | None = None,
    noise: Float[Tensor, "draw channel height width"] | None = None,
    action: Float[Tensor, "draw channel height width"] | None = None,
    guided_gradient: bool = False,
    weights: Mapping[str, Tensor] | None = None,
) -> Transition:
    """One step of the chain, drawn with `noise` or, where `action` is given, scored.

    Args:
        policy: Whose density it is.
        chain: How pictures are denoised.
        state: x_t.
        label: Identity of each draw.
        position: Place in the chain of each draw: draws of several places may share a pass.
        eta: Noise of the step, where it differs from the chain's.
        noise: Standard normal.
        action: The state that followed.
        guided_gradient: As in `Policy.predict`.
        weights: As in `Policy.predict`.
    """
    grid = times(policy, chain)
    predicted = policy.predict(
        state,
        grid[position],
        label,
        guidance=chain.guidance,
        guided_gradient=guided_gradient,
        weights=weights,
    )
    return transition(
        policy.schedule,
        state,
        predicted,
        grid[position],
        grid[position + 1],
        eta=chain.eta if eta is None else eta,
        noise=noise,
        to=action,
    )


@torch.no_grad()
def roll_out(
    policy: Policy,
    chain: Chain,
    label: Int[Tensor, " start"],
    shared: Sequence[torch.Generator],
    own: Sequence[torch.Generator] = (),
    *,
    trained: tuple[int, ...] = (),
    noise_outside: bool = True,
    micro_batch: int | None = None,
    guided_gradient: bool = False,
) -> Rollout:
    """Draw pictures: one a start, or several branches of each.

    Branches of one start share all noise but that of the trained steps, so that what sets their
    rewards apart is what they did in those steps (common random numbers); and the way up to the
    first of them is walked once. Each draw by itself follows the policy all the same.

    Args:
        policy: Draws.
        chain: How.
        label: Identity of each start.
        shared: One generator a start, on the CPU: a picture depends on nobody else's noise.
        own: Generators of the trained steps' noise, as many a start as there are branches; none:
            a single branch, whose noise is the start's.
        trained: Positions whose states, actions and log-densities are kept.
        noise_outside: False denoises without noise outside of `trained`.
        micro_batch: Draws that go through the network at once; None: all.
        guided_gradient: As the update will have it: then both make the very same passes.

    Returns:
        The draws, branches of a start side by side, on the policy's device.
    """
    own = own or shared
    branches = len(own) // len(label)
    parts = [
        _roll_out_part(
            policy,
            chain,
            label[part],
            shared[part],
            own[part.start * branches : part.stop * branches],
            trained,
            noise_outside=noise_outside,
            guided_gradient=guided_gradient,
        )
        for part in slices(len(label), micro_batch and max(micro_batch // branches, 1))
    ]
    return Rollout(
        label=torch.cat([part.label for part in parts]),
        clean=torch.cat([part.clean for part in parts]),
        position=trained,
        state=torch.cat([part.state for part in parts], dim=1),
        action=torch.cat([part.action for part in parts], dim=1),
        log_prob=torch.cat([part.log_prob for part in parts], dim=1),
    )


def _roll_out_part(
    policy: Policy,
    chain: Chain,
    label: Tensor,
    shared: Sequence[torch.Generator],
    own: Sequence[torch.Generator],
    trained: tuple[int, ...],
    *,
    noise_outside: bool,
    guided_gradient: bool,
) -> Rollout:
    state = draw_noise(policy, shared)
    branches, n_copies = len(own) // len(label), 1
    states, actions, log_probs = [], [], []
    for position in range(chain.n_denoising):
        is_trained = position in trained
        if is_trained and n_copies < branches:  # here the branches part
            n_copies = branches
            state, label = (part.repeat_interleave(n_copies, dim=0) for part in (state, label))
        noise, eta = None, 0.0
        if position < chain.n_denoising - 1 and (noise_outside or is_trained):
            eta = chain.eta
            noise = draw_noise(policy, own if is_trained else shared)
            noise = noise if is_trained else noise.repeat_interleave(n_copies, dim=0)
        place = torch.full_like(label, position)
        step = policy_step(
            policy,
            chain,
            state,
            label,
            place,
            eta=eta,
            noise=noise,
            guided_gradient=guided_gradient,
        )
        if is_trained:
            states.append(state)
            actions.append(step.to)
            log_probs.append(step.log_prob)
        state = step.to
    empty = state.new_zeros((0, *state.shape))
    return Rollout(
        label=label,
        clean=state,
        position=trained,
        state=torch.stack(states) if states else empty,
        action=torch.stack(actions) if actions else empty,
        log_prob=torch.stack(log_probs) if log_probs else empty.flatten(2).double().sum(2),
    )


def draw_noise(
    policy: Policy, generators: Sequence[torch.Generator]
) -> Float[Tensor, "draw channel height width"]:
    """Standard normal noise of a picture's shape, each draw's from its own generator."""
    noise = [torch.randn(policy.shape, generator=generator) for generator in generators]
    return torch.stack(noise).to(policy.device)


def slices(n: int, size: int | None) -> list[slice]:
    """Cut 0..n - 1 into runs of at most `size`."""
    size = size or max(n, 1)
    return [slice(first, min(first + size, n)) for first in range(0, n, size)]


def stacked_slices(n_draws: int, n_actions: int, micro_batch: int) -> list[slice]:
    """Cut the actions of several steps, end to end, as the rollout cut the draws of one.

    A matrix product may round differently for another number of rows, so that passes of the same
    size score an action bit by bit as it was drawn. Where whole steps fit in a pass, they share it.
    """
    if micro_batch >= n_draws:
        return slices(n_actions, micro_batch // n_draws * n_draws)
    return [
        slice(first + part.start, first + part.stop)
        for first in range(0, n_actions, n_draws)
        for part in slices(n_draws, micro_batch)
    ]
