"""Aggregates of `figures` as views of charts."""

from collections.abc import Mapping, Sequence
from typing import Any

from reinforge.report.catalogue import TABLES, Catalogue, entry_of
from reinforge.report.numbers import decimals, number, percent, visible
from reinforge.report.svg import nice_ceiling

View = dict[str, Any]
N_MARGINALS = 60
N_ASSOCIATED = 40
N_LEVELS = 10
_NUMERIC = frozenset({"continuous", "integer", "datetime", "timedelta", "numeric"})


def shares(values: object) -> list[float]:
    """Finite shares of a list; anything else counts as nothing."""
    if not isinstance(values, list | tuple):
        return []
    return [number(value) or 0.0 for value in values]


def roc(
    curves: object,
    family: str,
    *,
    catalogue: Catalogue = TABLES,
    y_label: str | None = None,
) -> View | None:
    """ROC curves of one family; attacks get logarithmic axes, down to few false alarms."""
    found: list[View] = []
    for raw in curves if isinstance(curves, list | tuple) else ():
        points = list(zip(shares(raw.get("fpr")), shares(raw.get("tpr")), strict=False))
        if raw.get("family") == family and points:
            title = entry_of(str(raw.get("name", "")), catalogue).title
            auc = decimals(number(raw.get("auc")))
            found.append({"title": visible(title), "auc": auc, "points": points})
    if not found:
        return None
    rates = [rate for curve in found for rate, _ in curve["points"] if rate > 0]
    lowest = None if family == "utility" else (0.001 if min(rates, default=1.0) < 0.01 else 0.01)
    spoken = "; ".join(f"{curve['title']}, AUC {curve['auc']}" for curve in found)
    titles = {"utility": "ROC of the models", "attack": "ROC of the attacks, logarithmic axes"}
    upwards = {"utility": "↑ cases found"}
    return {
        "title": titles.get(family, "ROC"),
        "description": spoken,
        "curves": found,
        "lowest": lowest,
        "x_label": "false alarms →",
        "y_label": y_label or upwards.get(family, "↑ training records found"),
    }


def difference(train: Sequence[float], synthetic: Sequence[float]) -> float:
    """Half the summed difference of two lists of shares: 0 the same, 1 nothing in common."""
    return sum(abs(a - b) for a, b in zip(train, synthetic, strict=False)) / 2


def marginals(raw: object) -> View:
    """One small chart a column; beyond the cap those columns that differ most, in table order."""
    views = [marginal(m) for m in raw] if isinstance(raw, list | tuple) else []
    views = [view for view in views if view["train"] and view["synthetic"]]
    kept = sorted(range(len(views)), key=lambda k: -views[k]["difference"])[:N_MARGINALS]
    return {"charts": [views[k] for k in sorted(kept)], "n_columns": len(views)}


def marginal(raw: Mapping[str, Any]) -> View:
    """One column: bins of a numeric one, levels of a discrete one (the most frequent of many)."""
    sides = {side: shares(raw.get(side)) for side in ("train", "holdout", "synthetic")}
    n = max(map(len, sides.values()))
    sides = {side: _padded(values, n) if values else [] for side, values in sides.items()}
    labels = [visible(label) for label in raw.get("labels") or []]
    labels = (labels + [""] * n)[:n]
    apart = difference(sides["train"], sides["synthetic"])
    name = visible(raw.get("column", ""))
    view = {
        "column": name,
        "title": f"Distribution of {name}",
        "description": f"Training and synthetic differ by {decimals(apart)} (0 same, 1 apart).",
        "is_numeric": raw.get("kind") in _NUMERIC and n > 1,
        "difference": apart,
        "apart": decimals(apart),
    }
    if not view["is_numeric"]:
        labels, sides = _pooled(labels, sides)
        return {**view, "labels": labels, **sides, "missing": ""}
    return view | _bins(labels, sides)


def _bins(labels: list[str], sides: dict[str, list[float]]) -> View:
    """Bins that hold any row; the share of missing values stands in words beside them."""
    missing = ""
    if labels[-1] == "(missing)":
        real, made = (percent(sides[side][-1]) for side in ("train", "synthetic"))
        missing = f"missing: {real} of training rows, {made} of synthetic rows"
        labels = labels[:-1]
    held = [
        k for k in range(len(labels)) if any(values[k] > 0 for values in sides.values() if values)
    ]
    kept = range(held[0], held[-1] + 1) if held else range(0)
    bars = {side: [values[k] for k in kept] if values else [] for side, values in sides.items()}
    ends = [labels[k].replace(">=", "≥") for k in (*kept[:1], *kept[-1:])]
    return {"labels": [labels[k] for k in kept], "ends": ends, "missing": missing, **bars}


