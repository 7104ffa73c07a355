"""The policy: noise in, one distribution a column out (RLSyn, arXiv:2512.21395, sec. 3)."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from reinforge.policy_gradient import divergence, log_prob
from reinforge.systems.tabular.amounts import Deviations
from reinforge.systems.tabular.features import Draw
from reinforge.systems.tabular.heads import Layout
from reinforge.systems.tabular.last import LastHead
from reinforge.systems.tabular.layers import Linear, initialise

LARGEST_LOGIT = 20.0  # keeps exp() finite without a running maximum; e^-20 is never drawn


class Distribution(NamedTuple):
    """What the policy says of each row before anything is drawn."""

    mean: Float[Tensor, "draw gaussian"]
    log_std: Float[Tensor, "draw gaussian"]
    log_share: Float[Tensor, "draw level"]  # of each level in its own column, all end to end
    value: Float[Tensor, " draw"]


class Policy(nn.Module):
    """Trunk of ReLU layers on a latent, with a mean, a logit and a value head.

    Args:
        layout: The heads.
        noise_dim: Length of the latent z ~ N(0, I).
        hidden: Width of the trunk.
        n_layers: Hidden layers of the trunk.
        deviation: Whether log sigma is a free vector, a function of z, or fixed.
        initial_log_std: Where log sigma starts.
        is_correlated: Whether amounts deviate from their means together.
        generator: Draws the initial weights.
    """

    column_of_level: Tensor
    level_start: Tensor
    logit_position: Tensor

    def __init__(
        self,
        layout: Layout,
        *,
        noise_dim: int,
        hidden: int,
        n_layers: int,
        deviation: Literal["shared", "state", "fixed"],
        initial_log_std: float,
        is_correlated: bool,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.noise_dim = noise_dim
        self.is_squashed = layout.is_squashed
        self.n_columns = len(layout.discrete)
        n_gaussian = len(layout.gaussian)
        sizes = np.diff(layout.level_start)
        self.register_buffer("level_start", torch.from_numpy(layout.level_start), persistent=False)
        self.register_buffer(
            "column_of_level",
            torch.from_numpy(np.repeat(np.arange(self.n_columns), sizes)),
            persistent=False,
        )
        position, n_logits = _logit_position(layout)
        self.register_buffer("logit_position", torch.from_numpy(position), persistent=False)
        widths = [noise_dim, *[hidden] * n_layers]
        self.trunk = nn.Sequential(
            *(layer for a, b in pairwise(widths) for layer in (Linear(a, b), nn.ReLU()))
        )
        self.mean = Linear(hidden, n_gaussian)
        self.logits = Linear(hidden, n_logits)
        self.value = Linear(hidden, 1)
        self.log_std: nn.Linear | nn.Parameter
        if deviation == "state":
            self.log_std = Linear(hidden, n_gaussian)
        else:
            self.log_std = nn.Parameter(
                torch.full((n_gaussian,), float(initial_log_std)),
                requires_grad=deviation == "shared",
            )
        self.deviations = Deviations(n_gaussian) if is_correlated and n_gaussian > 1 else None
        self.last = None if layout.drawn_last is None else LastHead(layout, hidden=hidden)
        initialise(self, generator)
        if self.last is not None:
            self.last.start()
        if isinstance(self.log_std, nn.Linear):
            nn.init.constant_(self.log_std.bias, initial_log_std)

    def direct_weights(self) -> Iterator[nn.Parameter]:
        """Weights that tie a column to others directly, and not through the latent."""
        if self.deviations is not None:
            yield from self.deviations.parameters()
        if self.last is not None:
            yield from self.last.move.parameters()

    def forward(self, noise: Float[Tensor, "draw noise"]) -> Distribution:
        """The distributions of all columns, given latents (of the one drawn last: see `given`)."""
        state = self.trunk(noise)
        mean = self.mean(state)
        log_std = self.log_std(state) if isinstance(self.log_std, nn.Linear) else self.log_std
        return Distribution(
            mean=mean,
            log_std=log_std.clamp(-7.0, 2.0).expand_as(mean),
            log_share=self._log_share(state),
            value=self.value(state).squeeze(1),
        )

    def _log_share(self, state: Tensor) -> Tensor:
        logits = self.logits(state).clamp(-LARGEST_LOGIT, LARGEST_LOGIT)
        if self.is_squashed:  # a flag has one logit; its "off" level stands at 0
            logits = nn.functional.pad(logits, (1, 0)).index_select(1, self.logit_position)
        if self.last is not None:
            logits = self.last.into(logits, state).clamp(-LARGEST_LOGIT, LARGEST_LOGIT)
        return log_prob.log_share(logits, self.column_of_level, self.n_columns)

    def given(
        self, distribution: Distribution, features: Float[Tensor, "draw feature"]
    ) -> Distribution:
        """The same with the shares of the column drawn last, now that the others are known."""
        if self.last is None:
            return distribution
        return distribution._replace(log_share=self.last.shares(distribution.log_share, features))

    def draw(self, distribution: Distribution, generator: torch.Generator) -> Draw:
        """Draw one row from each distribution."""
        return self.draw_last(distribution, self.draw_apart(distribution, generator), generator)

    def draw_last(self, distribution: Distribution, draw: Draw, generator: torch.Generator) -> Draw:
        """Draw the last column given the others; rows as they are where no column is drawn last.

        Args:
            distribution: Given latents.
            draw: The other columns; what stands for the last one is not looked at.
            generator: Draws.
        """
        if self.last is None:
            return draw
        shares = self.given(distribution, self.last.features.of_draw(draw)).log_share
        return self.last.draw(shares, draw, generator)

    def draw_apart(self, distribution: Distribution, generator: torch.Generator) -> Draw:
        """Draw every column by itself, the last one as if the others were not known.

        Levels are drawn for all columns at once: along the running sum of all levels' weights each
        column owns a stretch, and one search finds the level at a uniform place in every stretch.
        """
        mean, log_std, log_share, _ = distribution
        amount = mean + log_std.exp() * self.deviates(mean.shape, generator)
        place = torch.rand((len(mean), self.n_columns), generator=generator, dtype=torch.float64)
        running = log_share.exp().double().cumsum(1)
        ends = nn.functional.pad(running.index_select(1, self.level_start[1:] - 1), (1, 0))
        level = torch.searchsorted(running, ends[:, :-1] + place * ends.diff(dim=1))
        level = torch.minimum(torch.maximum(level, self.level_start[:-1]), self.level_start[1:] - 1)
        return Draw(amount=amount, level=level)

    def deviates(self, shape: torch.Size, generator: torch.Generator) -> Tensor:
        """Draw what amounts deviate from their means, in standard deviations."""
        if self.deviations is None:
            return torch.randn(shape, generator=generator)
        return self.deviations.draw(shape[0], generator)

    def log_prob(self, distribution: Distribution, draw: Draw) -> Float[Tensor, " draw"]:
        """Joint log-probability of each drawn row, summed over its columns.

        Args:
            distribution: Of the rows, where a column is drawn last `given` their features.
            draw: The rows.
        """
        mean, log_std, log_share, _ = distribution
        if self.deviations is not None:  # each amount's own normal is the one given those before
            deviates = (draw.amount - mean) * torch.exp(-log_std)
            mean = mean + log_std.exp() * self.deviations.centre(deviates)
        amount = log_prob.gaussian(draw.amount, mean, log_std)
        if self.is_squashed:
            amount = amount - log_prob.tanh_correction(draw.amount)
        return amount.sum(1) + log_share.gather(1, draw.level).sum(1)

    def entropy(self, distribution: Distribution) -> Float[Tensor, " draw"]:
        """Entropy of each row's distribution in closed form (of the amounts before any tanh).

        For a column drawn last it is that given the other columns, so `given` comes first here too.
        """
        levels = divergence.categorical_entropy(distribution.log_share)
        return divergence.gaussian_entropy(distribution.log_std).sum(1) + levels


def _logit_position(layout: Layout) -> tuple[np.ndarray, int]:
    """Where each joint level finds its logit: 0 is a constant zero, the others are learnt."""
    positions: list[int] = []
    n_logits = 0
    for head in layout.discrete:
        free = 1 if layout.is_squashed and head.n_levels == 2 else head.n_levels
        positions += [0] * (head.n_levels - free)
        positions += range(n_logits + 1, n_logits + 1 + free)
        n_logits += free
    return np.array(positions, dtype=np.int64), n_logits
