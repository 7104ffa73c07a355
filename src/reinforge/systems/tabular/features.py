"""Rows as tensors: what was drawn, and the numbers that a network sees of it."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from reinforge.systems.tabular.heads import Layout


class Draw(NamedTuple):
    """What was drawn for each row."""

    amount: Float[Tensor, "draw gaussian"]  # before any tanh
    level: Int[Tensor, "draw column"]  # positions on the joint level axis


class Features(nn.Module):
    """Rows as numbers for a network: amounts, one flag a level, and the place of ordered levels."""

    level_score: Tensor
    score_column: Tensor
    present_level: Tensor
    head_of_feature: Tensor

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.is_squashed = layout.is_squashed
        self.n_levels = int(layout.level_start[-1])
        self.n_columns = len(layout.discrete)
        score = torch.from_numpy(layout.level_score())
        sizes = torch.from_numpy(layout.level_start).diff()
        column = torch.arange(self.n_columns).repeat_interleave(sizes)
        ordered = torch.zeros(self.n_columns).index_add(0, column, score.abs()) > 0
        matrix = torch.zeros(self.n_levels, self.n_columns)
        matrix[torch.arange(self.n_levels), column] = score
        self.register_buffer("level_score", matrix[:, ordered], persistent=False)
        self.register_buffer(
            "present_level", torch.from_numpy(layout.amount_is_there()), persistent=False
        )
        n_gaussian = len(layout.gaussian)
        heads = torch.arange(n_gaussian + self.n_columns)
        discrete = heads[n_gaussian:]
        self.register_buffer(
            "head_of_feature",
            torch.cat([heads[:n_gaussian], discrete[column], discrete[ordered]]),
            persistent=False,
        )
        self.width = len(self.head_of_feature)

    def one_hot(self, level: Int[Tensor, "draw column"]) -> Float[Tensor, "draw level"]:
        """One flag a joint level."""
        return torch.zeros(level.shape[0], self.n_levels).scatter_(1, level, 1.0)

    def forward(
        self, amount: Float[Tensor, "draw gaussian"], one_hot: Float[Tensor, "draw level"]
    ) -> Float[Tensor, "draw feature"]:
        """Features of rows; the amount of a missing value is 0."""
        shown = (torch.tanh(amount) + 1) / 2 if self.is_squashed else amount
        may_miss = self.present_level >= 0
        if bool(may_miss.any()):
            present = one_hot[:, self.present_level.clamp_min(0)]
            shown = torch.where(may_miss, shown * present, shown)
        return torch.cat([shown, one_hot, one_hot @ self.level_score], dim=1)

    def partly_hidden(
        self,
        features: Float[Tensor, "draw feature"],
        share: float,
        generator: torch.Generator,
        *,
        always_shown: tuple[int, ...] = (),
        never_shown: tuple[int, ...] = (),
    ) -> Float[Tensor, "draw feature"]:
        """The features of each row with a share of its heads' set to 0, chosen by chance.

        Args:
            features: Features of rows.
            share: Of the heads hidden in each row.
            generator: Chooses them.
            always_shown: Heads that are never hidden, as numbers of `head_of_feature`.
            never_shown: Heads that are hidden in every row.
        """
        if share == 0 and not never_shown:
            return features
        n_heads = int(self.head_of_feature.max()) + 1
        is_shown = torch.rand((len(features), n_heads), generator=generator) >= share
        is_shown[:, list(always_shown)] = True
        is_shown[:, list(never_shown)] = False
        return features * is_shown[:, self.head_of_feature]

    def of_draw(self, draw: Draw) -> Float[Tensor, "draw feature"]:
        """Features of drawn (or encoded real) rows."""
        return self(draw.amount, self.one_hot(draw.level))
