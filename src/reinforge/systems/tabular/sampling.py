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
from reinforge.systems.tabular.derived import derive, on_sources
from reinforge.systems.tabular.features import Draw
from reinforge.systems.tabular.heads import Actions, Head, Layout
from reinforge.systems.tabular.policy import Distribution, Policy
from reinforge.systems.tabular.quantiles import QuantileFunction

BLOCK_ROWS = 8192
PIECE_ROWS = 512
CONDITION_ROWS = 1024  # rows of a block under conditions: its pool of latents is many times larger
LARGEST_POOL = 128  # latents a row, at most
LEAST_CHANCE = 1e-7  # of a condition over the pool: below it nothing honest can be drawn


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Conditions in the policy's own terms."""

    level_share: Tensor  # (joint level,): the part of each level that the conditions allow, 0 to 1
    low: Tensor  # (gaussian head,): amounts allowed, -inf where unlimited
    high: Tensor
    inside: dict[int, np.ndarray]  # level head -> (level, 2): the allowed stretch inside each bin
    columns: tuple[int, ...]  # conditioned level heads and
    amounts: tuple[int, ...]  # gaussian heads: what the weights are made of


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
            derive(table, layout.derived)
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
    """Resample latents by how well they meet the limits, then draw inside the limits."""
    pool: list[Tensor] = []
    weights: list[Tensor] = []
    effective, n_pool = 0.0, 0
    while effective < n_rows and n_pool < LARGEST_POOL * n_rows:
        noise = torch.randn((8 * n_rows, policy.noise_dim), generator=numbers)
        pool.append(noise)
        weights.append(_chance(policy, policy(noise), limits))
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
    distribution = policy(torch.cat(pool)[chosen])
    allowed = limits.level_share.log().clamp_min(-60.0).float()
    draw = policy.draw(distribution._replace(log_share=distribution.log_share + allowed), numbers)
    if not limits.amounts:
        return draw
    low, high = _amount_chances(distribution, limits)
    inside = low + torch.rand(low.shape, generator=numbers, dtype=torch.float64) * (high - low)
    cut = distribution.mean + distribution.log_std.exp() * torch.from_numpy(
        ndtri(inside.clamp(1e-12, 1 - 1e-12).numpy())
    )
    limited = torch.isfinite(limits.low) | torch.isfinite(limits.high)
    cut = torch.minimum(torch.maximum(cut, limits.low), limits.high)
    return draw._replace(amount=torch.where(limited, cut, draw.amount).float())


def _chance(policy: Policy, distribution: Distribution, limits: Limits) -> Tensor:
    """p(conditions | z) for each latent."""
    chance = torch.ones(len(distribution.mean), dtype=torch.float64)
    if limits.columns:
        allowed = distribution.log_share.exp().double() * limits.level_share
        met = torch.zeros((len(allowed), policy.n_columns), dtype=torch.float64)
        met = met.index_add(1, policy.column_of_level, allowed)
        chance = met[:, list(limits.columns)].prod(1)
    if limits.amounts:
        low, high = _amount_chances(distribution, limits)
        chance = chance * (high - low)[:, list(limits.amounts)].prod(1)
    return chance


def _amount_chances(distribution: Distribution, limits: Limits) -> tuple[Tensor, Tensor]:
    std = distribution.log_std.exp()
    bounds = (((bound - distribution.mean) / std).double() for bound in (limits.low, limits.high))
    low, high = (torch.from_numpy(ndtr(bound.numpy())) for bound in bounds)
    return low, high


def _limits(layout: Layout, conditions: tuple[Condition, ...]) -> Limits:
    """Translate conditions on columns into limits on heads."""
    by_column = {condition.column: condition for condition in conditions}
    share = [np.ones(head.n_levels) for head in layout.discrete]
    inside: dict[int, np.ndarray] = {}
    n_gaussian = len(layout.gaussian)
    low, high = np.full(n_gaussian, -np.inf), np.full(n_gaussian, np.inf)
    columns, amounts = [], []
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
            amounts.append(i)
            low[i], high[i] = _amount_limits(layout, head, condition)
    return Limits(
        level_share=torch.from_numpy(np.concatenate([np.zeros(0), *share])),
        low=torch.from_numpy(low),
        high=torch.from_numpy(high),
        inside=inside,
        columns=tuple(columns),
        amounts=tuple(amounts),
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
