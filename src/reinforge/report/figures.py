"""Charts of scores: strips, ROC curves, groups, the risk-utility plane, learning curves."""

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from reinforge.report import svg
from reinforge.report.numbers import count, decimals, shorten, tick
from reinforge.report.svg import Number, Point, ToPixel

N_CURVE_STYLES = 6  # line styles that the page's CSS knows


def strip_chart(view: dict[str, Any]) -> Markup:
    """One score on its scale: a dot, its interval as a band, its controls as signs below."""
    width, axis = 320.0, 9.0
    place = svg.linear((view["low"], view["high"]), (8.0, width - 8.0))
    parts = [svg.line((8.0, axis), (width - 8.0, axis), "axis")]
    parts += [
        svg.line((place(end), axis - 4), (place(end), axis + 4), "axis")
        for end in (view["low"], view["high"])
    ]
    if view["mark"] is not None:
        at = place(view["mark"])
        parts.append(svg.line((at, axis - 9), (at, axis + 9), "reference"))
    if view["interval"] is not None:
        start, end = map(place, view["interval"])
        middle, half = (start + end) / 2, max((end - start) / 2, 1.0)
        parts.append(svg.rectangle((middle - half, axis - 5), (2 * half, 10.0), "band", radius=5.0))
    lanes = _lanes([place(control["value"]) for control in view["controls"]])
    for control, lane in zip(view["controls"], lanes, strict=True):
        css = f"control c-{control['css']}"
        parts.append(
            svg.mark(control["shape"], place(control["value"]), axis + 14 + 12 * lane, css)
        )
    if view["value"] is not None:
        parts.append(svg.mark("circle", place(view["value"]), axis, "value", radius=5.5))
    height = axis + (21 + 12 * max(lanes) if lanes else 10)
    return svg.chart(view["title"], view["description"], (width, height), *parts)


def _lanes(places: Sequence[Number], apart: Number = 10.0) -> list[int]:
    """A row for every sign, so that none covers another."""
    lanes: list[int] = []
    for k, here in enumerate(places):
        taken = {lanes[j] for j in range(k) if abs(places[j] - here) < apart}
        lanes.append(next(lane for lane in range(k + 1) if lane not in taken))
    return lanes


def sign(shape: str, css: str) -> Markup:
    """The sign of a control, for the legend in a line of text."""
    inner = svg.mark(shape, 7.0, 7.0, f"control c-{css}")
    return svg.element(
        "svg", {"viewBox": "0 0 14 14", "class": "sign", "aria-hidden": "true"}, inner
    )


def frame(plot: tuple[Number, Number, Number, Number]) -> Markup:
    """The left and the lower side of a plot."""
    left, top, right, bottom = plot
    return svg.path([(left, top), (left, bottom), (right, bottom)], "axis")


def x_axis(place: ToPixel, at: Sequence[Number], top: Number, bottom: Number) -> list[Markup]:
    """Upright lines with their numbers below."""
    lines = [svg.line((place(value), top), (place(value), bottom), "grid") for value in at]
    words = [
        svg.text(tick(value), place(value), bottom + 15, css="tick", anchor="middle")
        for value in at
    ]
    return lines + words


def y_axis(place: ToPixel, at: Sequence[Number], left: Number, right: Number) -> list[Markup]:
    """Level lines with their numbers to the left."""
    lines = [svg.line((left, place(value)), (right, place(value)), "grid") for value in at]
    words = [
        svg.text(tick(value), left - 6, place(value) + 3.5, css="tick", anchor="end")
        for value in at
    ]
    return lines + words


