"""Views of the page of pictures: arms, groups, leakage."""

from collections.abc import Mapping, Sequence

from reinforge.report.catalogue import entry_of
from reinforge.report.numbers import decimals, interval, number, visible
from reinforge.report.picture_catalogue import ARMS, PICTURES
from reinforge.report.score_view import View, by_order, is_people
from reinforge.report.svg import ticks
from reinforge.report.verdict import band_of


def read_arms(raw: object) -> list[View]:
    """Measured arms, one a pair of arm and score; the first one counts where there are two."""
    found: dict[tuple[str, str], View] = {}
    for each in raw if isinstance(raw, list | tuple) else ():
        row = {key: number(each.get(key)) for key in ("value", "low", "high")}
        key = (str(each.get("arm", "")), str(each.get("score", "")))
        if row["value"] is not None:
            found.setdefault(key, {"arm": key[0], "score": key[1], **row, "band": band_of(row)})
    return list(found.values())


def arms_view(rows: Sequence[View]) -> View | None:
    """Arms by scores: a table, and a small figure of dots and intervals for each score."""
    if not rows:
        return None
    arms = sorted(
        dict.fromkeys(row["arm"] for row in rows),
        key=lambda arm: list(ARMS).index(arm) if arm in ARMS else len(ARMS),
    )
    names = sorted(dict.fromkeys(row["score"] for row in rows), key=PICTURES.place)
    cells = {(row["arm"], row["score"]): row for row in rows}
    return {
        "charts": [_arms_chart(name, arms, cells) for name in names],
        "scores": [(visible(name), visible(entry_of(name, PICTURES).title)) for name in names],
        "table": [
            {
                "label": arm_label(arm),
                "meaning": ARMS[arm][1] if arm in ARMS else "",
                "cells": [_arm_cell(cells.get((arm, name))) for name in names],
            }
            for arm in arms
        ],
    }


def arm_label(arm: str) -> str:
    """What an arm is called on the page."""
    return ARMS[arm][0] if arm in ARMS else visible(arm)


def _arm_cell(row: View | None) -> View | None:
    if row is None:
        return None
    return {"value": decimals(row["value"]), "interval": interval(row["low"], row["high"])}


def _arms_chart(name: str, arms: Sequence[str], cells: Mapping[tuple[str, str], View]) -> View:
    """The view of `forest_chart`, with arms in the place of groups."""
    shown = [(arm, cells[arm, name]) for arm in arms if (arm, name) in cells]
    ends = [v for _, row in shown for v in (row["value"], row["low"], row["high"]) if v is not None]
    pad = (max(ends) - min(ends)) * 0.08 or 0.05
    low, high = min(ends) - pad, max(ends) + pad
    entry = entry_of(name, PICTURES)
    return {
        "title": f"{visible(entry.title)}, arm by arm",
        "description": "; ".join(f"{arm_label(arm)} {decimals(r['value'])}" for arm, r in shown),
        "name": visible(name),
        "heading": visible(entry.title),
        "low": low,
        "high": high,
        "ticks": ticks(low, high, 3),
        "everyone": cells["real", name]["value"] if ("real", name) in cells else None,
        "n_left_out": 0,
        "rows": [
            {
                "name": arm_label(arm),
                "is_all": arm in ("reinforced", "selected"),
                "value": row["value"],
                "interval": row["band"],
                "n": None,
            }
            for arm, row in shown
        ],
    }


def gap_views(scores: Sequence[View]) -> list[View]:
    """Recognition of each group as bars, the best group first, with the gap from best to worst."""
    by_name: dict[str, list[View]] = {}
    for score in by_order(s for s in scores if s["value"] is not None and is_people(s)):
        if score["family"] == "utility":
            by_name.setdefault(score["name"], []).append(score)
    return [_gap_view(rows) for rows in by_name.values() if len(rows) > 1]


def _gap_view(rows: Sequence[View]) -> View:
    ranked = sorted(rows, key=lambda row: -row["value"])
    best, worst = ranked[0]["value"], ranked[-1]["value"]
    scale = rows[0]["scale"]
    ends = [e for row in ranked for e in (row["value"], row["low"], row["high"]) if e is not None]
    low = scale.low if min(ends) >= scale.low else min(0.0, *ends)
    return {
        "title": f"{rows[0]['title']}, group by group",
        "description": "; ".join(f"{visible(r['group'])} {decimals(r['value'])}" for r in ranked),
        "name": visible(rows[0]["name"]),
        "heading": rows[0]["title"],
        "low": low,
        "high": max([1.0, *ends]),
        "low_text": scale.low_text if low == scale.low else "",
        "best": best,
        "worst": worst,
        "gap": decimals(best - worst),
        "has_real": any("real" in row["baseline"] for row in ranked),
        "rows": [
            {
                "name": visible(row["group"]),
                "value": row["value"],
                "interval": band_of(row),
                "n": row["n"],
                "real": row["baseline"].get("real"),
            }
            for row in ranked
        ],
    }


_MARKS = (("copy_below", "copy"), ("match_below", "match"), ("threshold", "threshold"))


def histograms(raw: Mapping[str, object]) -> list[View]:
    """How far pictures lie from the nearest training picture: synthetic ones beside fresh ones.

    Args:
        raw: Title -> edges of `bins`, shares of `synthetic` and `holdout`, thresholds.
    """
    found = []
    for title, each in raw.items():
        if not isinstance(each, Mapping):
            continue
        edges = [number(edge) for edge in each.get("bins") or []]
        sides = {
            side: [number(share) or 0.0 for share in each.get(side) or []]
            for side in ("synthetic", "holdout")
        }
        n = len(sides["synthetic"])
        if n and len(edges) == n + 1 and None not in edges and len(sides["holdout"]) in (0, n):
            marks = [(number(each.get(key)), label) for key, label in _MARKS]
            found.append(
                {
                    "title": title,
                    "description": _medians(edges, sides),
                    "edges": edges,
                    "marks": [(at, label) for at, label in marks if at is not None],
                    **sides,
                }
            )
    return found


def _medians(edges: Sequence[float | None], sides: Mapping[str, Sequence[float]]) -> str:
    said = []
    for side, label in (("synthetic", "synthetic"), ("holdout", "fresh real")):
        total, below = sum(sides[side]), 0.0
        for k, share in enumerate(sides[side]):
            below += share
            if total > 0 and below >= total / 2:
                said.append(f"half of the {label} pictures lie within {decimals(edges[k + 1])}")
                break
    return "; ".join(said)
