"""Membership of pictures: by one query of the generator, and by distance to its pictures."""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from reinforge.errors import InputError
from reinforge.evaluation.membership import FPR, Attack, attack_curve
from reinforge.evaluation.picture_catalogue import NO_BOX, WHITE_BOX
from reinforge.evaluation.picture_judged import JudgedPictures, balanced, thinned_people
from reinforge.evaluation.picture_scoring import Found, picture_score
from reinforge.evaluation.picture_space import Embedded, Space
from reinforge.evaluation.scoring import too_small
from reinforge.measure.distances import nearest
from reinforge.measure.intervals import Estimate, identity_bootstrap, percentile_interval
from reinforge.measure.ranking import (
    auc_influence,
    chance_true_positives,
    tpr_at_fpr,
    weighted_auc,
    weighted_tpr_at_fpr,
)
from reinforge.records import ImageSet, Score

Answers = Callable[[ImageSet], np.ndarray]
Outcome = tuple[list[Score], list[dict[str, Any]]]


def white_box_scores(pictures: JudgedPictures, answers: Answers | None) -> Outcome:
    """The attack of somebody who holds the generator and asks it once about every picture.

    Args:
        pictures: All sets.
        answers: One number a picture, low where the generator knows it: its error at denoising the
            picture, or the norm of the noise that it predicts for it (SimA).

    Raises:
        InputError: The answers are not one number a picture.
    """
    if answers is None:
        return _nothing(WHITE_BOX, "the generator was not given, so nobody could query it")
    others, note = _non_members(pictures)
    if isinstance(others, str):
        return _nothing(WHITE_BOX, others)
    members, others = (
        thinned_people(part, pictures.level.attacked, pictures.rng(f"white box/{name}"))
        for name, part in (("members", pictures.train), ("others", others))
    )
    belief = [-_answered(answers, part) for part in (members, others)]
    n_bad = sum(int((~np.isfinite(part)).sum()) for part in belief)
    if n_bad:
        return _nothing(WHITE_BOX, f"{n_bad:,} of the generator's answers are not finite")
    attack = Attack(member=belief[0], non_member=belief[1])
    identity = members.identity, others.identity
    return _outcome(pictures, attack, identity, WHITE_BOX, note=note)


def no_box_scores(
    pictures: JudgedPictures,
    space: Space,
    released: Embedded | None = None,
    *,
    names: tuple[str, str] = NO_BOX,
) -> Outcome:
    """The attack of somebody who holds the released pictures alone.

    Belief is minus the distance to the nearest released picture of anybody, in the judge's space.
    `copy` is the attack had the training pictures been released.

    Args:
        pictures: All sets.
        space: Their features.
        released: One of the sets, the synthetic pictures if not given.
        names: Of the two scores.
    """
    released = space.synthetic if released is None else released
    others, note = _non_members(pictures)
    if isinstance(others, str):
        return _nothing(names, others)
    rows = balanced(space.train.identity, pictures.level.attacked, pictures.rng("no box/members"))
    member = space.train.rows(rows)
    non_member = space.holdout if len(space.holdout) else space.unseen
    rows = balanced(non_member.identity, pictures.level.attacked, pictures.rng("no box/others"))
    non_member = non_member.rows(rows)
    attack = Attack(
        member=_near(member, released),
        non_member=_near(non_member, released),
        copy_member=np.zeros(len(member)),
        copy_non_member=_near(non_member, space.train),
    )
    identity = member.identity, non_member.identity
    return _outcome(pictures, attack, identity, names, note=note)


def _near(part: Embedded, released: Embedded) -> Float[np.ndarray, " image"]:
    return -nearest(part.feature, released.feature)[0][:, 0]


def _non_members(pictures: JudgedPictures) -> tuple[ImageSet | str, str]:
    """Pictures that were not used, and what to know of them."""
    if len(pictures.holdout):
        return pictures.holdout, "The others are held-out pictures of the same people."
    if len(pictures.unseen):
        return pictures.unseen, (
            "The others are pictures of other people, for want of held-out ones: the attack may "
            "tell people apart and not what was used."
        )
    return (
        "there are no held-out pictures and no unseen people to tell training pictures from",
        "",
    )


def _answered(answers: Answers, images: ImageSet) -> Float[np.ndarray, " image"]:
    told = np.asarray(answers(images), dtype=np.float64)
    if told.shape != (len(images),):
        raise InputError(
            f"answers must give one number a picture, {len(images):,} of them, got the shape "
            f"{told.shape}."
        )
    return told


def _nothing(names: tuple[str, ...], reason: str) -> Outcome:
    return [picture_score(name, reason) for name in names], []


def _outcome(
    pictures: JudgedPictures,
    attack: Attack,
    identity: tuple[Int[np.ndarray, " member"], Int[np.ndarray, " other"]],
    names: tuple[str, str],
    *,
    note: str,
) -> Outcome:
    """AUC and true positive rate with intervals over people, and the ROC curve."""
    n_member, n_other = len(attack.member), len(attack.non_member)
    if reason := too_small(min(n_member, n_other), "training or other pictures"):
        return _nothing(names, reason)
    flag, belief = _joined(attack.member, attack.non_member)
    known, person = np.unique(np.concatenate(identity), return_inverse=True)

    def area(taken: np.ndarray) -> float:
        return weighted_auc(flag, belief, taken[person])

    def rate(taken: np.ndarray) -> float:
        return weighted_tpr_at_fpr(
            attack.member,
            attack.non_member,
            member_weight=taken[person[flag]],
            non_member_weight=taken[person[~flag]],
            fpr=FPR,
        )

    n_found, n_allowed = tpr_at_fpr(attack.member, attack.non_member, fpr=FPR)
    found: list[Found] = []
    for value, statistic in ((auc_influence(flag, belief)[0], area), (n_found / n_member, rate)):
        draws = identity_bootstrap(
            statistic,
            len(known),
            n_draws=pictures.level.redraws,
            generator=pictures.rng(f"{names[0]}/redrawn people"),
        )
        found.append(percentile_interval(value, draws, len(known)))
    controls = _controls(attack, n_allowed)
    scores = [
        picture_score(names[0], found[0], baseline=controls[0], note=note),
        picture_score(
            names[1],
            found[1],
            baseline=controls[1],
            note=f"{note} At most {n_allowed} of {n_other:,} others lie above the threshold.",
        ),
    ]
    return scores, [attack_curve(attack, names[0])]


def _controls(attack: Attack, n_allowed: int) -> tuple[dict[str, Found], dict[str, Found]]:
    """Of AUC and rate: a release of the training pictures, guessing, and luck."""
    n_member, n_other = len(attack.member), len(attack.non_member)
    naive, limit = chance_true_positives(n_member, n_other, n_allowed)
    area: dict[str, Found] = {}
    rate: dict[str, Found] = {"naive": Estimate(naive), "limit": Estimate(limit)}
    if attack.copy_member is not None and attack.copy_non_member is not None:
        area["copy"] = Estimate(
            auc_influence(*_joined(attack.copy_member, attack.copy_non_member))[0]
        )
        found, _ = tpr_at_fpr(attack.copy_member, attack.copy_non_member, fpr=FPR)
        rate["copy"] = Estimate(found / n_member)
    return area, rate


def _joined(member: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    flag = np.repeat([True, False], [len(member), len(other)])
    return flag, np.concatenate([member, other])
