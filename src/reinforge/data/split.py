"""Train and holdout: what the generator may see, and what judges it."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from reinforge.data.coded import to_coded
from reinforge.data.codes import codes_like
from reinforge.data.dtypes import is_temporal, is_text
from reinforge.data.frames import as_frame
from reinforge.data.infer import infer_schema
from reinforge.data.kinds import is_id_name
from reinforge.data.overrides import nearest
from reinforge.errors import InputError
from reinforge.randomness import generator
from reinforge.records import Split
from reinforge.schema import DISCRETE_KINDS, Schema

MIN_ROWS = 20
MIN_PART = 4
MAX_CLASSES = 10  # an integer target with so few values is a class, not an amount


def split_table(
    frame: Any,
    *,
    target: str | None = None,
    sensitive: Sequence[str] = (),
    holdout: float = 0.2,
    seed: int = 0,
    person: str | None = None,
    schema: Schema | dict[str, dict] | None = None,
) -> Split:
    """Part a table into rows for the generator and rows for the judges.

    Args:
        frame: The rows, as anything that `as_frame` takes.
        target: The column to predict; where it is discrete, each class is parted alike. Whole
            numbers of at most 10 values count as classes unless `schema` says otherwise.
        sensitive: Columns whose groups are scored apart.
        holdout: Share of the rows that the generator does not see, in (0, 1).
        seed: Which rows; the same seed parts the same table alike.
        person: A column that names people; nobody has rows on both sides.
        schema: A whole schema, or overrides as from `load_overrides`.

    Raises:
        InputError: Fewer than 20 rows; a part would be too small; the target is missing, has
            missing values, one class, or a class with one row; or a column cannot be modelled.
    """
    table = as_frame(frame)
    _refuse_unknown(table, target, sensitive, person)
    if len(table) < MIN_ROWS:
        raise InputError(
            f"the table has {len(table)} rows; a split into train and holdout needs at least "
            f"{MIN_ROWS}."
        )
    columns = _schema(table, target, person, schema)
    if target is not None:
        _refuse_target(table[target], columns)
    held = _held_out(table, columns, target, person, holdout, seed)
    return Split(
        train=table[~held].reset_index(drop=True),
        holdout=table[held].reset_index(drop=True),
        schema=columns,
        target=target,
        sensitive=tuple(sensitive),
    )


def split_from_tables(
    train: Any,
    holdout: Any,
    *,
    target: str | None = None,
    sensitive: Sequence[str] = (),
    person: str | None = None,
    schema: Schema | dict[str, dict] | None = None,
) -> Split:
    """Two tables that were parted elsewhere, checked as one.

    Rows on both sides are allowed with a warning, since they make every privacy score look worse
    and every utility score better than it is.

    Raises:
        InputError: The columns differ, a person stands on both sides, or the target is unfit.
    """
    seen = as_frame(train)
    unseen = same_columns(as_frame(holdout), seen, what="holdout")
    _refuse_unknown(seen, target, sensitive, person)
    both = _joined(seen, unseen)
    columns = _schema(both, target, person, schema)
    if target is not None:
        _refuse_target(both[target], columns)
    if person is not None:
        shared = set(seen[person].dropna()) & set(unseen[person].dropna())
        if shared:
            raise InputError(
                f"{len(shared):,} values of {person!r} stand in train and in holdout; part the "
                "tables so that all rows of a person are on one side."
            )
    _warn_of_shared_rows(to_coded(seen, columns), to_coded(unseen, columns))
    return Split(
        train=seen, holdout=unseen, schema=columns, target=target, sensitive=tuple(sensitive)
    )


def same_columns(frame: pd.DataFrame, like: pd.DataFrame, *, what: str) -> pd.DataFrame:
    """The frame with the columns of `like`, in its order.

    Raises:
        InputError: Columns are lacking or extra, or numbers stand where text or dates are due; all
            differences are listed.
    """
    lacking = [name for name in like.columns if name not in frame.columns]
    extra = [name for name in frame.columns if name not in like.columns]
    problems = []
    if lacking:
        problems.append(f"lacks {', '.join(map(repr, lacking))}")
    if extra:
        problems.append(f"has {', '.join(map(repr, extra))} besides")
    for name in like.columns:
        if name in frame.columns:
            wanted, got = _family(like[name]), _family(frame[name])
            if {wanted, got} == {"text", "number"} or {wanted, got} == {"number", "time"}:
                problems.append(f"holds {got} in {name!r} where {wanted} is due")
    if problems:
        raise InputError(f"the {what} table {'; '.join(problems)}; give the same columns.")
    return codes_like(frame[list(like.columns)], like)


def _family(column: pd.Series) -> str:
    """Text, number, time or anything: what can be compared with what."""
    if column.isna().all() or isinstance(column.dtype, pd.CategoricalDtype):
        return "anything"
    if is_text(column):
        levels = column.dropna().unique()
        numeric = pd.to_numeric(pd.Series(levels, dtype=object), errors="coerce").notna().all()
        return "anything" if numeric or len(levels) <= 2 else "text"
    if is_temporal(column) is not None:
        return "time"
    return "number" if column.dtype.kind in "iuf" else "anything"


def _refuse_unknown(
    table: pd.DataFrame, target: str | None, sensitive: Sequence[str], person: str | None
) -> None:
    if isinstance(sensitive, str):
        raise InputError(
            f"sensitive takes a list of columns, got {sensitive!r}; use [{sensitive!r}]."
        )
    known = list(table.columns)
    roles = [("target", target), ("person", person), *(("sensitive", name) for name in sensitive)]
    for role, name in roles:
        if name is not None and name not in known:
            raise InputError(f"{role} column {name!r} is not in the table; {nearest(name, known)}")
    if person is not None and table[person].isna().any():
        n_missing = int(table[person].isna().sum())
        raise InputError(
            f"person column {person!r} is missing in {n_missing:,} rows; fill it or drop the rows."
        )


def _schema(
    table: pd.DataFrame,
    target: str | None,
    person: str | None,
    schema: Schema | dict[str, dict] | None,
) -> Schema:
    """The schema of all rows: a target of few whole numbers is a class, a person an identifier."""
    if isinstance(schema, Schema):
        for name in table.columns:
            schema[str(name)]
        return schema
    overrides = {name: dict(fields) for name, fields in (schema or {}).items()}
    if person is not None:
        overrides.setdefault(person, {}).setdefault("kind", "identifier")
        overrides[person].setdefault("remake", True)
    columns = infer_schema(table, overrides=overrides)
    if target is not None and "kind" not in overrides.get(target, {}):
        few = table[target].nunique() <= MAX_CLASSES
        if columns[target].kind == "integer" and few:
            overrides.setdefault(target, {})["kind"] = "categorical"
            columns = infer_schema(table, overrides=overrides)
    if person is None:
        _warn_of_people(table)
    return columns


def _warn_of_people(table: pd.DataFrame) -> None:
    for name in table.columns:
        distinct = table[name].nunique()
        if is_id_name(name) and 0.2 * len(table) < distinct < len(table):
            message = (
                f"column {name!r} names {distinct:,} in {len(table):,} rows; if these are people, "
                f"give person={name!r}, or their rows stand on both sides"
            )
            warnings.warn(message, UserWarning, stacklevel=4)


def _refuse_target(column: pd.Series, columns: Schema) -> None:
    name, kind = str(column.name), columns[str(column.name)].kind
    n_missing = int(column.isna().sum())
    if kind == "empty" or n_missing:
        raise InputError(
            f"target {name!r} is missing in {n_missing:,} rows; drop these rows or choose another "
            "target."
        )
    if kind == "constant" or column.nunique() < 2:
        raise InputError(f"target {name!r} has one class only; a classifier needs at least two.")
    if kind not in DISCRETE_KINDS | {"continuous", "integer"}:
        raise InputError(
            f"target {name!r} is of kind {kind}; choose a column of classes or numbers, or declare "
            "its kind in the schema."
        )


def _held_out(
    table: pd.DataFrame,
    columns: Schema,
    target: str | None,
    person: str | None,
    holdout: float,
    seed: int,
) -> np.ndarray:
    """Which rows are held out: a share of each class, and people as a whole."""
    if not 0 < holdout < 1:
        raise InputError(f"holdout is a share in (0, 1), got {holdout}; 0.2 is usual.")
    rows = np.arange(len(table))
    units = rows if person is None else pd.factorize(table[person])[0]
    strata = np.zeros(len(table), dtype="int64")
    classes = [""]
    if target is not None and columns[target].kind in DISCRETE_KINDS:
        strata, levels = pd.factorize(table[target].astype(object))
        classes = [str(level) for level in levels]
    unit_strata = strata if person is None else _strata_of_units(units, strata)
    rng, held_units = generator(seed, "split"), np.zeros(len(unit_strata), dtype=bool)
    for stratum in np.unique(unit_strata):
        members = np.flatnonzero(unit_strata == stratum)
        if len(members) < 2:
            what = "row" if person is None else "person"
            raise InputError(
                f"class {classes[stratum]!r} of target {target!r} has 1 {what}, and train and "
                "holdout need one each; merge it with another class or drop it."
            )
        n_held = min(max(1, round(holdout * len(members))), len(members) - 1)
        held_units[rng.permutation(members)[:n_held]] = True
    held = held_units[units]
    if min(held.sum(), (~held).sum()) < MIN_PART:
        raise InputError(
            f"holdout={holdout} leaves {int((~held).sum())} rows to train and {int(held.sum())} to "
            f"judge; each part needs at least {MIN_PART}."
        )
    return held


def _strata_of_units(units: np.ndarray, strata: np.ndarray) -> np.ndarray:
    """The class that most rows of a person have."""
    counts = pd.crosstab(units, strata)
    return np.asarray(counts.columns)[counts.to_numpy().argmax(axis=1)]


def _joined(seen: pd.DataFrame, unseen: pd.DataFrame) -> pd.DataFrame:
    """Both parts as one table; categories are joined."""
    parts = [seen.copy(), unseen.copy()]
    for name in seen.columns:
        first, second = (part[name].dtype for part in parts)
        if isinstance(first, pd.CategoricalDtype) and isinstance(second, pd.CategoricalDtype):
            levels = first.categories.union(second.categories, sort=False)
            for part in parts:
                part[name] = part[name].cat.set_categories(levels)
    return pd.concat(parts, ignore_index=True)


def _warn_of_shared_rows(seen: pd.DataFrame, unseen: pd.DataFrame) -> None:
    if seen.shape[1] == 0:
        return
    known = pd.util.hash_pandas_object(seen, index=False)
    n_shared = int(pd.util.hash_pandas_object(unseen, index=False).isin(known).sum())
    if n_shared:
        all_of = "ALL" if n_shared == len(unseen) else f"{n_shared:,} of {len(unseen):,}"
        message = (
            f"{all_of} holdout rows also stand in train: the holdout is no fresh control, and "
            "scores that rest on it mislead"
        )
        warnings.warn(message, UserWarning, stacklevel=3)
