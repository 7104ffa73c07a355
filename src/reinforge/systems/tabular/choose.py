"""Which head draws which column, chosen from the training rows."""

from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd

from reinforge.errors import InputError
from reinforge.schema import Column, Schema
from reinforge.systems.tabular.derived import Derived, find_derived
from reinforge.systems.tabular.heads import Head, Layout
from reinforge.systems.tabular.quantiles import Floats, QuantileFunction, fit_quantiles
from reinforge.systems.tabular.sums import Sum, find_sums

Choice = Literal["auto", "gaussian", "bins", "minmax"]
LARGEST_ATOM = 0.98  # a smooth column's most frequent value holds no larger share


def choose_heads(
    coded: pd.DataFrame,
    schema: Schema,
    *,
    choice: Choice = "auto",
    n_bins: int = 20,
    max_levels: int = 12,
    min_rows: int = 5,
    look_up: bool = True,
    last: str | None = None,
) -> Layout:
    """Choose a head for each modelled column from its values.

    Args:
        coded: The training rows as a coded table.
        schema: Their schema.
        choice: "auto" by the column's shape; "gaussian" or "bins" for every numeric column;
            "minmax" for the paper's tanh-gaussian and independent flags.
        n_bins: Quantile bins of a binned column.
        max_levels: Most distinct frequent numbers that become levels of their own.
        min_rows: The least number of rows behind any stored number.
        look_up: Columns that another column decides, or that others add up to, get no head.
        last: The column that is drawn last, if it has a single head of levels.

    Raises:
        InputError: No column is left to be modelled.
    """
    if not schema.modelled:
        raise InputError(
            "no column is left to learn: all are constant, empty, identifiers or free text; "
            "give a schema that declares at least one of them as categorical or numeric."
        )
    derived, sums = find_relations(coded, schema, min_rows=min_rows) if look_up else ((), ())
    without_head = {each.column for each in derived} | {each.column for each in sums}
    heads: list[Head] = []
    quantiles: list[QuantileFunction | None] = []
    shares: list[Floats] = []
    for i, column in enumerate(schema.modelled):
        value = coded[column.name].to_numpy(np.float64)
        has_missing = bool(np.isnan(value).any())
        if i in without_head and column.is_numeric:
            quantiles.append(None)
            shares.append(np.zeros(0))
        elif column.is_numeric:
            fitted = _fit_column(value, column, min_rows)
            heads += _numeric_heads(i, fitted, choice, n_bins, max_levels, has_missing)
            quantiles.append(fitted)
            shares.append(np.zeros(0))
        else:
            n_levels = len(column.categories)
            count = np.bincount(value[value < n_levels].astype(int), minlength=n_levels)
            if i not in without_head:
                heads += _discrete_heads(i, n_levels, choice, has_missing)
            quantiles.append(None)
            shares.append(count / max(count.sum(), 1))
    layout = Layout(
        schema=schema,
        heads=tuple(heads),
        quantiles=tuple(quantiles),
        shares=tuple(shares),
        derived=derived,
        sums=sums,
    )
    return layout if last is None else replace(layout, drawn_last=_drawn_last(layout, last))


def find_relations(
    coded: pd.DataFrame, schema: Schema, *, min_rows: int
) -> tuple[tuple[Derived, ...], tuple[Sum, ...]]:
    """The columns that need no head: those that another decides, and sums of others."""
    derived = find_derived(coded, schema, min_rows=min_rows)
    taken = frozenset(i for each in derived for i in (each.column, each.source))
    return derived, find_sums(coded, schema, taken=taken)


def _drawn_last(layout: Layout, column: str) -> int | None:
    """The number of the column's only head, if that draws levels."""
    place = [described.name for described in layout.schema.modelled].index(column)
    own = [i for i, head in enumerate(layout.discrete) if head.column == place]
    is_whole = not any(head.column == place for head in layout.gaussian)
    return own[0] if len(own) == 1 and is_whole else None


def _fit_column(value: Floats, column: Column, min_rows: int) -> QuantileFunction:
    return fit_quantiles(
        value[~np.isnan(value)],
        min_rows=min_rows,
        minimum=column.minimum,
        maximum=column.maximum,
        whole_numbers=column.kind == "integer",
    )


def _numeric_heads(
    column: int,
    quantiles: QuantileFunction,
    choice: Choice,
    n_bins: int,
    max_levels: int,
    has_missing: bool,
) -> list[Head]:
    is_few = bool(quantiles.is_atom.all()) and len(quantiles.low) <= max_levels
    atoms = quantiles.mass[quantiles.is_atom]
    is_smooth = not is_few and atoms.max(initial=0.0) <= LARGEST_ATOM
    if choice == "bins" or (choice == "auto" and not is_smooth):
        edges = quantiles.probability if is_few else _bin_edges(quantiles, n_bins)
        n_levels = len(edges) - 1 + has_missing
        return [Head(column=column, role="bins", n_levels=n_levels, edges=edges)]
    role: Literal["minmax", "score"] = "minmax" if choice == "minmax" else "score"
    present = [Head(column=column, role="present", n_levels=2)] if has_missing else []
    return [Head(column=column, role=role), *present]


def _discrete_heads(column: int, n_levels: int, choice: Choice, has_missing: bool) -> list[Head]:
    if choice != "minmax":
        return [Head(column=column, role="levels", n_levels=n_levels + has_missing)]
    present = [Head(column=column, role="present", n_levels=2)] if has_missing else []
    if n_levels == 2:
        return [Head(column=column, role="levels", n_levels=2), *present]
    flags = [Head(column=column, role="flag", n_levels=2, level=k) for k in range(n_levels)]
    return [*flags, *present]


def _bin_edges(quantiles: QuantileFunction, n_bins: int) -> Floats:
    """Pool cells to about `n_bins` bins of equal mass; heavy atoms keep a bin of their own."""
    edges, open_mass = [0.0], 0.0
    for mass, is_atom, end in zip(
        quantiles.mass, quantiles.is_atom, quantiles.probability[1:], strict=True
    ):
        heavy = is_atom and mass >= 0.5 / n_bins
        if heavy and open_mass > 0:
            edges.append(float(end - mass))
        open_mass = 0.0 if heavy else open_mass + mass
        if heavy or open_mass >= 1 / n_bins - 1e-9:
            edges.append(float(end))
            open_mass = 0.0
    if open_mass > 0:
        edges.append(1.0)
    edges[-1] = 1.0
    return np.array(edges)
