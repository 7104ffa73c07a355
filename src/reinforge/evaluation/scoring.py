"""From an estimate to a `Score`: direction, meaning, controls, or a reason for no value."""

import math
from collections.abc import Mapping

from reinforge.evaluation.catalogue import BETTER, MEANINGS
from reinforge.evaluation.judged import FEW, MIN_GROUP
from reinforge.measure.intervals import Estimate
from reinforge.records import Score


def scored(
    name: str,
    estimate: Estimate,
    *,
    group: str = "all",
    baseline: dict[str, float] | None = None,
    note: str = "",
    meanings: Mapping[str, str] = MEANINGS,
) -> Score:
    """A score with a value; one that is not finite becomes a score with a reason.

    Args:
        name: A name of the public interface.
        estimate: Value, interval and n.
        group: "all", "outliers", "worst columns", or "sex=F".
        baseline: Control -> its value on the same score; controls that are not finite are left out.
        note: What a reader must know besides the meaning, in whole sentences.
        meanings: Of scores of tables, or of pictures.
    """
    if not math.isfinite(estimate.value):
        reason = "the computation gave no finite number"
        return unscored(name, reason, group=group, meanings=meanings)
    few = (
        ""
        if estimate.n is None or estimate.n >= FEW
        else f"Only {estimate.n} cases: read it with care."
    )
    return Score(
        name=name,
        group=group,
        value=float(estimate.value),
        low=_finite(estimate.low),
        high=_finite(estimate.high),
        better=BETTER[name],
        n=estimate.n,
        meaning=" ".join(part for part in (meanings[name], note, few) if part),
        baseline={k: float(v) for k, v in (baseline or {}).items() if math.isfinite(v)},
    )


def unscored(
    name: str,
    reason: str,
    *,
    group: str = "all",
    n: int | None = None,
    meanings: Mapping[str, str] = MEANINGS,
) -> Score:
    """A score without a value, listed by name with its reason."""
    return Score(
        name=name, group=group, better=BETTER[name], n=n, meaning=meanings[name], reason=reason
    )


def too_small(n: int, what: str) -> str | None:
    """The reason why a group is not scored, or None if it is large enough."""
    if n >= MIN_GROUP:
        return None
    return f"hidden: fewer than {MIN_GROUP} {what}; a number would speak of single people"


def _finite(bound: float | None) -> float | None:
    return None if bound is None or not math.isfinite(bound) else float(bound)
