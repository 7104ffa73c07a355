"""From what was found of pictures, a number or a reason, to a `Score`."""

from reinforge.evaluation.picture_catalogue import PICTURE_MEANINGS
from reinforge.evaluation.scoring import scored, unscored
from reinforge.measure.intervals import Estimate
from reinforge.records import Score

Found = Estimate | str  # an estimate, or the reason why there is none


def picture_score(
    name: str,
    found: Found,
    *,
    group: str = "all",
    baseline: dict[str, Found] | None = None,
    note: str = "",
) -> Score:
    """A score with a value, or with its reason.

    Args:
        name: A name of the public interface.
        found: What was found.
        group: "all", or "group=F".
        baseline: Control -> what was found; those without a value are left out.
        note: What a reader must know besides the meaning, in whole sentences.
    """
    if isinstance(found, str):
        return unscored(name, found, group=group, meanings=PICTURE_MEANINGS)
    controls = {
        control: value.value
        for control, value in (baseline or {}).items()
        if not isinstance(value, str)
    }
    return scored(name, found, group=group, baseline=controls, note=note, meanings=PICTURE_MEANINGS)
