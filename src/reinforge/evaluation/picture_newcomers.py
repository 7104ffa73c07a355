"""People who do not exist: is each of them one person, and does any look like somebody learnt?"""

from typing import Any

import numpy as np

from reinforge.evaluation.picture_catalogue import NEWCOMERS_IN_A_SPACE, NEWCOMERS_NO_BOX, SECOND
from reinforge.evaluation.picture_duplicates import HashedReal, near_duplicates
from reinforge.evaluation.picture_judged import JudgedPictures, balanced
from reinforge.evaluation.picture_leakage import Yardsticks, newcomer_leakage_scores, no_leakage
from reinforge.evaluation.picture_membership import no_box_scores
from reinforge.evaluation.picture_scoring import Found, picture_score
from reinforge.evaluation.picture_space import Embedded, Space, with_at_least
from reinforge.measure.intervals import Estimate
from reinforge.measure.spread import (
    found_among,
    intra_identity_diversity,
    ratio_of_means,
)
from reinforge.records import Score

FEWEST_PEOPLE = 3  # with two pictures each, to say how much real people's pictures differ
FEWEST_STRANGERS = 10  # to say how often real people are found: among few everybody is
_NAMES = (
    *("newcomer_found", "newcomer_spread"),
    *(name + suffix for suffix in ("", SECOND) for name in NEWCOMERS_IN_A_SPACE),
    *("newcomer_near_duplicates", *NEWCOMERS_NO_BOX),
)


def newcomer_scores(
    pictures: JudgedPictures,
    judged: tuple[Space, Yardsticks],
    elsewhere: tuple[Space, Yardsticks] | None,
    real: HashedReal,
) -> tuple[list[Score], dict[str, Any]]:
    """Scores of the newcomers' pictures, with real strangers as their control.

    Args:
        pictures: All sets.
        judged: Their features by the judge, and what nearness is read beside there.
        elsewhere: The same of a second space.
        real: The real pictures, hashed.

    Returns:
        The scores, or for each the reason why there is none; the figures `newcomers` (a histogram
        of distances) and `roc`.
    """
    if not len(pictures.newcomers):
        reason = "no pictures of newcomers were given"
        return [picture_score(name, reason) for name in _NAMES], {"newcomers": None, "roc": []}
    space, _ = judged
    leaked, histogram = newcomer_leakage_scores(*judged)
    if elsewhere is None:
        reason = "no second embedding was given"
        leaked += no_leakage(reason, suffix=SECOND, names=NEWCOMERS_IN_A_SPACE)
    else:
        leaked += newcomer_leakage_scores(*elsewhere, suffix=SECOND)[0]
    name = "newcomer_near_duplicates"
    leaked.append(near_duplicates(pictures.newcomers, real, name=name))
    attacked, curves = no_box_scores(pictures, space, space.newcomers, names=NEWCOMERS_NO_BOX)
    scores = [_found_score(pictures, space), _spread_score(space), *leaked, *attacked]
    return scores, {"newcomers": histogram, "roc": curves}


def _found_score(pictures: JudgedPictures, space: Space) -> Score:
    """How surely a newcomer's pictures go together, among as many people as there are strangers."""
    name, made = "newcomer_found", _of_several(space.newcomers)
    n_known = len(np.unique(made.identity))
    if n_known < 2:
        return picture_score(name, f"needs 2 newcomers with 2 pictures, got {n_known}")
    each = int(np.bincount(made.identity).max())
    strangers = _of_several(_with_at_most(each, space.unseen, pictures))
    n_strangers = len(np.unique(strangers.identity))
    controls: dict[str, Found] = {}
    n_people = n_known
    if n_strangers >= FEWEST_STRANGERS:
        n_people = min(n_known, n_strangers)
        shares = found_among(strangers.feature, strangers.identity, n_people=n_people)
        controls["unseen"] = shares.mean()
    controls["chance"] = Estimate(1 / n_people)
    shares = found_among(made.feature, made.identity, n_people=n_people)
    note = f"Among all {n_known:,} of them."
    if n_people < n_known:
        note = f"Among {n_people:,} of them, as many as there are strangers: mean over which ones."
    return picture_score(name, shares.share(), baseline=controls, note=note)


def _spread_score(space: Space) -> Score:
    """How much a newcomer's pictures differ, over how much real ones of one person do."""
    name, made = "newcomer_spread", _of_several(space.newcomers)
    real, of_whom = next(
        (
            (_of_several(part), words)
            for part, words in (
                (space.unseen, "real strangers"),
                (space.holdout, "held-out pictures of the training people"),
                (space.train, "training pictures"),
            )
            if len(with_at_least(2, part)) >= FEWEST_PEOPLE
        ),
        (None, ""),
    )
    if real is None:
        return picture_score(name, f"needs {FEWEST_PEOPLE} real people with 2 pictures")
    if not len(made):
        return picture_score(name, "no newcomer has 2 pictures")
    usual = intra_identity_diversity(real.feature, real.identity)
    if not usual.value.sum() > 0:
        return picture_score(name, "the real pictures of every person are all equal to the judge")
    spread = intra_identity_diversity(made.feature, made.identity)
    return picture_score(name, ratio_of_means(spread, usual), note=f"Compared with {of_whom}.")


def _of_several(part: Embedded) -> Embedded:
    """Those who have two pictures or more."""
    return part.of(with_at_least(2, part))


def _with_at_most(n: int, part: Embedded, pictures: JudgedPictures) -> Embedded:
    """At most so many pictures of each person: a mean of more is found more surely."""
    count = np.unique(part.identity, return_counts=True)[1]
    n_kept = int(np.minimum(count, n).sum())
    return part.rows(balanced(part.identity, n_kept, pictures.rng("newcomers/strangers")))
