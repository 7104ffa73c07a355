"""Linear layers whose first weights come from a generator of ours."""

import torch
from torch import nn


class Linear(nn.Linear):
    """A layer whose first weights `initialise` draws; torch's own use its global generator."""

    def reset_parameters(self) -> None:
        """Leave the weights as they are."""


def initialise(module: nn.Module, generator: torch.Generator) -> None:
    """Torch's own default for linear layers, U(+-1/sqrt(fan in)), from a generator of ours."""
    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            bound = layer.in_features**-0.5
            for weight in (layer.weight, layer.bias):
                nn.init.uniform_(weight, -bound, bound, generator=generator)
