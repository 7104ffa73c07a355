"""Keep the target learnable: a reward from a classifier of the training rows.

The judges are other classifiers, and they test on rows that neither the generator nor the reward
has seen.
"""

from reinforge import TabularSynthesizer, UtilityReward, evaluate, split_table
from reinforge.data.embedded import breast_cancer

COLUMNS = ["mean_radius", "mean_texture", "mean_smoothness", "diagnosis"]
QUICK = {"n_steps": 150, "cold_start_steps": 100}  # leave this out for better rows

split = split_table(breast_cancer()[COLUMNS], target="diagnosis", seed=0)
for name, rewards in (("without", []), ("with", [UtilityReward(weight=0.5)])):
    model = TabularSynthesizer(rewards=rewards, seed=0, **QUICK).fit(split)
    scorecard = evaluate(split, model.sample(len(split.train), seed=1), level="quick", seed=2)
    shown = (scorecard[score] for score in ("r2r_auc", "s2r_auc", "r2s_auc"))
    print(name, *(f"{s.name} {s.value:.3f} ({s.low:.3f} to {s.high:.3f})" for s in shown), sep="  ")
