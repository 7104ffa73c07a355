"""Groups of people: the levels of the sensitive columns, and the records far from all others."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from reinforge.evaluation.judged import Judged
from reinforge.measure.distances import nearest
from reinforge.schema import Column

_THIRDS = ("lowest third", "middle third", "highest third")
MAX_GROUPS = 12  # of one column; the most frequent levels of the train part


@dataclass(frozen=True, kw_only=True)
class Group:
    """Which rows of the three tables belong to one group."""

    name: str  # "sex=F"
    train: np.ndarray
    holdout: np.ndarray
    synthetic: np.ndarray


def sensitive_groups(judged: Judged) -> list[Group]:
    """The groups of every sensitive column, numerics in thirds of the train part."""
    return [
        group
        for name in judged.sensitive
        if name in judged.train.columns
        for group in _groups_of(judged, judged.schema[name])
    ]


def _groups_of(judged: Judged, column: Column) -> list[Group]:
    tables = [table[column.name].to_numpy() for table in _tables(judged)]
    if column.is_numeric:
        edges = np.nanquantile(tables[0], [1 / 3, 2 / 3]) if np.isfinite(tables[0]).any() else []
        tables = [np.where(np.isnan(t), np.nan, np.searchsorted(edges, t)) for t in tables]
        labels: tuple[object, ...] = _THIRDS
    else:
        labels = column.categories
    counts = [int(np.sum(tables[0] == level)) for level in range(len(labels))]
    kept = sorted(np.argsort(-np.array(counts), kind="stable")[:MAX_GROUPS].tolist())
    masks = [(f"{column.name}={labels[i]}", [t == i for t in tables]) for i in kept]
    masks.append((f"{column.name} missing", [np.isnan(t) for t in tables]))
    return [
        Group(name=name, train=train, holdout=holdout, synthetic=synthetic)
        for name, (train, holdout, synthetic) in masks
        if train.any() or holdout.any()
    ]


def _tables(judged: Judged) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    return judged.train, judged.holdout, judged.synthetic


@dataclass(frozen=True, kw_only=True)
class Targets:
    """People of one group whom an attack tries to find, and others who were not used."""

    name: str
    train: np.ndarray  # mask over train rows
    holdout: np.ndarray  # mask over holdout rows


def targets_of(judged: Judged) -> list[Targets]:
    """Everybody, the outliers, and each sensitive group."""
    encoder = judged.encoder()
    train, holdout = encoder.transform(judged.train), encoder.transform(judged.holdout)
    far = outliers(train, holdout)
    return [
        Targets(name="all", train=np.ones(len(train), bool), holdout=np.ones(len(holdout), bool)),
        Targets(name="outliers", train=far[0], holdout=far[1]),
        *(Targets(name=g.name, train=g.train, holdout=g.holdout) for g in sensitive_groups(judged)),
    ]


def outliers(
    train: np.ndarray, holdout: np.ndarray, *, k: int = 5, share: float = 0.1
) -> tuple[np.ndarray, np.ndarray]:
    """Which train and holdout rows lie far from the train part.

    A train row is an outlier if its k-th nearest other train row is farther than for 1 - `share`
    of the train rows; a holdout row if its k-th nearest train row is farther than that same mark.

    Args:
        train: Points of the train rows.
        holdout: Points of the holdout rows.
        k: Which neighbour counts; smaller tables use fewer.
        share: Share of train rows that are outliers.
    """
    k = min(k, len(train) - 1)
    if k < 1:
        return np.zeros(len(train), bool), np.zeros(len(holdout), bool)
    own = nearest(train, train, k=k, leave_out_self=True)[0][:, -1]
    other = nearest(holdout, train, k=k)[0][:, -1]
    mark = np.quantile(own, 1 - share)
    return own > mark, other > mark
