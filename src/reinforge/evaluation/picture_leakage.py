"""Leakage of identity pictures: copies of training pictures, and matches with training people."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from reinforge.data.image_groups import people_by_group
from reinforge.evaluation.picture_catalogue import IN_A_SPACE, NEWCOMERS_IN_A_SPACE
from reinforge.evaluation.picture_judged import JudgedPictures
from reinforge.evaluation.picture_scoring import Found, picture_score
from reinforge.evaluation.picture_space import Embedded, Space, by_person
from reinforge.evaluation.picture_thresholds import (
    FALSE_MATCH_RATES,
    Threshold,
    copy_threshold,
    match_threshold,
)
from reinforge.evaluation.scoring import too_small
from reinforge.measure.identity_pairs import nearest_own_and_other
from reinforge.measure.intervals import Estimate
from reinforge.measure.spread import PerIdentity, ratio_to_real
from reinforge.records import Score

_BINS = 20


@dataclass(frozen=True, kw_only=True)
class Nearness:
    """How near each picture of a set comes to the training pictures."""

    identity: Int[np.ndarray, " image"]
    own: Float[np.ndarray, " image"]  # to the nearest of the person it shows, or should show
    other: Float[np.ndarray, " image"]  # to the nearest of anybody else

    @property
    def any(self) -> Float[np.ndarray, " image"]:
        """To the nearest of all."""
        return np.minimum(self.own, self.other)

    def share(self, near: Bool[np.ndarray, " image"]) -> PerIdentity:
        """Share of each person's pictures."""
        return by_person(near.astype(float), self.identity)


def nearness(part: Embedded, train: Embedded, *, leave_out_self: bool = False) -> Nearness:
    """Search the training pictures for each picture of a set."""
    own, other = nearest_own_and_other(
        part.feature,
        part.identity,
        train.feature,
        train.identity,
        leave_out_self=leave_out_self,
    )
    return Nearness(identity=part.identity, own=own, other=other)


_Matches = Callable[[Nearness, float], Bool[np.ndarray, " image"]]  # nearness, a threshold


@dataclass(frozen=True, kw_only=True)
class Yardsticks:
    """What nearness is read beside: how near real pictures come, and what is a copy or a match."""

    controls: dict[str, Nearness]  # "holdout", "unseen"; where nothing is fresh, "train"
    copying: Threshold | str
    matching: dict[str, Threshold | str]  # score -> threshold

    @property
    def of_same_people(self) -> str:
        """Name of the control that shows the training people: fresh pictures, or their own."""
        return "holdout" if "holdout" in self.controls else "train"


def yardsticks(pictures: JudgedPictures, space: Space) -> Yardsticks:
    """Search the training pictures for fresh ones, or for each other, and set the thresholds."""
    controls = {
        name: nearness(part, space.train)
        for name, part in (("holdout", space.holdout), ("unseen", space.unseen))
        if len(part)
    }
    if "holdout" not in controls:
        controls["train"] = nearness(space.train, space.train, leave_out_self=True)
    return Yardsticks(
        controls=controls,
        copying=copy_threshold(pictures, space),
        matching={
            name: match_threshold(pictures, space, rate=rate)
            for name, rate in FALSE_MATCH_RATES.items()
        },
    )


def leakage_scores(
    pictures: JudgedPictures, space: Space, by: Yardsticks, *, suffix: str = ""
) -> tuple[list[Score], dict[str, Any]]:
    """Scores of one embedding space, for everybody and for groups of training people.

    Args:
        pictures: All sets.
        space: Their features.
        by: Of this space.
        suffix: Of the scores' names.

    Returns:
        The scores, and the histogram of distances for the figures.
    """
    near = nearness(space.synthetic, space.train)
    own = by.matching["identity_leakage"]
    asked = [
        *(("copy_rate", by.copying, _matches_any),),
        *((name, threshold, _matches_other) for name, threshold in by.matching.items()),
        *(("own_identity_match", own, _matches_own),),
    ]
    scores = [_ratio_score(near, by, suffix)]
    for name, threshold, matches in asked:
        scores += _share_scores(pictures, near, by, threshold, name + suffix, matches)
    order = [name + suffix for name in IN_A_SPACE]
    scores.sort(key=lambda score: (score.group != "all", order.index(score.name)))
    fresh = by.controls["holdout"].own if "holdout" in by.controls else np.empty(0)
    return scores, _histogram({"synthetic": near.own, "holdout": fresh}, by)


def newcomer_leakage_scores(
    space: Space, by: Yardsticks, *, suffix: str = ""
) -> tuple[list[Score], dict[str, Any]]:
    """How near people who do not exist come to the training people, in one embedding space.

    None of them was asked to show a training person, so that each match is one too many. Read
    them beside `unseen`, real strangers, of whom a few look like somebody, too.

    Args:
        space: Features of all sets, with newcomers.
        by: Of this space.
        suffix: Of the scores' names.

    Returns:
        The scores, and the histogram of distances for the figures.
    """
    near = nearness(space.newcomers, space.train)
    matching = by.matching["identity_leakage"]
    leakage, copies = (name + suffix for name in NEWCOMERS_IN_A_SPACE)
    score, _ = _share(near, by, matching, leakage, _matches_other)  # all are others to them
    copied, _ = _share(near, by, by.copying, copies, _matches_any)
    strangers = by.controls["unseen"].other if "unseen" in by.controls else np.empty(0)
    return [score, copied], _histogram({"synthetic": near.other, "holdout": strangers}, by)


