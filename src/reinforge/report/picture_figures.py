"""Charts of the page of pictures: bars with their gap, distances."""

from typing import Any

from markupsafe import Markup

from reinforge.report import svg
from reinforge.report.figures import frame, x_axis, y_axis
from reinforge.report.numbers import count, decimals, shorten, tick


def gap_chart(view: dict[str, Any]) -> Markup:
    """A bar a group with its interval; the shade reaches from the worst group to the best."""
    left, right, row = 112.0, 262.0, 26.0
    place = svg.linear((view["low"], view["high"]), (left, right))
    bottom = row * len(view["rows"]) + 4
    worst, best = place(view["worst"]), place(view["best"])
    parts: list[Markup] = []
    for value in svg.ticks(view["low"], view["high"], 3):
        parts.append(svg.line((place(value), 2), (place(value), bottom), "grid"))
        parts.append(svg.text(tick(value), place(value), bottom + 14, css="tick", anchor="middle"))
    parts.append(svg.rectangle((worst, 2), (max(best - worst, 1.0), bottom - 2), "gap"))
    for k, group in enumerate(view["rows"]):
        parts += _bar(group, row * k + row / 2 + 3, place, left)
    parts.append(svg.line((left, 2), (left, bottom), "axis"))
    return svg.chart(view["title"], view["description"], (340.0, bottom + 20), *parts)


def _bar(group: dict[str, Any], y: float, place: svg.ToPixel, left: float) -> list[Markup]:
    parts = [
        svg.text(shorten(group["name"], 17), left - 8, y + 4, css="name", anchor="end"),
        svg.rectangle((left, y - 6), (place(group["value"]) - left, 12.0), "bar"),
    ]
    if group["interval"] is not None:
        start, end = map(place, group["interval"])
        parts.append(svg.line((start, y), (end, y), "error"))
    if group["real"] is not None:
        at = place(group["real"])
        parts.append(svg.line((at, y - 9), (at, y + 9), "of-real"))
    parts.append(svg.text(decimals(group["value"]), 300, y + 4, css="number", anchor="end"))
    if group["n"] is not None:
        parts.append(svg.text(f"n {count(group['n'])}", 340, y + 4, css="tick", anchor="end"))
    return parts


def distance_chart(view: dict[str, Any]) -> Markup:
    """Two histograms on one axis: synthetic pictures shaded, fresh real ones as a dashed line."""
    left, top, right, bottom = 40.0, 24.0, 450.0, 210.0
    edges = view["edges"]
    highest = max([*view["synthetic"], *view["holdout"], 1e-9])
    x = svg.linear((edges[0], edges[-1]), (left, right))
    y = svg.linear((0, highest * 1.05), (bottom, top))

    def steps(heights: list[float]) -> list[svg.Point]:
        corners: list[svg.Point] = [(left, bottom)]
        for k, height in enumerate(heights):
            corners += [(x(edges[k]), y(height)), (x(edges[k + 1]), y(height))]
        return [*corners, (right, bottom)]

    parts = [
        *x_axis(x, svg.ticks(edges[0], edges[-1], 5), top, bottom),
        *y_axis(y, svg.ticks(0, highest, 3), left, right),
        svg.path(steps(view["synthetic"]), "range", closed=True),
        svg.path(steps(view["synthetic"]), "synthetic"),
    ]
    if view["holdout"]:
        parts.append(svg.path(steps(view["holdout"]), "fresh"))
    for k, (value, label) in enumerate(view["marks"]):
        if edges[0] <= value <= edges[-1]:
            parts.append(svg.line((x(value), top), (x(value), bottom), "reference"))
            parts.append(svg.text(label, x(value) + 4, top + 9 + 12 * k, css="tick"))
    parts.append(frame((left, top, right, bottom)))
    parts.append(svg.text("distance →", right, bottom + 32, css="label", anchor="end"))
    parts.append(svg.text("↑ share of pictures", 6, 12, css="label"))
    return svg.chart(view["title"], view["description"], (460.0, 246.0), *parts)
