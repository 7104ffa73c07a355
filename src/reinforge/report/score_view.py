"""One score as the page shows it: text, a strip on a scale, controls in a fixed order."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reinforge.report.catalogue import CONTROLS, TABLES, Catalogue, Control, Scale, entry_of
from reinforge.report.numbers import count, decimals, interval, number, shorten, tick, visible
from reinforge.report.svg import nice_ceiling

View = dict[str, Any]
EVERYONE = "all"
WORST_COLUMNS = "worst columns"  # an attack on the part of the columns where it finds most

_BETTER = {
    "higher": "higher is better",
    "lower": "lower is better",
    "near 0.5": "best near 0.5",
    "near 1": "best near 1",
}


def read_score(score: Mapping[str, Any], catalogue: Catalogue = TABLES) -> View:
    """One score of the file with every field present and every number finite or None."""
    entry = entry_of(str(score.get("name", "")), catalogue)
    baseline = {
        str(name): value
        for name, raw in (score.get("baseline") or {}).items()
        if (value := number(raw)) is not None
    }
    return {
        "name": entry.name,
        "family": entry.family,
        "group": str(score.get("group") or EVERYONE),
        "value": number(score.get("value")),
        "low": number(score.get("low")),
        "high": number(score.get("high")),
        "n": number(score.get("n")),
        "better": _BETTER.get(str(score.get("better")), ""),
        "meaning": visible(score.get("meaning") or entry.meaning),
        "baseline": baseline,
        "reason": visible(score.get("reason") or "no reason was given"),
        "title": visible(entry.title),
        "scale": entry.scale,
        "place": catalogue.place(entry.name),
        "known_controls": catalogue.controls,
    }


def with_real_control(scores: Sequence[View]) -> list[View]:
    """Give every score of synthetic-trained models the control that another score holds.

    A generator that copies its training rows trains the same models as these rows do, so that its
    S2R is their R2R.
    """
    real = {(s["name"], s["group"]): s["value"] for s in scores if s["name"].startswith("r2r_")}
    found = []
    for score in scores:
        value = real.get((score["name"].replace("s2r_", "r2r_", 1), score["group"]))
        if score["name"].startswith("s2r_") and value is not None:
            score = {**score, "baseline": {"copy": value} | score["baseline"]}
        found.append(score)
    return found


def is_all(score: View) -> bool:
    """Whether a score is about everybody."""
    return bool(score["group"] == EVERYONE)


def is_people(score: View) -> bool:
    """Whether a score is about a group of people, and not about everybody or some columns."""
    return not is_all(score) and score["group"] != WORST_COLUMNS


def by_order(scores: Iterable[View]) -> list[View]:
    """Scores in the order of the catalogue, everybody before outliers before groups."""
    groups = {EVERYONE: 0, "outliers": 1, WORST_COLUMNS: 2}
    return sorted(scores, key=lambda s: (s["place"], groups.get(s["group"], 3)))


def strip_view(score: View) -> View:
    """The strip of one score: its scale is widened until value, interval and controls fit."""
    scale: Scale = score["scale"]
    band = None if score["low"] is None or score["high"] is None else (score["low"], score["high"])
    present = [score["value"], *(band or ()), *score["baseline"].values()]
    values = [value for value in present if value is not None]
    low, high = domain(scale, values)
    known = score["known_controls"]
    controls = [control_view(name, v, known) for name, v in ordered(score["baseline"], known)]
    spoken = ", ".join(f"{c['label']} {decimals(c['value'])}" for c in controls)
    return {
        "title": f"{score['title']}: {decimals(score['value'])}",
        "description": f"Scale from {tick(low)} to {tick(high)}. Controls: {spoken or 'none'}.",
        "low": low,
        "high": high,
        "low_text": f"{tick(low)} {scale.low_text if low == scale.low else ''}".strip(),
        "high_text": f"{tick(high)} {scale.high_text if high == scale.high else ''}".strip(),
        "mark": scale.low if low < scale.low else scale.mark,
        "mark_text": scale.low_text if low < scale.low else scale.mark_text,
        "value": score["value"],
        "interval": band,
        "controls": controls,
    }


def domain(scale: Scale, values: Sequence[float]) -> tuple[float, float]:
    """The ends of a scale, moved outwards to round numbers where a value lies beyond them."""
    low = min([scale.low, *values])
    high = scale.high if scale.high is not None else nice_ceiling(max([*values, 0.0]))
    high = max([high, *values])
    if low < scale.low:
        low = max(math.floor(low * 20 + 1e-9) / 20, -1.0)
    return low, high


def ordered(
    baseline: Mapping[str, Any], known: Mapping[str, Control] = CONTROLS
) -> list[tuple[str, Any]]:
    """Controls in the order of the catalogue, unknown ones after them."""
    order = list(known)
    return sorted(
        baseline.items(),
        key=lambda pair: order.index(pair[0]) if pair[0] in order else len(order),
    )


def control_view(name: str, value: float, known: Mapping[str, Control] = CONTROLS) -> View:
    """A control with its label and the sign that stands for it."""
    label, short, shape = known.get(name, (shorten(name, 40), shorten(name, 16), "bar"))
    css = name if name in known else "unknown"
    return {"label": label, "short": short, "shape": shape, "css": css, "value": value}


def score_row(score: View) -> View:
    """One score as a row of a table."""
    return {
        "name": visible(score["name"]),
        "title": score["title"],
        "group": visible(score["group"]),
        "is_all": is_all(score),
        "value": decimals(score["value"]),
        "interval": interval(score["low"], score["high"]),
        "n": count(score["n"]),
        "better": score["better"],
        "meaning": score["meaning"],
        "reason": score["reason"],
        "has_value": score["value"] is not None,
        "strip": strip_view(score),
        "baseline": {name: decimals(value) for name, value in score["baseline"].items()},
    }
