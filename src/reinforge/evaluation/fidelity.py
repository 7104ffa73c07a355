"""Fidelity: how far synthetic rows lie from train rows, column by column and together."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from reinforge.evaluation.groups import Group, sensitive_groups
from reinforge.evaluation.independent import independent_rows
from reinforge.evaluation.judged import Judged
from reinforge.evaluation.levels import Level
from reinforge.evaluation.scoring import scored, too_small, unscored
from reinforge.measure import dissimilarity
from reinforge.measure.features import FeatureEncoder
from reinforge.measure.intervals import Estimate, grouped_jackknife, wilson
from reinforge.measure.manifold import density_coverage
from reinforge.records import Score

NEIGHBOURS = 5
Distance = Callable[[pd.DataFrame, pd.DataFrame], float]


def fidelity_scores(judged: Judged, *, level: Level) -> list[Score]:
    """`column_distance dwd association_distance nmi density coverage`, for all and for each group.

    Controls: `holdout` is the score of fresh real rows (the noise of a sample of that size),
        `independent`
    that of train rows whose columns were shuffled apart.
    """
    scores = _scores(judged, level, "all")
    for group in sensitive_groups(judged):
        scores += _group_scores(judged, level, group)
    return scores


def _group_scores(judged: Judged, level: Level, group: Group) -> list[Score]:
    n = min(int(group.train.sum()), int(group.synthetic.sum()))
    if reason := too_small(n, "train or synthetic rows"):
        return [unscored(name, reason, group=group.name) for name in _NAMES]
    part = judged.where(train=group.train, holdout=group.holdout, synthetic=group.synthetic)
    return _scores(part, level, group.name)


_NAMES = ("column_distance", "dwd", "association_distance", "nmi", "density", "coverage")


def _scores(judged: Judged, level: Level, group: str) -> list[Score]:
    encoder = judged.encoder()
    distances: dict[str, Distance] = {
        "column_distance": _mean_column_distance(judged),
        "dwd": _dwd(judged),
        "association_distance": _association(judged),
        "nmi": lambda real, made: latent_nmi(
            encoder.transform(real), encoder.transform(made), seed=judged.seed_for("nmi")
        ),
    }
    scores = [
        _distance_score(judged, name, distance, level, group)
        for name, distance in distances.items()
    ]
    return scores + _neighbourhood_scores(judged, encoder, group)


def _distance_score(
    judged: Judged, name: str, distance: Distance, level: Level, group: str
) -> Score:
    real, made = judged.train, judged.synthetic
    value = distance(real, made)
    n_rows = min(len(real), len(made))
    estimate = Estimate(value, n=n_rows)
    if n_rows >= 2:
        reach = grouped_jackknife(
            lambda kept: distance(real.iloc[kept[0]], made.iloc[kept[1]]),
            [len(real), len(made)],
            n_groups=min(level.jackknife_groups, n_rows),
            generator=judged.rng(f"{name}/interval"),
        )
        estimate = Estimate(value, max(0.0, value - reach), value + reach, n_rows)
    baseline = {"copy": 0.0}
    if group == "all":
        baseline["independent"] = distance(real, independent_rows(judged))
    if len(judged.holdout) >= 2:
        baseline["holdout"] = distance(real, judged.holdout)
    return scored(name, estimate, group=group, baseline=baseline)


def _widths(judged: Judged) -> dict[str, float]:
    return {
        column.name: dissimilarity.train_width(judged.train[column.name].to_numpy())
        for column in judged.schema.modelled
        if column.is_numeric
    }


def _mean_column_distance(judged: Judged) -> Distance:
    widths = _widths(judged)

    def distance(real: pd.DataFrame, made: pd.DataFrame) -> float:
        each = [
            dissimilarity.column_distance(
                column,
                real[column.name].to_numpy(),
                made[column.name].to_numpy(),
                width=widths.get(column.name, 1.0),
            )
            for column in judged.schema.modelled
        ]
        return float(np.mean(each))

    return distance


def _dwd(judged: Judged) -> Distance:
    widths = _widths(judged)
    return lambda real, made: dissimilarity.dimension_wise_distance(
        real, made, judged.schema, widths=widths
    )


def association_levels(judged: Judged, table: pd.DataFrame) -> np.ndarray:
    """Every column as whole numbers: levels, and train deciles of numerics."""
    columns = []
    for column in judged.schema.modelled:
        edges = dissimilarity.bin_edges(judged.train[column.name].to_numpy())
        columns.append(dissimilarity.as_levels(table[column.name].to_numpy(), column, edges))
    return np.column_stack(columns).astype(np.int64)


def _association(judged: Judged) -> Distance:
    """Mean |NMI real - NMI synthetic| over pairs; both tables at the size of the smaller one.

    Sampling noise alone raises NMI in small tables, so unequal sizes would show a difference that
    is none.
    """

    def distance(real: pd.DataFrame, made: pd.DataFrame) -> float:
        size = min(len(real), len(made))
        pair = []
        for name, table in (("real", real), ("made", made)):
            levels = association_levels(judged, table)
            rows = judged.rng(f"association/{name}").permutation(len(levels))[:size]
            pair.append(dissimilarity.pairwise_nmi(levels[rows]))
        upper = np.triu_indices(pair[0].shape[0], k=1)
        if not len(upper[0]):
            return 0.0
        return float(np.abs(pair[0] - pair[1])[upper].mean())

    return distance


def latent_nmi(real: np.ndarray, synthetic: np.ndarray, *, n_clusters: int = 5, seed: int) -> float:
    """NMI of K-means clusters with the real/synthetic flag in the real rows' principal space.

    StandardScaler and PCA (80 % of the variance) fitted on real rows, K-means on real and
    synthetic rows
    together (RLSyn, arXiv:2512.21395; K = 5 after Yan et al. 2022). 0: clusters tell nothing.

    Args:
        real: Features of real rows.
        synthetic: Features of synthetic rows.
        n_clusters: K; fewer where there are not so many different rows.
        seed: K-means' starting points.
    """
    scaler = StandardScaler().fit(real)
    varying = scaler.var_ > 1e-12
    if not varying.any():
        return 0.0
    scaled = scaler.transform(real)[:, varying], scaler.transform(synthetic)[:, varying]
    pca = PCA(n_components=0.8, svd_solver="full").fit(scaled[0])
    points = np.concatenate([pca.transform(part) for part in scaled])
    n_clusters = min(n_clusters, len(np.unique(points.round(9), axis=0)))
    cluster = KMeans(n_clusters, n_init=1, random_state=seed).fit_predict(points)
    flag = np.repeat([0, 1], [len(real), len(synthetic)])
    return dissimilarity.cluster_nmi(cluster.astype(np.int64), flag.astype(np.int64))


def _neighbourhood_scores(judged: Judged, encoder: FeatureEncoder, group: str) -> list[Score]:
    real, made = encoder.transform(judged.train), encoder.transform(judged.synthetic)
    k = min(NEIGHBOURS, len(real) - 1)
    if k < 1:
        reason = "needs at least 2 train rows"
        return [unscored(name, reason, group=group) for name in ("density", "coverage")]
    density, covered = density_coverage(real, made, k=k)
    controls: dict[str, dict[str, float]] = {"density": {}, "coverage": {}}
    if len(judged.holdout):
        fresh = density_coverage(real, encoder.transform(judged.holdout), k=k)
        controls = {
            "density": {"holdout": float(fresh[0].mean())},
            "coverage": {"holdout": float(fresh[1].mean())},
        }
    error = float(density.std()) / np.sqrt(len(made))
    value = float(density.mean())
    dense = Estimate(value, max(0.0, value - 1.96 * error), value + 1.96 * error, len(made))
    note = (
        f"Measured with {len(made)} synthetic rows around {len(real)} train rows; "
        f"the holdout control has {len(judged.holdout)} rows, and fewer rows cover less."
    )
    return [
        scored("density", dense, group=group, baseline=controls["density"]),
        scored(
            "coverage",
            wilson(float(covered.sum()), len(real)),
            group=group,
            baseline=controls["coverage"],
            note=note,
        ),
    ]
