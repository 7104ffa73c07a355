"""Figures: aggregates for plots, in which no level or cell shows few real people."""

from itertools import pairwise
from typing import Any

import numpy as np

from reinforge.data.dtypes import step_of_format
from reinforge.evaluation.fidelity import association_levels
from reinforge.evaluation.judged import Judged
from reinforge.measure.dissimilarity import bin_edges, pairwise_nmi
from reinforge.schema import Column

RARE = 5  # levels with fewer real rows are shown together, and cells with fewer are blank
_MAX_LEVELS = 20
_PROJECTION_BINS = (4, 24)  # fewest and most cells a side
_ROWS_PER_CELL = 8  # real rows that a cell would hold on average


def figures_of(judged: Judged) -> dict[str, Any]:
    """`marginals`, `association` and `projection` of the three tables as plain JSON."""
    return {
        "marginals": [_marginal(judged, column) for column in judged.schema.modelled],
        "association": _association(judged),
        "projection": _projection(judged),
    }


def _marginal(judged: Judged, column: Column) -> dict[str, Any]:
    tables = {
        "train": judged.train[column.name].to_numpy(),
        "holdout": judged.holdout[column.name].to_numpy(),
        "synthetic": judged.synthetic[column.name].to_numpy(),
    }
    if column.is_numeric:
        labels, counts = _binned(column, tables)
    else:
        labels, counts = _levelled(column, tables)
    shown = {
        name: np.round(count / max(count.sum(), 1), 6).tolist() for name, count in counts.items()
    }
    return {"column": column.name, "kind": column.kind, "labels": labels, **shown}


def _binned(
    column: Column, tables: dict[str, np.ndarray]
) -> tuple[list[str], dict[str, np.ndarray]]:
    """Ten quantile bins of the train part; the outer edges are single people's, so not shown."""
    edges = bin_edges(tables["train"])
    text = [_edge_text(edge, column) for edge in edges]
    labels = [f"< {text[0]}"] if text else ["any"]
    labels += [f"{a} to {b}" for a, b in pairwise(text)]
    labels += [f">= {text[-1]}"] if text else []
    counts = {}
    for name, values in tables.items():
        place = np.where(
            np.isnan(values), len(labels), np.searchsorted(edges, values, side="right")
        )
        counts[name] = np.bincount(place, minlength=len(labels) + 1)
    return _without_empty_last([*labels, "(missing)"], counts)


def _edge_text(edge: float, column: Column) -> str:
    """An edge as the first value of the column's own grid that does not lie below it."""
    if column.kind == "datetime":
        step = 1.0 if column.datetime_format is None else step_of_format(column.datetime_format)
        at = np.datetime64(int(_raised(edge, max(step, 1.0))), "s")
        return str(at).replace("T", " ").removesuffix(" 00:00:00")
    if column.kind == "timedelta":
        return f"{edge:.4g} s"
    places = 0 if column.kind == "integer" else column.decimals
    value = edge if places is None else _raised(edge, 10.0**-places)
    return f"{value:.0f}" if 10_000 <= abs(value) < 10_000_000 else f"{value:.4g}"


def _raised(value: float, step: float) -> float:
    """The next multiple of a step that is no less."""
    return float(np.ceil(np.round(value / step, 6)) * step)


def _levelled(
    column: Column, tables: dict[str, np.ndarray]
) -> tuple[list[str], dict[str, np.ndarray]]:
    """Levels by their share in real rows; levels of few people, and all after 20, are pooled."""
    n = len(column.categories)
    counts = {
        name: np.bincount(
            np.where(np.isnan(values), n + 1, np.clip(values, 0, n)).astype(int), minlength=n + 2
        )
        for name, values in tables.items()
    }
    real = counts["train"] + counts["holdout"]
    order = np.argsort(-real[:n], kind="stable")
    shown = sorted(i for i in order[:_MAX_LEVELS] if real[i] >= RARE)
    pooled = np.setdiff1d(
        np.arange(n + 1), shown
    )  # position n holds levels that the schema does not know
    labels = [str(column.categories[i]) for i in shown]
    parts = {
        name: np.concatenate([count[shown], [count[pooled].sum()], count[-1:]])
        for name, count in counts.items()
    }
    if not any(part[-2] for part in parts.values()):
        parts = {name: np.delete(part, -2) for name, part in parts.items()}
        return _without_empty_last([*labels, "(missing)"], parts)
    return _without_empty_last([*labels, "(rare)", "(missing)"], parts)


def _without_empty_last(
    labels: list[str], counts: dict[str, np.ndarray]
) -> tuple[list[str], dict[str, np.ndarray]]:
    if any(count[-1] for count in counts.values()):
        return labels, counts
    return labels[:-1], {name: count[:-1] for name, count in counts.items()}


def _association(judged: Judged) -> dict[str, Any]:
    pair = {
        name: pairwise_nmi(association_levels(judged, table)).round(4).tolist()
        for name, table in (("train", judged.train), ("synthetic", judged.synthetic))
    }
    return {"columns": [column.name for column in judged.schema.modelled], **pair}


def _projection(judged: Judged) -> dict[str, Any]:
    """Train and synthetic rows on the train part's first two principal axes, as shares of cells.

    The frame ends at the 1st and 99th percentile; what lies outside counts in the outermost cells.
    Small tables get few cells, and a cell with fewer than five real rows is 0 on the real side: a
    lone cell would be a person.
    """
    encoder = judged.encoder()
    real, made = encoder.transform(judged.train), encoder.transform(judged.synthetic)
    centre = real.mean(axis=0)
    axes = np.linalg.svd(real - centre, full_matrices=False)[2][:2].T
    if axes.shape[1] < 2:
        axes = np.pad(axes, ((0, 0), (0, 2 - axes.shape[1])))
    points = (real - centre) @ axes, (made - centre) @ axes
    n_bins = int(np.clip(np.sqrt(len(real) / _ROWS_PER_CELL), *_PROJECTION_BINS))
    edges = [_frame(points[0][:, i], n_bins) for i in range(2)]
    cells = []
    for part in points:
        inside = [np.clip(part[:, i], edges[i][0], edges[i][-1]) for i in range(2)]
        cells.append(np.histogram2d(inside[0], inside[1], bins=[edges[0], edges[1]])[0])
    cells[0][cells[0] < RARE] = 0
    return {
        "x_edges": edges[0].round(4).tolist(),
        "y_edges": edges[1].round(4).tolist(),
        "real": (cells[0] / max(len(real), 1)).round(6).tolist(),
        "synthetic": (cells[1] / max(len(made), 1)).round(6).tolist(),
    }


def _frame(values: np.ndarray, n_bins: int) -> np.ndarray:
    low, high = np.quantile(values, [0.01, 0.99])
    if high - low < 1e-9:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, n_bins + 1)
