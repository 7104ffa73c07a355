"""Compare generators of tables: one harness, the same splits and the same judge for every arm.

    python benchmarks/tabular.py --tables breast_cancer heart --seeds 0 1 2

A table is split 80/20 by the target (`--rows 500` or `heart@200`: that many train rows, the rest is
holdout), each arm fits on the train rows and gives back as many, and
`reinforge.evaluation.scorecard.evaluate` judges them. Measurements go to `results/tabular.csv`;
what is there is not run again. `tabular.md` is written from that file.
"""

import argparse
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from reinforge.evaluation.scorecard import evaluate

import arms
import measurements
import tables
from comparison import write_comparison
from reinforge.errors import ReinforgeError

DEFAULT_ARMS = ("reinforge", "rlsyn", "copy", "independent", "smote")
PEERS = ("gaussian_copula", "ctgan", "tvae")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One arm on one split."""

    table: str
    rows: int | None
    arm: str
    seed: int
    level: str
    folder: Path

    @property
    def setting(self) -> str:
        """Rows and level in words: only cells of the same setting may be compared."""
        rows = "80/20" if self.rows is None else f"{self.rows} rows"
        return rows if self.level == "full" else f"{rows} {self.level}"

    @property
    def key(self) -> tuple[str, str, str, int]:
        """What names it in the CSV."""
        return self.table, self.setting, self.arm, self.seed


def measure(cell: Cell) -> list[dict[str, object]]:
    """Fit, sample and judge; a CSV row for each score of each group, and one for each cost."""
    split = tables.split(cell.table, rows=cell.rows, seed=cell.seed, folder=cell.folder)
    synthetic, costs = arms.synthesise(
        arms.ARMS[cell.arm], cell.arm, split.train, target=str(split.target), seed=cell.seed
    )
    scorecard = evaluate(split, synthetic, level=cell.level, seed=cell.seed)
    values = {
        score.name if score.group == "all" else f"{score.name}[{score.group}]": score.value
        for score in scorecard.scores
    }
    return [
        dict(zip(measurements.FIELDS, (*cell.key, score, value), strict=True))
        for score, value in {**values, **costs}.items()
    ]


def run(cells: list[Cell], *, jobs: int, path: Path) -> list[str]:
    """Measure the cells, writing each down as it comes; the failures are returned, not raised."""
    failures = []
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        waiting = {pool.submit(measure, cell): cell for cell in cells}
        for n_done, future in enumerate(as_completed(waiting), start=1):
            cell = waiting[future]
            try:
                measurements.append(path, future.result())
                outcome = "done"
            except (RuntimeError, ReinforgeError) as error:
                failures.append(f"{' / '.join(map(str, cell.key))}: {error}")
                outcome = f"FAILED: {error}"
            print(f"[{n_done}/{len(cells)}] {cell.key} {outcome}", file=sys.stderr, flush=True)
    return failures


def plan(chosen: argparse.Namespace) -> Iterator[Cell]:
    """Every cell that the command line asks for."""
    for text in chosen.tables:
        table, _, rows = text.partition("@")
        for seed in chosen.seeds:
            for arm in chosen.arms:
                yield Cell(
                    table=table,
                    rows=int(rows) if rows else chosen.rows,
                    arm=arm,
                    seed=seed,
                    level=chosen.level,
                    folder=tables.data_folder(chosen.data),
                )


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tables", nargs="+", default=["breast_cancer", "heart"], metavar="TABLE")
    parser.add_argument("--arms", nargs="+", default=[*DEFAULT_ARMS, *PEERS], choices=arms.ARMS)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--rows", type=int, help="train rows (default: four fifths of the table)")
    parser.add_argument("--data", type=Path, help="folder with the files (or REINFORGE_DATA)")
    parser.add_argument("--level", default="full", choices=["full", "quick"])
    parser.add_argument("--jobs", type=int, default=1, help="cells at a time, one thread each")
    parser.add_argument("--redo", nargs="*", default=[], choices=arms.ARMS, metavar="ARM")
    parser.add_argument("--write-only", action="store_true", help="only write tabular.md again")
    return parser.parse_args(arguments)


def main() -> int:
    """Run what is missing, then write the table."""
    chosen, path = parse(), measurements.csv_of("tabular")
    failures: list[str] = []
    if not chosen.write_only:
        cells = list(plan(chosen))
        again = {cell.key for cell in cells if cell.arm in chosen.redo}
        measurements.forget(path, again)
        missing = [cell for cell in cells if cell.key not in measurements.done(path)]
        failures = run(missing, jobs=chosen.jobs, path=path)
        measurements.note_circumstances(path, peers=arms.peer_versions(chosen.arms))
    write_comparison(path, path.parents[1] / "tabular.md")
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
