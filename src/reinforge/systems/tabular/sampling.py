"""Rows from a trained policy, block by block: block b is a function of (seed, b) alone.

So the same seed gives the same rows however many are asked for at once, and a longer sample
starts with the shorter one. Every block is computed whole, because matrix products of different
heights round differently.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.special import ndtr, ndtri
from torch import Tensor

from reinforge.errors import InputError
from reinforge.randomness import generator, torch_generator
from reinforge.schema import Column
from reinforge.systems.tabular.condition import Condition, Where, grid, parse_where
from reinforge.systems.tabular.derived import on_sources
from reinforge.systems.tabular.features import Draw
from reinforge.systems.tabular.heads import Actions, Head, Layout
from reinforge.systems.tabular.policy import Distribution, Policy
from reinforge.systems.tabular.quantiles import QuantileFunction
from reinforge.systems.tabular.sums import refuse_on_sums

BLOCK_ROWS = 8192
PIECE_ROWS = 512
CONDITION_ROWS = 1024  # rows of a block under conditions: its pool of latents is many times larger
LARGEST_POOL = 128  # latents a row, at most
EFFECTIVE = 2.0  # enough latents by Kong's effective number, a row: few are then chosen twice
LEAST_CHANCE = 1e-7  # of a condition over the pool: below it nothing honest can be drawn


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Conditions in the policy's own terms."""

    level_share: Tensor  # (joint level,): the part of each level that the conditions allow, 0 to 1
    low: Tensor  # (gaussian head,): amounts allowed, -inf where unlimited
    high: Tensor
    inside: dict[int, np.ndarray]  # level head -> (level, 2): the allowed stretch inside each bin
    columns: tuple[int, ...]  # conditioned level heads

    @property
    def is_limited(self) -> Tensor:
        """Whether an amount has a limit."""
        return torch.isfinite(self.low) | torch.isfinite(self.high)


def rows(
    policy: Policy,
    layout: Layout,
    n_rows: int,
    *,
    seed: int,
    conditions: tuple[Condition, ...] = (),
    stream: str = "tabular/sample",
) -> Iterator[pd.DataFrame]:
    """Coded tables of at most one block that add up to `n_rows` rows.

    Args:
        policy: The trained policy.
        layout: Its heads.
        n_rows: Rows wanted, 0 or more.
        seed: The sample's seed.
        conditions: What every row must meet.
        stream: Samples of different streams share no random number.

    Raises:
        InputError: No row can meet the conditions together.
    """
    conditions = on_sources(conditions, layout.derived, layout.schema)
    refuse_on_sums(conditions, layout.sums, layout.schema)
    limits = _limits(layout, conditions) if conditions else None
    block_rows = BLOCK_ROWS if limits is None else CONDITION_ROWS
    for block, first in enumerate(range(0, n_rows, block_rows)):
        torch_numbers = torch_generator(seed, stream, block)
        numbers = generator(seed, stream, block)
        with torch.no_grad():
            if limits is None:
                draw = _draw_block(policy, torch_numbers)
            else:
                draw = _draw_within(policy, limits, block_rows, torch_numbers)
        actions = Actions(amount=draw.amount.numpy(), level=draw.level.numpy())
        table = layout.decode(actions, numbers, inside=limits.inside if limits else {})
        for condition in conditions:
            _hold(table, layout, condition, numbers)
        if conditions:
            layout.complete(table)
        yield table.iloc[: min(block_rows, n_rows - first)]


