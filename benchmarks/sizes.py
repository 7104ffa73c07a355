"""How the lead over diffusion changes with the number of rows.

    python benchmarks/sizes.py --tables adult_whole --sizes 100 500 2000 10000 20000 --seeds 0 1 2

Every arm with the same settings at every size, as in `tabular.py`. Measurements go to
`results/sizes.csv`; `sizes.md` is written from that file.
"""

import sys
from pathlib import Path

import pandas as pd

import harness
import measurements
from arms import ARMS
from comparison import TUNED_ON, paired
from tabular import common_arguments, plan

DEFAULT_ARMS = ("reinforge", "tabddpm", "cart", "independent")
SCORES = {
    "gap": "utility gap ↓",
    "excess": "membership excess ↓",
    "detection_auc": "detection AUC → 0.5",
    "coverage": "coverage ↑",
    "column_distance": "column distance ↓",
    "association_distance": "association distance ↓",
    "fit_cpu_seconds": "fit CPU s",
}


def write_page(path: Path, page: Path) -> None:
    """Write `sizes.md` anew from the CSV alone."""
    measured = measurements.read(path)
    parts = [
        "# The same generators, from few rows to many\n\n"
        "Written by `benchmarks/sizes.py` from `results/sizes.csv`; do not edit. "
        f"{measurements.circumstances(path)}\n\n"
        "Every arm with the same settings at every size; TabDDPM trains for 5,000 steps at each. "
        "Mean ± half a 95 % interval over seeds (Student's t; a seed is a split, a fit and a "
        "sample). Utility gap: AUC of classifiers that learnt real rows less that of those that "
        "learnt synthetic ones, both asked about unseen rows. Membership excess: AUC of the "
        "attack by distance less that of independent columns on the same split. Below each table "
        "the paired differences, `reinforge` less each arm, bold where the interval leaves out "
        "0.\n"
    ]
    for dataset, part in _scores(measured).groupby(level="dataset"):
        role = "settings were chosen on it" if dataset in TUNED_ON else "only reported"
        parts.append(f"## {dataset} ({role})\n\n{_means(part)}\n{_differences(part)}")
    page.write_text("\n".join(parts))


def _scores(measured: pd.DataFrame) -> pd.DataFrame:
    """A row for each dataset, number of rows, arm and seed; a column for each score."""
    key = ["dataset", "setting", "arm", "seed"]
    wide = measured.pivot_table(index=key, columns="score", values="value")
    scores = wide.join(paired(measured).set_index(key)).reindex(columns=list(SCORES)).reset_index()
    scores["rows"] = scores["setting"].str.split().str[0].astype(int)
    return scores.set_index(["dataset", "rows", "arm", "seed"])[list(SCORES)]


def _means(part: pd.DataFrame) -> str:
    rows = []
    for (size, arm), own in part.groupby(level=["rows", "arm"]):
        cells = (measurements.cell(own[name]) for name in SCORES)
        rows.append([f"{size:,}", arm, str(len(own)), *cells])
    order = {arm: at for at, arm in enumerate(ARMS)}
    rows.sort(key=lambda row: (int(row[0].replace(",", "")), order[row[1]]))
    return measurements.markdown_table(["train rows", "arm", "seeds", *SCORES.values()], rows)


def _differences(part: pd.DataFrame) -> str:
    rows = []
    others = [arm for arm in ARMS if arm in set(part.index.get_level_values("arm"))]
    for arm in [name for name in others if name not in ("reinforge", "independent")]:
        apart = part.xs("reinforge", level="arm") - part.xs(arm, level="arm")
        for size, own in apart.dropna(how="all").groupby(level="rows"):
            cells = (measurements.signed(own[name].dropna()) for name in SCORES)
            rows.append([f"{size:,}", arm, *cells])
    return measurements.markdown_table(["train rows", "reinforge less", *SCORES.values()], rows)


def main() -> int:
    """Run what is missing, then write the page."""
    parser = common_arguments(__doc__ or "")
    parser.add_argument("--tables", nargs="+", default=["adult_whole"], metavar="TABLE")
    parser.add_argument("--sizes", nargs="+", type=int, default=[100, 500, 2000, 10000, 20000])
    parser.add_argument("--arms", nargs="+", default=[*DEFAULT_ARMS], choices=[*ARMS])
    parser.set_defaults(level="quick")
    chosen, path = parser.parse_args(), measurements.csv_of("sizes")
    chosen.tables = [f"{table}@{rows}" for rows in chosen.sizes for table in chosen.tables]
    return harness.main(plan(chosen), chosen, path=path, write_page=write_page)


if __name__ == "__main__":
    sys.exit(main())
