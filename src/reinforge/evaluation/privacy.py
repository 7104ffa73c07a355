"""Privacy: all attacks on one set of synthetic rows."""

from typing import Any

from reinforge.evaluation.judged import Judged
from reinforge.evaluation.levels import Level
from reinforge.evaluation.membership import membership_scores
from reinforge.records import Score


def privacy_scores(judged: Judged, *, level: Level) -> tuple[list[Score], list[dict[str, Any]]]:
    """All privacy scores and the ROC curves of the membership attacks.

    Args:
        judged: The whole tables; each attack takes as many rows as its level allows.
        level: How deep to go.
    """
    attacked = judged.capped(real=level.real_rows, synthetic=level.attack_rows)
    return membership_scores(attacked)