def balanced_rows(
    policy: Policy, layout: Layout, n: int, column: str, *, seed: int, where: Where
) -> Iterator[pd.DataFrame]:
    """Coded blocks in which the levels of a column take turns."""
    described = layout.schema[column]
    if described.is_numeric or not described.is_modelled:
        raise InputError(
            f"balance: {column!r} is {described.kind}; name a column with levels (boolean, "
            "categorical or ordinal)."
        )
    schema = layout.schema
    place = [c.name for c in schema.modelled].index(column)
    conditions = {condition.column: condition for condition in parse_where(where, schema)}
    allowed = conditions[place].levels if place in conditions else None
    seen = [
        k
        for k, share in enumerate(layout.shares[place])
        if share > 0 and (allowed is None or k in allowed)
    ]
    if not seen:
        raise InputError(f"balance: no learnt level of {column!r} is left under the conditions.")
    streams = []
    for turn, level in enumerate(seen):
        chosen = Condition(column=place, levels=frozenset({level}))
        tables = rows(
            policy,
            layout,
            (n - turn + len(seen) - 1) // len(seen),
            seed=seed,
            conditions=tuple({**conditions, place: chosen}.values()),
            stream=f"tabular/sample/{level}",
        )
        streams.append(tables)
    while blocks := [block for block in (next(s, None) for s in streams) if block is not None]:
        turns = pd.concat(
            [block.assign(**{"": range(len(block))}) for block in blocks], ignore_index=True
        )
        order = turns[""].argsort(kind="stable")
        yield turns.drop(columns="").iloc[order].reset_index(drop=True)


