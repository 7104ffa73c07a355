"""Columns that others add up to: found in the training rows, added up in every drawn one.

A total that is drawn beside its parts misses their sum in nearly every row, and nobody trusts a row
whose numbers do not add up. So a total has no head.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import nnls

from reinforge.errors import InputError
from reinforge.schema import Column, Schema
from reinforge.systems.tabular.condition import Condition, grid, on_grid
from reinforge.systems.tabular.derived import Derived, by_name
from reinforge.systems.tabular.quantiles import Floats
from reinforge.systems.tabular.scaled import FEWEST_ROWS, FIRST_ROWS, TOLERANCE, find_scaled

ROWS_A_COLUMN = 5  # with fewer, numbers may add up by accident


@dataclass(frozen=True, kw_only=True)
class Sum:
    """One column that is the sum of others in every row, and missing where one of them is.

    Or a multiple of the sum of one or more, shifted by a constant.
    """

    column: int  # position among the modelled columns
    parts: tuple[int, ...]
    factor: float = 1.0
    constant: float = 0.0


def find_sums(coded: pd.DataFrame, schema: Schema, *, taken: frozenset[int]) -> tuple[Sum, ...]:
    """The columns of numbers that others add up to in every training row, or that are scaled ones.

    Of a total that holds a subtotal the parts of that are named, so no sum is a part of another and
    they can be added up in any order.

    Args:
        coded: The training rows as a coded table.
        schema: Their schema.
        taken: Columns that are looked up, or that decide such a column: these are no sums.
    """
    numbers = {
        i: coded[column.name].to_numpy(np.float64)
        for i, column in enumerate(schema.modelled)
        if column.is_numeric and column.kind != "datetime"
    }
    scaled = find_scaled(numbers, schema.modelled, taken=taken)
    related = _related({i: value for i, value in numbers.items() if i not in scaled})
    found: dict[int, tuple[int, ...]] = {}
    for column in (i for i in related if i not in taken):
        parts = _parts(numbers, column, related)
        if parts is not None and column not in _drawn(parts, found):
            found[column] = parts
    sums = [Sum(column=column, parts=_drawn(parts, found)) for column, parts in found.items()]
    for column, (source, factor, constant) in scaled.items():
        parts = _drawn((source,), found)
        sums.append(Sum(column=column, parts=parts, factor=factor, constant=constant))
    return tuple(sorted(sums, key=lambda each: each.column))


def _drawn(parts: tuple[int, ...], found: dict[int, tuple[int, ...]]) -> tuple[int, ...]:
    """The parts with every sum among them in its own parts."""
    return tuple(one for i in parts for one in (_drawn(found[i], found) if i in found else (i,)))


def add_up(table: pd.DataFrame, sums: tuple[Sum, ...], described: tuple[Column, ...]) -> None:
    """Fill the sums of a coded table from their parts as these are written, in place."""
    for each in sums:
        parts = [
            on_grid(table.iloc[:, i].to_numpy(np.float64), grid(described[i])) for i in each.parts
        ]
        table.isetitem(each.column, each.factor * np.sum(parts, axis=0) + each.constant)


def refuse_on_sums(
    conditions: tuple[Condition, ...], sums: tuple[Sum, ...], schema: Schema
) -> None:
    """Refuse conditions on sums.

    Raises:
        InputError: There is one; its parts are named.
    """
    by_column = {each.column: each for each in sums}
    names = [column.name for column in schema.modelled]
    for condition in conditions:
        each = by_column.get(condition.column)
        if each is not None:
            parts = ", ".join(repr(names[i]) for i in each.parts)
            what = "the sum of " if len(each.parts) > 1 else ""
            raise InputError(
                f"condition on {names[each.column]!r}: it is {what}{parts}{_scale(each)}; ask for "
                "values of that, or train with look_up=False, which draws it by itself."
            )


def relations_by_name(
    derived: tuple[Derived, ...], sums: tuple[Sum, ...], schema: Schema
) -> dict[str, str]:
    """The name of each column without a head -> what decides it: "a", "a + b", "a x 2.2"."""
    names = [column.name for column in schema.modelled]
    added = {}
    for each in sums:
        told = " + ".join(names[i] for i in each.parts)
        told = f"({told})" if len(each.parts) > 1 and each.factor != 1 else told
        added[names[each.column]] = told + _scale(each)
    return {**by_name(derived, schema), **added}


def _scale(each: Sum) -> str:
    """Factor and constant in words; nothing where there are none."""
    times = "" if each.factor == 1 else f" x {each.factor:.4g}"
    sign = "-" if each.constant < 0 else "+"
    return times + ("" if each.constant == 0 else f" {sign} {abs(each.constant):.4g}")


def _related(numbers: dict[int, Floats]) -> dict[int, Floats]:
    """First rows, without gaps, of the columns in any exact linear relation.

    These are the columns that the null space of the rows touches.
    """
    columns = [i for i, value in numbers.items() if len(value) and not np.isnan(value).all()]
    if len(columns) < 3:
        return {}
    n_rows = max(FIRST_ROWS, 2 * ROWS_A_COLUMN * len(columns))
    table = np.column_stack([numbers[i][:n_rows] for i in columns])
    table = table[~np.isnan(table).any(axis=1)]
    if len(table) < max(FEWEST_ROWS, ROWS_A_COLUMN * len(columns)):
        return {}
    scale = np.abs(table).max(axis=0)
    scaled = table / np.where(scale > 0, scale, 1.0)
    _, size, axes = np.linalg.svd(scaled, full_matrices=False)
    touched = np.abs(axes[size <= 1e-8 * size[0]]).max(axis=0, initial=0.0)
    return {columns[at]: table[:, at] for at in np.flatnonzero(touched > 1e-6)}


def _parts(
    numbers: dict[int, Floats], column: int, first: dict[int, Floats]
) -> tuple[int, ...] | None:
    """The columns that add up to one in every row, and are missing where it is.

    Args:
        numbers: All columns of numbers, whole.
        column: Of which parts are wanted.
        first: First rows, without gaps, of the columns that may be parts, and of this one.
    """
    others = [i for i in first if i != column]
    if len(others) < 2:
        return None
    parts = _adding_up(first[column], np.column_stack([first[i] for i in others]))
    if len(parts) < 2:
        return None
    chosen = tuple(others[place] for place in parts)
    total, added = numbers[column], np.sum([numbers[i] for i in chosen], axis=0)
    if not np.array_equal(np.isnan(total), np.isnan(added)):
        return None
    known = ~np.isnan(total)
    room = TOLERANCE * max(np.abs(numbers[i][known]).max() for i in (column, *chosen))
    return chosen if bool((np.abs(total - added)[known] <= room).all()) else None


def _adding_up(total: Floats, others: Floats) -> list[int]:
    """Which columns, each taken once, add up to the total; none if there are no such.

    Where a column stands beside its own parts, or in two units, there are several ways to make up
    the total, and least squares mixes them; what it takes least like once is left out.
    """
    left = list(range(others.shape[1]))
    while len(left) >= 2:
        share, error = nnls(others[:, left], total)
        if error > 1e-6 * np.linalg.norm(total):
            return []
        off = np.where(share > 1e-6, np.abs(share - 1), 0.0)
        if off.max() < 1e-6:
            return [place for place, weight in zip(left, share, strict=True) if weight > 1e-6]
        del left[int(off.argmax())]
    return []
