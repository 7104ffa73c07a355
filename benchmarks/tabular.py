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
from pathlib import Path

import harness
import measurements
import tables
from arms import ARMS, peer_versions
from comparison import write_comparison
from harness import Cell

DEFAULT_ARMS = (
    *("reinforge", "rlsyn", "copy", "independent", "smote"),
    *("gaussian_copula", "ctgan", "tvae"),
)


def plan(chosen: argparse.Namespace) -> Iterator[Cell]:
    """Every cell that the command line asks for."""
    for text in chosen.tables:
        table, _, rows = text.partition("@")
        for seed in chosen.seeds:
            for name in chosen.arms:
                yield Cell(
                    table=table,
                    rows=int(rows) if rows else chosen.rows,
                    name=name,
                    arm=ARMS[name],
                    seed=seed,
                    level=chosen.level,
                    folder=tables.data_folder(chosen.data),
                )


def common_arguments(what: str) -> argparse.ArgumentParser:
    """The command line that all comparisons share."""
    parser = argparse.ArgumentParser(
        description=what, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--rows", type=int, help="train rows (default: four fifths of the table)")
    parser.add_argument("--data", type=Path, help="folder with the files (or REINFORGE_DATA)")
    parser.add_argument("--level", default="full", choices=["full", "quick"])
    parser.add_argument("--jobs", type=int, default=1, help="cells at a time, one thread each")
    parser.add_argument("--redo", nargs="*", default=[], metavar="ARM", help="measure these again")
    parser.add_argument("--write-only", action="store_true", help="only write the page again")
    return parser


def main() -> int:
    """Run what is missing, then write the page."""
    parser = common_arguments(__doc__ or "")
    parser.add_argument("--tables", nargs="+", default=["breast_cancer", "heart"], metavar="TABLE")
    parser.add_argument("--arms", nargs="+", default=[*DEFAULT_ARMS], choices=[*ARMS])
    chosen, path = parser.parse_args(), measurements.csv_of("tabular")
    return harness.main(
        plan(chosen),
        chosen,
        path=path,
        write_page=write_comparison,
        noted=lambda: {"peers": peer_versions(chosen.arms)},
    )


if __name__ == "__main__":
    sys.exit(main())
