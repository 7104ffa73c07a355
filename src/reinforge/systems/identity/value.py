"""The value net: the reward to be expected from a state of the chain (DPOK, arXiv:2305.16381)."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn


class Value(nn.Module):
    """V(x_t, c, t): two layers over the state, scaled and shifted by identity and step.

    Args:
        shape: (channel, height, width) of a state.
        n_identities: How many identities there are.
        n_denoising: Steps of the chain.
        hidden: Width.
        generator: Draws the first weights.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        *,
        n_identities: int,
        n_denoising: int,
        hidden: int,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        n_entries = shape[0] * shape[1] * shape[2]
        self.first = nn.utils.skip_init(nn.Linear, n_entries, hidden)
        self.second = nn.utils.skip_init(nn.Linear, hidden, hidden)
        self.identity = nn.Embedding.from_pretrained(
            torch.zeros(n_identities, hidden), freeze=False
        )
        self.position = nn.Embedding.from_pretrained(torch.ones(n_denoising, hidden), freeze=False)
        self.out = nn.utils.skip_init(nn.Linear, hidden, 1)
        for layer in (self.first, self.second):
            nn.init.normal_(layer.weight, std=layer.in_features**-0.5, generator=generator)
            nn.init.zeros_(layer.bias)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(
        self,
        state: Float[Tensor, "draw channel height width"],
        label: Int[Tensor, " draw"],
        position: int,
    ) -> Float[Tensor, " draw"]:
        """Expected reward of each draw, in reward units."""
        place = self.position.weight[position]
        hidden = torch.relu(self.first(state.flatten(1)) * place + self.identity(label))
        hidden = torch.relu(self.second(hidden))
        return self.out(hidden)[:, 0]
