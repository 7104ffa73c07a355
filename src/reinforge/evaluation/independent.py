"""The independent table: every column as it is, no link between columns.

It is the control at the other end from a copy: what a generator gives that learns single columns.
"""

import numpy as np
import pandas as pd

from reinforge.evaluation.judged import Judged


def independent_rows(judged: Judged) -> pd.DataFrame:
    """The train part with its columns shuffled apart, the same rows for every score."""
    return shuffled_apart(judged.train, judged.rng("independent"))


def shuffled_apart(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """The same values in every column, without any link between columns."""
    return pd.DataFrame({name: rng.permutation(table[name].to_numpy()) for name in table.columns})
