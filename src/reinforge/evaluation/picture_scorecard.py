"""The scorecard of identity pictures: what they are good for, and whom they give away."""

from collections.abc import Mapping

from reinforge.evaluation.picture_catalogue import SECOND
from reinforge.evaluation.picture_context import picture_context
from reinforge.evaluation.picture_duplicates import hashed_real, near_duplicates
from reinforge.evaluation.picture_fidelity import fidelity_scores
from reinforge.evaluation.picture_judged import judged_pictures
from reinforge.evaluation.picture_leakage import leakage_scores, no_leakage, yardsticks
from reinforge.evaluation.picture_levels import picture_level
from reinforge.evaluation.picture_membership import Answers, no_box_scores, white_box_scores
from reinforge.evaluation.picture_newcomers import newcomer_scores
from reinforge.evaluation.picture_space import space_of
from reinforge.evaluation.picture_utility import utility_scores
from reinforge.evaluation.scorecard import Progress, Scorecard, plain
from reinforge.recognition.frozen import Encoder
from reinforge.records import ImageSet, PictureSplit

_NAMES = ("judge", "second")


def evaluate_pictures(
    split: PictureSplit,
    synthetic: ImageSet,
    *,
    judge: Encoder,
    newcomers: ImageSet | None = None,
    second: Encoder | None = None,
    recognisers: Mapping[str, Encoder] | None = None,
    answers: Answers | None = None,
    level: str = "full",
    seed: int = 0,
    progress: Progress | None = None,
    judge_names: tuple[str, str] = _NAMES,
) -> Scorecard:
    """Score pictures of identities for utility, fidelity and leakage.

    Args:
        split: Real pictures: those that the generator saw, others of the same people, and people
            whom nobody saw.
        synthetic: Pictures of the training people, each with the person it was asked to show.
        newcomers: Pictures of people who do not exist, whatever they are called; None: such scores
            have a reason in place of a value.
        judge: An embedding network that gave no reward; it judges fidelity and leakage.
        second: Another embedding, e.g. the recogniser that gave the reward, in which leakage is
            looked for once more.
        recognisers: Arm -> the recogniser trained in it; they are scored on the unseen people. The
            scores are those of the arm "selected", or of the last, with the others as controls.
        answers: One number a picture, low where the generator seems to know it, for the attack of
            somebody who holds the generator. Identities are places in the training set's names;
            unseen people, who are asked about for want of a holdout, come after all of those.
        level: "quick" or "full": how many pictures, pairs and redraws.
        seed: Key of every draw; the same seed gives the same scorecard.
        progress: Called with the name of each stage and the share of stages done.
        judge_names: What judge and second are called in the context.

    Raises:
        InputError: Sets are empty or do not fit together, or an encoder or the answers fail.
    """
    depth = picture_level(level)
    recognisers = dict(recognisers or {})
    pictures = judged_pictures(split, synthetic, newcomers=newcomers, level=depth, seed=seed)
    tell = progress or (lambda stage, share: None)
    tell("utility", 0.0)
    scores, figures = utility_scores(pictures, recognisers)
    tell("fidelity", 0.3)
    space = space_of(pictures, judge, name=judge_names[0])
    scores += fidelity_scores(pictures, space)
    tell("leakage", 0.5)
    judged = space, yardsticks(pictures, space)
    leaked, figures["leakage"] = leakage_scores(pictures, *judged)
    elsewhere = None
    if second is None:
        leaked += no_leakage("no second embedding was given", suffix=SECOND)
    else:
        other = space_of(pictures, second, name=judge_names[1])
        elsewhere = other, yardsticks(pictures, other)
        more, figures["leakage_second"] = leakage_scores(pictures, *elsewhere, suffix=SECOND)
        leaked += more
    real = hashed_real(pictures)
    leaked.append(near_duplicates(pictures.synthetic, real))
    tell("membership", 0.75)
    for attacked, curves in (
        white_box_scores(pictures, answers),
        no_box_scores(pictures, space),
    ):
        leaked += attacked
        figures["roc"] += curves
    tell("newcomers", 0.9)
    of_nobody, drawn = newcomer_scores(pictures, judged, elsewhere, real)
    leaked += of_nobody
    figures["roc"] += drawn.pop("roc")
    figures |= drawn
    judges = {"judge": judge_names[0], "second": None if second is None else judge_names[1]}
    context = picture_context(
        split,
        synthetic,
        newcomers=newcomers,
        pictures=pictures,
        judges=judges,
        arms=list(recognisers),
    )
    tell("done", 1.0)
    return Scorecard(scores=(*scores, *leaked), context=plain(context), figures=plain(figures))
