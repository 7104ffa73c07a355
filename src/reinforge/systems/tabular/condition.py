"""Rows under conditions, drawn by the policy itself: no rejection loop, exact counts.

The policy knows the probability of every condition given its latent z and the columns drawn so far.
So each latent of a pool draws a row inside the conditions and is weighted by the chance that it had
(sampling importance resampling, Rubin 1987). The work is bounded, and a condition that the policy
cannot meet is refused at once.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from reinforge.data.coded import encode
from reinforge.data.dtypes import dtype_of, step_of_format
from reinforge.errors import InputError
from reinforge.schema import Column, Schema

_DAY = 86_400.0
_OPERATORS = ("<=", ">=", "!=", "==", "=", "<", ">")


@dataclass(frozen=True, kw_only=True)
class Condition:
    """What one modelled column may be: some of its levels, or an interval of its amounts."""

    column: int  # position among the modelled columns
    levels: frozenset[int] | None = None
    low: float = -np.inf  # in coded units, on the column's own grid, both ends included
    high: float = np.inf
    missing: bool = False  # whether a missing value meets it as well

    @property
    def may_be_there(self) -> bool:
        """Whether any value meets it, apart from a missing one."""
        return bool(self.levels if self.levels is not None else self.low <= self.high)


Where = Mapping[str, Any] | Sequence[str] | None


def parse_where(where: Where, schema: Schema) -> tuple[Condition, ...]:
    """Read conditions such as ``{"sex": "F"}`` or ``["outcome=1", "age>=60"]``.

    Args:
        where: A mapping column -> value (or list of values), or texts with = != < <= > >=; several
            texts on one column must all hold.
        schema: The fitted schema.

    Raises:
        InputError: Unknown column, unknown level (the allowed ones are listed), an order on a
            column
            that has none, or conditions that exclude each other.
    """
    found: dict[int, Condition] = {}
    position = {column.name: i for i, column in enumerate(schema.modelled)}
    for name, sign, value in _triples(where, schema):
        column = schema[name]
        if not column.is_modelled:
            _check_constant(column, sign, value)
            continue
        new = _condition(position[name], column, sign, value)
        found[position[name]] = both(found.get(position[name]), new, column)
    return tuple(found.values())


def _triples(where: Where, schema: Schema) -> list[tuple[str, str, Any]]:
    if where is None:
        return []
    if isinstance(where, str):
        where = [where]
    if isinstance(where, Mapping):
        for name in where:
            schema[name]  # an unknown column is refused here
        return [(name, "=", value) for name, value in where.items()]
    return [_triple(text, schema) for text in where]


def _triple(text: str, schema: Schema) -> tuple[str, str, str]:
    for name in sorted(schema.names, key=len, reverse=True):
        rest = text.strip()[len(name) :].lstrip()
        if text.strip().startswith(name) and rest.startswith(("=", "<", ">", "!=")):
            sign = next(sign for sign in _OPERATORS if rest.startswith(sign))
            return name, "=" if sign == "==" else sign, rest[len(sign) :].strip()
    name = re.split(r"[=<>!]", text, maxsplit=1)[0].strip()
    if name == text.strip():
        raise InputError(f"condition {text!r}: write COLUMN=VALUE (or != < <= > >=).")
    schema[name]  # an unknown column is refused with the known ones
    raise InputError(f"condition {text!r}: write COLUMN=VALUE (or != < <= > >=).")


def _check_constant(column: Column, sign: str, value: Any) -> None:
    if column.kind == "constant" and sign == "=" and _same(column.value, value):
        return
    what = (
        f"always {column.value!r}" if column.kind == "constant" else f"not learnt ({column.kind})"
    )
    raise InputError(f"condition on {column.name!r}: the column is {what}.")


def _condition(place: int, column: Column, sign: str, value: Any) -> Condition:
    values = list(value) if isinstance(value, list | tuple | set | frozenset) else [value]
    if not column.is_numeric:
        codes = {_code(column, item) for item in values}
        every = range(len(column.categories))
        if sign in ("=", "!="):
            chosen = codes if sign == "=" else set(every) - codes
        elif column.kind == "ordinal":
            chosen = {k for k in every if _holds(k, sign, min(codes))}
        else:
            raise InputError(
                f"condition on {column.name!r}: {sign} needs an order, and {column.kind} "
                "values have none; use = or !=."
            )
        return Condition(column=place, levels=frozenset(chosen))
    if len(values) != 1 or sign == "!=":
        raise InputError(
            f"condition on {column.name!r}: give one number with = < <= > or >=, not "
            f"{sign} {value!r}."
        )
    low, high = _interval(_amount(column, values[0]), sign, column)
    if low > high:
        raise InputError(f"condition on {column.name!r}: {value!r} is no value of this column.")
    return Condition(column=place, low=low, high=high)


def _interval(amount: float, sign: str, column: Column) -> tuple[float, float]:
    """Both ends of what a comparison allows, on the values that the column can write."""
    step = grid(column)
    above, below = float(np.nextafter(amount, np.inf)), float(np.nextafter(amount, -np.inf))
    at_least = at_most = amount
    if step >= _DAY and _zone(column) is not None:  # local days: midnights stand 23 to 25 h apart
        above, below = amount + step - 7200, amount - step + 7200
    elif step:
        first, last = np.ceil(amount / step - 1e-9), np.floor(amount / step + 1e-9)
        at_least, at_most = first * step, last * step
        above, below = (last + 1) * step, (first - 1) * step
    low = {"=": at_least, ">=": at_least, ">": above}.get(sign, -np.inf)
    high = {"=": at_most, "<=": at_most, "<": below}.get(sign, np.inf)
    return low, high


def _holds(code: int, sign: str, bound: int) -> bool:
    return {"<": code < bound, "<=": code <= bound, ">": code > bound, ">=": code >= bound}[sign]


def _code(column: Column, value: Any) -> int:
    for alike in (_exactly, _same):
        for code, level in enumerate(column.categories):
            if alike(level, value):
                return code
    allowed = ", ".join(repr(level) for level in column.categories[:20])
    raise InputError(
        f"condition on {column.name!r}: {value!r} is none of its values; allowed: {allowed}."
    )


def _exactly(level: Any, value: Any) -> bool:
    return bool(level == value) or str(level) == str(value)


def _same(level: Any, value: Any) -> bool:
    """Whether a value means this level: letter case and the spelling of a number do not count."""
    if str(level).casefold() == str(value).casefold():
        return True
    if isinstance(level, str) or isinstance(value, bool):
        return False
    try:
        return float(level) == float(value)
    except (TypeError, ValueError):
        return False


def _amount(column: Column, value: Any) -> float:
    if column.kind in ("continuous", "integer"):
        try:
            amount = float(value)
        except (TypeError, ValueError):
            amount = np.nan
    else:
        amount = float(encode(_moment(column, value), column)[0])
    if not np.isfinite(amount):
        raise InputError(f"condition on {column.name!r}: {value!r} is no value of this column.")
    return amount


def _moment(column: Column, value: Any) -> pd.Series:
    """A date as the column holds dates: text without a zone is meant in the column's own zone."""
    series = pd.Series([value], name=column.name)
    zone = _zone(column)
    if zone is None or not isinstance(value, str):
        return series
    parsed = pd.to_datetime(series, format=column.datetime_format or "ISO8601", errors="coerce")
    if getattr(parsed.dtype, "tz", None) is None:
        parsed = parsed.dt.tz_localize(zone, ambiguous="NaT", nonexistent="shift_forward")
    return parsed


def _zone(column: Column) -> Any:
    return getattr(dtype_of(column.dtype), "tz", None)


def grid(column: Column) -> float:
    """The distance between neighbouring values that the column can write; 0: none."""
    if column.kind == "integer":
        return 1.0
    if column.kind == "datetime" and column.datetime_format:
        return step_of_format(column.datetime_format)
    return 10.0**-column.decimals if column.decimals is not None else 0.0


def on_grid(amount: np.ndarray, step: float) -> np.ndarray:
    """Amounts rounded to multiples of a step; as they are where it is 0."""
    return np.round(amount / step) * step if step else amount


def both(old: Condition | None, new: Condition, column: Column) -> Condition:
    """One condition that holds where two conditions on a column hold.

    Raises:
        InputError: They exclude each other.
    """
    if old is not None:
        levels = new.levels if old.levels is None else old.levels & (new.levels or frozenset())
        new = Condition(
            column=new.column,
            levels=levels,
            low=max(old.low, new.low),
            high=min(old.high, new.high),
            missing=old.missing and new.missing,
        )
    if not (new.may_be_there or new.missing):
        raise InputError(f"the conditions on {column.name!r} exclude each other: no value is left.")
    return new