def _draw_block(policy: Policy, numbers: torch.Generator) -> Draw:
    """One block without conditions, in pieces that fit a processor's cache."""
    draws = []
    for _ in range(BLOCK_ROWS // PIECE_ROWS):
        noise = torch.randn((PIECE_ROWS, policy.noise_dim), generator=numbers)
        draws.append(policy.draw(policy(noise), numbers))
    return Draw(*(torch.cat(parts) for parts in zip(*draws, strict=True)))


def _draw_within(policy: Policy, limits: Limits, n_rows: int, numbers: torch.Generator) -> Draw:
    """Rows inside the limits, by resampling and one move (Gilks and Berzuini 2001).

    Each latent of a pool draws a row inside the limits and is weighted by the chance it had; rows
    are chosen by weight. So that no row stands twice where a latent was chosen twice, every chosen
    latent then draws once more, and the new row takes the place of the old by Metropolis and
    Hastings' rule, which leaves the distribution as it is.
    """
    pool: list[Tensor] = []
    drawn: list[Draw] = []
    weights: list[Tensor] = []
    effective, n_pool = 0.0, 0
    while effective < EFFECTIVE * n_rows and n_pool < LARGEST_POOL * n_rows:
        noise = torch.randn((8 * n_rows, policy.noise_dim), generator=numbers)
        draw, chance = _draw_inside(policy, policy(noise), limits, numbers)
        pool.append(noise)
        drawn.append(draw)
        weights.append(chance)
        weight = torch.cat(weights)
        n_pool = len(weight)
        effective = float(weight.sum() ** 2 / weight.square().sum().clamp_min(1e-300))
    if float(weight.mean()) < LEAST_CHANCE:
        raise InputError(
            "these conditions together are next to impossible in the data that were learnt (chance "
            f"below {LEAST_CHANCE:g}); drop or widen one of them."
        )
    start = torch.rand((), generator=numbers, dtype=torch.float64)
    ladder = (torch.arange(n_rows, dtype=torch.float64) + start) / n_rows * weight.sum()
    chosen = torch.searchsorted(weight.cumsum(0), ladder).clamp_max(n_pool - 1)
    chosen = chosen[torch.randperm(n_rows, generator=numbers)]  # a short sample has many latents
    old = Draw(*(torch.cat(parts)[chosen] for parts in zip(*drawn, strict=True)))
    new, chance = _draw_inside(policy, policy(torch.cat(pool)[chosen]), limits, numbers)
    level = torch.rand(n_rows, generator=numbers, dtype=torch.float64)
    is_taken = (level * weight[chosen] < chance)[:, None]
    return Draw(*(torch.where(is_taken, *parts) for parts in zip(new, old, strict=True)))


def _draw_inside(
    policy: Policy, distribution: Distribution, limits: Limits, numbers: torch.Generator
) -> tuple[Draw, Tensor]:
    """A row inside the limits from each distribution, and the chance it had to be there.

    The chance is p(levels | z), times that of each limited amount given the amounts before it,
    times that of the column drawn last given the row; rows weighted by it are distributed as the
    policy's own rows inside the limits are.
    """
    allowed = limits.level_share.log().clamp_min(-60.0).float()
    cut = distribution._replace(log_share=distribution.log_share + allowed)
    draw = policy.draw_apart(cut, numbers)
    chance = _chance_of_levels(policy, distribution, limits)
    if bool(limits.is_limited.any()):
        amount, of_amounts = _amounts_inside(policy, distribution, limits, numbers)
        draw, chance = draw._replace(amount=amount), chance * of_amounts
    last = policy.last
    if last is None:
        return draw, chance
    given = policy.given(distribution, last.features.of_draw(draw)).log_share
    if last.column in limits.columns:
        part = slice(last.first, last.end)
        chance = chance * (given[:, part].exp().double() * limits.level_share[part]).sum(1)
    return last.draw(given + allowed, draw, numbers), chance


def _chance_of_levels(policy: Policy, distribution: Distribution, limits: Limits) -> Tensor:
    """p(conditions on levels | z), apart from one on the column drawn last."""
    allowed = distribution.log_share.exp().double() * limits.level_share
    met = torch.zeros((len(allowed), policy.n_columns), dtype=torch.float64)
    met = met.index_add(1, policy.column_of_level, allowed)
    last = None if policy.last is None else policy.last.column
    return met[:, [column for column in limits.columns if column != last]].prod(1)


def _amounts_inside(
    policy: Policy, distribution: Distribution, limits: Limits, numbers: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Amounts one after the other, each inside its limits, and the product of their chances."""
    mean, std = distribution.mean.double(), distribution.log_std.exp().double()
    places = torch.rand(mean.shape, generator=numbers, dtype=torch.float64)
    low, high = (limits.low - mean) / std, (limits.high - mean) / std
    deviates, chance = torch.zeros_like(mean), torch.ones(len(mean), dtype=torch.float64)
    for i, is_limited in enumerate(limits.is_limited.tolist()):
        centre = torch.zeros(len(mean), dtype=torch.float64)
        if policy.deviations is not None:
            centre = policy.deviations.centre(deviates.float())[:, i].double()
        first, end = _normal(low[:, i] - centre), _normal(high[:, i] - centre)
        place = (first + places[:, i] * (end - first)).clamp(1e-12, 1 - 1e-12)
        deviates[:, i] = centre + torch.from_numpy(ndtri(place.numpy()))
        chance = chance * (end - first) if is_limited else chance
    amount = torch.minimum(torch.maximum(mean + std * deviates, limits.low), limits.high)
    return amount.float(), chance


def _normal(bound: Tensor) -> Tensor:
    return torch.from_numpy(ndtr(bound.numpy()))


def _limits(layout: Layout, conditions: tuple[Condition, ...]) -> Limits:
    """Translate conditions on columns into limits on heads."""
    by_column = {condition.column: condition for condition in conditions}
    share = [np.ones(head.n_levels) for head in layout.discrete]
    inside: dict[int, np.ndarray] = {}
    n_gaussian = len(layout.gaussian)
    low, high = np.full(n_gaussian, -np.inf), np.full(n_gaussian, np.inf)
    columns = []
    for i, head in enumerate(layout.discrete):
        condition = by_column.get(head.column)
        if condition is None:
            continue
        columns.append(i)
        if head.role == "bins":
            share[i], inside[i] = _bin_limits(layout, head, condition)
        else:
            share[i] = _level_limits(layout, head, condition)
    for i, head in enumerate(layout.gaussian):
        condition = by_column.get(head.column)
        if condition is not None and condition.may_be_there:
            low[i], high[i] = _amount_limits(layout, head, condition)
    return Limits(
        level_share=torch.from_numpy(np.concatenate([np.zeros(0), *share])),
        low=torch.from_numpy(low),
        high=torch.from_numpy(high),
        inside=inside,
        columns=tuple(columns),
    )


def _level_limits(layout: Layout, head: Head, condition: Condition) -> np.ndarray:
    if head.role == "present":
        return np.array([float(condition.may_be_there), float(condition.missing)])
    levels = condition.levels or frozenset()
    if head.role == "flag":
        only = levels == {head.level}
        return np.array([float(not only), float(head.level in levels)])
    share = np.array([float(level in levels) for level in range(head.n_levels)])
    n_known = len(layout.schema.modelled[head.column].categories)
    share[n_known:] = float(condition.missing)  # there is such a level where gaps were learnt
    return share


def _probabilities(layout: Layout, head: Head, condition: Condition) -> tuple[float, float]:
    """The stretch of the column's own distribution that the condition allows."""
    quantiles = layout.quantiles[head.column]
    assert quantiles is not None  # numeric columns have one by construction
    column = layout.schema.modelled[head.column]
    first, last = _rounded_to(column, quantiles, condition)
    low = quantiles.mass_below(first, including=False)
    high = quantiles.mass_below(last, including=True)
    if high - low <= 0:
        raise InputError(
            f"condition on {column.name!r}: the rows that were learnt hold nothing between "
            f"{condition.low:g} and {condition.high:g}; they reach from about "
            f"{quantiles.low[0]:.4g} to {quantiles.high[-1]:.4g}."
        )
    return low, high


def _rounded_to(
    column: Column, quantiles: QuantileFunction, condition: Condition
) -> tuple[float, float]:
    """The amounts that are written as what the condition allows."""
    half = grid(column) / 2
    if condition.low == condition.high:  # a single amount stands for its near neighbourhood
        half = max(half, 1e-4 * (quantiles.high[-1] / 2 - quantiles.low[0] / 2))
    return condition.low - half, condition.high + half


def _bin_limits(layout: Layout, head: Head, condition: Condition) -> tuple[np.ndarray, np.ndarray]:
    assert head.edges is not None
    start, width = head.edges[:-1], np.diff(head.edges)
    first = last = np.zeros(len(width))
    if condition.may_be_there:
        low, high = _probabilities(layout, head, condition)
        first = np.clip((low - start) / width, 0, 1)
        last = np.clip((high - start) / width, 0, 1)
    share = np.full(head.n_levels, float(condition.missing))
    share[: len(width)] = last - first
    return share, np.column_stack([first, last])


def _amount_limits(layout: Layout, head: Head, condition: Condition) -> tuple[float, float]:
    low, high = _probabilities(layout, head, condition)
    if head.role == "score":
        return float(ndtri(low)), float(ndtri(high))
    quantiles = layout.quantiles[head.column]
    assert quantiles is not None
    ends = np.array(_rounded_to(layout.schema.modelled[head.column], quantiles, condition))
    span = max(quantiles.high[-1] - quantiles.low[0], np.finfo(float).tiny)
    unit = np.clip((ends - quantiles.low[0]) / span, 0.0, 1.0)
    with np.errstate(divide="ignore"):  # the column's own ends have no limit before the tanh
        squeezed = np.arctanh(2 * unit - 1)
    return float(squeezed[0]), float(squeezed[1])


def _hold(
    table: pd.DataFrame, layout: Layout, condition: Condition, numbers: np.random.Generator
) -> None:
    """Mend what rounding (or flags that were all off) left outside a condition, in place."""
    column: Column = layout.schema.modelled[condition.column]
    value = table[column.name].to_numpy().copy()
    if not condition.may_be_there:
        return
    if condition.levels is None:
        table[column.name] = np.clip(value, condition.low, condition.high)
        return
    levels: Any = np.array(sorted(condition.levels))
    outside = ~np.isin(value, levels) & ~(np.isnan(value) & condition.missing)
    if outside.any():
        share = layout.shares[condition.column][levels] + 1e-9
        value[outside] = numbers.choice(levels, size=int(outside.sum()), p=share / share.sum())
        table[column.name] = value
