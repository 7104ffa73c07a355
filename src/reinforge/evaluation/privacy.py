"""Privacy: all attacks on one set of synthetic rows."""

from dataclasses import replace
from typing import Any

from reinforge.evaluation.attribute import attribute_scores
from reinforge.evaluation.domias import domias_scores
from reinforge.evaluation.groups import targets_of
from reinforge.evaluation.identical import identical_scores, outliers_copied
from reinforge.evaluation.inference import inference_scores
from reinforge.evaluation.judged import Judged
from reinforge.evaluation.levels import Level
from reinforge.evaluation.linkability import linkability_scores
from reinforge.evaluation.membership import membership_scores
from reinforge.evaluation.nearer import dcr_scores
from reinforge.evaluation.singling_out import singling_out_scores
from reinforge.records import Score


def privacy_scores(judged: Judged, *, level: Level) -> tuple[list[Score], list[dict[str, Any]]]:
    """All privacy scores and the ROC curves of the membership attacks.

    Args:
        judged: The whole tables; they are thinned to the level's attack rows here.
        level: How deep to go.
    """
    whole = judged
    judged = whole.capped(real=level.real_rows, synthetic=level.attack_rows)
    targets = targets_of(judged)
    scores, curves = membership_scores(judged, targets)
    more, curve = domias_scores(judged, targets)
    scores, curves = scores + more, curves + curve
    scores += attribute_scores(judged, targets, level=level)
    scores += singling_out_scores(judged, targets, level=level)
    scores += linkability_scores(judged, targets, level=level)
    scores += inference_scores(judged, targets, level=level)
    scores += dcr_scores(judged, level=level)
    scores += identical_scores(whole)
    against_all = replace(judged, synthetic=whole.synthetic)
    scores += [outliers_copied(against_all, t) for t in targets if t.name == "outliers"]
    return scores, curves
