"""Judge rows of any generator: here one that copies, and one that draws each column by itself."""

from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pandas as pd

from reinforge import evaluate, split_table
from reinforge.data.embedded import breast_cancer

COLUMNS = ["mean_radius", "mean_texture", "mean_smoothness", "diagnosis"]

split = split_table(breast_cancer()[COLUMNS], target="diagnosis", holdout=0.3, seed=0)
numbers = np.random.default_rng(0)
copies = split.train.sample(frac=1.0, random_state=0)
independent = pd.DataFrame({name: numbers.permutation(split.train[name]) for name in COLUMNS})
for generator, rows in (("copies", copies), ("independent", independent)):
    scorecard = evaluate(split, rows, level="quick", seed=0)
    shown = (scorecard[name] for name in ("s2r_auc", "membership_auc", "identical_share"))
    print(generator, *(f"{score.name} {score.value:.3f}" for score in shown), sep="  ")
    page = Path(mkdtemp()) / f"{generator}.html"
    scorecard.report(page)
    print("  report:", page)
