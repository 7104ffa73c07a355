"""A column's distribution as a private quantile function: cells that each hold at least k rows.

A generator that stores a column's sorted values stores its people. Here neighbouring values are
pooled until a cell holds `min_rows` rows; a value that so many rows share is kept exactly (an
*atom*: a heaped age, a zero dose), and within every other cell values are spread evenly. The
outermost edges are set so that the tail cells keep their means, so that no extreme value is
stored either.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class QuantileFunction:
    """Cells: the c-th covers probabilities c to c + 1 of `probability`, values `low` to `high`."""

    probability: Floats  # (n_cells + 1,), from 0 to 1, rising
    low: Floats  # (n_cells,), non-decreasing
    high: Floats  # (n_cells,), at least `low`; equal to it for an atom

    @property
    def is_atom(self) -> NDArray[np.bool_]:
        """Which cells are single values."""
        return self.low == self.high

    @property
    def mass(self) -> Floats:
        """The share of rows in each cell."""
        return np.diff(self.probability)

    def value(self, probability: Floats) -> Floats:
        """The quantile at each probability (0 to 1), spread evenly inside a cell."""
        cell = self.cell_of_probability(probability)
        inside = (probability - self.probability[cell]) / self.mass[cell]
        span = self.high[cell] / 2 - self.low[cell] / 2  # halves: the span of +-1e308 is finite
        return np.clip(self.low[cell] + 2 * (inside * span), self.low[cell], self.high[cell])

    def cell_of_probability(self, probability: Floats) -> NDArray[np.int64]:
        """The cell that each probability falls in."""
        inner = self.probability[1:-1]
        return np.searchsorted(inner, probability, side="right").astype(np.int64)

    def probability_of(self, value: Floats, generator: np.random.Generator) -> Floats:
        """The inverse of `value`; inside an atom a probability is drawn evenly over its mass."""
        cell = self.cell_of_value(value)
        span = self.high[cell] / 2 - self.low[cell] / 2
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            inside = (value / 2 - self.low[cell] / 2) / span
        drawn = generator.random(value.shape)
        inside = np.where(span > 0, np.clip(inside, 0.0, 1.0), drawn)
        return self.probability[cell] + inside * self.mass[cell]

    def mass_below(self, value: float, *, including: bool) -> float:
        """The share of rows below a value, or up to and including it."""
        mass = self.mass
        span = self.high / 2 - self.low / 2
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            inside = np.clip((value / 2 - self.low / 2) / span, 0.0, 1.0)
        full = value >= self.high if including else value > self.high
        share = np.where(full, 1.0, np.where(value <= self.low, 0.0, inside))
        return float(np.minimum((np.nan_to_num(share) * mass).sum(), 1.0))

    def cell_of_value(self, value: Floats) -> NDArray[np.int64]:
        """The cell that holds each value; a value between two cells goes to the nearer one."""
        middle = self.high[:-1] / 2 + self.low[1:] / 2
        # a value on a shared edge must reach an atom that starts there
        atom_above = self.is_atom[1:]
        left = np.searchsorted(np.where(atom_above, np.nextafter(middle, -np.inf), middle), value)
        return np.minimum(left, len(self.low) - 1).astype(np.int64)


def fit_quantiles(
    values: Floats,
    *,
    min_rows: int,
    minimum: float | None = None,
    maximum: float | None = None,
    whole_numbers: bool = False,
) -> QuantileFunction:
    """Pool a column's values into cells of at least `min_rows` rows.

    Args:
        values: Finite values, at least one; a table with fewer than `min_rows` rows makes one cell.
        min_rows: The least number of rows behind any stored number.
        minimum: No edge lies below it (a natural or declared bound).
        maximum: No edge lies above it.
        whole_numbers: Put edges half way between integers, so that rounding spreads evenly.

    Returns:
        The quantile function of the column.
    """
    distinct, counts = np.unique(values, return_counts=True)
    # squares of 1e308 would overflow; a power of two keeps every digit of an atom
    scale = 2.0 ** max(0, int(np.frexp(np.abs(distinct).max())[1]) - 332)
    distinct = distinct / scale
    starts, atoms = _cells(counts, min_rows)
    n_rows = np.add.reduceat(counts, starts)
    means = _cell_means(distinct, counts, starts)
    edges = _inner_edges(distinct, starts, whole_numbers)
    low, high = np.append(0.0, edges), np.append(edges, 0.0)
    if len(starts) == 1:  # one cell of mixed values: an even spread of their mean and deviation
        spread = np.sqrt(3.0 * np.average((distinct - means[0]) ** 2, weights=counts))
        low[0], high[0] = means[0] - spread, means[0] + spread
    else:
        low[0], high[-1] = 2 * means[0] - high[0], 2 * means[-1] - low[-1]
    shared = atoms >= 0
    low[shared] = high[shared] = distinct[atoms[shared]]
    limit = np.finfo(np.float64).max
    with np.errstate(over="ignore"):
        low, high = (
            np.clip(np.clip(edge * scale, -limit, limit), minimum, maximum) for edge in (low, high)
        )
    probability = np.append(0.0, np.cumsum(n_rows) / n_rows.sum())
    probability[-1] = 1.0
    return QuantileFunction(probability=probability, low=low, high=np.maximum(low, high))


def _cells(counts: NDArray[np.int64], min_rows: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where cells begin among the distinct values, and which value each atom holds (-1: none)."""
    cells: list[list[int]] = []  # [start, rows, position of the shared value or -1]
    is_open = False
    for position, count in enumerate(counts.tolist()):
        shared = count >= min_rows
        if shared or not is_open:
            cells.append([position, count, position if shared else -1])
        else:
            cells[-1][1] += count
        is_open = not shared and cells[-1][1] < min_rows
    while len(cells) > 1 and any(rows < min_rows for _, rows, _ in cells):
        small = next(i for i, (_, rows, _) in enumerate(cells) if rows < min_rows)
        to_right = small == 0 or (
            small + 1 < len(cells) and cells[small + 1][1] < cells[small - 1][1]
        )
        host = cells[small + 1 if to_right else small - 1]
        # a few stragglers take the value of a popular neighbour; a small neighbour opens up
        atom = host[2] if host[1] >= 4 * cells[small][1] else -1
        first = small if to_right else small - 1
        cells[first : first + 2] = [[cells[first][0], cells[small][1] + host[1], atom]]
    starts, _, atoms = np.array(cells, dtype=np.int64).T
    return starts, atoms


def _cell_means(distinct: Floats, counts: NDArray[np.int64], starts: NDArray[np.int64]) -> Floats:
    """Mean of the rows of each cell, safe for values near the largest float."""
    share = counts / np.add.reduceat(counts, starts).repeat(
        np.diff(np.append(starts, len(distinct)))
    )
    return np.add.reduceat(distinct * share, starts)


def _inner_edges(distinct: Floats, starts: NDArray[np.int64], whole_numbers: bool) -> Floats:
    """Edges half way between the last value of a cell and the first of the next."""
    middle = distinct[starts[1:] - 1] / 2 + distinct[starts[1:]] / 2
    return np.floor(middle) + 0.5 if whole_numbers else middle
