"""A scorecard as the plain view that the page shows: dicts in, dicts out, no markup."""

from collections.abc import Mapping, Sequence
from typing import Any

from reinforge.report.catalogue import TABLES, Catalogue
from reinforge.report.curves import curves_of
from reinforge.report.numbers import NOTHING, count, number, shorten, visible
from reinforge.report.pictures import association, marginals, projection, roc, rules
from reinforge.report.score_view import (
    View,
    by_order,
    is_all,
    is_people,
    read_score,
    score_row,
    with_real_control,
)
from reinforge.report.sections import groups, plane, privacy_blocks
from reinforge.report.words import CONTEXT_LABELS, MISLEADING, NOT_TESTED

_COUNTED = (
    "rows",
    "Columns",
    "looked up",
    "pictures",
    "of them",
    "strangers",
    "People",
    "Strangers",
)
N_LOOKED_UP = 30
_HEADLINES = (
    ("s2r_auc", "s2r_r2", "coverage"),
    ("column_distance",),
    ("association_distance",),
    ("detection_auc",),
    ("membership_auc",),
    ("membership_tpr_at_1pct_fpr",),
    ("attribute_risk",),
    ("identical_share",),
)


def summarise(
    scorecard: Mapping[str, Any],
    *,
    history: Sequence[Mapping[str, Any]] | None = None,
    settings: Mapping[str, Any] | None = None,
    title: str,
    date: str,
) -> View:
    """Arrange everything that the page says.

    Args:
        scorecard: ``Scorecard.to_dict()``: ``scores``, ``context``, ``figures``.
        history: One dict a training step, as in ``history.jsonl``.
        settings: The resolved settings of the run; nested dicts are flattened.
        title: The heading of the page.
        date: The day on which the page was made, for contexts that name none.

    Returns:
        The view: text, finite numbers and lists of them only.
    """
    scores = with_real_control([read_score(score) for score in scorecard.get("scores") or []])
    context = dict(scorecard.get("context") or {})
    figures = dict(scorecard.get("figures") or {})
    valued = [score for score in scores if score["value"] is not None]
    found = (settings or {}).get("looked_up")
    derived = found if isinstance(found, Mapping) else {}
    return {
        "title": visible(title),
        "facts": facts(
            {**context, "settings": run_of(settings or {}), "n_looked_up": len(derived) or None},
            date,
        ),
        "warnings": [visible(warning) for warning in context.get("warnings") or []],
        "cards": cards(scores),
        "families": {
            family: [score_row(s) for s in by_order(valued) if s["family"] == family and is_all(s)]
            for family in ("utility", "fidelity", "other")
        },
        "privacy": privacy_blocks(scores),
        "leakage": leakage_lines((settings or {}).get("leakage")),
        "groups": groups(scores),
        "plane": plane(scores),
        "roc": {family: roc(figures.get("roc"), family) for family in ("utility", "attack")},
        "looked_up": looked_up_lines(derived),
        "marginals": marginals(figures.get("marginals")),
        "association": association(figures.get("association")),
        "projection": projection(figures.get("projection")),
        "rules": rules(figures.get("rules")),
        "curves": curves_of(history or []),
        "missing": missing(scores),
        "not_tested": not_tested(scores, context),
        "misleading": MISLEADING,
        "settings": flatten(settings or {}),
        "context": flatten({key: context[key] for key in context if key != "warnings"}),
    }


def facts(
    context: Mapping[str, Any],
    date: str,
    labels: Sequence[tuple[str, Sequence[str]]] = CONTEXT_LABELS,
) -> list[tuple[str, str]]:
    """What was judged: the known facts of the context in a fixed order, then the day."""
    flat = {key: value for key, value in leaves(context) if value not in (None, "", [], ())}
    shown: dict[str, str] = {}
    for label, keys in labels:
        key = next((key for key in keys if key in flat), None)
        if key is not None:
            shown[label] = _fact(label, flat[key])
    shown.setdefault("Date of this page", date)
    return [(label, shorten(text, 60)) for label, text in shown.items()]


def looked_up_lines(sources: Mapping[str, Any]) -> list[str]:
    """Columns that another one decides, each with that one; many are cut off with their number."""
    lines = [
        f"{shorten(column, 40)} (from {shorten(source, 40)})" for column, source in sources.items()
    ]
    more = len(lines) - N_LOOKED_UP
    return lines if more <= 0 else [*lines[:N_LOOKED_UP], f"and {more} more"]


