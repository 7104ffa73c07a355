"""Writes sdmetrics.json: what sdmetrics says about two small tables, for our tests.

sdmetrics pins pandas below 3, so it gets an environment of its own:

    python -m venv /tmp/sdmetrics && /tmp/sdmetrics/bin/pip install sdmetrics
    /tmp/sdmetrics/bin/python tests/oracles/make_sdmetrics.py
"""

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from sdmetrics.column_pairs import ContingencySimilarity
from sdmetrics.single_column import MissingValueSimilarity, TVComplement
from sdmetrics.single_table import NewRowSynthesis


def table(n_rows: int, seed: int, share: float) -> pd.DataFrame:
    """Two levels columns, one amount with gaps."""
    rng = np.random.default_rng(seed)
    sex = rng.choice(["F", "M"], n_rows, p=[share, 1 - share])
    stage = rng.choice(["I", "II", "III"], n_rows, p=[0.5, 0.3, 0.2])
    stage = np.where((sex == "F") & (rng.random(n_rows) < 0.4), "III", stage)
    amount = rng.integers(0, 30, n_rows).astype(float)
    amount[rng.random(n_rows) < share / 2] = np.nan
    return pd.DataFrame({"sex": sex, "stage": stage, "amount": amount})


def main() -> None:
    """Score the two tables and write tables and scores."""
    real, made = table(120, 0, 0.5), table(90, 1, 0.3)
    made.iloc[:9] = real.iloc[:9].to_numpy()
    metadata = {
        "columns": {
            "sex": {"sdtype": "categorical"},
            "stage": {"sdtype": "categorical"},
            "amount": {"sdtype": "numerical"},
        }
    }
    expected = {
        "tv_sex": TVComplement.compute(real["sex"], made["sex"]),
        "tv_stage": TVComplement.compute(real["stage"], made["stage"]),
        "missing_amount": MissingValueSimilarity.compute(real["amount"], made["amount"]),
        "contingency": ContingencySimilarity.compute(
            real[["sex", "stage"]], made[["sex", "stage"]]
        ),
        "new_rows": NewRowSynthesis.compute(
            real, made, metadata=metadata, numerical_match_tolerance=1e-9
        ),
    }
    content = {
        "sdmetrics": version("sdmetrics"),
        "real": json.loads(real.to_json(orient="split")),
        "synthetic": json.loads(made.to_json(orient="split")),
        "expected": {name: float(value) for name, value in expected.items()},
    }
    path = Path(__file__).with_name("sdmetrics.json")
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
