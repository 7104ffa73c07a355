"""Do the privacy scores notice leaks that were planted on purpose?

    python benchmarks/leaks.py --tables breast_cancer heart adult --arm reinforge

Takes an arm's synthetic rows, plants known leaks in them with `reinforge.evaluation.self_test`
(what `reinforge evaluate --self-test` shows) and writes down every score of every planting:
`results/leaks.csv` (`arm` holds what was planted, a score `noticed: NAME` is 1 where NAME noticed
it) and `leaks.md`.
"""

import argparse
import sys
from pathlib import Path

import pandas as pd

import measurements
import tables
from arms import ARMS, synthesise
from measurements import NOTHING
from reinforge.evaluation.self_test import FRESH, self_test
from tabular import common_arguments

NOTICED = "noticed: "


def measure(table: str, *, arm: str, seed: int, chosen: argparse.Namespace) -> list[dict]:
    """CSV rows of the self-test on one split."""
    folder = tables.data_folder(chosen.data)
    split = tables.split(table, rows=chosen.rows, seed=seed, folder=folder)
    synthetic, _ = synthesise(ARMS[arm], arm, split.train, target=str(split.target), seed=seed)
    rows_used = "80/20" if chosen.rows is None else f"{chosen.rows} rows"
    setting = f"{rows_used}, rows of {arm}, {chosen.level}"
    rows = []
    for planted in self_test(split, synthetic, seed=seed, level=chosen.level):
        values = planted.to_dict()["values"]
        calls = {NOTICED + label: float(label in planted.noticed_by) for label in values}
        key = (table, setting, planted.leak, seed)
        rows += [
            dict(zip(measurements.FIELDS, (*key, _with_group(label), value), strict=True))
            for label, value in {**values, **calls}.items()
        ]
    return rows


def write_page(path: Path, page: Path) -> None:
    """Write `leaks.md` anew from the CSV alone."""
    measured = measurements.read(path)
    parts = [
        "# Planted leaks\n\n"
        "Written by `benchmarks/leaks.py` from `results/leaks.csv`; do not edit. "
        f"{measurements.circumstances(path)}\n\n"
        "The same synthetic rows, each time with one leak planted. A cell is the score's mean over "
        "seeds, and in brackets in how many seeds it called out; a score calls out when its "
        "interval leaves what harmless rows give. No single score notices all leaks. The first row "
        "is the rows as they came; in the last one nothing is leaked, so whoever calls out there "
        "is wrong. Sensitive groups have no column here; `noticed by any` counts them.\n"
    ]
    for (dataset, setting), part in measured.groupby(["dataset", "setting"], sort=True):
        parts.append(f"## {dataset}, {setting}\n\n{_table(part)}")
    page.write_text("\n".join(parts))


def _table(measured: pd.DataFrame) -> str:
    names = [name for name in measured["score"].unique() if not name.startswith(NOTICED)]
    scores = [name for name in names if "=" not in name]
    n_seeds, rows = measured["seed"].nunique(), []
    for leak in measured["arm"].unique():
        own = measured[measured["arm"] == leak]
        any_score = own[own["score"].str.startswith(NOTICED)].groupby("seed")["value"].max().sum()
        name = f"*{leak}*" if leak == FRESH else str(leak)
        cells = [_cell(own, score) for score in scores]
        rows.append([name, f"{any_score:.0f} of {n_seeds}", *cells])
    return measurements.markdown_table(["planted", "noticed by any", *scores], rows)


def _with_group(label: str) -> str:
    """`name (group)` as all CSV files write it: `name[group]`."""
    name, opened, group = label.partition(" (")
    return f"{name}[{group[:-1]}]" if opened else name


def _cell(own: pd.DataFrame, score: str) -> str:
    values = own.loc[own["score"] == score, "value"].dropna()
    calls = int(own.loc[own["score"] == NOTICED + score, "value"].sum())
    if values.empty:
        return NOTHING
    return f"**{values.mean():.3f}** ({calls})" if calls else f"{values.mean():.3f}"


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
                print(f"{table} seed {seed}: {len(rows)} values", file=sys.stderr, flush=True)
        measurements.note_circumstances(path)
    write_page(path, path.parents[1] / "leaks.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
