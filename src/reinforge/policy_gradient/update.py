"""Where weights change: one step uphill, or none."""

import math

import torch
from torch import Tensor
from torch.optim import Optimizer


def ascend(
    optimizer: Optimizer,
    value: Tensor,
    *,
    max_grad_norm: float | None = None,
) -> tuple[float, bool]:
    """One step uphill, refused where a gradient is not finite.

    Args:
        optimizer: Holds the weights.
        value: The scalar to be raised, with its graph.
        max_grad_norm: Gradients are scaled down to this norm; None leaves them.

    Returns:
        The objective's value before the step, and whether the step was taken.
    """
    optimizer.zero_grad(set_to_none=True)
    (-value).backward()
    before = float(value.detach())
    _, taken = take_step(optimizer, max_grad_norm=max_grad_norm, finite=math.isfinite(before))
    return before, taken


def take_step(
    optimizer: Optimizer, *, max_grad_norm: float | None = None, finite: bool = True
) -> tuple[float, bool]:
    """Step along gradients that were gathered part by part (they point downhill).

    Args:
        optimizer: Holds the weights and their gradients.
        max_grad_norm: Gradients are scaled down to this norm; None leaves them.
        finite: Whether the objective was.

    Returns:
        The gradients' norm, and whether the step was taken.
    """
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    norm = torch.nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])
    if max_grad_norm is not None:
        torch.nn.utils.clip_grads_with_norm_(parameters, max_grad_norm, norm)
    finite = finite and math.isfinite(float(norm))
    if finite:
        optimizer.step()
    return float(norm), finite
