"""Leakage against usefulness over several trainings: by privacy weight, by length of cold start."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from reinforge.report import svg
from reinforge.report.figures import frame, whiskers, x_axis, y_axis
from reinforge.report.numbers import decimals, number, shorten
from reinforge.report.score_view import View
from reinforge.report.verdict import Band

LEAST_SPAN = 0.1  # of an axis: points that are all but level should look it

# Colours of the page in light, for a drawing that stands alone
_STYLE = """
text { font-family: ui-sans-serif, "Segoe UI", Roboto, Arial, sans-serif; fill: #17191c; }
.tick { font-size: 10.5px; fill: #59616b; } .label { font-size: 11.5px; fill: #59616b; }
.axis { stroke: #9aa2ab; fill: none; } .grid { stroke: #dfe3e7; }
.trail { fill: none; stroke: #0072b2; stroke-width: 1.5; opacity: 0.6; }
.whisker { stroke: #0072b2; stroke-width: 2; opacity: 0.45; }
.value { fill: #0072b2; stroke: #ffffff; stroke-width: 1.5; }
.halo { font-size: 12px; font-weight: 650; }
.halo { paint-order: stroke; stroke: #ffffff; stroke-width: 4px; }
"""


def front(
    raw: object, *, leakage: str = "identity leakage", accuracy: str = "verification accuracy"
) -> View | None:
    """One point a training: joined by weight of the privacy reward, for each length of cold start.

    Where the weight is the same in all, points are joined by their cold start. None for fewer than
    two points.

    Args:
        raw: Of each training `privacy_weight`, `accuracy` and `leakage` with their `_low` and
            `_high`, and perhaps `cold_start_steps`.
        leakage: What the leakage is, in words.
        accuracy: What the accuracy is.
    """
    points = [
        point
        for each in (raw if isinstance(raw, list | tuple) else ())
        if (point := _point(each)) is not None
    ]
    if len(points) < 2:
        return None
    points.sort(key=lambda point: (point["steps"] or 0, point["weight"]))
    has_weights = len({point["weight"] for point in points}) > 1
    lengths = sorted({point["steps"] or 0 for point in points})
    trails = [points]
    if has_weights:
        trails = [[p for p in points if (p["steps"] or 0) == length] for length in lengths]
    for point in points:
        weight, steps = f"{point['weight']:g}", f"{point['steps'] or 0:g}"
        both = f"{weight} ({steps})"
        point["label"] = (both if len(lengths) > 1 else weight) if has_weights else steps
    knob = "weight of the privacy reward" if has_weights else "length of the cold start"
    beside = " (steps of cold start)" if has_weights and len(lengths) > 1 else ""
    return {
        "title": f"Leakage against usefulness, by {knob}",
        "how": f"The number beside a dot is the {knob}{beside}.",
        "description": "; ".join(
            f"{p['label']}: {decimals(p['x'])} across, {decimals(p['y'])} up" for p in points
        ),
        "x_label": f"{accuracy} →",
        "y_label": f"↑ {leakage}",
        "x_domain": _domain(points, "x"),
        "y_domain": _domain(points, "y"),
        "points": points,
        "trails": trails,
    }


def _point(each: Mapping[str, Any]) -> View | None:
    weight, x, y = (number(each.get(k)) for k in ("privacy_weight", "accuracy", "leakage"))
    if weight is None or x is None or y is None:
        return None
    return {
        "weight": weight,
        "steps": number(each.get("cold_start_steps")),
        "x": x,
        "y": y,
        "x_interval": _ends(each, "accuracy"),
        "y_interval": _ends(each, "leakage"),
    }


def _ends(each: Mapping[str, Any], key: str) -> Band:
    low, high = number(each.get(f"{key}_low")), number(each.get(f"{key}_high"))
    return None if low is None or high is None else (low, high)


def _domain(points: Sequence[View], axis: str) -> tuple[float, float]:
    values = [v for p in points for v in (p[axis], *(p[f"{axis}_interval"] or ()))]
    span = max(values) - min(values)
    room = max(0.12 * span, (LEAST_SPAN - span) / 2)
    return min(values) - room, max(values) + room


def front_chart(view: View) -> Markup:
    """One dot a training, joined in order: less leakage down, more use to the right."""
    left, top, right, bottom = 46.0, 34.0, 450.0, 290.0
    x = svg.linear(view["x_domain"], (left, right))
    y = svg.linear(view["y_domain"], (bottom, top))
    parts = [
        *x_axis(x, svg.ticks(*view["x_domain"]), top, bottom),
        *y_axis(y, svg.ticks(*view["y_domain"]), left, right),
        frame((left, top, right, bottom)),
        *(svg.path([(x(p["x"]), y(p["y"])) for p in trail], "trail") for trail in view["trails"]),
    ]
    dots = [(x(point["x"]), y(point["y"])) for point in view["points"]]
    labels: list[tuple[float, float]] = []
    for point in view["points"]:
        at = (x(point["x"]), y(point["y"]))
        parts += whiskers(point, at, x, y)
        parts.append(svg.mark("circle", *at, "value", radius=6.0))
        words = shorten(point["label"], 12)
        labels.append(_beside(at, labels, dots))
        parts.append(svg.text(words, *labels[-1], css="halo strong"))
    parts.append(svg.text(view["x_label"], right, bottom + 34, css="label", anchor="end"))
    parts.append(svg.text(view["y_label"], 6, 14, css="label"))
    return svg.chart(view["title"], view["description"], (470.0, 330.0), *parts)


def _beside(
    at: tuple[float, float],
    labels: Sequence[tuple[float, float]],
    dots: Sequence[tuple[float, float]],
) -> tuple[float, float]:
    """A place for a dot's label clear of earlier labels and of other dots, if there is one near."""
    places = [(at[0] + 10, at[1] + down) for down in (-8.0, 18.0, -24.0, 34.0)]
    for left, base in places:
        is_clear = all(abs(left - x) > 75 or abs(base - y) > 13 for x, y in labels)
        if is_clear and not any(-6 < x - left < 80 and -16 < y - base < 6 for x, y in dots):
            return left, base
    return places[0]


def front_file(view: View) -> str:
    """The chart as an SVG file that needs no page around it."""
    body = str(front_chart(view)).removeprefix("<svg")
    return f'<svg xmlns="http://www.w3.org/2000/svg"{body}\n'.replace(
        "<title>", f"<style>{_STYLE}</style><title>", 1
    )