def roc_chart(view: dict[str, Any]) -> Markup:
    """ROC curves on one square; `lowest` sets logarithmic axes for attacks at few false alarms."""
    left, top, right, bottom = 40.0, 26.0, 330.0, 316.0
    if view["lowest"] is None:
        x, y = svg.linear((0, 1), (left, right)), svg.linear((0, 1), (bottom, top))
        at, chance = [0.0, 0.25, 0.5, 0.75, 1.0], [(0.0, 0.0), (1.0, 1.0)]
    else:
        domain = (view["lowest"], 1.0)
        x, y = svg.logarithmic(domain, (left, right)), svg.logarithmic(domain, (bottom, top))
        at = [value for value in (0.001, 0.01, 0.1, 1.0) if value >= view["lowest"]]
        chance = [(view["lowest"],) * 2, (1.0, 1.0)]
    parts = [*x_axis(x, at, top, bottom), *y_axis(y, at, left, right)]
    parts += [
        svg.path([(x(a), y(b)) for a, b in chance], "chance"),
        frame((left, top, right, bottom)),
    ]
    for k, curve in enumerate(view["curves"]):
        points = [(x(a), y(b)) for a, b in curve["points"]]
        parts.append(svg.path(points, f"curve curve-{k % N_CURVE_STYLES}"))
    parts.append(svg.text(view["x_label"], right, 350, css="label", anchor="end"))
    parts.append(svg.text(view["y_label"], 6, 12, css="label"))
    return svg.chart(view["title"], view["description"], (340.0, 354.0), *parts)


def reference_sign() -> Markup:
    """The sign of a reference value, for the legend in a line of text."""
    inner = svg.line((7.0, 0.0), (7.0, 14.0), "reference")
    return svg.element(
        "svg", {"viewBox": "0 0 14 14", "class": "sign", "aria-hidden": "true"}, inner
    )


def swatch(k: int | None) -> Markup:
    """The line style of a curve, for a legend; None is the line of guessing."""
    css = "chance" if k is None else f"curve curve-{k % N_CURVE_STYLES}"
    inner = svg.line((0.0, 5.0), (26.0, 5.0), css)
    return svg.element(
        "svg", {"viewBox": "0 0 26 10", "class": "swatch", "aria-hidden": "true"}, inner
    )


def forest_chart(view: dict[str, Any]) -> Markup:
    """One score for every group: a dot, its interval, its number and how many rows it rests on."""
    left, right, row = 96.0, 230.0, 21.0
    place = svg.linear((view["low"], view["high"]), (left, right))
    bottom = row * len(view["rows"]) + 4
    parts: list[Markup] = []
    for value in view["ticks"]:
        parts.append(svg.line((place(value), 2), (place(value), bottom), "grid"))
        parts.append(svg.text(tick(value), place(value), bottom + 13, css="tick", anchor="middle"))
    if view["everyone"] is not None:
        at = place(view["everyone"])
        parts.append(svg.line((at, 2), (at, bottom), "reference"))
    for k, group in enumerate(view["rows"]):
        parts += _forest_row(group, row * k + row / 2 + 3, place)
    return svg.chart(view["title"], view["description"], (340.0, bottom + 18), *parts)


def _forest_row(group: dict[str, Any], y: Number, place: ToPixel) -> list[Markup]:
    css = "value" if group["is_all"] else "value group"
    parts = [svg.text(_group_name(group["name"]), 0, y + 4, css="name")]
    if group["interval"] is not None:
        start, end = map(place, group["interval"])
        parts.append(svg.line((start, y), (end, y), "whisker"))
    parts.append(svg.mark("circle", place(group["value"]), y, css, radius=4.0))
    parts.append(svg.text(decimals(group["value"]), 282, y + 4, css="number", anchor="end"))
    if group["n"] is not None:
        parts.append(svg.text(f"n {count(group['n'])}", 340, y + 4, css="tick", anchor="end"))
    return parts


def _group_name(name: str, n_characters: int = 15) -> str:
    """A group in little room: of `column=level` the level is what tells groups apart."""
    column, equals, level = name.partition("=")
    if len(name) <= n_characters or not equals or not level:
        return shorten(name, n_characters)
    room = n_characters - len(level) - 1
    return f"{shorten(column, room)}={level}" if room >= 3 else shorten(level, n_characters)


