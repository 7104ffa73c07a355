"""One cell of a comparison, an arm on a split: fit, sample, judge; and how many cells are run."""

import argparse
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import pandas as pd

import arms
import measurements
import tables
from reinforge.evaluation.scorecard import evaluate
from reinforge.records import Split


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One arm on one split."""

    table: str
    rows: int | None  # train rows; None: four fifths of the table
    name: str  # of the arm
    arm: arms.Arm
    seed: int
    level: str
    folder: Path  # with the files of the tables
    note: str = ""  # what else sets this cell apart, e.g. the preset

    @property
    def setting(self) -> str:
        """Rows, level and note in words: only cells of the same setting may be compared."""
        rows = "80/20" if self.rows is None else f"{self.rows} rows"
        level = "" if self.level == "full" else self.level
        return " ".join(filter(None, (rows, level, self.note)))

    @property
    def key(self) -> tuple[str, str, str, int]:
        """What names it in the CSV."""
        return self.table, self.setting, self.name, self.seed


def measure(cell: Cell) -> list[dict[str, object]]:
    """Fit, sample and judge; a CSV row for each score of each group, and one for each cost."""
    return judge(cell, *draw(cell))


def draw(cell: Cell) -> tuple[Split, pd.DataFrame, dict[str, float]]:
    """Split, fit and sample: the split, the synthetic rows, and what they cost."""
    split = tables.split(cell.table, rows=cell.rows, seed=cell.seed, folder=cell.folder)
    if cell.arm.is_real:
        return *tables.with_fresh_rows(split, seed=cell.seed), {}
    synthetic, costs = arms.synthesise(
        cell.arm, cell.name, split.train, target=str(split.target), seed=cell.seed
    )
    return split, synthetic, costs


def judge(
    cell: Cell, split: Split, synthetic: pd.DataFrame, costs: dict[str, float]
) -> list[dict[str, object]]:
    """A CSV row for each score of each group, and one for each cost."""
    scorecard = evaluate(split, synthetic, level=cell.level, seed=cell.seed)
    values = {
        score.name if score.group == "all" else f"{score.name}[{score.group}]": score.value
        for score in scorecard.scores
    }
    return [
        dict(zip(measurements.FIELDS, (*cell.key, score, value), strict=True))
        for score, value in {**values, **costs}.items()
    ]


def main(
    cells: Iterable[Cell],
    chosen: argparse.Namespace,
    *,
    path: Path,
    write_page: Callable[[Path, Path], None],
    measure: Callable[[Cell], list[dict[str, object]]] = measure,
    noted: Callable[[], dict[str, object]] = dict,
) -> int:
    """Run what is missing, unless the page alone is wanted, then write the page.

    Args:
        cells: What is wanted.
        chosen: The command line that comparisons share (`tabular.common_arguments`).
        path: The CSV; the page of its name lies a folder above.
        write_page: Writes the page from the CSV.
        measure: Does one cell.
        noted: Asked after a run: what else to note of its circumstances.

    Returns:
        The exit code: 1 where a cell failed.
    """
    failures: list[str] = []
    if not chosen.write_only:
        failures = run(cells, jobs=chosen.jobs, redo=chosen.redo, path=path, measure=measure)
        measurements.note_circumstances(path, **noted())
    write_page(path, path.parents[1] / f"{path.stem}.md")
    print(*failures, sep="\n", end="", file=sys.stderr)
    return 1 if failures else 0


def run(
    cells: Iterable[Cell],
    *,
    jobs: int,
    redo: Iterable[str],
    path: Path,
    measure: Callable[[Cell], list[dict[str, object]]] = measure,
) -> list[str]:
    """Measure the cells that the CSV does not hold, writing each down as it comes.

    Args:
        cells: What is wanted.
        jobs: Cells at a time, each in a process and on a thread of its own.
        redo: Names of arms whose cells are measured again.
        path: The CSV.
        measure: Does one cell.

    Returns:
        A line for each cell that failed; the others are done all the same.
    """
    wanted, again = list(cells), set(redo)
    measurements.forget(path, {cell.key for cell in wanted if cell.name in again})
    present = measurements.done(path)
    missing = [cell for cell in wanted if cell.key not in present]
    failures = []
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        waiting = {pool.submit(measure, cell): cell for cell in missing}
        for n_done, future in enumerate(as_completed(waiting), start=1):
            cell = waiting[future]
            error, outcome = future.exception(), "done"
            if error is None:
                measurements.append(path, future.result())
            else:  # the others go on: a night's run is not lost for one arm
                outcome = f"FAILED: {type(error).__name__}: {error}"
                failures.append(f"{cell.key}: {outcome}")
            print(f"[{n_done}/{len(missing)}] {cell.key} {outcome}", file=sys.stderr, flush=True)
    return failures
