"""Nets and optimizers as named tensors that a checkpoint can hold, and the way back."""

from collections.abc import Mapping

import torch
from torch import Tensor


def named_tensors(
    modules: Mapping[str, torch.nn.Module], optimizers: Mapping[str, torch.optim.Optimizer]
) -> dict[str, Tensor]:
    """All weights, buffers and optimizer slots, under the name of their owner."""
    state: dict[str, Tensor] = {}
    for name, module in modules.items():
        for key, value in module.state_dict().items():
            state[f"{name}.{key}"] = value
    for name, optimizer in optimizers.items():
        for index, slots in optimizer.state_dict()["state"].items():
            for key, value in slots.items():
                if value is not None:
                    state[f"{name}.{index}.{key}"] = torch.as_tensor(value)
    return state


def load_named_tensors(
    state: Mapping[str, Tensor],
    modules: Mapping[str, torch.nn.Module],
    optimizers: Mapping[str, torch.optim.Optimizer],
) -> None:
    """Put saved state back (the inverse of `named_tensors`).

    Raises:
        RuntimeError: A name or a shape does not fit, as torch says it.
    """
    for name, module in modules.items():
        own = {k.removeprefix(f"{name}."): v for k, v in state.items() if k.startswith(f"{name}.")}
        module.load_state_dict(own)
    for name, optimizer in optimizers.items():
        slots: dict[int, dict[str, Tensor]] = {}
        for key, value in state.items():
            if key.startswith(f"{name}."):
                _, index, slot = key.split(".")
                slots.setdefault(int(index), {})[slot] = value.clone()
        groups = optimizer.state_dict()["param_groups"]
        optimizer.load_state_dict({"state": slots, "param_groups": groups})
