"""Rewards without a discriminator: the distance between two clouds of rows."""

from reinforge import TabularSynthesizer, evaluate, split_table
from reinforge.data.embedded import breast_cancer

COLUMNS = ["mean_radius", "mean_texture", "mean_smoothness", "diagnosis"]

split = split_table(breast_cancer()[COLUMNS], target="diagnosis", seed=0)
for realism in ("discriminator", "mmd", "sliced_wasserstein"):
    model = TabularSynthesizer(realism=realism, seed=0, n_steps=200).fit(split)
    scorecard = evaluate(split, model.sample(len(split.train), seed=1), level="quick", seed=2)
    shown = (scorecard[name] for name in ("s2r_auc", "column_distance", "detection_auc"))
    print(realism, *(f"{score.name} {score.value:.3f}" for score in shown), sep="  ")
