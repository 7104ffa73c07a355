"""DOMIAS: are synthetic rows denser around a record than the population is?"""

from typing import Any

import numpy as np
from scipy.stats import gaussian_kde

from reinforge.evaluation.groups import Targets
from reinforge.evaluation.judged import Judged
from reinforge.evaluation.membership import Attack, attack_curve, attack_scores
from reinforge.measure.distances import nearest
from reinforge.records import Score

NAME = "domias_auc"
_LEAST = 1e-3  # distance that counts as none, on the scale where one column's range is 1


def domias_scores(
    judged: Judged, targets: list[Targets]
) -> tuple[list[Score], list[dict[str, Any]]]:
    """`domias_auc` for everybody, outliers and each sensitive group (arXiv:2302.12580).

    belief = log p_synthetic(x) - log p_population(x). A random half of the train rows stands for
    the
    attacker's sample of the population and is never a target (as in RLSyn's evaluation); members
    are the other half, non-members all holdout rows. Densities are nearest-neighbour ones
    (`knn_log_ratio`).

    Returns:
        The scores and the ROC curve for everybody.
    """
    encoder = judged.encoder()
    train, holdout = encoder.transform(judged.train), encoder.transform(judged.holdout)
    synthetic = encoder.transform(judged.synthetic)
    is_member = np.zeros(len(train), bool)
    is_member[judged.rng("domias/members").permutation(len(train))[: (len(train) + 1) // 2]] = True
    population = train[~is_member]
    if len(population) < 1:
        return attack_scores(
            Attack(member=np.zeros(0), non_member=np.zeros(0)), "all", names=(NAME,)
        ), []
    attack = Attack(
        member=knn_log_ratio(train[is_member], synthetic, population),
        non_member=knn_log_ratio(holdout, synthetic, population),
        copy_member=knn_log_ratio(train[is_member], train, population),
        copy_non_member=knn_log_ratio(holdout, train, population),
    )
    scores = []
    for group in targets:
        part = attack.rows(group.train[is_member], group.holdout)
        scores += attack_scores(part, group.name, names=(NAME,))
    return scores, [attack_curve(attack, NAME)]


def knn_log_ratio(points: np.ndarray, synthetic: np.ndarray, population: np.ndarray) -> np.ndarray:
    """Log p_synthetic - log p_population up to a factor: log of the ratio of nearest distances.

    A k-nearest-neighbour density falls with the k-th distance; k = 1 is the only k that sees a
    single copied row. Distances below a thousandth of a column's range count as that.
    """
    own = nearest(points, synthetic)[0][:, 0]
    usual = nearest(points, population)[0][:, 0]
    return np.log(np.maximum(usual, _LEAST)) - np.log(np.maximum(own, _LEAST))


def kde_log_ratio(
    points: np.ndarray, synthetic: np.ndarray, population: np.ndarray, *, n_axes: int = 5
) -> np.ndarray:
    """The same ratio from Gaussian kernels (Scott's width) on the population's principal axes.

    RLSyn's form of the attack. It smooths over single records and so sees less of a copy than
    neighbours
    do, the less the more rows there are; no score is made of it, it is here for comparison with
    that paper.
    """
    centre = population.mean(axis=0)
    spectrum, axes = np.linalg.svd(population - centre, full_matrices=False)[1:]
    n_axes = min(n_axes, int((spectrum > 1e-9).sum()), len(population) - 1, len(synthetic) - 1)
    project = axes[:n_axes].T
    cloud, crowd, where = ((x - centre) @ project for x in (synthetic, population, points))
    return gaussian_kde(cloud.T).logpdf(where.T) - gaussian_kde(crowd.T).logpdf(where.T)
