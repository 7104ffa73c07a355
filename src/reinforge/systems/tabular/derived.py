"""Columns that another column decides: found in the training rows, written without a head.

A level of education has one number of years, an age one age group, a test that was not taken no
result. Heads that draw both sides of such a pair apart break it in almost every row, and learning
it costs draws that teach nothing. So the decided column has no head: its value is looked up.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from reinforge.errors import InputError
from reinforge.schema import Column, Schema
from reinforge.systems.tabular.condition import Condition, both, grid, on_grid
from reinforge.systems.tabular.quantiles import Floats

MOST_PIECES = 20  # of an amount that decides a level
FIRST_ROWS = 256  # show at once that most pairs of columns have nothing to look up


@dataclass(frozen=True, kw_only=True)
class Derived:
    """One column whose value the value of another column decides."""

    column: int  # position among the modelled columns
    source: int  # the column that decides
    values: Floats  # for each level or piece of the source, and last for a missing source
    edges: Floats | None = None  # an amount's pieces lie between these; None: the source has levels
    step: float = 0.0  # the source's own grid: amounts are rounded to it first, as when written

    def of(self, source: Floats) -> Floats:
        """The column's coded values."""
        return self.values[self.piece_of(source)]

    def piece_of(self, source: Floats) -> np.ndarray:
        """Which of `values` each source value decides for."""
        missing = np.isnan(source)
        filled = np.where(missing, 0.0, source)
        if self.edges is None:
            piece = filled.astype(np.int64).clip(0, len(self.values) - 2)
        else:
            piece = np.searchsorted(self.edges, on_grid(filled, self.step))
        return np.where(missing, len(self.values) - 1, piece)


def find_derived(coded: pd.DataFrame, schema: Schema, *, min_rows: int) -> tuple[Derived, ...]:
    """The columns that others decide in every training row.

    Of two columns that decide each other the later one is derived. No number is stored that fewer
    than `min_rows` rows stand behind: each level, and each piece of an amount, holds that many.

    Args:
        coded: The training rows as a coded table.
        schema: Their schema.
        min_rows: The least number of rows behind each value of the source.
    """
    columns = [coded[column.name].to_numpy(np.float64) for column in schema.modelled]
    found: dict[int, Derived] = {}
    for column in reversed(range(len(columns))):
        if any(each.source == column for each in found.values()):
            continue  # what decides another is not looked up itself
        for source in range(len(columns)):
            if source == column or source in found:
                continue
            derived = _derived(column, source, columns, schema.modelled, min_rows)
            if derived is not None:
                found[column] = derived
                break
    return tuple(found[column] for column in sorted(found))


def by_name(derived: tuple[Derived, ...], schema: Schema) -> dict[str, str]:
    """The name of each derived column -> the name of the column that decides it."""
    names = [column.name for column in schema.modelled]
    return {names[each.column]: names[each.source] for each in derived}


def derive(table: pd.DataFrame, derived: tuple[Derived, ...]) -> None:
    """Fill the derived columns of a coded table from their sources, in place."""
    for each in derived:
        source = table.iloc[:, each.source].to_numpy(np.float64)
        table.isetitem(each.column, each.of(source))


def on_sources(
    conditions: tuple[Condition, ...], derived: tuple[Derived, ...], schema: Schema
) -> tuple[Condition, ...]:
    """Conditions on derived columns as conditions on the columns that decide them.

    Raises:
        InputError: No value of the source, or two stretches of its values that do not touch, meet
            a condition.
    """
    by_column = {each.column: each for each in derived}
    moved: dict[int, Condition] = {}
    for condition in conditions:
        each = by_column.get(condition.column)
        new = condition if each is None else _on_source(condition, each, schema.modelled)
        old = moved.get(new.column)
        moved[new.column] = both(old, new, schema.modelled[new.column])
    return tuple(moved.values())


def _derived(
    column: int,
    source: int,
    columns: list[Floats],
    described: tuple[Column, ...],
    min_rows: int,
) -> Derived | None:
    is_amount = described[source].is_numeric
    if is_amount and (described[column].is_numeric or described[source].kind == "datetime"):
        return None  # an amount of an amount is a formula, not a look-up
    for n_rows in (FIRST_ROWS, None):
        value, deciding = columns[column][:n_rows], columns[source][:n_rows]
        known = _known(value, described[column]) & _known(deciding, described[source])
        value, deciding = value[known], deciding[known]
        if _is_broken(value, deciding, is_amount=is_amount):
            return None
    missing = np.isnan(deciding)
    of_missing = _only(value[missing]) if missing.any() else np.nan
    if of_missing is None or 0 < missing.sum() < min_rows or len(_distinct(value)) < 2:
        return None
    value, deciding = value[~missing], deciding[~missing]
    if not is_amount:
        values = _by_level(value, deciding, len(described[source].categories), min_rows)
        if values is None:
            return None
        return Derived(column=column, source=source, values=np.append(values, of_missing))
    step = grid(described[source])
    pieces = _pieces(value, deciding, min_rows, step=step)
    if pieces is None:
        return None
    values, edges = pieces
    values = np.append(values, of_missing)
    return Derived(column=column, source=source, values=values, edges=edges, step=step)


