"""Where a policy's weights change: epochs and minibatches over one rollout."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.optim import Optimizer


def minibatches(
    n_draws: int, *, minibatch_draws: int | None, n_epochs: int, generator: torch.Generator
) -> Iterator[Tensor | slice]:
    """Index sets that cover a rollout `n_epochs` times.

    Args:
        n_draws: Draws in the rollout.
        minibatch_draws: Draws an update; None takes the whole rollout at once, unshuffled.
        n_epochs: Passes over the rollout.
        generator: Shuffles each pass.

    Yields:
        A slice (whole rollout) or an integer tensor of positions; the last one of a pass may be
        short.
    """
    for _ in range(n_epochs):
        if minibatch_draws is None or minibatch_draws >= n_draws:
            yield slice(None)
        else:
            order = torch.randperm(n_draws, generator=generator)
            yield from order.split(minibatch_draws)


def ascend(
    optimizer: Optimizer,
    objective: Callable[[], Tensor],
    *,
    max_grad_norm: float | None = None,
) -> tuple[float, bool]:
    """One step uphill, refused where a gradient is not finite.

    Args:
        optimizer: Holds the weights.
        objective: Computes the scalar to be raised, with gradient.
        max_grad_norm: Gradients are scaled down to this norm; None leaves them.

    Returns:
        The objective's value before the step, and whether the step was taken.
    """
    optimizer.zero_grad(set_to_none=True)
    value = objective()
    (-value).backward()
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    norm = torch.nn.utils.clip_grad_norm_(
        parameters, max_grad_norm if max_grad_norm is not None else float("inf")
    )
    finite = bool(torch.isfinite(norm)) and bool(torch.isfinite(value))
    if finite:
        optimizer.step()
    return float(value.detach()), finite
