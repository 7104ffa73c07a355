"""When two pictures match: thresholds of distance, set on pairs of real pictures."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from reinforge.evaluation.picture_judged import JudgedPictures, balanced
from reinforge.evaluation.picture_space import Embedded, Space, both
from reinforge.measure.identity_pairs import cross_distances, genuine_pairs, impostor_pairs
from reinforge.measure.ranking import threshold_at_fpr

COPY_SHARE = 0.01  # of the pairs of one person that may be nearer than a copy
FALSE_MATCH_RATES = {"identity_leakage": 1e-3, "identity_leakage_strict": 1e-4}
_SAME_PICTURE = 1e-5  # two features nearer than this are one picture: rounding of float32


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """Pictures nearer than `distance` match."""

    distance: float
    n_pairs: int  # real pairs that it was set on
    n_nearer: int  # of those that may be nearer
    pairs: str  # which ones, in words

    def __str__(self) -> str:
        """For a reader."""
        return f"set on {self.n_pairs:,} pairs of {self.pairs}, of which {self.n_nearer:,} match"


def copy_threshold(pictures: JudgedPictures, space: Space) -> Threshold | str:
    """Nearer than nearly all pairs of real pictures of one person are to each other.

    A fresh picture beside a training picture where there are fresh ones: a recogniser crowds the
    pictures that it was trained on, so that their pairs would say less. Pairs of the same picture
    are left out.
    """
    thin = _Thin(pictures, space)
    if len(space.holdout):
        pairs = "a held-out and a training picture of one person"
        distance = thin.across(thin.holdout, same=True)
    else:
        unseen = thin.within(thin.unseen, same=True)
        pairs = "two unseen pictures of one person" if len(unseen) else "two training pictures"
        distance = unseen if len(unseen) else thin.within(thin.train, same=True)
    distance = distance[distance > _SAME_PICTURE]
    if not len(distance):
        return "no person has two different real pictures, so nothing says how alike those are"
    return _threshold(distance, COPY_SHARE, pairs)


def match_threshold(pictures: JudgedPictures, space: Space, *, rate: float) -> Threshold | str:
    """The distance below which a share `rate` of the pairs of two real people match.

    Pairs of a fresh picture and a training picture of another person; of two training pictures
    where there are no fresh ones.

    Args:
        pictures: All sets.
        space: Their features.
        rate: False match rate, e.g. 1e-3.
    """
    thin = _Thin(pictures, space)
    fresh = both(thin.holdout, thin.unseen)
    pairs = "a fresh and a training picture of two people" if len(fresh) else _TRAINING
    distance = thin.across(fresh, same=False) if len(fresh) else thin.within(thin.train, same=False)
    if rate * len(distance) < 1 - 1e-9:
        return (
            f"a threshold at 1 false match in {1 / rate:,.0f} needs as many pairs of real pictures "
            f"of two people, got {len(distance):,}"
        )
    return _threshold(distance, rate, pairs)


_TRAINING = "two training pictures of two people"


def _threshold(distance: Float[np.ndarray, " pair"], share: float, pairs: str) -> Threshold:
    cut, n_nearer = threshold_at_fpr(-distance, fpr=share)
    return Threshold(distance=-cut, n_pairs=len(distance), n_nearer=n_nearer, pairs=pairs)


class _Thin:
    """Sets thinned to the level's size, always to the same pictures."""

    def __init__(self, pictures: JudgedPictures, space: Space) -> None:
        self._pictures = pictures
        self.train, self.holdout, self.unseen = (
            self._thinned(part, name)
            for part, name in (
                (space.train, "train"),
                (space.holdout, "holdout"),
                (space.unseen, "unseen"),
            )
        )

    def _thinned(self, part: Embedded, name: str) -> Embedded:
        most = self._pictures.level.calibration
        rng = self._pictures.rng(f"calibration/{name}")
        return part.rows(balanced(part.identity, most, rng))

    def across(self, fresh: Embedded, *, same: bool) -> Float[np.ndarray, " pair"]:
        train = self.train
        return cross_distances(
            fresh.feature, fresh.identity, train.feature, train.identity, same=same
        )

    def within(self, part: Embedded, *, same: bool) -> Float[np.ndarray, " pair"]:
        find = genuine_pairs if same else impostor_pairs
        most = self._pictures.level.calibration**2
        pairs = find(part.identity, most=most, generator=self._pictures.rng("calibration pairs"))
        return np.linalg.norm(part.feature[pairs[:, 0]] - part.feature[pairs[:, 1]], axis=1)
