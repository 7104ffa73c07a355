"""Linkability: do synthetic rows help to put two halves of one person's record together?"""

import numpy as np

from reinforge.evaluation.drawn import Drawn, draw
from reinforge.evaluation.groups import Targets
from reinforge.evaluation.judged import Judged
from reinforge.evaluation.levels import Level
from reinforge.evaluation.residual import Outcome, risk_score
from reinforge.evaluation.scoring import unscored
from reinforge.measure.distances import nearest
from reinforge.records import Score

NAME = "linkability_risk"
_N_SPLITS = 3  # ways of cutting the columns in two


def linkability_scores(judged: Judged, targets: list[Targets], *, level: Level) -> list[Score]:
    """`linkability_risk`: the worst of three random ways to cut the columns in two.

    The attacker knows half of the columns from one source and half from another; the attack on a
    person
    succeeds if both halves have the same nearest synthetic row. Guessing two rows succeeds in 1 of
    m.
    """
    names = [column.name for column in judged.schema.modelled]
    if len(names) < 2:
        return [unscored(NAME, "needs at least 2 modelled columns", group=t.name) for t in targets]
    drawn = draw(judged, targets, level.n_attacks, "linkability")
    encoder = judged.encoder()
    where = encoder.blocks
    tables = (drawn.train, drawn.holdout, judged.synthetic, judged.train)
    points = [encoder.transform(table) for table in tables]
    shuffled = points[2][judged.rng("linkability/order").permutation(len(points[2]))]
    outcomes, copies = [], []
    for split in range(_N_SPLITS):
        order = judged.rng("linkability/columns", split).permutation(len(names))
        halves = [
            np.concatenate([np.arange(where[names[i]].start, where[names[i]].stop) for i in half])
            for half in (order[: len(names) // 2], order[len(names) // 2 :])
        ]
        what = f"split {split + 1} of {_N_SPLITS}"
        outcomes.append(_attack(points[0], points[1], shuffled, halves, what))
        if level.slow_controls:
            copies.append(_attack(points[0], points[1], points[3], halves, what))
    return [_score(group, drawn, outcomes, copies) for group in targets]


def _attack(
    members: np.ndarray,
    others: np.ndarray,
    synthetic: np.ndarray,
    halves: list[np.ndarray],
    what: str,
) -> Outcome:
    main, control = (
        same_nearest(people, synthetic, halves[0], halves[1]) for people in (members, others)
    )
    return Outcome(main=main, control=control, naive=1 / len(synthetic), what=what)


def same_nearest(
    people: np.ndarray, synthetic: np.ndarray, half: np.ndarray, other: np.ndarray
) -> np.ndarray:
    """Whether each person's nearest synthetic row is the same on both halves of the features."""
    found = [nearest(people[:, part], synthetic[:, part])[1][:, 0] for part in (half, other)]
    return (found[0] == found[1]).astype(float)


def _score(group: Targets, drawn: Drawn, outcomes: list[Outcome], copies: list[Outcome]) -> Score:
    if reason := drawn.too_small(group.name):
        return unscored(NAME, reason, group=group.name)
    return risk_score(
        NAME,
        [drawn.among(group.name, outcome) for outcome in outcomes],
        group=group.name,
        copy=[drawn.among(group.name, outcome) for outcome in copies] or None,
    )
