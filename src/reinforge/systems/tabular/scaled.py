"""Columns that are another one in other words: a copy, another unit, whole years of months."""

import numpy as np

from reinforge.schema import Column
from reinforge.systems.tabular.condition import grid, on_grid
from reinforge.systems.tabular.quantiles import Floats

FEWEST_ROWS = 50
FEWEST_VALUES = 5  # of the column: with fewer, a line may fit by accident
FIRST_ROWS = 256  # show what hangs together; all rows then confirm it
LEAST_CORRELATION = 0.99
TOLERANCE = 1e-9  # of the largest number: decimals are rounded
ROUNDED_ALIKE = 0.98  # of the rows: a fitted line rounds a few the other way

Line = tuple[int, float, float]  # a column, and what it is multiplied by and shifted by


def find_scaled(
    numbers: dict[int, Floats], described: tuple[Column, ...], *, taken: frozenset[int]
) -> dict[int, Line]:
    """The columns that are factor x another + constant in every training row, up to rounding.

    Of two columns that are each other's the later one is found.

    Args:
        numbers: Columns of numbers by their place.
        described: All columns.
        taken: Columns that are looked up, or that decide such a column: none of these is found.
    """
    near = _near_a_line({i: value[:FIRST_ROWS] for i, value in numbers.items()})
    found: dict[int, Line] = {}
    for column in reversed(numbers):
        if column in taken or any(source == column for source, _, _ in found.values()):
            continue
        for source in (i for i in near.get(column, ()) if i not in found):
            line = _line(numbers[column], numbers[source], step=grid(described[column]))
            if line is not None:
                found[column] = (source, *line)
                break
    return found


def _near_a_line(first: dict[int, Floats]) -> dict[int, list[int]]:
    """For each column those with the same gaps whose numbers lie near a line with its own."""
    alike: dict[bytes, list[int]] = {}
    for i, value in first.items():
        alike.setdefault(np.isnan(value).tobytes(), []).append(i)
    near: dict[int, list[int]] = {}
    for columns in alike.values():
        known = ~np.isnan(first[columns[0]])
        units = {i: _unit(first[i][known]) for i in columns} if known.sum() > 2 else {}
        varied = [i for i, value in units.items() if value.std() > 0]
        if len(varied) < 2:
            continue
        together = np.abs(np.corrcoef([units[i] for i in varied])) >= LEAST_CORRELATION
        np.fill_diagonal(together, val=False)
        near |= {
            i: [varied[at] for at in np.flatnonzero(row)]
            for i, row in zip(varied, together, strict=True)
        }
    return near


def _line(value: Floats, other: Floats, *, step: float) -> tuple[float, float] | None:
    """Factor and constant that give the value in every row once it is rounded; None if none do."""
    known = ~np.isnan(value)
    if not np.array_equal(known, ~np.isnan(other)) or known.sum() < FEWEST_ROWS:
        return None
    value, other = value[known], other[known]
    if len(np.unique(value)) < FEWEST_VALUES:
        return None
    high, wide = np.abs(value).max(), np.abs(other).max()
    if not TOLERANCE < high / wide < 1 / TOLERANCE:
        return None
    of_unit, unit = _unit(value), _unit(other)
    through_zero = float(np.dot(unit, of_unit) / np.square(unit).sum() * (high / wide))
    if abs(through_zero - round(through_zero)) < TOLERANCE:
        through_zero = float(round(through_zero))
    middle = unit.mean()
    slope = float(np.dot(unit - middle, of_unit) / np.square(unit - middle).sum())
    constant = float((of_unit.mean() - slope * middle) * high)
    lines = ((through_zero, 0.0), (slope * float(high / wide), constant))
    return next((line for line in lines if _holds(line, value, other, step=step)), None)


def _unit(value: Floats) -> Floats:
    """Divided by the largest: squares of 1e307 are not finite."""
    high = np.abs(value).max()
    return value / high if high > 0 else value


def _holds(line: tuple[float, float], value: Floats, other: Floats, *, step: float) -> bool:
    """Whether a line gives the values, or does so once it is rounded to their grid."""
    fitted = line[0] * other + line[1]
    room = TOLERANCE * np.abs(value).max()
    off = np.abs(value - fitted)
    if (off <= room).all():
        return True
    if not step or (off > 0.51 * step).any():
        return False
    return bool((np.abs(value - on_grid(fitted, step)) <= room).mean() >= ROUNDED_ALIKE)
