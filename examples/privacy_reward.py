"""Keep away from real people: what a privacy reward changes, and what it costs.

Read the numbers as what these attacks found, with their intervals; they promise nothing.
"""

from reinforge import PrivacyReward, TabularSynthesizer, evaluate, split_table
from reinforge.data.embedded import breast_cancer

COLUMNS = ["mean_radius", "mean_texture", "mean_smoothness", "diagnosis"]
QUICK = {"n_steps": 150, "cold_start_steps": 100}  # leave this out for better rows
SCORES = ("dcr_share", "membership_auc", "column_distance")

split = split_table(breast_cancer()[COLUMNS], target="diagnosis", seed=0)
for name, rewards in (("without", []), ("with", [PrivacyReward(weight=3.0)])):
    model = TabularSynthesizer(rewards=rewards, seed=0, **QUICK).fit(split)
    scorecard = evaluate(split, model.sample(len(split.train), seed=1), level="quick", seed=2)
    shown = (scorecard[score] for score in SCORES)
    print(name, *(f"{s.name} {s.value:.3f} ({s.low:.3f} to {s.high:.3f})" for s in shown), sep="  ")
