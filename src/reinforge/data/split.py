"""Train and holdout: what the generator may see, and what judges it."""

import numpy as np
import pandas as pd

from reinforge.data.frames import as_frame
from reinforge.data.infer import infer_schema
from reinforge.errors import InputError
from reinforge.randomness import generator
from reinforge.records import Split
from reinforge.schema import DISCRETE_KINDS, Schema

MIN_ROWS = 20


def split_table(
    frame: object,
    *,
    target: str | None = None,
    sensitive: list[str] | tuple[str, ...] = (),
    holdout: float = 0.2,
    seed: int = 0,
    person: str | None = None,
    schema: Schema | dict[str, dict] | None = None,
) -> Split:
    """Part a table into rows for the generator and rows for the judges."""
    table = as_frame(frame)
    columns = schema if isinstance(schema, Schema) else infer_schema(table, overrides=schema)
    if len(table) < MIN_ROWS:
        raise InputError(f"the table has {len(table)} rows; a split needs at least {MIN_ROWS}.")
    rng = generator(seed, "split")
    strata = np.zeros(len(table), dtype="int64")
    if target is not None and columns[target].kind in DISCRETE_KINDS:
        strata = pd.factorize(table[target])[0]
    held = np.zeros(len(table), dtype=bool)
    for stratum in np.unique(strata):
        rows = np.flatnonzero(strata == stratum)
        held[rng.permutation(rows)[: max(1, round(holdout * len(rows)))]] = True
    return Split(
        train=table[~held].reset_index(drop=True),
        holdout=table[held].reset_index(drop=True),
        schema=columns,
        target=target,
        sensitive=tuple(sensitive),
    )