def no_leakage(
    reason: str, *, suffix: str = "", names: tuple[str, ...] = IN_A_SPACE
) -> list[Score]:
    """The scores of a space that was not given."""
    return [picture_score(name + suffix, reason) for name in names]


def _ratio_score(near: Nearness, by: Yardsticks, suffix: str) -> Score:
    """Synthetic over fresh distance to the nearest training picture of the same person."""
    control = by.controls[by.of_same_people]
    note = "" if by.of_same_people == "holdout" else _LEFT_ONE_OUT
    fresh = by_person(control.own, control.identity)
    made = by_person(near.own, near.identity)
    known = np.isfinite(fresh.value) & np.isin(fresh.identity, made.identity)
    fresh = PerIdentity(fresh.identity[known], fresh.value[known])
    kept = np.isin(made.identity, fresh.identity)
    result: Found
    if not fresh.value.sum() > 0:
        result = "nobody has a fresh real picture, or a second training picture, to compare with"
    else:
        result = ratio_to_real(PerIdentity(made.identity[kept], made.value[kept]), fresh)
    ends: dict[str, Found] = {"copy": Estimate(0.0), by.of_same_people: Estimate(1.0)}
    return picture_score(f"nearest_train_ratio{suffix}", result, baseline=ends, note=note)


_LEFT_ONE_OUT = (
    "For want of held-out pictures each training picture is compared with the other ones of its "
    "person."
)


def _matches_any(near: Nearness, reach: float) -> Bool[np.ndarray, " image"]:
    return near.any < reach


def _matches_other(near: Nearness, reach: float) -> Bool[np.ndarray, " image"]:
    return near.other < reach


def _matches_own(near: Nearness, reach: float) -> Bool[np.ndarray, " image"]:
    return near.own < reach


def _share_scores(
    pictures: JudgedPictures,
    near: Nearness,
    by: Yardsticks,
    threshold: Threshold | str,
    name: str,
    matches: _Matches,
) -> list[Score]:
    """A share of synthetic pictures with the controls' shares, for all and for groups of people."""
    if name.startswith("identity_leakage") and not np.isfinite(near.other).any():
        return [picture_score(name, "there is a single training person: nobody else to match")]
    score, shares = _share(near, by, threshold, name, matches)
    scores = [score]
    if shares is not None and not isinstance(threshold, str):
        note = _note_on(threshold, matches)
        for group, people in people_by_group(pictures.train).items():
            scores.append(_group_score(name, f"group={group}", people, *shares, by, note))
    return scores


def _share(
    near: Nearness,
    by: Yardsticks,
    threshold: Threshold | str,
    name: str,
    matches: _Matches,
) -> tuple[Score, tuple[PerIdentity, PerIdentity] | None]:
    """A share over everybody; each person's own, and that of the control of the same people."""
    if isinstance(threshold, str):
        return picture_score(name, threshold), None
    reach = threshold.distance
    shares = {
        control: part.share(matches(part, reach))
        for control, part in by.controls.items()
        if control != "unseen" or matches is not _matches_own
    }
    made = near.share(matches(near, reach))
    baseline: dict[str, Found] = {control: share.mean() for control, share in shares.items()}
    note = _note_on(threshold, matches)
    score = picture_score(name, made.share(), baseline=baseline, note=note)
    return score, (made, shares[by.of_same_people])


def _note_on(threshold: Threshold, matches: _Matches) -> str:
    """What a reader must know of a threshold."""
    note = f"The threshold is {threshold}."
    if matches is _matches_any and threshold.n_nearer == 0:
        note += " There are fewer than 100 real pairs, so that no pair at all may be nearer."
    return note


def _group_score(
    name: str,
    group: str,
    people: Int[np.ndarray, " person"],
    made: PerIdentity,
    control: PerIdentity,
    by: Yardsticks,
    note: str,
) -> Score:
    """The share over one group's people, hidden where they are few."""
    own = np.isin(made.identity, people)
    if reason := too_small(int(own.sum()), "training people"):
        return picture_score(name, reason, group=group)
    fresh = np.isin(control.identity, people)
    baseline: dict[str, Found] = {}
    if fresh.any():
        kept = PerIdentity(control.identity[fresh], control.value[fresh])
        baseline = {by.of_same_people: kept.mean()}
    share = PerIdentity(made.identity[own], made.value[own]).share()
    return picture_score(name, share, group=group, baseline=baseline, note=note)


def _histogram(near: dict[str, Float[np.ndarray, " image"]], by: Yardsticks) -> dict[str, Any]:
    """Shares of synthetic and fresh pictures by distance to the nearest training picture."""
    finite = {name: distance[np.isfinite(distance)] for name, distance in near.items()}
    furthest = max((float(d.max()) for d in finite.values() if len(d)), default=1.0)
    edges = np.linspace(0.0, max(furthest, 1e-6), _BINS + 1)
    shares = {
        name: (np.histogram(distance, bins=edges)[0] / max(len(distance), 1)).round(6).tolist()
        if len(distance)
        else []
        for name, distance in finite.items()
    }
    ends = {"copy_below": by.copying, "match_below": by.matching["identity_leakage"]}
    marks = {
        name: None if isinstance(threshold, str) else round(threshold.distance, 6)
        for name, threshold in ends.items()
    }
    return {"bins": edges.round(6).tolist(), **shares, **marks}
