"""Views of the privacy, group and risk-utility sections: many scores laid side by side."""

from collections.abc import Sequence

from reinforge.report.numbers import decimals, visible
from reinforge.report.score_view import (
    EVERYONE,
    View,
    by_order,
    control_view,
    is_all,
    ordered,
    score_row,
)
from reinforge.report.svg import ticks

N_FOREST_GROUPS = 12
SMALL_GROUP = 50  # rows below which an interval is mostly noise


def privacy_blocks(scores: Sequence[View]) -> list[View]:
    """Attack by attack, a table of groups with the controls that this attack has."""
    blocks: dict[str, View] = {}
    for score in by_order(s for s in scores if s["family"] == "privacy"):
        if score["value"] is None:
            continue
        block = blocks.setdefault(
            score["name"], {"first": score_row(score), "controls": {}, "rows": []}
        )
        known = score["known_controls"]
        for name, value in score["baseline"].items():
            block["controls"].setdefault(name, control_view(name, value, known))
        block["controls"] = dict(ordered(block["controls"], known))
        block["rows"].append(score_row(score))
    return list(blocks.values())


def groups(scores: Sequence[View]) -> View:
    """Scores of each group beside those of everybody, and the groups that are hidden."""
    names = list(dict.fromkeys(score["group"] for score in scores if not is_all(score)))
    measured = {s["group"] for s in scores if s["value"] is not None}
    reasons = {
        name: list(dict.fromkeys(s["reason"] for s in scores if s["group"] == name))
        for name in names
        if name not in measured
    }
    by_name: dict[str, list[View]] = {}
    for score in by_order(s for s in scores if s["value"] is not None):
        by_name.setdefault(score["name"], []).append(score)
    several = [rows for rows in by_name.values() if any(not is_all(row) for row in rows)]
    return {
        "names": [visible(name) for name in names if name in measured],
        "charts": [forest_view(rows) for rows in several],
        "hidden": [(visible(name), _in_one(why)) for name, why in reasons.items()],
        "small": sorted(
            {visible(s["group"]) for s in scores if not is_all(s) and (s["n"] or 1e9) < SMALL_GROUP}
        ),
        "table": group_table(several, [name for name in names if name in measured]),
    }


def _in_one(reasons: Sequence[str]) -> str:
    """Several reasons as one text; what all of them begin and end with is said once."""
    parts = [reason.rstrip(".").split("; ") for reason in reasons]
    ends = {tuple(part[1:]) for part in parts}
    heads = [part[0].partition(": ") for part in parts]
    if len(reasons) < 2 or len(ends) > 1 or len({head for head, _, _ in heads}) > 1:
        return "; ".join(reasons)
    said = ", or ".join(tail for _, _, tail in heads if tail) or heads[0][0]
    head = f"{heads[0][0]}: " if heads[0][2] else ""
    return "; ".join([f"{head}{said}", *parts[0][1:]])


def forest_view(rows: Sequence[View]) -> View:
    """One score for several groups on one scale that fits their intervals."""
    shown = rows[: N_FOREST_GROUPS + 1]
    ends = [
        end for row in shown for end in (row["value"], row["low"], row["high"]) if end is not None
    ]
    pad = (max(ends) - min(ends)) * 0.08 or 0.05
    low, high = min(ends) - pad, max(ends) + pad
    low = max(low, 0.0) if min(ends) >= 0 else low
    return {
        "title": f"{rows[0]['title']}, group by group",
        "description": "; ".join(f"{visible(r['group'])} {decimals(r['value'])}" for r in shown),
        "name": visible(rows[0]["name"]),
        "better": rows[0]["better"],
        "heading": rows[0]["title"],
        "low": low,
        "high": high,
        "ticks": ticks(low, high, 3),
        "everyone": next((row["value"] for row in shown if is_all(row)), None),
        "n_left_out": len(rows) - len(shown),
        "rows": [
            {
                "name": "everybody" if is_all(row) else row["group"],
                "is_all": is_all(row),
                "value": row["value"],
                "interval": None
                if row["low"] is None or row["high"] is None
                else (row["low"], row["high"]),
                "n": row["n"],
            }
            for row in shown
        ],
    }


def group_table(by_score: Sequence[Sequence[View]], names: Sequence[str]) -> list[View]:
    """The same as a table: a row a score, a cell a group."""
    table = []
    for rows in by_score:
        cells = {row["group"]: score_row(row) for row in rows}
        table.append(
            {
                "title": rows[0]["title"],
                "name": visible(rows[0]["name"]),
                "cells": [cells.get(name) for name in (EVERYONE, *names)],
            }
        )
    return table


def plane(scores: Sequence[View]) -> View | None:
    """This generator between its controls: usefulness across, what a membership attack finds up.

    A control is a point where both scores have it. None where either score is missing.
    """
    everyone = {s["name"]: s for s in scores if is_all(s) and s["value"] is not None}
    across = next((everyone[n] for n in ("s2r_auc", "s2r_r2", "coverage") if n in everyone), None)
    up = everyone.get("membership_auc")
    if across is None or up is None:
        return None
    points = [
        {
            **control_view(name, value),
            "is_generator": False,
            "x": value,
            "y": up["baseline"][name],
            "x_interval": None,
            "y_interval": None,
        }
        for name, value in ordered(across["baseline"])
        if name in up["baseline"]
    ]
    points.append(_generator_point(across, up))
    xs = [v for p in points for v in (p["x"], *(p["x_interval"] or ()))]
    ys = [v for p in points for v in (p["y"], *(p["y_interval"] or ()))]
    return {
        "title": "Risk and utility: this generator and its controls",
        "description": "; ".join(
            f"{p['label']}: {decimals(p['x'])} across, {decimals(p['y'])} up" for p in points
        ),
        "lines": _lines(across, up),
        "x_label": f"{across['title']} ({across['name']}) →",
        "y_label": f"↑ {up['title']} ({up['name']})",
        "x_domain": _padded(min([*xs, across["scale"].low]), max([*xs, 1.0])),
        "y_domain": _padded(min([*ys, 0.5]), max([*ys, 1.0])),
        "points": points,
    }


def _lines(across: View, up: View) -> list[View]:
    """Controls that only one of the two scores has: a line instead of a point."""
    upright = [
        {"label": control_view(name, value)["label"], "x": value, "y": None}
        for name, value in ordered(across["baseline"])
        if name not in up["baseline"]
    ]
    level = [
        {"label": control_view(name, value)["label"], "x": None, "y": value}
        for name, value in ordered(up["baseline"])
        if name not in across["baseline"]
    ]
    return upright + level


def _padded(low: float, high: float) -> tuple[float, float]:
    room = 0.06 * (high - low)
    return low - room, high + room


def _generator_point(across: View, up: View) -> View:
    def ends(score: View) -> tuple[float, float] | None:
        known = score["low"] is not None and score["high"] is not None
        return (score["low"], score["high"]) if known else None

    return {
        "label": "this generator",
        "shape": "circle",
        "css": "",
        "is_generator": True,
        "x": across["value"],
        "y": up["value"],
        "x_interval": ends(across),
        "y_interval": ends(up),
    }
