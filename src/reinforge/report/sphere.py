"""The map of features on a sphere (DOSNES), drawn as its two halves.

Lambert's projection keeps areas, so that a crowded place looks crowded wherever it lies. The halves
are cut where fewest points lie near the edge.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from reinforge.report import svg
from reinforge.report.numbers import number, shorten, visible

View = dict[str, Any]
N_IDENTITIES = 10  # colours that most eyes tell apart
KINDS = {  # kind -> (what it is, shape, whether it is filled)
    "real": ("real", "circle", False),
    "erased": ("real, a patch blanked", "square", False),
    "cold_start": ("cold start", "diamond", True),
    "reinforced": ("reinforced", "triangle", True),
    "synthetic": ("synthetic", "triangle", True),
}
SYNTHETIC = frozenset({"cold_start", "reinforced", "synthetic"})  # made of nobody's picture
RADIUS, GAP = 150.0, 24.0  # of a half, and between the two


def sphere(raw: object, labels: Mapping[str, str]) -> View | None:
    """The points of some identities on the two halves.

    Args:
        raw: `figures["sphere"]`: points of length 1, their kind and whose they are.
        labels: What each identity is called on this page; others keep their names.
    """
    points, kinds, names = _read(raw)
    if len(points) < 2:
        return None
    position = {name: k for k, name in enumerate(labels)}
    order = sorted(dict.fromkeys(names), key=lambda name: position.get(name, len(position)))
    order = order[:N_IDENTITIES]
    kept = [k for k, name in enumerate(names) if name in order]
    turned = _turned(points[kept])
    marks = [
        {"x": x, "y": y, "half": half, "kind": kinds[k], "identity": order.index(names[k])}
        for k, (x, y, half) in zip(kept, map(_flat, turned), strict=True)
    ]
    present = [kind for kind in KINDS if any(mark["kind"] == kind for mark in marks)]
    titles = [visible(labels.get(name, name)) for name in order]
    signs = [title.rpartition(" ")[2] if labels else str(k + 1) for k, title in enumerate(titles)]
    return {
        "title": "Map of features on a sphere, its two halves",
        "description": f"{len(marks)} pictures of {len(order)} people: "
        + ", ".join(f"{sum(m['kind'] == k for m in marks)} {KINDS[k][0]}" for k in present),
        "marks": sorted(marks, key=lambda mark: list(KINDS).index(mark["kind"])),
        "numbers": _numbers(turned, [names[k] for k in kept], dict(zip(order, signs, strict=True))),
        "kinds": [(KINDS[kind][0], KINDS[kind][1], KINDS[kind][2]) for kind in present],
        "names": [
            (sign, "" if labels else shorten(t, 28)) for sign, t in zip(signs, titles, strict=True)
        ],
        "n_left_out": len(set(names)) - len(order),
    }


def sphere_chart(view: View) -> Markup:
    """Two discs side by side: the front and the back of the sphere."""
    width, height = 4 * RADIUS + GAP + 4, 2 * RADIUS + 4
    parts: list[Markup] = []
    for half in (0, 1):
        centre = _centre(half)
        for angle, css in ((30, "grid"), (60, "grid"), (90, "axis")):
            radius = RADIUS * np.sin(np.radians(angle) / 2) * np.sqrt(2)
            parts.append(_ring(centre, float(radius), css))
    for mark in view["marks"]:
        _, shape, is_filled = KINDS[mark["kind"]]
        css = f"{'solid' if is_filled else 'hollow'} id-{mark['identity']}"
        at = _on_page(mark)
        parts.append(svg.mark(shape, *at, css, radius=4.4 if shape == "triangle" else 3.6))
    for place in view["numbers"]:
        x, y = _on_page(place)
        parts.append(
            svg.text(
                place["text"], x, y + 4, css=f"halo strong id-{place['identity']}", anchor="middle"
            )
        )
    return svg.chart(view["title"], view["description"], (width, height), *parts)


def kind_sign(shape: str, is_filled: bool) -> Markup:
    """The sign of a kind of picture, for the legend in a line of text."""
    inner = svg.mark(shape, 7.0, 7.0, f"{'solid' if is_filled else 'hollow'} id-none")
    return svg.element(
        "svg", {"viewBox": "0 0 14 14", "class": "sign", "aria-hidden": "true"}, inner
    )


def _read(raw: object) -> tuple[np.ndarray, list[str], list[str]]:
    """Points that are three finite numbers and of a known kind, scaled to length 1."""
    content = raw if isinstance(raw, Mapping) else {}
    points, kinds, names = [], [], []
    columns = (content.get(key) or [] for key in ("points", "kind", "identity"))
    for point, kind, name in zip(*columns, strict=False):
        place = [number(value) for value in point] if isinstance(point, list | tuple) else []
        if len(place) == 3 and None not in place and any(place) and kind in KINDS:
            points.append(place)
            kinds.append(str(kind))
            names.append(str(name))
    places = np.array(points, dtype=np.float64).reshape(-1, 3)
    return places / np.linalg.norm(places, axis=1, keepdims=True), kinds, names


def _turned(points: np.ndarray) -> np.ndarray:
    """The sphere turned so that points lie far from the edge of the halves: sum z^2 greatest."""
    axes = np.linalg.eigh(points.T @ points)[1][:, [1, 0, 2]]
    strongest = np.abs(axes).argmax(axis=0)
    turned: np.ndarray = points @ (axes * np.sign(axes[strongest, range(3)]))
    return turned


def _flat(point: np.ndarray) -> tuple[float, float, int]:
    """Lambert's equal-area place in the disc of radius 1 of the point's half; the back mirrored."""
    x, y, z = map(float, point)
    scale = 1.0 / np.sqrt(1.0 + abs(z))
    return float(x * scale * (1 if z >= 0 else -1)), float(y * scale), int(z < 0)


def _numbers(points: np.ndarray, names: Sequence[str], signs: Mapping[str, str]) -> list[View]:
    """Where each identity's number stands: in the midst of its points, on the half of most."""
    places = []
    for k, (name, sign) in enumerate(signs.items()):
        own = points[[j for j, other in enumerate(names) if other == name]]
        back = bool((own[:, 2] < 0).sum() * 2 > len(own))
        middle = own[(own[:, 2] < 0) == back].mean(axis=0)
        x, y, half = _flat(middle / (np.linalg.norm(middle) or 1.0))
        places.append({"x": x, "y": y, "half": half, "text": sign, "identity": k})
    return places


def _centre(half: int) -> svg.Point:
    return (RADIUS + 2 + half * (2 * RADIUS + GAP), RADIUS + 2)


def _on_page(place: View) -> svg.Point:
    centre = _centre(place["half"])
    return centre[0] + RADIUS * place["x"], centre[1] - RADIUS * place["y"]


def _ring(centre: svg.Point, radius: float, css: str) -> Markup:
    return svg.element(
        "circle",
        {"cx": float(centre[0]), "cy": float(centre[1]), "r": radius, "class": f"ring {css}"},
    )
