"""Rules: how often rows break what must hold, with and without saying so."""

from reinforge import TabularSynthesizer
from reinforge.data.embedded import breast_cancer
from reinforge.systems.tabular.rules import parse_rule

COLUMNS = ["mean_radius", "worst_radius", "mean_texture", "worst_texture", "diagnosis"]
QUICK = {"n_steps": 150, "cold_start_steps": 100}  # leave this out for better rows
RULES = ["worst_radius >= mean_radius", "worst_texture >= mean_texture"]

records = breast_cancer()[COLUMNS]
plain = TabularSynthesizer(seed=0, **QUICK).fit(records).sample(5_000, seed=1)
ruled = TabularSynthesizer(seed=0, **QUICK, rules=RULES).fit(records).sample(5_000, seed=1)
for text in RULES:
    rule = parse_rule(text)
    rates = [f"{rule.broken(rows).mean():.1%}" for rows in (records, plain, ruled)]
    print(
        f"{text}: broken by {rates[0]} of real rows, {rates[1]} without and {rates[2]} with rules"
    )
