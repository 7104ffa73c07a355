"""Rewards without a discriminator: the distance between two clouds of rows."""

from reinforge import TabularSynthesizer, evaluate, split_table
from reinforge.data.embedded import breast_cancer

COLUMNS = ["mean_radius", "mean_texture", "mean_smoothness", "diagnosis"]
QUICK = {"n_steps": 150, "cold_start_steps": 100}  # leave this out for better rows

split = split_table(breast_cancer()[COLUMNS], target="diagnosis", seed=0)
for realism in ("mmd", "sliced_wasserstein"):
    model = TabularSynthesizer(realism=realism, seed=0, **QUICK).fit(split)
    scorecard = evaluate(split, model.sample(len(split.train), seed=1), level="quick", seed=2)
    shown = (scorecard[name] for name in ("s2r_auc", "column_distance", "detection_auc"))
    print(realism, *(f"{score.name} {score.value:.3f}" for score in shown), sep="  ")
