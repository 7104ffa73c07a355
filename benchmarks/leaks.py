"""Do the privacy scores notice leaks that were planted on purpose?

    python benchmarks/leaks.py --tables breast_cancer heart adult --arm reinforge

Takes an arm's synthetic rows, plants known leaks in them with `reinforge.evaluation.self_test`
(what `reinforge evaluate --self-test` shows) and writes down every score of every planting:
`results/leaks.csv` (the planted leak stands in `arm`) and `leaks.md`.
"""

import argparse
import sys
from pathlib import Path

import pandas as pd
from reinforge.evaluation.self_test import self_test

import measurements
import tables
from arms import ARMS, synthesise
from tabular import common_arguments

LEAK = "leak"  # the key of a self-test row that names what was planted


def measure(table: str, *, arm: str, seed: int, chosen: argparse.Namespace) -> list[dict]:
    """CSV rows of the self-test on one split."""
    split = tables.split(table, rows=chosen.rows, seed=seed, folder=tables.data_folder(chosen.data))
    synthetic, _ = synthesise(ARMS[arm], arm, split.train, target=str(split.target), seed=seed)
    setting = f"{'80/20' if chosen.rows is None else f'{chosen.rows} rows'} {arm}"
    return [
        {
            "dataset": table,
            "setting": setting,
            "arm": row[LEAK],
            "seed": seed,
            "score": score,
            "value": None if value is None else float(value),
        }
        for row in self_test(split, synthetic, seed=seed, level=chosen.level)
        for score, value in row.items()
        if score != LEAK and (value is None or isinstance(value, int | float))
    ]


def write_page(path: Path, page: Path) -> None:
    """Write `leaks.md` anew from the CSV alone."""
    measured = measurements.read(path)
    parts = [
        "# Planted leaks\n\n"
        "Written by `benchmarks/leaks.py` from `results/leaks.csv`; do not edit. "
        f"{measurements.circumstances(path)}\n\n"
        "Each row: the same synthetic rows with one leak planted. Mean ± half a 95 % interval over "
        "seeds. A score notices a leak when it moves away from the row without one; no single "
        "score notices all of them.\n"
    ]
    for (dataset, setting), part in measured.groupby(["dataset", "setting"], sort=True):
        scores, leaks = part["score"].unique(), part["arm"].unique()
        rows = [[leak, *(_cell(part, leak, score) for score in scores)] for leak in leaks]
        parts.append(
            f"## {dataset}, {setting}\n\n" + measurements.markdown_table(["planted", *scores], rows)
        )
    page.write_text("\n".join(parts))


def _cell(measured: pd.DataFrame, leak: str, score: str) -> str:
    chosen = (measured["arm"] == leak) & (measured["score"] == score)
    return measurements.cell(measured.loc[chosen, "value"].astype(float))


def main() -> int:
    """Run all plantings anew, then write the page."""
    parser = common_arguments(__doc__ or "")
    parser.add_argument("--tables", nargs="+", default=["breast_cancer", "heart"])
    parser.add_argument("--arm", default="reinforge", choices=[*ARMS])
    chosen, path = parser.parse_args(), measurements.csv_of("leaks")
    if not chosen.write_only:
        for table in chosen.tables:
            for seed in chosen.seeds:
                rows = measure(table, arm=chosen.arm, seed=seed, chosen=chosen)
                measurements.forget(path, {tuple(row[k] for k in measurements.KEY) for row in rows})
                measurements.append(path, rows)
                print(f"{table} seed {seed}: {len(rows)} scores", file=sys.stderr, flush=True)
        measurements.note_circumstances(path)
    write_page(path, path.parents[1] / "leaks.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
