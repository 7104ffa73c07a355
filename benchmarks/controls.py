"""Generators whose scores are known beforehand: a copy, independent columns, and SMOTE."""

import numpy as np
import pandas as pd
from sklearn.neighbors import NearestNeighbors

from peers.worker import Sampler
from reinforge.randomness import generator

N_NEIGHBOURS = 5


def fit_copy(train: pd.DataFrame, *, target: str, seed: int) -> Sampler:
    """The train rows themselves: the best utility there is, and no privacy at all."""

    def sample(n: int) -> pd.DataFrame:
        if n == len(train):
            return train.copy()
        rows = generator(seed, "benchmark copy").integers(len(train), size=n)
        return train.iloc[rows].reset_index(drop=True)

    return sample


def fit_independent(train: pd.DataFrame, *, target: str, seed: int) -> Sampler:
    """Every column drawn by itself: right marginals, no association, hardly a membership signal."""

    def sample(n: int) -> pd.DataFrame:
        random = generator(seed, "benchmark independent")
        draws = {
            name: train[name].iloc[random.integers(len(train), size=n)].to_numpy()
            for name in train.columns
        }
        return pd.DataFrame(draws).astype(train.dtypes.to_dict())

    return sample


def fit_smote(train: pd.DataFrame, *, target: str, seed: int) -> Sampler:
    """A point between a row and one of its nearest neighbours of the same class (arXiv:1106.1813).

    A number lies at a uniform share of the way; text, and a number missing at either end, comes
    whole from the end that the share is nearer to by chance.
    """
    neighbours = _neighbours_of_same_class(train, target=target)

    def sample(n: int) -> pd.DataFrame:
        random = generator(seed, "benchmark smote")
        first = random.integers(len(train), size=n)
        pick = random.integers(N_NEIGHBOURS, size=n)
        second = neighbours[first, pick]
        share = random.uniform(size=n)
        from_second = random.uniform(size=n) < share
        columns = {}
        for name in train.columns:
            start, end = train[name].iloc[first].to_numpy(), train[name].iloc[second].to_numpy()
            whole = np.where(from_second, end, start)
            if pd.api.types.is_numeric_dtype(train[name]):
                between = start + share * (end - start)
                whole = np.where(np.isnan(between), whole, between)
            columns[name] = whole
        return pd.DataFrame(columns)

    return sample


def encode(frame: pd.DataFrame) -> np.ndarray:
    """Numbers scaled to [0, 1], the median for a missing one; text as 0/1 columns over sqrt(2)."""
    blocks = []
    for name in frame.columns:
        column = frame[name]
        if pd.api.types.is_numeric_dtype(column):
            amount = column.astype(float).fillna(column.median())
            blocks.append(((amount - amount.min()) / (np.ptp(amount) or 1.0)).to_numpy()[:, None])
        else:
            blocks.append(pd.get_dummies(column).to_numpy(dtype=float) / np.sqrt(2))
    return np.hstack(blocks)


def _neighbours_of_same_class(train: pd.DataFrame, *, target: str) -> np.ndarray:
    """Positions of every row's nearest rows of its class, repeated where the class is too small."""
    features = encode(train.drop(columns=target))
    positions = np.empty((len(train), N_NEIGHBOURS), dtype=int)
    for members in train.groupby(target, observed=True).indices.values():
        k = min(N_NEIGHBOURS, len(members) - 1)
        if k == 0:  # alone in its class: its own neighbour
            positions[members] = members
            continue
        found = NearestNeighbors(n_neighbors=k).fit(features[members])
        others = found.kneighbors(return_distance=False)
        positions[members] = members[others[:, np.arange(N_NEIGHBOURS) % k]]
    return positions
