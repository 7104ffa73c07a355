"""Adversarial random forests (arfpy, its defaults); runs inside `.venvs/arf`.

arfpy knows no missing values: numbers are filled with the median and get a column that says which
were missing; for text, missing is one more level. Both are undone after sampling.
"""

import warnings

import numpy as np
import pandas as pd
from arfpy import arf
from worker import Sampler, work

MISSING = "(missing)"


def fit(train: pd.DataFrame, *, target: str, seed: int) -> Sampler:
    """Grow the forests and the density in their leaves; arfpy draws from numpy's global state."""
    np.random.seed(seed)  # noqa: NPY002
    forest = arf.arf(_filled(train), verbose=False, random_state=seed)
    forest.forde()
    return lambda n: _restored(forest.forge(n), columns=list(train.columns))


def _filled(frame: pd.DataFrame) -> pd.DataFrame:
    filled = frame.copy()
    for column in frame.columns[frame.isna().any()]:
        if pd.api.types.is_numeric_dtype(frame[column]):
            filled[column] = frame[column].fillna(frame[column].median())
            filled[column + MISSING] = frame[column].isna().map({True: "yes", False: "no"})
        else:
            filled[column] = frame[column].fillna(MISSING)
    return filled


def _restored(synthetic: pd.DataFrame, *, columns: list[str]) -> pd.DataFrame:
    restored = synthetic[columns].copy()
    for column in columns:
        if column + MISSING in synthetic:
            gone = synthetic[column + MISSING].astype(str) == "yes"
            restored[column] = pd.to_numeric(restored[column]).mask(gone)
        elif (restored[column].astype(str) == MISSING).any():
            restored[column] = restored[column].astype(object).replace(MISSING, None)
    return restored


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    work({"arf": fit})