def _known(coded: Floats, column: Column) -> np.ndarray:
    """Rows without a rare level: those are drawn by share, so they decide nothing."""
    if column.is_numeric:
        return np.ones(len(coded), dtype=bool)
    return np.isnan(coded) | (coded < len(column.categories))


def _is_broken(value: Floats, deciding: Floats, *, is_amount: bool) -> bool:
    """Whether these rows alone show two values for one of the source, or too many pieces."""
    order = np.lexsort((value, deciding))
    value, deciding = value[order], deciding[order]
    turns = _changes(value)
    if is_amount and turns.sum() > MOST_PIECES:  # one of them may lead to the gaps at the end
        return True
    return bool((turns & ~_changes(deciding)).any())


def _changes(values: Floats) -> np.ndarray:
    """Which values differ from the one before; a gap does not differ from a gap."""
    return (values[1:] != values[:-1]) & ~(np.isnan(values[1:]) & np.isnan(values[:-1]))


def _only(values: Floats) -> float | None:
    """The single value (NaN counts as one) or None."""
    distinct = _distinct(values)
    return float(distinct[0]) if len(distinct) == 1 else None


def _distinct(values: Floats) -> Floats:
    return np.unique(values)  # all NaN are one


def _by_level(value: Floats, level: Floats, n_levels: int, min_rows: int) -> Floats | None:
    """The value of each level, if every known level has one only."""
    decided = np.full(n_levels, np.nan)
    for k in range(n_levels):
        here = value[level == k]
        only = _only(here) if len(here) >= min_rows else None
        if only is None:
            return None
        decided[k] = only
    return decided


def _pieces(
    value: Floats, amount: Floats, min_rows: int, *, step: float
) -> tuple[Floats, Floats] | None:
    """Values of consecutive stretches of an amount and the edges between them."""
    if not len(amount):
        return None
    order = np.lexsort((value, amount))
    amount, value = amount[order], value[order]
    turns = np.flatnonzero(_changes(value)) + 1
    starts = np.append(0, turns)
    lengths = np.diff(np.append(starts, len(value)))
    values = value[starts]
    too_many = len(starts) > MOST_PIECES or len(_distinct(values)) < len(values)
    if too_many or lengths.min() < min_rows or bool((amount[turns] == amount[turns - 1]).any()):
        return None
    edges = amount[turns - 1] / 2 + amount[turns] / 2
    return values, (np.floor(edges / step + 1e-9) + 0.5) * step if step else edges


def _on_source(condition: Condition, derived: Derived, described: tuple[Column, ...]) -> Condition:
    with np.errstate(invalid="ignore"):
        meets = (
            np.isin(derived.values, sorted(condition.levels))
            if condition.levels is not None
            else (derived.values >= condition.low) & (derived.values <= condition.high)
        )
    pieces, missing = np.flatnonzero(meets[:-1]), bool(meets[-1])
    name, source = described[derived.column].name, described[derived.source]
    if not len(pieces) and not missing:
        raise InputError(f"condition on {name!r}: no value of {source.name!r} goes with it.")
    nothing = Condition(column=derived.source, low=np.inf, high=-np.inf, missing=missing)
    if derived.edges is None:
        return replace(nothing, levels=frozenset(pieces.tolist()))
    if not len(pieces):
        return nothing
    if len(pieces) != pieces[-1] - pieces[0] + 1:
        raise InputError(
            f"condition on {name!r}: {source.name!r} decides it, and these values go with "
            f"stretches of {source.name!r} that do not touch; ask for one of them at a time."
        )
    ends = np.concatenate([[-np.inf], derived.edges, [np.inf]])
    low, high = ends[pieces[0]], ends[pieces[-1] + 1]
    if derived.step:  # edges lie half way between two values of the grid
        low = np.ceil(low / derived.step) * derived.step
        high = np.floor(high / derived.step) * derived.step
    else:
        low = np.nextafter(low, np.inf)  # an edge itself belongs to the piece below it
    return replace(nothing, low=float(low), high=float(high))
