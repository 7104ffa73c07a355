"""Fidelity of identity pictures, in the eyes of a judge that gave no reward."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from reinforge.evaluation.picture_judged import JudgedPictures
from reinforge.evaluation.picture_scoring import Found, picture_score
from reinforge.evaluation.picture_space import Embedded, Space, with_at_least
from reinforge.measure.intervals import Estimate
from reinforge.measure.kernel_distance import kid_over_identities
from reinforge.measure.manifold import coverage_of_perfect, coverage_of_some, own_neighbourhoods
from reinforge.measure.spread import (
    PerIdentity,
    centroid_accuracy,
    intra_identity_diversity,
    ratio_to_real,
)
from reinforge.records import Score

FEWEST_PEOPLE = 3  # with two pictures
NEIGHBOURS = 5  # of arXiv:2002.09797; fewer where a person has no more than so many real pictures


@dataclass(frozen=True, kw_only=True)
class Reference:
    """Real pictures that synthetic ones are compared with, and real ones compared likewise."""

    real: Embedded
    control_real: Embedded  # what the control is compared with: the same where it can be
    control: Embedded  # real pictures of the same people that are none of those
    note: str


def fidelity_scores(pictures: JudgedPictures, space: Space) -> list[Score]:
    """The five scores in the judge's space, each beside real pictures in place of synthetic ones.

    Every identity counts the same; people with too few pictures for a score are left out of it.
    """
    reference, made = reference_of(pictures, space), space.synthetic
    scores = []
    for name, measure in _MEASURES.items():
        found = measure(reference.real, made)
        control = measure(reference.control_real, reference.control)
        scores.append(picture_score(name, found, baseline={"train": control}, note=reference.note))
    density, coverage = _neighbourhood_scores(reference, made)
    return [scores[0], density, coverage, *scores[1:]]


def reference_of(pictures: JudgedPictures, space: Space) -> Reference:
    """Held-out pictures, with the training pictures as control; else halves of those.

    A spread needs two held-out pictures of a person, and a comparison some people.
    """
    if len(with_at_least(2, space.holdout)) >= FEWEST_PEOPLE:
        note = (
            "Compared with held-out pictures; the control puts the training pictures in their "
            "place."
        )
        real = space.holdout
        return Reference(real=real, control_real=real, control=space.train, note=note)
    first = _one_half(space.train, pictures.rng("halves of train"))
    return Reference(
        real=space.train,
        control_real=space.train.where(first),
        control=space.train.where(~first),
        note="Compared with the training pictures, for want of enough held-out ones: a copy looks "
        "perfect. The control compares one half of each person's training pictures with the other.",
    )


def _one_half(sets: Embedded, rng: np.random.Generator) -> np.ndarray:
    """One random half of each person's pictures, the larger one where they are odd."""
    half = np.zeros(len(sets), dtype=bool)
    for person in np.unique(sets.identity):
        own = rng.permutation(np.flatnonzero(sets.identity == person))
        half[own[: (len(own) + 1) // 2]] = True
    return half


def kid(real: Embedded, made: Embedded) -> Found:
    """Kernel distance identity by identity; features of length 1 are brought to unit variance."""
    people = with_at_least(2, real, made)
    if len(people) < FEWEST_PEOPLE:
        return f"needs {FEWEST_PEOPLE} people with 2 pictures on both sides, got {len(people)}"
    real, made = real.of(people), made.of(people)
    scale = np.sqrt(real.feature.shape[1])
    return kid_over_identities(
        real.feature * scale,
        made.feature * scale,
        real_identity=real.identity,
        synthetic_identity=made.identity,
    )


def diversity(real: Embedded, made: Embedded) -> Found:
    """Spread of a person's pictures, as a ratio to the real ones'."""
    people = with_at_least(2, real, made)
    if not len(people):
        return "nobody has 2 pictures on both sides"
    usual = intra_identity_diversity(real.of(people).feature, real.of(people).identity)
    if not usual.value.sum() > 0:
        return "the real pictures of every person are all equal to the judge"
    spread = intra_identity_diversity(made.of(people).feature, made.of(people).identity)
    return ratio_to_real(spread, usual)


def recognised(real: Embedded, made: Embedded) -> Found:
    """Share of pictures whose nearest class mean of real pictures is their own."""
    made = made.of(np.unique(real.identity))
    n_people = len(np.unique(real.identity))
    if n_people < 2 or not len(made):
        return f"needs real pictures of 2 people, got {n_people}"
    return centroid_accuracy(
        made.feature, made.identity, real=real.feature, real_identity=real.identity
    ).share()


_MEASURES: dict[str, Callable[[Embedded, Embedded], Found]] = {
    "kid": kid,
    "intra_identity_diversity": diversity,
    "identity_accuracy": recognised,
}


def _neighbourhood_scores(reference: Reference, made: Embedded) -> tuple[Score, Score]:
    """Density and coverage of each person's own neighbourhoods.

    Coverage grows with the pictures that may cover: it is taken at as many synthetic pictures of a
    person as the control has, on average over which, and beside what a perfect generator has.
    """
    n_control = Counter(reference.control.identity.tolist())
    n_made = Counter(made.identity.tolist())
    equal = {p: min(n, n_control.get(p, n)) for p, n in n_made.items()}
    dense, covered, perfect = neighbourhoods(reference.real, made, equal)
    control = neighbourhoods(
        reference.control_real, reference.control, {p: equal.get(p, 0) for p in n_control}
    )
    density = picture_score(
        "density", dense, baseline={"train": control[0]}, note=f"{reference.note} {_OWN}"
    )
    coverage = picture_score(
        "coverage",
        covered,
        baseline={"train": control[1], "perfect": perfect},
        note=f"{reference.note} {_OWN} {_EQUAL}",
    )
    return density, coverage


_OWN = "A neighbourhood ends at the 5th nearest real picture of the same person, or at the last."
_EQUAL = (
    "As many synthetic pictures of a person count as the control has; without fault are "
    "as many pictures of the real pictures' own distribution, on average."
)


def neighbourhoods(
    real: Embedded, made: Embedded, n_made: dict[int, int]
) -> tuple[Found, Found, Found]:
    """Density, coverage, and the coverage of a perfect generator, over people.

    Args:
        real: Pictures that make the neighbourhoods.
        made: Pictures that fill them.
        n_made: Person -> how many of these may cover.
    """
    people = [p for p in with_at_least(2, real, real).tolist() if n_made.get(p, 0) > 0]
    if not people:
        reason = "nobody has 2 real pictures and one to judge"
        return reason, reason, reason
    rows: list[tuple[float, float, float]] = []
    for person in people:
        own = real.feature[real.identity == person]
        k = min(NEIGHBOURS, len(own) - 1)
        inside = own_neighbourhoods(own, made.feature[made.identity == person], k=k)
        n = n_made[person]
        rows.append(
            (
                float(inside.sum(axis=1).mean() / k),
                coverage_of_some(inside, n),
                coverage_of_perfect(len(own), n, k=k),
            )
        )
    number = np.array(people, dtype=np.int64)
    density, coverage, perfect = (PerIdentity(number, column) for column in np.array(rows).T)
    return (
        _at_least_none(density.mean()),
        coverage.share(),
        Estimate(perfect.mean().value, n=len(people)),
    )


def _at_least_none(found: Estimate) -> Estimate:
    """An estimate of what cannot be negative: its interval ends at 0."""
    return found if found.low is None else replace(found, low=max(found.low, 0.0))
