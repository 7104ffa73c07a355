"""How much each generator gives away, told on halves: every row is learnt once and kept out once.

    python benchmarks/halves.py --tables heart_all breast_cancer adult --rows 400 --seeds 0 1 2

An attack on train rows and holdout rows differs most by which rows are easy to come near. Here a
generator learns each half of some rows, so each row stands on both sides, and the interval of the
membership AUC is a fraction of the usual one (`reinforge.synthesizers.leakage`). Measurements go to
`results/halves.csv`; `halves.md` is written from that file.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

import harness
import measurements
import tables
from arms import ARMS, peer_versions, synthesise
from comparison import TUNED_ON
from harness import Cell
from reinforge.synthesizers.leakage import leakage_on_halves
from tabular import common_arguments, plan

SCORE = "membership_on_halves"
DEFAULT_ARMS = ("reinforge", "independent", "cart", "arf", "gaussian_copula", "tvae", "smote")
OURS = "reinforge"


@dataclass(frozen=True)
class Made:
    """Rows that an arm drew once."""

    rows: pd.DataFrame

    def sample(self, n: int, *, seed: int) -> pd.DataFrame:
        """The rows, whatever the seed."""
        return self.rows.head(n)


def measure(cell: Cell) -> list[dict[str, object]]:
    """Two fits and the attack."""
    split = tables.split(cell.table, rows=cell.rows, seed=cell.seed, folder=cell.folder)

    def fit(half: pd.DataFrame) -> Made:
        made, _ = synthesise(cell.arm, cell.name, half, target=str(split.target), seed=cell.seed)
        return Made(made)

    told = leakage_on_halves(fit, split.train, split.schema, seed=cell.seed)
    values = {SCORE: told.value, f"{SCORE}_low": told.low, f"{SCORE}_high": told.high}
    return [
        dict(zip(measurements.FIELDS, (*cell.key, score, value), strict=True))
        for score, value in values.items()
    ]


def write_page(path: Path, page: Path) -> None:
    """Write `halves.md` anew from the CSV alone."""
    measured = measurements.read(path)
    wide = measured[measured["score"] == SCORE].pivot_table(
        index=["dataset", "setting", "seed"], columns="arm", values="value"
    )
    arms = [arm for arm in ARMS if arm in wide]
    rows = []
    for (dataset, setting), part in wide.groupby(level=["dataset", "setting"]):
        name = f"{dataset}, {setting}" + " *" * (dataset in TUNED_ON)
        rows.append([name, *(measurements.cell(part[arm].dropna()) for arm in arms)])
    means = wide.groupby(level=["dataset", "setting"]).mean()
    rows.append(["**mean over settings**", *(measurements.cell(means[a].dropna()) for a in arms)])
    paired = [
        [arm, measurements.signed((wide[OURS] - wide[arm]).groupby(level=[0, 1]).mean().dropna())]
        for arm in arms
        if arm != OURS and OURS in wide
    ]
    page.write_text(
        "# Membership on halves\n\n"
        "Written by `benchmarks/halves.py` from `results/halves.csv`; do not edit. "
        f"{measurements.circumstances(path)}\n\n"
        "Membership AUC by distance to the nearest synthetic row, .5 is nothing. A generator "
        "learns each half of the training rows, so every row is learnt once and kept out once. "
        "Halves leak more than the whole would: these figures compare generators, and are above "
        "those of [tabular.md](tabular.md). Mean ± half a 95 % interval over seeds (Student); a "
        "star: settings were chosen on this table.\n\n"
        + measurements.markdown_table(["rows, of which a half is learnt", *arms], rows)
        + "\n`reinforge` less each arm, paired by split, mean over settings, in bold where the "
        "interval over settings leaves out 0:\n\n"
        + measurements.markdown_table(["arm", "difference in membership AUC"], paired)
    )


def main() -> int:
    """Run what is missing, then write the page."""
    parser = common_arguments(__doc__ or "")
    parser.add_argument("--tables", nargs="+", default=["breast_cancer", "heart"])
    parser.add_argument("--arms", nargs="+", default=[*DEFAULT_ARMS], choices=[*ARMS])
    chosen, path = parser.parse_args(), measurements.csv_of("halves")
    return harness.main(
        plan(chosen),
        chosen,
        path=path,
        write_page=write_page,
        measure=measure,
        noted=lambda: {"peers": peer_versions(chosen.arms)},
    )


if __name__ == "__main__":
    sys.exit(main())