def leakage_lines(tried: Any) -> list[str]:
    """Settings that were tried on halves of the training rows, each with what leaked there."""
    lines = []
    for one in tried if isinstance(tried, list) else []:
        auc = {k: number(v) for k, v in one["membership_auc"].items()}
        changed = ", ".join(f"{name} {value:g}" for name, value in one["settings"].items())
        lines.append(
            f"{changed or 'as they were'}: {auc['value']:.3f} "
            f"({auc['low']:.3f} to {auc['high']:.3f})"
        )
    return lines


def run_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings; where rows from elsewhere were judged, they name no generator."""
    if settings.get("verb") == "evaluate":
        return {"generator": "not known, rows from files", "seed": settings.get("seed")}
    return dict(settings)


def _fact(label: str, value: object) -> str:
    if label == "Columns" and isinstance(value, list | tuple):
        return count(len(value))
    if label.endswith(_COUNTED):
        return count(value)
    text = as_text(value)
    return text.removeprefix("sha256:")[:12] if label.endswith("digest") else text


def cards(scores: Sequence[View], headlines: Sequence[Sequence[str]] = _HEADLINES) -> list[View]:
    """A handful of headline scores; one that was wanted and has no value keeps its place."""
    everyone = {score["name"]: score for score in scores if is_all(score)}
    found = []
    for names in headlines:
        present = [everyone[name] for name in names if name in everyone]
        with_value = [score for score in present if score["value"] is not None]
        if present:
            found.append({**score_row((with_value or present)[0]), "family": present[0]["family"]})
    exposed = most_exposed(scores)
    if exposed is not None:
        place = next(
            (k for k, c in enumerate(found) if c["name"] == "membership_auc"), len(found) - 1
        )
        found.insert(place + 1, exposed)
    return found


def most_exposed(scores: Sequence[View]) -> View | None:
    """The group whose members an attacker recognises best, where groups were measured."""
    groups_of = [
        score
        for score in scores
        if score["name"] == "membership_auc" and score["value"] is not None and is_people(score)
    ]
    if not groups_of:
        return None
    worst = max(groups_of, key=lambda score: score["value"])
    meaning = "The one group that was measured: an average hides the people most exposed."
    if len(groups_of) > 1:
        meaning = (
            f"The highest of {len(groups_of)} groups: an average hides the people most exposed. "
            "The highest of several is high in part by chance."
        )
    title = f"Membership, most exposed group: {shorten(worst['group'], 40)}"
    return {**score_row({**worst, "meaning": meaning, "title": title}), "family": "privacy"}


def missing(scores: Sequence[View]) -> list[View]:
    """Scores without a value: one line a reason and its groups, with all scores it concerns."""
    groups_of: dict[tuple[str, str, str], list[str]] = {}
    for score in by_order(s for s in scores if s["value"] is None):
        group = "everybody" if is_all(score) else visible(score["group"])
        groups_of.setdefault((score["name"], score["title"], score["reason"]), []).append(group)
    lines: dict[tuple[str, str], list[View]] = {}
    for (name, title, reason), found in groups_of.items():
        line = lines.setdefault((reason, ", ".join(found)), [])
        line.append({"name": visible(name), "title": title})
    return [
        {"scores": line, "reason": reason, "groups": found}
        for (reason, found), line in lines.items()
    ]


def not_tested(
    scores: Sequence[View],
    context: Mapping[str, Any],
    *,
    catalogue: Catalogue = TABLES,
    always: Sequence[str] = NOT_TESTED,
) -> list[str]:
    """What stays open: attacks that nobody ran, then what no score here measures."""
    present = {score["name"] for score in scores}
    names = [name for name, entry in catalogue.entries.items() if entry.family == "privacy"]
    absent = [name for name in names if name not in present]
    left_out = []
    if absent and len(absent) < len(names):
        left_out = [f"Attacks that this scorecard leaves out: {', '.join(absent)}."]
    return [*left_out, *map(visible, context.get("not_tested") or []), *always]


def leaves(nested: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """The values of nested dicts under dotted keys, in the order they came."""
    pairs: list[tuple[str, Any]] = []
    for key, value in nested.items():
        is_branch = isinstance(value, Mapping) and value
        pairs += leaves(value, f"{prefix}{key}.") if is_branch else [(f"{prefix}{key}", value)]
    return pairs


def as_text(value: object) -> str:
    """A setting as text: lists in one line, nothing as a dash."""
    if isinstance(value, list | tuple):
        return ", ".join(map(as_text, value)) or NOTHING
    return NOTHING if value is None else visible(value)


def flatten(nested: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Nested settings as dotted keys with their values as text."""
    return [(visible(key), as_text(value)) for key, value in leaves(nested)]
