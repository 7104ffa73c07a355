"""Membership by distance: are train people nearer to the synthetic rows than others?"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from reinforge.evaluation.groups import Targets
from reinforge.evaluation.independent import independent_rows
from reinforge.evaluation.judged import Judged
from reinforge.evaluation.scoring import scored, too_small, unscored
from reinforge.measure.distances import nearest
from reinforge.measure.intervals import Estimate, wilson
from reinforge.measure.ranking import (
    auc_influence,
    auc_interval,
    chance_true_positives,
    roc_curve,
    tpr_at_fpr,
)
from reinforge.records import Score

NAMES = ("membership_auc", "membership_tpr_at_1pct_fpr")
FPR = 0.01


@dataclass(frozen=True, kw_only=True)
class Attack:
    """What an attacker believes of each train record (member) and holdout record (non-member)."""

    member: np.ndarray  # higher: more likely a member
    non_member: np.ndarray
    copy_non_member: np.ndarray | None = None  # the same beliefs had the train rows been released
    copy_member: np.ndarray | None = None

    def rows(self, member: np.ndarray, non_member: np.ndarray) -> "Attack":
        """The attack on some of the records."""
        return Attack(
            member=self.member[member],
            non_member=self.non_member[non_member],
            copy_member=None if self.copy_member is None else self.copy_member[member],
            copy_non_member=None
            if self.copy_non_member is None
            else self.copy_non_member[non_member],
        )


def membership_scores(
    judged: Judged, targets: list[Targets]
) -> tuple[list[Score], list[dict[str, Any]]]:
    """`membership_auc` and `membership_tpr_at_1pct_fpr` for all, outliers and each sensitive group.

    Members are all train rows, non-members all holdout rows, belief = -distance to the nearest
    synthetic row.
    A rank AUC does not depend on how many there are of each kind: it is the mean over all
    size-balanced
    draws, without their noise. The false positive rate's threshold comes from the non-members of
    the group.

    Returns:
        The scores and the ROC curve for everybody.
    """
    encoder = judged.encoder()
    train, holdout = encoder.transform(judged.train), encoder.transform(judged.holdout)
    synthetic = encoder.transform(judged.synthetic)
    attack = Attack(
        member=-nearest(train, synthetic)[0][:, 0],
        non_member=-nearest(holdout, synthetic)[0][:, 0],
        copy_member=np.zeros(len(train)),
        copy_non_member=-nearest(holdout, train)[0][:, 0],
    )
    scores = []
    for group in targets:
        controls = _controls(train, holdout, judged) if group.name == "all" else {}
        part = attack.rows(group.train, group.holdout)
        scores += attack_scores(part, group.name, controls=controls)
    return scores, [attack_curve(attack, NAMES[0])]


def attack_scores(
    attack: Attack,
    group: str,
    *,
    names: tuple[str, ...] = NAMES,
    controls: Mapping[str, float] | None = None,
) -> list[Score]:
    """The attack's AUC and true positive rate at 1 % false positives, with controls.

    Args:
        attack: Beliefs about the group's records.
        group: The group's name.
        names: Name of the AUC and, if given, of the true positive rate.
        controls: The AUC had other rows been released, by the control's name.
    """
    n = min(len(attack.member), len(attack.non_member))
    if reason := too_small(n, "train or holdout records"):
        return [unscored(name, reason, group=group) for name in names]
    baseline = dict(controls or {})
    if attack.copy_member is not None and attack.copy_non_member is not None:
        baseline["copy"] = _auc(attack.copy_member, attack.copy_non_member)
    flag = np.repeat([True, False], [len(attack.member), len(attack.non_member)])
    estimate = auc_interval(flag, np.concatenate([attack.member, attack.non_member]))
    estimate = Estimate(estimate.value, estimate.low, estimate.high, n)
    scores = [scored(names[0], estimate, group=group, baseline=baseline)]
    return scores + [_tpr_score(attack, group, name) for name in names[1:]]


def _tpr_score(attack: Attack, group: str, name: str) -> Score:
    n_found, n_allowed = tpr_at_fpr(attack.member, attack.non_member, fpr=FPR)
    n_member, n_non = len(attack.member), len(attack.non_member)
    mean, limit = chance_true_positives(n_member, n_non, n_allowed)
    baseline = {"naive": mean, "limit": limit}
    if attack.copy_member is not None and attack.copy_non_member is not None:
        found, _ = tpr_at_fpr(attack.copy_member, attack.copy_non_member, fpr=FPR)
        baseline["copy"] = found / n_member
    note = (
        f"At most {n_allowed} of {n_non} holdout records lie above the threshold; an attacker who "
        f"knows nothing finds {mean:.3f} on average and up to {limit:.3f} by luck."
    )
    return scored(name, wilson(n_found, n_member), group=group, baseline=baseline, note=note)


def attack_curve(attack: Attack, name: str) -> dict[str, Any]:
    """The attack's ROC curve for the figures."""
    flag = np.repeat([True, False], [len(attack.member), len(attack.non_member)])
    belief = np.concatenate([attack.member, attack.non_member])
    fpr, tpr = roc_curve(flag, belief)
    auc = auc_influence(flag, belief)[0]
    return {"name": name, "family": "attack", "fpr": fpr, "tpr": tpr, "auc": auc}


def _auc(member: np.ndarray, non_member: np.ndarray) -> float:
    flag = np.repeat([True, False], [len(member), len(non_member)])
    return auc_influence(flag, np.concatenate([member, non_member]))[0]


def _controls(train: np.ndarray, holdout: np.ndarray, judged: Judged) -> dict[str, float]:
    """The AUC had fresh real rows, or train rows with columns shuffled apart, been released."""
    apart = judged.encoder().transform(independent_rows(judged))
    member, non_member = (-nearest(people, apart)[0][:, 0] for people in (train, holdout))
    found = {"independent": _auc(member, non_member)}
    fresh = _fresh_auc(train, holdout, judged)
    return found if fresh is None else found | {"holdout": fresh}


def _fresh_auc(train: np.ndarray, holdout: np.ndarray, judged: Judged) -> float | None:
    """The control: one half of the holdout stands for synthetic rows that know no member.

    Members are then the train rows, non-members the other half of the holdout.
    """
    if len(holdout) < 4:
        return None
    rows = judged.rng("membership/fresh").permutation(len(holdout))
    fresh, non_member = holdout[rows[: len(rows) // 2]], holdout[rows[len(rows) // 2 :]]
    return _auc(-nearest(train, fresh)[0][:, 0], -nearest(non_member, fresh)[0][:, 0])
