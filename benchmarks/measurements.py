"""Measurements on disk: one CSV row each, and the Markdown tables that are written from them."""

import csv
import json
import math
import platform
import shlex
import sys
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path

import pandas as pd
from scipy import stats

HERE = Path(__file__).resolve().parent
FIELDS = ("dataset", "setting", "arm", "seed", "score", "value")
KEY = ["dataset", "setting", "arm", "seed"]
PACKAGES = ("reinforge", "torch", "numpy", "pandas", "scikit-learn", "scipy", "pyarrow")
NOTHING = "–"


def csv_of(name: str) -> Path:
    """Where the measurements of a benchmark lie."""
    return HERE / "results" / f"{name}.csv"


def read(path: Path) -> pd.DataFrame:
    """All measurements of a file; an empty frame where there is none."""
    if not path.exists():
        return pd.DataFrame(columns=list(FIELDS))
    return pd.read_csv(path, dtype=dict.fromkeys(("dataset", "setting", "arm", "score"), str))


def append(path: Path, rows: Iterable[dict[str, object]]) -> None:
    """Add measurements at the end; a value of None stays empty: measured, but without a number."""
    path.parent.mkdir(exist_ok=True)
    is_new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        if is_new:
            writer.writeheader()
        writer.writerows(rows)


def forget(path: Path, cells: set[tuple[object, ...]]) -> None:
    """Drop the measurements of these (dataset, setting, arm, seed), to be made again."""
    if not path.exists() or not cells:
        return
    kept = read(path)
    keys = pd.MultiIndex.from_frame(kept[KEY])
    kept[~keys.isin(list(cells))].to_csv(path, index=False, lineterminator="\n")


def done(path: Path) -> set[tuple[object, ...]]:
    """The (dataset, setting, arm, seed) that need no second run."""
    return set(read(path)[KEY].itertuples(index=False, name=None))


def note_circumstances(path: Path, **more: object) -> None:
    """Keep beside the CSV what its newest rows were made with: command, versions, machine."""
    given = [Path(part).name if "/" in part else part for part in sys.argv[1:]]  # no folders
    circumstances = {
        "command": shlex.join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *given]),
        "python": platform.python_version(),
        "versions": {package: version(package) for package in PACKAGES},
        "machine": _processor(),
        **more,
    }
    path.with_suffix(".json").write_text(json.dumps(circumstances, indent=1) + "\n")


def circumstances(path: Path) -> str:
    """The same as a Markdown paragraph; empty where nothing was noted."""
    if not path.with_suffix(".json").exists():
        return ""
    noted = json.loads(path.with_suffix(".json").read_text())
    versions = ", ".join(f"{name} {number}" for name, number in noted["versions"].items())
    peers = ", ".join(f"{name} {number}" for name, number in noted.get("peers", {}).items())
    return (
        f"Newest run: `{noted['command']}` with Python {noted['python']}, {versions}"
        + (f"; peers: {peers}" if peers else "")
        + f"; on {noted['machine']}."
    )


def interval(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean and half width of its 95 % interval by Student's t; None for fewer than two values."""
    held = [value for value in values if not math.isnan(value)]
    if not held:
        return math.nan, None
    mean = math.fsum(held) / len(held)
    if len(held) < 2:
        return mean, None
    deviation = math.sqrt(math.fsum((v - mean) ** 2 for v in held) / (len(held) - 1))
    return mean, float(stats.t.ppf(0.975, len(held) - 1)) * deviation / math.sqrt(len(held))


def cell(values: Sequence[float], *, digits: int = 3) -> str:
    """`mean ± half width`, for a table."""
    mean, half = interval(values)
    if math.isnan(mean):
        return NOTHING
    return f"{mean:.{digits}f}" + ("" if half is None else f" ± {half:.{digits}f}")


def signed(values: Sequence[float]) -> str:
    """A paired difference with its interval; bold where the interval leaves out 0."""
    mean, half = interval(values)
    text = ("+" if mean > 0 else "") + cell(values)
    return f"**{text}**" if half is not None and abs(mean) > half else text


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; the first column is text, the others are numbers."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = {line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")}
    return ", ".join(sorted(names)) or platform.machine()
