"""What pictures of identities give away: of the learnt people, and of newcomers mixed from them."""

import copy
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd

import measurements
from identity_world import POLICIES, Policy, World
from reinforge.evaluation.picture_catalogue import SECOND
from reinforge.evaluation.picture_duplicates import near_duplicates
from reinforge.evaluation.picture_judged import judged_pictures
from reinforge.evaluation.picture_leakage import leakage_scores, searched
from reinforge.evaluation.picture_levels import picture_level
from reinforge.evaluation.picture_membership import no_box_scores
from reinforge.evaluation.picture_scorecard import evaluate_pictures
from reinforge.evaluation.picture_space import space_of
from reinforge.evaluation.picture_thresholds import FALSE_MATCH_RATES, match_threshold
from reinforge.measure.spread import covariance_trace
from reinforge.recognition.frozen import Encoder
from reinforge.records import ImageSet, PictureSplit, Score
from reinforge.systems.identity.answers import noise_norms
from reinforge.systems.identity.newcomers import Parents, shares
from reinforge.systems.identity.saved import Generator
from reinforge.systems.identity.saved import generator_of as made_of

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
    learner = policy.learner
    transformer = copy.deepcopy(learner.policy.transformer)
    return made_of(learner, world.prior, transformer, world.train.names)


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
    world: World,
    made: ImageSet,
    judge: Encoder,
    second: Encoder,
    *,
    seed: int,
    parents: Parents = "auto",
) -> dict[str, float]:
    """What pictures of newcomers give away of the people who were learnt.

    A newcomer goes by the name of the person whom it has most of, its own; so that "another" is
    anybody learnt, since it should look like none of them. Those of the prior have nobody.
    """
    main = shares(len(made.names), len(world.train.names), seed).argmax(1).numpy()
    called = replace(made, identity=main[made.identity], names=world.train.names)
    pictures = judged_pictures(parts_of(world), called, level=picture_level("quick"), seed=0)
    space = space_of(pictures, judge, name="judge")
    scores, _ = leakage_scores(pictures, space)
    scores += [near_duplicates(pictures), *no_box_scores(pictures, space)[0]]
    elsewhere = space_of(pictures, second, name="second")
    scores += leakage_scores(pictures, elsewhere, suffix=SECOND)[0]
    told = values_of(scores)
    for in_space, suffix in ((space, ""), (elsewhere, SECOND)):
        reach = match_threshold(pictures, in_space, rate=FALSE_MATCH_RATES["identity_leakage"])
        if not isinstance(reach, str):
            near = searched(in_space).synthetic
            told[f"identity_leakage{suffix}"] = float((near.any < reach.distance).mean())
    if parents == "prior" or world.prior.likeness is not None:
        told = {k: v for k, v in told.items() if not k.startswith("own_identity_match")}
    return told


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
    feature, label = judge.embed_all(made).double().cpu().numpy(), made.identity
    total = np.stack([feature[label == at].sum(0) for at in range(len(made.names))])
    right = []
    for one, own in zip(feature, label, strict=True):
        others = total.copy()
        others[own] -= one
        others /= np.linalg.norm(others, axis=1, keepdims=True)
        right.append((others @ one).argmax() == own)
    beside = judge.embed_all(real).double().cpu().numpy()
    spreads = covariance_trace(feature, label), covariance_trace(beside, real.identity)
    apart = spreads[0].mean().value / spreads[1].mean().value
    return {"newcomer_found": float(np.mean(right)), "newcomer_spread": apart}


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
