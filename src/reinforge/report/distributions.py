"""Charts of distributions: single columns, pairs of columns, all columns in a plane."""

from typing import Any

from markupsafe import Markup

from reinforge.report import svg
from reinforge.report.numbers import percent, shorten, visible

N_SHADES = 20


def marginal_chart(view: dict[str, Any]) -> Markup:
    """One column in the training rows, the holdout and the synthetic rows."""
    return _histogram(view) if view["is_numeric"] else _levels(view)


def _histogram(view: dict[str, Any]) -> Markup:
    left, top, right, bottom = 1.0, 6.0, 239.0, 100.0
    highest = max([*view["train"], *view["holdout"], *view["synthetic"], 1e-9])
    x = svg.linear((0, len(view["train"])), (left, right))
    y = svg.linear((0, highest), (bottom, top))

    def steps(heights: list[float]) -> list[svg.Point]:
        corners = [(left, bottom)]
        for k, height in enumerate(heights):
            corners += [(x(k), y(height)), (x(k + 1), y(height))]
        return [*corners, (right, bottom)]

    parts = [svg.path(steps(view["train"]), "train", closed=True)]
    if view["holdout"]:
        parts.append(svg.path(steps(view["holdout"]), "holdout"))
    parts.append(svg.path(steps(view["synthetic"]), "synthetic"))
    parts.append(svg.line((left, bottom), (right, bottom), "axis"))
    for words, at, anchor in zip(view["ends"], (left, right), ("start", "end"), strict=False):
        parts.append(svg.text(shorten(words, 18), at, bottom + 14, css="tick", anchor=anchor))
    return svg.chart(view["title"], view["description"], (240.0, 118.0), *parts)


def _levels(view: dict[str, Any]) -> Markup:
    left, right, row = 80.0, 196.0, 19.0
    highest = max([*view["train"], *view["holdout"], *view["synthetic"], 1e-9])
    x = svg.linear((0, highest), (left, right))
    parts: list[Markup] = []
    for k, label in enumerate(view["labels"]):
        y = row * k + 4
        synthetic = view["synthetic"][k]
        parts.append(svg.text(shorten(label, 13), left - 6, y + 11, css="name", anchor="end"))
        parts.append(svg.rectangle((left, y + 1), (x(view["train"][k]) - left, 7.0), "train"))
        parts.append(svg.rectangle((left, y + 8), (x(synthetic) - left, 5.0), "synthetic-fill"))
        if view["holdout"]:
            at = x(view["holdout"][k])
            parts.append(svg.line((at, y), (at, y + 9), "holdout"))
        parts.append(svg.text(percent(round(synthetic, 3)), 240, y + 11, css="tick", anchor="end"))
    height = row * len(view["labels"]) + 6
    parts.append(svg.line((left, 2), (left, height - 2), "axis"))
    return svg.chart(view["title"], view["description"], (240.0, height), *parts)


def association_chart(view: dict[str, Any]) -> Markup:
    """Strength of association between every two columns; cells of one shade share one path."""
    names, cells = view["names"], view["cells"]
    n = len(names)
    gutter = 92.0 if n <= 30 else 26.0
    side = (340.0 - gutter) / max(n, 1)
    side = min(side, 40.0)
    shades: dict[tuple[str, int], list[str]] = {}
    for i, row in enumerate(cells):
        for j, value in enumerate(row):
            if value is not None:
                level = min(N_SHADES, round(N_SHADES * abs(value) / view["bound"]))
                css = "minus" if value < 0 else "plus"
                corner = f"M{gutter + side * j:.1f} {16 + side * i:.1f}"
                shades.setdefault((css, level), []).append(
                    f"{corner}h{side:.1f}v{side:.1f}h-{side:.1f}z"
                )
    size = (gutter + side * n, 18 + side * n)
    parts = [svg.rectangle((gutter, 16.0), (side * n, side * n), "blank")]
    parts += [
        svg.element(
            "path", {"d": "".join(d), "class": css, "fill-opacity": f"{level / N_SHADES:.2f}"}
        )
        for (css, level), d in sorted(shades.items())
        if level
    ]
    return svg.chart(view["title"], view["description"], size, *parts, *_names(names, gutter, side))


def _names(names: list[str], gutter: float, side: float) -> list[Markup]:
    parts = []
    every = 1 if len(names) <= 20 else 5
    for k, name in enumerate(names):
        middle = side * k + side / 2
        if k == 0 or (k + 1) % every == 0:
            x = gutter + middle
            parts.append(svg.text(str(k + 1), x, 11, css="tick", anchor="middle"))
        if len(names) <= 30:
            words = f"{shorten(name, 14)} {k + 1}"
            css = "name" if side >= 10 else "name tiny"
            parts.append(svg.text(words, gutter - 5, 20 + middle, css=css, anchor="end"))
        elif k == 0 or (k + 1) % every == 0:
            parts.append(svg.text(str(k + 1), gutter - 5, 20 + middle, css="tick", anchor="end"))
    return parts


def projection_chart(view: dict[str, Any]) -> Markup:
    """Where rows lie on the two main axes of the real rows: a darker cell holds more of them."""
    cells = view["cells"]
    n_rows, n_columns = len(cells), max(map(len, cells), default=0)
    width, height = 300.0 / max(n_columns, 1), 240.0 / max(n_rows, 1)
    shades: dict[int, list[str]] = {}
    for i, row in enumerate(cells):
        for j, share in enumerate(row):
            level = min(N_SHADES, round(N_SHADES * (share / view["bound"]) ** 0.5))
            if share > 0:
                corner = f"M{width * j:.1f} {240 - height * (i + 1):.1f}"
                shades.setdefault(max(level, 1), []).append(
                    f"{corner}h{width:.1f}v{height:.1f}h-{width:.1f}z"
                )
    parts = [svg.rectangle((0.5, 0.5), (299.0, 239.0), "blank")]
    parts += [
        svg.element(
            "path", {"d": "".join(d), "class": "plus", "fill-opacity": f"{level / N_SHADES:.2f}"}
        )
        for level, d in sorted(shades.items())
    ]
    return svg.chart(view["title"], visible(view["description"]), (300.0, 240.0), *parts)
