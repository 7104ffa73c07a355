"""The head that is drawn last and sees what all others drew: that of the target."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from reinforge.systems.tabular.features import Draw, Features
from reinforge.systems.tabular.heads import Layout
from reinforge.systems.tabular.layers import Linear

N_ROUNDS, LARGEST_MOVE = 50, 5.0  # of intercepts, in nats


class LastHead(nn.Module):
    """Shares of one column's levels, moved by what was drawn for the other columns.

    Given the latent alone columns are independent, so what a target owes to the others must pass
    through the latent, and a threshold blurs on the way. Here its logits are those of the latent
    plus a linear function of the other columns' features, which starts from 0.

    Args:
        layout: The heads, of which `layout.drawn_last` names this one.
        hidden: Width of the policy's trunk.
    """

    is_other: Tensor

    def __init__(self, layout: Layout, *, hidden: int) -> None:
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
        self.latent = Linear(hidden, self.end - self.first)
        self.move = Linear(self.features.width, self.end - self.first)

    def start(self) -> None:
        """Begin where the latent decides alone."""
        nn.init.zeros_(self.move.weight)
        nn.init.zeros_(self.move.bias)

    def into(
        self, logits: Float[Tensor, "draw level"], state: Float[Tensor, "draw hidden"]
    ) -> Float[Tensor, "draw level"]:
        """All columns' logits, with this column's own ones given the latent."""
        own = self.latent(state)
        return torch.cat([logits[:, : self.first], own, logits[:, self.end :]], dim=1)

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

    def set_shares(
        self,
        log_share: Float[Tensor, "draw level"],
        features: Float[Tensor, "draw feature"],
        wanted: Float[Tensor, " own"],
    ) -> None:
        """Move the intercepts until the levels come as often as they should, over many rows.

        A rare level that extreme rows alone have comes too seldom where drawn rows reach less far
        than real ones. The fixed point of b <- b + log(wanted / mean share) mends that.

        Args:
            log_share: Of rows drawn, given the latent.
            features: Of these rows.
            wanted: Share of each of this column's levels; where it is 0 nothing is moved.
        """
        logits = self.shares(log_share, features)[:, self.first : self.end].detach()
        moved: Tensor = torch.zeros(len(wanted))
        for _ in range(N_ROUNDS):
            share = (logits + moved).softmax(1).mean(0)
            step = torch.log(wanted.clamp_min(1e-12) / share)
            moved = moved + torch.where(wanted > 0, step, torch.zeros_like(step))
        with torch.no_grad():
            self.move.bias.add_(moved.clamp(-LARGEST_MOVE, LARGEST_MOVE))

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