def plane_chart(view: dict[str, Any]) -> Markup:
    """The risk-utility picture: usefulness to the right, what an attack finds upwards."""
    left, top, right, bottom = 40.0, 34.0, 450.0, 290.0
    x = svg.linear(view["x_domain"], (left, right))
    y = svg.linear(view["y_domain"], (bottom, top))
    parts = [
        *x_axis(x, svg.ticks(*view["x_domain"]), top, bottom),
        *y_axis(y, svg.ticks(*view["y_domain"]), left, right),
        frame((left, top, right, bottom)),
    ]
    for rule in view["lines"]:
        if rule["y"] is not None:
            parts.append(svg.line((left, y(rule["y"])), (right, y(rule["y"])), "reference"))
            words_at = (right, y(rule["y"]) + 12)
        else:
            parts.append(svg.line((x(rule["x"]), top), (x(rule["x"]), bottom), "reference"))
            words_at = (x(rule["x"]) - 5, top + 12)
        parts.append(svg.text(shorten(rule["label"], 40), *words_at, css="tick", anchor="end"))
    places = [(x(point["x"]), y(point["y"])) for point in view["points"]]
    middle = (left + right) / 2
    heights = label_heights(places, [point["label"] for point in view["points"]], middle)
    for point, at, height in zip(view["points"], places, heights, strict=True):
        parts += plane_point(point, at, x, y, (middle, height))
    parts.append(svg.text(view["x_label"], right, bottom + 34, css="label", anchor="end"))
    parts.append(svg.text(view["y_label"], 6, 14, css="label"))
    return svg.chart(view["title"], view["description"], (470.0, 330.0), *parts)


def label_heights(places: Sequence[Point], labels: Sequence[str], middle: float) -> list[float]:
    """Heights at which names of near points do not run into one another; the last comes first.

    Args:
        places: The points, in pixels.
        labels: Their names.
        middle: Beyond it a name stands on the left of its point.
    """
    taken: list[tuple[float, float, float]] = []  # start, end, height
    heights: dict[int, float] = {}
    for k in reversed(range(len(places))):
        (across, down), wide = places[k], 6.8 * min(len(labels[k]), 34)
        start = across - 12 - wide if across > middle else across + 12
        tries = [down + step for step in (-9.0, 17.0, -24.0, 32.0)]
        free = (
            height
            for height in tries
            if all(start > e or start + wide < s or abs(height - h) >= 13 for s, e, h in taken)
        )
        heights[k] = next(free, tries[0])
        taken.append((start, start + wide, heights[k]))
    return [heights[k] for k in range(len(places))]


def plane_point(
    point: dict[str, Any], at: Point, x: ToPixel, y: ToPixel, label: Point
) -> list[Markup]:
    """A sign with its intervals and its name.

    Args:
        point: What stands there.
        at: Where, in pixels.
        x: Pixels across.
        y: Pixels down.
        label: The middle of the chart, beyond which a name stands on the left, and its height.
    """
    parts = whiskers(point, at, x, y)
    css = "value" if point["is_generator"] else f"control c-{point['css']}"
    radius = 7.0 if point["is_generator"] else 5.5
    parts.append(svg.mark(point["shape"], *at, css, radius=radius))
    to_the_left = at[0] > label[0]
    words_at = at[0] - 12 if to_the_left else at[0] + 12
    anchor = "end" if to_the_left else "start"
    css = "name strong" if point["is_generator"] else "name"
    parts.append(svg.text(shorten(point["label"], 34), words_at, label[1], css=css, anchor=anchor))
    return parts


def whiskers(point: dict[str, Any], at: Point, x: ToPixel, y: ToPixel) -> list[Markup]:
    """The intervals of a point, across and up."""
    parts = []
    if point["x_interval"] is not None:
        low, high = map(x, point["x_interval"])
        parts.append(svg.line((low, at[1]), (high, at[1]), "whisker"))
    if point["y_interval"] is not None:
        low, high = map(y, point["y_interval"])
        parts.append(svg.line((at[0], low), (at[0], high), "whisker"))
    return parts


def curve_chart(view: dict[str, Any]) -> Markup:
    """One quantity over the steps of training: the mean of each stretch inside its range."""
    left, top, right, bottom = 46.0, 8.0, 332.0, 132.0
    low, high = view["y_domain"]
    x = svg.linear(view["x_domain"], (left, right))
    y = svg.linear((low, high), (bottom, top))
    outline = [(x(p["x"]), y(p["high"])) for p in view["points"]]
    outline += [(x(p["x"]), y(p["low"])) for p in reversed(view["points"])]
    middle = [(x(p["x"]), y(p["mean"])) for p in view["points"]]
    parts = [
        *x_axis(x, svg.ticks(*view["x_domain"]), top, bottom),
        *y_axis(y, svg.ticks(low, high, n_wanted=3), left, right),
        svg.path(outline, "range", closed=True),
        svg.path(middle, "curve curve-0"),
        frame((left, top, right, bottom)),
    ]
    return svg.chart(view["title"], view["description"], (340.0, 152.0), *parts)
