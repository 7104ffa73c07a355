"""The user's rules: a small safe grammar, read as a syntax tree and never run as code.

    systolic > diastolic
    age >= 18 or drinks == "no"
    sex == "M" -> pregnant == "no"          (if ... then ...)
    `blood pressure` in (80, 90, 100)
    discharge_date >= admission_date
    abs(total - part_a - part_b) <= 0.5

A comparison with a missing value breaks no rule.
"""

import ast
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from reinforge.errors import InputError

_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_GRAMMAR = (
    'use columns, numbers, "text", + - * /, < <= > >= == !=, in (...), and, or, not, abs(...), '
    "and -> for if-then; put backticks round a column name that is no single word"
)
_LONGEST = 2_000  # characters
_DEEPEST = 40  # nested expressions


@dataclass(frozen=True)
class Rule:
    """One rule: its text and the columns that it names."""

    text: str
    columns: tuple[str, ...]
    _parts: tuple[ast.expr, ...]  # premise and conclusion, or the whole rule
    _names: dict[str, str]  # placeholder -> column

    def broken(self, frame: pd.DataFrame) -> np.ndarray:
        """Which rows break the rule.

        Args:
            frame: Decoded rows with the rule's columns.

        Returns:
            (row,) bool.

        Raises:
            InputError: A column is absent, or values cannot be compared.
        """
        for name in self.columns:
            if name not in frame.columns:
                raise InputError(
                    f"rule {self.text!r}: no column {name!r}; the table has "
                    f"{', '.join(map(repr, frame.columns[:20]))}."
                )
        try:
            *premise, conclusion = (self._holds(part, frame) for part in self._parts)
        except TypeError as error:
            raise InputError(
                f"rule {self.text!r}: cannot compare these values ({error}); numbers compare with "
                "numbers and text with quoted text."
            ) from None
        except ValueError as error:
            reason = str(error).partition(",")[0].splitlines()[0]
            raise InputError(
                f"rule {self.text!r}: a date cannot be read ({reason}); write it as YYYY-MM-DD."
            ) from None
        holds, known = conclusion
        broken = known & ~holds
        for premise_holds, premise_known in premise:
            broken &= premise_known & premise_holds
        return np.asarray(np.broadcast_to(broken, len(frame)), dtype=bool)

    def _holds(self, node: ast.expr, frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Three-valued truth: (true, known), each (row,) bool."""
        if isinstance(node, ast.BoolOp):
            parts = [self._holds(value, frame) for value in node.values]
            true: Any = np.stack([t & k for t, k in parts])
            false: Any = np.stack([~t & k for t, k in parts])
            if isinstance(node.op, ast.And):
                return true.all(0), true.all(0) | false.any(0)
            return true.any(0), true.any(0) | false.all(0)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            true, known = self._holds(node.operand, frame)
            return ~true, known
        if isinstance(node, ast.Compare):
            return self._compared(node, frame)
        value, missing = self._value(node, frame)
        return np.asarray(value, dtype=bool), ~missing

    def _compared(self, node: ast.Compare, frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        left, left_missing = self._value(node.left, frame)
        true = np.ones(len(frame), dtype=bool)
        known = np.ones(len(frame), dtype=bool)
        for op, right_node in zip(node.ops, node.comparators, strict=True):
            known &= ~left_missing
            if isinstance(op, ast.In | ast.NotIn):
                inside = np.zeros(len(frame), dtype=bool)
                for item in right_node.elts:  # type: ignore[attr-defined]  # checked when parsed
                    inside |= _compare(operator.eq, left, self._value(item, frame)[0], left_missing)
                true &= inside if isinstance(op, ast.In) else ~inside
                continue
            right, right_missing = self._value(right_node, frame)
            known &= ~right_missing
            true &= _compare(_COMPARE[type(op)], left, right, left_missing | right_missing)
            left, left_missing = right, right_missing
        return true, known

    def _value(self, node: ast.expr, frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Values and which of them are missing, each (row,)."""
        if isinstance(node, ast.Constant):
            value = np.empty(len(frame), dtype=object if isinstance(node.value, str) else None)
            value[:] = node.value
            return value, np.zeros(len(frame), dtype=bool)
        if isinstance(node, ast.Name):
            return _column_values(frame[self._names.get(node.id, node.id)])
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            value, missing = self._value(node.operand, frame)
            return -value, missing
        if isinstance(node, ast.Call):
            value, missing = self._value(node.args[0], frame)
            return np.abs(value), missing
        if isinstance(node, ast.BinOp):
            left, left_missing = self._value(node.left, frame)
            right, right_missing = self._value(node.right, frame)
            with np.errstate(divide="ignore", invalid="ignore"):
                value = _ARITHMETIC[type(node.op)](left, right)
            undefined = pd.isna(value)
            if isinstance(node.op, ast.Div):
                undefined = undefined | (right == 0)
            return value, left_missing | right_missing | np.asarray(undefined)
        truth, known = self._holds(node, frame)
        return truth, ~known


def _column_values(column: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    missing = column.isna().to_numpy(dtype=bool)
    if pd.api.types.is_bool_dtype(column) or pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(dtype=np.float64, na_value=np.nan), missing
    if pd.api.types.is_datetime64_any_dtype(column):
        return pd.to_datetime(column, utc=True).dt.tz_localize(None).to_numpy(), missing
    if pd.api.types.is_timedelta64_dtype(column):
        return column.dt.total_seconds().to_numpy(), missing
    return column.astype(object).to_numpy(), missing


def _compare(
    op: Callable[[Any, Any], Any], left: np.ndarray, right: np.ndarray, missing: np.ndarray
) -> np.ndarray:
    """Compare where both sides are there; text that should be a date is read as one."""
    result = np.zeros(len(left), dtype=bool)
    there = ~missing
    a, b = left[there], right[there]
    if a.dtype.kind == "M" and b.dtype == object:
        b = _dates(b)
    elif b.dtype.kind == "M" and a.dtype == object:
        a = _dates(a)
    result[there] = np.asarray(op(a, b), dtype=bool)
    return result


def _dates(text: np.ndarray) -> np.ndarray:
    return pd.to_datetime(pd.Series(text), format="ISO8601").to_numpy()


def parse_rule(text: str) -> Rule:
    """Read one rule.

    Args:
        text: The rule, at most 2,000 characters.

    Returns:
        The rule, ready to be held against rows.

    Raises:
        InputError: The text is not in the grammar; the message shows what is.
    """
    if len(text) > _LONGEST:
        raise InputError(f"rule of {len(text)} characters is too long; {_LONGEST} at most.")
    names: dict[str, str] = {}

    def placeholder(match: re.Match[str]) -> str:
        key = f"column_{len(names)}_"
        names[key] = match.group(1)
        return f" {key} "

    quoted = re.sub(r"`([^`]+)`", placeholder, text)
    parts = re.split(r"->(?=(?:[^\"']|\"[^\"]*\"|'[^']*')*$)", quoted)
    if len(parts) > 2:
        raise InputError(f"rule {text!r}: one -> at most; {_GRAMMAR}.")
    trees = tuple(_parsed(part, text) for part in parts)
    found = [node.id for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Name)]
    columns = tuple(dict.fromkeys(names.get(name, name) for name in found if name != "abs"))
    if not columns:
        raise InputError(f"rule {text!r}: names no column; {_GRAMMAR}.")
    return Rule(text, columns, trees, names)


def _parsed(part: str, text: str) -> ast.expr:
    try:
        tree = ast.parse(part.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise InputError(f"rule {text!r}: cannot be read; {_GRAMMAR}.") from None
    _refuse_strange(tree, text, depth=0)
    return tree


def _refuse_strange(node: ast.AST, text: str, depth: int) -> None:
    allowed = (
        isinstance(node, ast.BoolOp | ast.Name)
        or (isinstance(node, ast.Constant) and isinstance(node.value, str | int | float | bool))
        or (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub))
        or (isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC)
        or (isinstance(node, ast.Compare) and _is_plain_comparison(node))
        or (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "abs"
            and len(node.args) == 1
            and not node.keywords
        )
    )
    if not allowed or depth > _DEEPEST:
        raise InputError(f"rule {text!r}: holds something that no rule may hold; {_GRAMMAR}.")
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Tuple | ast.List):
            for item in child.elts:
                _refuse_strange(item, text, depth + 1)
        elif isinstance(child, ast.expr):
            _refuse_strange(child, text, depth + 1)


def _is_plain_comparison(node: ast.Compare) -> bool:
    return all(
        type(op) in _COMPARE
        or (isinstance(op, ast.In | ast.NotIn) and isinstance(right, ast.Tuple | ast.List))
        for op, right in zip(node.ops, node.comparators, strict=True)
    )
