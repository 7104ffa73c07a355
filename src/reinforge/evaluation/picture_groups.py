"""Groups of people in pictures: who belongs to which, and how far apart they are served."""

import numpy as np
from jaxtyping import Float, Int

from reinforge.data.image_groups import people_by_group
from reinforge.evaluation.picture_judged import JudgedPictures
from reinforge.evaluation.picture_probe import Probe, Probed, accuracy, probe_of
from reinforge.evaluation.picture_scoring import Found
from reinforge.measure.intervals import Estimate, percentile_interval


def group_probes(pictures: JudgedPictures) -> list[Probe]:
    """What recognisers are asked about each group of unseen people."""
    groups = people_by_group(pictures.unseen)
    return _probes(pictures, {f"group={name}": people for name, people in groups.items()})


def _probes(pictures: JudgedPictures, groups: dict[str, Int[np.ndarray, " person"]]) -> list[Probe]:
    unseen = pictures.unseen
    return [
        probe_of(
            unseen,
            np.isin(unseen.identity, people),
            name,
            level=pictures.level,
            seed=pictures.seed,
        )
        for name, people in groups.items()
    ]


def group_gap(
    pictures: JudgedPictures,
    feature: Float[np.ndarray, "image feature"],
    probes: list[Probe],
    answers: list[Probed],
    *,
    luck: bool,
) -> tuple[Found, Found]:
    """Largest less smallest verification accuracy over groups, and what luck makes of it.

    Args:
        pictures: All sets.
        feature: Of the unseen pictures, by the recogniser.
        probes: Of the groups.
        answers: To those.
        luck: Whether to shuffle people among groups.

    Returns:
        The gap with its interval, and its 95th percentile over shuffled people; or reasons.
    """
    if pictures.unseen.group is None:
        return _UNKNOWN, _UNKNOWN
    kept = [
        (probe, told, told.found["verification_accuracy"])
        for probe, told in zip(probes, answers, strict=True)
        if not isinstance(told.found["verification_accuracy"], str)
    ]
    if len(kept) < 2:
        return _LONELY, _LONELY
    values = [found.value for _, _, found in kept if isinstance(found, Estimate)]
    draws = np.stack([t.accuracy_draws for _, t, _ in kept if t.accuracy_draws is not None])
    value = max(values) - min(values)
    n_people = sum(probe.n_people for probe, _, _ in kept)
    gap = percentile_interval(
        value, draws.max(axis=0) - draws.min(axis=0), n_people, is_share=False
    )
    return gap, _by_luck(pictures, feature, [probe for probe, _, _ in kept]) if luck else _UNKNOWN


_UNKNOWN = "the groups of the unseen people are not known"
_LONELY = "fewer than two groups have enough unseen people"


def _by_luck(pictures: JudgedPictures, feature: np.ndarray, probes: list[Probe]) -> Found:
    """The gap that people shuffled among groups of the same sizes reach in one case in twenty."""
    groups = people_by_group(pictures.unseen)
    kept = [groups[probe.name.removeprefix("group=")] for probe in probes]
    everybody, ends = np.concatenate(kept), np.cumsum([len(people) for people in kept])[:-1]
    rng = pictures.rng("shuffled groups")
    gaps = []
    for _ in range(pictures.level.shuffles):
        shuffled = np.split(rng.permutation(everybody), ends)
        mixed = {str(at): people for at, people in enumerate(shuffled)}
        told = [accuracy(feature, probe) for probe in _probes(pictures, mixed)]
        values = [found[0] for found in told if not isinstance(found, str)]
        if len(values) == len(kept):
            gaps.append(max(values) - min(values))
    if not gaps:
        return "shuffled groups have too few pairs"
    return Estimate(float(np.quantile(gaps, 0.95, method="higher")))
