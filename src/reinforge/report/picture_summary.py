"""A scorecard of pictures as the plain view that its page shows: dicts in, dicts out, no markup."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from reinforge.report.curves import curves_of
from reinforge.report.front import front
from reinforge.report.numbers import visible
from reinforge.report.picture_catalogue import PICTURES, SECOND
from reinforge.report.picture_grid import Pair, pairs_view, samples_view
from reinforge.report.picture_sections import (
    arm_label,
    arms_view,
    gap_views,
    histograms,
    read_arms,
)
from reinforge.report.picture_words import (
    CONTEXT_LABELS,
    CURVES,
    MISLEADING,
    NOT_TESTED,
    PHASES,
)
from reinforge.report.pictures import roc
from reinforge.report.score_view import View, by_order, is_all, read_score, score_row
from reinforge.report.sections import groups, privacy_blocks
from reinforge.report.sphere import sphere
from reinforge.report.summary import cards, facts, flatten, missing, not_tested, run_of
from reinforge.report.verdict import verdict

Edition = Literal["internal", "releasable"]

_HEADLINES = (
    ("verification_accuracy",),
    ("map", "rank1"),
    ("identity_accuracy",),
    ("intra_identity_diversity",),
    ("kid", "coverage"),
    ("identity_leakage",),
    ("nearest_train_ratio", "copy_rate"),
    ("near_duplicates",),
    ("newcomer_found",),
    ("newcomer_leakage",),
    ("membership_auc",),
    ("group_gap",),
)
_OF_NEWCOMERS = "Newcomers, who should look like nobody"
_FAMILIES = ("utility", "fairness", "fidelity", "other")


def summarise_pictures(
    scorecard: Mapping[str, Any],
    *,
    samples: Mapping[str, np.ndarray],
    pairs: Sequence[Pair],
    newcomers: Mapping[str, np.ndarray],
    newcomer_pairs: Sequence[Pair],
    labels: Mapping[str, str],
    history: Sequence[Mapping[str, Any]],
    settings: Mapping[str, Any],
    title: str,
    date: str,
) -> View:
    """Arrange everything that the page says; for the releasable edition it was cleaned before.

    Args:
        scorecard: ``Scorecard.to_dict()``: ``scores``, ``context``, ``figures``.
        samples: Identity -> its synthetic pictures.
        pairs: Synthetic pictures with the nearest real ones; none in the releasable edition.
        newcomers: Person who does not exist -> their pictures.
        newcomer_pairs: Those pictures with the nearest real ones; none in the releasable edition.
        labels: What each identity is called on this page.
        history: One dict a training step, as in ``history.jsonl``.
        settings: The resolved settings of the run; nested dicts are flattened.
        title: The heading of the page.
        date: The day on which the page was made, for contexts that name none.
    """
    scores = [read_score(score, PICTURES) for score in scorecard.get("scores") or []]
    context = dict(scorecard.get("context") or {})
    figures = dict(scorecard.get("figures") or {})
    valued = [score for score in scores if score["value"] is not None]
    arms = read_arms(figures.get("arms"))
    return {
        "title": visible(title),
        "facts": facts({**context, "settings": run_of(settings)}, date, CONTEXT_LABELS),
        "warnings": [visible(warning) for warning in context.get("warnings") or []],
        "verdict": verdict(scores, arms),
        "cards": cards(scores, _HEADLINES),
        "arms": arms_view(arms),
        "families": {
            family: [score_row(s) for s in by_order(valued) if s["family"] == family and is_all(s)]
            for family in _FAMILIES
        },
        "samples": samples_view(samples, labels),
        "pairs": pairs_view(pairs, labels),
        "newcomers": samples_view(newcomers, labels, kind="newcomers"),
        "newcomer_pairs": pairs_view(newcomer_pairs, labels, kind="newcomer_pairs"),
        "sphere": sphere(figures.get("sphere"), labels),
        "leakage": leakage_parts(privacy_blocks(scores)),
        "histograms": histograms(
            {
                "In the judge's eye": figures.get("leakage"),
                "In the second embedding": figures.get("leakage_second"),
                "Newcomers beside real strangers, in the judge's eye": figures.get("newcomers"),
            }
        ),
        "roc": rocs(figures.get("roc")),
        "gaps": gap_views(scores),
        "groups": groups([s for s in scores if s["family"] != "utility"]),
        "front": front(figures.get("front")),
        "learning": learning(history),
        "alarms": alarms(history),
        "missing": missing(scores),
        "not_tested": not_tested(scores, context, catalogue=PICTURES, always=NOT_TESTED),
        "misleading": MISLEADING,
        "settings": flatten(settings),
        "context": flatten({key: context[key] for key in context if key != "warnings"}),
    }


def leakage_parts(blocks: Sequence[View]) -> list[tuple[str, list[View]]]:
    """Attacks under headings: one embedding, the other, those that need none, and newcomers."""
    headings = {"": "In the judge's eye", SECOND: "In a second embedding"}
    parts: dict[str, list[View]] = {}
    for block in blocks:
        name = block["first"]["name"].removesuffix(SECOND)
        is_space = name + SECOND in PICTURES.entries
        suffix = SECOND if block["first"]["name"].endswith(SECOND) else ""
        heading = headings[suffix] if is_space else "By pixels, and by asking the model"
        if name.startswith("newcomer_"):
            heading = _OF_NEWCOMERS
        parts.setdefault(heading, []).append(block)
    return sorted(parts.items(), key=lambda part: part[0] == _OF_NEWCOMERS)  # those come last


def rocs(raw: object) -> dict[str, View | None]:
    """ROC curves of recognisers, called by their arms, and of attacks, in the words of pictures."""
    words = {"utility": "↑ pairs of one person accepted", "attack": "↑ training pictures found"}
    curves = [
        {**curve, "name": arm_label(str(curve.get("name", "")))}
        for curve in (raw if isinstance(raw, list | tuple) else ())
    ]
    return {
        family: roc(curves, family, catalogue=PICTURES, y_label=label)
        for family, label in words.items()
    }


def learning(history: Sequence[Mapping[str, Any]]) -> list[View]:
    """Learning curves by phase; ratios of watched pixels stand apart: few readers want them."""
    parts = []
    for phase, (heading, sentence) in PHASES.items():
        lines = [line for line in history if _phase_of(line) == phase]
        curves = curves_of(lines, CURVES)
        watched = [curve for curve in curves if curve["key"].startswith("ratio_")]
        shown = [curve for curve in curves if not curve["key"].startswith("ratio_")]
        if curves:
            parts.append({"heading": heading, "how": sentence, "curves": shown, "watched": watched})
    return parts


def _phase_of(line: Mapping[str, Any]) -> str:
    """Cold start and reinforcement count their steps as one."""
    phase = str(line.get("phase", ""))
    return phase if phase in PHASES else "generator"


def alarms(history: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the watch over the pixels said, each kind of alarm once, with the step of the first."""
    first: dict[str, Any] = {}
    for line in history:
        for alarm in line.get("alarms") or []:
            first.setdefault(str(alarm), line.get("step"))
    return [f"Step {step}: {visible(alarm)}" for alarm, step in first.items()]