def _padded(values: list[float], n: int) -> list[float]:
    return values + [0.0] * (n - len(values))


def _pooled(
    labels: list[str], sides: dict[str, list[float]]
) -> tuple[list[str], dict[str, list[float]]]:
    if len(labels) <= N_LEVELS:
        return labels, sides
    columns = [values for values in sides.values() if values]
    order = sorted(range(len(labels)), key=lambda k: -max(column[k] for column in columns))
    kept, rest = sorted(order[: N_LEVELS - 1]), order[N_LEVELS - 1 :]
    pooled = {
        side: [values[k] for k in kept] + [sum(values[k] for k in rest)] if values else []
        for side, values in sides.items()
    }
    return [labels[k] for k in kept] + [f"{len(rest)} more"], pooled


def association(raw: object) -> View | None:
    """Three heat maps: training rows, synthetic rows, and the second minus the first."""
    if not isinstance(raw, Mapping):
        return None
    names = [visible(name) for name in raw.get("columns") or []]
    train, synthetic = (
        _matrix(raw.get("train"), len(names)),
        _matrix(raw.get("synthetic"), len(names)),
    )
    if len(names) < 2:
        return None
    apart = [
        [None if a is None or b is None else b - a for a, b in zip(*rows, strict=True)]
        for rows in zip(train, synthetic, strict=True)
    ]
    kept = _most_different(apart)
    largest = max((abs(v) for row in apart for v in row if v is not None), default=0.0)
    bounds = (1.0, 1.0, nice_ceiling(max(largest, 0.05)))
    titles = ("Training rows", "Synthetic rows", "Synthetic minus training")
    maps = [
        {
            "title": f"Associations: {title}",
            "heading": title,
            "description": f"Strength from {decimals(-bound)} to {decimals(bound)} by colour.",
            "names": [names[k] for k in kept],
            "cells": [[matrix[i][j] for j in kept] for i in kept],
            "bound": bound,
            "bound_text": decimals(bound),
            "is_signed": any(v is not None and v < 0 for row in matrix for v in row),
        }
        for title, matrix, bound in zip(titles, (train, synthetic, apart), bounds, strict=True)
    ]
    return {"maps": maps, "n_columns": len(names), "n_shown": len(kept)}


def _matrix(raw: object, n: int) -> list[list[float | None]]:
    rows = raw if isinstance(raw, list | tuple) else []
    cells = [[number(v) for v in row][:n] if isinstance(row, list | tuple) else [] for row in rows]
    cells = [row + [None] * (n - len(row)) for row in cells][:n]
    return cells + [[None] * n for _ in range(n - len(cells))]


def _most_different(apart: list[list[float | None]]) -> list[int]:
    totals = [sum(abs(v) for v in row if v is not None) for row in apart]
    order = sorted(range(len(apart)), key=lambda k: -totals[k])
    return sorted(order[:N_ASSOCIATED])


def projection(raw: object) -> View | None:
    """Two histograms on the two main axes of the real rows, shaded on one scale.

    Cells with few real rows were blanked before: a lone cell would be a person.
    """
    if not isinstance(raw, Mapping):
        return None
    real, made = ([shares(row) for row in raw.get(side) or []] for side in ("real", "synthetic"))
    bound = max((share for side in (real, made) for row in side for share in row), default=0.0)
    if bound <= 0:
        return None
    return {
        "maps": [
            {
                "title": f"Map of rows: {title}",
                "heading": title,
                "description": "Shares of rows in cells of the first two principal components.",
                "cells": [list(row) for row in zip(*side, strict=False)],
                "bound": bound,
            }
            for title, side in (("Real rows", real), ("Synthetic rows", made))
        ]
    }


def rules(raw: object) -> list[View]:
    """How often each rule of the user is broken in the three sets of rows."""
    found = []
    for rule in raw if isinstance(raw, list | tuple) else ():
        rates = {side: number(rule.get(side)) for side in ("train", "holdout", "synthetic")}
        texts = {side: percent(rate) for side, rate in rates.items()}
        found.append({"rule": visible(rule.get("rule", "")), **texts})
    return found
