"""What each component of the tabular system earns: one switched off at a time, the rest as it is.

    python benchmarks/ablation.py --table heart --preset default --seeds 0 1 2

Measurements go to `results/ablation.csv` with the preset in the setting; `ablation.md` is written
from that file and shows differences to the full system on the same split.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

import harness
import measurements
import tables
from arms import Arm
from harness import Cell
from tabular import common_arguments

FULL = "everything on"
# Name -> what is set differently. This is the only place to edit.
ABLATIONS: dict[str, dict[str, object]] = {
    FULL: {},
    "no cold start": {"cold_start_steps": 0},
    "no cold start, 2,500 steps": {"cold_start_steps": 0, "n_steps": 2500},
    "cold start alone": {"n_steps": 1, "average_from": None},
    "encoder sees whole rows": {"hidden_from_encoder": 0.0},
    # the update
    "no clip": {"clip_range": None},
    "one pass a rollout": {"n_epochs": 1},
    "no value baseline": {"value_baseline": False},
    "group-relative advantages": {"draws_per_latent": 4, "value_baseline": False},
    "no entropy bonus": {"entropy_weight": 0.0},
    "entropy as released (-log p)": {"closed_form_entropy": False},
    "REINFORCE": {"estimator": "reinforce"},
    "gradient through the discriminator": {"estimator": "reparameterised"},
    "last weights, no average": {"average_from": None},
    # the policy
    "latent of 64": {"noise_dim": 64},
    "every column drawn, none looked up": {"look_up": False},
    "target drawn with the others": {"target_last": False},
    "amounts deviate by themselves": {"correlated": False},
    "normal scores for few numbers too": {"max_levels": 2},
    "fixed variance": {"deviation": "fixed"},
    "variance a function of z": {"deviation": "state"},
    "heads: min-max, independent flags": {"heads": "minmax"},
    "heads: all numbers in bins": {"heads": "bins"},
    # the reward
    "probability as reward": {"reward_scale": "probability"},
    "no R1 penalty": {"r1_weight": 0.0},
    "R1 at every update": {"r1_every": 1},
    "mean matching 0.2": {"mean_matching": 0.2, "mean_matching_gradient": True},
    "mean matching 0.2 as released (inert)": {
        "mean_matching": 0.2,
        "mean_matching_gradient": False,
    },
    "MMD for the discriminator": {"realism": "mmd"},
    "sliced Wasserstein for the discriminator": {"realism": "sliced_wasserstein"},
}
SCORES = {
    "s2r_auc": "S2R AUC ↑",
    "r2s_auc": "R2S AUC ↑",
    "detection_auc": "detection AUC → 0.5",
    "column_distance": "column distance ↓",
    "association_distance": "association distance ↓",
    "coverage": "coverage ↑",
    "membership_auc": "membership AUC → 0.5",
    "fit_cpu_seconds": "fit CPU s",
}


def plan(chosen: object, *, table: str, preset: str, names: list[str]) -> Iterator[Cell]:
    """Every ablation on every split."""
    for seed in chosen.seeds:
        for name in names:
            yield Cell(
                table=table,
                rows=chosen.rows,
                name=name,
                arm=Arm(
                    what=name,
                    program_arm="reinforge",
                    settings={"preset": preset, **ABLATIONS[name]},
                    is_ours=True,
                ),
                seed=seed,
                level=chosen.level,
                folder=tables.data_folder(chosen.data),
                note=preset,
            )


def write_page(path: Path, page: Path) -> None:
    """Write `ablation.md` anew from the CSV alone."""
    measured = measurements.read(path)
    parts = [
        "# What each component earns\n\n"
        "Written by `benchmarks/ablation.py` from `results/ablation.csv`; do not edit. "
        f"{measurements.circumstances(path)}\n\n"
        "First row of a table: the full system, mean ± half a 95 % interval over seeds. Other "
        "rows: the difference to it on the same splits when one thing is changed, in bold where "
        "its interval leaves out 0. Others show no effect, and with three seeds only large effects "
        "show. A change that the preset has already made is a row of zeros.\n"
    ]
    for (dataset, setting), part in measured.groupby(["dataset", "setting"], sort=True):
        parts.append(f"## {dataset}, {setting}\n\n{_table(part)}")
    page.write_text("\n".join(parts))


def _table(measured: pd.DataFrame) -> str:
    wide = measured[measured["score"].isin(SCORES)].pivot_table(
        index=["arm", "seed"], columns="score", values="value"
    )
    full = wide.xs(FULL, level="arm")
    rows = [[FULL, *(measurements.cell(full[name]) for name in SCORES if name in full)]]
    for arm in ABLATIONS:
        if arm == FULL or arm not in wide.index.get_level_values("arm"):
            continue
        change = wide.xs(arm, level="arm") - full
        names = [name for name in SCORES if name in full]
        rows.append([arm, *(measurements.signed(change[name]) for name in names)])
    header = ["changed", *(label for name, label in SCORES.items() if name in full)]
    return measurements.markdown_table(header, rows)


def main() -> int:
    """Run what is missing, then write the page."""
    parser = common_arguments(__doc__ or "")
    parser.add_argument("--table", default="heart")
    parser.add_argument("--preset", default="default")
    parser.add_argument("--only", nargs="+", default=list(ABLATIONS), choices=list(ABLATIONS))
    chosen, path = parser.parse_args(), measurements.csv_of("ablation")
    names = list(dict.fromkeys([FULL, *chosen.only]))
    cells = plan(chosen, table=chosen.table, preset=chosen.preset, names=names)
    return harness.main(cells, chosen, path=path, write_page=write_page)


if __name__ == "__main__":
    sys.exit(main())
