"""Probing a recogniser with people whom it never saw: retrieval and verification."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from reinforge.errors import InputError
from reinforge.evaluation.picture_levels import PictureLevel
from reinforge.evaluation.picture_scoring import Found
from reinforge.evaluation.scoring import too_small
from reinforge.measure.identity_pairs import genuine_pairs, impostor_pairs
from reinforge.measure.intervals import identity_bootstrap, percentile_interval
from reinforge.measure.ranking import (
    auc_influence,
    roc_curve,
    tpr_at_fpr,
    weighted_tpr_at_fpr,
)
from reinforge.measure.retrieval import Marked, retrieve
from reinforge.measure.verification import pair_similarity, verify
from reinforge.randomness import generator
from reinforge.records import ImageSet

FAR = 0.01
N_FOLDS = 10
SCORES = ("map", "rank1", "verification_accuracy", "tar_at_1pct_far")


@dataclass(frozen=True, kw_only=True)
class Probe:
    """What a recogniser is asked about one group of unseen people, the same for every arm."""

    name: str  # "all", or "group=F"
    person: Int[np.ndarray, " image"]  # of all unseen pictures, 0 .. n_people - 1
    camera: Int[np.ndarray, " image"]  # a number of its own for each picture where none is known
    asked: Bool[np.ndarray, " image"]  # pictures of the group that have a match to find
    genuine: Int[np.ndarray, "pair 2"]
    impostor: Int[np.ndarray, "other 2"]
    n_people: int  # in the group
    few: str | None  # the reason why so few people are not scored


@dataclass(frozen=True, kw_only=True)
class Probed:
    """What one recogniser answered."""

    found: dict[str, Found]
    accuracy_draws: Float[np.ndarray, " draw"] | None = None  # of redrawn people, for the gap
    curve: dict[str, Any] | None = None  # "fpr", "tpr", "auc" of verification


def probe_of(
    unseen: ImageSet,
    member: Bool[np.ndarray, " image"],
    name: str,
    *,
    level: PictureLevel,
    seed: int,
) -> Probe:
    """Queries and pairs of a group; pairs lie inside it, as in RFW (arXiv:1812.00194).

    Args:
        unseen: All unseen pictures: the gallery.
        member: Which of them are the group's.
        name: Of the group.
        level: How many pairs.
        seed: Key of the pairs.
    """
    camera = np.arange(len(unseen)) if unseen.camera is None else unseen.camera
    person = np.unique(unseen.identity, return_inverse=True)[1].astype(np.int64)
    own = np.flatnonzero(member)
    pairs = {
        kind: own[find(person[own], most=most, generator=generator(seed, f"{_STREAM}/{kind}"))]
        for kind, find, most in (
            ("genuine", genuine_pairs, level.genuine),
            ("impostor", impostor_pairs, level.impostor),
        )
    }
    n_people = len(np.unique(person[own]))
    return Probe(
        name=name,
        person=person,
        camera=camera.astype(np.int64),
        asked=member & _has_match(person, camera),
        genuine=pairs["genuine"],
        impostor=pairs["impostor"],
        n_people=n_people,
        few=None if name == "all" else too_small(n_people, "unseen people"),
    )


def probed(
    feature: Float[np.ndarray, "image feature"], probe: Probe, *, level: PictureLevel, seed: int
) -> Probed:
    """Retrieval and verification of one recogniser, with intervals over people.

    Args:
        feature: The recogniser's, of all unseen pictures, of length 1.
        probe: What is asked.
        level: How many redraws.
        seed: Key of the redraws: the same people are redrawn for every recogniser.
    """
    if probe.few is not None:
        return Probed(found=dict.fromkeys(SCORES, probe.few))
    retrieved = _retrieved(feature, probe, level, seed)
    return _verified(feature, probe, level, seed, retrieved)


def accuracy(
    feature: Float[np.ndarray, "image feature"], probe: Probe
) -> tuple[float, Bool[np.ndarray, " pair"]] | str:
    """Verification accuracy over ten folds of as many pairs of one person as of two.

    Returns:
        The accuracy and which pairs are called right, those of one person first; or the reason why
        there is none.
    """
    n = min(len(probe.genuine), len(probe.impostor)) // N_FOLDS * N_FOLDS
    pairs = np.concatenate([probe.genuine[:n], probe.impostor[:n]])
    same = np.repeat([True, False], n)
    try:
        verified = verify(pair_similarity(feature, pairs), same, n_folds=N_FOLDS, far=FAR)
    except InputError as error:
        return str(error)
    return verified.accuracy.value, verified.right


def _verified(
    feature: np.ndarray, probe: Probe, level: PictureLevel, seed: int, retrieved: dict[str, Found]
) -> Probed:
    told = accuracy(feature, probe)
    if isinstance(told, str):
        reasons: dict[str, Found] = {name: told for name in SCORES if name not in retrieved}
        return Probed(found=retrieved | reasons)
    value, right = told
    n = len(right) // 2
    one, two = probe.person[probe.genuine], probe.person[probe.impostor]

    def share_right(taken: np.ndarray) -> float:
        weight = taken[one[:n, 0]], taken[two[:n, 0]] * taken[two[:n, 1]]
        return (_share(right[:n], weight[0]) + _share(right[n:], weight[1])) / 2

    draws = _redrawn(share_right, probe, level, seed)
    accepted, curve = _accepted(feature, probe, level, seed)
    return Probed(
        found=retrieved
        | {
            "verification_accuracy": percentile_interval(value, draws, probe.n_people),
            "tar_at_1pct_far": accepted,
        },
        accuracy_draws=draws,
        curve=curve,
    )


def _accepted(
    feature: np.ndarray, probe: Probe, level: PictureLevel, seed: int
) -> tuple[Found, dict[str, Any]]:
    """TAR at the FAR over all drawn pairs, and the ROC curve."""
    genuine = pair_similarity(feature, probe.genuine)
    impostor = pair_similarity(feature, probe.impostor)
    order = np.argsort(-impostor, kind="stable")  # sorted once: each redraw sorts again
    impostor, two = impostor[order], probe.person[probe.impostor[order]]
    one = probe.person[probe.genuine[:, 0]]

    def rate(taken: np.ndarray) -> float:
        return weighted_tpr_at_fpr(
            genuine,
            impostor,
            member_weight=taken[one],
            non_member_weight=taken[two[:, 0]] * taken[two[:, 1]],
            fpr=FAR,
        )

    found, _ = tpr_at_fpr(genuine, impostor, fpr=FAR)
    draws = _redrawn(rate, probe, level, seed)
    flag = np.repeat([True, False], [len(genuine), len(impostor)])
    score = np.concatenate([genuine, impostor])
    fpr, tpr = roc_curve(flag, score)
    estimate = percentile_interval(found / len(genuine), draws, probe.n_people)
    return estimate, {"fpr": fpr, "tpr": tpr, "auc": auc_influence(flag, score)[0]}


def _retrieved(
    feature: np.ndarray, probe: Probe, level: PictureLevel, seed: int
) -> dict[str, Found]:
    """MAP and rank 1, each query against all other pictures that the camera rule leaves."""
    asked = np.flatnonzero(probe.asked)
    if not len(asked):
        reason = "no unseen person has two pictures (under two cameras, where cameras are known)"
        return {"map": reason, "rank1": reason}
    query, gallery = (
        Marked(feature=feature[rows], identity=probe.person[rows], camera=probe.camera[rows])
        for rows in (asked, np.arange(len(feature)))
    )
    found = retrieve(query, gallery)
    values = {"map": found.average_precision, "rank1": (found.first_hit < 1).astype(float)}
    estimates: dict[str, Found] = {}
    for name, value in values.items():

        def mean(taken: np.ndarray, value: np.ndarray = value) -> float:
            return _share(value, taken[query.identity])

        draws = _redrawn(mean, probe, level, seed)
        estimates[name] = percentile_interval(float(value.mean()), draws, probe.n_people)
    return estimates


_STREAM = "evaluate/pictures/verification"


def _redrawn(statistic: Any, probe: Probe, level: PictureLevel, seed: int) -> np.ndarray:
    """The statistic of redrawn unseen people, the same redraws for every group and recogniser."""
    return identity_bootstrap(
        statistic,
        int(probe.person.max()) + 1,
        n_draws=level.redraws,
        generator=generator(seed, "evaluate/pictures/redrawn people"),
    )


def _share(value: np.ndarray, weight: np.ndarray) -> float:
    total = float(weight.sum())
    return float(value @ weight) / total if total > 0 else float("nan")


def _has_match(person: np.ndarray, camera: np.ndarray) -> np.ndarray:
    """Which pictures have another of the same person under another camera."""
    alike = np.unique(np.stack([person, camera]), axis=1, return_inverse=True)[1].ravel()
    return np.bincount(person)[person] > np.bincount(alike)[alike]
