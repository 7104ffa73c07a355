"""What pictures of identities give away: of the learnt people, and of newcomers."""

import copy
from collections.abc import Iterable
from dataclasses import replace

import pandas as pd

import measurements
from identity_world import POLICIES, Policy, World
from reinforge.evaluation.picture_duplicates import hashed_real
from reinforge.evaluation.picture_judged import judged_pictures
from reinforge.evaluation.picture_leakage import yardsticks
from reinforge.evaluation.picture_levels import picture_level
from reinforge.evaluation.picture_newcomers import newcomer_scores
from reinforge.evaluation.picture_scorecard import evaluate_pictures
from reinforge.evaluation.picture_space import space_of
from reinforge.measure.spread import found_among, intra_identity_diversity, ratio_of_means
from reinforge.recognition.frozen import Encoder
from reinforge.records import ImageSet, PictureSplit, Score
from reinforge.systems.identity.answers import noise_norms
from reinforge.systems.identity.saved import Generator, generators_of

OF_LEARNT, OF_NEW = "pictures of ", "newcomers of "  # before the name of a generator
PRIOR, APART = ", of the prior", ", apart"  # behind the name of newcomers
PICTURES = tuple(  # judged for themselves
    kind + policy + parents
    for kind, parents in ((OF_LEARNT, ""), (OF_NEW, ""), (OF_NEW, PRIOR), (OF_NEW, APART))
    for policy in POLICIES
)
LEAKS = {
    "identity_accuracy": "identity accuracy ↑",
    "intra_identity_diversity": "diversity, of real → 1",
    "kid": "KID ↓",
    "nearest_train_ratio": "nearest train → 1",
    "copy_rate": "copies ↓",
    "identity_leakage": "looks like another ↓",
    "own_identity_match": "looks like its own",
    "near_duplicates": "near-duplicates ↓",
    "newcomer_found": "newcomers found ↑",
    "newcomer_spread": "their spread, of real → 1",
    "membership_auc": "membership AUC → .5",
    "membership_auc_no_box": "the same, no box",
}


def name_of_policy(pictures: str) -> str:
    """By which policy these of `PICTURES` are."""
    return (
        pictures.removeprefix(OF_LEARNT)
        .removeprefix(OF_NEW)
        .removesuffix(PRIOR)
        .removesuffix(APART)
    )


def generator_of(world: World, policy: Policy) -> Generator:
    """The policy as what `save` would write."""
    learner = copy.copy(policy.learner)
    learner.policy = copy.deepcopy(learner.policy)  # its weights are changed
    return generators_of(learner, world.prior, world.train.names)[0]


def renamed(images: ImageSet) -> ImageSet:
    """The same people by names that are nobody else's."""
    return replace(images, names=tuple(f"unseen {name}" for name in images.names))


def parts_of(world: World) -> PictureSplit:
    """The real pictures of a world; unseen people by names that are nobody else's."""
    unseen = None if world.unseen is None else renamed(world.unseen)
    return PictureSplit(train=world.train, holdout=world.holdout, unseen=unseen)


def leakage(
    world: World, policy: Policy, made: ImageSet, judge: Encoder, second: Encoder
) -> dict[str, float]:
    """Fidelity and leakage of an arm's pictures, beside those of its controls."""
    answers = noise_norms(generator_of(world, policy).policy("cpu"))
    scorecard = evaluate_pictures(
        parts_of(world), made, judge=judge, second=second, answers=answers, level="quick", seed=0
    )
    return values_of(scorecard.scores)


def newcomers_leakage(
    world: World, made: ImageSet, judge: Encoder, second: Encoder
) -> dict[str, float]:
    """What pictures of newcomers give away of the people who were learnt.

    The scores go by the names of those of pictures of the learnt people, and stand beside them:
    "another" is anybody learnt, since a newcomer should look like none of them.
    """
    level = picture_level("quick")
    pictures = judged_pictures(parts_of(world), world.train, newcomers=made, level=level, seed=0)
    spaces = [space_of(pictures, encoder, name="judge") for encoder in (judge, second)]
    judged = [(space, yardsticks(pictures, space)) for space in spaces]
    scores, _ = newcomer_scores(pictures, *judged, hashed_real(pictures))
    return values_of(
        replace(score, name=f"identity_{name}" if name.startswith("leakage") else name)
        for score in scores
        if (name := score.name.removeprefix("newcomer_")) not in ("found", "spread")
    )


def themselves(made: ImageSet, judge: Encoder, real: ImageSet) -> dict[str, float]:
    """Whether pictures of one newcomer show one person, and differ as those of a person do.

    `newcomer_found`: the share that lies nearer to the mean of its newcomer's other pictures than
    to that of any other newcomer. `newcomer_spread`: tr Cov of a newcomer's pictures over that of
    as real ones.

    Args:
        made: Several pictures of each newcomer.
        judge: That gave no reward.
        real: Pictures of real people that nobody was trained on.
    """
    sets = [(judge.embed_all(s).double().cpu().numpy(), s.identity) for s in (made, real)]
    spreads = [intra_identity_diversity(*part) for part in sets]
    return {
        "newcomer_found": float(found_among(*sets[0]).value.mean()),
        "newcomer_spread": ratio_of_means(*spreads).value,
    }


def values_of(scores: Iterable[Score]) -> dict[str, float]:
    """Scores over everybody with those of their controls."""
    told = {}
    for score in scores:
        if score.group == "all" and score.value is not None:
            told[score.name] = score.value
            told |= {f"{score.name}[{k}]": v for k, v in score.baseline.items()}
    return told


def leaks_table(wide: pd.DataFrame) -> str:
    """The pictures of both generators beside real ones that nobody trained on."""
    rows = []
    known = [name for name in PICTURES if name in wide.index]
    for name in known:
        cells = [measurements.cell(wide.loc[name][s].tolist()) if s in wide else "–" for s in LEAKS]
        rows.append([f"{name} ({len(wide.loc[name])})", *cells])
    most = max(known, key=lambda name: len(wide.loc[name]))  # seeds
    for control in ("holdout", "unseen"):
        names = [f"{score}[{control}]" for score in LEAKS]
        part = wide.loc[most]
        cells = [measurements.cell(part[n].tolist()) if n in part else "–" for n in names]
        rows.append([f"control: {control}", *cells])
    return measurements.markdown_table(["pictures (seeds)", *LEAKS.values()], rows)
