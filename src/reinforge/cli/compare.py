"""Runs side by side: a line a score, a column a run, the best marked."""

import csv
import html
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reinforge.errors import InputError
from reinforge.run_folder import RunFolder, read_config

FRONT = {"accuracy": "verification_accuracy", "leakage": "identity_leakage"}
_NEAR = {"near 0.5": 0.5, "near 1": 1.0}


@dataclass(frozen=True)
class Judged:
    """One run's scores as they lie in its scorecard.json, and its settings if it has a folder."""

    name: str
    scores: list[dict[str, Any]]
    context: dict[str, Any]
    config: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Line:
    """One score of one group over all runs; None where a run has no value."""

    name: str
    group: str
    better: str
    values: tuple[float | None, ...]
    best: tuple[bool, ...]


def read_judged(path: Path) -> Judged:
    """Read the scores of a run's folder, or of a scorecard.json.

    Raises:
        InputError: There is no scorecard, or it is damaged.
    """
    file = path / "scorecard.json" if path.is_dir() else path
    try:
        content = json.loads(file.read_bytes())
        scores = content["scores"]
        if not all(isinstance(score["name"], str) for score in scores):
            raise TypeError("names are no text")
    except FileNotFoundError:
        raise InputError(
            f"{file}: missing; score the run with `reinforge evaluate {path}`."
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{file}: is no scorecard ({error}).") from None
    return Judged(str(path), scores, content.get("context") or {}, _config_beside(file))


def _config_beside(file: Path) -> dict[str, Any]:
    """The config.json of the run; {} for a scorecard that lies alone, and for another version."""
    try:
        return read_config(RunFolder(file.parent))
    except InputError:
        return {}


def front_of(runs: Sequence[Judged]) -> list[dict[str, Any]]:
    """Leakage and accuracy of runs on identities, with the two knobs between them.

    Empty unless two runs differ in a knob and have both scores.
    """
    points = [point for run in runs if (point := _trained_with(run)) is not None]
    knobs = {(point["privacy_weight"], point["cold_start_steps"]) for point in points}
    return points if len(knobs) > 1 else []


def _trained_with(run: Judged) -> dict[str, Any] | None:
    if run.config.get("system") != "identity":
        return None
    from reinforge.systems.identity.config import resolve_config

    settings = dict(run.config["settings"]["model"])
    try:
        config = resolve_config(settings.pop("preset"), settings)
    except InputError:  # of another version, whose settings are not known
        return None
    point: dict[str, Any] = {
        "privacy_weight": config.privacy_weight,
        "cold_start_steps": config.cold_start_steps,
    }
    for key, name in FRONT.items():
        score = next((s for s in run.scores if s["name"] == name and s.get("group") == "all"), {})
        point[key] = score.get("value")
        point |= {f"{key}_{end}": score.get(end) for end in ("low", "high")}
    return point


def lines_of(runs: Sequence[Judged], *, all_groups: bool = False) -> list[Line]:
    """The scores of all runs, in the order in which they first occur."""
    found: dict[tuple[str, str], list[dict[str, Any] | None]] = {}
    for index, run in enumerate(runs):
        for score in run.scores:
            key = (score["name"], score.get("group", "all"))
            if all_groups or key[1] == "all":
                found.setdefault(key, [None] * len(runs))[index] = score
    return [_line(name, group, scores) for (name, group), scores in found.items()]


def _line(name: str, group: str, scores: list[dict[str, Any] | None]) -> Line:
    better = next(score.get("better", "higher") for score in scores if score)
    values = tuple(score.get("value") if score else None for score in scores)
    distances = [_distance(value, better) for value in values if value is not None]
    differ = len(set(distances)) > 1
    best = tuple(
        differ and value is not None and _distance(value, better) == min(distances)
        for value in values
    )
    return Line(name, group, better, values, best)


def _distance(value: float, better: str) -> float:
    """How far a value is from the best there could be; lower is better."""
    if better in _NEAR:
        return abs(value - _NEAR[better])
    return -value if better == "higher" else value


def differences(runs: Sequence[Judged]) -> list[str]:
    """What makes the comparison unfair, a sentence each."""
    facts = {
        "split_digest": "the runs were judged on different real rows",
        "level": "the runs were judged at different levels",
        "judges": "the runs were judged by different judges",
    }
    return [
        f"{sentence}; their scores are not comparable line by line."
        for fact, sentence in facts.items()
        if len({json.dumps(run.context.get(fact), sort_keys=True) for run in runs}) > 1
    ]


def as_csv(runs: Sequence[Judged], lines: Sequence[Line]) -> str:
    """The comparison as CSV."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["score", "group", "better", *(run.name for run in runs)])
    for line in lines:
        values = ["" if value is None else repr(value) for value in line.values]
        writer.writerow([line.name, line.group, line.better, *values])
    return buffer.getvalue()


def as_html(runs: Sequence[Judged], lines: Sequence[Line]) -> str:
    """The comparison as one static page; the best value of a line is bold."""
    head = "".join(f"<th>{html.escape(text)}</th>" for text in ("score", "group", "better"))
    head += "".join(f"<th>{html.escape(run.name)}</th>" for run in runs)
    body = "".join(f"<tr>{_row(line)}</tr>\n" for line in lines)
    return _PAGE.format(head=head, body=body, front=_drawn(front_of(runs)))


def _drawn(points: list[dict[str, Any]]) -> str:
    """The front under its heading; nothing where there is none."""
    from reinforge.report.front import front, front_file

    view = front(points)
    if view is None:
        return ""
    how = f"{view['how']} To the right: the recogniser is better. Upwards: more is given away."
    return f"<h2>{html.escape(view['title'])}</h2>\n<p>{html.escape(how)}</p>\n{front_file(view)}"


def _row(line: Line) -> str:
    cells = [html.escape(text) for text in (line.name, line.group, line.better)]
    for value, best in zip(line.values, line.best, strict=True):
        text = "–" if value is None else f"{value:.4f}"
        cells.append(f"<b>{text}</b>" if best else text)
    return "".join(f"<td>{cell}</td>" for cell in cells)


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Runs compared</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem; color: #1c2330; }}
table {{ border-collapse: collapse; }}
th, td {{ padding: .3rem .8rem; border-bottom: 1px solid #dde; text-align: left; }}
td:nth-child(n+4) {{ text-align: right; font-variant-numeric: tabular-nums; }}
</style></head><body>
<h1>Runs compared</h1>
<p>The best value of each line is bold. A difference inside the intervals is none.</p>
<table><thead><tr>{head}</tr></thead><tbody>
{body}</tbody></table>
{front}</body></html>
"""
