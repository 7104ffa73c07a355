"""A reward of one's own: ask for a class, and see what a weight means.

The weight log(3) asks for malignant rows three times as likely as the data have them.
"""

import numpy as np
import pandas as pd

from reinforge import Reward, TabularSynthesizer
from reinforge.data.embedded import breast_cancer

COLUMNS = ["mean_radius", "mean_texture", "mean_smoothness", "diagnosis"]
QUICK = {"n_steps": 300, "cold_start_steps": 100}  # leave this out for better rows


def is_malignant(rows: pd.DataFrame) -> np.ndarray:
    """One number a row; it need not be differentiable."""
    return (rows["diagnosis"] == "malignant").to_numpy(float)


records = breast_cancer()[COLUMNS]
share = is_malignant(records).mean()
wanted = 3 * share / (3 * share + 1 - share)
reward = Reward(is_malignant, weight=np.log(3))
model = TabularSynthesizer(rewards=[reward], seed=0, **QUICK).fit(records)
got = is_malignant(model.sample(5_000, seed=1)).mean()
print(f"malignant: {share:.2f} of real rows, {wanted:.2f} asked for, {got:.2f} of synthetic rows")
