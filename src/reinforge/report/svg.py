"""Small SVG strings: texts and attributes are escaped, colours are classes of the page's CSS."""

import math
from collections.abc import Callable, Iterable, Mapping

from markupsafe import Markup, escape

Number = int | float  # written out, since the run-time checks of the tests take `float` at its word
Point = tuple[Number, Number]
ToPixel = Callable[[Number], Number]


def digits(value: Number) -> str:
    """A coordinate with at most one digit after the point."""
    short = f"{value:.1f}".removesuffix(".0")
    return "0" if short == "-0" else short


def element(tag: str, attributes: Mapping[str, object], *children: str) -> Markup:
    """One SVG element; children that are not `Markup` are escaped."""
    words = "".join(
        f' {name}="{escape(digits(value) if isinstance(value, float) else value)}"'
        for name, value in attributes.items()
    )
    inner = Markup("").join(escape(child) for child in children)
    return Markup(f"<{tag}{words}>{inner}</{tag}>")


def chart(title: str, description: str, size: Point, *children: str) -> Markup:
    """An image with a name and a description that a screen reader can say."""
    return element(
        "svg",
        {
            "viewBox": f"0 0 {digits(size[0])} {digits(size[1])}",
            "role": "img",
            "aria-label": title,
            "class": "chart",
            "style": f"max-width:{digits(1.25 * size[0])}px",
        },
        element("title", {}, title),
        element("desc", {}, description),
        *children,
    )


def text(words: str, x: Number, y: Number, *, css: str = "", anchor: str = "start") -> Markup:
    """A line of text whose baseline starts, ends or is centred at a point."""
    attributes: dict[str, object] = {"x": float(x), "y": float(y)}
    if css:
        attributes["class"] = css
    if anchor != "start":
        attributes["text-anchor"] = anchor
    return element("text", attributes, words)


def line(start: Point, end: Point, css: str) -> Markup:
    """A straight line."""
    places = zip(("x1", "y1", "x2", "y2"), map(float, (*start, *end)), strict=True)
    return element("line", {**dict(places), "class": css})


def rectangle(corner: Point, size: Point, css: str, *, radius: Number = 0.0) -> Markup:
    """A rectangle by its upper left corner, width and height."""
    names = ("x", "y", "width", "height")
    places = zip(names, map(float, (*corner, *size)), strict=True)
    rounded = {"rx": float(radius)} if radius else {}
    return element("rect", {**dict(places), **rounded, "class": css})


def path(points: Iterable[Point], css: str, *, closed: bool = False) -> Markup:
    """A line through points."""
    steps = "L".join(f"{digits(x)} {digits(y)}" for x, y in points)
    return element("path", {"d": f"M{steps}{'z' if closed else ''}", "class": css})


def mark(shape: str, x: Number, y: Number, css: str, *, radius: Number = 4.0) -> Markup:
    """A small sign whose shape, and not its colour alone, says what it stands for."""
    if shape == "circle":
        return element("circle", {"cx": float(x), "cy": float(y), "r": radius, "class": css})
    corners = {
        "triangle": [(0, -1.1), (1.1, 0.9), (-1.1, 0.9)],
        "diamond": [(0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0)],
        "wedge": [(-1.1, -0.9), (1.1, -0.9), (0, 1.1)],
        "square": [(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
    }.get(shape, [(-0.3, -1.2), (0.3, -1.2), (0.3, 1.2), (-0.3, 1.2)])
    return path([(x + radius * dx, y + radius * dy) for dx, dy in corners], css, closed=True)


def linear(domain: Point, pixels: Point) -> ToPixel:
    """A straight scale that stays inside its pixels."""
    width = (domain[1] - domain[0]) or 1.0

    def place(value: Number) -> Number:
        share = min(max((value - domain[0]) / width, 0.0), 1.0)
        return pixels[0] + share * (pixels[1] - pixels[0])

    return place


def logarithmic(domain: Point, pixels: Point) -> ToPixel:
    """A logarithmic scale; what lies below its start sits at its start."""
    inner = linear((math.log10(domain[0]), math.log10(domain[1])), pixels)
    return lambda value: inner(math.log10(max(value, domain[0])))


def ticks(low: Number, high: Number, n_wanted: int = 4) -> list[float]:
    """Round numbers between two ends."""
    span = high - low
    if not span > 0:
        return [low]
    power = 10.0 ** math.floor(math.log10(span / n_wanted))
    step = next(power * k for k in (1, 2, 2.5, 5, 10) if span / (power * k) <= n_wanted)
    first = math.ceil(low / step - 1e-9)
    return [round(k * step, 12) for k in range(first, math.floor(high / step + 1e-9) + 1)]


def nice_ceiling(value: Number) -> float:
    """The next round number at or above a positive value."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(
        power * k for k in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if power * k >= value * (1 - 1e-9)
    )
