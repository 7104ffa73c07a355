"""Rows to order: exact counts under conditions, and a balanced class."""

from reinforge import InputError, TabularSynthesizer
from reinforge.data.embedded import breast_cancer

COLUMNS = ["mean_radius", "mean_texture", "mean_smoothness", "diagnosis"]
QUICK = {"n_steps": 150, "cold_start_steps": 100}  # leave this out for better rows

model = TabularSynthesizer(seed=0, **QUICK).fit(breast_cancer()[COLUMNS])
chosen = model.sample(300, seed=1, where=["diagnosis=malignant", "mean_radius<=15"])
print(len(chosen), "rows:", set(chosen["diagnosis"]), "radius up to", chosen["mean_radius"].max())
balanced = model.sample(1_000, seed=1, balance="diagnosis")
print("balanced:", balanced["diagnosis"].value_counts().to_dict())
try:
    model.sample(10, where={"diagnosis": "unknown"})
except InputError as error:
    print("refused:", error)
