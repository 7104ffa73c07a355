"""Utility of identity pictures: how well recognisers trained with them know unseen people."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from reinforge.evaluation.picture_catalogue import UTILITY
from reinforge.evaluation.picture_groups import group_gap, group_probes
from reinforge.evaluation.picture_judged import JudgedPictures
from reinforge.evaluation.picture_probe import SCORES, Probe, Probed, probe_of, probed
from reinforge.evaluation.picture_scoring import Found, picture_score
from reinforge.evaluation.picture_space import embedded
from reinforge.recognition.frozen import Encoder
from reinforge.records import Score

CHOSEN = "selected"  # the arm whose scores are the scorecard's; the last one where it is not there


def chosen_arm(arms: Iterable[str]) -> str | None:
    """The arm whose scores are the scorecard's; the others are its controls."""
    names = list(arms)
    return CHOSEN if CHOSEN in names else (names[-1] if names else None)


def utility_scores(
    pictures: JudgedPictures, recognisers: Mapping[str, Encoder]
) -> tuple[list[Score], dict[str, Any]]:
    """Retrieval and verification of every arm, for everybody and for groups.

    Returns:
        The scores of the chosen arm with the other arms as controls, and the figures `arms`,
        `group_accuracy` and `roc`.
    """
    chosen = chosen_arm(recognisers)
    nothing: dict[str, Any] = {"arms": [], "group_accuracy": [], "roc": []}
    if not len(pictures.unseen) or chosen is None:
        reason = "no recogniser was given" if chosen is None else "there are no unseen people"
        return [picture_score(name, reason) for name in UTILITY], nothing
    probes = [_everybody(pictures), *group_probes(pictures)]
    features = {
        arm: embedded(pictures.unseen, encoder, name=f"recogniser {arm!r}, unseen pictures").feature
        for arm, encoder in recognisers.items()
    }
    answers = {
        arm: [probed(f, p, level=pictures.level, seed=pictures.seed) for p in probes]
        for arm, f in features.items()
    }
    gaps = {
        arm: group_gap(pictures, features[arm], probes[1:], answers[arm][1:], luck=arm == chosen)
        for arm in recognisers
    }
    scores = [score for at in range(len(probes)) for score in _scores(probes[at], at, answers)]
    others: dict[str, Found] = {arm: gap for arm, (gap, _) in gaps.items() if arm != chosen}
    gap, limit = gaps[chosen]
    scores.insert(
        len(SCORES),
        picture_score("group_gap", gap, baseline={"limit": limit} | others, note=_GAP_NOTE),
    )
    figures = _figures(probes, answers)
    figures["arms"] += [_bar(arm, "group_gap", gap) for arm, (gap, _) in gaps.items()]
    return scores, figures


_GAP_NOTE = (
    "Chance alone makes a gap: `limit` is what people shuffled among the groups reach in one case "
    "in twenty."
)


def _everybody(pictures: JudgedPictures) -> Probe:
    everybody = np.ones(len(pictures.unseen), dtype=bool)
    return probe_of(pictures.unseen, everybody, "all", level=pictures.level, seed=pictures.seed)


def _scores(probe: Probe, at: int, answers: dict[str, list[Probed]]) -> list[Score]:
    """The chosen arm's scores of one group, with the other arms as controls."""
    chosen = chosen_arm(answers)
    assert chosen is not None
    found = answers[chosen][at].found
    note = f"Of the arm {chosen!r}, over {probe.n_people:,} unseen people."
    if len(probe.impostor) < 100:
        note += " Below 100 pairs of two people none may be accepted at 1 %."
    return [
        picture_score(
            name,
            found[name],
            group=probe.name,
            baseline={arm: told[at].found[name] for arm, told in answers.items() if arm != chosen},
            note=note,
        )
        for name in SCORES
    ]


def _figures(probes: list[Probe], answers: dict[str, list[Probed]]) -> dict[str, Any]:
    arms = [
        _bar(arm, name, told[0].found[name]) for arm, told in answers.items() for name in SCORES
    ]
    groups = [
        _bar(arm, "verification_accuracy", told[at].found["verification_accuracy"])
        | {"group": probe.name, "n_people": probe.n_people}
        for arm, told in answers.items()
        for at, probe in enumerate(probes)
        if at and probe.few is None
    ]
    curves = [
        {"name": arm, "family": "utility", **told[0].curve}
        for arm, told in answers.items()
        if told[0].curve is not None
    ]
    return {"arms": arms, "group_accuracy": groups, "roc": curves}


def _bar(arm: str, name: str, found: Found) -> dict[str, Any]:
    """One row of a figure; without a value where there is none."""
    if isinstance(found, str):
        return {"arm": arm, "score": name, "value": None, "low": None, "high": None}
    return {"arm": arm, "score": name, "value": found.value, "low": found.low, "high": found.high}
