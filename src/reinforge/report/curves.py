"""Learning curves: the numbers of a training history as views of charts."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from reinforge.report.numbers import decimals, number, visible
from reinforge.report.words import CURVE_OTHERWISE, CURVES

View = dict[str, Any]
N_POINTS = 120  # of a curve; a longer history is shown in stretches
_NO_CURVE = frozenset({"step", "seconds", "iteration", "epoch", "time"})


def curves_of(
    history: Sequence[Mapping[str, Any]], words: Mapping[str, tuple[str, str]] = CURVES
) -> list[View]:
    """A learning curve for every number of the history that changes, known ones first.

    Args:
        history: One dict a step.
        words: Title and reading of the known numbers, in the order in which they are shown.
    """
    keys = dict.fromkeys(key for line in history for key in line if key not in _NO_CURVE)
    known = [key for key in words if key in keys]
    unknown = [key for key in keys if key not in words]
    views = [
        _curve(key, history, *words.get(key, (visible(key), CURVE_OTHERWISE)))
        for key in (*known, *unknown)
    ]
    return [view for view in views if view is not None]


def _curve(
    key: str, history: Sequence[Mapping[str, Any]], title: str, sentence: str
) -> View | None:
    steps = [number(line.get("step")) for line in history]
    values = [number(line.get(key)) for line in history]
    pairs = [
        (float(k) if step is None else step, value)
        for k, (step, value) in enumerate(zip(steps, values, strict=True))
        if value is not None
    ]
    if len(pairs) < 2 or len({value for _, value in pairs}) < 2:
        return None
    points = _thinned(pairs)
    low, high = min(p["low"] for p in points), max(p["high"] for p in points)
    pad = (high - low) * 0.05 or abs(high) * 0.1 or 1.0
    return {
        "key": visible(key),
        "title": title,
        "sentence": sentence,
        "description": f"From {decimals(pairs[0][1])} to {decimals(pairs[-1][1])}.",
        "x_domain": (points[0]["x"], points[-1]["x"]),
        "y_domain": (low - pad, high + pad),
        "points": points,
        "last": decimals(pairs[-1][1]),
    }


def _thinned(pairs: Sequence[tuple[float, float]]) -> list[dict[str, float]]:
    n = min(len(pairs), N_POINTS)
    edges = [round(k * len(pairs) / n) for k in range(n + 1)]
    stretches = [pairs[a:b] for a, b in pairwise(edges)]
    return [
        {
            "x": stretch[-1][0],
            "mean": sum(value for _, value in stretch) / len(stretch),
            "low": min(value for _, value in stretch),
            "high": max(value for _, value in stretch),
        }
        for stretch in stretches
    ]
