"""Low-rank adapters (LoRA, arXiv:2106.09685) on a transformer: switch them off for the reference.

With the base frozen, the network without its adapter is the policy before reinforcement, so that
the reference of a KL penalty costs no second copy of the weights.
"""

import contextlib
import math
from collections.abc import Iterator, Sequence

import torch
from diffusers import DiTTransformer2DModel
from torch import nn

from reinforge.errors import InputError
from reinforge.randomness import torch_generator

ATTENTION = ("to_q", "to_k", "to_v", "to_out.0")
MODULATION = ("norm1.linear",)  # adaLN: how time and class steer a block


def lora(
    transformer: DiTTransformer2DModel,
    *,
    rank: int,
    targets: Sequence[str] = ATTENTION,
    alpha: float | None = None,
    seed: int,
) -> DiTTransformer2DModel:
    """Add an adapter in place: W x becomes W x + (alpha / rank) B A x, with B = 0 to start with.

    What was trainable before stays so, and what was frozen too; A and B are trainable.

    Args:
        transformer: Without an adapter.
        rank: Of B A.
        targets: Endings of the names of the linear layers to adapt.
        alpha: Strength; None means rank, a factor of 1.
        seed: Of A.

    Raises:
        InputError: A rank below 1, targets that name no layer, or an adapter that is there already.
    """
    from peft import LoraConfig, inject_adapter_in_model

    _refuse_adapter(transformer, rank, targets)
    trainable = {id(p): p.requires_grad for p in transformer.parameters()}
    config = LoraConfig(r=rank, lora_alpha=alpha or rank, target_modules=list(targets))  # type: ignore[arg-type]
    with torch.random.fork_rng(devices=[]):  # A is drawn once more, below
        inject_adapter_in_model(config, transformer)
    generator = torch_generator(seed, "identity/lora")
    for name, parameter in transformer.named_parameters():
        parameter.requires_grad_(trainable.get(id(parameter), True))
        if "lora_A" in name:
            first = torch.empty(parameter.shape)
            nn.init.kaiming_uniform_(first, a=math.sqrt(5), generator=generator)
            parameter.data.copy_(first)
    transformer.train(transformer.training)
    return transformer


def _refuse_adapter(transformer: nn.Module, rank: int, targets: Sequence[str]) -> None:
    names = [name for name, part in transformer.named_modules() if isinstance(part, nn.Linear)]
    if rank < 1:
        raise InputError(f"lora: rank must be at least 1, got {rank}.")
    if any("lora_A" in name for name in names):
        raise InputError("lora: the transformer has an adapter already; start from one without.")
    for target in targets:
        if not any(f".{name}".endswith(f".{target}") for name in names):
            raise InputError(
                f"lora: no linear layer's name ends in {target!r}; usual targets are "
                f"{', '.join((*ATTENTION, *MODULATION))}."
            )


@contextlib.contextmanager
def adapter_off(transformer: nn.Module) -> Iterator[None]:
    """Run the transformer without its adapter, as if it had never been added."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    layers = [part for part in transformer.modules() if isinstance(part, BaseTunerLayer)]
    trainable = [(p, p.requires_grad) for layer in layers for p in layer.parameters()]
    for layer in layers:
        layer.enable_adapters(False)
    try:
        yield
    finally:
        for layer in layers:
            layer.enable_adapters(True)
        for parameter, flag in trainable:  # switching touches the flags too
            parameter.requires_grad_(flag)
