"""The head that is drawn last and sees what all others drew: that of the target."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from reinforge.systems.tabular.features import Draw, Features
from reinforge.systems.tabular.heads import Layout
from reinforge.systems.tabular.layers import Linear


class LastHead(nn.Module):
    """Shares of one column's levels, moved by what was drawn for the other columns.

    Given the latent alone columns are independent, so what a target owes to the others must pass
    through the latent, and a threshold blurs on the way. Here its logits are those of the latent
    plus a linear function of the other columns' features, which starts from 0.

    Args:
        layout: The heads, of which `layout.drawn_last` names this one.
    """

    is_other: Tensor

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        assert layout.drawn_last is not None
        self.column = layout.drawn_last
        start = layout.level_start
        self.first, self.end = int(start[self.column]), int(start[self.column + 1])
        self.features = Features(layout)
        own = len(layout.gaussian) + self.column
        self.register_buffer(
            "is_other", (self.features.head_of_feature != own).float(), persistent=False
        )
        self.move = Linear(self.features.width, self.end - self.first)

    def start(self) -> None:
        """Begin where the latent decides alone."""
        nn.init.zeros_(self.move.weight)
        nn.init.zeros_(self.move.bias)

    def shares(
        self,
        log_share: Float[Tensor, "draw level"],
        features: Float[Tensor, "draw feature"],
    ) -> Float[Tensor, "draw level"]:
        """All columns' shares, with the last one's given the others.

        Args:
            log_share: Of each level in its own column, given the latent.
            features: Of the rows drawn; the last column's own are not looked at.
        """
        first, end = self.first, self.end
        logits = log_share[:, first:end] + self.move(features * self.is_other)
        parts = [log_share[:, :first], logits.log_softmax(1), log_share[:, end:]]
        return torch.cat(parts, dim=1)

    def draw(
        self, log_share: Float[Tensor, "draw level"], draw: Draw, generator: torch.Generator
    ) -> Draw:
        """The rows with this column drawn anew from its part of the shares."""
        running = log_share[:, self.first : self.end].exp().double().cumsum(1)
        place = torch.rand((len(running), 1), generator=generator, dtype=torch.float64)
        level = torch.searchsorted(running, place * running[:, -1:]).squeeze(1)
        level = self.first + level.clamp_max(self.end - self.first - 1)
        return draw._replace(
            level=draw.level.index_copy(1, torch.tensor([self.column]), level[:, None])
        )
