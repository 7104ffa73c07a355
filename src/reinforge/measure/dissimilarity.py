"""How far two coded tables lie apart: column by column, and in how columns hang together."""

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from scipy import stats
from sklearn.metrics import normalized_mutual_info_score

from reinforge.schema import Column, Schema


def shares(values: Float[np.ndarray, " row"], n_levels: int) -> Float[np.ndarray, " level"]:
    """Share of each coded level; the last two places are unknown and missing."""
    places = np.where(np.isnan(values), n_levels + 1, np.clip(values, 0, n_levels)).astype(int)
    return np.bincount(places, minlength=n_levels + 2) / max(len(values), 1)


def total_variation(
    real: Float[np.ndarray, " level"], synthetic: Float[np.ndarray, " level"]
) -> float:
    """Half the summed absolute difference of two lists of shares: 0 equal, 1 disjoint."""
    return float(np.abs(real - synthetic).sum() / 2)


def scaled_wasserstein(
    real: Float[np.ndarray, " row"],
    synthetic: Float[np.ndarray, " other"],
    *,
    width: float,
) -> float | None:
    """Wasserstein-1 distance of the present amounts / `width`; None where a side has none."""
    real, synthetic = real[~np.isnan(real)], synthetic[~np.isnan(synthetic)]
    if not len(real) or not len(synthetic):
        return None
    return float(stats.wasserstein_distance(real / width, synthetic / width))


def train_width(values: Float[np.ndarray, " row"]) -> float:
    """Range of the present amounts; 1 where there is none."""
    present = values[~np.isnan(values)]
    return (float(present.max() - present.min()) if len(present) else 0.0) or 1.0


def column_distance(
    column: Column,
    real: Float[np.ndarray, " row"],
    synthetic: Float[np.ndarray, " other"],
    *,
    width: float,
) -> float:
    """Distance of one column's distributions, from 0 (equal) to 1.

    Discrete: total variation over the levels, with unknown and missing as levels. Numeric:
        Wasserstein-1
    of the present amounts on the train range, at most 1, weighted with the smaller share of
    present values,
    plus the difference of the missing rates (the mass that must cross between missing and present).

    Args:
        column: What the column is.
        real: Its coded real values.
        synthetic: Its coded synthetic values.
        width: Range of the train amounts.
    """
    if not column.is_numeric:
        n_levels = len(column.categories)
        return total_variation(shares(real, n_levels), shares(synthetic, n_levels))
    gaps = float(np.isnan(real).mean()), float(np.isnan(synthetic).mean())
    moved = scaled_wasserstein(real, synthetic, width=width)
    present = 1 - max(gaps)
    return abs(gaps[0] - gaps[1]) + (0.0 if moved is None else present * min(moved, 1.0))


def dimension_wise_distance(
    real: pd.DataFrame, synthetic: pd.DataFrame, schema: Schema, *, widths: dict[str, float]
) -> float:
    """DWD: sum of |mean difference| over one-hot flags + of Wasserstein-1 / width over numerics.

    RLSyn (arXiv:2512.21395) divides by the largest distance among the models compared, so its
    number depends
    on who is compared; here it is divided by the train range, so that one table has one number.
    Columns with two levels count one flag, as there; missing amounts add their rate difference.

    Args:
        real: Coded real rows.
        synthetic: Coded synthetic rows.
        schema: Their schema.
        widths: Range of each numeric column's train amounts.
    """
    total = 0.0
    for column in schema.modelled:
        a, b = real[column.name].to_numpy(), synthetic[column.name].to_numpy()
        if column.is_numeric:
            total += scaled_wasserstein(a, b, width=widths[column.name]) or 0.0
            total += abs(float(np.isnan(a).mean()) - float(np.isnan(b).mean()))
            continue
        n_levels = len(column.categories)
        difference = np.abs(shares(a, n_levels) - shares(b, n_levels))
        total += float(difference[1:].sum() if n_levels == 2 else difference.sum())
    return total


def bin_edges(real: Float[np.ndarray, " row"], *, n_bins: int = 10) -> Float[np.ndarray, " edge"]:
    """Inner edges of the real values' quantile bins, without repetition."""
    present = real[~np.isnan(real)]
    if not len(present):
        return np.zeros(0)
    return np.unique(np.quantile(present, np.linspace(0, 1, n_bins + 1)[1:-1]))


def as_levels(
    values: Float[np.ndarray, " row"], column: Column, edges: Float[np.ndarray, " edge"]
) -> Int[np.ndarray, " row"]:
    """Whole numbers: quantile bins of a numeric column, levels of a discrete one; last: missing."""
    if column.is_numeric:
        missing = np.isnan(values)
        return np.where(missing, len(edges) + 1, np.searchsorted(edges, values, side="right"))
    n_levels = len(column.categories)
    return np.where(np.isnan(values), n_levels + 1, np.clip(values, 0, n_levels)).astype(int)


def pairwise_nmi(levels: Int[np.ndarray, "row column"]) -> Float[np.ndarray, "column other"]:
    """Normalised mutual information of every pair of columns, 2 I(X;Y)/(H(X) + H(Y)).

    Two constant columns have 0 (they tell nothing), a column with itself 1.
    """
    n_rows, n_columns = levels.shape
    dense = [np.unique(levels[:, c], return_inverse=True)[1] for c in range(n_columns)]
    sizes = [int(d.max()) + 1 if n_rows else 0 for d in dense]
    entropies = [_entropy(np.bincount(d)) for d in dense]
    nmi = np.eye(n_columns)
    for a in range(n_columns):
        for b in range(a):
            joint = _entropy(np.bincount(dense[a] * sizes[b] + dense[b]))
            total = entropies[a] + entropies[b]
            shared = 2 * max(total - joint, 0.0) / total if total > 0 else 0.0
            nmi[a, b] = nmi[b, a] = shared
    return nmi


def _entropy(counts: np.ndarray) -> float:
    share = counts[counts > 0] / counts.sum()
    return float(-(share * np.log(share)).sum())


def cluster_nmi(cluster: Int[np.ndarray, " row"], is_synthetic: Int[np.ndarray, " row"]) -> float:
    """NMI of cluster and real/synthetic flag (arithmetic mean of entropies, as scikit-learn)."""
    return float(normalized_mutual_info_score(is_synthetic, cluster))


def correlation_difference(
    real: Float[np.ndarray, "row feature"], synthetic: Float[np.ndarray, "other feature"]
) -> float:
    """CWC: |corr real - corr synthetic|_F / n^2 x 10^6 (Yan et al. 2022, Nat. Commun. 13:7609).

    RLSyn prints it divided by 1000 for AI-READI. Constant features correlate 0 with all others.
    """
    n_features = real.shape[1]
    difference = _correlation(real) - _correlation(synthetic)
    return float(np.linalg.norm(difference) / n_features**2 * 1e6)


def _correlation(points: np.ndarray) -> np.ndarray:
    centred = points - points.mean(axis=0)
    norm = np.sqrt((centred**2).sum(axis=0))
    unit = np.divide(centred, norm, out=np.zeros_like(centred), where=norm > 1e-12)
    return unit.T @ unit
